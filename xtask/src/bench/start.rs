//! How long the binary takes to start, beside a program that does nothing.

use std::path::Path;
use std::process::Command;

use super::child::best;
use super::{BenchOptions, Measured, Measurement};

const RUNS: usize = 40;

/// Measures `--version` and a small review.
pub fn run(binary: &Path, _options: &BenchOptions) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("schema.sql");
    std::fs::write(
        &file,
        "create table parent (id bigint primary key, name text not null);\n\
         create table child (id bigint primary key, parent_id bigint references parent (id));\n",
    )?;
    let nothing = best(RUNS, &[0], || Command::new("true"))?;
    let version = best(RUNS, &[0], || {
        let mut command = Command::new(binary);
        command.arg("--version");
        command
    })?;
    let review = best(RUNS, &[0, 1], || {
        let mut command = Command::new(binary);
        command.current_dir(folder.path()).args(["review", "schema.sql", "--engine", "postgres"]);
        command
    })?;
    let milliseconds = |usage: super::child::Usage| usage.wall.as_secs_f64() * 1e3;
    let row = |what: &str, usage: super::child::Usage| {
        let more = milliseconds(usage) - milliseconds(nothing);
        Measurement::new(what, format!("{:.1} ms", milliseconds(usage)))
            .aimed(format!("{more:.1} ms over `true`, at most 20 ms"), more <= 20.0)
    };
    Ok(Measured {
        name: "start",
        about: format!("The quickest of {RUNS} runs from start to end."),
        rows: vec![
            Measurement::new("`true`", format!("{:.1} ms", milliseconds(nothing))),
            row("`dbwright --version`", version),
            row("`dbwright review` of two tables", review),
            Measurement::new("peak memory of that review", format!("{:.1} MB", review.peak as f64 / 1e6)),
        ],
        notes: Vec::new(),
    })
}
