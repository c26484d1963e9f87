use dbwright_model::change::Change;
use dbwright_model::effect::Cost;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 8,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "the probe of ALGORITHM and LOCK tells it there, or the table has to be rebuilt",
    ),
    when: "a column's type changes in a way that rewrites the table, rebuilds its indexes or reads all rows",
    then: "Nobody reads or writes the table until the last row is converted.",
    instead: "Add a column of the new type, keep it in step with a trigger, fill it in batches, and swap the two.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 13 to 18 for every pair of common types",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        if let Change::SetExpression { table, column, .. } = change {
            let Some(effect) = judged.blocking(table) else { return Verdict::Fine };
            let name = &effect.relation;
            let message =
                format!("`{name}.{column}` is computed anew for every row while reads and writes wait.");
            let found = judged.felt(context, effect, ObjectRef::column(name, column), message);
            return Verdict::Found(found.remedy(Remedy::manual(
                "Add a column with the new expression kept by a trigger, fill it in batches, and swap the two.",
            )));
        }
        if let Change::AlterAttributeType { name, attribute, to, cascade: true, .. } = change {
            let Some(effect) = judged.statement.blocking().next() else { return Verdict::Fine };
            let table = &effect.relation;
            let message = format!(
                "Changing `{attribute}` of the type `{name}` to {} rewrites `{table}`, a table of that type, while {} wait.",
                to.text,
                lint::waiting(effect)
            );
            let found = judged.felt(context, effect, ObjectRef::table(table), message);
            return Verdict::Found(found.remedy(Remedy::manual(
                "Add an attribute of the new type with `CASCADE`, fill it in the tables in batches, and drop the old one.",
            )));
        }
        let Change::AlterColumnType { table, column, to, .. } = change else { return Verdict::Other };
        let Some((name, effect)) = judged.blocking_tree(table) else { return Verdict::Fine };
        let old = judged.statement.table(table).and_then(|table| table.column(column.as_str()));
        let from = old.map(|column| format!("from {} ", column.data_type.text)).unwrap_or_default();
        let work = match effect.cost {
            Cost::Rewrite => "rewrites the table",
            Cost::IndexBuild => "builds its indexes anew",
            Cost::Scan | Cost::Brief => "checks every row again",
        };
        let message =
            format!("Changing `{name}.{column}` {from}to {} {work} while reads and writes wait.", to.text);
        let summary = match effect.cost {
            Cost::Rewrite => RULE.instead,
            Cost::IndexBuild => {
                "Build an index for the new type concurrently on a new column, or change the type while nobody works."
            }
            Cost::Scan | Cost::Brief => {
                "Drop the check, change the type, add the check `NOT VALID`, and validate it in a transaction of its own."
            }
        };
        let others: Vec<String> = judged
            .statement
            .felt()
            .filter(|other| other.relation != *name)
            .map(|other| other.relation.to_string())
            .collect();
        let found = judged.felt(context, effect, ObjectRef::column(name, column), message);
        let found = if others.is_empty() { found } else { found.evidence("also locked", others.join(", ")) };
        Verdict::Found(found.remedy(Remedy::manual(summary)))
    });
}
