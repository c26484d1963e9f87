use dbwright_model::engine::Engine;
use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::routine::{self, Routines};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Backup,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Functions],
    wants: &[Fact::Extensions],
    engines: Engines::only(Engine::Postgres, "its checks cannot call routines that read tables"),
    when: "a check calls a function that reads a table",
    then: "The check is not repeated when that table changes, and a restore may load the rows before that table is filled.",
    instead: "Use a foreign key or a trigger.",
    source: "measured: the restore fails and leaves the table with 0 rows; PostgreSQL documentation, check constraints",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let routines = Routines::of(context);
    for table in context.own_tables() {
        for check in &table.checks {
            let Some(tree) = check.expression.tree.as_deref() else {
                findings.unknown(format!("a check of `{}` could not be read", table.name));
                continue;
            };
            findings.examined(1);
            let read = routine::calls(tree).into_iter().find_map(|call| {
                routine::called(&routines, call)
                    .into_iter()
                    .find_map(|function| routine::relations_read(&routines, function).into_iter().next())
                    .map(|relation| (call.function(), relation))
            });
            let Some((function, relation)) = read else { continue };
            let object = match &check.name {
                Some(name) => ObjectRef::constraint(&table.name, name.as_str()),
                None => ObjectRef::columns(&table.name, Expr::columns(tree)),
            };
            findings.add(
                Found::at(
                    object,
                    format!("A check of `{}` reads `{relation}` through `{function}`.", table.name),
                )
                .confidence(Confidence::Medium)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
