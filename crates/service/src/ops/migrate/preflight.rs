//! What is looked at before migrations are run: whether now is a good moment, and whether the server would let them.

use std::collections::BTreeSet;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::postgres::standing::{Standing, standing};
use dbwright_model::activity::Session;
use dbwright_model::catalog::Catalog;
use dbwright_model::chain::{Chain, ChainStatement};
use dbwright_model::change::Change;
use dbwright_model::effect::{Blocks, Cost, LossKind, TransactionUse};
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::history;
use dbwright_model::lifecycle::oldest_supported;
use dbwright_model::name::QualifiedName;
use dbwright_model::observed::Observed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline;
use super::up::Upcoming;
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its name, by which it can be skipped.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, in full sentences.
    pub words: String,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing stands against it.
    Pass,
    /// It could not be found out.
    Unknown,
    /// Somebody should know.
    Warn,
    /// It must not be run now.
    Fail,
}

impl Verdict {
    /// Its word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Unknown => "unknown",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

/// The facts that the checks rest on.
pub(super) const FACTS: [Fact; 7] = [
    Fact::Catalog,
    Fact::Functions,
    Fact::Triggers,
    Fact::TableStatistics,
    Fact::Sessions,
    Fact::Replication,
    Fact::MigrationHistory,
];

/// Names of the checks, in the order in which they are shown.
pub const CHECKS: [&str; 8] = [
    "record",
    "pooler",
    "privileges",
    "version",
    "dependants",
    "long-transactions",
    "replication-lag",
    "disk",
];

/// Seconds of an open transaction that are worth a word, and that stand against running.
const LONG: (f64, f64) = (5.0, 600.0);
/// Seconds that a replica may be behind before it is worth a word, and before it stands against running.
const BEHIND: (f64, f64) = (5.0, 300.0);

/// Looks, and judges.
pub(super) async fn preflight(
    upcoming: &Upcoming,
    chain: &Chain,
    facts: &Facts,
    world: &World<'_>,
) -> Vec<Check> {
    let standing = match &upcoming.target {
        Dsn::Postgres(server) => {
            match standing(server, &upcoming.table, &altered(chain), &world.limits).await {
                Ok(standing) => standing,
                Err(error) => Standing {
                    pooler: Observed::Failed(error.message.clone()),
                    may_create: Observed::Failed(error.message.clone()),
                    owned_by_others: Observed::Failed(error.message),
                },
            }
        }
        Dsn::Mysql(_) => Standing {
            pooler: Observed::Unsupported("nothing tells a pooler of MySQL from its server".to_owned()),
            ..of_account(facts)
        },
        Dsn::Sqlite(path) => Standing {
            pooler: Observed::Known(None),
            may_create: match std::fs::metadata(path) {
                Ok(file) => Observed::Known(("the file".to_owned(), !file.permissions().readonly())),
                // A missing file is made.
                Err(_) => Observed::Known(("the file".to_owned(), true)),
            },
            owned_by_others: Observed::Known(Vec::new()),
        },
    };
    judge(chain, facts, &standing, upcoming.has_record)
}

/// What the account of MySQL may do, where that is plain.
fn of_account(facts: &Facts) -> Standing {
    if facts.source.superuser {
        return Standing {
            may_create: Observed::Known((facts.source.database.to_string(), true)),
            owned_by_others: Observed::Known(Vec::new()),
            ..Standing::default()
        };
    }
    let because = "the grants of the account are not worked out table by table";
    Standing {
        may_create: Observed::Unsupported(because.to_owned()),
        owned_by_others: Observed::Unsupported(because.to_owned()),
        ..Standing::default()
    }
}

/// Tables of others that the statements take more than a reader's or writer's lock on.
fn altered(chain: &Chain) -> Vec<QualifiedName> {
    let felt = chain.judged().flat_map(|(_, statement)| statement.felt());
    let names: BTreeSet<QualifiedName> = felt
        .filter(|effect| effect.lock.blocks() > Blocks::Nothing)
        .map(|effect| effect.relation.clone())
        .collect();
    names.into_iter().collect()
}

/// Judges what was found.
fn judge(chain: &Chain, facts: &Facts, standing: &Standing, has_record: bool) -> Vec<Check> {
    let verdicts = [
        record(chain, facts, has_record),
        pooler(standing),
        privileges(standing),
        version(chain, facts),
        dependants(chain),
        long_transactions(chain, facts),
        replication_lag(facts),
        disk(chain, facts),
    ];
    let named = CHECKS.iter().zip(verdicts);
    named.map(|(name, (verdict, words))| Check { name: (*name).to_owned(), verdict, words }).collect()
}

/// Refuses to go on when a check stands against it that was not skipped by name.
pub(super) fn hold(checks: &[Check], skipped: &[String]) -> Result<(), ServiceError> {
    if let Some(unknown) = skipped.iter().find(|name| !CHECKS.contains(&name.as_str())) {
        return Err(ServiceError::new(ErrorKind::Usage, format!("there is no check `{unknown}`"))
            .hint(format!("the checks are: {}", CHECKS.join(", "))));
    }
    let against: Vec<&Check> = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail && !skipped.contains(&check.name))
        .collect();
    let Some(first) = against.first() else { return Ok(()) };
    let words: Vec<String> = against.iter().map(|check| format!("{}: {}", check.name, check.words)).collect();
    Err(ServiceError::new(ErrorKind::Unsupported, format!("nothing was run. {}", words.join(" ")))
        .hint(format!("mend it, or go on all the same with `--skip-preflight {}`", first.name)))
}

/// The checks as lines of text.
pub(super) fn text(checks: &[Check]) -> String {
    let width = CHECKS.iter().map(|name| name.len()).max().unwrap_or(0);
    let line =
        |check: &Check| format!("  {:7} {:width$}  {}\n", check.verdict.as_str(), check.name, check.words);
    checks.iter().map(line).collect()
}

type Judged = (Verdict, String);

fn unknown<T>(what: &str, observed: &Observed<T>) -> Judged {
    (Verdict::Unknown, format!("{what} is not known: {}.", observed.because().unwrap_or_default()))
}

/// Whether the database may have had the migrations before, by another tool's hand or anybody's.
fn record(chain: &Chain, facts: &Facts, has_record: bool) -> Judged {
    if has_record {
        return (Verdict::Pass, "The database's record says what was applied.".to_owned());
    }
    let Some(histories) = facts.migration_history.known() else {
        return unknown("Whether another tool records migrations", &facts.migration_history);
    };
    let others = histories.iter().filter(|history| history.tool != history::OWN);
    for history in others {
        let (recorded, count) = baseline::recorded(history);
        if count == 0 {
            continue;
        }
        let way = baseline::takeover(history).unwrap_or_else(|| "`dbwright migrate baseline`".to_owned());
        let words = format!(
            "{recorded}, and dbwright has applied nothing here: they would run a second time. {way} takes them over."
        );
        return (Verdict::Fail, words);
    }
    let Some(catalog) = facts.catalog.known() else {
        return unknown("What the database holds", &facts.catalog);
    };
    match made_again(chain, catalog) {
        Some((statement, table)) => (
            Verdict::Fail,
            format!(
                "dbwright has applied nothing here, and `{}` line {} makes the table `{table}`, which is there. If these files \
                 made it, `dbwright migrate baseline` says so after comparing the two.",
                statement.location.file, statement.location.line
            ),
        ),
        None => (Verdict::Pass, "Nothing was applied here before, by any tool.".to_owned()),
    }
}

/// The first statement that makes a table which is there before any of them runs.
fn made_again<'c>(chain: &'c Chain, catalog: &Catalog) -> Option<(&'c ChainStatement, &'c QualifiedName)> {
    let mut gone: BTreeSet<&QualifiedName> = BTreeSet::new();
    for statement in &chain.statements {
        for change in &statement.changes {
            match change {
                Change::DropTable { name, .. } | Change::RenameTable { table: name, .. } => {
                    gone.insert(name);
                }
                Change::CreateTable { table, if_not_exists: false, .. }
                    if !gone.contains(&table.name)
                        && catalog.tables.iter().any(|other| table.name.may_mean(&other.name)) =>
                {
                    return Some((statement, &table.name));
                }
                _ => {}
            }
        }
    }
    None
}

fn pooler(standing: &Standing) -> Judged {
    match &standing.pooler {
        Observed::Known(None) => (Verdict::Pass, "The connection keeps its server.".to_owned()),
        Observed::Known(Some(shown)) => (
            Verdict::Fail,
            format!(
                "A pooler stands between, which gives every transaction another server: {shown}. Settings, locks and \
                 `CREATE INDEX CONCURRENTLY` need one server. Name the server itself as the target, past the pooler, or a \
                 pool in session mode."
            ),
        ),
        other => unknown("Whether a pooler stands between", other),
    }
}

fn privileges(standing: &Standing) -> Judged {
    match (&standing.may_create, &standing.owned_by_others) {
        (Observed::Known((schema, false)), _) => (
            Verdict::Fail,
            format!("The history table cannot be made: no right to create or write in `{schema}`."),
        ),
        (_, Observed::Known(others)) if !others.is_empty() => (
            Verdict::Fail,
            format!(
                "These tables belong to others, and only their owners may change them: {}.",
                others.join(", ")
            ),
        ),
        (Observed::Known(_), Observed::Known(_)) => {
            (Verdict::Pass, "The role may make the history table and change the tables.".to_owned())
        }
        (Observed::Known(_), other) => unknown("Whether the tables may be changed", other),
        (other, _) => unknown("Whether the history table may be made", other),
    }
}

/// What the server would refuse, whatever the rows are, and whether it is one that dbwright knows.
fn version(chain: &Chain, facts: &Facts) -> Judged {
    let refused = chain.judged().find_map(|(_, statement)| {
        let because = statement.effects.refused.as_ref()?;
        // An invalid index that a stopped build has left is dropped before it is built again.
        if facts.catalog.known().is_some_and(|catalog| builds_broken_index(&statement.changes, catalog)) {
            return None;
        }
        Some(format!("{}: {because}", place(statement)))
    });
    let Some(version) = facts.source.version else {
        return (Verdict::Unknown, "The server's version is not known.".to_owned());
    };
    let engine = facts.source.engine;
    match refused {
        // The server has the last word, and leaves nothing half done by refusing.
        Some(words) => (Verdict::Warn, format!("{engine} {version} would refuse {words}.")),
        None if version < oldest_supported(engine) => (
            Verdict::Warn,
            format!(
                "{engine} {version} is older than what is tested; what statements do there is not known."
            ),
        ),
        None => (Verdict::Pass, format!("{engine} {version} takes every statement that was understood.")),
    }
}

/// Whether changes build an index without a transaction that the catalog holds as an invalid one.
fn builds_broken_index(changes: &[Change], catalog: &Catalog) -> bool {
    changes.iter().any(|change| match change {
        Change::CreateIndex { table, index, concurrently: true, .. } => catalog
            .tables
            .iter()
            .filter(|other| table.may_mean(&other.name))
            .any(|other| other.indexes.iter().any(|known| known.name == index.name && !known.valid)),
        _ => false,
    })
}

fn dependants(chain: &Chain) -> Judged {
    let mut broken = Vec::new();
    let all: Vec<&ChainStatement> = chain.judged().map(|(_, statement)| statement).collect();
    for (position, statement) in all.iter().enumerate() {
        for loss in &statement.effects.losses {
            // A table that is built anew takes the place of the old one, which those that refer to it do not notice.
            if loss.kind == LossKind::Orphans && is_replaced(statement, &all[position + 1..]) {
                continue;
            }
            if matches!(
                loss.kind,
                LossKind::Unreadable | LossKind::Unwritable | LossKind::ReferenceMoved | LossKind::Orphans
            ) {
                broken.push(format!("`{}` ({}) by {}", loss.relation, loss.kind.as_str(), place(statement)));
            }
        }
    }
    if broken.is_empty() {
        return (
            Verdict::Pass,
            "No view, trigger or reference is broken by a statement that was understood.".to_owned(),
        );
    }
    // A later statement may mend it, as in the rebuilds of SQLite.
    (
        Verdict::Warn,
        format!(
            "What depends on the tables would break, unless a later statement mends it: {}.",
            broken.join("; ")
        ),
    )
}

/// Whether a table takes the name of the one that a statement drops, later in the same file.
fn is_replaced(statement: &ChainStatement, later: &[&ChainStatement]) -> bool {
    let mut dropped = statement.changes.iter().filter_map(|change| match change {
        Change::DropTable { name, .. } => Some(&name.name),
        _ => None,
    });
    let in_file = later.iter().filter(|other| other.location.file == statement.location.file);
    let mut renamed = in_file.flat_map(|other| &other.changes).filter_map(|change| match change {
        Change::RenameTable { to, .. } => Some(&to.name),
        _ => None,
    });
    dropped.next().is_some_and(|name| renamed.any(|to| to == name)) && dropped.next().is_none()
}

fn place(statement: &ChainStatement) -> String {
    format!("{}:{}", statement.location.file, statement.location.line)
}

fn long_transactions(chain: &Chain, facts: &Facts) -> Judged {
    if facts.source.engine == Engine::Sqlite {
        return (
            Verdict::Pass,
            "A writer of the file is waited for at most as long as the lock timeout.".to_owned(),
        );
    }
    let Observed::Known(sessions) = &facts.sessions else {
        return unknown("Who has transactions open", &facts.sessions);
    };
    let age = |session: &Session| session.transaction_seconds.unwrap_or(0.0);
    let mut long: Vec<&Session> =
        sessions.iter().filter(|session| is_client(session) && age(session) >= LONG.0).collect();
    long.sort_by(|one, other| age(other).total_cmp(&age(one)));
    let Some(oldest) = long.first() else {
        return (Verdict::Pass, format!("No transaction has been open for {} s.", LONG.0));
    };
    let who = format!(
        "process {} of `{}` ({}) has had a transaction open for {:.0} s",
        oldest.id,
        oldest.user.as_ref().map_or("?", |user| user.as_str()),
        if oldest.application.is_empty() { oldest.state.as_str() } else { &oldest.application },
        age(oldest)
    );
    let outside =
        chain.judged().any(|(_, statement)| statement.effects.transaction == TransactionUse::Outside);
    let waits = chain
        .judged()
        .any(|(_, statement)| statement.felt().any(|effect| effect.lock.blocks() >= Blocks::SchemaChanges));
    let more = if long.len() > 1 { format!(", and {} more", long.len() - 1) } else { String::new() };
    if !waits && !outside {
        return (Verdict::Pass, format!("No statement waits for others, though {who}{more}."));
    }
    let verdict = if age(oldest) >= LONG.1 { Verdict::Fail } else { Verdict::Warn };
    let consequence = match outside {
        true => "statements outside of a transaction wait for it to end",
        false => "locks of tables that it used wait for it to end",
    };
    (verdict, format!("The {who}{more}; {consequence}."))
}

fn is_client(session: &Session) -> bool {
    let backend = session.backend.as_str();
    backend.is_empty() || backend == "client backend" || backend == "Query" || backend == "Sleep"
}

fn replication_lag(facts: &Facts) -> Judged {
    if facts.source.engine == Engine::Sqlite {
        return (Verdict::Pass, "A file has no replicas that it knows of.".to_owned());
    }
    let Observed::Known(replication) = &facts.replication else {
        return unknown("How far replicas are behind", &facts.replication);
    };
    if replication.standby && facts.source.engine == Engine::Postgres {
        return (
            Verdict::Fail,
            "The server is a standby and cannot be written to. Name the primary as the target.".to_owned(),
        );
    }
    if facts.source.engine != Engine::Postgres {
        return (
            Verdict::Unknown,
            "A primary of MySQL is not told how far its replicas are behind.".to_owned(),
        );
    }
    let worst =
        replication.senders.iter().filter_map(|sender| sender.replay_delay_seconds).fold(0.0, f64::max);
    let hidden = replication.senders.iter().filter(|sender| sender.state.is_empty()).count();
    let words = format!("The slowest of {} replicas is {worst:.1} s behind.", replication.senders.len());
    match replication.senders.len() {
        0 => (Verdict::Pass, "Nobody replicates from this server.".to_owned()),
        _ if hidden > 0 => (
            Verdict::Unknown,
            "The role may not see how far replicas are behind: grant it `pg_read_all_stats`.".to_owned(),
        ),
        _ if worst >= BEHIND.1 => (Verdict::Fail, words),
        _ if worst >= BEHIND.0 => (Verdict::Warn, words),
        _ => (Verdict::Pass, words),
    }
}

/// Rewrites and index builds need room beside what is there.
fn disk(chain: &Chain, facts: &Facts) -> Judged {
    let mut needs: Vec<QualifiedName> = Vec::new();
    for (_, statement) in chain.judged() {
        for effect in statement.felt() {
            if effect.cost >= Cost::IndexBuild && !needs.contains(&effect.relation) {
                needs.push(effect.relation.clone());
            }
        }
    }
    if needs.is_empty() {
        return (
            Verdict::Pass,
            "No statement that was understood rewrites a table that is there already, or builds an index on one."
                .to_owned(),
        );
    }
    let Observed::Known(statistics) = &facts.table_statistics else {
        return unknown("How large the tables are", &facts.table_statistics);
    };
    let mut bytes = 0_u64;
    for name in &needs {
        let Some(table) = statistics.iter().find(|table| table.table == *name) else {
            return (
                Verdict::Unknown,
                format!("How large `{name}` is, which is rewritten or indexed, is not known."),
            );
        };
        bytes +=
            table.table_bytes.unwrap_or(0) + table.toast_bytes.unwrap_or(0) + table.index_bytes.unwrap_or(0);
    }
    let megabytes = bytes as f64 / (1024.0 * 1024.0);
    if bytes < SMALL {
        return (
            Verdict::Pass,
            format!("Rewrites and index builds need about {megabytes:.1} MB beside what is there."),
        );
    }
    (
        Verdict::Unknown,
        format!(
            "Rewrites and index builds need up to {megabytes:.0} MB beside what is there, and as much log; the server does \
             not tell how much is free."
        ),
    )
}

/// Bytes that every server has free.
const SMALL: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, verdict: Verdict) -> Check {
        Check { name: name.to_owned(), verdict, words: "Words.".to_owned() }
    }

    #[test]
    fn only_a_failed_check_that_is_not_skipped_stops() {
        let checks = [check("pooler", Verdict::Fail), check("disk", Verdict::Unknown)];
        let refused = hold(&checks, &[]).expect_err("it failed");
        assert_eq!(refused.message, "nothing was run. pooler: Words.");
        assert_eq!(hold(&checks, &["pooler".to_owned()]), Ok(()));
        assert!(hold(&checks, &["disk".to_owned()]).is_err());
        assert!(hold(&[], &["nope".to_owned()]).is_err(), "a misspelt name skips nothing");
    }
}
