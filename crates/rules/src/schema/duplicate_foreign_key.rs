use dbwright_model::catalog::ForeignKey;
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::{Applicability, Remedy};

use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 2,
    when: "two foreign keys of a table have the same columns and the same target",
    then: "Every write is checked twice, and of two delete actions nobody can tell which one was meant.",
    instead: "Drop one of the two; keep the one whose delete action is meant.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation: every foreign key has triggers of its own; InnoDB accepts duplicates under other names",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for (i, foreign_key) in table.foreign_keys.iter().enumerate() {
            findings.examined(1);
            let twins: Vec<&ForeignKey> =
                table.foreign_keys[..i].iter().filter(|earlier| is_same(earlier, foreign_key)).collect();
            // Of three, the third is compared with the first only: one finding per surplus key.
            let Some(twin) = twins.first() else { continue };
            let same_actions =
                (twin.on_delete, twin.on_update) == (foreign_key.on_delete, foreign_key.on_update);
            let also = if same_actions { "" } else { " with other actions" };
            let mut found = Found::at(
                ObjectRef::columns(&table.name, &foreign_key.columns),
                format!(
                    "`{}` ({}) has a second foreign key to `{}`{also}, so each write is checked twice.",
                    table.name,
                    join(&foreign_key.columns),
                    foreign_key.references
                ),
            );
            found = match (&foreign_key.name, same_actions) {
                (Some(name), true) => found.remedy(Remedy::review(
                    "Drop the second foreign key.",
                    vec![Change::DropConstraint {
                        alter: Default::default(),
                        table: table.name.clone(),
                        constraint: DroppedConstraint::Named(name.clone()),
                        if_exists: false,
                        cascade: false,
                    }],
                )),
                _ => found.remedy(Remedy::manual(RULE.instead)),
            };
            findings.add(found);
        }
    }
}

fn is_same(a: &ForeignKey, b: &ForeignKey) -> bool {
    let pairs = |key: &ForeignKey| {
        let mut pairs: Vec<(Name, Name)> =
            key.columns.iter().cloned().zip(key.referenced_columns.iter().cloned()).collect();
        pairs.sort();
        pairs
    };
    a.references == b.references
        && !a.referenced_columns.is_empty()
        && a.columns.len() == b.columns.len()
        && pairs(a) == pairs(b)
}
