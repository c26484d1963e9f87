use dbwright_model::catalog::{Column, Index, Table};
use dbwright_model::change::Change;
use dbwright_model::data_type::{Affinity, DataType, TypeKind};
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    when: "`IF NOT EXISTS` meets a table, column or index that is there with another definition",
    then: "The statement is skipped without a word, and what comes after it meets a definition that nobody expected.",
    instead: "Leave `IF NOT EXISTS` out, so that the difference is told, or bring the old one to the new definition with `ALTER TABLE`.",
    source: "manuals of the engines, CREATE TABLE and ALTER TABLE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let dialect = context.engine().dialect();
    lint::each(context, findings, |judged, change| match change {
        Change::CreateTable { table, if_not_exists: true } => {
            // Columns of a partition or of an heir come from above.
            let Some(known) = judged
                .statement
                .table(&table.name)
                .filter(|_| !table.is_partition() && table.inherits.is_empty() && table.of_type.is_none())
            else {
                return Verdict::Fine;
            };
            let differences = differences(dialect, known, table);
            let Some(first) = differences.first() else { return Verdict::Fine };
            let message =
                format!("`{}` is there already, and {first}: the statement is skipped.", known.name);
            let found = judged.found(ObjectRef::table(&known.name), message);
            let found = found.evidence("differs", differences.join("; "));
            Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
        }
        Change::AddColumn { table, column, if_not_exists: true, .. } => {
            let known = judged.statement.table(table);
            let Some((known, old)) = known.and_then(|known| Some((known, find(known, column)?))) else {
                return Verdict::Fine;
            };
            let Some(difference) = difference(dialect, old, column, is_key(known, old)) else {
                return Verdict::Fine;
            };
            let message = format!(
                "`{}.{}` is there already, and {difference}: the statement is skipped.",
                known.name, old.name
            );
            let object = ObjectRef::column(&known.name, &old.name);
            Verdict::Found(judged.found(object, message).remedy(Remedy::manual(RULE.instead)))
        }
        Change::CreateIndex { table, index, if_not_exists: true, .. } => {
            let known = judged.statement.table(table);
            let old = known.and_then(|known| known.indexes.iter().find(|old| old.name == index.name));
            let Some((known, old)) = known.zip(old) else { return Verdict::Fine };
            let Some(difference) = difference_of_index(old, index) else { return Verdict::Fine };
            let message =
                format!("`{}` is there already, and {difference}: the statement is skipped.", old.name);
            let object = ObjectRef::table(&known.name);
            Verdict::Found(judged.found(object, message).remedy(Remedy::manual(OTHER_INDEX)))
        }
        _ => Verdict::Other,
    });
}

/// For an index, which no statement changes.
const OTHER_INDEX: &str = "Give the new index another name, and drop the old one if nothing needs it.";

/// What an index has in another way than the new one; expressions, which servers spell anew, are not compared.
fn difference_of_index(old: &Index, new: &Index) -> Option<String> {
    let (had, wanted) = (old.columns()?, new.columns()?);
    let is_same = |(had, wanted): (&&Name, &&Name)| had.eq_ignore_case(wanted.as_str());
    if had.len() != wanted.len() || !had.iter().zip(&wanted).all(is_same) {
        let list = |names: &[&Name]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        return Some(format!("is over `{}` instead of `{}`", list(&had), list(&wanted)));
    }
    match (old.unique, new.unique) {
        (true, false) => Some("is unique".to_owned()),
        (false, true) => Some("is not unique".to_owned()),
        _ if old.predicate.is_some() != new.predicate.is_some() => match old.predicate {
            Some(_) => Some("leaves rows out".to_owned()),
            None => Some("holds every row".to_owned()),
        },
        _ => None,
    }
}

fn find<'a>(table: &'a Table, column: &Column) -> Option<&'a Column> {
    table.columns.iter().find(|other| other.name.eq_ignore_case(column.name.as_str()))
}

fn is_key(table: &Table, column: &Column) -> bool {
    table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name))
}

/// What a table lacks of its new definition, or has in another way. What it has more came later.
fn differences(dialect: Dialect, known: &Table, new: &Table) -> Vec<String> {
    // Columns that are not known cannot be compared.
    if known.columns.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for column in &new.columns {
        match find(known, column) {
            None => found.push(format!("has no column `{}`", column.name)),
            Some(old) => {
                let key = is_key(known, old) || is_key(new, column);
                found.extend(
                    difference(dialect, old, column, key).map(|what| format!("its `{}` {what}", old.name)),
                );
            }
        }
    }
    found
}

fn difference(dialect: Dialect, old: &Column, new: &Column, is_key: bool) -> Option<String> {
    if !same_type(dialect, &old.data_type, &new.data_type) {
        return Some(format!("is {} instead of {}", old.data_type.text, new.data_type.text));
    }
    // A key says it too, and a serial does.
    let says_null = !is_key && new.sequence.is_none() && new.identity.is_none() && !new.auto_increment;
    (new.not_null && !old.not_null && says_null).then(|| "may be null".to_owned())
}

/// Types of which it is not certain that they differ are the same: servers say lengths that texts leave out, and have
/// other names for some types.
fn same_type(dialect: Dialect, old: &DataType, new: &DataType) -> bool {
    let is_told = |data_type: &DataType| {
        data_type.user_type.is_none() && data_type.kind != TypeKind::Other && !data_type.text.is_empty()
    };
    if !is_told(old) || !is_told(new) {
        return true;
    }
    if dialect == Dialect::Sqlite {
        return Affinity::of(old.text.as_str()) == Affinity::of(new.text.as_str());
    }
    let either = |kind: TypeKind| old.kind == kind || new.kind == kind;
    if dialect == Dialect::Mysql && (either(TypeKind::Boolean) || either(TypeKind::Json)) {
        return true;
    }
    let (length, other) = (old.length, new.length);
    let same_length = match old.kind {
        // Without a length it takes any.
        TypeKind::Varchar => length == other,
        kind if kind.is_integer() => true,
        _ => length.is_none() || other.is_none() || length == other,
    };
    old.kind == new.kind
        && old.array == new.array
        && old.unsigned == new.unsigned
        && same_length
        && (old.scale.is_none() || new.scale.is_none() || old.scale == new.scale)
}
