//! Roles that a scratch server lacks: they belong to the whole server, so files rarely make them.

use dbwright_engine::scratch::postgres::PostgresServer;
use dbwright_model::engine::Dialect;

/// Makes the role that the server, in the words of its refusal, says is not there. Returns whether the refused statement is
/// worth another try.
pub(crate) async fn make_missing(server: &PostgresServer, refusal: &str) -> bool {
    let Some(name) = missing(refusal) else { return false };
    let Ok(client) = server.client("postgres").await else { return false };
    let quoted = dbwright_sql::quote_identifier(Dialect::Postgres, name);
    client.batch_execute(&format!("create role {quoted}")).await.is_ok()
}

/// The role that a scratch server, which speaks English, says is not there.
fn missing(refusal: &str) -> Option<&str> {
    let (_, rest) = refusal.split_once("role \"")?;
    Some(rest.split_once("\" does not exist")?.0)
}
