//! Sessions, lock waits, replication and accounts: pure decoders of recorded rows.

use dbwright_model::access::{Grant, GrantObject, Membership, PasswordStorage, Privileges, Role};
use dbwright_model::activity::{LockWait, Session};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::replication::Replication;

use super::catalog::Reading;
use crate::redact;
use crate::row::{DecodeError, Row, Value};

/// Sessions of the process list, joined with open transactions.
pub(super) fn sessions(rows: &[Row], waits: &[LockWait]) -> Result<Vec<Session>, DecodeError> {
    let mut made: Vec<Session> = Vec::new();
    for row in rows {
        let id = row.int("id")?;
        if made.last().is_some_and(|session| session.id == id) {
            continue;
        }
        let command = row.opt_text("command")?.unwrap_or_default();
        let seconds = row.opt_float("time")?;
        let transaction_seconds = row.opt_float("trx_seconds")?;
        let (backend, state) = match command {
            "Sleep" if transaction_seconds.is_some() => ("client backend", "idle in transaction"),
            "Sleep" => ("client backend", "idle"),
            "Binlog Dump" | "Binlog Dump GTID" => ("walsender", "active"),
            "Daemon" => ("background worker", "active"),
            "Slave_IO" | "Slave_SQL" | "Slave_worker" => ("replica thread", "active"),
            "Connect" if row.opt_text("user")? == Some("system user") => ("replica thread", "active"),
            _ => ("client backend", "active"),
        };
        let host = row.opt_text("host")?.unwrap_or_default();
        let mut blocked_by: Vec<i64> =
            waits.iter().filter(|wait| wait.waiting == id).map(|wait| wait.blocking).collect();
        blocked_by.dedup();
        made.push(Session {
            id,
            user: row.opt_text("user")?.map(Name::new),
            database: row.opt_text("db")?.map(Name::new),
            backend: Name::new(backend),
            state: Name::new(state),
            transaction_seconds,
            statement_seconds: seconds.filter(|_| command != "Sleep"),
            state_seconds: seconds,
            wait: row.opt_text("state")?.filter(|state| is_wait(state)).map(Name::new),
            blocked_by,
            remote: (backend == "client backend" && !host.is_empty())
                .then(|| !matches!(host.split(':').next(), Some("localhost" | "127.0.0.1" | "::1"))),
            statement: row.opt_text("info")?.map(|text| redact::statement(Dialect::Mysql, text)),
            ..Session::default()
        });
    }
    Ok(made)
}

fn is_wait(state: &str) -> bool {
    let lower = state.to_ascii_lowercase();
    lower.contains("waiting") || lower.contains("lock")
}

/// Lock waits; MariaDB names the table as one quoted text.
pub(super) fn lock_waits(rows: &[Row], reading: Reading<'_>) -> Result<Vec<LockWait>, DecodeError> {
    let mut made = Vec::new();
    for row in rows {
        let text = |column: &str| match row.optional(column) {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let relation = match (text("lock_table"), text("lock_name")) {
            (Some(table), _) => {
                let table = table.trim_matches('`');
                Some(match table.split_once("`.`") {
                    Some((schema, name)) => reading.name(schema, name),
                    None => QualifiedName::bare(table),
                })
            }
            (None, Some(name)) => Some(reading.name(text("lock_schema").unwrap_or_default(), name)),
            (None, None) => None,
        };
        made.push(LockWait {
            waiting: row.int("waiting")?,
            blocking: row.int("blocking")?,
            relation,
            seconds: row.opt_float("seconds")?,
        });
    }
    Ok(made)
}

/// `SHOW REPLICA STATUS` in either wording; no row means that this server follows no other.
pub(super) fn replication(rows: &[Row]) -> Result<Replication, DecodeError> {
    let mut made = Replication { standby: !rows.is_empty(), ..Replication::default() };
    for row in rows {
        let text = |names: [&str; 2]| {
            let found = names.into_iter().find_map(|name| row.opt_text(name).ok().flatten());
            found.map(str::to_owned)
        };
        let io = text(["replica_io_running", "slave_io_running"]);
        let sql = text(["replica_sql_running", "slave_sql_running"]);
        let running = io.as_deref() == Some("Yes") && sql.as_deref() == Some("Yes");
        made.receiver_running = Some(made.receiver_running.unwrap_or(true) && running);
        let behind = ["seconds_behind_source", "seconds_behind_master"]
            .into_iter()
            .find_map(|name| row.opt_float(name).ok().flatten());
        made.replay_delay_seconds = made.replay_delay_seconds.into_iter().chain(behind).reduce(f64::max);
        let error = ["last_sql_error", "last_io_error", "last_error"]
            .into_iter()
            .find_map(|name| row.opt_text(name).ok().flatten().filter(|text| !text.is_empty()));
        made.last_error = made.last_error.or(error.map(str::to_owned));
    }
    Ok(made)
}

fn account(user: &str, host: &str) -> Name {
    if host.is_empty() { Name::new(user) } else { Name::from(format!("{user}@{host}")) }
}

fn password(plugin: &str, has_hash: bool) -> PasswordStorage {
    match plugin {
        "" | "mysql_native_password" | "mysql_old_password" if has_hash => PasswordStorage::Weak,
        "" | "mysql_native_password" | "mysql_old_password" => PasswordStorage::None,
        "caching_sha2_password" | "sha256_password" | "ed25519" | "parsec" if has_hash => {
            PasswordStorage::Strong
        }
        "caching_sha2_password" | "sha256_password" | "ed25519" | "parsec" => PasswordStorage::None,
        "unix_socket" | "auth_socket" | "pam" | "auth_pam" | "gssapi" | "named_pipe" => {
            PasswordStorage::External
        }
        plugin if plugin.starts_with("authentication_") => PasswordStorage::External,
        _ => PasswordStorage::Unknown,
    }
}

/// Rights that only somebody with all of them holds together, as bits of MariaDB's `access`.
const EVERYTHING: u64 = 0b1111_1111_1111 & !(1 << 10) | 1 << 15;
const GRANT_OPTION: u64 = 1 << 10;
const CREATE: u64 = 1 << 4;
const REPLICATION: u64 = 1 << 19;
const CREATE_USER: u64 = 1 << 25;

/// Accounts and roles of MariaDB.
pub(super) fn roles_mariadb(rows: &[Row], edges: &[Row]) -> Result<Vec<Role>, DecodeError> {
    let mut made = Vec::new();
    for row in rows {
        let (user, host) = (row.text("user")?, row.text("host")?);
        let is_role = row.opt_text("is_role")? == Some("true") || row.opt_text("is_role")? == Some("1");
        let locked = matches!(row.opt_text("account_locked")?, Some("true" | "1"));
        let access = row.opt_count("access")?.unwrap_or(0);
        let plugin = row.opt_text("plugin")?.unwrap_or_default();
        // A hash of the word "invalid" is how the server writes an account that may only come by its socket.
        let kept = if row.opt_bool("alternatives")? == Some(true) {
            PasswordStorage::External
        } else {
            password(plugin, row.bool("has_hash")?)
        };
        made.push(Role {
            name: account(user, host),
            login: !is_role && !locked,
            superuser: access & EVERYTHING == EVERYTHING,
            create_role: access & (CREATE_USER | GRANT_OPTION) != 0,
            create_database: access & CREATE != 0,
            replication: access & REPLICATION != 0,
            connection_limit: limit(row)?,
            password: if is_role { PasswordStorage::None } else { kept },
            member_of: memberships(edges, user, host)?,
            ..Role::default()
        });
    }
    made.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(made)
}

fn limit(row: &Row) -> Result<Option<u32>, DecodeError> {
    Ok(row.opt_count("max_user_connections")?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0))
}

fn memberships(edges: &[Row], user: &str, host: &str) -> Result<Vec<Membership>, DecodeError> {
    let mut made = Vec::new();
    for row in edges {
        if row.text("user")? == user && row.text("host")? == host {
            let role = account(row.text("role")?, row.opt_text("role_host")?.unwrap_or_default());
            // A role works after `SET ROLE` only, unless it is somebody's default.
            made.push(Membership { role, inherits: false, admin: row.opt_text("admin")? == Some("Y") });
        }
    }
    Ok(made)
}

/// Accounts and roles of MySQL.
pub(super) fn roles_mysql(rows: &[Row], edges: &[Row]) -> Result<Vec<Role>, DecodeError> {
    let mut made = Vec::new();
    for row in rows {
        let (user, host) = (row.text("user")?, row.text("host")?);
        let yes = |column| Ok::<_, DecodeError>(row.opt_text(column)? == Some("Y"));
        let all = yes("super_priv")?
            && yes("create_priv")?
            && yes("drop_priv")?
            && yes("file_priv")?
            && yes("shutdown_priv")?;
        let kept = password(row.opt_text("plugin")?.unwrap_or_default(), row.bool("has_hash")?);
        made.push(Role {
            name: account(user, host),
            login: !yes("account_locked")?,
            superuser: all,
            create_role: yes("create_user_priv")? || yes("grant_priv")?,
            create_database: yes("create_priv")?,
            replication: yes("repl_slave_priv")?,
            connection_limit: limit(row)?,
            password: kept,
            member_of: memberships(edges, user, host)?,
            ..Role::default()
        });
    }
    made.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(made)
}

/// Granted rights of `information_schema`, whose grantees are quoted.
pub(super) fn privileges(rows: &[Row], reading: Reading<'_>) -> Result<Privileges, DecodeError> {
    let mut made = Privileges::default();
    for row in rows {
        let name = row.text("object_name")?;
        let (object_kind, object) = match row.text("kind")? {
            "server" => (GrantObject::Server, QualifiedName::default()),
            "database" => {
                (GrantObject::Database, QualifiedName::bare(name.replace("\\_", "_").replace("\\%", "%")))
            }
            "table" => (GrantObject::Table, reading.name(row.text("object_schema")?, name)),
            _ => (GrantObject::Column, reading.name(row.text("object_schema")?, name)),
        };
        made.grants.push(Grant {
            object_kind,
            object,
            grantee: grantee(row.text("grantee")?),
            privilege: Name::from(row.text("privilege")?.to_ascii_uppercase()),
            grantable: row.opt_text("is_grantable")? == Some("YES"),
        });
    }
    made.grants.sort();
    made.grants.dedup();
    Ok(made)
}

/// `'app'@'%'` without its quotes.
fn grantee(quoted: &str) -> Name {
    match quoted.rsplit_once("'@'") {
        Some((user, host)) => {
            account(user.strip_prefix('\'').unwrap_or(user), host.strip_suffix('\'').unwrap_or(host))
        }
        None => Name::new(quoted.trim_matches('\'')),
    }
}
