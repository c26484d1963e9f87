//! What operations need of the world around them.

use std::path::PathBuf;

use dbwright_engine::scratch::Places;
use dbwright_engine::session::{Limits, Progress};
use jiff::Timestamp;

/// The clock, the working directory, the environment and a place to report progress, as the face passes them in.
pub struct World<'a> {
    /// Now.
    pub now: Timestamp,
    /// Relative paths start here.
    pub directory: PathBuf,
    /// `DATABASE_URL`, where set.
    pub database_url: Option<String>,
    /// Looks up connection variables such as `PGPASSWORD`.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Temporary files go here.
    pub temporary: PathBuf,
    /// Where server binaries are looked for.
    pub places: Places,
    /// Version of the program.
    pub version: &'static str,
    /// What may be asked of servers.
    pub limits: Limits,
    /// Told how work comes along.
    pub progress: &'a dyn Progress,
}
