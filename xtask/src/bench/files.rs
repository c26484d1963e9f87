//! How fast a large file of DDL is judged, beside a parser and a linter that are installed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::child::{Usage, best};
use super::{BenchOptions, Measured, Measurement};

/// Size of the file.
const BYTES: usize = 20_000_000;

/// Measures `dbwright review` and the peers that are there.
pub fn run(binary: &Path, _options: &BenchOptions) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("schema.sql");
    let (text, tables) = ddl(BYTES);
    std::fs::write(&file, &text)?;
    let megabytes = text.len() as f64 / 1e6;
    drop(text);
    let own = best(2, &[0, 1], || {
        let mut command = Command::new(binary);
        command.current_dir(folder.path());
        command.args(["review", "schema.sql", "--engine", "postgres", "--format", "json"]);
        command
    })?;
    let speed = |usage: Usage| megabytes / usage.wall.as_secs_f64();
    let mut rows = vec![
        Measurement::new("`dbwright review`", format!("{:.1} MB/s", speed(own)))
            .aimed("at least 1 MB/s", speed(own) >= 1.0),
        Measurement::new("its time", format!("{:.2} s", own.wall.as_secs_f64())),
        Measurement::new("its peak memory", format!("{:.0} MB", own.peak as f64 / 1e6)),
    ];
    let mut notes = Vec::new();
    let python = "import sys, sqlglot; sqlglot.parse(open(sys.argv[1]).read(), dialect='postgres')";
    let peers: [(&str, &str, Vec<&str>); 2] =
        [("sqlglot, parsing only", "python3", vec!["-c", python]), ("squawk, linting", "squawk", Vec::new())];
    for (name, program, arguments) in peers {
        let ran = best(1, &[0, 1], || {
            let mut command = Command::new(program);
            command.args(&arguments).arg(&file);
            command
        });
        // A peer that is not there fails at once.
        match ran {
            Ok(usage) if usage.wall.as_secs_f64() > 0.3 => {
                let ratio = usage.wall.as_secs_f64() / own.wall.as_secs_f64();
                rows.push(Measurement::new(
                    format!("{name}: its time"),
                    format!("{:.2} s", usage.wall.as_secs_f64()),
                ));
                rows.push(Measurement::new(format!("{name}: times as long"), format!("{ratio:.2}")));
                rows.push(Measurement::new(
                    format!("{name}: peak memory"),
                    format!("{:.0} MB", usage.peak as f64 / 1e6),
                ));
            }
            _ => notes.push(format!("{name}: not installed here.")),
        }
    }
    Ok(Measured {
        name: "files",
        about: format!(
            "`dbwright review schema.sql --engine postgres --format json` of one file: {megabytes:.0} MB, {tables} tables with their indexes, keys and comments."
        ),
        rows,
        notes,
    })
}

/// DDL of about a size, and how many tables it makes.
fn ddl(bytes: usize) -> (String, usize) {
    let mut text = String::with_capacity(bytes + 2_000);
    let mut tables = 0;
    while text.len() < bytes {
        let parent = tables / 2;
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "create table area_{area}.thing_{tables} (\n    \
                 id bigint generated always as identity primary key,\n    \
                 parent_id bigint not null,\n    \
                 name varchar(200) not null,\n    \
                 state text not null default 'new' check (state in ('new', 'open', 'done')),\n    \
                 price numeric(12, 2) not null default 0,\n    \
                 created_at timestamptz not null default now(),\n    \
                 updated_at timestamp,\n    \
                 details jsonb,\n    \
                 constraint thing_{tables}_price_positive check (price >= 0)\n);\n\
             create index thing_{tables}_parent on area_{area}.thing_{tables} (parent_id);\n\
             create index thing_{tables}_open on area_{area}.thing_{tables} (created_at desc) where state = 'open';\n\
             alter table area_{area}.thing_{tables} add constraint thing_{tables}_parent_fk\n    \
                 foreign key (parent_id) references area_{parent_area}.thing_{parent} (id) on delete cascade;\n\
             comment on column area_{area}.thing_{tables}.details is 'Whatever the source said, as it said it.';\n\n",
            area = tables % 50,
            parent_area = parent % 50,
        );
        tables += 1;
    }
    (text, tables)
}
