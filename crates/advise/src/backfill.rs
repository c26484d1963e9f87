//! Writing rows piece by piece: which key orders the pieces, how large they are, when to wait, and their statements.

pub mod key;
pub mod pace;
pub mod pieces;
pub mod throttle;
