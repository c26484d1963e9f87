use dbwright_model::catalog::TableKind;
use dbwright_model::change::{Change, OnlineClauses};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "an index is dropped in an instant there, or nobody else can write anyway",
    ),
    when: "an index of a table in use is dropped without `CONCURRENTLY`",
    then: "The drop waits for every transaction that uses the table, and everybody else waits behind it.",
    instead: "Drop it with `DROP INDEX CONCURRENTLY`, by itself and outside of a transaction.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, DROP INDEX; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropIndex { index, concurrently: false, if_exists, .. } = change else {
            return Verdict::Other;
        };
        let has_it = |other: &dbwright_model::catalog::Index| other.name == index.name;
        let table = judged.statement.tables.iter().find(|table| table.indexes.iter().any(has_it));
        let Some(table) = table else {
            let absent = judged.chain.starts_known && *if_exists;
            let Some(effect) = judged.effect(index).filter(|_| !absent && !judged.is_new(index)) else {
                return Verdict::Fine;
            };
            let message = format!("Dropping the index `{index}` makes reads and writes of its table wait.");
            let found = judged.felt(context, effect, ObjectRef::table(index), message);
            return Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![concurrent(index)])));
        };
        // The server drops the index of a partitioned table in no other way.
        let partitioned = matches!(table.kind, TableKind::Partitioned { .. });
        let Some(effect) = judged.effect(&table.name).filter(|_| !partitioned) else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!("Dropping the index `{}` makes reads and writes of `{name}` wait.", index.name);
        let found = judged.felt(context, effect, ObjectRef::index(name, &index.name), message);
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![concurrent(index)])))
    });
}

fn concurrent(index: &QualifiedName) -> Change {
    Change::DropIndex {
        table: None,
        index: index.clone(),
        concurrently: true,
        if_exists: false,
        cascade: false,
        online: OnlineClauses::default(),
    }
}
