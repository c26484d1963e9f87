//! MySQL and MariaDB: a change of a table is run with exactly the `ALGORITHM` and `LOCK` that the server accepted on an
//! empty copy, so that it refuses rather than degrades; where only a copy is left, other tools do it online.

use std::fmt::Write;

use dbwright_engine::dsn::{Dsn, Host, ServerDsn};
use dbwright_engine::mysql::probe::{Clause, ProbeError, ProbeResult, probe};
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::catalog::{Catalog, Table};
use dbwright_model::effect::Algorithm;
use dbwright_model::engine::Engine;
use dbwright_model::name::Name;
use dbwright_sql::mysql::online::OnlineStatement;

use crate::error::{ErrorKind, ServiceError};

/// How a statement is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As it is written: it takes no clause, or says one itself, or its table holds few rows, or a copy was allowed.
    AsWritten,
    /// With the clause in it that the server accepted.
    Exactly(String),
}

/// Finds the way of a statement. Only a copy being left, or the server not telling, is an error, whose hints are the
/// commands of tools that copy while the table is in use.
pub(super) async fn way(
    consent: &Consent,
    statement: &str,
    engine: Engine,
    catalog: Option<&Catalog>,
    allow_copy: bool,
) -> Result<Way, ServiceError> {
    let (Dsn::Mysql(server), Some(online)) = (consent.target(), OnlineStatement::read(statement)) else {
        return Ok(Way::AsWritten);
    };
    if online.has_clause() {
        return Ok(Way::AsWritten);
    }
    let mut session = WriteSession::open(consent).await?;
    if holds_few_rows(&mut session, &online).await {
        return Ok(Way::AsWritten);
    }
    let write = |database: Option<&Name>, clause: Option<Clause>| {
        online.write(database, clause.map(|clause| (clause.algorithm, clause.lock)))
    };
    let result = match probe(&mut session, &online.table, &online.parents, &write).await {
        Ok(result) => result,
        // The statement itself will say so.
        Err(ProbeError::Statement { .. }) => return Ok(Way::AsWritten),
        Err(_) if allow_copy => return Ok(Way::AsWritten),
        Err(error) => {
            return Err(ServiceError::new(
                ErrorKind::Unsupported,
                format!("how the server would change `{}` is not known: {error}", online.table),
            )
            .hint("grant the account CREATE, ALTER, INDEX, DROP and REFERENCES on `dbwright\\_probe\\_%`.*")
            .hint("or run it as it is with `--allow-copy`, which may keep writers out for as long as a copy takes"));
        }
    };
    if result.algorithm != Algorithm::Copy {
        let lock = (result.algorithm != Algorithm::Instant).then_some(result.lock);
        return Ok(Way::Exactly(online.write(None, Some((result.algorithm, lock)))));
    }
    if allow_copy {
        return Ok(Way::AsWritten);
    }
    Err(hand_over(server, &online, &result, engine, catalog, &binary_log(&mut session).await))
}

/// Rows of which a copy is made faster than anybody could wait for.
pub(super) const FEW: usize = 1_000;

async fn holds_few_rows(session: &mut WriteSession, online: &OnlineStatement) -> bool {
    let quote = |name: &Name| dbwright_sql::mysql::quote::identifier(name.as_str());
    let table = match online.table.schema.is_empty() {
        true => quote(&online.table.name),
        false => format!("{}.{}", quote(&online.table.schema), quote(&online.table.name)),
    };
    let rows = session.ask_bound(&format!("select '1' from {table} limit {}", FEW + 1), &[]).await;
    rows.is_ok_and(|rows| rows.len() <= FEW)
}

/// `@@log_bin` and `@@binlog_format`, as far as they are known.
async fn binary_log(session: &mut WriteSession) -> Vec<String> {
    let rows =
        session.ask_bound("select cast(@@log_bin as char), @@binlog_format", &[]).await.unwrap_or_default();
    rows.into_iter().flatten().flatten().collect()
}

/// The refusal to copy, with the commands of tools that do it online and what each of them needs.
fn hand_over(
    server: &ServerDsn,
    online: &OnlineStatement,
    result: &ProbeResult,
    engine: Engine,
    catalog: Option<&Catalog>,
    log: &[String],
) -> ServiceError {
    let table = &online.table;
    let because = match (&result.ignored, result.refused.last()) {
        (Some(clause), _) => format!("it accepts {clause} and copies all the same"),
        (None, Some((_, words))) => words.clone(),
        (None, None) => "it accepts nothing else".to_owned(),
    };
    let mut error = ServiceError::new(
        ErrorKind::Unsupported,
        format!(
            "the server can change `{table}` only by copying it, which keeps writers out ({}): {because}",
            result.lock.as_str()
        ),
    )
    .hint("`--allow-copy` runs it all the same");
    let Some(changes) = online.changes() else { return error };
    let known = catalog.and_then(|catalog| {
        let is_it = |other: &&Table| other.name.name == table.name;
        Some((catalog, catalog.tables.iter().find(is_it)?))
    });
    let Some((catalog, known)) = known else {
        return error.hint(
            "the table is not in the catalog that could be read, so no command of another tool is checked",
        );
    };
    let database = if table.schema.is_empty() { server.database.as_str() } else { table.schema.as_str() };
    let conditions = Conditions::of(catalog, known, log);
    error = error.hint(told(
        "pt-online-schema-change",
        &conditions.percona(),
        &percona(server, database, table.name.as_str(), changes, &conditions),
    ));
    let mut ghost = conditions.ghost();
    if engine == Engine::Mariadb {
        ghost
            .doubts
            .push("gh-ost is made for MySQL; whether it works with this MariaDB is not known".to_owned());
    }
    error.hint(told("gh-ost", &ghost, &gh_ost(server, database, table.name.as_str(), changes)))
}

/// What tools that copy a table need to know of it.
struct Conditions {
    unique_key: bool,
    triggers: Option<usize>,
    references: Vec<String>,
    referenced_by: Vec<String>,
    row_log: Option<bool>,
}

/// What stands against a tool, and what could not be found out.
#[derive(Default)]
struct Fitness {
    against: Vec<String>,
    doubts: Vec<String>,
}

impl Conditions {
    fn of(catalog: &Catalog, table: &Table, log: &[String]) -> Self {
        let not_null = |name: &Name| {
            table.columns.iter().any(|column| column.name.eq_ignore_case(name.as_str()) && column.not_null)
        };
        let whole = |columns: &[Name]| !columns.is_empty() && columns.iter().all(not_null);
        let unique_index = |columns: Vec<Name>| whole(&columns);
        let unique_key = table.primary_key.is_some()
            || table.indexes.iter().filter(|index| index.unique).any(|index| {
                unique_index(index.parts.iter().filter_map(|part| part.as_column().cloned()).collect())
            });
        let triggers = catalog
            .triggers
            .known()
            .map(|triggers| triggers.iter().filter(|trigger| trigger.table == table.name).count());
        let referenced_by = catalog
            .tables
            .iter()
            .filter(|other| other.foreign_keys.iter().any(|key| key.references == table.name))
            .map(|other| format!("`{}`", other.name))
            .collect();
        Conditions {
            unique_key,
            triggers,
            references: table.foreign_keys.iter().map(|key| format!("`{}`", key.references)).collect(),
            referenced_by,
            row_log: match log {
                [on, format] => Some(on == "1" && format.eq_ignore_ascii_case("row")),
                _ => None,
            },
        }
    }

    fn common(&self) -> Fitness {
        let mut fitness = Fitness::default();
        if !self.unique_key {
            fitness.against.push("the table has no unique key without nulls".to_owned());
        }
        match self.triggers {
            Some(0) => {}
            Some(_) => fitness.against.push("the table has triggers".to_owned()),
            None => fitness.doubts.push("whether the table has triggers is not known".to_owned()),
        }
        fitness
    }

    fn percona(&self) -> Fitness {
        self.common()
    }

    fn ghost(&self) -> Fitness {
        let mut fitness = self.common();
        if !self.references.is_empty() {
            fitness.against.push(format!("the table refers to {}", self.references.join(", ")));
        }
        if !self.referenced_by.is_empty() {
            fitness.against.push(format!("{} refer to the table", self.referenced_by.join(", ")));
        }
        match self.row_log {
            Some(true) => {}
            Some(false) => fitness.against.push("the server keeps no binary log of rows".to_owned()),
            None => {
                fitness.doubts.push("whether the server keeps a binary log of rows is not known".to_owned())
            }
        }
        fitness
    }
}

fn told(tool: &str, fitness: &Fitness, command: &str) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = match fitness.against.as_slice() {
        [] => write!(text, "{tool} can do it while the table is in use: {command}"),
        against => write!(text, "{tool} cannot do it: {}", against.join(", and ")),
    };
    if fitness.against.is_empty() && !fitness.doubts.is_empty() {
        let _ = write!(text, " ({})", fitness.doubts.join("; "));
    }
    text
}

fn percona(
    server: &ServerDsn,
    database: &str,
    table: &str,
    changes: &str,
    conditions: &Conditions,
) -> String {
    let place = match &server.host {
        Host::Tcp(host) => format!("h={host},P={}", server.port),
        Host::Unix(socket) => format!("S={}", socket.display()),
    };
    let keys = if conditions.referenced_by.is_empty() { "" } else { " --alter-foreign-keys-method auto" };
    format!(
        "pt-online-schema-change --dry-run --ask-pass{keys} --alter {} {}, then the same with --execute",
        shell(changes),
        shell(&format!("{place},u={},D={database},t={table}", server.user))
    )
}

fn gh_ost(server: &ServerDsn, database: &str, table: &str, changes: &str) -> String {
    let place = match &server.host {
        Host::Tcp(host) => format!("--host={} --port={}", shell(host), server.port),
        // It speaks TCP only.
        Host::Unix(_) => "--host=127.0.0.1 --port=3306".to_owned(),
    };
    format!(
        "gh-ost {place} --user={} --ask-pass --allow-on-master --database={} --table={} --alter={}, then the same with \
         --execute",
        shell(&server.user),
        shell(database),
        shell(table),
        shell(changes)
    )
}

/// One word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
