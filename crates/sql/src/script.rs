//! Migration files as a runner sees them: what they say about themselves, what is run, and the way back.

mod read;

pub use read::{read, transaction, version_of};
