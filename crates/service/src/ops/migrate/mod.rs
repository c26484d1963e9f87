//! `migrate`: the operations about migrations.

pub mod lint;
pub mod plan;
pub mod knowledge;
mod files;
mod names;
mod since;
