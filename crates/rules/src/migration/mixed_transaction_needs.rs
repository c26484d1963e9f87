use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    engines: Engines::only(
        Engine::Postgres,
        "no statement is refused for standing in a transaction there, or DDL commits by itself",
    ),
    when: "a statement that cannot run in a transaction shares its file with others that could",
    then: "The whole file runs without a transaction, and a failure in its middle leaves it half applied.",
    instead: "Put the statement into a file of its own.",
    remedy: Applicability::Manual,
    source: "manuals of migration tools; PostgreSQL manual, CREATE INDEX",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let Some(alone) = file.statements.iter().find(|judged| judged.must_stand_alone()) else { continue };
        findings.examined(1);
        let other = file.statements.iter().find(|judged| {
            !judged.must_stand_alone() && !judged.in_transaction() && changes_something(judged)
        });
        let Some(other) = other.filter(|_| !alone.in_transaction()) else { continue };
        let object = match alone.statement.effects.relations.first() {
            Some(effect) => ObjectRef::table(&effect.relation),
            None => ObjectRef::file(&file.file.name),
        };
        let message = format!(
            "Because of this statement the file runs without a transaction, and the `{}` in line {} is not undone when \
             another statement fails.",
            lint::verb(other.statement),
            other.statement.location.line
        );
        findings.add(alone.found(object, message).remedy(Remedy::manual(RULE.instead)));
    }
}

/// Whether a statement changes something that a second run of it would trip over.
fn changes_something(judged: &Judged<'_>) -> bool {
    judged.statement.changes.iter().any(|change| match change {
        Change::Data { kind, .. } => *kind != DataKind::Select,
        change => lint::changes_schema(change) && lint::guarded(change) != Some(true),
    })
}
