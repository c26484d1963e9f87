//! How long a newcomer waits for the demonstration: a scratch server, a shop in it, and its audit.

use std::path::Path;
use std::process::Command;

use super::child::best;
use super::{BenchOptions, Measured, Measurement};

/// Measures `dbwright demo`, for which the binary is ready already.
pub fn run(binary: &Path, _options: &BenchOptions) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let usage = best(2, &[0], || {
        let mut command = Command::new(binary);
        command.current_dir(folder.path()).args(["demo", "--quiet", "--format", "json"]);
        command
    })?;
    let seconds = usage.wall.as_secs_f64();
    Ok(Measured {
        name: "demo",
        about: "`dbwright demo --format json`: a scratch server is started, filled, audited and thrown away; the quicker \
                one of 2 runs."
            .to_owned(),
        rows: vec![
            Measurement::new("wall time", format!("{seconds:.1} s")).aimed("under 60 s", seconds < 60.0),
            Measurement::new("peak resident memory", format!("{:.0} MB", usage.peak as f64 / 1e6)),
        ],
        notes: Vec::new(),
    })
}
