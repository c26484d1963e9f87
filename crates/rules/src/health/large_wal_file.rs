use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::size;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 3,
    needs: &[Fact::Storage],
    engines: Engines::only(Engine::Sqlite, "its log is bounded by settings"),
    when: "the `-wal` file has grown far beyond the size at which it is copied back",
    then: "A reader that never ends keeps it from being reset; reads get slower as it grows.",
    instead: "End the long reader, then run `PRAGMA wal_checkpoint(TRUNCATE)`.",
    options: &[OptionSpec {
        name: "mb",
        default: OptionValue::Number(64.0),
        help: "megabytes of the -wal file; by default SQLite copies it back at about 4",
    }],
    source: "SQLite documentation, write-ahead logging: checkpoint starvation",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let storage = context.storage();
    findings.examined(1);
    if (storage.wal_bytes as f64) < context.number("mb") * 1_048_576.0 {
        return;
    }
    findings.add(
        Found::at(
            ObjectRef::database(&context.database()),
            format!("The `-wal` file has grown to {}.", size(storage.wal_bytes)),
        )
        .evidence("database file", size(storage.page_size * storage.page_count))
        .remedy(Remedy::manual(RULE.instead)),
    );
}
