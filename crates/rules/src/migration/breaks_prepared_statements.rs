use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint;
use crate::rule::Status;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    status: Status::Preview,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Postgres, "prepared statements are prepared anew there without an error"),
    when: "columns of a table in use are added, dropped, renamed or get another type",
    then: "A prepared `SELECT *` fails with \"cached plan must not change result type\" until it is prepared again.",
    instead: "Name the columns in queries, or let the application prepare anew or reconnect after the migration.",
    remedy: Applicability::Manual,
    source: "reproduced on PostgreSQL 15 and 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let mut told: Vec<&QualifiedName> = Vec::new();
        for judged in &file.statements {
            for change in &judged.statement.changes {
                let (Change::AddColumn { table, .. }
                | Change::DropColumn { table, .. }
                | Change::RenameColumn { table, .. }
                | Change::AlterColumnType { table, .. }) = change
                else {
                    continue;
                };
                let Some(effect) = judged.effect(table) else { continue };
                findings.examined(1);
                if told.contains(&&effect.relation) {
                    continue;
                }
                told.push(&effect.relation);
                let name = &effect.relation;
                let message =
                    format!("A prepared `SELECT *` of `{name}` fails after this change of its columns.");
                findings
                    .add(judged.found(ObjectRef::table(name), message).remedy(Remedy::manual(RULE.instead)));
            }
        }
    }
}
