use dbwright_model::catalog::{Key, Table};
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::index_shape::finds_children;
use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::ALL.except_mysql_family("the server refuses to drop an index that a foreign key needs"),
    when: "the only index that begins with the columns of a foreign key is dropped",
    then: "Each delete in the referenced table, and each change of its key, scans the whole table from then on.",
    instead: "Keep the index, or build another that begins with the same columns first.",
    source: "PostgreSQL manual, \"Foreign Keys\"; SQLite documentation, \"SQLite Foreign Key Support\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropIndex { index, .. } = change else { return Verdict::Other };
        let known = judged.statement.tables.iter().find_map(|table| {
            let in_schema = index.schema.is_empty() || index.schema == table.name.schema;
            let found = table.indexes.iter().find(|other| other.name.eq_ignore_case(index.name.as_str()));
            Some((table, found.filter(|_| in_schema)?))
        });
        let Some((table, old)) = known.filter(|(table, _)| judged.is_in_use(&table.name)) else {
            return Verdict::Fine;
        };
        let needing = table.foreign_keys.iter().find(|key| {
            finds_children(old, &key.columns)
                && !serves_without(table, &old.name, &key.columns)
                && !is_made_good(&judged, table, key.name.as_ref(), &key.columns)
        });
        let Some(key) = needing else { return Verdict::Fine };
        let message = format!(
            "`{}` is the only index of `{}` that begins with `{}`: each delete in `{}` will scan the table.",
            old.name,
            table.name,
            join(&key.columns),
            key.references
        );
        let object = ObjectRef::index(&table.name, &old.name);
        Verdict::Found(judged.found(object, message).remedy(Remedy::manual(RULE.instead)))
    });
}

fn begins_with(key: &Key, columns: &[Name]) -> bool {
    key.columns.len() >= columns.len()
        && key.columns[..columns.len()].iter().all(|name| columns.contains(name))
}

/// Whether the table has another way from a parent to its children.
fn serves_without(table: &Table, dropped: &Name, columns: &[Name]) -> bool {
    table.indexes.iter().any(|other| other.name != *dropped && finds_children(other, columns))
        || table.primary_key.iter().chain(&table.uniques).any(|key| begins_with(key, columns))
}

/// Whether later statements build another, or need none any more.
fn is_made_good(judged: &Judged<'_>, table: &Table, key: Option<&Name>, columns: &[Name]) -> bool {
    let own = |name| lint::same_relation(name, &table.name);
    lint::changes(judged.later()).chain(&judged.statement.changes).any(|change| match change {
        Change::CreateIndex { table, index, .. } => own(table) && finds_children(index, columns),
        Change::AddPrimaryKey { table, key, .. } | Change::AddUnique { table, key, .. } => {
            own(table) && begins_with(key, columns)
        }
        Change::DropTable { name, .. } => own(name),
        Change::DropColumn { table, column, .. } => own(table) && columns.contains(column),
        Change::DropConstraint { table, constraint: DroppedConstraint::Named(name), .. } => {
            own(table) && key == Some(name)
        }
        _ => false,
    })
}
