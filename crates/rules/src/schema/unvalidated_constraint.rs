use dbwright_model::catalog::Table;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    engines: Engines::only(Engine::Postgres, "constraints are checked against all rows when they are added"),
    when: "a constraint was added as `NOT VALID` and never validated",
    then: "Old rows may break it, the planner does not rely on it, and a restore may fail on those rows.",
    instead: "Validate the constraint; reads and writes go on meanwhile.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation: NOT VALID and VALIDATE CONSTRAINT",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for check in &table.checks {
            findings.examined(1);
            if check.enforced && !check.validated {
                let columns =
                    check.expression.tree.as_deref().map(|tree| join(tree.columns())).unwrap_or_default();
                findings.add(found(
                    table,
                    check.name.as_ref(),
                    format!("A check of `{}` ({columns})", table.name),
                ));
            }
        }
        for key in &table.foreign_keys {
            findings.examined(1);
            if key.enforced && !key.validated {
                let columns = join(&key.columns);
                findings.add(found(
                    table,
                    key.name.as_ref(),
                    format!("The foreign key of `{}` ({columns}) to `{}`", table.name, key.references),
                ));
            }
        }
    }
}

fn found(table: &Table, name: Option<&Name>, what: String) -> Found {
    let object = match name {
        Some(name) => ObjectRef::constraint(&table.name, name.as_str()),
        None => ObjectRef::table(&table.name),
    };
    let remedy = match name {
        Some(name) => Remedy::review(
            RULE.instead,
            vec![Change::ValidateConstraint {
                alter: Default::default(),
                table: table.name.clone(),
                constraint: name.clone(),
            }],
        ),
        None => Remedy::manual(RULE.instead),
    };
    Found::at(object, format!("{what} was never validated, so old rows may break it.")).remedy(remedy)
}
