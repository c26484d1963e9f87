//! One file per operation: a request, a reply, and the function between them.

pub mod check;
pub mod audit;
pub mod review;
pub mod snapshot;
pub mod rules;
pub mod explain;
pub mod score;
pub mod demo;
pub mod migrate;
