//! Changes as statements of MySQL and MariaDB.

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::catalog::{
    Check, Column, ConstraintKind, ForeignKey, Index, IndexKey, Key, Persistence, ReferentialAction, Table,
    TableKind, View,
};
use dbwright_model::change::{Change, ColumnPosition, CommentTarget, DroppedConstraint, TransactionControl};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::quote::{identifier, string};
use crate::Written;

/// Writes a change; `None` when MySQL and MariaDB cannot express it.
pub fn change(engine: Engine, _version: Option<Version>, change: &Change) -> Option<Vec<Written>> {
    let mut sql = statement(engine, change)?;
    if let Some(online) = change.alter().map(|alter| alter.online)
        && sql.starts_with("ALTER TABLE")
    {
        if let Some(algorithm) = online.algorithm {
            sql.push_str(&format!(", ALGORITHM={}", algorithm.as_str()));
        }
        if let Some(lock) = online.lock {
            sql.push_str(&format!(", {}", lock.as_str()));
        }
    }
    if engine == Engine::Mariadb && change.alter().is_some_and(|alter| alter.ignore) {
        sql = sql.replacen("ALTER TABLE", "ALTER IGNORE TABLE", 1);
    }
    // DDL commits whatever came before it.
    let in_transaction = matches!(change, Change::Data { .. });
    Some(vec![Written { sql, in_transaction }])
}

fn statement(engine: Engine, change: &Change) -> Option<String> {
    Some(match change {
        Change::CreateSchema { name, if_not_exists } => {
            format!("CREATE DATABASE {}{}", if_clause(*if_not_exists, "IF NOT EXISTS "), id(name))
        }
        Change::DropSchema { name, if_exists, .. } => {
            format!("DROP DATABASE {}{}", exists(*if_exists), id(name))
        }
        Change::CreateTable { table, if_not_exists } => create_table(engine, table, *if_not_exists)?,
        Change::CreateTableLike { table, like, if_not_exists, .. } => format!(
            "CREATE {}TABLE {}{} LIKE {}",
            temporary(table),
            if_clause(*if_not_exists, "IF NOT EXISTS "),
            qualified(&table.name),
            qualified(like)
        ),
        Change::CreateTableAs { name, query, if_not_exists, .. } => format!(
            "CREATE TABLE {}{} AS {query}",
            if_clause(*if_not_exists, "IF NOT EXISTS "),
            qualified(name)
        ),
        Change::DropTable { name, if_exists, .. } => {
            format!("DROP TABLE {}{}", exists(*if_exists), qualified(name))
        }
        Change::RenameTable { table, to, .. } => {
            format!("RENAME TABLE {} TO {}", qualified(table), qualified(to))
        }
        Change::AddColumn { table, column, position, if_not_exists, .. } => {
            if *if_not_exists && engine == Engine::Mysql {
                return None;
            }
            alter(
                table,
                format!(
                    "ADD COLUMN {}{}{}",
                    if_clause(*if_not_exists, "IF NOT EXISTS "),
                    column_definition(engine, column),
                    placed(position)
                ),
            )
        }
        Change::DropColumn { table, column, if_exists, .. } => {
            alter(table, format!("DROP COLUMN {}{}", only_mariadb(engine, *if_exists)?, id(column)))
        }
        Change::RenameColumn { table, column, to, .. } => {
            alter(table, format!("RENAME COLUMN {} TO {}", id(column), id(to)))
        }
        Change::ModifyColumn { table, column, to, position, .. } => {
            let definition = format!("{}{}", column_definition(engine, to), placed(position));
            if *column == to.name {
                alter(table, format!("MODIFY COLUMN {definition}"))
            } else {
                alter(table, format!("CHANGE COLUMN {} {definition}", id(column)))
            }
        }
        Change::SetDefault { table, column, default, .. } => match default {
            Some(default) => alter(
                table,
                format!("ALTER COLUMN {} SET DEFAULT {}", id(column), default_value(engine, None, default)),
            ),
            None => alter(table, format!("ALTER COLUMN {} DROP DEFAULT", id(column))),
        },
        Change::AddPrimaryKey { table, key, .. } => {
            alter(table, format!("ADD PRIMARY KEY ({})", list(&key.columns)))
        }
        Change::AddUnique { table, key, .. } => alter(table, format!("ADD {}", unique_key(key))),
        Change::AddCheck { table, check, .. } => alter(table, format!("ADD {}", check_clause(check))),
        Change::AddForeignKey { table, foreign_key, .. } => {
            alter(table, format!("ADD {}", foreign_key_clause(foreign_key)))
        }
        Change::DropConstraint { table, constraint, if_exists, .. } => match constraint {
            DroppedConstraint::PrimaryKey => alter(table, "DROP PRIMARY KEY".to_owned()),
            DroppedConstraint::Named(name) => {
                alter(table, format!("DROP CONSTRAINT {}{}", only_mariadb(engine, *if_exists)?, id(name)))
            }
        },
        Change::CreateIndex { table, index, if_not_exists, .. } => {
            create_index(engine, table, index, *if_not_exists)?
        }
        Change::DropIndex { table, index, if_exists, .. } => format!(
            "DROP INDEX {}{} ON {}",
            only_mariadb(engine, *if_exists)?,
            id(&index.name),
            qualified(table.as_ref()?)
        ),
        Change::RenameIndex { table, index, to, .. } => {
            alter(table.as_ref()?, format!("RENAME INDEX {} TO {}", id(&index.name), id(to)))
        }
        Change::SetIndexVisible { table, index, visible, .. } => {
            alter(table, format!("ALTER INDEX {} {}", id(index), visibility(engine, *visible)))
        }
        Change::RebuildTable { table, .. } => alter(table, "FORCE".to_owned()),
        Change::OrderTable { table, by, .. } => alter(table, format!("ORDER BY {by}")),
        Change::AlterPartitions { table, partitions, .. } => alter(table, partitions.text.clone()),
        Change::SetTableOptions { table, options, .. } => table_options(table, options)?,
        Change::CreateView { view, or_replace, .. } => create_view(view, *or_replace),
        Change::DropView { name, materialized: false, if_exists, .. } => {
            format!("DROP VIEW {}{}", exists(*if_exists), qualified(name))
        }
        Change::CreateSequence { sequence, if_not_exists } if engine == Engine::Mariadb => format!(
            "CREATE SEQUENCE {}{} START WITH {} INCREMENT BY {} MINVALUE {} MAXVALUE {}{}",
            if_clause(*if_not_exists, "IF NOT EXISTS "),
            qualified(&sequence.name),
            sequence.start,
            sequence.increment,
            sequence.min,
            sequence.max,
            if_clause(sequence.cycle, " CYCLE")
        ),
        Change::AlterSequence { name, changes, .. } if engine == Engine::Mariadb => {
            let mut sql = format!("ALTER SEQUENCE {}", qualified(name));
            let numbers =
                [("INCREMENT BY", changes.increment), ("MINVALUE", changes.min), ("MAXVALUE", changes.max)];
            for (clause, number) in numbers {
                if let Some(number) = number {
                    sql.push_str(&format!(" {clause} {number}"));
                }
            }
            match changes.cycle {
                Some(true) => sql.push_str(" CYCLE"),
                Some(false) => sql.push_str(" NOCYCLE"),
                None => {}
            }
            let unsaid = changes.no_min || changes.no_max || changes.data_type.is_some();
            if changes.rename.is_some() || changes.owned_by.is_some() || unsaid {
                return None;
            }
            sql
        }
        Change::DropSequence { name, if_exists, .. } if engine == Engine::Mariadb => {
            format!("DROP SEQUENCE {}{}", exists(*if_exists), qualified(name))
        }
        Change::SetSequenceValue { name, value } if engine == Engine::Mariadb => {
            format!("ALTER SEQUENCE {} RESTART WITH {}", qualified(name), value.checked_add(1)?)
        }
        Change::DropFunction { name, if_exists, .. } => {
            // The change does not say which of the two it is; procedures are dropped by their own statement.
            format!("DROP FUNCTION {}{}", exists(*if_exists), qualified(name))
        }
        Change::CreateTrigger { trigger, .. } => format!(
            "CREATE {}TRIGGER {} {} {} ON {} FOR EACH ROW {}",
            definer(trigger.definer.as_ref()),
            id(&trigger.name),
            trigger.timing,
            dbwright_model::name::join(&trigger.events).replace(", ", " OR "),
            qualified(&trigger.table),
            trigger.body
        ),
        Change::DropTrigger { name, if_exists, .. } => {
            format!("DROP TRIGGER {}{}", exists(*if_exists), id(name))
        }
        Change::Comment { on: CommentTarget::Table(table), text } => {
            alter(table, format!("COMMENT = {}", string(text.as_deref().unwrap_or_default())))
        }
        Change::SetGrant { grant, granted, .. } => set_grant(grant, *granted)?,
        Change::SetServerSetting { name, value } => format!("SET GLOBAL {name} = {}", setting(value)),
        Change::SetSessionSetting { name, value, .. } => {
            format!("SET {name} = {}", value.as_deref().map_or("DEFAULT".to_owned(), setting))
        }
        Change::Analyze { table } => format!("ANALYZE TABLE {}", qualified(table.as_ref()?)),
        Change::Vacuum { table, full: true, .. } => format!("OPTIMIZE TABLE {}", qualified(table.as_ref()?)),
        Change::Transaction { control, .. } => match control {
            TransactionControl::Begin => "START TRANSACTION".to_owned(),
            TransactionControl::Commit => "COMMIT".to_owned(),
            TransactionControl::Rollback => "ROLLBACK".to_owned(),
            _ => return None,
        },
        _ => return None,
    })
}

fn id(name: &Name) -> String {
    identifier(name.as_str())
}

fn qualified(name: &QualifiedName) -> String {
    if name.schema.is_empty() { id(&name.name) } else { format!("{}.{}", id(&name.schema), id(&name.name)) }
}

fn list(names: &[Name]) -> String {
    names.iter().map(id).collect::<Vec<_>>().join(", ")
}

fn if_clause(said: bool, clause: &'static str) -> &'static str {
    if said { clause } else { "" }
}

fn exists(said: bool) -> &'static str {
    if_clause(said, "IF EXISTS ")
}

/// `IF EXISTS` where only MariaDB knows it.
fn only_mariadb(engine: Engine, said: bool) -> Option<&'static str> {
    (!said || engine == Engine::Mariadb).then(|| exists(said))
}

fn temporary(table: &Table) -> &'static str {
    if_clause(table.persistence == Persistence::Temporary, "TEMPORARY ")
}

fn alter(table: &QualifiedName, action: String) -> String {
    format!("ALTER TABLE {} {action}", qualified(table))
}

fn placed(position: &ColumnPosition) -> String {
    match position {
        ColumnPosition::Last => String::new(),
        ColumnPosition::First => " FIRST".to_owned(),
        ColumnPosition::After(name) => format!(" AFTER {}", id(name)),
    }
}

fn visibility(engine: Engine, visible: bool) -> &'static str {
    match (engine, visible) {
        (Engine::Mariadb, true) => "NOT IGNORED",
        (Engine::Mariadb, false) => "IGNORED",
        (_, true) => "VISIBLE",
        (_, false) => "INVISIBLE",
    }
}

fn collation_clause(collation: &Name, charset_words: &str) -> String {
    // A bare character set stands for its default collation.
    if collation.as_str().contains('_') {
        format!(" COLLATE {collation}")
    } else {
        format!(" {charset_words} {collation}")
    }
}

fn column_definition(engine: Engine, column: &Column) -> String {
    let mut sql = format!("{} {}", id(&column.name), column.data_type.text);
    if let Some(collation) = &column.collation {
        sql.push_str(&collation_clause(collation, "CHARACTER SET"));
    }
    if let Some(generated) = &column.generated {
        match generated.expression.text.as_str() {
            "ROW START" | "ROW END" => {
                sql.push_str(&format!(" GENERATED ALWAYS AS {}", generated.expression.text));
            }
            text => {
                let stored = if generated.stored { "STORED" } else { "VIRTUAL" };
                sql.push_str(&format!(" GENERATED ALWAYS AS ({text}) {stored}"));
            }
        }
    }
    if column.not_null && !(engine == Engine::Mariadb && column.generated.is_some()) {
        sql.push_str(" NOT NULL");
    } else if column.data_type.kind == TypeKind::TimestampTz {
        // Without a word a `timestamp` is NOT NULL on servers before explicit_defaults_for_timestamp.
        sql.push_str(" NULL");
    }
    if let Some(default) = &column.default {
        sql.push_str(&format!(" DEFAULT {}", default_value(engine, Some(&column.data_type), default)));
    }
    if let Some(on_update) = &column.on_update {
        sql.push_str(&format!(" ON UPDATE {}", on_update.text));
    }
    if column.auto_increment {
        sql.push_str(" AUTO_INCREMENT");
    }
    if let Some(comment) = &column.comment {
        sql.push_str(&format!(" COMMENT {}", string(comment)));
    }
    sql
}

/// A default; anything but a constant or the current time needs parentheses, and so does every default of MySQL's
/// large types.
fn default_value(engine: Engine, data_type: Option<&DataType>, default: &Expression) -> String {
    use dbwright_model::expression::{Expr, Literal};
    let text = default.text.as_str();
    let large = data_type.is_some_and(|data_type| {
        matches!(data_type.kind, TypeKind::Text | TypeKind::Json | TypeKind::Geometry)
            || (data_type.kind == TypeKind::Bytes && data_type.text.as_str().contains("blob"))
    });
    if text.eq_ignore_ascii_case("null") {
        return text.to_owned();
    }
    let constant = match super::expression::expression(text) {
        Some(Expr::Literal(literal)) => !matches!(literal, Literal::DoubleQuoted(_)),
        _ => false,
    };
    let simple = constant || super::column::current_timestamp(text).is_some();
    if simple && !(large && engine == Engine::Mysql) { text.to_owned() } else { format!("({text})") }
}

fn create_table(engine: Engine, table: &Table, if_not_exists: bool) -> Option<String> {
    let mut lines: Vec<String> =
        table.columns.iter().map(|column| column_definition(engine, column)).collect();
    if let Some(key) = &table.primary_key {
        lines.push(format!("PRIMARY KEY ({})", primary_parts(engine, table, key)?));
    }
    for index in &table.indexes {
        match index.backs {
            Some(ConstraintKind::PrimaryKey | ConstraintKind::ForeignKey) => {}
            _ => lines.push(index_clause(engine, index)?),
        }
    }
    for key in &table.uniques {
        let listed = table.indexes.iter().any(|index| {
            index.backs == Some(ConstraintKind::Unique)
                && index.columns().is_some_and(|columns| columns.into_iter().eq(&key.columns))
        });
        if !listed {
            lines.push(unique_key(key));
        }
    }
    lines.extend(table.foreign_keys.iter().map(foreign_key_clause));
    lines.extend(table.checks.iter().map(check_clause));
    let mut sql = format!(
        "CREATE {}TABLE {}{} (\n  {}\n)",
        temporary(table),
        if_clause(if_not_exists, "IF NOT EXISTS "),
        qualified(&table.name),
        lines.join(",\n  ")
    );
    if let Some(storage_engine) = &table.storage_engine {
        sql.push_str(&format!(" ENGINE={storage_engine}"));
    }
    if let Some(collation) = &table.collation {
        sql.push_str(&collation_clause(collation, "DEFAULT CHARACTER SET"));
    }
    for (name, value) in &table.options {
        sql.push_str(&option(name, value)?);
    }
    if let Some(comment) = &table.comment {
        sql.push_str(&format!(" COMMENT={}", string(comment)));
    }
    match &table.kind {
        TableKind::Ordinary => {}
        TableKind::Partitioned { strategy, key } if *strategy == "hash" || *strategy == "key" => {
            sql.push_str(&format!(" PARTITION BY {} ({key})", strategy.as_str().to_ascii_uppercase()));
        }
        // The partitions themselves are not known, and without them the statement is refused.
        _ => return None,
    }
    Some(sql)
}

/// The columns of a primary key with the prefixes that its index keeps.
fn primary_parts(engine: Engine, table: &Table, key: &Key) -> Option<String> {
    match table.indexes.iter().find(|index| index.backs == Some(ConstraintKind::PrimaryKey)) {
        Some(index) => parts(engine, index),
        None => Some(list(&key.columns)),
    }
}

fn option(name: &Name, value: &str) -> Option<String> {
    Some(match name.as_str() {
        "system_versioning" if value == "yes" => " WITH SYSTEM VERSIONING".to_owned(),
        "system_versioning" => return None,
        "data_directory" => format!(" DATA DIRECTORY={}", string(value)),
        "index_directory" => format!(" INDEX DIRECTORY={}", string(value)),
        "union" => format!(" UNION=({value})"),
        "connection" | "compression" | "encryption" | "password" | "engine_attribute" => {
            format!(" {}={}", name.as_str().to_ascii_uppercase(), string(value))
        }
        name => {
            let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let value = if plain { value.to_owned() } else { string(value) };
            format!(" {}={value}", name.to_ascii_uppercase())
        }
    })
}

fn unique_key(key: &Key) -> String {
    let name = key.name.as_ref().map_or(String::new(), |name| format!("{} ", id(name)));
    format!("UNIQUE KEY {name}({})", list(&key.columns))
}

fn parts(engine: Engine, index: &Index) -> Option<String> {
    let mut shown = Vec::new();
    for part in &index.parts {
        let mut text = match &part.key {
            IndexKey::Column(name) => id(name),
            // MariaDB has no functional key parts.
            IndexKey::Expression(_) if engine == Engine::Mariadb => return None,
            IndexKey::Expression(expression) => format!("({})", expression.text),
        };
        if let Some(prefix) = part.prefix {
            text.push_str(&format!("({prefix})"));
        }
        if part.descending {
            text.push_str(" DESC");
        }
        shown.push(text);
    }
    Some(shown.join(", "))
}

/// Words before and after the key parts.
fn index_words(engine: Engine, index: &Index) -> Option<(&'static str, String)> {
    if index.predicate.is_some() || !index.include.is_empty() || !index.valid {
        return None;
    }
    let mut behind = String::new();
    let before = match (index.method.as_str(), index.unique) {
        ("fulltext", _) => "FULLTEXT ",
        ("spatial", _) => "SPATIAL ",
        ("btree", unique) => if_clause(unique, "UNIQUE "),
        ("hash" | "rtree", unique) => {
            behind.push_str(&format!(" USING {}", index.method.as_str().to_ascii_uppercase()));
            if_clause(unique, "UNIQUE ")
        }
        _ => return None,
    };
    for (name, value) in &index.options {
        match name.as_str() {
            "parser" => behind.push_str(&format!(" WITH PARSER {}", identifier(value))),
            "key_block_size" => behind.push_str(&format!(" KEY_BLOCK_SIZE={value}")),
            _ => return None,
        }
    }
    if let Some(comment) = &index.comment {
        behind.push_str(&format!(" COMMENT {}", string(comment)));
    }
    if !index.visible {
        behind.push_str(&format!(" {}", visibility(engine, false)));
    }
    Some((before, behind))
}

fn index_clause(engine: Engine, index: &Index) -> Option<String> {
    let (before, behind) = index_words(engine, index)?;
    let name = if index.name.is_empty() { String::new() } else { format!("{} ", id(&index.name)) };
    Some(format!("{before}KEY {name}({}){behind}", parts(engine, index)?))
}

fn create_index(engine: Engine, table: &QualifiedName, index: &Index, if_not_exists: bool) -> Option<String> {
    if index.name.is_empty() {
        return Some(alter(table, format!("ADD {}", index_clause(engine, index)?)));
    }
    if if_not_exists && engine == Engine::Mysql {
        return None;
    }
    let (before, behind) = index_words(engine, index)?;
    Some(format!(
        "CREATE {before}INDEX {}{} ON {} ({}){behind}",
        if_clause(if_not_exists, "IF NOT EXISTS "),
        id(&index.name),
        qualified(table),
        parts(engine, index)?
    ))
}

fn constraint_name(name: Option<&Name>) -> String {
    name.map_or(String::new(), |name| format!("CONSTRAINT {} ", id(name)))
}

fn check_clause(check: &Check) -> String {
    format!(
        "{}CHECK ({}){}",
        constraint_name(check.name.as_ref()),
        check.expression.text,
        if_clause(!check.enforced, " NOT ENFORCED")
    )
}

fn foreign_key_clause(key: &ForeignKey) -> String {
    let mut sql = format!(
        "{}FOREIGN KEY ({}) REFERENCES {}",
        constraint_name(key.name.as_ref()),
        list(&key.columns),
        qualified(&key.references)
    );
    if !key.referenced_columns.is_empty() {
        sql.push_str(&format!(" ({})", list(&key.referenced_columns)));
    }
    for (clause, action) in [(" ON DELETE ", key.on_delete), (" ON UPDATE ", key.on_update)] {
        let action = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        };
        sql.push_str(clause);
        sql.push_str(action);
    }
    sql
}

fn table_options(table: &QualifiedName, options: &[(Name, String)]) -> Option<String> {
    let mut actions = Vec::new();
    for (name, value) in options {
        actions.push(match name.as_str() {
            "system_versioning" if value == "yes" => "ADD SYSTEM VERSIONING".to_owned(),
            "system_versioning" => "DROP SYSTEM VERSIONING".to_owned(),
            "convert_to" if value.contains('_') => {
                let charset = value.split('_').next()?;
                format!("CONVERT TO CHARACTER SET {charset} COLLATE {value}")
            }
            "convert_to" => format!("CONVERT TO CHARACTER SET {value}"),
            "charset" => format!("DEFAULT CHARACTER SET = {value}"),
            "collation" => format!("COLLATE = {value}"),
            "engine" => format!("ENGINE = {value}"),
            _ => option(name, value)?.trim_start().to_owned(),
        });
    }
    (!actions.is_empty()).then(|| alter(table, actions.join(", ")))
}

fn account(account: &Name) -> String {
    match account.as_str().rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", string(user), string(host)),
        None => string(account.as_str()),
    }
}

fn definer(account_name: Option<&Name>) -> String {
    account_name.map_or(String::new(), |name| format!("DEFINER={} ", account(name)))
}

fn create_view(view: &View, or_replace: bool) -> String {
    let said = |wanted: &str| {
        view.options.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_ascii_uppercase())
    };
    let columns: Vec<Name> = view.columns.iter().map(|column| column.name.clone()).collect();
    format!(
        "CREATE {}{}{}SQL SECURITY {} VIEW {}{} AS {}{}",
        if_clause(or_replace, "OR REPLACE "),
        said("algorithm").map_or(String::new(), |algorithm| format!("ALGORITHM={algorithm} ")),
        definer(view.owner.as_ref()),
        if view.security_definer { "DEFINER" } else { "INVOKER" },
        qualified(&view.name),
        if columns.is_empty() { String::new() } else { format!(" ({})", list(&columns)) },
        view.definition,
        said("check_option").map_or(String::new(), |option| format!(" WITH {option} CHECK OPTION"))
    )
}

fn set_grant(grant: &Grant, granted: bool) -> Option<String> {
    let mut privilege = grant.privilege.as_str().to_owned();
    let on = match grant.object_kind {
        GrantObject::Server => "*.*".to_owned(),
        GrantObject::Database if grant.object.name.is_empty() => "*".to_owned(),
        GrantObject::Database => format!("{}.*", id(&grant.object.name)),
        GrantObject::Table => qualified(&grant.object),
        GrantObject::Column => {
            let (table, column) = grant.object.name.as_str().rsplit_once('.')?;
            privilege.push_str(&format!(" ({})", identifier(column)));
            qualified(&grant.object.sibling(table))
        }
        // Whether it is a function or a procedure is not known.
        _ => return None,
    };
    let (verb, to) = if granted { ("GRANT", "TO") } else { ("REVOKE", "FROM") };
    let option = if_clause(granted && grant.grantable, " WITH GRANT OPTION");
    Some(format!("{verb} {privilege} ON {on} {to} {}{option}", account(&grant.grantee)))
}

/// A value of a setting: numbers and words bare, everything else as a string.
fn setting(value: &str) -> String {
    let bare = !value.is_empty()
        && (value.parse::<f64>().is_ok()
            || value.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
            || value.contains(['(', '@']));
    if bare { value.to_owned() } else { string(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::parse::statement as parse;

    fn check(engine: Engine, text: &str) {
        for parsed in parse(text) {
            assert!(!matches!(parsed, Change::Opaque { .. }), "{text}: {parsed:?}");
            let written = change(engine, None, &parsed).unwrap_or_else(|| panic!("{text} was not written"));
            let sql = &written[0].sql;
            assert_eq!(parse(sql), [parsed], "{text}\n{sql}");
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let both = [
            "CREATE DATABASE IF NOT EXISTS shop",
            "DROP DATABASE shop",
            "CREATE TABLE t (id bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'it''s', a varchar(20) CHARACTER \
             SET latin1 DEFAULT 'x', b datetime(6) DEFAULT now(6) ON UPDATE now(6), c int(11) DEFAULT (uuid_short()), \
             d decimal(10,2) NOT NULL DEFAULT 0.5, e enum('a','b') COLLATE utf8mb4_bin, `order` text, ts timestamp \
             NULL, PRIMARY KEY (id), UNIQUE KEY u (a, b), KEY k (a(5), d DESC), FULLTEXT KEY f (`order`), \
             CONSTRAINT fk FOREIGN KEY (c) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL, \
             CONSTRAINT ck CHECK (d > 0)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci \
             ROW_FORMAT=DYNAMIC COMMENT='hi'",
            "CREATE TEMPORARY TABLE t (a int)",
            "CREATE TABLE t (a int, b int AS (a + 1) STORED, c int AS (a * 2) VIRTUAL)",
            "CREATE TABLE t (a int) PARTITION BY HASH (a)",
            "CREATE TABLE t LIKE parent",
            "CREATE TABLE t AS SELECT 1 AS a",
            "DROP TABLE IF EXISTS db.t",
            "RENAME TABLE t TO child",
            "ALTER TABLE t ADD COLUMN a json AFTER b, DROP COLUMN c, RENAME COLUMN d TO e",
            "ALTER TABLE t MODIFY a bigint NOT NULL FIRST, CHANGE b c varchar(5) DEFAULT NULL",
            "ALTER TABLE t ALTER a SET DEFAULT 5, ALTER b DROP DEFAULT",
            "ALTER TABLE t ADD PRIMARY KEY (a), DROP PRIMARY KEY",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b), ADD UNIQUE (c)",
            "ALTER TABLE t ADD UNIQUE KEY u (a(10))",
            "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES parent (id) ON DELETE RESTRICT",
            "ALTER TABLE t ADD CHECK (a <> ''), DROP CONSTRAINT ck",
            "ALTER TABLE t ADD KEY (a)",
            "CREATE UNIQUE INDEX i ON t (a, b DESC) COMMENT 'c'",
            "CREATE INDEX i ON t (a) INVISIBLE",
            "CREATE FULLTEXT INDEX i ON t (a) WITH PARSER ngram",
            "CREATE SPATIAL INDEX i ON t (g)",
            "DROP INDEX i ON t",
            "ALTER TABLE t RENAME INDEX i TO j, ALTER INDEX k INVISIBLE",
            "ALTER TABLE t ENGINE=InnoDB",
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
            "ALTER TABLE t AUTO_INCREMENT=100",
            "ALTER TABLE t COMMENT='new'",
            "ALTER TABLE t FORCE",
            "CREATE OR REPLACE DEFINER=`app`@`%` SQL SECURITY INVOKER VIEW v (a) AS select 1 WITH CHECK OPTION",
            "CREATE ALGORITHM=MERGE VIEW v AS select a from t",
            "DROP VIEW IF EXISTS v",
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
            "DROP TRIGGER tr",
            "GRANT SELECT, UPDATE (a) ON db.t TO 'app'@'10.%' WITH GRANT OPTION",
            "GRANT ALL PRIVILEGES ON *.* TO app",
            "REVOKE DELETE ON shop.* FROM app@localhost",
            "SET GLOBAL max_connections = 500",
            "SET SESSION lock_wait_timeout = 5",
            "SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'",
            "ANALYZE TABLE t",
            "OPTIMIZE TABLE t",
            "START TRANSACTION",
        ];
        for text in both {
            check(Engine::Mysql, text);
            check(Engine::Mariadb, text);
        }
        check(Engine::Mysql, "CREATE INDEX i ON t ((lower(a)), b)");
        check(Engine::Mysql, "CREATE TABLE t (a json DEFAULT ('[]'))");
        check(Engine::Mariadb, "CREATE TABLE t (a int) WITH SYSTEM VERSIONING");
        check(Engine::Mariadb, "CREATE SEQUENCE s START WITH 5 INCREMENT BY 2");
        check(Engine::Mariadb, "ALTER SEQUENCE s MAXVALUE 100 CYCLE");
        check(Engine::Mariadb, "ALTER SEQUENCE s RESTART WITH 10");
        check(Engine::Mariadb, "DROP SEQUENCE s");
        check(Engine::Mariadb, "ALTER TABLE t DROP COLUMN IF EXISTS a");
    }

    #[test]
    fn what_the_engine_cannot_say_is_not_written() {
        let none = |engine, text: &str| {
            for parsed in parse(text) {
                assert_eq!(change(engine, None, &parsed), None, "{text}");
            }
        };
        none(Engine::Mysql, "ALTER TABLE t DROP COLUMN IF EXISTS a");
        none(Engine::Mysql, "CREATE SEQUENCE s");
        none(Engine::Mariadb, "CREATE INDEX i ON t ((lower(a)))");
        none(
            Engine::Mysql,
            "CREATE TABLE t (a int) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1))",
        );
    }
}
