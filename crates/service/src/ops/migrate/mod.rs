//! `migrate`: the operations about migrations.

pub mod lint;
mod files;
pub(crate) mod standing;
mod since;
mod traced;
