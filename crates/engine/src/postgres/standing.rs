//! How a connection stands to a PostgreSQL server before anything is changed: whether a pooler hands out servers per
//! transaction, and what the role may do.

use dbwright_model::name::QualifiedName;
use dbwright_model::observed::Observed;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connect::connect;
use crate::dsn::ServerDsn;
use crate::session::{Limits, SessionError};

/// What was found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// How it shows that a pooler gives every transaction another server; `None` when it does not show.
    pub pooler: Observed<Option<String>>,
    /// The schema in which tables are made, and whether the role may make the history table there, or write to it where it
    /// is there already.
    pub may_create: Observed<(String, bool)>,
    /// Tables of those asked for that the role is not an owner of.
    pub owned_by_others: Observed<Vec<String>>,
}

/// Finds it out. `history` is the name of the history table as it is written in statements. Nothing is changed.
pub async fn standing(
    dsn: &ServerDsn,
    history: &str,
    tables: &[QualifiedName],
    limits: &Limits,
) -> Result<Standing, SessionError> {
    let one = connect(dsn, limits).await?.client;
    let pooler = match connect(dsn, limits).await {
        Ok(two) => match pooler(&one, &two.client).await {
            Ok(shown) => Observed::Known(shown),
            Err(error) => Observed::Failed(error.to_string()),
        },
        Err(error) => Observed::Failed(error.message),
    };
    let history = format!("'{}'", history.replace('\'', "''"));
    let create = format!(
        "select coalesce(current_schema(), ''), (case when to_regclass({history}) is null \
         then coalesce(has_schema_privilege(current_schema(), 'create'), false) \
         else has_table_privilege(to_regclass({history}), 'insert') end)::text"
    );
    let may_create = match ask(&one, &create).await {
        Ok(rows) => match rows.into_iter().next().as_deref() {
            Some([schema, may]) => Observed::Known((schema.clone(), may == "true")),
            _ => Observed::Failed("the server gave no answer".to_owned()),
        },
        Err(error) => Observed::Failed(error.to_string()),
    };
    Ok(Standing { pooler, may_create, owned_by_others: owned_by_others(&one, tables).await })
}

/// Times that two connections are compared: other clients of a pooler may take the server that would give it away.
const ROUNDS: u32 = 8;

/// While one connection has no transaction open, another opens one: behind a pooler of transactions it gets the very
/// server that had served the first, which goes on with another.
async fn pooler(one: &Client, two: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let process = "select pg_backend_pid()::text";
    for _ in 0..ROUNDS {
        let first = ask(one, process).await?;
        two.batch_execute("begin").await?;
        let other = ask(two, process).await?;
        let again = ask(one, process).await?;
        two.batch_execute("rollback").await?;
        if first == other {
            return Ok(Some("two connections were served by one server process".to_owned()));
        }
        if first != again {
            let words = "two statements of one connection were served by different server processes";
            return Ok(Some(words.to_owned()));
        }
    }
    Ok(None)
}

async fn owned_by_others(client: &Client, tables: &[QualifiedName]) -> Observed<Vec<String>> {
    if tables.is_empty() {
        return Observed::Known(Vec::new());
    }
    let text = |name: &str| format!("'{}'", name.replace('\'', "''"));
    let names: Vec<String> = tables
        .iter()
        .map(|name| format!("({}, {})", text(name.schema.as_str()), text(name.name.as_str())))
        .collect();
    let sql = format!(
        "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where (n.nspname, c.relname) in ({}) and not pg_has_role(c.relowner, 'usage') order by 1",
        names.join(", ")
    );
    match ask(client, &sql).await {
        Ok(rows) => Observed::Known(rows.into_iter().flatten().collect()),
        Err(error) => Observed::Failed(error.to_string()),
    }
}

async fn ask(client: &Client, sql: &str) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
    let messages = client.simple_query(sql).await?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|i| row.get(i).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}
