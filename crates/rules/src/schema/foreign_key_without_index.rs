use std::collections::BTreeSet;

use dbwright_model::catalog::{ForeignKey, Table, TableKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;
use dbwright_model::stats::TableStatistics;

use crate::index_shape::{create_index, finds_children};
use crate::lexicon::is_tool_table;
use crate::{Applies, Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Indexing,
    weight: 8,
    wants: &[Fact::TableStatistics],
    engines: ENGINES,
    when: "no index of the child table begins with the columns of a foreign key",
    then: "Every delete or key change of a parent row scans the whole child table, and joins along the key do too.",
    instead: "Create an index on the referencing columns.",
    remedy: Applicability::Safe,
    source: "agreement of three public linters and the catalog on five public schemas",
    convention: Some("foreign keys have no index"),
    check,
    ..Rule::DEFAULT
};

const ENGINES: Engines = Engines::ALL.except_mysql_family("InnoDB makes the index by itself");

/// Fewer rows are scanned as fast as an index is read.
const WORTH_SAYING: u64 = 1_000;

/// And so is a table of few pages.
const FEW_BYTES: u64 = 131_072;

/// Whether a table is known to have a few rows and no more than a few that came to it. An empty one is about to be filled.
fn is_tiny(statistics: &TableStatistics) -> bool {
    let few = |count: Option<u64>| count.is_none_or(|count| count < WORTH_SAYING);
    statistics.rows.is_some_and(|rows| rows > 0)
        && few(statistics.rows)
        && few(statistics.live_rows)
        && few(statistics.inserts)
        && statistics.table_bytes.is_none_or(|bytes| bytes <= FEW_BYTES)
}

/// Whether a partition has the key from the table that it is a part of, which stands for it.
fn comes_from_above(context: &Context<'_>, table: &Table, key: &ForeignKey) -> bool {
    let TableKind::Partition { of, .. } = &table.kind else { return false };
    context.table(of).is_none_or(|above| {
        above.foreign_keys.iter().any(|other| {
            (&other.columns, &other.references, &other.referenced_columns)
                == (&key.columns, &key.references, &key.referenced_columns)
        })
    })
}

/// The foreign keys that no index serves, each with its table. One stands for all over the same columns.
fn unserved<'a>(
    context: &Context<'a>,
    mut looked_at: impl FnMut(&ForeignKey),
) -> Vec<(&'a Table, &'a ForeignKey)> {
    let mut found = Vec::new();
    let tables = context.catalog().tables.iter();
    for table in tables.filter(|table| table.is_own() && !is_tool_table(table)) {
        let mut seen: Vec<BTreeSet<&Name>> = Vec::new();
        for foreign_key in table.foreign_keys.iter().filter(|key| !comes_from_above(context, table, key)) {
            looked_at(foreign_key);
            if table.indexes.iter().any(|index| finds_children(index, &foreign_key.columns))
                || !can_be_enforced(context, foreign_key)
            {
                continue;
            }
            // One index serves every key over the same columns.
            let columns: BTreeSet<&Name> = foreign_key.columns.iter().collect();
            if !seen.contains(&columns) {
                seen.push(columns);
                found.push((table, foreign_key));
            }
        }
    }
    found
}

/// Whether rows are held to the key at all: SQLite takes one to a table that is not there and then fails every write,
/// which `dangling-foreign-key` reports.
fn can_be_enforced(context: &Context<'_>, key: &ForeignKey) -> bool {
    context.engine() != Engine::Sqlite || context.table(&key.references).is_some()
}

/// Names of the indexes that the remedies make, for other rules that make some.
pub(crate) fn names_of_remedies(context: &Context<'_>) -> BTreeSet<QualifiedName> {
    let mut taken = BTreeSet::new();
    if ENGINES.of(context.engine()) == Applies::Yes {
        for (table, key) in unserved(context, |_| {}) {
            create_index(context, table, &key.columns, &mut taken);
        }
    }
    taken
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut taken = BTreeSet::new();
    for (table, foreign_key) in unserved(context, |_| findings.examined(1)) {
        let columns: BTreeSet<&Name> = foreign_key.columns.iter().collect();
        let same = |key: &&ForeignKey| key.columns.iter().collect::<BTreeSet<_>>() == columns;
        let parents: BTreeSet<String> =
            table.foreign_keys.iter().filter(same).map(|key| format!("`{}`", key.references)).collect();
        let parents: Vec<String> = parents.into_iter().collect();
        let mut found = Found::at(
            ObjectRef::columns(&table.name, &foreign_key.columns),
            format!(
                "No index covers the foreign key `{}` ({}) to {}: each delete there scans `{}`.",
                table.name,
                join(&foreign_key.columns),
                parents.join(" and "),
                table.name
            ),
        )
        .remedy(Remedy::safe(RULE.instead, create_index(context, table, &foreign_key.columns, &mut taken)));
        if let Some(statistics) = context.statistics_of(&table.name) {
            if is_tiny(statistics) {
                found = found.level(Level::Note).evidence_if("rows", statistics.rows);
            }
            found = found
                .evidence_if("rows scanned per delete", statistics.rows.filter(|rows| *rows >= WORTH_SAYING))
                .evidence_if("sequential scans so far", statistics.sequential_scans);
        }
        findings.add(found);
    }
}
