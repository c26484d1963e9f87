use dbwright_model::catalog::{Check, ConstraintKind, ForeignKey, Index, Table};
use dbwright_model::change::{Change, DataKind};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::effect::Demand;
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::columns::integer_range;
use crate::lint::{self, Judged};
use crate::{Context, Findings, Found, Rule, orphans};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    when: "a statement fails unless all rows that are there fulfil something",
    then: "The migration passes on an empty database and fails on the rows of another one.",
    instead: "Count the rows in the way before the migration runs, and mend them.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 13 to 18, MariaDB 10.11 and SQLite 3.54",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // Rows that the migrations have written before may have been mended by that.
    let mut written: Vec<&QualifiedName> = Vec::new();
    for judged in lint::statements(context) {
        for demand in &judged.statement.effects.demands {
            let table = demand.table();
            // What was tried and failed is told with the server's own words.
            if judged.statement.failed.is_some()
                || judged.effect(table).is_none()
                || written.iter().any(|other| other.may_be(table))
            {
                continue;
            }
            findings.examined(1);
            if let Some(found) = judge(context, &judged, demand, table) {
                findings.add(found.remedy(Remedy::manual(RULE.instead)));
            }
        }
        for change in &judged.statement.changes {
            if let Change::Data { kind, table: Some(table), .. } = change
                && *kind != DataKind::Select
                && !written.contains(&table)
            {
                written.push(table);
            }
        }
    }
}

fn judge(
    context: &Context<'_>,
    judged: &Judged<'_>,
    demand: &Demand,
    table: &QualifiedName,
) -> Option<Found> {
    let known = judged.statement.table(table);
    let owner = lint::spelled_table(context, table);
    let say = |object: ObjectRef, message: String, query: Option<String>| {
        Some(judged.found(object, message).evidence_if("query", query))
    };
    let converts = |demand: &Demand| matches!(demand, Demand::NotNull { .. } | Demand::Convertible { .. });
    match demand {
        // Rules of their own tell it.
        Demand::Empty { .. } => None,
        _ if converts(demand) && lint::is_loose(context, judged) => None,
        Demand::NotNull { column, .. } if is_filled(judged, table, column) => None,
        Demand::NotNull { column, .. } => say(
            ObjectRef::column(table, column),
            format!("The statement fails if `{table}.{column}` holds a null."),
            Some(format!(
                "SELECT count(*) FROM {owner} WHERE {} IS NULL",
                lint::spelled(context, column.as_str())
            )),
        ),
        Demand::Unique { .. } => {
            let (columns, nulls_agree) = unique_columns(judged, table)?;
            // Nulls never repeat, so a new column without a value is free.
            let new_and_empty = columns
                .iter()
                .any(|name| judged.new_column(table, name).is_some() && !is_filled(judged, table, name));
            if new_and_empty || known.is_some_and(|known| is_unique(known, &columns, nulls_agree)) {
                return None;
            }
            let list = lint::spelled_columns(context, &columns);
            say(
                ObjectRef::columns(table, &columns),
                format!("The statement fails if two rows of `{table}` agree in `{}`.", join(&columns)),
                Some(format!("SELECT {list}, count(*) FROM {owner} GROUP BY {list} HAVING count(*) > 1")),
            )
        }
        Demand::Check { .. } => {
            let check = checked(judged, known, table)?;
            let columns = check.expression.tree.as_deref().map(Expr::columns).unwrap_or_default();
            let only_new =
                !columns.is_empty() && columns.iter().all(|name| judged.adds_column(table, name).is_some());
            if only_new {
                return None;
            }
            say(
                ObjectRef::constraint(table, check.name.as_ref().map_or("check", Name::as_str)),
                format!("The statement fails if a row of `{table}` breaks `{}`.", check.expression.text),
                Some(format!("SELECT count(*) FROM {owner} WHERE NOT ({})", check.expression.text)),
            )
        }
        Demand::DefaultFits { column, condition, .. } => {
            let because = format!("what that gets in `{column}` breaks `{condition}`");
            let message = format!("The statement fails if `{table}` holds a row: {because}.");
            say(ObjectRef::column(table, column), message, None).map(|found| found.level(Level::Error))
        }
        Demand::Reference { parent, .. } => {
            let key = referring(judged, known, table, parent)?;
            let is_empty = |name| judged.new_column(table, name).is_some_and(|new| new.default.is_none());
            if key.columns.iter().any(is_empty) {
                return None;
            }
            say(
                ObjectRef::columns(table, &key.columns),
                format!("The statement fails if a row of `{table}` refers to no row of `{parent}`."),
                orphans::query(context, judged, table, key),
            )
        }
        Demand::Convertible { column, .. } => {
            let old = &known?.column(column.as_str())?.data_type;
            if context.engine().dialect() == Dialect::Mysql {
                let to = judged.modified(table, column)?;
                let message = format!(
                    "The statement fails if a value of `{table}.{column}` has no place in {}.",
                    to.data_type.text
                );
                return say(ObjectRef::column(table, column), message, None);
            }
            let (to, using) = judged.statement.changes.iter().find_map(|change| match change {
                Change::AlterColumnType { table: owner, column: other, to, using, .. }
                    if owner.may_be(table) && other == column =>
                {
                    Some((to, using.as_ref()))
                }
                _ => None,
            })?;
            if !may_fail(old, to, using) {
                return None;
            }
            say(
                ObjectRef::column(table, column),
                format!("The statement fails if a value of `{table}.{column}` is not good as {}.", to.text),
                unfit(context, &owner, column, old, to),
            )
        }
    }
}

/// Whether the migrations add the column together with one value for every row.
fn is_filled(judged: &Judged<'_>, table: &QualifiedName, column: &Name) -> bool {
    judged.new_column(table, column).is_some_and(|new| lint::is_constant(new.default.as_ref()))
}

/// The columns of the key or unique index that the statement makes, and whether nulls are to agree; `None` where an
/// expression is one of them.
fn unique_columns(judged: &Judged<'_>, table: &QualifiedName) -> Option<(Vec<Name>, bool)> {
    judged.statement.changes.iter().find_map(|change| match change {
        Change::AddPrimaryKey { table: owner, key, using_index: None, .. }
        | Change::AddUnique { table: owner, key, using_index: None, .. }
            if owner.may_be(table) && !key.columns.is_empty() =>
        {
            Some((key.columns.clone(), key.nulls_not_distinct))
        }
        Change::CreateIndex { table: owner, index, .. }
            if owner.may_be(table) && index.unique && index.predicate.is_none() =>
        {
            Some((index.columns()?.into_iter().cloned().collect(), index.nulls_not_distinct))
        }
        _ => None,
    })
}

/// Whether the rows are kept apart already by some of the columns. Where nulls are to agree, only a primary key says enough.
fn is_unique(table: &Table, columns: &[Name], nulls_agree: bool) -> bool {
    let by_index = |index: &Index| {
        let whole = index.unique && index.valid && index.predicate.is_none();
        let primary = index.backs == Some(ConstraintKind::PrimaryKey);
        let enough = whole && (primary || !nulls_agree);
        enough && index.columns().is_some_and(|own| own.into_iter().all(|name| columns.contains(name)))
    };
    table.indexes.iter().any(by_index)
}

/// The check that the statement adds or validates.
fn checked<'a>(judged: &Judged<'a>, known: Option<&'a Table>, table: &QualifiedName) -> Option<&'a Check> {
    judged.statement.changes.iter().find_map(|change| match change {
        Change::AddCheck { table: owner, check, .. }
            if owner.may_be(table) && check.validated && check.enforced =>
        {
            Some(check)
        }
        Change::ValidateConstraint { table: owner, constraint, .. } if owner.may_be(table) => {
            known?.checks.iter().find(|check| check.name.as_ref() == Some(constraint) && !check.validated)
        }
        _ => None,
    })
}

/// The foreign key that the statement adds or validates.
fn referring<'a>(
    judged: &Judged<'a>,
    known: Option<&'a Table>,
    table: &QualifiedName,
    parent: &QualifiedName,
) -> Option<&'a ForeignKey> {
    judged.statement.changes.iter().find_map(|change| match change {
        Change::AddForeignKey { table: owner, foreign_key, .. }
            if owner.may_be(table) && foreign_key.references.may_be(parent) =>
        {
            Some(foreign_key.as_ref())
        }
        Change::ValidateConstraint { table: owner, constraint, .. } if owner.may_be(table) => {
            known?.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint))
        }
        _ => None,
    })
}

/// Whether a value of the old type may be none of the new one.
fn may_fail(from: &DataType, to: &DataType, using: Option<&Expression>) -> bool {
    // A conversion of one's own is judged only where it is a plain cast.
    if let Some(using) = using {
        let tree = using.tree.as_deref();
        let plain = tree.is_some_and(|tree| matches!(tree.without_casts(), Expr::Column { .. }));
        if !plain {
            return false;
        }
    }
    if from.array || to.array {
        return false;
    }
    if to.user_type.is_some() {
        return from.user_type != to.user_type;
    }
    let (a, b) = (from.kind, to.kind);
    let fits = |from: Option<u32>, to: Option<u32>| to.is_none_or(|to| from.is_some_and(|from| from <= to));
    if b.is_text() {
        // What does not fit is refused; a type other than text is spelled in a length that is not known.
        return if a.is_text() { !fits(from.length, to.length) } else { to.length.is_some() };
    }
    if a.is_text() {
        return true;
    }
    if let (Some((low, high)), Some((least, most))) = (integer_range(from), integer_range(to)) {
        return low < least || high > most;
    }
    let digits = |data_type: &DataType| {
        let scale = i64::from(data_type.scale.unwrap_or(0));
        data_type.length.map(|length| i64::from(length) - scale)
    };
    match (a, b) {
        (TypeKind::Decimal, TypeKind::Decimal) => match (digits(from), digits(to)) {
            (_, None) => false,
            (Some(had), Some(kept)) => kept < had,
            (None, Some(_)) => true,
        },
        (_, TypeKind::Decimal) if a.is_integer() => {
            let needed = integer_range(from).map_or(19, |(_, most)| i64::from(most.ilog10() + 1));
            digits(to).is_some_and(|kept| kept < needed)
        }
        (TypeKind::Decimal | TypeKind::Real | TypeKind::Double, _) if b.is_integer() => true,
        (TypeKind::Real | TypeKind::Double, TypeKind::Decimal) => to.length.is_some(),
        (TypeKind::Double, TypeKind::Real) | (TypeKind::Inet, TypeKind::Cidr) => true,
        _ => false,
    }
}

/// Counts the values that are in the way, where that can be asked for.
fn unfit(
    context: &Context<'_>,
    owner: &str,
    column: &Name,
    from: &DataType,
    to: &DataType,
) -> Option<String> {
    let column = lint::spelled(context, column.as_str());
    let condition = if let (true, Some(length)) = (from.kind.is_text() && to.kind.is_text(), to.length) {
        format!("length({column}) > {length}")
    } else if let (true, Some((least, most))) = (from.kind.is_numeric(), integer_range(to)) {
        format!("{column} NOT BETWEEN {least} AND {most}")
    } else {
        return None;
    };
    Some(format!("SELECT count(*) FROM {owner} WHERE {condition}"))
}
