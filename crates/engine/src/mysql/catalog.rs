//! The catalog out of `information_schema`: pure decoders of recorded rows.

use std::collections::BTreeMap;

use dbwright_model::catalog::{
    Catalog, Check, Column, ConstraintKind, Doubt, ForeignKey, Function, FunctionKind, Generated, Index,
    IndexKey, IndexPart, Key, ReferentialAction, Schema, Sequence, Table, TableKind, Trigger, View,
    Volatility,
};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use crate::row::{DecodeError, Row};

/// The rows of which a catalog is made, one list per `.sql` file.
#[derive(Clone, Debug, Default)]
pub(super) struct CatalogRows {
    pub(super) schemas: Vec<Row>,
    pub(super) tables: Vec<Row>,
    pub(super) columns: Vec<Row>,
    pub(super) indexes: Vec<Row>,
    pub(super) foreign_key_columns: Vec<Row>,
    pub(super) foreign_key_rules: Vec<Row>,
    pub(super) check_constraints: Vec<Row>,
    pub(super) check_owners: Vec<Row>,
    pub(super) views: Vec<Row>,
    pub(super) partitions: Vec<Row>,
}

/// How names and texts are read: by engine, and relative to the database of the target.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) engine: Engine,
    pub(super) database: &'a str,
}

impl Reading<'_> {
    /// A name, without its schema when that is the target's own database.
    pub(super) fn name(&self, schema: &str, name: &str) -> QualifiedName {
        let schema = if schema == self.database { "" } else { schema };
        QualifiedName::new(schema, name)
    }

    pub(super) fn table(&self, row: &Row) -> Result<QualifiedName, DecodeError> {
        Ok(self.name(row.text("table_schema")?, row.text("table_name")?))
    }

    /// An expression of `information_schema` as it was written. MySQL escapes the quotes in it; both wrap it in
    /// parentheses at times.
    fn expression(&self, text: &str) -> Expression {
        let text = match self.engine {
            Engine::Mysql => unescaped(text),
            _ => text.to_owned(),
        };
        Expression::text(without_parentheses(&text))
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// The text inside a pair of parentheses that spans all of it.
fn without_parentheses(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return text };
    let mut depth = 0i32;
    let mut quote = None;
    let mut escaped = false;
    for c in inner.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' | '`' => quote = Some(c),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            },
        }
        if depth < 0 {
            return text;
        }
    }
    inner.trim()
}

/// Builds the catalog; routines and triggers are read on their own.
pub(super) fn catalog(rows: &CatalogRows, reading: Reading<'_>) -> Result<Catalog, DecodeError> {
    let mut made = Catalog::empty(reading.engine);
    let mut tables: BTreeMap<QualifiedName, Table> = BTreeMap::new();
    let mut views: BTreeMap<QualifiedName, View> = BTreeMap::new();
    for row in &rows.schemas {
        let name = Name::new(row.text("name")?);
        if name != *reading.database {
            made.schemas.push(Schema { name, ..Schema::default() });
        }
    }
    for row in &rows.tables {
        let name = reading.table(row)?;
        match row.opt_text("table_type")?.unwrap_or_default() {
            "VIEW" => drop(views.insert(name.clone(), View { name, populated: true, ..View::default() })),
            kind @ ("BASE TABLE" | "SYSTEM VERSIONED") => {
                tables.insert(name.clone(), table(row, name, kind == "SYSTEM VERSIONED")?);
            }
            _ => {}
        }
    }
    for row in &rows.columns {
        let name = reading.table(row)?;
        if let Some(table) = tables.get_mut(&name) {
            let column = column(row, reading, table.collation.as_ref())?;
            table.columns.push(column);
        } else if let Some(view) = views.get_mut(&name) {
            view.columns.push(column(row, reading, None)?);
        }
    }
    for row in &rows.indexes {
        if let Some(table) = tables.get_mut(&reading.table(row)?) {
            index_part(row, reading, table)?;
        }
    }
    foreign_keys(rows, reading, &mut tables)?;
    checks(rows, reading, &mut tables, &mut made.doubts)?;
    let doubts = &mut made.doubts;
    for row in &rows.views {
        if let Some(made) = views.get_mut(&reading.table(row)?) {
            view(row, reading, made)?;
            if made.definition.is_empty() {
                let because = "the server hides its query: grant SHOW VIEW to the account".to_owned();
                doubts.push(Doubt { object: Some(made.name.clone()), because });
            }
        }
    }
    for row in &rows.partitions {
        if let Some(table) = tables.get_mut(&reading.table(row)?) {
            let method = row.opt_text("partition_method")?.unwrap_or_default().to_ascii_lowercase();
            let strategy = method.trim_start_matches("linear ").split(' ').next().unwrap_or_default();
            let key = row.opt_text("partition_expression")?.unwrap_or_default().to_owned();
            table.kind = TableKind::Partitioned { strategy: Name::new(strategy), key };
        }
    }
    made.tables = tables.into_values().map(finished).collect();
    made.views = views.into_values().collect();
    made.sort();
    Ok(made)
}

fn table(row: &Row, name: QualifiedName, versioned: bool) -> Result<Table, DecodeError> {
    let mut made = Table {
        name,
        storage_engine: row.opt_text("engine")?.map(Name::new),
        collation: row.opt_text("table_collation")?.map(Name::new),
        comment: row.opt_text("table_comment")?.filter(|text| !text.is_empty()).map(str::to_owned),
        ..Table::default()
    };
    for word in row.opt_text("create_options")?.unwrap_or_default().split_whitespace() {
        if let Some((name, value)) = word.split_once('=') {
            let name = name.trim_matches('`').to_ascii_lowercase();
            made.options.push((Name::from(name), value.trim_matches(['\'', '"']).to_owned()));
        }
    }
    if versioned {
        made.options.push((Name::new("system_versioning"), "yes".to_owned()));
    }
    Ok(made)
}

/// The type as the server spells it; its meaning is read on the text side.
fn column_type(text: &str) -> DataType {
    DataType::new(TypeKind::Other, text)
}

fn column(row: &Row, reading: Reading<'_>, table_collation: Option<&Name>) -> Result<Column, DecodeError> {
    let extra = row.opt_text("extra")?.unwrap_or_default();
    let lower = extra.to_ascii_lowercase();
    let spelled = row.text("column_type")?;
    let mut made = Column {
        name: Name::new(row.text("column_name")?),
        data_type: column_type(spelled),
        not_null: row.text("is_nullable")? == "NO",
        collation: row
            .opt_text("collation_name")?
            .map(Name::new)
            .filter(|name| Some(name) != table_collation),
        auto_increment: lower.contains("auto_increment"),
        comment: row.opt_text("column_comment")?.filter(|text| !text.is_empty()).map(str::to_owned),
        ..Column::default()
    };
    if let Some(text) = row.opt_text("generation_expression")?.filter(|text| !text.is_empty()) {
        let stored = lower.contains("stored generated") || lower.contains("persistent");
        made.generated = Some(Box::new(Generated { expression: reading.expression(text), stored }));
    } else if let Some(text) = row.opt_text("column_default")? {
        made.default = default(text, spelled, lower.contains("default_generated"), reading);
    }
    if let Some(at) = lower.find("on update ") {
        let text = &extra[at + "on update ".len()..];
        let text = text.split_whitespace().next().unwrap_or_default();
        made.on_update =
            Some(Box::new(Expression::text(current_timestamp(text).unwrap_or_else(|| text.to_owned()))));
    }
    Ok(made)
}

/// MariaDB prints a default as SQL, a null included; MySQL prints constants bare and marks expressions.
fn default(text: &str, column_type: &str, generated: bool, reading: Reading<'_>) -> Option<Expression> {
    if let Some(now) = current_timestamp(text) {
        return Some(Expression::text(now));
    }
    if reading.engine == Engine::Mariadb {
        return (!text.eq_ignore_ascii_case("null")).then(|| Expression::text(text));
    }
    if generated {
        return Some(reading.expression(text));
    }
    let quoted =
        ["char", "varchar", "enum", "set", "date", "time", "datetime", "timestamp", "text", "tinytext"];
    let word = column_type.split(['(', ' ']).next().unwrap_or_default();
    if quoted.contains(&word)
        || word.ends_with("text")
        || (word.ends_with("binary") && !text.starts_with("0x"))
    {
        let escaped = text.replace('\\', "\\\\").replace('\'', "''");
        return Some(Expression::text(format!("'{escaped}'")));
    }
    Some(Expression::text(text))
}

/// The one spelling of the current time, for its many.
fn current_timestamp(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("current_timestamp")?;
    match rest.trim_start_matches('(').trim_end_matches(')') {
        "" | "0" => Some("CURRENT_TIMESTAMP".to_owned()),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(format!("CURRENT_TIMESTAMP({digits})")),
        _ => None,
    }
}

fn index_part(row: &Row, reading: Reading<'_>, table: &mut Table) -> Result<(), DecodeError> {
    let name = Name::new(row.text("index_name")?);
    let kind = row.opt_text("index_type")?.unwrap_or_default().to_ascii_lowercase();
    if table.indexes.last().is_none_or(|index| index.name != name) {
        table.indexes.push(Index {
            name: name.clone(),
            unique: row.int("non_unique")? == 0,
            method: Name::new(if kind == "rtree" { "spatial" } else { &kind }),
            visible: row.opt_text("is_visible")? != Some("NO") && row.opt_text("ignored")? != Some("YES"),
            comment: row.opt_text("index_comment")?.filter(|text| !text.is_empty()).map(str::to_owned),
            ..Index::default()
        });
    }
    let Some(index) = table.indexes.last_mut() else { return Ok(()) };
    let key = match (row.opt_text("column_name")?, row.opt_text("expression")?) {
        (Some(column), _) => IndexKey::Column(Name::new(column)),
        (None, expression) => IndexKey::Expression(reading.expression(expression.unwrap_or_default())),
    };
    index.parts.push(IndexPart {
        key,
        descending: row.opt_text("collation")? == Some("D"),
        // Spatial indexes show the size of their boxes as a prefix.
        prefix: row.opt_count("sub_part")?.and_then(|n| u32::try_from(n).ok()).filter(|_| index.is_btree()),
        ..IndexPart::column("")
    });
    Ok(())
}

fn foreign_keys(
    rows: &CatalogRows,
    reading: Reading<'_>,
    tables: &mut BTreeMap<QualifiedName, Table>,
) -> Result<(), DecodeError> {
    for row in &rows.foreign_key_columns {
        let Some(table) = tables.get_mut(&reading.table(row)?) else { continue };
        let name = Some(Name::new(row.text("constraint_name")?));
        if table.foreign_keys.last().is_none_or(|key| key.name != name) {
            let schema = row.opt_text("referenced_table_schema")?.unwrap_or_default();
            let references = reading.name(schema, row.text("referenced_table_name")?);
            table.foreign_keys.push(ForeignKey { name, references, ..ForeignKey::default() });
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(Name::new(row.text("column_name")?));
            key.referenced_columns.extend(row.opt_text("referenced_column_name")?.map(Name::new));
        }
    }
    for row in &rows.foreign_key_rules {
        let Some(table) = tables.get_mut(&reading.table(row)?) else { continue };
        let name = Some(Name::new(row.text("constraint_name")?));
        if let Some(key) = table.foreign_keys.iter_mut().find(|key| key.name == name) {
            key.on_delete = action(row.text("delete_rule")?, reading.engine);
            key.on_update = action(row.text("update_rule")?, reading.engine);
        }
    }
    Ok(())
}

/// MariaDB shows an action that was not said as `RESTRICT`; MySQL knows the two words apart.
pub(super) fn action(rule: &str, engine: Engine) -> ReferentialAction {
    match rule {
        "RESTRICT" if engine == Engine::Mariadb => ReferentialAction::NoAction,
        "CASCADE" => ReferentialAction::Cascade,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        "RESTRICT" => ReferentialAction::Restrict,
        _ => ReferentialAction::NoAction,
    }
}

fn checks(
    rows: &CatalogRows,
    reading: Reading<'_>,
    tables: &mut BTreeMap<QualifiedName, Table>,
    doubts: &mut Vec<Doubt>,
) -> Result<(), DecodeError> {
    let mut owners: BTreeMap<(&str, &str), (&str, bool)> = BTreeMap::new();
    for row in &rows.check_owners {
        let enforced = row.opt_text("enforced")? != Some("NO");
        let key = (row.text("table_schema")?, row.text("constraint_name")?);
        owners.insert(key, (row.text("table_name")?, enforced));
    }
    for row in &rows.check_constraints {
        let schema = row.text("table_schema")?;
        let name = row.text("constraint_name")?;
        let owner = owners.get(&(schema, name));
        // MariaDB names the table itself, because names of its checks are unique in a table only.
        let table = match row.opt_text("table_name")? {
            Some(table) => table,
            None => match owner {
                Some((table, _)) => table,
                None => {
                    let because = format!("the server hides the table of check constraint `{name}`");
                    doubts.push(Doubt { object: None, because });
                    continue;
                }
            },
        };
        let Some(table) = tables.get_mut(&reading.name(schema, table)) else { continue };
        let enforced = owner.is_none_or(|(_, enforced)| *enforced);
        table.checks.push(Check {
            no_inherit: false,
            name: Some(Name::new(name)),
            expression: reading.expression(row.text("check_clause")?),
            validated: enforced,
            enforced,
        });
    }
    Ok(())
}

fn view(row: &Row, reading: Reading<'_>, made: &mut View) -> Result<(), DecodeError> {
    let definition = row.opt_text("view_definition")?.unwrap_or_default();
    made.definition = match reading.database {
        "" => definition.to_owned(),
        // The server writes the database before every table; within the target it goes without saying.
        database => definition.replace(&format!("{}.", super::wire::quoted(database)), ""),
    };
    made.owner = row.opt_text("definer")?.map(Name::new);
    made.security_definer = row.opt_text("security_type")? == Some("DEFINER");
    for (column, idle) in [("algorithm", "UNDEFINED"), ("check_option", "NONE")] {
        if let Some(value) = row.opt_text(column)?.filter(|value| *value != idle) {
            made.options.push((Name::new(column), value.to_ascii_lowercase()));
        }
    }
    Ok(())
}

/// What follows from the rows together: keys from indexes, implied indexes, and MariaDB's JSON.
fn finished(mut table: Table) -> Table {
    for index in &mut table.indexes {
        let whole = index.parts.iter().all(|part| part.prefix.is_none() && part.as_column().is_some());
        let columns: Vec<Name> = index.parts.iter().filter_map(|part| part.as_column().cloned()).collect();
        let key = Key { name: Some(index.name.clone()), columns, ..Key::default() };
        if index.name == "PRIMARY" {
            index.backs = Some(ConstraintKind::PrimaryKey);
            table.primary_key = Some(key);
        } else if index.unique && whole {
            index.backs = Some(ConstraintKind::Unique);
            table.uniques.push(key);
        } else if table
            .foreign_keys
            .iter()
            .any(|fk| fk.name.as_ref() == Some(&index.name) && fk.columns == key.columns)
        {
            // The server names the index that it makes for a foreign key after the constraint.
            index.backs = Some(ConstraintKind::ForeignKey);
        }
    }
    for column in &mut table.columns {
        let wanted = format!("json_valid(`{}`)", column.name);
        let is_json = column.data_type.text == *"longtext"
            && table.checks.iter().any(|check| {
                check.name.as_ref() == Some(&column.name)
                    && check.expression.text.eq_ignore_ascii_case(&wanted)
            });
        if is_json {
            column.data_type = column_type("json");
            column.collation = None;
            table.checks.retain(|check| check.name.as_ref() != Some(&column.name));
        }
    }
    table
}

/// A sequence of which only the name is known: what it holds is what the server would choose, and stands in doubt.
pub(super) fn unread_sequence(name: QualifiedName) -> Sequence {
    Sequence {
        name,
        data_type: DataType::new(TypeKind::BigInt, "bigint"),
        start: 1,
        increment: 1,
        min: 1,
        max: i64::MAX - 1,
        cycle: false,
        owned_by: None,
    }
}

/// A sequence of MariaDB, from the one row it holds, and the last value it handed out.
pub(super) fn sequence(row: &Row, name: QualifiedName) -> Result<(Sequence, Option<i64>), DecodeError> {
    let start = row.int("start_value")?;
    let increment = row.int("increment")?;
    let next = row.int("next_not_cached_value")?;
    let made = Sequence {
        name,
        data_type: DataType::new(TypeKind::BigInt, "bigint"),
        start,
        increment,
        min: row.int("minimum_value")?,
        max: row.int("maximum_value")?,
        cycle: row.int("cycle_option")? != 0,
        owned_by: None,
    };
    // Values in a server's cache count as handed out: after a crash they are gone.
    Ok((made, (next != start).then(|| next.saturating_sub(increment))))
}

/// Routines, and those whose bodies the server hides.
pub(super) fn functions(
    rows: &[Row],
    arguments: &[Row],
    reading: Reading<'_>,
) -> Result<(Vec<Function>, Vec<Doubt>), DecodeError> {
    let mut types: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for row in arguments {
        let key = (row.text("routine_schema")?, row.text("specific_name")?, row.text("routine_type")?);
        types.entry(key).or_default().push(row.opt_text("dtd_identifier")?.unwrap_or_default());
    }
    let mut made = Vec::new();
    let mut doubts = Vec::new();
    for row in rows {
        let schema = row.text("routine_schema")?;
        let kind = row.text("routine_type")?;
        if row.opt_text("routine_definition")?.unwrap_or_default().is_empty() {
            let object = Some(reading.name(schema, row.text("routine_name")?));
            let because = "its body is hidden: grant SHOW_ROUTINE or SELECT on mysql.proc".to_owned();
            doubts.push(Doubt { object, because });
        }
        let key = (schema, row.text("specific_name")?, kind);
        made.push(Function {
            name: reading.name(schema, row.text("routine_name")?),
            arguments: types.get(&key).map(|types| types.join(", ")).unwrap_or_default(),
            kind: if kind == "PROCEDURE" { FunctionKind::Procedure } else { FunctionKind::Function },
            language: Name::from(row.opt_text("routine_body")?.unwrap_or("SQL").to_ascii_lowercase()),
            volatility: match row.opt_text("is_deterministic")? {
                Some("YES") => Volatility::Immutable,
                _ => Volatility::Volatile,
            },
            security_definer: row.opt_text("security_type")? == Some("DEFINER"),
            body: row.opt_text("routine_definition")?.unwrap_or_default().to_owned(),
            owner: row.opt_text("definer")?.map(Name::new),
            ..Function::default()
        });
    }
    made.sort_by(|a, b| (&a.name, &a.arguments).cmp(&(&b.name, &b.arguments)));
    Ok((made, doubts))
}

/// Triggers.
pub(super) fn triggers(rows: &[Row], reading: Reading<'_>) -> Result<Vec<Trigger>, DecodeError> {
    let mut made = Vec::new();
    for row in rows {
        let mut events: Vec<Name> = row.text("event_manipulation")?.split(',').map(Name::new).collect();
        events.sort();
        made.push(Trigger {
            name: Name::new(row.text("trigger_name")?),
            table: reading.table(row)?,
            timing: Name::new(row.text("action_timing")?),
            events,
            for_each_row: true,
            body: row.opt_text("action_statement")?.unwrap_or_default().to_owned(),
            enabled: true,
            definer: row.opt_text("definer")?.map(Name::new),
            ..Trigger::default()
        });
    }
    made.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
    Ok(made)
}
