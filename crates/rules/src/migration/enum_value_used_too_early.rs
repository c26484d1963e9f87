use dbwright_model::catalog::Table;
use dbwright_model::chain::ChainStatement;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "values of an enum are part of the column there and usable at once",
    ),
    when: "a new value of an enum is used in the transaction that adds it",
    then: "The server refuses to use the value before the transaction is committed, and the migration fails.",
    instead: "Add the value in a migration of its own and use it in the next.",
    source: "measured on PostgreSQL 13 to 18: unsafe use of new value",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddEnumValue { name, value, .. } = change else { return Verdict::Other };
        let makes = |earlier: &ChainStatement| {
            earlier.changes.iter().any(
                |change| matches!(change, Change::CreateType { user_type } if user_type.name.name == name.name),
            )
        };
        // A type that the same transaction has made may be used at once.
        if judged.chain.earlier_in_transaction(judged.position).any(makes) {
            return Verdict::Fine;
        }
        let literal = format!("'{}'", value.replace('\'', "''"));
        let user = judged.later_in_transaction().find(|later| {
            later.sql.contains(&literal) && later.changes.iter().any(reads_literals) && may_mean(later, name)
        });
        let Some(user) = user else { return Verdict::Fine };
        let message = format!("`{value}` is added to `{name}` and used before that is committed.");
        let found = judged.found(ObjectRef::user_type(name), message);
        let found = found.evidence("used at", format!("line {}", user.location.line));
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}

/// Whether the server makes values of a statement's literals when it runs it. Bodies of functions are read later.
fn reads_literals(change: &Change) -> bool {
    matches!(
        change,
        Change::Data { .. }
            | Change::AddColumn { .. }
            | Change::SetDefault { .. }
            | Change::AddCheck { .. }
            | Change::AlterColumnType { .. }
            | Change::CreateIndex { .. }
            | Change::CreateTable { .. }
            | Change::CreateTableAs { .. }
            | Change::CreateView { .. }
            | Change::CreatePolicy { .. }
    )
}

/// Whether a literal of a statement may be of a type: a table that it touches has it, or it names it, or nothing is known.
fn may_mean(statement: &ChainStatement, user_type: &QualifiedName) -> bool {
    let of_type = |table: &Table| {
        table
            .columns
            .iter()
            .any(|column| column.data_type.user_type.as_ref().is_some_and(|name| name.name == user_type.name))
    };
    statement.tables.is_empty()
        || statement.tables.iter().any(|table| of_type(table))
        || statement.sql.contains(user_type.name.as_str())
}
