//! `migrate`: the operations about migrations.

pub mod lint;
pub mod up;
pub mod down;
pub mod standing;
mod steps;
mod expect;
mod hold;
mod work;
mod files;
mod since;
pub mod backfill;
mod backfill_state;
mod pieces;
pub mod preflight;
mod foresee;
mod online;
