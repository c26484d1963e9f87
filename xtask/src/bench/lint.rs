//! How fast a long history of migrations is linted, beside `squawk` in the same run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::child::{Usage, best};
use super::{BenchOptions, Measured, Measurement, root};

/// Files.
const FILES: usize = 2_000;
/// Bytes of all files, roughly: the rest of each is filled up with comments and rows.
const BYTES: usize = 2_000_000;
/// Runs of each program; the quickest counts.
const RUNS: usize = 5;

/// Measures `dbwright migrate lint` and `squawk`.
pub fn run(binary: &Path, _options: &BenchOptions) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let migrations = folder.path().join("migrations");
    let (statements, bytes) = write(&migrations)?;
    let own = best(RUNS, &[0, 1], || {
        let mut command = on_two_cores(binary);
        command.current_dir(folder.path());
        command.args(["migrate", "lint", "migrations", "--engine", "postgres", "--format", "json"]);
        command
    })?;
    let wall = own.wall.as_secs_f64();
    let peak = own.peak as f64 / 1e6;
    let mut rows = vec![
        Measurement::new("`dbwright migrate lint`", format!("{wall:.2} s"))
            .aimed("at most 1.0 s", wall <= 1.0),
        Measurement::new("its peak memory", format!("{peak:.0} MB")).at_most(
            "at most 60 MB",
            peak,
            60.0,
            0.5,
        ),
        Measurement::new("its time of the processor", format!("{:.2} s", own.processor.as_secs_f64())),
    ];
    let mut notes = Vec::new();
    match peer(&migrations, folder.path()) {
        Ok((version, usage)) => {
            let ratio = wall / usage.wall.as_secs_f64();
            rows.extend([
                Measurement::new(format!("`{version}`"), format!("{:.2} s", usage.wall.as_secs_f64())),
                Measurement::new("its peak memory", format!("{:.0} MB", usage.peak as f64 / 1e6)),
                Measurement::new("our time by its time", format!("{ratio:.2}")).at_most(
                    "at most 1",
                    ratio,
                    1.0,
                    0.25,
                ),
            ]);
        }
        Err(error) => notes.push(format!("squawk could not be had: {error:#}.")),
    }
    Ok(Measured {
        name: "lint",
        about: format!(
            "`dbwright migrate lint migrations --engine postgres --format json` of {FILES} files: {:.1} MB, {statements} \
             statements, on at most two cores; the quickest of {RUNS} runs.",
            bytes as f64 / 1e6
        ),
        rows,
        notes,
    })
}

/// A program that may run on two processors only.
fn on_two_cores(program: &Path) -> Command {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores <= 2 {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0,1"]).arg(program);
    command
}

/// Version and usage of squawk, which is installed into a folder of its own when it is not there.
fn peer(migrations: &Path, folder: &Path) -> anyhow::Result<(String, Usage)> {
    let program = installed()?;
    let version = Command::new(&program).arg("--version").output().context("`squawk --version`")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(migrations)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    let usage = best(RUNS, &[0, 1], || {
        let mut command = on_two_cores(&program);
        command.current_dir(folder).args(["--reporter", "json"]).args(&files);
        command
    })?;
    // One that gives up at once has measured nothing.
    if usage.wall.as_secs_f64() < 0.05 {
        bail!("it ended after {:.3} s", usage.wall.as_secs_f64());
    }
    Ok((version, usage))
}

fn installed() -> anyhow::Result<PathBuf> {
    let environment = root()?.join("target/bench/squawk");
    let program = environment.join("bin/squawk");
    if program.is_file() {
        return Ok(program);
    }
    eprintln!("installing squawk-cli from PyPI into {}", environment.display());
    run_quietly(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut install = Command::new(environment.join("bin/pip"));
    run_quietly(install.args(["install", "--quiet", "--disable-pip-version-check", "squawk-cli"]))?;
    if !program.is_file() {
        bail!("`squawk-cli` brought no program `squawk`");
    }
    Ok(program)
}

fn run_quietly(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{}", complaint.lines().last().unwrap_or("it failed without a word"));
    }
    Ok(())
}

/// Writes the files; says how many statements and bytes they hold.
pub(super) fn write(folder: &Path) -> anyhow::Result<(usize, usize)> {
    std::fs::create_dir_all(folder)?;
    let (mut statements, mut bytes) = (0, 0);
    let mut dice = Dice(1);
    for number in 0..FILES {
        let (word, text, count) = migration(number, &mut dice);
        std::fs::write(folder.join(format!("{:05}_{word}.sql", number + 1)), &text)?;
        statements += count;
        bytes += text.len();
    }
    Ok((statements, bytes))
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX constants; the upper bits are the better ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// One migration: a word for its name, its text and how many statements it has.
fn migration(number: usize, dice: &mut Dice) -> (&'static str, String, usize) {
    // Every fifth file makes a table, so that there are some to change.
    let made = number / 5 + 1;
    let t = format!("thing_{}", dice.below(made));
    let parent = format!("thing_{}", dice.below(made));
    let c = format!("column_{number}");
    let (word, mut body): (_, Vec<String>) = match number % 5 {
        0 => {
            let t = format!("thing_{}", number / 5);
            let mut body = vec![
                format!(
                    "CREATE TABLE {t} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
                     parent_id bigint NOT NULL,\n    name varchar(200) NOT NULL,\n    \
                     state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'open', 'done')),\n    \
                     price numeric(12, 2) NOT NULL DEFAULT 0,\n    quantity integer,\n    \
                     created_at timestamptz NOT NULL DEFAULT now(),\n    updated_at timestamp,\n    \
                     details jsonb,\n    CONSTRAINT {t}_price_positive CHECK (price >= 0)\n)"
                ),
                format!("CREATE INDEX {t}_parent ON {t} (parent_id)"),
                format!("CREATE INDEX {t}_open ON {t} (created_at DESC) WHERE state = 'open'"),
                format!("COMMENT ON TABLE {t} IS 'Things of one kind, as the source said it.'"),
            ];
            if number > 0 {
                body.push(format!(
                    "ALTER TABLE {t} ADD CONSTRAINT {t}_parent_fk FOREIGN KEY (parent_id) REFERENCES {parent} (id)"
                ));
            }
            ("create_thing", body)
        }
        _ => changes(dice, &t, &parent, &c, number),
    };
    // Half of the authors know that waiting for a lock is dangerous.
    if dice.below(2) == 0 {
        body.insert(0, "SET lock_timeout = '5s'".to_owned());
    }
    let count = body.len();
    let mut text = format!("-- Migration {} of the shop: {word}.\n\n", number + 1);
    for statement in body {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{statement};\n");
    }
    let mut rows = 0;
    while text.len() < BYTES / FILES {
        text.push_str(if rows == 0 {
            "INSERT INTO thing_0 (parent_id, name, price) VALUES\n    "
        } else {
            ",\n    "
        });
        let _ = write!(
            text,
            "({}, 'the {rows}. thing of migration {number}', {}.50)",
            1 + rows % 3,
            dice.below(900)
        );
        rows += 1;
    }
    if rows > 0 {
        text.push_str(";\n");
    }
    (word, text, count + usize::from(rows > 0))
}

/// What a later migration does to tables that are there: harmless and harmful things as they are found in projects.
fn changes(dice: &mut Dice, t: &str, parent: &str, c: &str, number: usize) -> (&'static str, Vec<String>) {
    let one = |word, statement: String| (word, vec![statement]);
    match dice.below(20) {
        0 | 1 => one("add_column", format!("ALTER TABLE {t} ADD COLUMN {c} text")),
        2 => one("add_flag", format!("ALTER TABLE {t} ADD COLUMN {c} boolean NOT NULL DEFAULT false")),
        3 => {
            one("add_key", format!("ALTER TABLE {t} ADD COLUMN {c} uuid NOT NULL DEFAULT gen_random_uuid()"))
        }
        4 => one("add_index", format!("CREATE INDEX {c}_index ON {t} (name, price)")),
        5 => one(
            "add_index_online",
            format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {c}_index ON {t} (updated_at)"),
        ),
        6 => one(
            "add_reference",
            format!("ALTER TABLE {t} ADD CONSTRAINT {c}_fk FOREIGN KEY (quantity) REFERENCES {parent} (id)"),
        ),
        7 => (
            "add_reference_online",
            vec![
                format!(
                    "ALTER TABLE {t} ADD CONSTRAINT {c}_fk FOREIGN KEY (parent_id) REFERENCES {parent} (id) NOT VALID"
                ),
                format!("ALTER TABLE {t} VALIDATE CONSTRAINT {c}_fk"),
            ],
        ),
        8 => one("require_quantity", format!("ALTER TABLE {t} ALTER COLUMN quantity SET NOT NULL")),
        9 => one("widen_quantity", format!("ALTER TABLE {t} ALTER COLUMN quantity TYPE bigint")),
        10 => one("lengthen_name", format!("ALTER TABLE {t} ALTER COLUMN name TYPE varchar(400)")),
        11 => one("check_quantity", format!("ALTER TABLE {t} ADD CONSTRAINT {c}_check CHECK (quantity > 0)")),
        12 => one("unique_name", format!("ALTER TABLE {t} ADD CONSTRAINT {c}_key UNIQUE (name, parent_id)")),
        13 => (
            "backfill",
            vec![
                format!("ALTER TABLE {t} ADD COLUMN {c} integer"),
                format!("UPDATE {t} SET {c} = quantity WHERE {c} IS NULL"),
                format!("ALTER TABLE {t} ALTER COLUMN {c} SET NOT NULL"),
            ],
        ),
        14 => one("rename_details", format!("ALTER TABLE {t} RENAME COLUMN details TO {c}")),
        15 => one("drop_details", format!("ALTER TABLE {t} DROP COLUMN IF EXISTS details")),
        16 => one(
            "add_view",
            format!(
                "CREATE VIEW {c}_view AS SELECT a.id, a.name, b.state FROM {t} a JOIN {parent} b ON b.id = a.parent_id"
            ),
        ),
        17 => (
            "add_trigger",
            vec![
                format!(
                    "CREATE FUNCTION {c}_touch() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    \
                     NEW.updated_at := now();\n    RETURN NEW;\nEND\n$$"
                ),
                format!(
                    "CREATE TRIGGER {c}_trigger BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION {c}_touch()"
                ),
            ],
        ),
        18 => (
            "add_kind",
            vec![
                format!("CREATE TYPE kind_{number} AS ENUM ('one', 'two')"),
                format!("ALTER TABLE {t} ADD COLUMN {c} kind_{number}"),
            ],
        ),
        _ => one(
            "repair",
            format!(
                "DO $$\nBEGIN\n    UPDATE {t} SET state = 'done' WHERE state = 'open' AND price = 0;\nEND\n$$"
            ),
        ),
    }
}
