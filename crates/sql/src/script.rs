//! Migration files as a runner sees them: what they say about themselves, what is run, and the way back; and a step of a plan
//! written as such a file, which any other runner can execute as it stands.

mod read;
pub mod write;

pub use read::{read, transaction, version_of};
pub use write::{write, write_with};
