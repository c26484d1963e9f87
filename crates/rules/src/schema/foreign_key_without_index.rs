use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::index_shape::{create_index, finds_children};
use crate::{Context, Engines, Findings, Found, Rule};

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

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for foreign_key in &table.foreign_keys {
            findings.examined(1);
            if table.indexes.iter().any(|index| finds_children(index, &foreign_key.columns)) {
                continue;
            }
            let columns = join(&foreign_key.columns);
            let mut found = Found::at(
                ObjectRef::columns(&table.name, &foreign_key.columns),
                format!(
                    "No index covers the foreign key `{}` ({columns}) to `{}`: each delete there scans `{}`.",
                    table.name, foreign_key.references, table.name
                ),
            )
            .remedy(Remedy::safe(RULE.instead, create_index(context, table, &foreign_key.columns)));
            if let Some(statistics) = context.statistics_of(&table.name) {
                found = found
                    .evidence_if(
                        "rows scanned per delete",
                        statistics.rows.filter(|rows| *rows >= WORTH_SAYING),
                    )
                    .evidence_if("sequential scans so far", statistics.sequential_scans);
            }
            findings.add(found);
        }
    }
}
