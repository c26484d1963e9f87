use dbwright_model::change::{Change, DataKind};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Rule, quantity};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::servers("the file has one writer at a time, and a batch is no shorter for it"),
    when: "one `UPDATE` or `DELETE` works on every row of a table in use",
    then: "Every row stays locked until the statement is committed, and replicas fall behind by as much.",
    instead: "Work in batches along the primary key, each committed by itself.",
    remedy: Applicability::Manual,
    options: &[OptionSpec {
        name: "rows",
        default: OptionValue::Number(10_000.0),
        help: "rows that are changed at once without harm, where the size of the table is known",
    }],
    source: "common practice of zero-downtime migrations",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::Data { kind, table: Some(table), filtered, clauses } = change else {
            return Verdict::Other;
        };
        let verb = match kind {
            DataKind::Update => "UPDATE",
            DataKind::Delete => "DELETE",
            _ => return Verdict::Other,
        };
        if clauses.limited || !judged.is_in_use(table) {
            return Verdict::Fine;
        }
        let effect = judged.effect(table);
        let name = effect.map_or(table, |effect| &effect.relation);
        let rows = context.statistics_of(name).and_then(|statistics| statistics.rows);
        if rows.is_some_and(|rows| (rows as f64) < context.number("rows")) {
            return Verdict::Fine;
        }
        let message = if !*filtered {
            format!("`{verb}` works on every row of `{name}` at once.")
        } else if let Some(column) = fills(&judged, change) {
            format!("`{verb}` fills the new column `{column}` in every row of `{name}` at once.")
        } else {
            return Verdict::Fine;
        };
        let found = judged
            .found(ObjectRef::table(name), message)
            .evidence_if("rows", rows.map(quantity::grouped))
            .remedy(Remedy::manual(match kind {
                DataKind::Delete => {
                    "Delete in batches along the primary key, or empty the table with `TRUNCATE` if nobody reads it."
                }
                _ => RULE.instead,
            }));
        Verdict::Found(found)
    });
}

/// The column that the same file has added and that the statement fills wherever it is null: everywhere.
fn fills(judged: &Judged<'_>, change: &Change) -> Option<String> {
    let Change::Data { table: Some(table), .. } = change else { return None };
    let words: Vec<String> =
        judged.statement.sql.split_whitespace().map(|word| word.to_ascii_lowercase()).collect();
    let text = words.join(" ");
    let condition = text.rsplit_once(" where ")?.1.trim_end_matches(';').replace(['"', '`'], "");
    let column = condition.strip_suffix(" is null")?.rsplit('.').next()?.to_owned();
    judged
        .earlier_in_file()
        .flat_map(|earlier| &earlier.changes)
        .any(|earlier| match earlier {
            Change::AddColumn { table: of, column: added, .. } => {
                lint::same_relation(of, table)
                    && added.name.eq_ignore_case(&column)
                    && added.default.is_none()
                    && added.generated.is_none()
            }
            _ => false,
        })
        .then_some(column)
}
