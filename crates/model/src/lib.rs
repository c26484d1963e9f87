//! The nouns of dbwright: what is known of a database, what may change in it, and what is said about it.
//!
//! This crate does no IO, reads no clock and judges nothing. Every other crate speaks in these types, so they stay
//! few and slow-moving. Modules are listed in reading order.

pub mod name;
pub mod effect;
pub mod chain;
pub mod engine;
pub mod capability;
pub mod lifecycle;
pub mod observed;
pub mod expression;
pub mod reads;
pub mod data_type;
pub mod catalog;
pub mod access;
pub mod stats;
pub mod workload;
pub mod settings;
pub mod activity;
pub mod replication;
pub mod pressure;
pub mod storage;
pub mod backup;
pub mod history;
pub mod facts;
pub mod change;
pub mod comparison;
pub mod plan;
pub mod migration;
pub mod quantity;
pub mod applied;
pub mod standing;
pub mod remedy;
pub mod finding;
pub mod score;
pub mod report;
