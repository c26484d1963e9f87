use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 1,
    needs: &[Fact::Storage],
    engines: Engines::only(Engine::Sqlite, "it always keeps a log"),
    when: "the database keeps a rollback journal rather than a write-ahead log, or none at all",
    then: "A writer locks out all readers while it commits; without a journal on disk a crash damages the file.",
    instead: "Set `PRAGMA journal_mode = WAL` if several connections use the database.",
    source: "SQLite documentation, write-ahead logging and PRAGMA journal_mode",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mode = context.storage().journal_mode.as_str().to_ascii_lowercase();
    if mode.is_empty() {
        findings.unknown("the journal mode could not be read");
        return;
    }
    findings.examined(1);
    let (level, message) = match mode.as_str() {
        "wal" => return,
        "off" | "memory" => {
            (Level::Warning, "The journal is not on disk, so a crash during a write damages the file.")
        }
        _ => (
            Level::Note,
            "The database keeps a rollback journal, so readers and writers lock each other out.",
        ),
    };
    findings.add(
        Found::at(ObjectRef::database(&context.database()), message)
            .level(level)
            .evidence("journal_mode", mode)
            .remedy(Remedy::manual(RULE.instead)),
    );
}
