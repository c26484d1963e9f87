use dbwright_model::catalog::{Index, Table};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::columns::is_unique_over;
use crate::index_shape::{columns_of, drop_index, equal_to, is_replica_identity, name_of};
use crate::quantity::size;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Indexing,
    weight: 4,
    wants: &[Fact::IndexStatistics],
    when: "two indexes of a table are the same in everything but the name",
    then: "Every write keeps both, memory holds both, and no query gains from the second.",
    instead: "Drop one of the two.",
    remedy: Applicability::Safe,
    source: "agreement of public linters; pt-duplicate-key-checker",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for index in table.indexes.iter().filter(|index| index.valid && index.visible) {
            findings.examined(1);
            let Some(kept) = equal_to(table, index) else { continue };
            let bytes = context.index_statistics_of(&table.name, &index.name).and_then(|known| known.bytes);
            let found = Found::at(
                ObjectRef::index(&table.name, &index.name),
                format!(
                    "`{}` has two equal indexes on ({}): {} and {}; each write keeps both for the use of one.",
                    table.name,
                    columns_of(index),
                    name_of(kept),
                    name_of(index)
                ),
            )
            .evidence("kept index", &kept.name)
            .evidence_if("size", bytes.map(size));
            findings.add(found.remedy(remedy(context, table, kept, index)));
        }
    }
}

fn remedy(context: &Context<'_>, table: &Table, kept: &Index, index: &Index) -> Remedy {
    if index.backs.is_some() || is_replica_identity(table, index) {
        return Remedy::manual(
            "Drop the constraint that the second index stands behind, unless a foreign key needs it.",
        );
    }
    if may_hold_foreign_key(context, table, index) {
        return Remedy::manual(format!(
            "Drop one of the two, but not the one that a foreign key rests on, which `pg_constraint.conindid` names: `{}` or `{}`.",
            kept.name, index.name
        ));
    }
    if table.clustered_on.as_ref() == Some(&index.name) {
        return Remedy::manual(format!(
            "Drop one of the two, after `CLUSTER` orders the rows by the other: it uses `{}` now.",
            index.name
        ));
    }
    let change = vec![drop_index(context, table, index)];
    match context.engine() {
        Engine::Postgres => Remedy::safe(RULE.instead, change),
        // A query may name an index in a hint there.
        _ => Remedy::review("Drop one of the two, unless a query names it in a hint.", change),
    }
}

/// Whether a foreign key may rest on one of two equal unique indexes, so that the server does not let it go. PostgreSQL takes
/// the first that fits in the order in which they were made, which neither files nor the facts of a catalog tell.
fn may_hold_foreign_key(context: &Context<'_>, table: &Table, index: &Index) -> bool {
    context.engine() == Engine::Postgres
        && context.children(&table.name).iter().any(|(_, key)| is_unique_over(index, &key.referenced_columns))
}
