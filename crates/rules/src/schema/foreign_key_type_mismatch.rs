use dbwright_model::catalog::{Column, Table};
use dbwright_model::change::Change;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};

use crate::columns::base_type;
use crate::dependants;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    weight: 5,
    when: "a column of a foreign key has another type, length or collation than the column it refers to",
    then: "The child cannot hold every key of the parent, or joins convert, miss indexes or compare by other rules.",
    instead: "Give the referring column the type of the column it refers to.",
    wants: dependants::WANTS,
    remedy: Applicability::Review,
    source: "agreement of eight public linters; five public schemas have between 0 and 7 of them",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for key in &table.foreign_keys {
            let Some(parent) = context.table(&key.references) else { continue };
            for (own, other) in key.columns.iter().zip(&key.referenced_columns) {
                let (Some(column), Some(target)) =
                    (table.column(own.as_str()), parent.column(other.as_str()))
                else {
                    continue;
                };
                findings.examined(1);
                if let Some(found) = judge(context, table, column, parent, target) {
                    findings.add(found);
                }
            }
        }
    }
}

fn judge(
    context: &Context<'_>,
    table: &Table,
    column: &Column,
    parent: &Table,
    target: &Column,
) -> Option<Found> {
    let catalog = context.catalog();
    let (own, other) = (base_type(catalog, &column.data_type), base_type(catalog, &target.data_type));
    let (level, consequence) = mismatch(context.engine().dialect(), own, other)
        .or_else(|| collation(context.engine().dialect(), table, column, own, parent, target))?;
    let found = Found::at(
        ObjectRef::column(&table.name, &column.name),
        format!(
            "`{}.{}` and the key `{}.{}` it refers to differ in type: {consequence}.",
            table.name, column.name, parent.name, target.name
        ),
    )
    .level(level)
    .evidence("type", &column.data_type.text)
    .evidence("type of the key", &target.data_type.text)
    .evidence_if("collation", column.collation.as_ref())
    .evidence_if("collation of the key", target.collation.as_ref());
    // A longer limit changes no value; every other change of type rewrites the table or may fail.
    let lengthens = own.kind == TypeKind::Varchar && other.kind == TypeKind::Varchar;
    let remedy = if lengthens && context.engine() == Engine::Postgres && column.collation == target.collation
    {
        dependants::in_words(context, table, &column.name, RULE.instead).unwrap_or_else(|| {
            Remedy::review(
                RULE.instead,
                vec![Change::AlterColumnType {
                    alter: Default::default(),
                    table: table.name.clone(),
                    column: column.name.clone(),
                    to: other.clone(),
                    collation: None,
                    using: None,
                }],
            )
        })
    } else if own.max_integer().zip(other.max_integer()).is_some_and(|(own, other)| own > other) {
        // To narrow the child would take room away that the key may need one day.
        Remedy::manual("Give the key the wider type of the column that refers to it.")
    } else {
        Remedy::manual(RULE.instead)
    };
    Some(found.remedy(remedy))
}

/// What follows from a difference of two types, if anything does.
pub(crate) fn mismatch(dialect: Dialect, own: &DataType, other: &DataType) -> Option<(Level, &'static str)> {
    let (a, b) = (own.kind, other.kind);
    if let (Some(narrow), Some(wide)) = (own.max_integer(), other.max_integer()) {
        return if narrow < wide {
            Some((Level::Warning, "it cannot hold the larger keys, and inserts fail once they are reached"))
        } else if narrow > wide {
            Some((Level::Note, "it is wider than the key, which runs out first"))
        } else {
            None
        };
    }
    if dialect == Dialect::Sqlite {
        // Declared types are hints there: only what changes how values are stored and compared counts.
        let text = |kind: TypeKind| kind.is_text();
        let number = |kind: TypeKind| kind.is_numeric();
        let differ = (text(a) && number(b)) || (number(a) && text(b));
        return differ.then_some((
            Level::Warning,
            "one stores text and the other numbers, and joins may not use an index",
        ));
    }
    if a.is_text() && b.is_text() {
        let padded = (a == TypeKind::Char) != (b == TypeKind::Char);
        return match (own.length, other.length) {
            (Some(short), Some(long)) if short < long => {
                Some((Level::Warning, "it cannot hold the longer keys"))
            }
            (Some(_), None) if a != TypeKind::Char && b == TypeKind::Text => {
                Some((Level::Warning, "it cannot hold the longer keys"))
            }
            _ if padded && dialect == Dialect::Postgres => {
                Some((Level::Warning, "one is padded with blanks and the other is not"))
            }
            _ => None,
        };
    }
    if a == b
        || matches!(a, TypeKind::Other | TypeKind::Composite)
        || matches!(b, TypeKind::Other | TypeKind::Composite)
    {
        return None;
    }
    if a.is_temporal() && b.is_temporal() {
        return Some((Level::Error, "whether two of them are equal depends on the time zone of the session"));
    }
    if a.is_floating() || b.is_floating() {
        return Some((
            Level::Error,
            "one is rounded and the other is exact, so keys above 2^53 are confused",
        ));
    }
    Some((Level::Warning, "every comparison converts one of them, and may not use its index"))
}

fn collation(
    dialect: Dialect,
    table: &Table,
    column: &Column,
    own: &DataType,
    parent: &Table,
    target: &Column,
) -> Option<(Level, &'static str)> {
    // InnoDB refuses a key between two collations.
    if dialect == Dialect::Mysql
        || !own.kind.is_text()
        || (table.name == parent.name && column.name == target.name)
    {
        return None;
    }
    let name = |column: &Column| column.collation.as_ref().map(|name| name.as_str().to_ascii_lowercase());
    let plain = |name: Option<String>| name.filter(|name| name != "binary" || dialect != Dialect::Sqlite);
    let (left, right) = (plain(name(column)), plain(name(target)));
    // PostgreSQL prefers a collation that was said to the default, and is at a loss only between two that were said.
    if left == right || (dialect == Dialect::Postgres && (left.is_none() || right.is_none())) {
        return None;
    }
    Some(match dialect {
        Dialect::Sqlite => (
            Level::Warning,
            "a join compares by the rules of whichever stands on the left, and so finds different rows",
        ),
        _ => (Level::Warning, "their collations differ, and a join needs to be told which one to compare by"),
    })
}
