use dbwright_model::catalog::Persistence;
use dbwright_model::change::{Change, DataClauses, DataKind};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::rule::{OptionSpec, OptionValue};
use crate::server_tables::is_of_the_server;
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
        let Change::Data { kind, table, filtered, clauses } = change else {
            return Verdict::Other;
        };
        // Another rule tells that the server refuses it, or whose rows they are.
        let of_server = |name: &QualifiedName| {
            is_of_the_server(context.engine().dialect(), name) && judged.statement.table(name).is_none()
        };
        if judged.statement.effects.refused.is_some() || table.as_ref().is_some_and(of_server) {
            return Verdict::Fine;
        }
        let rows_of = |table: &QualifiedName| {
            context.statistics_of(&judged.full_name(table)).and_then(|statistics| statistics.rows)
        };
        let few =
            |table: &QualifiedName| rows_of(table).is_some_and(|rows| (rows as f64) < context.number("rows"));
        let verb = match (kind, table) {
            (DataKind::Update, Some(_)) => "UPDATE",
            (DataKind::Delete, Some(_)) => "DELETE",
            (DataKind::Merge, Some(_)) => "MERGE",
            _ => return member(&judged, &clauses.whole, &few),
        };
        let Some(table) = table.as_ref().filter(|table| !clauses.limited && judged.is_in_use(table)) else {
            return member(&judged, &clauses.whole, &few);
        };
        let effect = judged.effect(table);
        let name = effect.map_or(table, |effect| &effect.relation);
        let rows = rows_of(name);
        if few(name) {
            return member(&judged, &clauses.whole, &few);
        }
        // A table of the file's own tells which rows are meant, as a small one does.
        let partner = clauses.joined.as_ref().filter(|other| judged.is_in_use(other) && !few(other));
        let partner = partner.filter(|other| !is_temporary(&judged, other));
        let message = if !*filtered || is_never_null(&judged, table, clauses) {
            format!("`{verb}` works on every row of `{name}` at once.")
        } else if let Some(other) = partner {
            format!("`{verb}` works at once on every row of `{name}` that finds its partner in `{other}`.")
        } else if let Some(column) = fills(&judged, table, clauses) {
            format!("`{verb}` fills the new column `{column}` in every row of `{name}` at once.")
        } else {
            return member(&judged, &clauses.whole, &few);
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

/// What a member of `WITH` does to every row of a table.
fn member(judged: &Judged<'_>, whole: &[QualifiedName], few: &dyn Fn(&QualifiedName) -> bool) -> Verdict {
    let felt =
        |table: &&QualifiedName| judged.is_in_use(table) && !few(table) && !is_temporary(judged, table);
    let Some(table) = whole.iter().find(felt) else { return Verdict::Fine };
    let name = judged.full_name(table);
    let message = format!("A member of `WITH` works on every row of `{name}` at once.");
    Verdict::Found(judged.found(ObjectRef::table(&name), message).remedy(Remedy::manual(RULE.instead)))
}

fn is_temporary(judged: &Judged<'_>, table: &QualifiedName) -> bool {
    judged.statement.table(table).is_some_and(|known| known.persistence == Persistence::Temporary)
}

/// Whether the one condition asks for what every row has: a value of a column that cannot be null.
fn is_never_null(judged: &Judged<'_>, table: &QualifiedName, clauses: &DataClauses) -> bool {
    let known = judged.statement.table(table);
    let column =
        clauses.only_present.as_ref().zip(known).and_then(|(name, table)| table.column(name.as_str()));
    column.is_some_and(|column| column.not_null)
}

/// The column that the same file has added and that the statement fills wherever it is null: everywhere.
fn fills<'a>(judged: &Judged<'_>, table: &QualifiedName, clauses: &'a DataClauses) -> Option<&'a Name> {
    let column = clauses.only_null.as_ref()?;
    judged
        .earlier_in_file()
        .flat_map(|earlier| &earlier.changes)
        .any(|earlier| match earlier {
            Change::AddColumn { table: of, column: added, .. } => {
                lint::same_relation(of, table)
                    && added.name.eq_ignore_case(column.as_str())
                    && added.default.is_none()
                    && added.generated.is_none()
            }
            _ => false,
        })
        .then_some(column)
}
