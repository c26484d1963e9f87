//! The operations: each composes collecting, judging and cooking into one answer.
//!
//! A face (terminal, agent protocol, browser) parses a request, calls one function here, and draws the reply. This
//! crate reads no environment variable, no clock and no terminal: what it needs of them is passed in [`World`].

pub mod error;
pub mod consent;
pub mod world;
pub mod config;
pub mod target;
pub mod gather;
pub mod trace;
pub mod cook;
pub mod snapshot;
pub mod anonymize;
pub mod prove;
mod roles;
pub mod ops;

pub use error::{ErrorKind, ServiceError};
pub use world::World;
