use dbwright_model::catalog::Persistence;
use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: &[Fact::Catalog, Fact::Triggers],
    engines: Engines::only(
        Engine::Postgres,
        "foreign keys are no triggers there; `migration/foreign-key-added-unchecked` tells of `foreign_key_checks`",
    ),
    when: "rows are written while foreign keys and triggers are switched off, or they are left so",
    then: "Rows without a parent are taken, and nothing ever looks for them: the constraint still counts as valid.",
    instead: "Write the rows in an order that the foreign keys allow, or make the keys `DEFERRABLE` and defer them for the transaction.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, ALTER TABLE, \"DISABLE TRIGGER\"; \"session_replication_role\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // The file whose writes under the role of a replica were told: once is enough.
    let mut told = None;
    for judged in lint::statements(context) {
        for change in &judged.statement.changes {
            let found = match change {
                Change::SetTriggerEnabled { table, trigger: None, user: false, enabled: false, .. } => {
                    findings.examined(1);
                    disabled(context, &judged, table)
                }
                Change::Data { kind, table: Some(table), .. } if writes(kind) && is_replica(&judged) => {
                    findings.examined(1);
                    Some(judged.statement.file)
                        .filter(|file| told != Some(*file))
                        .and_then(|_| written(context, &judged, table))
                        .inspect(|_| told = Some(judged.statement.file))
                }
                _ => None,
            };
            if let Some(found) = found {
                findings.add(found.remedy(Remedy::manual(RULE.instead)));
            }
        }
    }
}

fn writes(kind: &DataKind) -> bool {
    matches!(kind, DataKind::Insert | DataKind::Update | DataKind::Delete | DataKind::Merge | DataKind::Copy)
}

fn is_replica(judged: &Judged<'_>) -> bool {
    let role = judged.statement.setting("session_replication_role");
    role.is_some_and(|role| role.trim_matches('\'').eq_ignore_ascii_case("replica"))
}

fn disabled(context: &Context<'_>, judged: &Judged<'_>, table: &QualifiedName) -> Option<Found> {
    if !judged.is_in_use(table) || judged.is_absent(table) || !may_be_checked(context, judged, table) {
        return None;
    }
    let name = judged.full_name(table);
    let enabled = judged.later_in_file().position(|later| {
        later.changes.iter().any(|change| {
            matches!(change, Change::SetTriggerEnabled { table: other, trigger: None, enabled: true, .. }
                if lint::same_relation(other, table))
        })
    });
    let message = match enabled {
        None => format!(
            "Foreign keys of `{name}`, those that refer to it and its triggers are off from then on, for everybody."
        ),
        Some(end) => {
            let between = || judged.later_in_file().take(end).flat_map(|later| &later.changes);
            let writes_it = between().any(|change| match change {
                Change::Data { kind, table: Some(other), clauses, .. } => {
                    (writes(kind) && lint::same_relation(other, table))
                        || clauses.also.iter().any(|other| lint::same_relation(other, table))
                }
                Change::Procedural { .. } => true,
                _ => false,
            });
            if !writes_it {
                return None;
            }
            format!(
                "Rows of `{name}` are written while its foreign keys and triggers are off, and never checked."
            )
        }
    };
    Some(judged.found(ObjectRef::table(&name), message))
}

fn written(context: &Context<'_>, judged: &Judged<'_>, table: &QualifiedName) -> Option<Found> {
    let temporary =
        judged.statement.table(table).is_some_and(|known| known.persistence == Persistence::Temporary);
    if temporary || judged.is_absent(table) || !may_be_checked(context, judged, table) {
        return None;
    }
    let name = judged.full_name(table);
    let message = format!(
        "Rows of `{name}` are written as a replica writes them: no foreign key is checked and no trigger fires."
    );
    Some(judged.found(ObjectRef::table(&name), message))
}

/// Whether foreign keys or triggers may hang on a table: unless all that is known says no.
fn may_be_checked(context: &Context<'_>, judged: &Judged<'_>, table: &QualifiedName) -> bool {
    let Some(known) = judged.statement.table(table) else { return true };
    let catalog = context.facts_if_known(Fact::Catalog).catalog.known();
    let Some(catalog) = catalog.filter(|_| judged.chain.starts_known) else { return true };
    let Some(triggers) = catalog.triggers.known() else { return true };
    let refers = |change: &Change| match change {
        Change::AddForeignKey { table: other, foreign_key, .. } => {
            lint::same_relation(other, table) || lint::same_relation(&foreign_key.references, table)
        }
        Change::CreateTable { table: made, .. } => {
            made.foreign_keys.iter().any(|key| lint::same_relation(&key.references, table))
        }
        Change::CreateTrigger { trigger, .. } => lint::same_relation(&trigger.table, table),
        _ => false,
    };
    !known.foreign_keys.is_empty()
        || triggers.iter().any(|trigger| lint::same_relation(&trigger.table, &known.name))
        || catalog
            .tables
            .iter()
            .flat_map(|other| &other.foreign_keys)
            .any(|key| lint::same_relation(&key.references, &known.name))
        || lint::changes(judged.earlier()).any(refers)
}
