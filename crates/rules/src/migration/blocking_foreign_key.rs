use dbwright_model::catalog::{ForeignKey, TableKind};
use dbwright_model::change::Change;
use dbwright_model::effect::Demand;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "a foreign key cannot be validated later there, or cannot be added at all",
    ),
    when: "a foreign key is added to a table in use and verified at once",
    then: "Writes to both tables wait until every child was looked up.",
    instead: "Add the key `NOT VALID`, and validate it in a transaction of its own.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, \"ADD table_constraint\"; measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        if let Change::AlterConstraint { table, constraint, changes, .. } = change
            && changes.enforced == Some(true)
        {
            let Some((name, effect)) = judged.blocking_tree(table) else { return Verdict::Fine };
            let message = format!(
                "Enforcing `{constraint}` looks up every row of `{name}` while reads and writes wait."
            );
            let found =
                judged.felt(context, effect, ObjectRef::constraint(name, constraint.as_str()), message);
            return Verdict::Found(found.remedy(Remedy::manual(
                "Drop the key, add it again `NOT VALID`, and validate it in a transaction of its own.",
            )));
        }
        let Change::AddForeignKey { table, foreign_key, .. } = change else { return Verdict::Other };
        let demanded = judged.statement.effects.demands.iter().any(|demand| {
            matches!(demand, Demand::Reference { table: owner, parent }
                if owner.may_be(table) && parent.may_be(&foreign_key.references))
        });
        let Some((name, effect)) =
            judged.blocking_tree(table).filter(|_| demanded && foreign_key.validated && foreign_key.enforced)
        else {
            return Verdict::Fine;
        };
        let message = format!(
            "Every row of `{name}` is looked up in `{}` while writes to both wait.",
            foreign_key.references
        );
        let object = ObjectRef::columns(name, &foreign_key.columns);
        let found = judged.felt(context, effect, object, message);
        let known = judged.statement.table(table);
        if known.is_some_and(|table| matches!(table.kind, TableKind::Partitioned { .. })) {
            return Verdict::Found(found.remedy(Remedy::manual(
                "Add the key to each partition `NOT VALID`, validate it there, and add it to the partitioned table last.",
            )));
        }
        let named = foreign_key
            .name
            .clone()
            .or_else(|| lint::constraint_name(table, &foreign_key.columns, "fkey"))
            .filter(|_| judged.alone());
        let Some(constraint) = named else {
            let columns = join(&foreign_key.columns);
            return Verdict::Found(found.remedy(Remedy::manual(format!(
                "Add the key over `{columns}` `NOT VALID` in a statement of its own, and validate it later."
            ))));
        };
        let key =
            ForeignKey { name: Some(constraint.clone()), validated: false, ..foreign_key.as_ref().clone() };
        Verdict::Found(found.remedy(Remedy::review(
            RULE.instead,
            vec![
                Change::AddForeignKey {
                    alter: Default::default(),
                    table: table.clone(),
                    foreign_key: Box::new(key),
                },
                Change::ValidateConstraint { alter: Default::default(), table: table.clone(), constraint },
            ],
        )))
    });
}
