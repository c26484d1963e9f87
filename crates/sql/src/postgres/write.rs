//! Changes as statements of PostgreSQL.

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::catalog::{Column, Identity, Index, Key};
use dbwright_model::change::{Change, CommentTarget, DroppedConstraint, TransactionControl};
use dbwright_model::engine::Version;
use dbwright_model::name::{Name, QualifiedName};

use super::definition::{
    alter_sequence, check_constraint, column_definition, create_function, create_index, create_policy,
    create_sequence, create_table, create_trigger, create_type, create_view, exclusion_constraint,
    foreign_key_constraint, key_constraint, parameter_name, parameter_names, parameters, replica_identity,
};
use super::quote::{always, identifier, literal, qualified};
use crate::Written;

/// Writes a change; `None` when PostgreSQL cannot express it.
pub fn change(version: Option<Version>, change: &Change) -> Option<Vec<Written>> {
    if version.is_some_and(|version| version.major < oldest_version(change)) {
        return None;
    }
    let mut written = Vec::new();
    let in_transaction = !needs_own_transaction(change);
    for sql in statements(change)? {
        written.push(Written { sql, in_transaction });
    }
    Some(written)
}

/// The first major version that knows the clauses of a change; those of version 13 and before are known everywhere.
fn oldest_version(change: &Change) -> u16 {
    let key = |key: &Key| if key.nulls_not_distinct { 15 } else { 0 };
    let index = |index: &Index| if index.nulls_not_distinct { 15 } else { 0 };
    let enforced = |enforced: bool| if enforced { 0 } else { 18 };
    let column =
        |column: &Column| if column.generated.as_ref().is_some_and(|made| !made.stored) { 18 } else { 0 };
    match change {
        Change::DetachPartition { concurrently: true, .. } => 14,
        Change::AddUnique { key: unique, .. } => key(unique),
        Change::CreateIndex { index: made, .. } => index(made),
        Change::AddCheck { check, .. } => enforced(check.enforced),
        Change::AddForeignKey { foreign_key, .. } => enforced(foreign_key.enforced),
        Change::AddColumn { column: added, .. } => column(added),
        Change::CreateTable { table, .. } => {
            let parts = table.columns.iter().map(column).chain(table.uniques.iter().map(key));
            let parts = parts.chain(table.indexes.iter().map(index));
            let parts = parts.chain(table.checks.iter().map(|check| enforced(check.enforced)));
            parts.chain(table.foreign_keys.iter().map(|key| enforced(key.enforced))).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// Whether the server refuses the change inside a transaction block.
fn needs_own_transaction(change: &Change) -> bool {
    match change {
        Change::CreateIndex { concurrently, .. }
        | Change::DropIndex { concurrently, .. }
        | Change::Reindex { concurrently, .. }
        | Change::DetachPartition { concurrently, .. } => *concurrently,
        Change::Vacuum { .. } | Change::SetServerSetting { .. } => true,
        _ => false,
    }
}

fn statements(change: &Change) -> Option<Vec<String>> {
    let sql = match change {
        Change::CreateSchema { name, if_not_exists } => {
            format!("CREATE SCHEMA {}{}", if_not(*if_not_exists), quoted(name))
        }
        Change::DropSchema { name, if_exists, cascade } => {
            format!("DROP SCHEMA {}{}{}", if_there(*if_exists), quoted(name), cascading(*cascade))
        }
        Change::CreateTable { table, if_not_exists } => {
            return create_table(table, *if_not_exists, None);
        }
        Change::CreateTableLike { table, like, including_indexes, if_not_exists } => {
            let including =
                if *including_indexes { "INCLUDING ALL" } else { "INCLUDING ALL EXCLUDING INDEXES" };
            let like = format!("LIKE {} {including}", qualified(like));
            return create_table(table, *if_not_exists, Some(like));
        }
        Change::CreateTableAs { name, query, if_not_exists } => {
            // `SELECT ... INTO` names the table inside the query.
            if query.to_ascii_uppercase().contains(" INTO ") {
                query.clone()
            } else {
                format!("CREATE TABLE {}{} AS {query}", if_not(*if_not_exists), qualified(name))
            }
        }
        Change::DropTable { name, if_exists, cascade } => {
            format!("DROP TABLE {}{}{}", if_there(*if_exists), qualified(name), cascading(*cascade))
        }
        Change::RenameTable { table, to } => {
            if to.schema != table.schema {
                return None;
            }
            format!("{} RENAME TO {}", alter(table), quoted(&to.name))
        }
        Change::AddColumn { table, column, if_not_exists, .. } => {
            format!("{} ADD COLUMN {}{}", alter(table), if_not(*if_not_exists), column_definition(column))
        }
        Change::DropColumn { table, column, if_exists, cascade } => {
            format!(
                "{} DROP COLUMN {}{}{}",
                alter(table),
                if_there(*if_exists),
                quoted(column),
                cascading(*cascade)
            )
        }
        Change::RenameColumn { table, column, to } => {
            format!("{} RENAME COLUMN {} TO {}", alter(table), quoted(column), quoted(to))
        }
        Change::AlterColumnType { table, column, to, collation, using } => {
            let mut sql = format!("{} TYPE {}", alter_column(table, column), to.text);
            if let Some(collation) = collation {
                sql.push_str(&format!(" COLLATE {}", quote_collation(collation)));
            }
            if let Some(using) = using {
                sql.push_str(&format!(" USING {}", using.text));
            }
            sql
        }
        Change::SetNotNull { table, column, not_null } => {
            format!("{} {} NOT NULL", alter_column(table, column), if *not_null { "SET" } else { "DROP" })
        }
        Change::SetDefault { table, column, default: Some(default) } => {
            format!("{} SET DEFAULT {}", alter_column(table, column), default.text)
        }
        Change::SetDefault { table, column, default: None } => {
            format!("{} DROP DEFAULT", alter_column(table, column))
        }
        Change::SetIdentity { table, column, identity: Some(identity) } => {
            format!("{} ADD GENERATED {} AS IDENTITY", alter_column(table, column), generated(*identity))
        }
        Change::SetIdentity { table, column, identity: None } => {
            format!("{} DROP IDENTITY", alter_column(table, column))
        }
        Change::DropExpression { table, column } => {
            format!("{} DROP EXPRESSION", alter_column(table, column))
        }
        Change::AddPrimaryKey { table, key, using_index } => {
            format!("{} ADD {}", alter(table), key_constraint("PRIMARY KEY", key, using_index.as_ref()))
        }
        Change::AddUnique { table, key, using_index } => {
            format!("{} ADD {}", alter(table), key_constraint("UNIQUE", key, using_index.as_ref()))
        }
        Change::AddCheck { table, check } => format!("{} ADD {}", alter(table), check_constraint(check)),
        Change::AddForeignKey { table, foreign_key } => {
            format!("{} ADD {}", alter(table), foreign_key_constraint(foreign_key))
        }
        Change::AddExclusion { table, exclusion } => {
            format!("{} ADD {}", alter(table), exclusion_constraint(exclusion))
        }
        Change::DropConstraint { table, constraint, if_exists, cascade } => {
            // The primary key has no name of its own to be dropped by.
            let DroppedConstraint::Named(name) = constraint else { return None };
            format!(
                "{} DROP CONSTRAINT {}{}{}",
                alter(table),
                if_there(*if_exists),
                quoted(name),
                cascading(*cascade)
            )
        }
        Change::RenameConstraint { table, constraint, to } => {
            format!("{} RENAME CONSTRAINT {} TO {}", alter(table), quoted(constraint), quoted(to))
        }
        Change::ValidateConstraint { table, constraint } => {
            format!("{} VALIDATE CONSTRAINT {}", alter(table), quoted(constraint))
        }
        Change::CreateIndex { table, index, concurrently, if_not_exists, only } => {
            create_index(table, index, *concurrently, *if_not_exists, *only)?
        }
        Change::DropIndex { index, concurrently, if_exists, cascade, .. } => format!(
            "DROP INDEX {}{}{}{}",
            concurrent(*concurrently),
            if_there(*if_exists),
            qualified(index),
            cascading(*cascade)
        ),
        Change::RenameIndex { index, to, .. } => {
            format!("ALTER INDEX {} RENAME TO {}", qualified(index), quoted(to))
        }
        Change::Reindex { index, concurrently } => {
            format!("REINDEX INDEX {}{}", concurrent(*concurrently), qualified(index))
        }
        Change::AttachIndex { parent, child } => {
            format!("ALTER INDEX {} ATTACH PARTITION {}", qualified(parent), qualified(child))
        }
        Change::AttachPartition { table, partition, bound } => {
            format!("{} ATTACH PARTITION {} {bound}", alter(table), qualified(partition))
        }
        Change::DetachPartition { table, partition, concurrently } => format!(
            "{} DETACH PARTITION {}{}",
            alter(table),
            qualified(partition),
            if *concurrently { " CONCURRENTLY" } else { "" }
        ),
        Change::SetInherit { table, parent, inherit } => {
            format!("{} {}INHERIT {}", alter(table), if *inherit { "" } else { "NO " }, qualified(parent))
        }
        Change::SetRowSecurity { table, enabled, forced } => {
            let mut all = Vec::new();
            if let Some(enabled) = enabled {
                let word = if *enabled { "ENABLE" } else { "DISABLE" };
                all.push(format!("{} {word} ROW LEVEL SECURITY", alter(table)));
            }
            if let Some(forced) = forced {
                let word = if *forced { "FORCE" } else { "NO FORCE" };
                all.push(format!("{} {word} ROW LEVEL SECURITY", alter(table)));
            }
            return Some(all);
        }
        Change::SetReplicaIdentity { table, identity } => {
            format!("{} REPLICA IDENTITY {}", alter(table), replica_identity(identity))
        }
        Change::SetTableOptions { table, options } => return table_options(table, options),
        Change::SetOwner { object, owner } => format!("{} OWNER TO {}", alter(object), role(owner)),
        Change::SetSchema { object, schema } => format!("{} SET SCHEMA {}", alter(object), quoted(schema)),
        Change::CreateView { view, or_replace } => return create_view(view, *or_replace),
        Change::DropView { name, materialized, if_exists, cascade } => format!(
            "DROP {}VIEW {}{}{}",
            if *materialized { "MATERIALIZED " } else { "" },
            if_there(*if_exists),
            qualified(name),
            cascading(*cascade)
        ),
        Change::RefreshView { name, concurrently } => {
            format!("REFRESH MATERIALIZED VIEW {}{}", concurrent(*concurrently), qualified(name))
        }
        Change::SetViewOptions { name, options } => {
            let (reset, set): (Vec<_>, Vec<_>) =
                options.iter().cloned().partition(|(_, value)| value.is_empty());
            let mut all = Vec::new();
            if !set.is_empty() {
                all.push(format!("ALTER VIEW {} SET ({})", qualified(name), parameters(&set)));
            }
            if !reset.is_empty() {
                all.push(format!("ALTER VIEW {} RESET ({})", qualified(name), parameter_names(&reset)));
            }
            return Some(all);
        }
        Change::CreateSequence { sequence, if_not_exists } => create_sequence(sequence, *if_not_exists),
        Change::AlterSequence { name, changes } => return alter_sequence(name, changes),
        Change::DropSequence { name, if_exists, cascade } => {
            format!("DROP SEQUENCE {}{}{}", if_there(*if_exists), qualified(name), cascading(*cascade))
        }
        Change::SetSequenceValue { name, value } => {
            format!("SELECT pg_catalog.setval({}, {value}, true)", literal(&qualified(name)))
        }
        Change::SyncSequence { name, table, column } => format!(
            "SELECT setval({}, (SELECT max({}) FROM {}))",
            literal(&qualified(name)),
            quoted(column),
            qualified(table)
        ),
        Change::CreateType { user_type } => create_type(&user_type.name, &user_type.kind)?,
        Change::DropType { name, if_exists, cascade } => {
            format!("DROP TYPE {}{}{}", if_there(*if_exists), qualified(name), cascading(*cascade))
        }
        Change::AddEnumValue { name, value, before, after } => {
            let place = match (before, after) {
                (Some(before), _) => format!(" BEFORE {}", literal(before)),
                (None, Some(after)) => format!(" AFTER {}", literal(after)),
                (None, None) => String::new(),
            };
            format!("ALTER TYPE {} ADD VALUE {}{place}", qualified(name), literal(value))
        }
        Change::RenameEnumValue { name, value, to } => {
            format!("ALTER TYPE {} RENAME VALUE {} TO {}", qualified(name), literal(value), literal(to))
        }
        Change::CreateFunction { function, or_replace } => create_function(function, *or_replace)?,
        Change::DropFunction { name, arguments, if_exists } => {
            let arguments = arguments.as_ref().map_or_else(String::new, |arguments| format!("({arguments})"));
            // `ROUTINE` covers functions, procedures and aggregates alike.
            format!("DROP ROUTINE {}{}{arguments}", if_there(*if_exists), qualified(name))
        }
        Change::SetFunctionSetting { name, arguments, setting, value } => format!(
            "ALTER ROUTINE {}({arguments}) SET {} TO {}",
            qualified(name),
            setting_name(setting),
            setting_value(setting, value)
        ),
        Change::CreateTrigger { trigger } => create_trigger(trigger)?,
        Change::DropTrigger { table, name, if_exists } => {
            format!("DROP TRIGGER {}{} ON {}", if_there(*if_exists), quoted(name), qualified(table.as_ref()?))
        }
        Change::SetTriggerEnabled { table, trigger, enabled } => format!(
            "{} {} TRIGGER {}",
            alter(table),
            if *enabled { "ENABLE" } else { "DISABLE" },
            trigger.as_ref().map_or_else(|| "ALL".to_owned(), quoted)
        ),
        Change::CreatePolicy { policy } => create_policy(policy),
        Change::DropPolicy { table, name, if_exists } => {
            format!("DROP POLICY {}{} ON {}", if_there(*if_exists), quoted(name), qualified(table))
        }
        Change::CreateExtension { extension, if_not_exists } => {
            let mut sql = format!("CREATE EXTENSION {}{}", if_not(*if_not_exists), quoted(&extension.name));
            if !extension.schema.is_empty() {
                sql.push_str(&format!(" SCHEMA {}", quoted(&extension.schema)));
            }
            if let Some(version) = &extension.version {
                sql.push_str(&format!(" VERSION {}", literal(version.as_str())));
            }
            sql
        }
        Change::UpdateExtension { name } => format!("ALTER EXTENSION {} UPDATE", quoted(name)),
        Change::DropExtension { name, if_exists, cascade } => {
            format!("DROP EXTENSION {}{}{}", if_there(*if_exists), quoted(name), cascading(*cascade))
        }
        Change::Comment { on, text } => {
            let text = text.as_ref().map_or_else(|| "NULL".to_owned(), |text| literal(text));
            format!("COMMENT ON {} IS {text}", comment_target(on)?)
        }
        Change::SetGrant { grant, granted } => set_grant(grant, *granted)?,
        Change::SetServerSetting { name, value } => {
            format!("ALTER SYSTEM SET {} = {}", setting_name(name), setting_value(name, value))
        }
        Change::SetRoleSetting { role: name, name: setting, value } => format!(
            "ALTER ROLE {} SET {} TO {}",
            if *name == "all" { "ALL".to_owned() } else { role(name) },
            setting_name(setting),
            setting_value(setting, value)
        ),
        Change::SetSessionSetting { name, value, local } => {
            let value =
                value.as_ref().map_or_else(|| "DEFAULT".to_owned(), |value| setting_value(name, value));
            format!("SET {}{} TO {value}", if *local { "LOCAL " } else { "" }, setting_name(name))
        }
        Change::Analyze { table } => with_table("ANALYZE", table.as_ref()),
        Change::Vacuum { table, full, freeze } => {
            let options: Vec<&str> = [("FULL", *full), ("FREEZE", *freeze)]
                .iter()
                .filter(|(_, on)| *on)
                .map(|(word, _)| *word)
                .collect();
            if options.is_empty() {
                with_table("VACUUM", table.as_ref())
            } else {
                with_table(&format!("VACUUM ({})", options.join(", ")), table.as_ref())
            }
        }
        Change::Transaction { control } => match control {
            TransactionControl::Begin => "BEGIN".to_owned(),
            TransactionControl::Commit => "COMMIT".to_owned(),
            TransactionControl::Rollback => "ROLLBACK".to_owned(),
            // Their names are not part of the change.
            TransactionControl::Savepoint | TransactionControl::RollbackTo | TransactionControl::Release => {
                return None;
            }
        },
        Change::Nothing => return Some(Vec::new()),
        Change::ModifyColumn { .. }
        | Change::SetIndexVisible { .. }
        | Change::Data { .. }
        | Change::Opaque { .. } => return None,
    };
    Some(vec![sql])
}

pub(super) fn quoted(name: &Name) -> String {
    identifier(name.as_str())
}

pub(super) fn role(name: &Name) -> String {
    match name.as_str() {
        "public" => "PUBLIC".to_owned(),
        keyword @ ("current_user" | "current_role" | "session_user") => keyword.to_ascii_uppercase(),
        name => identifier(name),
    }
}

pub(super) fn if_not(exists: bool) -> &'static str {
    if exists { "IF NOT EXISTS " } else { "" }
}

fn if_there(exists: bool) -> &'static str {
    if exists { "IF EXISTS " } else { "" }
}

fn cascading(cascade: bool) -> &'static str {
    if cascade { " CASCADE" } else { "" }
}

pub(super) fn concurrent(concurrently: bool) -> &'static str {
    if concurrently { "CONCURRENTLY " } else { "" }
}

pub(super) fn alter(table: &QualifiedName) -> String {
    format!("ALTER TABLE {}", qualified(table))
}

fn alter_column(table: &QualifiedName, column: &Name) -> String {
    format!("ALTER TABLE {} ALTER COLUMN {}", qualified(table), quoted(column))
}

fn with_table(verb: &str, table: Option<&QualifiedName>) -> String {
    match table {
        Some(table) => format!("{verb} {}", qualified(table)),
        None => verb.to_owned(),
    }
}

pub(super) fn list(names: &[Name]) -> String {
    names.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

pub(super) fn generated(identity: Identity) -> &'static str {
    match identity {
        Identity::Always => "ALWAYS",
        Identity::ByDefault => "BY DEFAULT",
    }
}

/// A collation's name; it is always quoted, for most hold upper case.
pub(super) fn quote_collation(name: &Name) -> String {
    always(name.as_str())
}

fn table_options(table: &QualifiedName, options: &[(Name, String)]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut set = Vec::new();
    let mut reset = Vec::new();
    for (name, value) in options {
        match (name.as_str(), value.as_str()) {
            ("logged", "true") => all.push(format!("{} SET LOGGED", alter(table))),
            ("logged", _) => all.push(format!("{} SET UNLOGGED", alter(table))),
            ("tablespace", space) => {
                all.push(format!("{} SET TABLESPACE {}", alter(table), identifier(space)))
            }
            ("access_method", "") => all.push(format!("{} SET ACCESS METHOD DEFAULT", alter(table))),
            ("access_method", method) => {
                all.push(format!("{} SET ACCESS METHOD {}", alter(table), identifier(method)));
            }
            ("cluster", "") => all.push(format!("{} SET WITHOUT CLUSTER", alter(table))),
            ("cluster", index) => all.push(format!("{} CLUSTER ON {}", alter(table), identifier(index))),
            (_, "") => reset.push((name.clone(), value.clone())),
            _ => set.push((name.clone(), value.clone())),
        }
    }
    if !set.is_empty() {
        all.push(format!("{} SET ({})", alter(table), parameters(&set)));
    }
    if !reset.is_empty() {
        all.push(format!("{} RESET ({})", alter(table), parameter_names(&reset)));
    }
    Some(all)
}

fn comment_target(target: &CommentTarget) -> Option<String> {
    Some(match target {
        CommentTarget::Schema(name) => format!("SCHEMA {}", quoted(name)),
        CommentTarget::Table(name) => format!("TABLE {}", qualified(name)),
        CommentTarget::Column(table, column) => format!("COLUMN {}.{}", qualified(table), quoted(column)),
        CommentTarget::View(name) => format!("VIEW {}", qualified(name)),
        CommentTarget::Index(name) => format!("INDEX {}", qualified(name)),
        CommentTarget::Type(name) => format!("TYPE {}", qualified(name)),
        CommentTarget::Other => return None,
    })
}

fn set_grant(grant: &Grant, granted: bool) -> Option<String> {
    let all_of = |kind: &str| format!("ALL {kind} IN SCHEMA {}", quoted(&grant.object.schema));
    let every = grant.object.name == "*";
    let mut privilege = grant.privilege.to_string();
    let on = match grant.object_kind {
        GrantObject::Table if every => all_of("TABLES"),
        GrantObject::Table => format!("TABLE {}", qualified(&grant.object)),
        GrantObject::Sequence if every => all_of("SEQUENCES"),
        GrantObject::Sequence => format!("SEQUENCE {}", qualified(&grant.object)),
        GrantObject::Function if every => all_of("ROUTINES"),
        GrantObject::Function => {
            let name = grant.object.name.as_str();
            let (name, arguments) = match name.split_once('(') {
                Some((name, arguments)) => (name, format!("({arguments}")),
                None => (name, String::new()),
            };
            format!("ROUTINE {}{arguments}", qualified(&grant.object.sibling(name)))
        }
        GrantObject::Schema => format!("SCHEMA {}", quoted(&grant.object.name)),
        GrantObject::Database => format!("DATABASE {}", quoted(&grant.object.name)),
        GrantObject::Column => {
            let (table, column) = grant.object.name.as_str().rsplit_once('.')?;
            privilege = format!("{privilege} ({})", identifier(column));
            format!("TABLE {}", qualified(&grant.object.sibling(table)))
        }
        GrantObject::DefaultTable | GrantObject::DefaultFunction => {
            let kind = if grant.object_kind == GrantObject::DefaultTable { "TABLES" } else { "ROUTINES" };
            let place = if grant.object.schema.is_empty() {
                String::new()
            } else {
                format!(" IN SCHEMA {}", quoted(&grant.object.schema))
            };
            let action = if granted {
                let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
                format!("GRANT {privilege} ON {kind} TO {}{option}", role(&grant.grantee))
            } else {
                format!("REVOKE {privilege} ON {kind} FROM {}", role(&grant.grantee))
            };
            return Some(format!("ALTER DEFAULT PRIVILEGES{place} {action}"));
        }
        GrantObject::Server | GrantObject::DefaultOther | GrantObject::Other => return None,
    };
    Some(if granted {
        let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {privilege} ON {on} TO {}{option}", role(&grant.grantee))
    } else {
        format!("REVOKE {privilege} ON {on} FROM {}", role(&grant.grantee))
    })
}

pub(super) fn setting_name(name: &Name) -> String {
    parameter_name(name)
}

/// A setting's value; lists of names stay lists, for as one string they would be one name.
pub(super) fn setting_value(name: &Name, value: &str) -> String {
    const LISTS: [&str; 8] = [
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "shared_preload_libraries",
        "local_preload_libraries",
        "datestyle",
        "listen_addresses",
        "log_destination",
    ];
    if value == "DEFAULT" {
        return value.to_owned();
    }
    if !LISTS.contains(&name.as_str()) {
        return literal(value);
    }
    value.split(',').map(|part| literal(part.trim().trim_matches('"'))).collect::<Vec<_>>().join(", ")
}
