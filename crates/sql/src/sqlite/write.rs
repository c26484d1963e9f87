//! Changes as statements of SQLite.

use dbwright_model::capability::{Capability, can};
use dbwright_model::catalog::{
    Check, Column, ForeignKey, Index, IndexKey, Key, Persistence, ReferentialAction, Table, TableKind, View,
};
use dbwright_model::change::{Change, ColumnPosition, DroppedConstraint, TransactionControl};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::name::{Name, QualifiedName};

use super::quote;
use crate::Written;

/// The first version whose `ALTER TABLE` adds and drops checks and `NOT NULL`.
const ALTERS_CONSTRAINTS: Version = Version::new(3, 53, 0);
/// The first version that renames columns.
const RENAMES_COLUMNS: Version = Version::new(3, 25, 0);

/// Writes a change; `None` when SQLite cannot express it. An unknown version is taken to be the newest one.
pub fn change(version: Option<Version>, change: &Change) -> Option<Vec<Written>> {
    let since = |first: Version| version.is_none_or(|version| version >= first);
    let sql = match change {
        Change::CreateTable { table, if_not_exists } => return create_table(table, *if_not_exists),
        Change::CreateTableAs { name, query, if_not_exists, .. } => {
            format!("CREATE TABLE {}{} AS {query}", unless_exists(*if_not_exists), object(name))
        }
        Change::DropTable { name, if_exists, cascade: false } => drop("TABLE", name, *if_exists),
        Change::DropView { name, materialized: false, if_exists, cascade: false } => {
            drop("VIEW", name, *if_exists)
        }
        Change::DropIndex { table: _, index, concurrently: false, if_exists, cascade: false, .. } => {
            drop("INDEX", index, *if_exists)
        }
        Change::DropTrigger { table, name, if_exists, .. } => {
            let schema = table.as_ref().map(|table| table.schema.clone()).unwrap_or_default();
            drop("TRIGGER", &QualifiedName { schema, name: name.clone() }, *if_exists)
        }
        Change::RenameTable { table, to, .. } if table.schema == to.schema => {
            format!("ALTER TABLE {} RENAME TO {}", object(table), name(&to.name))
        }
        Change::AddColumn { table, column, position: ColumnPosition::Last, if_not_exists: false, .. } => {
            format!("ALTER TABLE {} ADD COLUMN {}", object(table), definition(column, None)?)
        }
        Change::DropColumn { table, column, if_exists: false, cascade: false, .. }
            if can(Capability::DropColumn, Engine::Sqlite, version) =>
        {
            format!("ALTER TABLE {} DROP COLUMN {}", object(table), name(column))
        }
        Change::RenameColumn { table, column, to, .. } if since(RENAMES_COLUMNS) => {
            format!("ALTER TABLE {} RENAME COLUMN {} TO {}", object(table), name(column), name(to))
        }
        Change::SetNotNull { table, column, not_null, .. } if since(ALTERS_CONSTRAINTS) => {
            let verb = if *not_null { "SET" } else { "DROP" };
            format!("ALTER TABLE {} ALTER COLUMN {} {verb} NOT NULL", object(table), name(column))
        }
        Change::AddCheck { table, check, .. } if since(ALTERS_CONSTRAINTS) => {
            format!("ALTER TABLE {} ADD {}", object(table), check_text(check)?)
        }
        Change::DropConstraint {
            table,
            constraint: DroppedConstraint::Named(constraint),
            if_exists: false,
            cascade: false,
            ..
        } if since(ALTERS_CONSTRAINTS) => {
            format!("ALTER TABLE {} DROP CONSTRAINT {}", object(table), name(constraint))
        }
        Change::CreateIndex { table, index, concurrently: false, if_not_exists, only: false, .. } => {
            create_index(table, index, *if_not_exists)?
        }
        Change::CreateView { view, or_replace, .. } => return create_view(view, *or_replace),
        Change::CreateTrigger { trigger, .. } => {
            let whole = trigger.body.get(..15)?.eq_ignore_ascii_case("CREATE TRIGGER ");
            if !whole {
                return None;
            }
            trigger.body.clone()
        }
        Change::ReindexAll { target: dbwright_model::change::ReindexTarget::Database(None), .. } => {
            "REINDEX".to_owned()
        }
        Change::Reindex { index, concurrently: false } => format!("REINDEX {}", object(index)),
        Change::Analyze { table: None } => "ANALYZE".to_owned(),
        Change::Analyze { table: Some(table) } => format!("ANALYZE {}", object(table)),
        Change::Vacuum { table: None, full: false, freeze: false, .. } => {
            return outside("VACUUM".to_owned());
        }
        Change::SetServerSetting { name, value } => return pragma(name, value),
        Change::Transaction { control, .. } => {
            return outside(
                match control {
                    TransactionControl::Begin => "BEGIN",
                    TransactionControl::Commit => "COMMIT",
                    TransactionControl::Rollback => "ROLLBACK",
                    // Their names are not kept.
                    TransactionControl::Savepoint
                    | TransactionControl::RollbackTo
                    | TransactionControl::Release => return None,
                }
                .to_owned(),
            );
        }
        _ => return None,
    };
    Some(vec![inside(sql)])
}

fn inside(sql: String) -> Written {
    Written { sql, in_transaction: true }
}

fn outside(sql: String) -> Option<Vec<Written>> {
    Some(vec![Written { sql, in_transaction: false }])
}

fn name(name: &Name) -> String {
    quote::identifier(name.as_str())
}

fn names(list: &[Name]) -> String {
    list.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn object(object: &QualifiedName) -> String {
    if object.schema.is_empty() {
        name(&object.name)
    } else {
        format!("{}.{}", name(&object.schema), name(&object.name))
    }
}

fn drop(kind: &str, dropped: &QualifiedName, if_exists: bool) -> String {
    let guard = if if_exists { "IF EXISTS " } else { "" };
    format!("DROP {kind} {guard}{}", object(dropped))
}

fn unless_exists(if_not_exists: bool) -> &'static str {
    if if_not_exists { "IF NOT EXISTS " } else { "" }
}

fn create_table(table: &Table, if_not_exists: bool) -> Option<Vec<Written>> {
    if let TableKind::Virtual { .. } = &table.kind {
        let rest = table.definition.as_ref()?.strip_prefix("CREATE VIRTUAL TABLE ")?;
        return Some(vec![inside(format!("CREATE VIRTUAL TABLE {}{rest}", unless_exists(if_not_exists)))]);
    }
    let temporary = match table.persistence {
        Persistence::Permanent => "",
        Persistence::Temporary => "TEMP ",
        Persistence::Unlogged => return None,
    };
    let foreign = table.kind != TableKind::Ordinary
        || !table.exclusions.is_empty()
        || !table.inherits.is_empty()
        || !table.options.is_empty()
        || table.row_security.enabled
        || table.storage_engine.is_some()
        || table.collation.is_some()
        || table.comment.is_some();
    if foreign || table.columns.is_empty() {
        return None;
    }
    let inline = table.primary_key.as_ref().filter(|key| key.columns.len() == 1);
    let mut lines = Vec::new();
    for column in &table.columns {
        let key = inline.filter(|key| key.columns[0].eq_ignore_case(column.name.as_str()));
        lines.push(definition(column, key)?);
    }
    if let Some(key) = &table.primary_key
        && inline.is_none()
    {
        lines.push(format!("{}PRIMARY KEY ({})", named(&key.name), names(&plain(key)?.columns)));
    }
    for key in &table.uniques {
        lines.push(format!("{}UNIQUE ({})", named(&key.name), names(&plain(key)?.columns)));
    }
    for check in &table.checks {
        lines.push(check_text(check)?);
    }
    for foreign_key in &table.foreign_keys {
        lines.push(foreign_key_text(foreign_key)?);
    }
    let options = match (table.strict, table.without_rowid) {
        (false, false) => "",
        (true, false) => " STRICT",
        (false, true) => " WITHOUT ROWID",
        (true, true) => " STRICT, WITHOUT ROWID",
    };
    let mut written = vec![inside(format!(
        "CREATE {temporary}TABLE {}{} (\n    {}\n){options}",
        unless_exists(if_not_exists),
        object(&table.name),
        lines.join(",\n    ")
    ))];
    for index in table.indexes.iter().filter(|index| index.backs.is_none()) {
        written.push(inside(create_index(&table.name, index, if_not_exists)?));
    }
    Some(written)
}

/// A key without what SQLite does not know.
fn plain(key: &Key) -> Option<&Key> {
    (!key.nulls_not_distinct && !key.deferrable && !key.columns.is_empty()).then_some(key)
}

fn named(constraint: &Option<Name>) -> String {
    constraint.as_ref().map(|constraint| format!("CONSTRAINT {} ", name(constraint))).unwrap_or_default()
}

fn definition(column: &Column, primary_key: Option<&Key>) -> Option<String> {
    if column.identity.is_some()
        || column.sequence.is_some()
        || column.on_update.is_some()
        || column.comment.is_some()
    {
        return None;
    }
    let mut text = name(&column.name);
    if !column.data_type.text.is_empty() {
        text.push_str(&format!(" {}", column.data_type.text));
    }
    if let Some(key) = primary_key {
        text.push_str(&format!(" {}PRIMARY KEY", named(&plain(key)?.name)));
        if column.auto_increment {
            text.push_str(" AUTOINCREMENT");
        }
    } else if column.auto_increment {
        return None;
    }
    let rowid = primary_key.is_some() && column.data_type.text == "INTEGER";
    if column.not_null && !rowid {
        text.push_str(" NOT NULL");
    }
    if let Some(collation) = &column.collation {
        text.push_str(&format!(" COLLATE {}", name(collation)));
    }
    if let Some(default) = &column.default {
        let value = default.text.trim();
        let bare = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
            || value.strip_prefix('-').is_some_and(|number| number.parse::<f64>().is_ok())
            || (value.starts_with('\'')
                && super::lexer::tokens(value).is_some_and(|tokens| tokens.len() == 1));
        text.push_str(&if bare { format!(" DEFAULT {value}") } else { format!(" DEFAULT ({value})") });
    }
    if let Some(generated) = &column.generated {
        let stored = if generated.stored { "STORED" } else { "VIRTUAL" };
        text.push_str(&format!(" GENERATED ALWAYS AS ({}) {stored}", generated.expression.text));
    }
    Some(text)
}

fn check_text(check: &Check) -> Option<String> {
    (check.validated && check.enforced)
        .then(|| format!("{}CHECK ({})", named(&check.name), check.expression.text))
}

fn foreign_key_text(foreign_key: &ForeignKey) -> Option<String> {
    if !foreign_key.validated || !foreign_key.enforced || !foreign_key.references.schema.is_empty() {
        return None;
    }
    let mut text = format!(
        "{}FOREIGN KEY ({}) REFERENCES {}",
        named(&foreign_key.name),
        names(&foreign_key.columns),
        name(&foreign_key.references.name)
    );
    if !foreign_key.referenced_columns.is_empty() {
        text.push_str(&format!(" ({})", names(&foreign_key.referenced_columns)));
    }
    for (event, action) in [("DELETE", foreign_key.on_delete), ("UPDATE", foreign_key.on_update)] {
        let action = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        };
        text.push_str(&format!(" ON {event} {action}"));
    }
    if foreign_key.deferrable {
        // Without the second part SQLite would not defer at all.
        text.push_str(" DEFERRABLE INITIALLY DEFERRED");
    }
    Some(text)
}

fn create_index(table: &QualifiedName, index: &Index, if_not_exists: bool) -> Option<String> {
    let foreign = !index.include.is_empty()
        || !index.is_btree()
        || !index.visible
        || !index.valid
        || index.nulls_not_distinct
        || !index.options.is_empty();
    if foreign || index.parts.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    for part in &index.parts {
        if part.nulls_first || part.operator_class.is_some() || part.prefix.is_some() {
            return None;
        }
        let mut text = match &part.key {
            IndexKey::Column(column) => name(column),
            IndexKey::Expression(expression) => expression.text.clone(),
        };
        if let Some(collation) = &part.collation {
            text.push_str(&format!(" COLLATE {}", name(collation)));
        }
        if part.descending {
            text.push_str(" DESC");
        }
        parts.push(text);
    }
    let unique = if index.unique { "UNIQUE " } else { "" };
    let predicate =
        index.predicate.as_ref().map(|predicate| format!(" WHERE {}", predicate.text)).unwrap_or_default();
    Some(format!(
        "CREATE {unique}INDEX {}{} ON {} ({}){predicate}",
        unless_exists(if_not_exists),
        object(&table.sibling(&index.name)),
        name(&table.name),
        parts.join(", ")
    ))
}

fn create_view(view: &View, or_replace: bool) -> Option<Vec<Written>> {
    if view.materialized || !view.options.is_empty() || view.security_definer || view.comment.is_some() {
        return None;
    }
    let columns: Vec<Name> = view.columns.iter().map(|column| column.name.clone()).collect();
    let columns = if columns.is_empty() { String::new() } else { format!(" ({})", names(&columns)) };
    let mut written = Vec::new();
    if or_replace {
        written.push(inside(drop("VIEW", &view.name, true)));
    }
    written.push(inside(format!("CREATE VIEW {}{columns} AS {}", object(&view.name), view.definition)));
    Some(written)
}

fn pragma(setting: &Name, value: &str) -> Option<Vec<Written>> {
    let plain =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let value = if plain { value.to_owned() } else { quote::string(value) };
    // Several pragmas, `foreign_keys` and `journal_mode` first, do nothing inside a transaction.
    outside(format!("PRAGMA {} = {value}", name(setting)))
}
