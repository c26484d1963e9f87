//! Advice that needs more than one rule: plans that are put together from facts.
//!
//! Nothing here does IO. What is known of a dialect's text comes in through a trait, because verbs do not import verbs.

pub mod migrate;
pub mod backfill;
