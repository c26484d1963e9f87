//! `migrate`: the operations about migrations.

pub mod lint;
mod files;
mod since;
pub mod backfill;
mod backfill_state;
mod pieces;
pub mod preflight;
mod foresee;
mod online;
