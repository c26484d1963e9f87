//! Observing what one statement does to a scratch database: the locks it takes, the work it does, what the server says.
//!
//! A statement is carried out in an open transaction, and its locks are read before that ends. One that the server
//! refuses there is carried out by itself, while others hold locks and an old snapshot: each time it has to wait its
//! locks are read, and whoever it waits for lets go. So what is seen does not depend on who is quicker.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::time::{Duration, Instant};

use dbwright_model::effect::{Cost, Lock, RelationEffect, TransactionUse};
use dbwright_model::name::QualifiedName;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::scratch::ScratchError;
use crate::scratch::postgres::PostgresServer;

/// The code of a statement that the server refuses inside a transaction.
const ONLY_OUTSIDE: &str = "25001";
/// Makes the server tell what it does.
const SPEAK_UP: &str = "set client_min_messages = debug1";
/// How often a statement outside a transaction is looked at.
const LOOK: Duration = Duration::from_millis(1);
/// Longest time for a statement outside a transaction.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection whose statements are observed.
pub struct Observer<'a> {
    server: &'a PostgresServer,
    database: String,
    client: Client,
    notices: UnboundedReceiver<String>,
    /// Relations that were there when [`Observer::mark`] was called; `None` when it never was.
    marked: Option<BTreeSet<u32>>,
}

/// What a statement was seen to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The relations that were there before, outside of the system's schemas, that it touched, by name. An index is
    /// listed when its lock is stronger than its table's, otherwise it counts for its table.
    pub relations: Vec<RelationEffect>,
    /// Whether it ran inside a transaction.
    pub transaction: TransactionUse,
    /// What the server said meanwhile, from its first level of detail on: such as that it rewrites a table.
    pub notices: Vec<String>,
    /// Why the server refused. Then nothing else is known, and an open transaction can only be rolled back.
    pub error: Option<ObservedError>,
    /// Locks that the transaction held before the statement, which does not show when it takes one of them again. Only
    /// told by [`Observer::observe_next`].
    pub held: Vec<(QualifiedName, Lock)>,
    /// Relations that got a new file and were empty, without a word of the server: whether rows would have been copied
    /// or thrown away was not to be seen.
    pub unweighed: Vec<QualifiedName>,
    /// Those of `relations` that were made since [`Observer::mark`].
    pub made: Vec<QualifiedName>,
}

/// A server's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedError {
    /// The five characters of the SQLSTATE; empty when the connection was lost.
    pub sqlstate: String,
    /// The server's message.
    pub message: String,
}

impl ObservedError {
    /// Whether the statement can be tried again by [`Observer::observe_outside`].
    pub fn is_only_outside(&self) -> bool {
        self.sqlstate == ONLY_OUTSIDE
    }
}

/// A relation at one moment.
#[derive(Clone, Debug)]
struct Relation {
    name: QualifiedName,
    /// `pg_class.relkind`.
    kind: String,
    /// The file that holds its rows; 0 when it has none.
    file: u32,
    /// The table of an index.
    table: Option<u32>,
    /// Pages all of whose rows every session sees, which is counted by reading all of them.
    visible_pages: i32,
    /// Sequential scans that this session has begun and not yet reported.
    scans: i64,
    /// Bytes of its file, of a table.
    size: i64,
}

type Relations = BTreeMap<u32, Relation>;
type Locks = BTreeMap<u32, Lock>;
/// Every lock of a session, by relation.
type LockSets = BTreeMap<u32, BTreeSet<Lock>>;

/// What happened between two moments.
#[derive(Debug, Default)]
struct Compared {
    relations: Vec<RelationEffect>,
    unweighed: Vec<QualifiedName>,
    made: Vec<QualifiedName>,
}

/// Locks of a session after a statement.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    /// The strongest that it did not hold before, by relation.
    gained: &'a Locks,
    /// The strongest, by relation.
    all: &'a Locks,
}

/// The work done on a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Seen(Cost),
    /// A new file in place of an empty one.
    Unweighed,
}

const RELATIONS: &str = "
select c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relfilenode, i.indrelid, c.relallvisible,
       coalesce(pg_catalog.pg_stat_get_xact_numscans(c.oid), 0),
       case when c.relkind in ('r', 'm') then coalesce(pg_catalog.pg_relation_size(c.oid), 0) else 0 end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_index i on i.indexrelid = c.oid
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I')
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'";

/// A lock that is waited for counts as one that is held: the statement takes it.
const LOCKS: &str = "
select l.relation, l.mode
from pg_catalog.pg_locks l
where l.pid = $1 and l.locktype = 'relation'
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())";

const RELATIVES: &str = "select h.inhrelid, h.inhparent from pg_catalog.pg_inherits h";

impl<'a> Observer<'a> {
    /// Connects to a database of a scratch server as its superuser.
    pub async fn open(server: &'a PostgresServer, database: &str) -> Result<Self, ScratchError> {
        let (client, mut connection) = server
            .config(database)
            .connect(NoTls)
            .await
            .map_err(|error| trouble("the scratch server refused a connection", &error))?;
        let (sender, notices) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notice(notice) = message {
                    // Nobody may be left to listen.
                    let _ = sender.send(notice.message().to_owned());
                }
            }
        });
        client
            .batch_execute(SPEAK_UP)
            .await
            .map_err(|error| trouble("the scratch server does not speak up", &error))?;
        Ok(Observer { server, database: database.to_owned(), client, notices, marked: None })
    }

    /// Runs statements that nobody observes, such as `begin`, `rollback` or what has to be there before.
    pub async fn script(&mut self, sql: &str) -> Result<(), ObservedError> {
        self.client.batch_execute(sql).await.map_err(|error| refusal(&error))
    }

    /// The first column of the rows of a query, which must be text; nulls are left out.
    pub async fn texts(&mut self, sql: &str) -> Result<Vec<String>, ObservedError> {
        let rows = self.client.query(sql, &[]).await.map_err(|error| refusal(&error))?;
        let texts = rows.iter().filter_map(|row| row.try_get::<_, Option<String>>(0).transpose());
        texts.collect::<Result<_, _>>().map_err(|error| refusal(&error))
    }

    /// How many rows a query gives.
    pub async fn count(&mut self, sql: &str) -> Result<usize, ObservedError> {
        Ok(self.client.query(sql, &[]).await.map_err(|error| refusal(&error))?.len())
    }

    /// From now on relations that are not there yet are told as made.
    pub async fn mark(&mut self) -> Result<(), ScratchError> {
        self.marked = Some(relations(&self.client).await?.into_keys().collect());
        Ok(())
    }

    /// What was marked, for another session on the same database.
    pub fn marked(&self) -> Option<BTreeSet<u32>> {
        self.marked.clone()
    }

    /// Takes over what another session marked.
    pub fn mark_as(&mut self, marked: Option<BTreeSet<u32>>) {
        self.marked = marked;
    }

    /// Observes one statement in the transaction that is open. What was locked in it before counts too, so it should
    /// be fresh. The caller ends it.
    pub async fn observe(&mut self, sql: &str) -> Result<Observation, ScratchError> {
        self.observe_after(sql, &LockSets::new()).await
    }

    /// Observes one statement in the transaction that is open, whatever was done in it before: of the locks only those
    /// are told that the transaction did not hold yet, and with work that was done under no new one the strongest on the
    /// relation.
    pub async fn observe_next(&mut self, sql: &str) -> Result<Observation, ScratchError> {
        // What is observed may have set it, as dumps do.
        self.client
            .batch_execute(SPEAK_UP)
            .await
            .map_err(|error| trouble("the scratch server does not speak up", &error))?;
        let process = process_of(&self.client).await?;
        let held = lock_sets(&self.client, process).await?;
        self.observe_after(sql, &held).await
    }

    async fn observe_after(&mut self, sql: &str, held: &LockSets) -> Result<Observation, ScratchError> {
        let before = relations(&self.client).await?;
        self.forget_notices();
        if let Err(error) = self.client.batch_execute(sql).await {
            let error = Some(refusal(&error));
            return Ok(Observation { error, notices: self.take_notices(), ..Observation::default() });
        }
        let notices = self.take_notices();
        let process = process_of(&self.client).await?;
        let now = lock_sets(&self.client, process).await?;
        let nothing = BTreeSet::new();
        let gained: Locks = now
            .iter()
            .filter_map(|(oid, locks)| {
                let earlier = held.get(oid).unwrap_or(&nothing);
                Some((*oid, locks.difference(earlier).last().copied()?))
            })
            .collect();
        let after = relations(&self.client).await?;
        let all = strongest(&now);
        let compared = self.compare(&before, &after, Seen { gained: &gained, all: &all }, &notices)?;
        let named = |oid: &u32| before.get(oid).map(|relation| relation.name.clone());
        let held = held
            .iter()
            .filter_map(|(oid, locks)| Some((named(oid)?, locks)))
            .flat_map(|(name, locks)| locks.iter().map(move |lock| (name.clone(), *lock)))
            .collect();
        let Compared { relations, unweighed, made } = compared;
        let transaction = TransactionUse::Inside;
        Ok(Observation { relations, transaction, notices, error: None, held, unweighed, made })
    }

    /// Observes one statement outside of any transaction. What it changes stays.
    pub async fn observe_outside(&mut self, sql: &str) -> Result<Observation, ScratchError> {
        let before = relations(&self.client).await?;
        let process = process_of(&self.client).await?;
        let watcher = self.server.client(&self.database).await?;
        let mut holders = self.holders(sql, &before).await?;
        self.client
            .batch_execute(SPEAK_UP)
            .await
            .map_err(|error| trouble("the scratch server does not speak up", &error))?;
        self.forget_notices();
        let mut seen = Locks::new();
        let started = Instant::now();
        let outcome = {
            let mut running = std::pin::pin!(self.client.batch_execute(sql));
            loop {
                tokio::select! {
                    outcome = &mut running => break outcome,
                    () = tokio::time::sleep(LOOK) => {}
                }
                let blockers: Vec<i32> = watcher
                    .query_one("select pg_catalog.pg_blocking_pids($1)", &[&process])
                    .await
                    .and_then(|row| row.try_get(0))
                    .map_err(|error| trouble("waiting sessions cannot be read", &error))?;
                if blockers.iter().any(|blocker| holders.contains_key(blocker)) {
                    for (relation, lock) in strongest(&lock_sets(&watcher, process).await?) {
                        let strongest = seen.entry(relation).or_insert(lock);
                        *strongest = (*strongest).max(lock);
                    }
                    for blocker in blockers {
                        // Dropping the client ends the session, but not before we go on.
                        if let Some(holder) = holders.remove(&blocker) {
                            holder
                                .batch_execute("rollback")
                                .await
                                .map_err(|error| trouble("a lock was not given back", &error))?;
                        }
                    }
                }
                if started.elapsed() > PATIENCE {
                    return Err(ScratchError::new(format!("the statement did not end: {sql}")));
                }
            }
        };
        let notices = self.take_notices();
        if let Err(error) = outcome {
            let error = Some(refusal(&error));
            return Ok(Observation { error, notices, ..Observation::default() });
        }
        let mut after = relations(&watcher).await?;
        for (oid, relation) in &mut after {
            // The watcher counts its own scans.
            relation.scans = before.get(oid).map_or(0, |before| before.scans);
        }
        let both = Seen { gained: &seen, all: &seen };
        let Compared { relations, unweighed, made } = self.compare(&before, &after, both, &notices)?;
        let transaction = TransactionUse::Outside;
        Ok(Observation { relations, transaction, notices, unweighed, made, ..Observation::default() })
    }

    /// Sessions, by process, that a statement has to wait for: one with an old snapshot, and two for each table that it
    /// may touch. One of them is in the way of schema changes, the other of whatever keeps readers out.
    async fn holders(&self, sql: &str, relations: &Relations) -> Result<BTreeMap<i32, Client>, ScratchError> {
        let mut texts =
            vec!["begin isolation level repeatable read; select pg_catalog.pg_backend_pid()".to_owned()];
        for oid in self.touched(sql, relations).await? {
            let Some(relation) = relations.get(&oid) else { continue };
            let name = quoted(&relation.name);
            texts.push(match relation.kind.as_str() {
                // `lock table` refuses materialised views; a comment takes the same lock.
                "m" => format!("begin; comment on materialized view {name} is 'held'"),
                _ => format!("begin; lock table only {name} in share update exclusive mode"),
            });
            // Planning locks the indexes too, which `lock table` does not.
            texts.push(format!("begin; select from only {name} limit 0"));
        }
        let mut holders = BTreeMap::new();
        for text in texts {
            let client = self.server.client(&self.database).await?;
            // A question in the transaction would leave a cursor with a snapshot behind.
            let process = process_of(&client).await?;
            client
                .batch_execute(&text)
                .await
                .map_err(|error| trouble("a session could not take its locks", &error))?;
            holders.insert(process, client);
        }
        Ok(holders)
    }

    /// Tables that a statement names, those of indexes that it names, and all their partitions and parents; every table
    /// when it names none.
    async fn touched(&self, sql: &str, relations: &Relations) -> Result<BTreeSet<u32>, ScratchError> {
        let holds_rows = |oid: &u32| {
            relations.get(oid).is_some_and(|relation| matches!(relation.kind.as_str(), "r" | "p" | "m"))
        };
        let named = |relation: &Relation| has_word(sql, relation.name.name.as_str());
        let mut touched: BTreeSet<u32> = relations
            .iter()
            .filter(|(_, relation)| named(relation))
            .map(|(oid, relation)| relation.table.unwrap_or(*oid))
            .filter(holds_rows)
            .collect();
        if touched.is_empty() {
            return Ok(relations.keys().copied().filter(holds_rows).collect());
        }
        let rows = self
            .client
            .query(RELATIVES, &[])
            .await
            .map_err(|error| trouble("partitions cannot be read", &error))?;
        let pairs: Vec<(u32, u32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        loop {
            let more: Vec<u32> = pairs
                .iter()
                .filter(|(child, parent)| touched.contains(child) != touched.contains(parent))
                .flat_map(|(child, parent)| [*child, *parent])
                .filter(|oid| holds_rows(oid) && !touched.contains(oid))
                .collect();
            if more.is_empty() {
                return Ok(touched);
            }
            touched.extend(more);
        }
    }

    /// What happened between two moments.
    fn compare(
        &self,
        before: &Relations,
        after: &Relations,
        locks: Seen<'_>,
        notices: &[String],
    ) -> Result<Compared, ScratchError> {
        // A file that was there is taken over when an index is made anew without need.
        let old_files: BTreeSet<u32> = before.values().map(|relation| relation.file).collect();
        let is_built = |index: &Relation| index.kind == "i" && !old_files.contains(&index.file);
        let mut compared = Compared::default();
        for (oid, relation) in before {
            let mut own = locks.gained.get(oid).copied();
            let now = after.get(oid);
            let work = if let Some(table) = relation.table {
                let of_table = locks.all.get(&table).copied();
                if own <= of_table {
                    continue;
                }
                Work::Seen(if now.is_some_and(is_built) { Cost::IndexBuild } else { Cost::Brief })
            } else {
                match now {
                    Some(now) => work(*oid, relation, now, after, notices, &is_built),
                    None => Work::Seen(Cost::Brief),
                }
            };
            let cost = match work {
                Work::Seen(cost) => cost,
                Work::Unweighed => Cost::Brief,
            };
            // Rows move to a new file only under the strongest lock; other work needs none that was not asked for.
            if cost == Cost::Rewrite || work == Work::Unweighed {
                own = own.max(locks.all.get(oid).copied());
            } else if cost > Cost::Brief {
                own = own.or_else(|| locks.all.get(oid).copied());
            }
            let name = &relation.name;
            let Some(lock) = own else {
                if cost > Cost::Brief {
                    return Err(ScratchError::new(format!("the lock on `{name}` was not seen")));
                }
                continue;
            };
            compared.relations.push(RelationEffect { relation: name.clone(), lock, cost, algorithm: None });
            if work == Work::Unweighed {
                compared.unweighed.push(name.clone());
            }
            if self.marked.as_ref().is_some_and(|marked| !marked.contains(oid)) {
                compared.made.push(name.clone());
            }
        }
        compared.relations.sort();
        Ok(compared)
    }

    fn forget_notices(&mut self) {
        let _ = self.take_notices();
    }

    fn take_notices(&mut self) -> Vec<String> {
        let mut taken = Vec::new();
        while let Ok(notice) = self.notices.try_recv() {
            taken.push(notice);
        }
        taken
    }
}

fn quoted(name: &QualifiedName) -> String {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    format!("{}.{}", quote(name.schema.as_str()), quote(name.name.as_str()))
}

/// Whether a name stands in a statement by itself, and not as a part of another one.
fn has_word(sql: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    sql.match_indices(name).any(|(at, _)| {
        !sql[..at].chars().next_back().is_some_and(is_part)
            && !sql[at + name.len()..].chars().next().is_some_and(is_part)
    })
}

fn trouble(what: &str, error: &tokio_postgres::Error) -> ScratchError {
    let refusal = refusal(error);
    ScratchError::new(format!("{what}: {}", refusal.message))
}

fn refusal(error: &tokio_postgres::Error) -> ObservedError {
    match error.as_db_error() {
        Some(error) => {
            ObservedError { sqlstate: error.code().code().to_owned(), message: error.message().to_owned() }
        }
        None => ObservedError { sqlstate: String::new(), message: error.to_string() },
    }
}

async fn process_of(client: &Client) -> Result<i32, ScratchError> {
    client
        .query_one("select pg_catalog.pg_backend_pid()", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| trouble("the session does not tell its process", &error))
}

async fn relations(client: &Client) -> Result<Relations, ScratchError> {
    let cannot = |error| trouble("relations cannot be read", &error);
    let mut relations = Relations::new();
    for row in client.query(RELATIONS, &[]).await.map_err(cannot)? {
        let relation = Relation {
            name: QualifiedName::new(
                row.try_get::<_, String>(1).map_err(cannot)?,
                row.try_get::<_, String>(2).map_err(cannot)?,
            ),
            kind: row.try_get(3).map_err(cannot)?,
            file: row.try_get(4).map_err(cannot)?,
            table: row.try_get(5).map_err(cannot)?,
            visible_pages: row.try_get(6).map_err(cannot)?,
            scans: row.try_get(7).map_err(cannot)?,
            size: row.try_get(8).map_err(cannot)?,
        };
        relations.insert(row.try_get(0).map_err(cannot)?, relation);
    }
    Ok(relations)
}

async fn lock_sets(client: &Client, process: i32) -> Result<LockSets, ScratchError> {
    let cannot = |error| trouble("locks cannot be read", &error);
    let mut locks = LockSets::new();
    for row in client.query(LOCKS, &[&process]).await.map_err(cannot)? {
        let relation: u32 = row.try_get(0).map_err(cannot)?;
        let mode: &str = row.try_get(1).map_err(cannot)?;
        // The kind of lock that serializable transactions leave behind keeps nobody waiting.
        let Some(lock) = lock_of(mode) else { continue };
        locks.entry(relation).or_default().insert(lock);
    }
    Ok(locks)
}

fn strongest(locks: &LockSets) -> Locks {
    locks.iter().filter_map(|(oid, locks)| Some((*oid, locks.last().copied()?))).collect()
}

/// The lock that `pg_locks` names in one word.
fn lock_of(mode: &str) -> Option<Lock> {
    Some(match mode {
        "AccessShareLock" => Lock::AccessShare,
        "RowShareLock" => Lock::RowShare,
        "RowExclusiveLock" => Lock::RowExclusive,
        "ShareUpdateExclusiveLock" => Lock::ShareUpdateExclusive,
        "ShareLock" => Lock::Share,
        "ShareRowExclusiveLock" => Lock::ShareRowExclusive,
        "ExclusiveLock" => Lock::Exclusive,
        "AccessExclusiveLock" => Lock::AccessExclusive,
        _ => return None,
    })
}

/// The dearest work done on a relation that is not an index.
fn work(
    oid: u32,
    before: &Relation,
    now: &Relation,
    after: &Relations,
    notices: &[String],
    is_built: &dyn Fn(&Relation) -> bool,
) -> Work {
    let scanned = now.scans > before.scans || now.visible_pages > before.visible_pages;
    // A sequence is one row.
    if now.file != before.file && before.kind != "S" {
        // A file that was only emptied costs nothing, however large it was. What is empty and written anew is told.
        let told = format!("rewriting table \"{}\"", before.name.name);
        let written = now.size > 0 || notices.contains(&told);
        let was_empty = before.size == 0;
        return match written {
            true => Work::Seen(Cost::Rewrite),
            false if was_empty => Work::Unweighed,
            false => Work::Seen(Cost::Brief),
        };
    }
    if after.values().any(|index| index.table == Some(oid) && is_built(index)) {
        return Work::Seen(Cost::IndexBuild);
    }
    Work::Seen(if scanned { Cost::Scan } else { Cost::Brief })
}
