use dbwright_model::capability::Capability;
use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Literal};
use dbwright_model::facts::Fact;
use dbwright_model::finding::ObjectRef;
use dbwright_model::remedy::Remedy;

use crate::columns::{RANDOM_UUID, default_calls, single_key};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    weight: 2,
    needs: &[Fact::Catalog, Fact::TableStatistics],
    when: "the default of a large table's primary key is a random UUID",
    then: "New rows land on random pages of the index, so a large table no longer fits into memory and writes more log.",
    instead: "Make new keys of time-ordered UUIDs (version 7) or of numbers; the old keys may stay.",
    options: &[
        OptionSpec {
            name: "large-rows",
            default: OptionValue::Number(10_000_000.0),
            help: "Rows from which a table is large.",
        },
        OptionSpec {
            name: "large-clustered-rows",
            default: OptionValue::Number(1_000_000.0),
            help: "The same where the rows themselves are kept in the order of the key.",
        },
    ],
    source: "measured: index bytes per row of 500,000 keys are 39 for random UUIDs, 32 for version 7 and 22 for bigint",
    convention: Some("primary keys are random"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let Some(column) = single_key(table) else { continue };
        findings.examined(1);
        if !is_random(column) {
            continue;
        }
        let Some(rows) = context.statistics_of(&table.name).and_then(|statistics| statistics.rows) else {
            findings.unknown(format!("the rows of `{}` were not counted", table.name));
            continue;
        };
        let option = if is_clustered(context, table) { "large-clustered-rows" } else { "large-rows" };
        if (rows as f64) < context.number(option) {
            continue;
        }
        let remedy = match context.can(Capability::UuidV7) {
            true => "Let the default be the server's own version 7 function; the old keys may stay.",
            false => RULE.instead,
        };
        findings.add(
            Found::at(
                ObjectRef::column(&table.name, &column.name),
                format!(
                    "The key `{}.{}` is a random UUID: every insert writes to another page of its index.",
                    table.name, column.name
                ),
            )
            .evidence("rows", rows)
            .remedy(Remedy::manual(remedy)),
        );
    }
}

/// Whether the rows are kept in the order of the key.
fn is_clustered(context: &Context<'_>, table: &Table) -> bool {
    match context.engine() {
        Engine::Postgres => false,
        Engine::Mysql | Engine::Mariadb => true,
        Engine::Sqlite => table.without_rowid,
    }
}

fn is_random(column: &Column) -> bool {
    if default_calls(column, RANDOM_UUID) {
        return true;
    }
    // UUID() counts time, but its fast part stands first. MariaDB's own type and a swapped conversion put it last.
    if column.data_type.kind == TypeKind::Uuid || !default_calls(column, &["uuid"]) {
        return false;
    }
    let Some(tree) = column.default.as_ref().and_then(|default| default.tree.as_deref()) else {
        return false;
    };
    let mut swapped = false;
    tree.walk(&mut |expr| {
        if let Expr::Call(call) = expr {
            swapped |= call.function().eq_ignore_ascii_case("uuid_to_bin")
                && call
                    .args
                    .get(1)
                    .is_some_and(|flag| !matches!(flag, Expr::Literal(Literal::Number(n)) if n == "0"));
        }
    });
    !swapped
}
