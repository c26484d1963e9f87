//! Changes as statements of PostgreSQL.

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::catalog::{Column, ForeignKey, Identity, Index, Key, Persistence};
use dbwright_model::change::{
    Change, CommentTarget, ConstraintChanges, DataKind, DroppedConstraint, Firing, ObjectKind,
    ProceduralKind, ReindexTarget, SubscriptionAction, TransactionControl,
};
use dbwright_model::engine::Version;
use dbwright_model::name::{Name, QualifiedName};

use super::definition::{
    alter_sequence, check_constraint, column_definition, create_function, create_index, create_policy,
    create_sequence, create_table, create_trigger, create_type, create_view, dollar_quoted,
    exclusion_constraint, foreign_key_constraint, identity_changes, identity_options, key_constraint,
    not_null_constraint, parameter_name, parameter_names, parameters, replica_identity,
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
    let since = |wanted: bool, version: u16| if wanted { version } else { 0 };
    let key = |key: &Key| since(key.nulls_not_distinct, 15).max(since(key.without_overlaps, 18));
    let foreign_key = |key: &ForeignKey| {
        since(!key.enforced, 18).max(since(key.period, 18)).max(since(!key.on_delete_columns.is_empty(), 15))
    };
    let index = |index: &Index| since(index.nulls_not_distinct, 15);
    let enforced = |enforced: bool| since(!enforced, 18);
    let column = |column: &Column| {
        since(column.generated.as_ref().is_some_and(|made| !made.stored), 18)
            .max(since(column.compression.is_some(), 14))
            .max(since(column.not_null_constraint.as_ref().is_some_and(|made| made.no_inherit), 18))
    };
    match change {
        Change::DetachPartition { concurrently, finalize, .. } => since(*concurrently || *finalize, 14),
        Change::AddPrimaryKey { key: made, .. } | Change::AddUnique { key: made, .. } => key(made),
        Change::CreateIndex { index: made, .. } => index(made),
        Change::AddCheck { check, .. } => enforced(check.enforced),
        Change::AddNotNull { .. } => 18,
        Change::AddForeignKey { foreign_key: made, .. } => foreign_key(made),
        Change::AddColumn { column: added, .. } => column(added),
        Change::AlterConstraint { changes, .. } => {
            since(changes.enforced.is_some() || changes.inherit.is_some(), 18)
        }
        Change::SetExpression { .. } => 17,
        Change::SetCompression { .. } => 14,
        Change::SetAccessMethod { method, .. } => {
            if method.is_some() {
                15
            } else {
                17
            }
        }
        Change::SetDomainNotNull { constraint, .. } => since(constraint.is_some(), 17),
        Change::CreateStatistics { statistics, .. } => since(!statistics.expressions.is_empty(), 14),
        Change::CreateTable { table, .. } => {
            let parts = table.columns.iter().map(column).chain(table.uniques.iter().map(key));
            let parts = parts.chain(table.primary_key.iter().map(key));
            let parts = parts.chain(table.indexes.iter().map(index));
            let parts = parts.chain(table.checks.iter().map(|check| enforced(check.enforced)));
            parts.chain(table.foreign_keys.iter().map(foreign_key)).max().unwrap_or(0)
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
        Change::ReindexAll { target, concurrently } => {
            *concurrently || !matches!(target, ReindexTarget::Table(_))
        }
        Change::DiscardAll => true,
        // A publisher's slot is made or dropped with it, which cannot be undone.
        Change::DropSubscription { .. } => true,
        Change::AlterSubscription { action, .. } => {
            matches!(action, SubscriptionAction::Refresh(_) | SubscriptionAction::Publications(..))
        }
        Change::CreateObject { kind: ObjectKind::Database | ObjectKind::Tablespace, .. }
        | Change::DropObject { kind: ObjectKind::Database | ObjectKind::Tablespace, .. } => true,
        Change::Cluster { table: None, .. } => true,
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
        Change::CreateTableAs { name, query, if_not_exists, columns, persistence, populated, .. } => {
            // `SELECT ... INTO` names the table inside the query.
            if query.to_ascii_uppercase().contains(" INTO ") {
                query.clone()
            } else {
                let persistence = match persistence {
                    Persistence::Permanent => "",
                    Persistence::Unlogged => "UNLOGGED ",
                    Persistence::Temporary => "TEMPORARY ",
                };
                let columns =
                    if columns.is_empty() { String::new() } else { format!(" ({})", list(columns)) };
                format!(
                    "CREATE {persistence}TABLE {}{}{columns} AS {query}{}",
                    if_not(*if_not_exists),
                    qualified(name),
                    if *populated { "" } else { " WITH NO DATA" }
                )
            }
        }
        Change::DropTable { name, if_exists, cascade } => {
            format!("DROP TABLE {}{}{}", if_there(*if_exists), qualified(name), cascading(*cascade))
        }
        Change::RenameTable { table, to, .. } => {
            if !to.schema.is_empty() && to.schema != table.schema {
                return None;
            }
            format!("{} RENAME TO {}", table_of(change, table), quoted(&to.name))
        }
        Change::AddColumn { table, column, if_not_exists, .. } => {
            format!(
                "{} ADD COLUMN {}{}",
                table_of(change, table),
                if_not(*if_not_exists),
                column_definition(column)
            )
        }
        Change::DropColumn { table, column, if_exists, cascade, .. } => {
            format!(
                "{} DROP COLUMN {}{}{}",
                table_of(change, table),
                if_there(*if_exists),
                quoted(column),
                cascading(*cascade)
            )
        }
        Change::RenameColumn { table, column, to, .. } => {
            format!("{} RENAME COLUMN {} TO {}", table_of(change, table), quoted(column), quoted(to))
        }
        Change::AlterColumnType { table, column, to, collation, using, .. } => {
            let mut sql = format!("{} TYPE {}", column_of(change, table, column), to.text);
            if let Some(collation) = collation {
                sql.push_str(&format!(" COLLATE {}", quote_collation(collation)));
            }
            if let Some(using) = using {
                sql.push_str(&format!(" USING {}", using.text));
            }
            sql
        }
        Change::SetNotNull { table, column, not_null, .. } => {
            format!(
                "{} {} NOT NULL",
                column_of(change, table, column),
                if *not_null { "SET" } else { "DROP" }
            )
        }
        Change::SetDefault { table, column, default: Some(default), .. } => {
            format!("{} SET DEFAULT {}", column_of(change, table, column), default.text)
        }
        Change::SetDefault { table, column, default: None, .. } => {
            format!("{} DROP DEFAULT", column_of(change, table, column))
        }
        Change::SetIdentity { table, column, identity: Some(identity), options, .. } => format!(
            "{} ADD GENERATED {} AS IDENTITY{}",
            column_of(change, table, column),
            generated(*identity),
            identity_options(options)
        ),
        Change::SetIdentity { table, column, identity: None, if_exists, .. } => {
            format!("{} DROP IDENTITY{}", column_of(change, table, column), if_there_after(*if_exists))
        }
        Change::AlterIdentity { table, column, identity, options, .. } => {
            format!("{} {}", column_of(change, table, column), identity_changes(*identity, options))
        }
        Change::SetExpression { table, column, expression, .. } => {
            format!("{} SET EXPRESSION AS ({})", column_of(change, table, column), expression.text)
        }
        Change::SetStatisticsTarget { table, column, target, .. } => {
            format!("{} SET STATISTICS {}", column_of(change, table, column), statistics_target(*target))
        }
        Change::SetStorage { table, column, storage, .. } => {
            let storage = storage.as_str().to_ascii_uppercase();
            format!("{} SET STORAGE {storage}", column_of(change, table, column))
        }
        Change::SetCompression { table, column, compression, .. } => {
            format!("{} SET COMPRESSION {compression}", column_of(change, table, column))
        }
        Change::SetColumnOptions { table, column, options, .. } => {
            return Some(set_or_reset(&column_of(change, table, column), options));
        }
        Change::DropExpression { table, column, if_exists, .. } => {
            format!("{} DROP EXPRESSION{}", column_of(change, table, column), if_there_after(*if_exists))
        }
        Change::AddPrimaryKey { table, key, using_index, .. } => {
            format!(
                "{} ADD {}",
                table_of(change, table),
                key_constraint("PRIMARY KEY", key, using_index.as_ref())
            )
        }
        Change::AddUnique { table, key, using_index, .. } => {
            format!("{} ADD {}", table_of(change, table), key_constraint("UNIQUE", key, using_index.as_ref()))
        }
        Change::AddCheck { table, check, .. } => {
            format!("{} ADD {}", table_of(change, table), check_constraint(check))
        }
        Change::AddNotNull { table, column, constraint, .. } => {
            format!("{} ADD {}", table_of(change, table), not_null_constraint(column, constraint))
        }
        Change::AddForeignKey { table, foreign_key, .. } => {
            format!("{} ADD {}", table_of(change, table), foreign_key_constraint(foreign_key))
        }
        Change::AddExclusion { table, exclusion, .. } => {
            format!("{} ADD {}", table_of(change, table), exclusion_constraint(exclusion))
        }
        Change::DropConstraint { table, constraint, if_exists, cascade, .. } => {
            // The primary key has no name of its own to be dropped by.
            let DroppedConstraint::Named(name) = constraint else { return None };
            format!(
                "{} DROP CONSTRAINT {}{}{}",
                table_of(change, table),
                if_there(*if_exists),
                quoted(name),
                cascading(*cascade)
            )
        }
        Change::AlterConstraint { table, constraint, changes, .. } => format!(
            "{} ALTER CONSTRAINT {}{}",
            table_of(change, table),
            quoted(constraint),
            constraint_changes(*changes)
        ),
        Change::RenameConstraint { table, constraint, to, .. } => {
            format!("{} RENAME CONSTRAINT {} TO {}", table_of(change, table), quoted(constraint), quoted(to))
        }
        Change::ValidateConstraint { table, constraint, .. } => {
            format!("{} VALIDATE CONSTRAINT {}", table_of(change, table), quoted(constraint))
        }
        Change::CreateIndex { table, index, concurrently, if_not_exists, only, .. } => {
            create_index(table, index, *concurrently, *if_not_exists, *only)?
        }
        Change::DropIndex { index, concurrently, if_exists, cascade, .. } => format!(
            "DROP INDEX {}{}{}{}",
            concurrent(*concurrently),
            if_there(*if_exists),
            qualified(index),
            cascading(*cascade)
        ),
        Change::RenameIndex { index, to, if_exists, .. } => {
            format!("ALTER INDEX {}{} RENAME TO {}", if_there(*if_exists), qualified(index), quoted(to))
        }
        Change::SetIndexOptions { index, options, if_exists } => {
            let head = format!("ALTER INDEX {}{}", if_there(*if_exists), qualified(index));
            return Some(set_or_reset(&head, options));
        }
        Change::SetIndexStatistics { index, column, target, if_exists } => format!(
            "ALTER INDEX {}{} ALTER COLUMN {column} SET STATISTICS {}",
            if_there(*if_exists),
            qualified(index),
            statistics_target(*target)
        ),
        Change::ReindexAll { target, concurrently } => {
            let (word, name) = match target {
                ReindexTarget::Table(table) => ("TABLE", Some(qualified(table))),
                ReindexTarget::Schema(schema) => ("SCHEMA", Some(quoted(schema))),
                ReindexTarget::Database(name) => ("DATABASE", name.as_ref().map(quoted)),
                ReindexTarget::System(name) => ("SYSTEM", name.as_ref().map(quoted)),
            };
            let sql = format!("REINDEX {word} {}{}", concurrent(*concurrently), name.unwrap_or_default());
            sql.trim_end().to_owned()
        }
        Change::Cluster { table, index } => {
            let mut sql = with_table("CLUSTER", table.as_ref());
            if let Some(index) = index {
                sql.push_str(&format!(" USING {}", quoted(index)));
            }
            sql
        }
        Change::Reindex { index, concurrently } => {
            format!("REINDEX INDEX {}{}", concurrent(*concurrently), qualified(index))
        }
        Change::AttachIndex { parent, child } => {
            format!("ALTER INDEX {} ATTACH PARTITION {}", qualified(parent), qualified(child))
        }
        Change::AttachPartition { table, partition, bound, .. } => {
            format!("{} ATTACH PARTITION {} {bound}", table_of(change, table), qualified(partition))
        }
        Change::DetachPartition { table, partition, concurrently, finalize, .. } => format!(
            "{} DETACH PARTITION {}{}",
            table_of(change, table),
            qualified(partition),
            match (concurrently, finalize) {
                (_, true) => " FINALIZE",
                (true, false) => " CONCURRENTLY",
                (false, false) => "",
            }
        ),
        Change::SetInherit { table, parent, inherit, .. } => {
            format!(
                "{} {}INHERIT {}",
                table_of(change, table),
                if *inherit { "" } else { "NO " },
                qualified(parent)
            )
        }
        Change::SetRowSecurity { table, enabled, forced, .. } => {
            let mut all = Vec::new();
            if let Some(enabled) = enabled {
                let word = if *enabled { "ENABLE" } else { "DISABLE" };
                all.push(format!("{} {word} ROW LEVEL SECURITY", table_of(change, table)));
            }
            if let Some(forced) = forced {
                let word = if *forced { "FORCE" } else { "NO FORCE" };
                all.push(format!("{} {word} ROW LEVEL SECURITY", table_of(change, table)));
            }
            return Some(all);
        }
        Change::SetReplicaIdentity { table, identity, .. } => {
            format!("{} REPLICA IDENTITY {}", table_of(change, table), replica_identity(identity))
        }
        Change::SetTableOptions { table, options, .. } => return table_options(change, table, options),
        Change::SetOwner { kind, object, owner, .. } => {
            format!("{} OWNER TO {}", object_of(change, kind, object), role(owner))
        }
        Change::SetSchema { kind, object, schema, .. } => {
            format!("{} SET SCHEMA {}", object_of(change, kind, object), quoted(schema))
        }
        Change::RenameObject { kind, object, table, to } => match table {
            Some(table) => format!(
                "ALTER {} {} ON {} RENAME TO {}",
                kind.as_str(),
                quoted(&object.name),
                qualified(table),
                quoted(to)
            ),
            None => format!("{} RENAME TO {}", object_of(change, kind, object), quoted(to)),
        },
        Change::SetLogged { table, kind, logged, .. } => {
            format!("{} SET {}", object_of(change, kind, table), if *logged { "LOGGED" } else { "UNLOGGED" })
        }
        Change::SetTablespace { object, kind, tablespace, .. } => {
            format!("{} SET TABLESPACE {}", object_of(change, kind, object), quoted(tablespace))
        }
        Change::SetAccessMethod { table, method, .. } => format!(
            "{} SET ACCESS METHOD {}",
            table_of(change, table),
            method.as_ref().map_or_else(|| "DEFAULT".to_owned(), quoted)
        ),
        Change::SetCluster { table, index, .. } => match index {
            Some(index) => format!("{} CLUSTER ON {}", table_of(change, table), quoted(index)),
            None => format!("{} SET WITHOUT CLUSTER", table_of(change, table)),
        },
        Change::SetOfType { table, of_type, .. } => match of_type {
            Some(of_type) => format!("{} OF {}", table_of(change, table), qualified(of_type)),
            None => format!("{} NOT OF", table_of(change, table)),
        },
        Change::CreateView { view, or_replace, if_not_exists } => {
            return create_view(view, *or_replace, *if_not_exists);
        }
        Change::DropView { name, materialized, if_exists, cascade } => format!(
            "DROP {}VIEW {}{}{}",
            if *materialized { "MATERIALIZED " } else { "" },
            if_there(*if_exists),
            qualified(name),
            cascading(*cascade)
        ),
        Change::RefreshView { name, concurrently, populated } => format!(
            "REFRESH MATERIALIZED VIEW {}{}{}",
            concurrent(*concurrently),
            qualified(name),
            if *populated { "" } else { " WITH NO DATA" }
        ),
        Change::SetViewOptions { name, options, materialized, if_exists } => {
            let kind = if *materialized { "MATERIALIZED VIEW" } else { "VIEW" };
            let head = format!("ALTER {kind} {}{}", if_there(*if_exists), qualified(name));
            return Some(set_or_reset(&head, options));
        }
        Change::CreateSequence { sequence, if_not_exists } => create_sequence(sequence, *if_not_exists),
        Change::AlterSequence { name, changes, if_exists } => {
            return alter_sequence(name, changes, *if_exists);
        }
        Change::DropSequence { name, if_exists, cascade } => {
            format!("DROP SEQUENCE {}{}{}", if_there(*if_exists), qualified(name), cascading(*cascade))
        }
        Change::SetSequenceValue { name, value } => {
            format!("SELECT pg_catalog.setval({}, {value}, true)", literal(&qualified(name)))
        }
        Change::AdvanceSequence { name } => format!("SELECT nextval({})", literal(&qualified(name))),
        Change::SyncSequence { name, table, column } => format!(
            "SELECT setval({}, (SELECT max({}) FROM {}))",
            literal(&qualified(name)),
            quoted(column),
            qualified(table)
        ),
        Change::CreateType { user_type } => create_type(&user_type.name, &user_type.kind)?,
        Change::DropType { name, if_exists, cascade, domain } => format!(
            "DROP {} {}{}{}",
            if *domain { "DOMAIN" } else { "TYPE" },
            if_there(*if_exists),
            qualified(name),
            cascading(*cascade)
        ),
        Change::AddAttribute { .. }
        | Change::DropAttribute { .. }
        | Change::AlterAttributeType { .. }
        | Change::RenameAttribute { .. } => attribute_change(change)?,
        Change::SetDomainDefault { .. }
        | Change::SetDomainNotNull { .. }
        | Change::AddDomainCheck { .. }
        | Change::DropDomainConstraint { .. }
        | Change::RenameDomainConstraint { .. }
        | Change::ValidateDomainConstraint { .. } => domain_change(change)?,
        Change::AddEnumValue { name, value, before, after, if_not_exists } => {
            let place = match (before, after) {
                (Some(before), _) => format!(" BEFORE {}", literal(before)),
                (None, Some(after)) => format!(" AFTER {}", literal(after)),
                (None, None) => String::new(),
            };
            format!(
                "ALTER TYPE {} ADD VALUE {}{}{place}",
                qualified(name),
                if_not(*if_not_exists),
                literal(value)
            )
        }
        Change::RenameEnumValue { name, value, to } => {
            format!("ALTER TYPE {} RENAME VALUE {} TO {}", qualified(name), literal(value), literal(to))
        }
        Change::CreateFunction { function, or_replace } => create_function(function, *or_replace)?,
        Change::DropFunction { name, arguments, if_exists, cascade, kind } => {
            let arguments = arguments.as_ref().map_or_else(String::new, |arguments| format!("({arguments})"));
            // `ROUTINE` covers functions, procedures and aggregates alike.
            let kind = match kind {
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => kind.as_str(),
                _ => "ROUTINE",
            };
            format!(
                "DROP {kind} {}{}{arguments}{}",
                if_there(*if_exists),
                qualified(name),
                cascading(*cascade)
            )
        }
        Change::AlterFunction { name, arguments, kind, clauses } => {
            let arguments = arguments.as_ref().map_or_else(String::new, |arguments| format!("({arguments})"));
            format!("ALTER {} {}{arguments} {clauses}", kind.as_str(), qualified(name))
        }
        Change::SetFunctionSetting { name, arguments, setting, value } => format!(
            "ALTER ROUTINE {}({arguments}) SET {} TO {}",
            qualified(name),
            setting_name(setting),
            setting_value(setting, value)
        ),
        Change::CreateTrigger { trigger, or_replace } => create_trigger(trigger, *or_replace)?,
        Change::DropTrigger { table, name, if_exists, cascade } => format!(
            "DROP TRIGGER {}{} ON {}{}",
            if_there(*if_exists),
            quoted(name),
            qualified(table.as_ref()?),
            cascading(*cascade)
        ),
        Change::SetTriggerEnabled { table, trigger, enabled, firing, user, .. } => format!(
            "{} {} TRIGGER {}",
            table_of(change, table),
            enabling(*enabled, *firing),
            match trigger {
                Some(trigger) => quoted(trigger),
                None if *user => "USER".to_owned(),
                None => "ALL".to_owned(),
            }
        ),
        Change::CreateRule { rule, or_replace } => {
            let rest = rule.definition.get("create".len()..)?.trim_start();
            let rest = match rest.get(.."or replace".len()) {
                Some(words) if words.eq_ignore_ascii_case("or replace") => {
                    rest["or replace".len()..].trim_start()
                }
                _ => rest,
            };
            format!("CREATE {}{rest}", if *or_replace { "OR REPLACE " } else { "" })
        }
        Change::DropRule { table, name, if_exists, cascade } => format!(
            "DROP RULE {}{} ON {}{}",
            if_there(*if_exists),
            quoted(name),
            qualified(table),
            cascading(*cascade)
        ),
        Change::SetRuleEnabled { table, rule, enabled, firing, .. } => {
            format!("{} {} RULE {}", table_of(change, table), enabling(*enabled, *firing), quoted(rule))
        }
        Change::CreatePolicy { policy } => create_policy(policy),
        Change::DropPolicy { table, name, if_exists, cascade } => format!(
            "DROP POLICY {}{} ON {}{}",
            if_there(*if_exists),
            quoted(name),
            qualified(table),
            cascading(*cascade)
        ),
        Change::AlterPolicy { table, name, roles, using, check } => {
            let mut sql = format!("ALTER POLICY {} ON {}", quoted(name), qualified(table));
            if let Some(roles) = roles {
                sql.push_str(&format!(" TO {}", roles.iter().map(role).collect::<Vec<_>>().join(", ")));
            }
            if let Some(using) = using {
                sql.push_str(&format!(" USING ({})", using.text));
            }
            if let Some(check) = check {
                sql.push_str(&format!(" WITH CHECK ({})", check.text));
            }
            sql
        }
        Change::CreateStatistics { .. }
        | Change::SetExtendedStatisticsTarget { .. }
        | Change::DropStatistics { .. }
        | Change::CreatePublication { .. }
        | Change::AlterPublication { .. }
        | Change::SetPublicationOptions { .. }
        | Change::DropPublication { .. }
        | Change::AlterSubscription { .. }
        | Change::DropSubscription { .. } => super::write_other::statement(change)?,
        Change::CreateObject { statement, .. } | Change::AlterObject { statement, .. } => {
            if statement.is_empty() {
                return None;
            }
            statement.clone()
        }
        Change::DropObject { kind, name, if_exists, cascade, statement } => {
            if statement.is_empty() {
                format!(
                    "DROP {} {}{}{}",
                    kind.as_str(),
                    if_there(*if_exists),
                    qualified(name),
                    cascading(*cascade)
                )
            } else {
                statement.clone()
            }
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
        Change::UpdateExtension { name, to } => format!(
            "ALTER EXTENSION {} UPDATE{}",
            quoted(name),
            to.as_ref().map_or_else(String::new, |to| format!(" TO {}", literal(to.as_str())))
        ),
        Change::DropExtension { name, if_exists, cascade } => {
            format!("DROP EXTENSION {}{}{}", if_there(*if_exists), quoted(name), cascading(*cascade))
        }
        Change::Comment { on, text } => {
            let text = text.as_ref().map_or_else(|| "NULL".to_owned(), |text| literal(text));
            format!("COMMENT ON {} IS {text}", comment_target(on)?)
        }
        Change::SetGrant { grant, granted, for_role, cascade } => {
            let sql = set_grant(grant, *granted, for_role.as_ref())?;
            format!("{sql}{}", cascading(*cascade))
        }
        Change::SetMembership { role: of, member, granted, admin } => {
            let (verb, word) = if *granted { ("GRANT", "TO") } else { ("REVOKE", "FROM") };
            let admin = if *granted && *admin { " WITH ADMIN OPTION" } else { "" };
            format!("{verb} {} {word} {}{admin}", role(of), role(member))
        }
        Change::DropOwned { roles, cascade } => {
            let roles: Vec<String> = roles.iter().map(role).collect();
            format!("DROP OWNED BY {}{}", roles.join(", "), cascading(*cascade))
        }
        Change::ReassignOwned { roles, to } => {
            let roles: Vec<String> = roles.iter().map(role).collect();
            format!("REASSIGN OWNED BY {} TO {}", roles.join(", "), role(to))
        }
        Change::SetDatabaseSetting { database, name, value } => {
            stored_setting(&format!("ALTER DATABASE {}", quoted(database)), name, value)
        }
        Change::SetConstraints { names, deferred } => {
            let names: Vec<String> = names.iter().map(qualified).collect();
            let names = if names.is_empty() { "ALL".to_owned() } else { names.join(", ") };
            format!("SET CONSTRAINTS {names} {}", if *deferred { "DEFERRED" } else { "IMMEDIATE" })
        }
        Change::LockTable { tables, mode, only, nowait } => {
            let tables: Vec<String> = tables.iter().map(qualified).collect();
            format!(
                "LOCK TABLE {}{} IN {} MODE{}",
                if *only { "ONLY " } else { "" },
                tables.join(if *only { ", ONLY " } else { ", " }),
                mode.as_str(),
                if *nowait { " NOWAIT" } else { "" }
            )
        }
        Change::SetServerSetting { name, value } => match value.as_str() {
            "DEFAULT" => format!("ALTER SYSTEM RESET {}", reset_name(name)),
            value => format!("ALTER SYSTEM SET {} = {}", setting_name(name), setting_value(name, value)),
        },
        Change::SetRoleSetting { role: name, name: setting, value, database } => {
            let place = database
                .as_ref()
                .map_or_else(String::new, |database| format!(" IN DATABASE {}", quoted(database)));
            let name = if *name == "all" { "ALL".to_owned() } else { role(name) };
            stored_setting(&format!("ALTER ROLE {name}{place}"), setting, value)
        }
        Change::SetSessionSetting { name, value, local } => match value {
            None if *name == "all" => "RESET ALL".to_owned(),
            value => {
                let value =
                    value.as_ref().map_or_else(|| "DEFAULT".to_owned(), |value| setting_value(name, value));
                format!("SET {}{} TO {value}", if *local { "LOCAL " } else { "" }, setting_name(name))
            }
        },
        Change::Analyze { table } => with_table("ANALYZE", table.as_ref()),
        Change::Vacuum { table, full, freeze, analyze } => {
            let options: Vec<&str> = [("FULL", *full), ("FREEZE", *freeze), ("ANALYZE", *analyze)]
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
        Change::Transaction { control, savepoint } => {
            let named = |words: &str| savepoint.as_ref().map(|name| format!("{words} {}", quoted(name)));
            match control {
                TransactionControl::Begin => "BEGIN".to_owned(),
                TransactionControl::Commit => "COMMIT".to_owned(),
                TransactionControl::Rollback => "ROLLBACK".to_owned(),
                TransactionControl::Savepoint => named("SAVEPOINT")?,
                TransactionControl::RollbackTo => named("ROLLBACK TO SAVEPOINT")?,
                TransactionControl::Release => named("RELEASE SAVEPOINT")?,
            }
        }
        Change::Data { kind: DataKind::Truncate, table, clauses, .. } => {
            let tables: Vec<String> = table.iter().chain(&clauses.also).map(qualified).collect();
            format!(
                "TRUNCATE {}{}{}{}",
                if clauses.only { "ONLY " } else { "" },
                tables.join(", "),
                if clauses.restart_identity { " RESTART IDENTITY" } else { "" },
                cascading(clauses.cascade)
            )
        }
        Change::Procedural { kind: ProceduralKind::Do, body, .. } => format!("DO {}", dollar_quoted(body)),
        Change::Procedural { body, .. } if !body.is_empty() => body.clone(),
        Change::Prepare { statement, .. } => statement.clone(),
        Change::Explain { statement } => match statements(statement)?.as_slice() {
            [statement] => format!("EXPLAIN {statement}"),
            _ => return None,
        },
        Change::DiscardAll => "DISCARD ALL".to_owned(),
        Change::Nothing => return Some(Vec::new()),
        Change::ModifyColumn { .. }
        | Change::SetForeignOptions { .. }
        | Change::SetIndexExtension { .. }
        | Change::RebuildTable { .. }
        | Change::OrderTable { .. }
        | Change::AlterPartitions { .. }
        | Change::CreateSubscription { .. }
        | Change::AttachDatabase { .. }
        | Change::DetachDatabase { .. }
        | Change::Procedural { .. }
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

pub(super) fn if_there(exists: bool) -> &'static str {
    if exists { "IF EXISTS " } else { "" }
}

pub(super) fn cascading(cascade: bool) -> &'static str {
    if cascade { " CASCADE" } else { "" }
}

pub(super) fn concurrent(concurrently: bool) -> &'static str {
    if concurrently { "CONCURRENTLY " } else { "" }
}

pub(super) fn alter(table: &QualifiedName) -> String {
    format!("ALTER TABLE {}", qualified(table))
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

fn table_options(change: &Change, table: &QualifiedName, options: &[(Name, String)]) -> Option<Vec<String>> {
    Some(set_or_reset(&table_of(change, table), options))
}

/// `SET (...)` of the options with a value and `RESET (...)` of those without.
fn set_or_reset(head: &str, options: &[(Name, String)]) -> Vec<String> {
    let (reset, set): (Vec<_>, Vec<_>) = options.iter().cloned().partition(|(_, value)| value.is_empty());
    let mut all = Vec::new();
    if !set.is_empty() {
        all.push(format!("{head} SET ({})", parameters(&set)));
    }
    if !reset.is_empty() {
        all.push(format!("{head} RESET ({})", parameter_names(&reset)));
    }
    all
}

/// `ALTER TABLE` with the clauses and the name of the table that a change is of.
fn table_of(change: &Change, table: &QualifiedName) -> String {
    object_of(change, &ObjectKind::Table, table)
}

/// `ALTER` with the kind and the name of an object.
fn object_of(change: &Change, kind: &ObjectKind, object: &QualifiedName) -> String {
    let clauses = change.alter().cloned().unwrap_or_default();
    let name = match kind {
        // Routines carry their arguments in the name.
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            match object.name.as_str().split_once('(') {
                Some((name, arguments)) => format!("{}({arguments}", qualified(&object.sibling(name))),
                None => qualified(object),
            }
        }
        ObjectKind::Aggregate
        | ObjectKind::Operator
        | ObjectKind::OperatorClass
        | ObjectKind::OperatorFamily
        | ObjectKind::LargeObject => object.name.to_string(),
        ObjectKind::Role => role(&object.name),
        _ => qualified(object),
    };
    format!(
        "ALTER {} {}{}{name}",
        kind.as_str(),
        if_there(clauses.if_exists),
        if clauses.only { "ONLY " } else { "" }
    )
}

fn column_of(change: &Change, table: &QualifiedName, column: &Name) -> String {
    format!("{} ALTER COLUMN {}", table_of(change, table), quoted(column))
}

fn if_there_after(exists: bool) -> &'static str {
    if exists { " IF EXISTS" } else { "" }
}

pub(super) fn statistics_target(target: Option<i32>) -> String {
    // `DEFAULT` is known only since version 16.
    target.map_or_else(|| "-1".to_owned(), |target| target.to_string())
}

fn enabling(enabled: bool, firing: Firing) -> &'static str {
    match (enabled, firing) {
        (false, _) => "DISABLE",
        (true, Firing::Origin) => "ENABLE",
        (true, Firing::Replica) => "ENABLE REPLICA",
        (true, Firing::Always) => "ENABLE ALWAYS",
    }
}

fn constraint_changes(changes: ConstraintChanges) -> String {
    let words = [
        (changes.deferrable, "DEFERRABLE", "NOT DEFERRABLE"),
        (changes.initially_deferred, "INITIALLY DEFERRED", "INITIALLY IMMEDIATE"),
        (changes.enforced, "ENFORCED", "NOT ENFORCED"),
        (changes.inherit, "INHERIT", "NO INHERIT"),
    ];
    let said = words.iter().filter_map(|(said, yes, no)| said.map(|said| if said { *yes } else { *no }));
    said.map(|words| format!(" {words}")).collect()
}

fn attribute_change(change: &Change) -> Option<String> {
    let collated = |collation: &Option<Name>| {
        collation.as_ref().map_or_else(String::new, |name| format!(" COLLATE {}", quote_collation(name)))
    };
    Some(match change {
        Change::AddAttribute { name, attribute, data_type, collation, cascade } => format!(
            "ALTER TYPE {} ADD ATTRIBUTE {} {}{}{}",
            qualified(name),
            quoted(attribute),
            data_type.text,
            collated(collation),
            cascading(*cascade)
        ),
        Change::DropAttribute { name, attribute, if_exists, cascade } => format!(
            "ALTER TYPE {} DROP ATTRIBUTE {}{}{}",
            qualified(name),
            if_there(*if_exists),
            quoted(attribute),
            cascading(*cascade)
        ),
        Change::AlterAttributeType { name, attribute, to, collation, cascade } => format!(
            "ALTER TYPE {} ALTER ATTRIBUTE {} TYPE {}{}{}",
            qualified(name),
            quoted(attribute),
            to.text,
            collated(collation),
            cascading(*cascade)
        ),
        Change::RenameAttribute { name, attribute, to, cascade } => format!(
            "ALTER TYPE {} RENAME ATTRIBUTE {} TO {}{}",
            qualified(name),
            quoted(attribute),
            quoted(to),
            cascading(*cascade)
        ),
        _ => return None,
    })
}

fn domain_change(change: &Change) -> Option<String> {
    let head = |name: &QualifiedName| format!("ALTER DOMAIN {}", qualified(name));
    Some(match change {
        Change::SetDomainDefault { name, default: Some(default) } => {
            format!("{} SET DEFAULT {}", head(name), default.text)
        }
        Change::SetDomainDefault { name, default: None } => format!("{} DROP DEFAULT", head(name)),
        Change::SetDomainNotNull { name, not_null: true, constraint: Some(constraint) } => {
            format!("{} ADD CONSTRAINT {} NOT NULL", head(name), quoted(constraint))
        }
        Change::SetDomainNotNull { name, not_null, .. } => {
            format!("{} {} NOT NULL", head(name), if *not_null { "SET" } else { "DROP" })
        }
        Change::AddDomainCheck { name, check } => format!("{} ADD {}", head(name), check_constraint(check)),
        Change::DropDomainConstraint { name, constraint, if_exists, cascade } => format!(
            "{} DROP CONSTRAINT {}{}{}",
            head(name),
            if_there(*if_exists),
            quoted(constraint),
            cascading(*cascade)
        ),
        Change::RenameDomainConstraint { name, constraint, to } => {
            format!("{} RENAME CONSTRAINT {} TO {}", head(name), quoted(constraint), quoted(to))
        }
        Change::ValidateDomainConstraint { name, constraint } => {
            format!("{} VALIDATE CONSTRAINT {}", head(name), quoted(constraint))
        }
        _ => return None,
    })
}

/// A setting kept for a role or database.
fn stored_setting(head: &str, name: &Name, value: &str) -> String {
    match value {
        "DEFAULT" => format!("{head} RESET {}", reset_name(name)),
        value => format!("{head} SET {} TO {}", setting_name(name), setting_value(name, value)),
    }
}

fn reset_name(name: &Name) -> String {
    if *name == "all" { "ALL".to_owned() } else { setting_name(name) }
}

fn comment_target(target: &CommentTarget) -> Option<String> {
    Some(match target {
        CommentTarget::Schema(name) => format!("SCHEMA {}", quoted(name)),
        CommentTarget::Table(name) => format!("TABLE {}", qualified(name)),
        CommentTarget::Column(table, column) => format!("COLUMN {}.{}", qualified(table), quoted(column)),
        CommentTarget::View(name) => format!("VIEW {}", qualified(name)),
        CommentTarget::Index(name) => format!("INDEX {}", qualified(name)),
        CommentTarget::Type(name) => format!("TYPE {}", qualified(name)),
        CommentTarget::Sequence(name) => format!("SEQUENCE {}", qualified(name)),
        CommentTarget::Other => return None,
    })
}

fn set_grant(grant: &Grant, granted: bool, for_role: Option<&Name>) -> Option<String> {
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
            let owner = for_role.map_or_else(String::new, |name| format!(" FOR ROLE {}", role(name)));
            return Some(format!("ALTER DEFAULT PRIVILEGES{owner}{place} {action}"));
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
