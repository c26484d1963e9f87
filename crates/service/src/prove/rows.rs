//! A few rows for tables whose rows are not known, so that keeping them can be seen.

use dbwright_model::catalog::{Catalog, Check, Column, Table, TableKind, UserTypeKind};
use dbwright_model::change::Change;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_sql::effects::partition_checks;

use super::postgres::full;

/// Rows per table.
const ROWS: u32 = 20;

/// One `INSERT` for each row of a table.
pub(super) struct Filled {
    pub(super) table: QualifiedName,
    pub(super) inserts: Vec<String>,
}

/// Rows of every table that can hold some of its own. Values depend on the type and on the number of the row alone, so that
/// a reference finds its parent; some of them are null where that is asked for and allowed.
pub(super) fn of(dialect: Dialect, catalog: &Catalog, nulls: bool) -> Vec<Filled> {
    let mut filled = Vec::new();
    for table in &catalog.tables {
        if !matches!(table.kind, TableKind::Ordinary | TableKind::Partitioned { .. }) {
            continue;
        }
        let quote = |name: &str| dbwright_sql::quote_identifier(dialect, name);
        let columns: Vec<&Column> = table.columns.iter().filter(|column| is_written(column)).collect();
        let names: Vec<String> = columns.iter().map(|column| quote(column.name.as_str())).collect();
        let mut target = quote(table.name.name.as_str());
        if !table.name.schema.is_empty() {
            target = format!("{}.{target}", quote(table.name.schema.as_str()));
        }
        let inserts = (1..=ROWS).map(|row| {
            if columns.is_empty() {
                return format!("INSERT INTO {target} DEFAULT VALUES");
            }
            let values: Vec<String> =
                columns.iter().map(|column| value(catalog, table, column, row, nulls)).collect();
            format!("INSERT INTO {target} ({}) VALUES ({})", names.join(", "), values.join(", "))
        });
        filled.push(Filled { table: table.name.clone(), inserts: inserts.collect() });
    }
    filled
}

/// The catalog with tables that are to become partitions checked as if they were, so that their rows belong there.
pub(super) fn to_attach(catalog: &Catalog, changes: &[Change]) -> Catalog {
    let mut told = catalog.clone();
    for change in changes {
        let Change::AttachPartition { table, partition, bound, .. } = change else { continue };
        let Some(checks) = partition_checks(catalog, &full(table), bound) else { continue };
        let name = full(partition);
        let Some(table) = told.tables.iter_mut().find(|table| table.name == name) else { continue };
        let literal = |text: String| Expr::Literal(Literal::String(text));
        let list: Vec<Expr> = checks.samples.into_iter().map(literal).collect();
        if list.is_empty() {
            continue;
        }
        let operand = Box::new(Expr::column(&checks.column));
        let tree = Expr::InList { operand, list, negated: false };
        table.checks.retain(|check| {
            check.expression.tree.as_ref().is_none_or(|tree| !tree.columns().contains(&&checks.column))
        });
        let expression = Expression::parsed(checks.within.text, tree);
        table.checks.push(Check { expression, ..Check::default() });
    }
    told
}

/// The values of one row as literals, for the columns that a row has to say; none of them is null.
pub(super) fn row(dialect: Dialect, catalog: &Catalog, table: &Table, row: u32) -> Vec<(Name, String)> {
    debug_assert_eq!(dialect, catalog.engine.dialect());
    let columns = table.columns.iter().filter(|column| is_written(column));
    columns.map(|column| (column.name.clone(), value(catalog, table, column, row, false))).collect()
}

/// What tells one of the first rows from the others: the values of its key, or of its first column.
pub(super) fn key_of(catalog: &Catalog, table: &Table, row: u32) -> Vec<(Name, String)> {
    let row = 1 + (row - 1) % ROWS;
    let key: Vec<&Column> = match &table.primary_key {
        Some(key) => key.columns.iter().filter_map(|name| table.column(name.as_str())).collect(),
        None => table.columns.iter().find(|column| is_written(column)).into_iter().collect(),
    };
    let told = key.into_iter().map(|column| {
        let value =
            if is_written(column) { value(catalog, table, column, row, false) } else { format!("'{row}'") };
        (column.name.clone(), value)
    });
    told.collect()
}

/// Whether a row has to say the value: numbers of sequences and generated values come by themselves.
fn is_written(column: &Column) -> bool {
    let numbered = column.sequence.is_some()
        || column.default.as_ref().is_some_and(|default| default.text.contains("nextval("));
    column.generated.is_none() && column.identity.is_none() && !numbered && !column.auto_increment
}

fn value(catalog: &Catalog, table: &Table, column: &Column, row: u32, nulls: bool) -> String {
    if nulls && !column.not_null && row.is_multiple_of(3) {
        return "NULL".to_owned();
    }
    let allowed = literals(table, column);
    let text = match allowed.get(row as usize % allowed.len().max(1)) {
        Some(text) => text.clone(),
        None => of_type(catalog, &column.data_type, row),
    };
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts that the checks of a column compare it with.
fn literals(table: &Table, column: &Column) -> Vec<String> {
    let mut found = Vec::new();
    for check in &table.checks {
        let Some(tree) = &check.expression.tree else { continue };
        if tree.columns().iter().all(|name| **name == column.name) {
            collect(tree, &mut found);
        }
    }
    found
}

fn collect(expr: &Expr, found: &mut Vec<String>) {
    if let Expr::Literal(Literal::String(text)) = expr {
        found.push(text.to_string());
    }
    for child in expr.children() {
        collect(child, found);
    }
}

/// A value of a type, the same for every column of it. Texts are digits, which many types can be made of.
fn of_type(catalog: &Catalog, data_type: &DataType, row: u32) -> String {
    if let Some(name) = &data_type.user_type {
        let found = catalog.types.iter().find(|user_type| name.may_mean(&user_type.name));
        match found.map(|user_type| &user_type.kind) {
            Some(UserTypeKind::Enum(labels)) if !labels.is_empty() && !data_type.array => {
                return labels[row as usize % labels.len()].clone();
            }
            Some(UserTypeKind::Domain { base, .. }) if !data_type.array => {
                return of_type(catalog, base, row);
            }
            _ => {}
        }
    }
    if data_type.array {
        let item = of_type(catalog, &DataType { array: false, ..data_type.clone() }, row);
        return format!("{{\"{item}\"}}");
    }
    let shortened = |longest: u32| match longest {
        0..=8 => (row % 10_u32.pow(longest)).to_string(),
        _ => row.to_string(),
    };
    match data_type.kind {
        TypeKind::Boolean => (row % 2).to_string(),
        TypeKind::Char | TypeKind::Varchar => shortened(data_type.length.unwrap_or(9)),
        TypeKind::Date => day(row),
        TypeKind::Timestamp | TypeKind::TimestampTz => format!("{} 10:00:00", day(row)),
        TypeKind::Time | TypeKind::TimeTz => format!("{:02}:{:02}:00", 10 + row / 60 % 14, row % 60),
        TypeKind::Year => (2000 + row).to_string(),
        TypeKind::Uuid => format!("00000000-0000-4000-8000-{row:012}"),
        TypeKind::Xml => format!("<a>{row}</a>"),
        TypeKind::Inet => format!("10.0.{}.{}", row / 250, row % 250),
        TypeKind::Cidr => format!("10.{}.{}.0/24", row / 250, row % 250),
        TypeKind::MacAddr => format!("08:00:2b:00:{:02}:{:02}", row / 100, row % 100),
        TypeKind::Bit => {
            let width = data_type.length.unwrap_or(1) as usize;
            let bits = format!("{row:0width$b}");
            bits[bits.len() - width.min(bits.len())..].to_owned()
        }
        TypeKind::Range => "empty".to_owned(),
        TypeKind::Geometry => format!("({row},{row})"),
        _ => row.to_string(),
    }
}

/// A day of the same year for each row.
fn day(row: u32) -> String {
    format!("2024-{:02}-{:02}", 1 + (row - 1) / 28 % 12, 1 + (row - 1) % 28)
}
