use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Backup,
    weight: 5,
    needs: &[Fact::Settings],
    wants: &[Fact::Replication],
    engines: Engines::only(Engine::Postgres, "see `settings/binlog-off`"),
    when: "the server archives no write-ahead log, and nothing streams it away",
    then: "A restore ends at the last full backup: what was written since is lost.",
    instead: "Set up archiving with pgBackRest, WAL-G or Barman, or run `pg_receivewal`.",
    source: "PostgreSQL documentation, continuous archiving and point-in-time recovery",
    check,
    ..Rule::DEFAULT
};

/// Programs that receive the log to keep it.
const RECEIVERS: &[&str] = &["barman", "pg_receivewal", "receivewal", "wal-g"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let Some(mode) = settings.get("archive_mode") else {
        findings.unknown("the setting `archive_mode` could not be read");
        return;
    };
    findings.examined(1);
    let replication = context.facts_if_known(Fact::Replication).replication.known();
    let received = replication.is_some_and(|replication| {
        replication.senders.iter().any(|sender| {
            let name = sender.name.as_str().to_ascii_lowercase();
            RECEIVERS.iter().any(|receiver| name.contains(receiver))
        })
    });
    if received {
        return;
    }
    let no_command = mode != "off"
        && settings
            .get("archive_command")
            .is_some_and(|command| command.is_empty() || command == "(disabled)")
        && settings.get("archive_library").is_none_or(str::is_empty);
    let message = if mode == "off" {
        "No write-ahead log is archived, so what was written since the last backup cannot be restored."
    } else if no_command {
        "Archiving is on without a command, so log piles up and none is archived."
    } else {
        return;
    };
    findings.add(
        Found::at(ObjectRef::setting("archive_mode"), message)
            .evidence("archive_mode", mode)
            .evidence_if("wal_level", settings.get("wal_level"))
            .remedy(Remedy::manual(RULE.instead)),
    );
}
