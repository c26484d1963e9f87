//! dbwright's own migration files: one step of a plan each, which any other runner can execute as it stands.

pub mod write;

pub use write::write;
