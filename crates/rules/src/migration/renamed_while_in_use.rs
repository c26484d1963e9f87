use dbwright_model::change::{Change, ObjectKind};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::ALL,
    when: "something that running code may name gets another name or schema",
    then: "Code of the release before fails from the moment of the rename until it is gone.",
    instead: "Keep the old name alive: a view for a table, a second column that a trigger keeps in step, and drop it a release later.",
    source: "documentation of several migration linters; MySQL and PostgreSQL manuals, ALTER TABLE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (object, what, to) = match change {
            Change::RenameTable { table, to, .. } => {
                if judged.is_new(table)
                    || judged.is_absent(table)
                    || is_taken_over(judged, table)
                    || takes_place(judged, to)
                {
                    return Verdict::Fine;
                }
                let table = judged.full_name(table);
                (ObjectRef::table(&table), format!("`{table}`"), format!("`{}`", to.name))
            }
            Change::RenameColumn { table, column, to, .. } => match of_column(judged, table, column) {
                Some((object, what)) => (object, what, format!("`{to}`")),
                None => return Verdict::Fine,
            },
            Change::ModifyColumn { table, column, to, .. } if !to.name.eq_ignore_case(column.as_str()) => {
                match of_column(judged, table, column) {
                    Some((object, what)) => (object, what, format!("`{}`", to.name)),
                    None => return Verdict::Fine,
                }
            }
            Change::RenameObject { kind, object, to, .. } => match of_object(judged, kind, object) {
                Kind::Named(reference) => (reference, format!("`{object}`"), format!("`{to}`")),
                Kind::Fine => return Verdict::Fine,
                Kind::Other => return Verdict::Other,
            },
            Change::SetSchema { object, schema, kind, .. } => match of_object(judged, kind, object) {
                Kind::Named(reference) => {
                    (reference, format!("`{object}`"), format!("`{schema}.{}`", object.name))
                }
                Kind::Fine => return Verdict::Fine,
                Kind::Other => return Verdict::Other,
            },
            Change::RenameEnumValue { name, value, to } => {
                if judged.is_new(name) {
                    return Verdict::Fine;
                }
                (ObjectRef::user_type(name), format!("The value `{value}` of `{name}`"), format!("`{to}`"))
            }
            _ => return Verdict::Other,
        };
        let message = format!("{what} becomes {to}, and code that uses the old name fails.");
        Verdict::Found(judged.found(object, message).remedy(Remedy::manual(RULE.instead)))
    });
}

fn of_column(judged: Judged<'_>, table: &QualifiedName, column: &Name) -> Option<(ObjectRef, String)> {
    if judged.is_new(table) {
        return None;
    }
    let table = judged.full_name(table);
    Some((ObjectRef::column(&table, column), format!("`{table}.{column}`")))
}

enum Kind {
    Named(ObjectRef),
    Fine,
    Other,
}

fn of_object(judged: Judged<'_>, kind: &ObjectKind, object: &QualifiedName) -> Kind {
    let relation = match kind {
        ObjectKind::Table | ObjectKind::ForeignTable => ObjectRef::table(&judged.full_name(object)),
        ObjectKind::View | ObjectKind::MaterializedView => ObjectRef::view(&judged.full_name(object)),
        ObjectKind::Sequence => ObjectRef::sequence(object),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => ObjectRef::function(object, ""),
        ObjectKind::Schema => ObjectRef::schema(&object.name),
        _ => return Kind::Other,
    };
    if judged.is_new(object) || is_taken_over(judged, object) { Kind::Fine } else { Kind::Named(relation) }
}

/// Whether the table takes the name of one that the same statement or transaction moved away: the two are swapped.
fn takes_place(judged: Judged<'_>, to: &QualifiedName) -> bool {
    let moved = |change: &Change| match change {
        Change::RenameTable { table, to: other, .. } => table.name == to.name && other.name != to.name,
        _ => false,
    };
    let earlier = judged.chain.earlier_in_transaction(judged.position).flat_map(|earlier| &earlier.changes);
    judged.statement.changes.iter().chain(earlier).any(moved)
}

/// Whether the same statement or transaction puts something else under the old name.
fn is_taken_over(judged: Judged<'_>, name: &QualifiedName) -> bool {
    let takes = |change: &Change| {
        let taken = match change {
            Change::CreateView { view, .. } => &view.name,
            Change::CreateTable { table, .. } => &table.name,
            Change::RenameTable { to, .. } => to,
            Change::RenameObject { to, .. } => return *to == name.name,
            Change::CreateFunction { function, .. } => &function.name,
            _ => return false,
        };
        taken.name == name.name
    };
    let later = judged.later_in_transaction().flat_map(|later| &later.changes);
    judged.statement.changes.iter().chain(later).any(takes)
}
