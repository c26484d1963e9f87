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
pub(crate) mod folder;
mod since;
mod traced;
