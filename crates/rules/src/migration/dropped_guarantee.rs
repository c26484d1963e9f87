use std::collections::BTreeSet;

use dbwright_model::catalog::{Check, Key, ReplicaIdentity, Table};
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    engines: Engines::only(
        Engine::Postgres,
        "what a dropped constraint had guaranteed is not reckoned there, because its tables are not known",
    ),
    when: "a constraint is dropped and nothing takes its place",
    then: "From then on rows are taken that the application believes to be impossible.",
    instead: "Add what shall hold instead before the constraint is dropped.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, INSERT, \"ON CONFLICT Clause\"; ALTER TABLE, \"REPLICA IDENTITY\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropConstraint { table, constraint, .. } = change else { return Verdict::Other };
        let Some(known) = judged.statement.table(table) else { return Verdict::Other };
        if judged.effect(&known.name).is_none() {
            return Verdict::Other;
        }
        let Some(lost) = lost(known, constraint) else { return Verdict::Other };
        if is_replaced(&judged, known, &lost) {
            return Verdict::Fine;
        }
        let name = &known.name;
        let (called, message) = match lost {
            Lost::Primary(key) => (
                key.name.as_ref(),
                format!(
                    "`{name}` loses its primary key over `{}`: rows may repeat, and {}.",
                    join(&key.columns),
                    match known.replica_identity {
                        ReplicaIdentity::Default => "replicas can no longer tell which row was changed",
                        _ => "`ON CONFLICT` over it fails",
                    }
                ),
            ),
            Lost::Unique(key) => (
                key.name.as_ref(),
                format!(
                    "Values of `{}` in `{name}` may repeat from then on, and `ON CONFLICT` over them fails.",
                    join(&key.columns)
                ),
            ),
            Lost::Check(check) => (
                check.name.as_ref(),
                format!("Rows of `{name}` need no longer fulfil `{}`.", check.expression.text),
            ),
            Lost::Reference(key) => (
                key.name.as_ref(),
                format!(
                    "Rows of `{name}` may refer to rows of `{}` that are not there, and are left when those go.",
                    key.references
                ),
            ),
            Lost::Exclusion(constraint) => {
                (Some(constraint), format!("Rows of `{name}` may conflict that `{constraint}` kept apart."))
            }
        };
        let object = ObjectRef::constraint(name, called.map_or("", Name::as_str));
        Verdict::Found(judged.found(object, message).remedy(Remedy::manual(RULE.instead)))
    });
}

enum Lost<'a> {
    Primary(&'a Key),
    Unique(&'a Key),
    Check(&'a Check),
    Reference(&'a dbwright_model::catalog::ForeignKey),
    Exclusion(&'a Name),
}

fn lost<'a>(table: &'a Table, constraint: &DroppedConstraint) -> Option<Lost<'a>> {
    let DroppedConstraint::Named(name) = constraint else {
        return table.primary_key.as_ref().map(Lost::Primary);
    };
    let named = |other: &Option<Name>| other.as_ref() == Some(name);
    let primary = table.primary_key.as_ref().filter(|key| named(&key.name)).map(Lost::Primary);
    primary
        .or_else(|| table.uniques.iter().find(|key| named(&key.name)).map(Lost::Unique))
        .or_else(|| table.checks.iter().find(|check| named(&check.name)).map(Lost::Check))
        .or_else(|| table.foreign_keys.iter().find(|key| named(&key.name)).map(Lost::Reference))
        .or_else(|| {
            table.exclusions.iter().map(|other| &other.name).find(|other| *other == name).map(Lost::Exclusion)
        })
}

/// Whether something else holds the same, then or by the migrations, or the columns go as well.
fn is_replaced(judged: &Judged<'_>, table: &Table, lost: &Lost<'_>) -> bool {
    let columns: Vec<&Name> = match lost {
        Lost::Primary(key) | Lost::Unique(key) => key.columns.iter().collect(),
        Lost::Reference(key) => key.columns.iter().collect(),
        Lost::Check(check) => check.expression.tree.as_deref().map(Expr::columns).unwrap_or_default(),
        Lost::Exclusion(_) => Vec::new(),
    };
    let equal = |others: &[Name]| set(others.iter()) == set(columns.iter().copied());
    let by_table = match lost {
        Lost::Primary(_) => false,
        Lost::Unique(key) => {
            table.uniques.iter().any(|other| other.name != key.name && equal(&other.columns))
                || table.primary_key.as_ref().is_some_and(|other| equal(&other.columns))
                || table.indexes.iter().any(|index| {
                    index.unique
                        && index.backs.is_none()
                        && index.predicate.is_none()
                        && index.columns().is_some_and(|own| set(own) == set(columns.iter().copied()))
                })
        }
        Lost::Reference(key) => {
            table.foreign_keys.iter().any(|other| other.name != key.name && equal(&other.columns))
        }
        Lost::Check(check) => {
            let same = |other: &Check| {
                let tree = other.expression.tree.as_deref();
                tree.is_some_and(|tree| set(tree.columns()) == set(columns.iter().copied()))
            };
            table.checks.iter().any(|other| other.name != check.name && same(other))
                || says_declared(table, check)
        }
        Lost::Exclusion(_) => false,
    };
    let within = &judged.statement.changes;
    let by_migration = lint::changes(judged.later()).chain(within).any(|change| match (change, lost) {
        (Change::DropTable { name, .. }, _) => name.may_be(&table.name),
        (Change::DropColumn { table: owner, column, .. }, _) => {
            owner.may_be(&table.name) && columns.contains(&column)
        }
        (Change::AddPrimaryKey { table: owner, .. }, Lost::Primary(_) | Lost::Unique(_)) => {
            owner.may_be(&table.name)
        }
        (Change::AddUnique { table: owner, key, .. }, Lost::Unique(_)) => {
            owner.may_be(&table.name) && (key.columns.is_empty() || equal(&key.columns))
        }
        (Change::CreateIndex { table: owner, index, .. }, Lost::Unique(_)) => {
            owner.may_be(&table.name) && index.unique
        }
        (Change::AddForeignKey { table: owner, foreign_key, .. }, Lost::Reference(_)) => {
            owner.may_be(&table.name) && equal(&foreign_key.columns)
        }
        (Change::AddCheck { table: owner, .. }, Lost::Check(_)) => owner.may_be(&table.name),
        (Change::SetNotNull { table: owner, column, not_null: true, .. }, Lost::Check(_)) => {
            owner.may_be(&table.name) && columns.contains(&column)
        }
        (Change::AddExclusion { table: owner, .. }, Lost::Exclusion(_)) => owner.may_be(&table.name),
        _ => false,
    });
    by_table || by_migration
}

fn set<'a>(names: impl IntoIterator<Item = &'a Name>) -> BTreeSet<&'a Name> {
    names.into_iter().collect()
}

/// A check that only says what `NOT NULL` says too.
fn says_declared(table: &Table, check: &Check) -> bool {
    let Some(tree) = check.expression.tree.as_deref() else { return false };
    tree.conjuncts().into_iter().all(|term| {
        matches!(term, Expr::IsNull { operand, negated: true }
            if matches!(operand.as_ref(), Expr::Column { name, .. }
                if table.column(name.as_str()).is_some_and(|column| column.not_null)))
    })
}
