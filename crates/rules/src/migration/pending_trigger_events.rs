use dbwright_model::catalog::Table;
use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    engines: Engines::only(
        Engine::Postgres,
        "foreign keys are not checked later there, or the table may be changed meanwhile",
    ),
    when: "a table is altered in the transaction that has written rows whose foreign key is still to be checked",
    then: "The server refuses: \"cannot ALTER TABLE because it has pending trigger events\".",
    instead: "Write `SET CONSTRAINTS ALL IMMEDIATE` in front of the `ALTER TABLE`, or commit before it.",
    remedy: Applicability::Manual,
    source: "reproduced on PostgreSQL 15 and 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Some(name) = refused(change) else { return Verdict::Other };
        let Some((line, key)) = pending(&judged, name) else { return Verdict::Fine };
        let message = format!(
            "`{}` is refused: the foreign key `{key}` of `{}` is still to be checked for the rows written in line {line}.",
            lint::verb(judged.statement),
            name.name
        );
        let table = judged.statement.table(name).map_or(name, |table| &table.name);
        let found = judged.found(ObjectRef::table(table), message);
        Verdict::Found(
            found.remedy(Remedy::manual_sql(RULE.instead, [String::from("SET CONSTRAINTS ALL IMMEDIATE")])),
        )
    });
}

/// The table of a change that the server refuses while checks are pending. Names may be changed even then.
fn refused(change: &Change) -> Option<&QualifiedName> {
    match change {
        Change::RenameTable { .. }
        | Change::RenameColumn { .. }
        | Change::RenameConstraint { .. }
        | Change::SetSchema { .. } => None,
        Change::DropTable { name, .. } => Some(name),
        Change::CreateIndex { table, .. }
        | Change::Cluster { table: Some(table), .. }
        | Change::Data { kind: DataKind::Truncate, table: Some(table), .. } => Some(table),
        _ => change.altered(),
    }
}

/// The line of an earlier statement of the transaction whose rows await a check, and the foreign key.
fn pending(judged: &Judged<'_>, name: &QualifiedName) -> Option<(u32, String)> {
    let mut deferred = false;
    let mut pending = None;
    for earlier in judged.chain.earlier_in_transaction(judged.position) {
        for change in &earlier.changes {
            match change {
                Change::SetConstraints { deferred: true, .. } => deferred = true,
                // Single names may leave others pending, but then nothing is sure.
                Change::SetConstraints { deferred: false, .. } => {
                    deferred = false;
                    pending = None;
                }
                Change::Data { kind, table: Some(table), clauses, .. }
                    if lint::same_relation(table, name) =>
                {
                    let key = earlier
                        .table(table)
                        .and_then(|table| awaited(table, *kind, deferred, &clauses.columns));
                    if let Some(key) = key {
                        pending.get_or_insert((earlier.location.line, key));
                    }
                }
                _ => {}
            }
        }
    }
    pending
}

/// The foreign key that is checked only at the end of the transaction after such a statement.
fn awaited(table: &Table, kind: DataKind, deferred: bool, written: &[Name]) -> Option<String> {
    let touches = |columns: &[Name]| match kind {
        DataKind::Insert | DataKind::Copy | DataKind::Merge => true,
        DataKind::Update => columns.iter().any(|column| written.contains(column)),
        _ => false,
    };
    let key = table.foreign_keys.iter().find(|key| {
        key.deferrable && key.enforced && (key.initially_deferred || deferred) && touches(&key.columns)
    })?;
    Some(key.name.as_ref().map_or_else(|| "foreign key".to_owned(), |name| name.to_string()))
}
