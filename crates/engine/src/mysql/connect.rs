//! Opening a session: the way to the server, its protection, and the promise not to write.

use std::collections::BTreeSet;
use std::time::Instant;

use dbwright_model::engine::{Engine, Version};
use mysql_async::{Conn, OptsBuilder, SslOpts};
use secrecy::ExposeSecret;

use super::ReadSession;
use super::wire::{Asker, Trouble};
use crate::dsn::{Dsn, Host, ServerDsn, Tls, TlsMode};
use crate::session::{Limits, SessionError, SessionErrorKind};

/// Opens a reading session.
pub(super) async fn open(dsn: &ServerDsn, limits: &Limits) -> Result<ReadSession, SessionError> {
    let target = Dsn::Mysql(dsn.clone()).to_string();
    let conn = connect(dsn, limits, &target).await?;
    let mut asker = Box::new(Asker {
        conn,
        database: dsn.database.clone(),
        statement_timeout: limits.statement_timeout,
        deadline: Instant::now() + limits.total,
        lost: false,
        known_columns: BTreeSet::new(),
    });
    let internal = |trouble: Trouble| {
        let (Trouble::Denied(because) | Trouble::Unsupported(because) | Trouble::Failed(because)) = trouble;
        error(
            SessionErrorKind::Internal,
            format!("`{target}` could not be prepared for reading: {because}"),
            None,
        )
    };
    let rows =
        asker.ask("identity", include_str!("../../sql/mysql/identity.sql"), "").await.map_err(internal)?;
    let text = |column: &str| {
        rows.first().and_then(|row| row.opt_text(column).ok().flatten()).unwrap_or_default().to_owned()
    };
    let version_text = text("version");
    let comment = text("version_comment");
    let is_mariadb = version_text.to_ascii_lowercase().contains("mariadb") || comment.contains("MariaDB");
    let engine = if is_mariadb { Engine::Mariadb } else { Engine::Mysql };
    // Replication once needed MariaDB to call itself `5.5.5-10.4.1-MariaDB`.
    let version =
        Version::parse(version_text.strip_prefix("5.5.5-").unwrap_or(&version_text)).ok_or_else(|| {
            error(
                SessionErrorKind::Unsupported,
                format!("the server's version `{version_text}` was not understood"),
                None,
            )
        })?;
    for statement in promises(engine, limits) {
        asker.run(&format!("/* dbwright:session */ {statement}"), "").await.map_err(internal)?;
    }
    let columns = asker
        .ask("columns_known", include_str!("../../sql/mysql/columns_known.sql"), "")
        .await
        .map_err(internal)?;
    for row in &columns {
        if let (Ok(view), Ok(column)) = (row.text("view_name"), row.text("column_name")) {
            asker.known_columns.insert(format!("{view}.{column}").to_ascii_uppercase());
        }
    }
    let account = text("account");
    Ok(ReadSession {
        asker,
        engine,
        version,
        version_text,
        account,
        target,
        limits: limits.clone(),
        sight: None,
    })
}

/// Statements that keep the session short, patient with others, and unable to write.
fn promises(engine: Engine, limits: &Limits) -> Vec<String> {
    let timeout = match engine {
        Engine::Mariadb => {
            format!("SET SESSION max_statement_time = {}", limits.statement_timeout.as_secs_f64())
        }
        _ => format!("SET SESSION max_execution_time = {}", limits.statement_timeout.as_millis()),
    };
    let patience = limits.lock_timeout.as_secs().max(1);
    vec![
        "SET NAMES utf8mb4".to_owned(),
        "SET SESSION sql_mode = ''".to_owned(),
        timeout,
        format!("SET SESSION lock_wait_timeout = {patience}"),
        format!("SET SESSION innodb_lock_wait_timeout = {patience}"),
        // Every statement becomes a read-only transaction of its own. One long transaction would keep its metadata
        // locks on each table that it read, and with them anybody's DDL waiting.
        "SET SESSION TRANSACTION READ ONLY".to_owned(),
        "SET SESSION autocommit = 1".to_owned(),
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
    ]
}

/// Opens a connection as the target and its protection say.
pub(crate) async fn connect(dsn: &ServerDsn, limits: &Limits, target: &str) -> Result<Conn, SessionError> {
    // The client library needs to be told once which of its implementations of TLS to use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ways: &[bool] = match (&dsn.host, dsn.tls.mode) {
        (Host::Unix(_), _) | (_, TlsMode::Disable) => &[false],
        (_, TlsMode::Prefer) => &[true, false],
        _ => &[true],
    };
    let mut last = None;
    for encrypted in ways {
        let opts = options(dsn, *encrypted);
        match tokio::time::timeout(limits.connect_timeout, Conn::new(opts)).await {
            Ok(Ok(conn)) => return Ok(conn),
            Ok(Err(failure)) => {
                let server_spoke = matches!(failure, mysql_async::Error::Server(_));
                last = Some(refusal(failure, target));
                // A refusal by the server itself would be repeated without protection, and show the password.
                if server_spoke {
                    break;
                }
            }
            Err(_) => {
                let message = format!("`{target}` did not answer within {:?}", limits.connect_timeout);
                last =
                    Some(error(SessionErrorKind::Connection, message, Some("check host, port and firewall")));
                break;
            }
        }
    }
    Err(last
        .unwrap_or_else(|| error(SessionErrorKind::Connection, format!("`{target}` was not tried"), None)))
}

fn options(dsn: &ServerDsn, encrypted: bool) -> OptsBuilder {
    let mut builder = OptsBuilder::default()
        .user(Some(dsn.user.clone()))
        .pass(dsn.password.as_ref().map(|password| password.expose_secret().to_owned()))
        .db_name(Some(dsn.database.clone()).filter(|database| !database.is_empty()))
        .prefer_socket(false)
        .stmt_cache_size(0);
    builder = match &dsn.host {
        Host::Tcp(host) => builder.ip_or_hostname(host.clone()).tcp_port(dsn.port),
        Host::Unix(socket) => builder.socket(Some(socket.display().to_string())),
    };
    if encrypted { builder.ssl_opts(Some(protection(&dsn.tls))) } else { builder }
}

fn protection(tls: &Tls) -> SslOpts {
    let roots: Vec<_> = tls.root_certificate.iter().map(|path| path.clone().into()).collect();
    let named = !roots.is_empty();
    let verifies_authority = match tls.mode {
        TlsMode::VerifyCa | TlsMode::VerifyFull => true,
        TlsMode::Require => named,
        TlsMode::Disable | TlsMode::Prefer => false,
    };
    SslOpts::default()
        .with_root_certs(roots)
        .with_disable_built_in_roots(named)
        .with_danger_accept_invalid_certs(!verifies_authority)
        .with_danger_skip_domain_validation(tls.mode != TlsMode::VerifyFull)
}

fn refusal(failure: mysql_async::Error, target: &str) -> SessionError {
    match failure {
        mysql_async::Error::Server(server) => {
            let (kind, hint) = match server.code {
                1044 => (
                    SessionErrorKind::Authentication,
                    Some("let the account be granted a privilege on the database, or name another one"),
                ),
                1045 | 1698 => (
                    SessionErrorKind::Authentication,
                    Some("check user and password, and that the account may come from this host"),
                ),
                1049 => (SessionErrorKind::Usage, Some("name a database that exists")),
                1040 | 1203 => (SessionErrorKind::Connection, Some("wait until connections are free")),
                _ => (SessionErrorKind::Connection, None),
            };
            error(kind, format!("`{target}` refused the connection: {}", server.message), hint)
        }
        other => error(
            SessionErrorKind::Connection,
            format!("`{target}` could not be reached: {}", root(&other)),
            Some("check that the server runs and listens there"),
        ),
    }
}

/// The first cause of a failure: every layer of the client library says its own "Input/output error" in front of it.
fn root(failure: &mysql_async::Error) -> String {
    let mut cause: &dyn std::error::Error = failure;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn error(kind: SessionErrorKind, message: String, hint: Option<&str>) -> SessionError {
    SessionError { kind, message, hint: hint.map(str::to_owned) }
}
