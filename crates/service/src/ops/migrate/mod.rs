//! `migrate`: the operations about migrations.

pub mod lint;
mod files;
mod since;
mod traced;
