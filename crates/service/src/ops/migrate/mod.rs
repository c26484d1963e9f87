//! `migrate`: the operations about migrations.

pub mod lint;
pub mod up;
pub mod down;
pub mod standing;
pub mod status;
pub mod verify;
pub mod repair;
pub mod baseline;
pub mod squash;
pub mod situation;
pub mod record;
mod executed;
mod steps;
mod expect;
mod hold;
mod work;
mod files;
pub(crate) mod folder;
mod since;
mod traced;
pub mod backfill;
mod backfill_state;
mod pieces;
pub mod preflight;
mod foresee;
mod online;
