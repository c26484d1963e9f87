use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Backup,
    weight: 6,
    needs: &[Fact::Archiver, Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no archiver"),
    when: "the archiver's last attempt failed",
    then: "Backups end where archiving stopped, and log piles up until the disk is full.",
    instead: "Run the archive command by hand, repair what it complains about, and watch `pg_stat_archiver`.",
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(300.0),
        help: "seconds since the last success below which a failure is taken as passing; pgMonitor takes 300",
    }],
    source: "pgMonitor; PostgreSQL documentation, continuous archiving",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    match context.settings().get("archive_mode") {
        Some("off") => {
            findings.not_applicable("archiving is off");
            return;
        }
        Some(_) => {}
        None => {
            findings.unknown("the setting `archive_mode` could not be read");
            return;
        }
    }
    findings.examined(1);
    let archiver = context.archiver();
    let Some(failed) = archiver.last_failed else { return };
    if archiver.last_archived.is_some_and(|archived| archived >= failed) {
        return;
    }
    let standing = match (archiver.last_archived, context.source().collected_at) {
        (Some(archived), Some(now)) => {
            now.duration_since(archived).as_secs_f64() >= context.number("seconds")
        }
        _ => true,
    };
    if standing {
        findings.add(
            Found::at(
                ObjectRef::setting("archive_command"),
                "Archiving fails, so backups do not go on from here.",
            )
            .evidence("failures", archiver.failed)
            .evidence("last failure", failed)
            .evidence("last success", archiver.last_archived.map_or("never".to_owned(), |at| at.to_string()))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
