//! Benchmarks: each measures the release binary and a peer in one run on one machine, and prints the ratio.

mod child;
mod demo;
mod files;
mod lint;
mod load;
mod scale;
mod start;
mod throughput;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::postgres::{Installation, installations};

/// What to measure and how.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Names of benchmarks; all when empty.
    pub names: Vec<String>,
    /// Major version of PostgreSQL; the newest installed when absent.
    pub postgres: Option<u16>,
    /// Tables of the large database.
    pub tables: usize,
    /// Whether the tables are written to `docs/benchmarks.md`.
    pub record: bool,
    /// The binary to measure; built when absent.
    pub binary: Option<PathBuf>,
    /// Where to write the report of the large audit.
    pub keep: Option<PathBuf>,
}

impl Default for BenchOptions {
    fn default() -> Self {
        BenchOptions {
            names: Vec::new(),
            postgres: None,
            tables: 10_000,
            record: false,
            binary: None,
            keep: None,
        }
    }
}

/// What one benchmark measured.
struct Measured {
    name: &'static str,
    /// What was measured on what, as full sentences.
    about: String,
    rows: Vec<Measurement>,
    /// Whatever a reader of the numbers must know.
    notes: Vec<String>,
}

/// One line of a table.
struct Measurement {
    what: String,
    value: String,
    /// What is aimed at, and whether it was reached.
    target: Option<(String, bool)>,
    /// Whether it is so far from its target that the benchmark fails.
    broken: bool,
}

impl Measurement {
    fn new(what: impl Into<String>, value: impl Into<String>) -> Self {
        Measurement { what: what.into(), value: value.into(), target: None, broken: false }
    }

    /// A target below which the benchmark itself fails: for counts, memory and ratios of one run, which do not depend on
    /// how busy or how fast a machine is.
    fn at_most(mut self, target: impl Into<String>, measured: f64, most: f64, tolerance: f64) -> Self {
        self = self.aimed(target, measured <= most);
        self.broken = measured > most * (1.0 + tolerance);
        self
    }

    fn aimed(mut self, target: impl Into<String>, reached: bool) -> Self {
        self.target = Some((target.into(), reached));
        self
    }
}

/// What stands above the tables.
const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench --record`, which runs every command named below, or those whose names it is given: the release
binary and its peers, measured in one run on one machine. The ratios are worth more than the numbers. A target that is missed stays in the table. Counts,
memory and ratios have a floor: `cargo xtask bench` fails when a count is above its target at all, a ratio by more than a
quarter, or memory by more than a half. Times by themselves never fail.

";

/// Runs benchmarks and prints their tables.
pub fn run(options: &BenchOptions) -> anyhow::Result<()> {
    type Bench = fn(&Path, &BenchOptions) -> anyhow::Result<Measured>;
    let all: [(&str, Bench); 7] = [
        ("start", start::run),
        ("files", files::run),
        ("lint", lint::run),
        ("demo", demo::run),
        ("scale", scale::run),
        ("throughput", throughput::run),
        ("load", load::run),
    ];
    for name in &options.names {
        if !all.iter().any(|(known, _)| known == name) {
            let known = all.map(|(name, _)| name).join(", ");
            bail!("there is no benchmark `{name}`: choose of {known}");
        }
    }
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => build()?,
    };
    let mut tables: Vec<(&str, String)> = Vec::new();
    let mut broken: Vec<String> = Vec::new();
    for (name, bench) in all {
        if options.names.is_empty() || options.names.iter().any(|wanted| wanted == name) {
            let measured = bench(&binary, options).with_context(|| format!("benchmark `{name}`"))?;
            let rows = measured.rows.iter().filter(|row| row.broken);
            broken.extend(rows.map(|row| format!("`{name}`: {} is {}", row.what, row.value)));
            let table = draw(&measured);
            println!("{table}");
            tables.push((name, format!("{}\n\n{}\n", table.trim_end(), machine(&binary))));
        }
    }
    if options.record {
        let path = root()?.join("docs/benchmarks.md");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let text = recorded(&before, &tables, &all.map(|(name, _)| name));
        std::fs::write(&path, text).context("cannot write docs/benchmarks.md")?;
    }
    if !broken.is_empty() {
        bail!("further from its target than is tolerated: {}", broken.join("; "));
    }
    Ok(())
}

/// The text of the record: the tables that were measured now, and of the others those that it had before.
fn recorded(before: &str, measured: &[(&str, String)], names: &[&str]) -> String {
    let mut text = HEAD.trim_end().to_owned();
    let parts = || before.split("\n## ").skip(1);
    for name in names {
        let now =
            measured.iter().find(|(other, _)| other == name).map(|(_, table)| table.trim_end().to_owned());
        let then = || parts().find(|part| part.lines().next() == Some(name));
        if let Some(part) = now.or_else(|| then().map(|part| format!("## {}", part.trim_end()))) {
            text.push_str("\n\n");
            text.push_str(&part);
        }
    }
    text.push('\n');
    text
}

fn root() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the root")
}

/// The PostgreSQL that is measured: of the major that was named, or else the newest that is installed and will do.
fn postgres(options: &BenchOptions, will_do: impl Fn(&Installation) -> bool) -> anyhow::Result<Installation> {
    let installed = installations(&Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))));
    let chosen = match options.postgres {
        Some(major) => installed.iter().find(|one| one.version.major == major),
        None => installed.iter().rev().find(|one| will_do(one)).or(installed.last()),
    };
    chosen.cloned().context("no such PostgreSQL is installed: run scripts/install-test-servers")
}

/// Builds the release binary.
fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells a program about its own package would make build scripts that look at it run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name.as_ref());
        }
    }
    let output = command
        .args(["build", "--release", "--package", "dbwright", "--message-format", "json-render-diagnostics"])
        .current_dir(root()?)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo could not be run")?;
    if !output.status.success() {
        bail!("the release binary could not be built");
    }
    let executable = String::from_utf8_lossy(&output.stdout).lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.context("cargo did not name the binary")
}

fn machine(binary: &Path) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let information = read("/proc/cpuinfo");
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = read("/proc/meminfo")
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok())
        .map_or(String::new(), |kilobytes| format!(", {:.0} GB of memory", kilobytes / 1e6));
    let kernel = read("/proc/sys/kernel/osrelease");
    // Other work on the machine makes every time longer; ratios of one run suffer less.
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?");
    let version =
        Command::new(binary).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let size = std::fs::metadata(binary).map_or(0.0, |file| file.len() as f64 / 1e6);
    format!(
        "Machine: {cores} cores of {model}{memory}, Linux {}, load {load} at the end. Binary: {}, {size:.0} MB.",
        kernel.trim(),
        String::from_utf8_lossy(&version).trim()
    )
}

fn draw(measured: &Measured) -> String {
    let mut rows = vec![["measured".to_owned(), "value".to_owned(), "target".to_owned()]];
    rows.extend(measured.rows.iter().map(|row| {
        let target = match &row.target {
            Some((target, true)) => format!("{target}: met"),
            Some((target, false)) => format!("{target}: missed"),
            None => String::new(),
        };
        [row.what.clone(), row.value.clone(), target]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = format!("## {}\n\n{}\n\n", measured.name, measured.about);
    for (at, [what, value, target]) in rows.iter().enumerate() {
        let [a, b, c] = widths;
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {what:a$} | {value:>b$} | {target:c$} |");
        if at == 0 {
            let _ = writeln!(text, "|{}|{}:|{}|", "-".repeat(a + 2), "-".repeat(b + 1), "-".repeat(c + 2));
        }
    }
    for note in &measured.notes {
        let _ = write!(text, "\n{note}\n");
    }
    text
}

/// The middle one of some values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_again_stays_in_the_record() {
        let names = ["a", "b", "c"];
        let first =
            recorded("", &[("b", "## b\n\nold".to_owned()), ("c", "## c\n\nkept".to_owned())], &names);
        let second = recorded(&first, &[("b", "## b\n\nnew".to_owned()), ("a", "## a\n".to_owned())], &names);
        assert!(second.ends_with("## a\n\n## b\n\nnew\n\n## c\n\nkept\n"), "{second}");
        assert_eq!(recorded(&second, &[], &names), second);
    }
}
