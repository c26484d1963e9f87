use dbwright_model::catalog::Check;
use dbwright_model::change::Change;
use dbwright_model::effect::Cost;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
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
        "a check cannot be validated later there, or cannot be added at all",
    ),
    when: "a check is added to a table in use and verified at once",
    then: "Nobody reads or writes the table until every row was looked at.",
    instead: "Add the check `NOT VALID`, and validate it in a transaction of its own.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, \"ADD table_constraint\"; measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddCheck { table, check, .. } = change else { return Verdict::Other };
        // A table that is rewritten anyway is another rule's.
        let blocking = judged.blocking_tree(table).filter(|(_, effect)| effect.cost < Cost::Rewrite);
        let Some((name, effect)) = blocking.filter(|_| check.validated && check.enforced) else {
            return Verdict::Fine;
        };
        let called = match &check.name {
            Some(name) => format!("`{name}`"),
            None => format!("`{}`", check.expression.text),
        };
        let message =
            format!("The check {called} is verified on every row of `{name}` while reads and writes wait.");
        let object = ObjectRef::constraint(name, check.name.as_ref().map_or("check", Name::as_str));
        let found = judged.felt(context, effect, object, message);
        let remedy = match steps(table, check).filter(|_| judged.alone()) {
            Some(changes) => Remedy::review(RULE.instead, changes),
            None => Remedy::manual(RULE.instead),
        };
        Verdict::Found(found.remedy(remedy))
    });
}

fn steps(table: &QualifiedName, check: &Check) -> Option<Vec<Change>> {
    let tree = check.expression.tree.as_deref();
    let name = match &check.name {
        Some(name) => name.clone(),
        None => {
            let columns: Vec<Name> = tree?.columns().into_iter().cloned().collect();
            let second = if columns.len() == 1 { columns.as_slice() } else { &[] };
            lint::constraint_name(table, second, "check")?
        }
    };
    let check = Check { name: Some(name.clone()), validated: false, ..check.clone() };
    Some(vec![
        Change::AddCheck { alter: Default::default(), table: table.clone(), check },
        Change::ValidateConstraint { alter: Default::default(), table: table.clone(), constraint: name },
    ])
}
