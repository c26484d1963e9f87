//! Changes as statements of PostgreSQL.

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::catalog::{
    Check, Column, Exclusion, ForeignKey, Function, FunctionKind, Identity, Index, IndexKey, IndexPart, Key,
    Persistence, Policy, ReferentialAction, ReplicaIdentity, Sequence, Table, TableKind, Trigger,
    UserTypeKind, View, Volatility,
};
use dbwright_model::change::{Change, CommentTarget, DroppedConstraint, SequenceChanges, TransactionControl};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Version;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::expression;
use super::object::bounds;
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
            return Some(create_table(table, *if_not_exists, None));
        }
        Change::CreateTableLike { table, like, including_indexes, if_not_exists } => {
            let including =
                if *including_indexes { "INCLUDING ALL" } else { "INCLUDING ALL EXCLUDING INDEXES" };
            let like = format!("LIKE {} {including}", qualified(like));
            return Some(create_table(table, *if_not_exists, Some(like)));
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

fn quoted(name: &Name) -> String {
    identifier(name.as_str())
}

fn role(name: &Name) -> String {
    match name.as_str() {
        "public" => "PUBLIC".to_owned(),
        keyword @ ("current_user" | "current_role" | "session_user") => keyword.to_ascii_uppercase(),
        name => identifier(name),
    }
}

fn if_not(exists: bool) -> &'static str {
    if exists { "IF NOT EXISTS " } else { "" }
}

fn if_there(exists: bool) -> &'static str {
    if exists { "IF EXISTS " } else { "" }
}

fn cascading(cascade: bool) -> &'static str {
    if cascade { " CASCADE" } else { "" }
}

fn concurrent(concurrently: bool) -> &'static str {
    if concurrently { "CONCURRENTLY " } else { "" }
}

fn alter(table: &QualifiedName) -> String {
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

fn list(names: &[Name]) -> String {
    names.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

fn generated(identity: Identity) -> &'static str {
    match identity {
        Identity::Always => "ALWAYS",
        Identity::ByDefault => "BY DEFAULT",
    }
}

/// A collation's name; it is always quoted, for most hold upper case.
fn quote_collation(name: &Name) -> String {
    always(name.as_str())
}

/// The comma-separated lines of a `CREATE TABLE`, then its indexes and what else has statements of its own.
fn create_table(table: &Table, if_not_exists: bool, like: Option<String>) -> Vec<String> {
    let persistence = match table.persistence {
        Persistence::Permanent => "",
        Persistence::Unlogged => "UNLOGGED ",
        Persistence::Temporary => "TEMPORARY ",
    };
    let foreign = if matches!(table.kind, TableKind::Foreign { .. }) { "FOREIGN " } else { "" };
    let mut lines: Vec<String> = Vec::new();
    let partition = matches!(table.kind, TableKind::Partition { .. });
    if !partition {
        lines.extend(table.columns.iter().map(column_definition));
    }
    lines.extend(like);
    lines.extend(table.primary_key.iter().map(|key| key_constraint("PRIMARY KEY", key, None)));
    lines.extend(table.uniques.iter().map(|key| key_constraint("UNIQUE", key, None)));
    lines.extend(table.checks.iter().map(check_constraint));
    lines.extend(table.foreign_keys.iter().map(foreign_key_constraint));
    lines.extend(table.exclusions.iter().map(exclusion_constraint));
    let mut sql =
        format!("CREATE {persistence}{foreign}TABLE {}{}", if_not(if_not_exists), qualified(&table.name));
    let body = format!(" (\n    {}\n)", lines.join(",\n    "));
    match &table.kind {
        TableKind::Partition { of, bound } => {
            sql.push_str(&format!(" PARTITION OF {}", qualified(of)));
            if !lines.is_empty() {
                sql.push_str(&body);
            }
            sql.push_str(&format!(" {bound}"));
        }
        _ if lines.is_empty() => sql.push_str(" ()"),
        _ => sql.push_str(&body),
    }
    if !table.inherits.is_empty() {
        let parents: Vec<String> = table.inherits.iter().map(qualified).collect();
        sql.push_str(&format!(" INHERITS ({})", parents.join(", ")));
    }
    match &table.kind {
        TableKind::Partitioned { strategy, key } => {
            sql.push_str(&format!(" PARTITION BY {} ({key})", strategy.as_str().to_ascii_uppercase()));
        }
        TableKind::Foreign { server } => sql.push_str(&format!(" SERVER {}", quoted(server))),
        _ => {}
    }
    if !table.options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&table.options)));
    }
    let mut all = vec![sql];
    for index in table.indexes.iter().filter(|index| index.backs.is_none()) {
        all.extend(create_index(&table.name, index, false, false, false));
        if let Some(comment) = &index.comment {
            let index = table.name.sibling(&index.name);
            all.push(format!("COMMENT ON INDEX {} IS {}", qualified(&index), literal(comment)));
        }
    }
    if table.row_security.enabled {
        all.push(format!("{} ENABLE ROW LEVEL SECURITY", alter(&table.name)));
    }
    if table.row_security.forced {
        all.push(format!("{} FORCE ROW LEVEL SECURITY", alter(&table.name)));
    }
    if table.replica_identity != ReplicaIdentity::Default {
        all.push(format!(
            "{} REPLICA IDENTITY {}",
            alter(&table.name),
            replica_identity(&table.replica_identity)
        ));
    }
    if let Some(owner) = &table.owner {
        all.push(format!("{} OWNER TO {}", alter(&table.name), role(owner)));
    }
    if let Some(comment) = &table.comment {
        all.push(format!("COMMENT ON TABLE {} IS {}", qualified(&table.name), literal(comment)));
    }
    for column in &table.columns {
        if let Some(comment) = &column.comment {
            let name = format!("{}.{}", qualified(&table.name), quoted(&column.name));
            all.push(format!("COMMENT ON COLUMN {name} IS {}", literal(comment)));
        }
    }
    all
}

fn column_definition(column: &Column) -> String {
    let mut sql = quoted(&column.name);
    let serial = column.auto_increment.then_some(match column.data_type.kind {
        TypeKind::SmallInt => "smallserial",
        TypeKind::BigInt => "bigserial",
        _ => "serial",
    });
    sql.push(' ');
    sql.push_str(serial.unwrap_or(column.data_type.text.as_str()));
    if let Some(collation) = &column.collation {
        sql.push_str(&format!(" COLLATE {}", quote_collation(collation)));
    }
    if let Some(default) = column.default.as_ref().filter(|_| serial.is_none()) {
        sql.push_str(&format!(" DEFAULT {}", operand(default)));
    }
    if let Some(identity) = column.identity {
        sql.push_str(&format!(" GENERATED {} AS IDENTITY", generated(identity)));
    }
    if let Some(made) = &column.generated {
        let stored = if made.stored { "STORED" } else { "VIRTUAL" };
        sql.push_str(&format!(" GENERATED ALWAYS AS ({}) {stored}", made.expression.text));
    }
    if column.not_null && column.identity.is_none() && serial.is_none() {
        sql.push_str(" NOT NULL");
    }
    sql
}

/// An expression where only operands of high precedence may stand, in parentheses when it is not one of them.
fn operand(expression: &Expression) -> String {
    let parsed;
    let tree = match &expression.tree {
        Some(tree) => Some(tree.as_ref()),
        None => {
            parsed = expression::expression(&expression.text);
            parsed.as_ref()
        }
    };
    let plain = matches!(
        tree,
        Some(Expr::Literal(_) | Expr::Call(_) | Expr::Cast { .. } | Expr::Array(_) | Expr::Column { .. })
    );
    if plain { expression.text.clone() } else { format!("({})", expression.text) }
}

fn named(name: Option<&Name>) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("CONSTRAINT {} ", quoted(name)),
        None => String::new(),
    }
}

fn deferrable(deferrable: bool) -> &'static str {
    if deferrable { " DEFERRABLE" } else { "" }
}

fn key_constraint(kind: &str, key: &Key, using_index: Option<&Name>) -> String {
    let name = named(key.name.as_ref());
    let deferrable = deferrable(key.deferrable);
    if let Some(index) = using_index {
        return format!("{name}{kind} USING INDEX {}{deferrable}", quoted(index));
    }
    let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    format!("{name}{kind}{nulls} ({}){deferrable}", list(&key.columns))
}

fn check_constraint(check: &Check) -> String {
    format!(
        "{}CHECK ({}){}",
        named(check.name.as_ref()),
        check.expression.text,
        validity(check.validated, check.enforced)
    )
}

fn validity(validated: bool, enforced: bool) -> &'static str {
    match (validated, enforced) {
        (_, false) => " NOT ENFORCED",
        (false, true) => " NOT VALID",
        (true, true) => "",
    }
}

fn foreign_key_constraint(key: &ForeignKey) -> String {
    let mut sql = format!(
        "{}FOREIGN KEY ({}) REFERENCES {}",
        named(key.name.as_ref()),
        list(&key.columns),
        qualified(&key.references)
    );
    if !key.referenced_columns.is_empty() {
        sql.push_str(&format!(" ({})", list(&key.referenced_columns)));
    }
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        let action = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        };
        sql.push_str(&format!(" ON {event} {action}"));
    }
    sql.push_str(deferrable(key.deferrable));
    sql.push_str(validity(key.validated, key.enforced));
    sql
}

fn exclusion_constraint(exclusion: &Exclusion) -> String {
    format!("{}{}", named(Some(&exclusion.name)), exclusion.definition)
}

fn create_index(
    table: &QualifiedName,
    index: &Index,
    concurrently: bool,
    if_not_exists: bool,
    only: bool,
) -> Option<String> {
    let parts: Vec<String> = index.parts.iter().map(index_part).collect::<Option<_>>()?;
    let mut sql = format!(
        "CREATE {}INDEX {}{}",
        if index.unique { "UNIQUE " } else { "" },
        concurrent(concurrently),
        if_not(if_not_exists)
    );
    if !index.name.is_empty() {
        sql.push_str(&format!("{} ", quoted(&index.name)));
    }
    sql.push_str(&format!("ON {}{}", if only { "ONLY " } else { "" }, qualified(table)));
    if !index.is_btree() {
        sql.push_str(&format!(" USING {}", quoted(&index.method)));
    }
    sql.push_str(&format!(" ({})", parts.join(", ")));
    if !index.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", list(&index.include)));
    }
    if index.nulls_not_distinct {
        sql.push_str(" NULLS NOT DISTINCT");
    }
    if !index.options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&index.options)));
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(&format!(" WHERE {}", predicate.text));
    }
    Some(sql)
}

fn index_part(part: &IndexPart) -> Option<String> {
    if part.prefix.is_some() {
        return None;
    }
    let mut sql = match &part.key {
        IndexKey::Column(name) => quoted(name),
        IndexKey::Expression(expression) => format!("({})", expression.text),
    };
    if let Some(collation) = &part.collation {
        sql.push_str(&format!(" COLLATE {}", quote_collation(collation)));
    }
    if let Some(class) = &part.operator_class {
        sql.push_str(&format!(" {}", quoted(class)));
    }
    sql.push_str(match (part.descending, part.nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    });
    Some(sql)
}

fn replica_identity(identity: &ReplicaIdentity) -> String {
    match identity {
        ReplicaIdentity::Default => "DEFAULT".to_owned(),
        ReplicaIdentity::Nothing => "NOTHING".to_owned(),
        ReplicaIdentity::Full => "FULL".to_owned(),
        ReplicaIdentity::Index(index) => format!("USING INDEX {}", quoted(index)),
    }
}

fn parameter_name(name: &Name) -> String {
    name.as_str().split('.').map(identifier).collect::<Vec<_>>().join(".")
}

fn parameter_names(options: &[(Name, String)]) -> String {
    options.iter().map(|(name, _)| parameter_name(name)).collect::<Vec<_>>().join(", ")
}

fn parameters(options: &[(Name, String)]) -> String {
    let written: Vec<String> = options
        .iter()
        .map(|(name, value)| {
            let plain = !value.is_empty()
                && (value.parse::<f64>().is_ok_and(f64::is_finite)
                    || identifier(value) == *value
                    || matches!(value.as_str(), "true" | "false" | "on"));
            let value = if plain { value.clone() } else { literal(value) };
            format!("{} = {value}", parameter_name(name))
        })
        .collect();
    written.join(", ")
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

fn create_view(view: &View, or_replace: bool) -> Option<Vec<String>> {
    let mut options = view.options.clone();
    let mut check = "";
    if !view.materialized {
        options.retain(|(name, value)| {
            if *name == "check_option" {
                check = if value == "local" { " WITH LOCAL CHECK OPTION" } else { " WITH CHECK OPTION" };
            }
            *name != "check_option"
        });
    }
    let columns: Vec<Name> = view.columns.iter().map(|column| column.name.clone()).collect();
    let mut sql = format!(
        "CREATE {}{}VIEW {}",
        if or_replace { "OR REPLACE " } else { "" },
        if view.materialized { "MATERIALIZED " } else { "" },
        qualified(&view.name)
    );
    if !columns.is_empty() {
        sql.push_str(&format!(" ({})", list(&columns)));
    }
    if !options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&options)));
    }
    let definition = view.definition.trim().trim_end_matches(';').trim_end();
    sql.push_str(&format!(" AS {definition}{check}"));
    if view.materialized && !view.populated {
        sql.push_str(" WITH NO DATA");
    }
    let mut all = vec![sql];
    for index in &view.indexes {
        all.push(create_index(&view.name, index, false, false, false)?);
    }
    if let Some(comment) = &view.comment {
        let kind = if view.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
        all.push(format!("COMMENT ON {kind} {} IS {}", qualified(&view.name), literal(comment)));
    }
    Some(all)
}

fn create_sequence(sequence: &Sequence, if_not_exists: bool) -> String {
    let mut sql = format!("CREATE SEQUENCE {}{}", if_not(if_not_exists), qualified(&sequence.name));
    if sequence.data_type.kind != TypeKind::BigInt {
        sql.push_str(&format!(" AS {}", sequence.data_type.text));
    }
    let (lowest, highest) = bounds(&sequence.data_type);
    let down = sequence.increment < 0;
    let (min, max) = if down { (lowest, -1) } else { (1, highest) };
    if sequence.increment != 1 {
        sql.push_str(&format!(" INCREMENT BY {}", sequence.increment));
    }
    if sequence.min != min {
        sql.push_str(&format!(" MINVALUE {}", sequence.min));
    }
    if sequence.max != max {
        sql.push_str(&format!(" MAXVALUE {}", sequence.max));
    }
    if sequence.start != if down { sequence.max } else { sequence.min } {
        sql.push_str(&format!(" START WITH {}", sequence.start));
    }
    if sequence.cycle {
        sql.push_str(" CYCLE");
    }
    if let Some((table, column)) = &sequence.owned_by {
        sql.push_str(&format!(" OWNED BY {}.{}", qualified(table), quoted(column)));
    }
    sql
}

fn alter_sequence(name: &QualifiedName, changes: &SequenceChanges) -> Option<Vec<String>> {
    let mut clauses = String::new();
    if let Some(data_type) = &changes.data_type {
        clauses.push_str(&format!(" AS {}", data_type.text));
    }
    if let Some(increment) = changes.increment {
        clauses.push_str(&format!(" INCREMENT BY {increment}"));
    }
    if let Some(min) = changes.min {
        clauses.push_str(&format!(" MINVALUE {min}"));
    }
    if let Some(max) = changes.max {
        clauses.push_str(&format!(" MAXVALUE {max}"));
    }
    if let Some(cycle) = changes.cycle {
        clauses.push_str(if cycle { " CYCLE" } else { " NO CYCLE" });
    }
    match &changes.owned_by {
        Some(Some((table, column))) => {
            clauses.push_str(&format!(" OWNED BY {}.{}", qualified(table), quoted(column)));
        }
        Some(None) => clauses.push_str(" OWNED BY NONE"),
        None => {}
    }
    let mut all = Vec::new();
    if !clauses.is_empty() {
        all.push(format!("ALTER SEQUENCE {}{clauses}", qualified(name)));
    }
    if let Some(to) = &changes.rename {
        all.push(format!("ALTER SEQUENCE {} RENAME TO {}", qualified(name), quoted(to)));
    }
    Some(all)
}

fn create_type(name: &QualifiedName, kind: &UserTypeKind) -> Option<String> {
    Some(match kind {
        UserTypeKind::Enum(labels) => {
            let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
            format!("CREATE TYPE {} AS ENUM ({})", qualified(name), labels.join(", "))
        }
        UserTypeKind::Domain { base, not_null, default, checks } => {
            let mut sql = format!("CREATE DOMAIN {} AS {}", qualified(name), base.text);
            if let Some(default) = default {
                sql.push_str(&format!(" DEFAULT {}", operand(default)));
            }
            if *not_null {
                sql.push_str(" NOT NULL");
            }
            for check in checks {
                sql.push_str(&format!(" {}", check_constraint(check)));
            }
            sql
        }
        UserTypeKind::Composite(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, data_type)| format!("{} {}", quoted(name), data_type.text))
                .collect();
            format!("CREATE TYPE {} AS ({})", qualified(name), fields.join(", "))
        }
        UserTypeKind::Other => return None,
    })
}

fn create_function(function: &Function, or_replace: bool) -> Option<String> {
    let kind = match function.kind {
        FunctionKind::Function => "FUNCTION",
        FunctionKind::Procedure => "PROCEDURE",
        FunctionKind::Aggregate | FunctionKind::Window => return None,
    };
    // Only the types of arguments are known, and a body speaks of their names.
    if !function.arguments.is_empty() && !matches!(function.language.as_str(), "c" | "internal") {
        return None;
    }
    let mut sql = format!(
        "CREATE {}{kind} {}({})",
        if or_replace { "OR REPLACE " } else { "" },
        qualified(&function.name),
        function.arguments
    );
    if function.kind == FunctionKind::Function {
        if function.returns.is_empty() {
            return None;
        }
        sql.push_str(&format!(" RETURNS {}", function.returns));
    }
    sql.push_str(&format!(" LANGUAGE {}", quoted(&function.language)));
    sql.push_str(match function.volatility {
        Volatility::Immutable => " IMMUTABLE",
        Volatility::Stable => " STABLE",
        Volatility::Volatile => "",
    });
    if function.leakproof {
        sql.push_str(" LEAKPROOF");
    }
    if function.security_definer {
        sql.push_str(" SECURITY DEFINER");
    }
    for (name, value) in &function.settings {
        sql.push_str(&format!(" SET {} TO {}", setting_name(name), setting_value(name, value)));
    }
    let head = function.body.trim_start().to_ascii_uppercase();
    if function.language == "sql" && (head.starts_with("BEGIN ATOMIC") || head.starts_with("RETURN ")) {
        sql.push_str(&format!(" {}", function.body));
    } else {
        let mut tag = "$$".to_owned();
        while function.body.contains(&tag[..tag.len() - 1]) {
            tag = if tag == "$$" { "$body$".to_owned() } else { format!("{}_$", &tag[..tag.len() - 1]) };
        }
        sql.push_str(&format!(" AS {tag}{}{tag}", function.body));
    }
    Some(sql)
}

fn create_trigger(trigger: &Trigger) -> Option<String> {
    if !trigger.body.is_empty() {
        return trigger
            .body
            .get(..6)
            .filter(|word| word.eq_ignore_ascii_case("create"))
            .map(|_| trigger.body.clone());
    }
    let function = trigger.function.as_ref()?;
    Some(format!(
        "CREATE TRIGGER {} {} {} ON {} FOR EACH {} EXECUTE FUNCTION {}()",
        quoted(&trigger.name),
        trigger.timing,
        trigger.events.iter().map(Name::as_str).collect::<Vec<_>>().join(" OR "),
        qualified(&trigger.table),
        if trigger.for_each_row { "ROW" } else { "STATEMENT" },
        qualified(function)
    ))
}

fn create_policy(policy: &Policy) -> String {
    let mut sql = format!("CREATE POLICY {} ON {}", quoted(&policy.name), qualified(&policy.table));
    if !policy.permissive {
        sql.push_str(" AS RESTRICTIVE");
    }
    if policy.command != "ALL" {
        sql.push_str(&format!(" FOR {}", policy.command));
    }
    if !(policy.roles.is_empty() || matches!(policy.roles.as_slice(), [only] if *only == "public")) {
        let roles: Vec<String> = policy.roles.iter().map(role).collect();
        sql.push_str(&format!(" TO {}", roles.join(", ")));
    }
    if let Some(using) = &policy.using {
        sql.push_str(&format!(" USING ({})", using.text));
    }
    if let Some(check) = &policy.check {
        sql.push_str(&format!(" WITH CHECK ({})", check.text));
    }
    sql
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

fn setting_name(name: &Name) -> String {
    parameter_name(name)
}

/// A setting's value; lists of names stay lists, for as one string they would be one name.
fn setting_value(name: &Name, value: &str) -> String {
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
