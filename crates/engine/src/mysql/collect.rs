//! One fact after the other, each with its own way of not being known.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dbwright_model::catalog::{Catalog, Doubt, Sequence};
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::name::QualifiedName;
use dbwright_model::observed::Observed;
use dbwright_model::stats::{ColumnMaximum, Counters, SequenceValue};
use jiff::Timestamp;

use super::catalog::{CatalogRows, Reading};
use super::sight::{self, Sight};
use super::wire::{Asker, Trouble, observed};
use super::{ReadSession, activity, catalog, history, questions, statistics};
use crate::row::Row;

/// The text of a `.sql` file of this engine.
macro_rules! sql {
    ($stem:literal) => {
        include_str!(concat!("../../sql/mysql/", $stem, ".sql"))
    };
}

/// Reads one fact.
pub(super) async fn fact(session: &mut ReadSession, fact: Fact, facts: &mut Facts) {
    let engine = session.engine;
    let database = session.asker.database.clone();
    let reading = Reading { engine, database: &database };
    let asker = &mut session.asker;
    // The connection may have been lost while looking; then the facts say so themselves.
    let sight = match session.sight {
        Some(sight) => sight,
        None => *session.sight.insert(Sight::of(asker).await),
    };
    match fact {
        Fact::Catalog => facts.catalog = observed(read_catalog(asker, reading).await),
        Fact::Functions => {
            let Some(catalog) = facts.catalog.known_mut() else { return };
            catalog.functions = match functions(asker, reading).await {
                Ok((functions, doubts)) => {
                    catalog.doubts.extend(doubts);
                    Observed::Known(functions)
                }
                Err(trouble) => trouble.observed(),
            };
        }
        Fact::Triggers => {
            let Some(catalog) = facts.catalog.known_mut() else { return };
            let rows = asker.ask("triggers", sql!("triggers"), "TRIGGER").await;
            catalog.triggers = observed(rows.and_then(|rows| Ok(catalog::triggers(&rows, reading)?)));
        }
        Fact::TableStatistics => {
            let rows = asker.ask("table_statistics", sql!("table_statistics"), "SELECT on the tables").await;
            facts.table_statistics = observed(rows.and_then(|rows| Ok(statistics::tables(&rows, reading)?)));
        }
        Fact::IndexStatistics => facts.index_statistics = observed(index_statistics(asker, reading).await),
        Fact::Counters => facts.counters = observed(counters(asker, engine).await),
        Fact::SequenceValues => {
            let read = sequences(asker, reading).await;
            facts.sequence_values = observed(read.and_then(|read| {
                let value = |(sequence, read): (_, Result<(_, Option<i64>), Trouble>)| {
                    read.map(|(_, last_value)| SequenceValue { sequence, last_value })
                };
                read.into_iter().map(value).collect()
            }));
        }
        Fact::ColumnMaxima => {
            let (read, missing) = column_maxima(asker, reading, &facts.catalog).await;
            facts.column_maxima = read;
            facts.in_part.extend(missing.map(|because| (fact, because)));
        }
        Fact::Workload => facts.workload = observed(workload(asker).await),
        Fact::Settings => {
            let rows = asker.ask("settings", sql!("settings"), "USAGE").await;
            facts.settings = observed(rows.and_then(|rows| Ok(statistics::settings(&rows)?)));
        }
        Fact::ServerStatus => {
            let rows = asker.ask("server_status", sql!("server_status"), "USAGE").await;
            facts.server_status = observed(rows.and_then(|rows| Ok(statistics::status(&rows)?)));
        }
        Fact::Sessions => facts.sessions = observed(sessions(asker, reading).await),
        Fact::LockWaits => facts.lock_waits = observed(lock_waits(asker, reading).await),
        Fact::Replication => facts.replication = observed(replication(asker, engine).await),
        Fact::Roles => facts.roles = observed(roles(asker, engine).await),
        Fact::Privileges => facts.privileges = privileges(asker, reading).await,
        Fact::MigrationHistory => facts.migration_history = observed(history::read(asker, reading).await),
        other => unsupported(other, facts, engine),
    }
    sight::judge(facts, fact, sight, &database);
}

/// Facts that are a section of the catalog, which is read before them. A section of a catalog that could not be read stays
/// unknown with it.
pub(super) fn is_section(fact: Fact) -> bool {
    matches!(fact, Fact::Functions | Fact::Triggers | Fact::Policies | Fact::Extensions)
}

fn not_here<T>(what: &str) -> Observed<T> {
    Observed::Unsupported(format!("MySQL and MariaDB have no {what}"))
}

/// What these servers do not have, or not in this form.
fn unsupported(fact: Fact, facts: &mut Facts, engine: Engine) {
    match fact {
        Fact::Policies | Fact::Extensions | Fact::Publications => {
            if let Some(catalog) = facts.catalog.known_mut() {
                catalog.policies = not_here("row security policies");
                catalog.extensions = not_here("extensions");
                catalog.publications = not_here("publications");
            }
        }
        Fact::ColumnStatistics => {
            let because = match engine {
                Engine::Mariadb => {
                    "column statistics are kept only after ANALYZE ... PERSISTENT and are not read yet"
                }
                _ => "histograms are kept only where they were made by hand and are not read yet",
            };
            facts.column_statistics = Observed::Unsupported(because.to_owned());
        }
        Fact::Databases => facts.databases = not_here("per-database counters"),
        Fact::PreparedTransactions => {
            facts.prepared_transactions =
                Observed::Unsupported("XA RECOVER does not say how old a transaction is".to_owned());
        }
        Fact::Slots => facts.slots = not_here("replication slots"),
        Fact::Archiver => facts.archiver = not_here("log archiver"),
        Fact::Checkpointer => facts.checkpointer = not_here("checkpointer counters of this kind"),
        Fact::Wal => facts.wal = not_here("write-ahead log counters of this kind"),
        Fact::Hba => facts.hba = not_here("pg_hba.conf; hosts are part of the account"),
        Fact::UserMappings => facts.user_mappings = not_here("user mappings"),
        Fact::Storage => facts.storage = not_here("storage pragmas"),
        Fact::Integrity => facts.integrity = not_here("integrity check that only reads"),
        Fact::Backups => {
            facts.backups = Observed::Unsupported("the server keeps no record of backups".to_owned());
        }
        _ => {}
    }
}

async fn read_catalog(asker: &mut Asker, reading: Reading<'_>) -> Result<Catalog, Trouble> {
    let select = "SELECT on the tables";
    let mut rows = CatalogRows {
        schemas: asker.ask("schemas", sql!("schemas"), select).await?,
        tables: asker.ask("tables", sql!("tables"), select).await?,
        columns: asker.ask("columns", sql!("columns"), select).await?,
        indexes: asker.ask("indexes", sql!("indexes"), select).await?,
        foreign_key_columns: asker.ask("foreign_key_columns", sql!("foreign_key_columns"), select).await?,
        foreign_key_rules: asker.ask("foreign_key_rules", sql!("foreign_key_rules"), select).await?,
        views: asker.ask("views", sql!("views"), "SHOW VIEW").await?,
        partitions: asker.ask("partitions", sql!("partitions"), select).await?,
        ..CatalogRows::default()
    };
    // Checks came with MySQL 8.0.16.
    if asker.has_view("CHECK_CONSTRAINTS") {
        rows.check_constraints = asker.ask("check_constraints", sql!("check_constraints"), select).await?;
        rows.check_owners = asker.ask("check_owners", sql!("check_owners"), select).await?;
    }
    let mut made = catalog::catalog(&rows, reading)?;
    made.functions = Observed::NotAsked;
    made.triggers = Observed::NotAsked;
    made.policies = not_here("row security policies");
    made.extensions = not_here("extensions");
    made.publications = not_here("publications");
    read_actions(asker, reading, &rows, &mut made).await?;
    for (name, read) in sequences(asker, reading).await? {
        made.sequences.push(match read {
            Ok((sequence, _)) => sequence,
            Err(trouble) => {
                let because = format!("its sequence could not be read: {}", trouble.because());
                made.doubts.push(Doubt { object: Some(name.clone()), because });
                catalog::unread_sequence(name)
            }
        });
    }
    made.doubts.sort_by(|a, b| (&a.object, &a.because).cmp(&(&b.object, &b.because)));
    Ok(made)
}

/// Reads what foreign keys do on delete and on update from their tables' statements, where the server hides the rows.
async fn read_actions(
    asker: &mut Asker,
    reading: Reading<'_>,
    rows: &CatalogRows,
    made: &mut Catalog,
) -> Result<(), Trouble> {
    let mut told = BTreeSet::new();
    for row in &rows.foreign_key_rules {
        told.insert((row.text("table_schema")?, row.text("table_name")?, row.text("constraint_name")?));
    }
    let mut untold = BTreeSet::new();
    for row in &rows.foreign_key_columns {
        let (schema, table) = (row.text("table_schema")?, row.text("table_name")?);
        if !told.contains(&(schema, table, row.text("constraint_name")?)) {
            untold.insert((schema, table));
        }
    }
    for (schema, table) in untold {
        let name = reading.name(schema, table);
        // Tables are sorted by name.
        let Ok(at) = made.tables.binary_search_by(|table| table.name.cmp(&name)) else { continue };
        let table = &mut made.tables[at];
        let whole = QualifiedName::new(schema, table.name.name.as_str());
        let show = format!("/* dbwright:foreign_key_rules */ SHOW CREATE TABLE {}", questions::table(&whole));
        let read = asker.run(&show, "SELECT on the tables").await.unwrap_or_default();
        let create = read.first().and_then(|row| row.opt_text("create table").ok().flatten());
        let actions = sight::actions(create.unwrap_or_default(), reading);
        let mut silent = false;
        for key in table.foreign_keys.iter_mut() {
            match actions.iter().find(|(constraint, ..)| key.name.as_ref() == Some(constraint)) {
                Some((_, on_delete, on_update)) => (key.on_delete, key.on_update) = (*on_delete, *on_update),
                None => silent = true,
            }
        }
        if silent {
            let because = "the server hides what its foreign keys do on delete and on update".to_owned();
            made.doubts.push(Doubt { object: Some(name), because });
        }
    }
    Ok(())
}

async fn functions(
    asker: &mut Asker,
    reading: Reading<'_>,
) -> Result<(Vec<dbwright_model::catalog::Function>, Vec<Doubt>), Trouble> {
    let rows = asker.ask("functions", sql!("functions"), "SHOW_ROUTINE or SELECT on mysql.proc").await?;
    let arguments = asker.ask("function_arguments", sql!("function_arguments"), "SHOW_ROUTINE").await?;
    Ok(catalog::functions(&rows, &arguments, reading)?)
}

/// What reading one sequence gave, with the last value it handed out.
type ReadSequence = Result<(Sequence, Option<i64>), Trouble>;

/// MariaDB's sequences by name, each read like a table; MySQL has none.
async fn sequences(
    asker: &mut Asker,
    reading: Reading<'_>,
) -> Result<Vec<(QualifiedName, ReadSequence)>, Trouble> {
    if reading.engine != Engine::Mariadb {
        return Ok(Vec::new());
    }
    let mut made = Vec::new();
    for row in asker.ask("sequence_values", sql!("tables"), "SELECT on the sequences").await? {
        if row.opt_text("table_type")? != Some("SEQUENCE") {
            continue;
        }
        let name = QualifiedName::new(row.text("table_schema")?, row.text("table_name")?);
        let select = format!("/* dbwright:sequence_values */ SELECT * FROM {}", questions::table(&name));
        let known = reading.name(name.schema.as_str(), name.name.as_str());
        let rows = asker.run(&select, &format!("SELECT on `{known}`")).await;
        let read = rows.and_then(|rows| match rows.first() {
            Some(row) => Ok(catalog::sequence(row, known.clone())?),
            None => Err(Trouble::Failed("it holds no row".to_owned())),
        });
        made.push((known, read));
    }
    made.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(made)
}

/// Whether `performance_schema` collects; without it its tables are there and empty.
async fn performance_schema(asker: &mut Asker) -> bool {
    let rows =
        asker.run("/* dbwright:performance_schema */ SELECT @@performance_schema AS enabled", "").await;
    rows.is_ok_and(|rows| rows.first().is_some_and(|row| row.int("enabled").is_ok_and(|on| on == 1)))
}

async fn index_statistics(
    asker: &mut Asker,
    reading: Reading<'_>,
) -> Result<Vec<dbwright_model::stats::IndexStatistics>, Trouble> {
    let parts = asker.ask("index_statistics", sql!("indexes"), "SELECT on the tables").await?;
    // Scans and sizes come from elsewhere and may be refused; the rest is known without them.
    let scans = match performance_schema(asker).await {
        true => asker.ask("index_scans", sql!("index_scans"), "SELECT on performance_schema.*").await.ok(),
        false => None,
    };
    let sizes =
        asker.ask("index_sizes", sql!("index_sizes"), "SELECT on mysql.innodb_index_stats").await.ok();
    Ok(statistics::indexes(&parts, scans.as_deref(), sizes.as_deref(), reading)?)
}

async fn counters(asker: &mut Asker, engine: Engine) -> Result<Counters, Trouble> {
    let status = statistics::status(&asker.ask("counters", sql!("server_status"), "USAGE").await?)?;
    let now =
        now(asker).await.ok_or_else(|| Trouble::Failed("the server's clock was not read".to_owned()))?;
    let before = |name: &str| {
        let seconds = status.number(name)?;
        now.checked_sub(jiff::SignedDuration::from_secs(seconds as i64)).ok()
    };
    let followers = match engine {
        Engine::Mariadb => "SHOW SLAVE HOSTS",
        _ => "SHOW REPLICAS",
    };
    let standbys = asker.run(&format!("/* dbwright:counters */ {followers}"), "").await.ok();
    Ok(Counters {
        since: before("uptime_since_flush_status").or_else(|| before("uptime")),
        started: before("uptime"),
        standbys: standbys.map(|rows| u32::try_from(rows.len()).unwrap_or(u32::MAX)),
    })
}

/// The server's clock.
pub(super) async fn now(asker: &mut Asker) -> Option<Timestamp> {
    let rows = asker.run("/* dbwright:clock */ SELECT UNIX_TIMESTAMP(NOW(6)) AS now", "").await.ok()?;
    statistics::timestamp(rows.first()?.opt_float("now").ok()??)
}

/// Whether the account holds rights that only an administrator holds.
pub(super) async fn is_superuser(asker: &mut Asker, account: &str) -> bool {
    let rows = asker.ask("privileges", sql!("privileges"), "USAGE").await;
    let reading = Reading { engine: Engine::Mysql, database: "" };
    let Ok(Ok(held)) = rows.map(|rows| activity::privileges(&rows, reading)) else { return false };
    held.grants.iter().any(|grant| {
        grant.grantee == *account
            && grant.object_kind == dbwright_model::access::GrantObject::Server
            && grant.privilege == "SUPER"
    })
}

/// Longest time for all largest and smallest values together.
const MAXIMA_BUDGET: Duration = Duration::from_secs(20);

/// Largest and smallest values of integer columns that an index leads with: keys that count up, and what refers to them;
/// and why some are missing.
async fn column_maxima(
    asker: &mut Asker,
    reading: Reading<'_>,
    known: &Observed<Catalog>,
) -> (Observed<Vec<ColumnMaximum>>, Option<String>) {
    let read;
    let tables = match known.known().filter(|catalog| !catalog.tables.is_empty()) {
        Some(catalog) => &catalog.tables,
        None => match read_catalog(asker, reading).await {
            Ok(catalog) => {
                read = catalog;
                &read.tables
            }
            Err(trouble) => return (trouble.observed(), None),
        },
    };
    let deadline = Instant::now() + MAXIMA_BUDGET;
    let mut made = Vec::new();
    let mut refused = None;
    for table in tables {
        for column in &table.columns {
            let refers = table.foreign_keys.iter().any(|key| key.columns == [column.name.clone()]);
            let leads = table.indexes.iter().any(|index| {
                index.is_btree()
                    && index.parts.first().and_then(|part| part.as_column()) == Some(&column.name)
            });
            let keyed =
                table.primary_key.as_ref().is_some_and(|key| key.columns.first() == Some(&column.name));
            if !(column.auto_increment || refers || keyed)
                || !leads
                || !is_integer(column.data_type.text.as_str())
            {
                continue;
            }
            if Instant::now() > deadline {
                let because = format!("not all were read within {} s", MAXIMA_BUDGET.as_secs());
                return (Observed::Known(made), Some(because));
            }
            let c = super::wire::quoted(column.name.as_str());
            let select = format!(
                "/* dbwright:column_maxima */ SELECT MAX({c}) AS largest, MIN({c}) AS smallest FROM {}",
                questions::table(&table.name)
            );
            match asker.run(&select, "SELECT on the tables").await {
                Ok(rows) => made.extend(rows.first().map(|row| ColumnMaximum {
                    table: table.name.clone(),
                    column: column.name.clone(),
                    max: number(row, "largest"),
                    min: number(row, "smallest"),
                })),
                Err(trouble) => refused = Some(trouble),
            }
        }
    }
    match refused {
        Some(trouble) if made.is_empty() => (trouble.observed(), None),
        Some(trouble) => (Observed::Known(made), trouble.observed::<()>().because()),
        None => (Observed::Known(made), None),
    }
}

/// A number of a column; what is too large for the type counts as its largest.
fn number(row: &Row, column: &str) -> Option<i64> {
    match row.opt_int(column) {
        Ok(number) => number,
        Err(_) => row.opt_count(column).ok().flatten().map(|n| i64::try_from(n).unwrap_or(i64::MAX)),
    }
}

fn is_integer(column_type: &str) -> bool {
    let word = column_type.split(['(', ' ']).next().unwrap_or_default();
    matches!(word, "tinyint" | "smallint" | "mediumint" | "int" | "bigint")
}

async fn workload(asker: &mut Asker) -> Result<dbwright_model::workload::Workload, Trouble> {
    if !performance_schema(asker).await {
        return Err(Trouble::Unsupported(
            "statements are not counted: start the server with `performance_schema = ON`".to_owned(),
        ));
    }
    let rows = asker.ask("workload", sql!("workload"), "SELECT on performance_schema.*").await?;
    Ok(statistics::workload(&rows)?)
}

async fn sessions(
    asker: &mut Asker,
    reading: Reading<'_>,
) -> Result<Vec<dbwright_model::activity::Session>, Trouble> {
    // Without PROCESS the server refuses the transactions, and of the sessions it would show only the account's own.
    let rows = asker.ask("sessions", sql!("sessions"), "PROCESS").await?;
    // Waits are a fact of their own, which says why it is not known; the sessions are known without them.
    let waits = lock_waits(asker, reading).await.unwrap_or_default();
    Ok(activity::sessions(&rows, &waits)?)
}

async fn lock_waits(
    asker: &mut Asker,
    reading: Reading<'_>,
) -> Result<Vec<dbwright_model::activity::LockWait>, Trouble> {
    let rows = if asker.has_view("INNODB_LOCK_WAITS") {
        asker.ask("lock_waits", sql!("lock_waits_mariadb"), "PROCESS").await?
    } else if asker.has_view("data_lock_waits") {
        asker
            .ask("lock_waits", sql!("lock_waits_mysql"), "PROCESS and SELECT on performance_schema.*")
            .await?
    } else {
        return Err(Trouble::Unsupported("this server shows no lock waits".to_owned()));
    };
    Ok(activity::lock_waits(&rows, reading)?)
}

/// The newer wording first, then the older one.
async fn replication(
    asker: &mut Asker,
    engine: Engine,
) -> Result<dbwright_model::replication::Replication, Trouble> {
    let privilege = match engine {
        // There, REPLICATION CLIENT lets an account see the log and not the replica (10.5.9 and later).
        Engine::Mariadb => "REPLICA MONITOR",
        _ => "REPLICATION CLIENT",
    };
    let rows = match asker.run("/* dbwright:replication */ SHOW REPLICA STATUS", privilege).await {
        Err(Trouble::Unsupported(_)) => {
            asker.run("/* dbwright:replication */ SHOW SLAVE STATUS", privilege).await?
        }
        other => other?,
    };
    Ok(activity::replication(&rows)?)
}

async fn roles(asker: &mut Asker, engine: Engine) -> Result<Vec<dbwright_model::access::Role>, Trouble> {
    let privilege = "SELECT on mysql.*";
    match engine {
        Engine::Mariadb => {
            let rows = asker.ask("roles", sql!("roles_mariadb"), privilege).await?;
            let edges = asker.ask("roles", sql!("role_edges_mariadb"), privilege).await?;
            Ok(activity::roles_mariadb(&rows, &edges)?)
        }
        _ => {
            let rows = asker.ask("roles", sql!("roles_mysql"), privilege).await?;
            // Roles came with MySQL 8.
            let edges = match asker.ask("roles", sql!("role_edges_mysql"), privilege).await {
                Err(Trouble::Unsupported(_)) => Vec::new(),
                other => other?,
            };
            Ok(activity::roles_mysql(&rows, &edges)?)
        }
    }
}

/// Granted rights. The server shows an account only its own unless it may read the `mysql` database.
async fn privileges(asker: &mut Asker, reading: Reading<'_>) -> Observed<dbwright_model::access::Privileges> {
    let may_see_all =
        asker.run("/* dbwright:privileges */ SELECT 1 AS one FROM mysql.user LIMIT 1", "SELECT on mysql.*");
    if let Err(trouble) = may_see_all.await {
        return trouble.observed();
    }
    let rows = asker.ask("privileges", sql!("privileges"), "SELECT on mysql.*").await;
    observed(rows.and_then(|rows| Ok(activity::privileges(&rows, reading)?)))
}
