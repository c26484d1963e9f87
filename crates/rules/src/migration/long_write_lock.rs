use std::collections::BTreeSet;

use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, Lock, RelationEffect};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Sqlite, "a table is locked there, and not the database"),
    when: "a statement works through all rows of a table while it holds the one write lock of the file",
    then: "Every other write to the file, whatever its table, waits as long as `busy_timeout` lets it and fails then.",
    instead: "Set `busy_timeout` in every connection to longer than the migration takes, or run it while nobody writes.",
    remedy: Applicability::Manual,
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(1.0),
        help: "seconds that other writers may wait, where the table's size is known",
    }],
    source: "measured on SQLite 3.54; SQLite manual, \"File Locking And Concurrency\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let mut first: Option<(Judged<'_>, RelationEffect, Level)> = None;
        let mut further = BTreeSet::new();
        for judged in &file.statements {
            let Some(effect) = work(judged) else { continue };
            findings.examined(1);
            let size = context.statistics_of(&effect.relation).and_then(|statistics| statistics.table_bytes);
            let seconds = size.and_then(|bytes| effect.cost.expected_seconds(bytes)).map(|(_, most)| most);
            let level = match seconds {
                Some(seconds) if seconds <= context.number("seconds") => continue,
                Some(_) => Level::Warning,
                None => RULE.level,
            };
            match &first {
                None => first = Some((*judged, effect, level)),
                Some(_) => {
                    further.insert(judged.statement.location.line);
                }
            }
        }
        let Some((judged, effect, level)) = first else { continue };
        let name = &effect.relation;
        let message = format!(
            "Every other write to the file waits or fails with \"database is locked\" {} of `{name}`.",
            match effect.cost {
                Cost::Scan | Cost::Brief =>
                    "while `".to_owned() + &lint::verb(judged.statement) + "` reads the rows",
                Cost::IndexBuild => "while an index is built over the rows".to_owned(),
                Cost::Rewrite if judged.effect(name).is_none_or(|own| own.cost != Cost::Rewrite) =>
                    "while the rebuild copies the rows".to_owned(),
                Cost::Rewrite =>
                    "while `".to_owned() + &lint::verb(judged.statement) + "` writes anew the rows",
            }
        );
        let more = (!further.is_empty()).then_some(further.len());
        let found = judged.felt(context, &effect, ObjectRef::table(name), message);
        findings.add(
            found
                .level(level)
                .evidence_if("further statements like it", more)
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

/// The work that a statement does on rows that were there before: its own, or that of a rebuild, whose rows are copied
/// into a table that takes the place of theirs.
fn work(judged: &Judged<'_>) -> Option<RelationEffect> {
    if let Some(effect) = judged.statement.blocking().next() {
        return Some(effect.clone());
    }
    judged.statement.changes.iter().find_map(|change| match change {
        // The old table is moved away, and one of its name is filled from it.
        Change::RenameTable { table, .. }
            if judged.is_in_use(table)
                && lint::changes_of(judged.later_in_file()).any(|later| {
                    matches!(later, Change::CreateTable { table: made, .. } if lint::same_relation(&made.name, table))
                }) =>
        {
            Some(RelationEffect {
                relation: judged.full_name(table),
                lock: Lock::SqliteWrite,
                cost: Cost::Rewrite,
                algorithm: None,
            })
        }
        Change::DropTable { name, .. } if judged.is_in_use(name) && judged.rebuilt(name) => {
            Some(RelationEffect {
                relation: judged.full_name(name),
                lock: Lock::SqliteWrite,
                cost: Cost::Rewrite,
                algorithm: None,
            })
        }
        _ => None,
    })
}
