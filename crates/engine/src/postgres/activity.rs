//! What the server does and has done: settings, databases, sessions, statements, replication and log.

use std::collections::BTreeMap;

use dbwright_model::activity::{DatabaseStatistics, LockWait, PreparedTransaction, Session};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::replication::{Archiver, Checkpointer, Replication, Sender, Slot, WalStatistics};
use dbwright_model::settings::Setting;
use dbwright_model::stats::Counters;
use dbwright_model::workload::Statement;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::draft::Draft;
use super::value::timestamp;
use crate::redact;
use crate::row::{DecodeError, Row};

fn opt_name(row: &Row, column: &str) -> Result<Option<Name>, DecodeError> {
    Ok(row.opt_text(column)?.map(Name::new))
}

pub(super) fn setting(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let text = |column| -> Result<String, DecodeError> { Ok(row.opt_text(column)?.unwrap_or("").to_owned()) };
    let setting = Setting {
        hidden: false,
        value: text("value")?,
        unit: text("unit")?,
        source: text("source")?,
        boot_value: row.opt_text("boot_value")?.map(str::to_owned),
        context: text("context")?,
        pending_restart: row.opt_bool("pending_restart")?.unwrap_or(false),
    };
    draft.settings.values.insert(row.text("name")?.to_lowercase(), setting);
    Ok(())
}

pub(super) fn database(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let recorded = row.opt_text("recorded_collation")?;
    let actual = row.opt_text("actual_collation")?;
    draft.databases.push(DatabaseStatistics {
        name: Name::new(row.text("name")?),
        current: row.bool("current")?,
        allows_connections: row.bool("allows_connections")?,
        xid_age: row.opt_count("xid_age")?,
        multixact_age: row.opt_count("multixact_age")?,
        bytes: row.opt_count("bytes")?,
        commits: row.opt_count("commits")?,
        rollbacks: row.opt_count("rollbacks")?,
        deadlocks: row.opt_count("deadlocks")?,
        temp_files: row.opt_count("temp_files")?,
        temp_bytes: row.opt_count("temp_bytes")?,
        blocks_hit: row.opt_count("blocks_hit")?,
        blocks_read: row.opt_count("blocks_read")?,
        checksum_failures: row.opt_count("checksum_failures")?,
        conflicts: row.opt_count("conflicts")?,
        collation_drift: recorded
            .zip(actual)
            .filter(|(recorded, actual)| recorded != actual)
            .map(|(recorded, actual)| (recorded.to_owned(), actual.to_owned())),
    });
    Ok(())
}

pub(super) fn session(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let id = row.int("id")?;
    let blocked_by = row.ints("blocked_by")?;
    let relation = row.opt_text("waits_in_schema")?.zip(row.opt_text("waits_for_relation")?);
    for blocking in &blocked_by {
        draft.lock_waits.push(LockWait {
            waiting: id,
            blocking: *blocking,
            relation: relation.map(|(schema, name)| QualifiedName::new(schema, name)),
            seconds: row.opt_float("waits_seconds")?,
        });
    }
    draft.sessions.push(Session {
        id,
        user: opt_name(row, "user")?,
        database: opt_name(row, "database")?,
        application: row.opt_text("application")?.unwrap_or("").to_owned(),
        backend: opt_name(row, "backend")?.unwrap_or_default(),
        state: opt_name(row, "state")?.unwrap_or_default(),
        transaction_seconds: row.opt_float("transaction_seconds")?,
        statement_seconds: row.opt_float("statement_seconds")?,
        state_seconds: row.opt_float("state_seconds")?,
        wait: opt_name(row, "wait")?,
        blocked_by,
        horizon_age: row.opt_count("horizon_age")?,
        encrypted: row.opt_bool("encrypted")?,
        remote: row.opt_bool("remote")?,
        statement: row
            .opt_text("statement")?
            .filter(|text| !text.is_empty())
            .map(|text| redact::statement(Dialect::Postgres, text)),
    });
    Ok(())
}

pub(super) fn statement(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    draft.workload.since = timestamp(row.opt_float("since")?);
    draft.workload.evicted = row.opt_count("evicted")?;
    let text = redact::statement(Dialect::Postgres, row.opt_text("text")?.unwrap_or(""));
    draft.workload.statements.push(Statement {
        id: identifier(&text),
        text,
        user: opt_name(row, "user")?,
        calls: row.opt_count("calls")?,
        total_ms: row.opt_float("total_ms")?,
        mean_ms: row.opt_float("mean_ms")?,
        max_ms: row.opt_float("max_ms")?,
        rows: row.opt_count("rows")?,
        blocks_read: row.opt_count("blocks_read")?,
        blocks_hit: row.opt_count("blocks_hit")?,
        temp_blocks_written: row.opt_count("temp_blks_written")?,
        wal_bytes: row.opt_count("wal_bytes")?,
        ..Statement::default()
    });
    Ok(())
}

/// Reads a column that holds JSON made by the statement itself; null gives the default.
fn json<T: DeserializeOwned + Default>(row: &Row, column: &'static str) -> Result<T, DecodeError> {
    let Some(text) = row.opt_text(column)? else { return Ok(T::default()) };
    serde_json::from_str(text).map_err(|error| DecodeError::Wrong {
        column: column.to_owned(),
        expected: "JSON of the statement's own making",
        found: error.to_string(),
    })
}

#[derive(Default, Deserialize)]
struct SenderRow {
    name: Option<Name>,
    state: Option<Name>,
    sync_state: Option<Name>,
    replay_delay_bytes: Option<i64>,
    replay_delay_seconds: Option<f64>,
}

#[derive(Default, Deserialize)]
struct SlotRow {
    name: Name,
    kind: Name,
    active: bool,
    retained_bytes: Option<i64>,
    wal_status: Option<Name>,
    xmin_age: Option<i64>,
    catalog_xmin_age: Option<i64>,
    inactive_seconds: Option<f64>,
    invalidation: Option<Name>,
}

#[derive(Default, Deserialize)]
struct PreparedRow {
    id: String,
    owner: Name,
    database: Name,
    age_seconds: f64,
    xid_age: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CountersRow {
    archived: u64,
    failed: u64,
    last_archived: Option<f64>,
    last_failed: Option<f64>,
    timed: u64,
    requested: u64,
    write_ms: f64,
    sync_ms: f64,
    bytes: Option<u64>,
    records: Option<u64>,
    full_page_images: Option<u64>,
    buffers_full: Option<u64>,
    since: Option<f64>,
}

/// Only parts that were asked for are in the row; the others keep what they hold.
pub(super) fn cluster(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    if row.opt_float("started")?.is_some() {
        draft.counters = Counters {
            since: timestamp(row.opt_float("counters_since")?),
            started: timestamp(row.opt_float("started")?),
            standbys: row.opt_count("standbys")?.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        };
    }
    let senders: Vec<SenderRow> = json(row, "senders")?;
    let standby = row.bool("standby")?;
    if standby || !senders.is_empty() {
        let of_standby = |value: Option<f64>| value.filter(|_| standby);
        draft.replication = Replication {
            standby,
            senders: senders
                .into_iter()
                .map(|sender| Sender {
                    name: sender.name.unwrap_or_default(),
                    state: sender.state.unwrap_or_default(),
                    sync_state: sender.sync_state.unwrap_or_default(),
                    replay_delay_bytes: count(sender.replay_delay_bytes),
                    replay_delay_seconds: sender.replay_delay_seconds,
                })
                .collect(),
            replay_delay_seconds: of_standby(row.opt_float("replay_delay_seconds")?),
            replay_delay_bytes: row.opt_count("replay_delay_bytes")?.filter(|_| standby),
            replay_paused: row.opt_bool("replay_paused")?,
            receiver_running: row.opt_bool("receiver_running")?,
            last_error: None,
        };
    }
    for slot in json::<Vec<SlotRow>>(row, "slots")? {
        draft.slots.push(Slot {
            name: slot.name,
            kind: slot.kind,
            active: slot.active,
            retained_bytes: count(slot.retained_bytes),
            wal_status: slot.wal_status,
            xmin_age: count(slot.xmin_age),
            catalog_xmin_age: count(slot.catalog_xmin_age),
            inactive_seconds: slot.inactive_seconds,
            invalidation: slot.invalidation,
        });
    }
    for prepared in json::<Vec<PreparedRow>>(row, "prepared_transactions")? {
        draft.prepared_transactions.push(PreparedTransaction {
            id: prepared.id,
            owner: prepared.owner,
            database: prepared.database,
            age_seconds: prepared.age_seconds,
            xid_age: count(Some(prepared.xid_age)).unwrap_or(0),
        });
    }
    if row.opt_text("archiver")?.is_some() {
        let counters: CountersRow = json(row, "archiver")?;
        draft.archiver = Archiver {
            archived: counters.archived,
            last_archived: timestamp(counters.last_archived),
            failed: counters.failed,
            last_failed: timestamp(counters.last_failed),
            since: timestamp(counters.since),
        };
    }
    if row.opt_text("checkpointer")?.is_some() {
        let counters: CountersRow = json(row, "checkpointer")?;
        draft.checkpointer = Checkpointer {
            timed: counters.timed,
            requested: counters.requested,
            write_ms: counters.write_ms,
            sync_ms: counters.sync_ms,
            since: timestamp(counters.since),
        };
    }
    for (name, value) in json::<BTreeMap<String, Option<f64>>>(row, "status")? {
        draft.server_status.values.extend(value.map(|value| (name, value.to_string())));
    }
    if row.opt_text("wal")?.is_some() {
        let counters: CountersRow = json(row, "wal")?;
        draft.wal = WalStatistics {
            bytes: counters.bytes,
            records: counters.records,
            full_page_images: counters.full_page_images,
            buffers_full: counters.buffers_full,
            directory_bytes: row.opt_count("log_directory_bytes")?,
            since: timestamp(counters.since),
        };
    }
    Ok(())
}

/// The identifier of a normalised statement: a hash of its words (FNV-1a). The server's own differs between servers, because
/// it is made of the numbers of their tables.
fn identifier(text: &str) -> String {
    let words = text.split_whitespace().flat_map(|word| word.bytes().chain([b' ']));
    let hash = words.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
