//! `migrate`: the operations about migrations.

pub mod lint;
pub mod knowledge;
mod files;
mod since;
