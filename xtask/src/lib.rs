//! Chores of the repository as a library, so that its tests can run them too.

pub mod tree;
pub mod tidy;
pub mod servers;
pub mod bench;
pub mod truth;
