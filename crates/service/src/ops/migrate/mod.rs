//! `migrate`: the operations about migrations.

pub mod lint;
pub mod status;
pub mod verify;
pub mod repair;
pub mod baseline;
pub mod squash;
pub mod situation;
pub mod record;
mod executed;
mod files;
mod since;
