//! `migrate backfill`: one `UPDATE` of many rows in small committed pieces.

use std::fmt::Write;
use std::time::Duration;

use dbwright_advise::backfill::key;
use dbwright_advise::backfill::pieces::{COUNTED, Shape};
use dbwright_advise::backfill::throttle::Bounds;
use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::ReadSession;
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::catalog::Table;
use dbwright_model::engine::Dialect;
use dbwright_model::expression::DataStatement;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::migration::Backfill;
use dbwright_model::name::{Name, QualifiedName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pieces::{self, End, Job, JobError, Outcome};
use crate::config::Config;
use crate::consent::{Word, given};
use crate::error::{ErrorKind, ServiceError};
use crate::target::{self, Target};
use crate::world::World;

/// Which rows to write, and how gently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct BackfillRequest {
    /// The database: a connection string or an SQLite file [default: DATABASE_URL, or `target` in dbwright.toml]
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// The table, with its schema where it is not the usual one
    #[arg(long, value_name = "TABLE")]
    pub table: String,
    /// What its rows are set to: `a = b`, or several with commas
    #[arg(long, value_name = "ASSIGNMENTS")]
    pub set: String,
    /// Which rows still need it. A row that was written must not satisfy it any more: `a is null`
    #[arg(long = "where", value_name = "CONDITION")]
    pub filter: String,
    /// The columns of the unique key that orders the pieces [default: the primary key, or the shortest unique one]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub key: Vec<String>,
    /// What the work is called in the table `dbwright_backfills`, by which it is gone on with [default: made of the
    /// statement]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How long a piece should take
    #[arg(long, value_name = "TIME", default_value = "200ms")]
    pub target_time: Span,
    /// Rows of the first piece; the others follow from the time that it takes
    #[arg(long, value_name = "ROWS", default_value_t = 1000)]
    pub rows: u32,
    /// Longest wait of a piece for one lock
    #[arg(long, value_name = "TIME", default_value = "2s")]
    pub lock_timeout: Span,
    /// Wait while a replica is further behind than this
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub max_lag: Span,
    /// A replica to be asked how far it is behind; may be repeated. PostgreSQL's primary knows by itself
    #[arg(long, value_name = "TARGET")]
    pub replica: Vec<String>,
    /// Most bytes that the server may write to its log in a second: `20MB` [default: any number]
    #[arg(long, value_name = "BYTES")]
    pub max_wal: Option<Bytes>,
    /// Most dead rows of the table, in per cent, before a vacuum is due (PostgreSQL)
    #[arg(long, value_name = "PERCENT", default_value_t = 20)]
    pub max_dead: u8,
    /// Wait while more sessions than this wait for locks of the table
    #[arg(long, value_name = "SESSIONS", default_value_t = 2)]
    pub max_waiting: u64,
    /// Vacuum the table between pieces when it is due, instead of saying so (PostgreSQL)
    #[arg(long)]
    pub vacuum: bool,
    /// Show the statements and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before rows are written
    #[arg(short, long)]
    pub yes: bool,
}

impl Default for BackfillRequest {
    fn default() -> Self {
        BackfillRequest {
            target: None,
            table: String::new(),
            set: String::new(),
            filter: String::new(),
            key: Vec::new(),
            name: None,
            target_time: Span { milliseconds: 200 },
            rows: 1000,
            lock_timeout: Span { milliseconds: 2_000 },
            max_lag: Span { milliseconds: 5_000 },
            replica: Vec::new(),
            max_wal: None,
            max_dead: 20,
            max_waiting: 2,
            vacuum: false,
            dry_run: false,
            yes: false,
        }
    }
}

/// A length of time as users write it: `200ms`, `5s`, `2min`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// Milliseconds.
    pub milliseconds: u64,
}

/// A number of bytes as users write it: `20MB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bytes {
    /// Bytes.
    pub bytes: u64,
}

/// What came of a long write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackfillReply {
    /// The name by which it is gone on with.
    pub name: String,
    /// What happened, in full sentences with line ends.
    pub text: String,
    /// Rows written, those of earlier runs included.
    pub rows: u64,
    /// Whether rows still satisfy the condition.
    pub left: bool,
}

/// How the user is asked: given what is about to happen, `Some` answer, or `None` where nobody can be asked.
pub type Ask<'a> = &'a (dyn Fn(&str) -> Option<bool> + Sync);

/// Writes the rows.
pub async fn backfill(
    request: &BackfillRequest,
    config: &Config,
    world: &World<'_>,
    ask: Ask<'_>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<BackfillReply, ServiceError> {
    let dsn = database(request.target.as_deref(), config, world)?;
    let replicas =
        request.replica.iter().map(|text| target::parse_dsn(text, world)).collect::<Result<Vec<_>, _>>()?;
    let facts = facts(&dsn, world).await?;
    let dialect = facts.source.engine.dialect();
    let table = find_table(&facts, &request.table)?;
    let quoted = quoted_name(dialect, &table.name);
    let wanted: Vec<Name> = request.key.iter().map(Name::new).collect();
    let key = key::usable(dialect, table, &wanted, &|name| quote(dialect, name)).map_err(no_key)?;
    check_parentheses("--where", &request.filter)?;
    let shape = Shape::new(dialect, &quoted, key, &request.set, &request.filter);
    check_statement(&shape)?;
    let name = request.name.clone().unwrap_or_else(|| default_name(&table.name, &shape));
    let estimate = rows_of(&facts, &table.name);
    let plan = plan_text(&name, &shape, estimate);
    if request.dry_run {
        return Ok(BackfillReply {
            name,
            text: dry_text(&plan, &shape, request.rows),
            ..BackfillReply::default()
        });
    }
    consent_of(request.yes, &plan, ask)?;
    let mut session =
        WriteSession::open(&given(if request.yes { Word::Flag } else { Word::Answer }, &dsn)).await?;
    let job = Job {
        name: name.clone(),
        engine: facts.source.engine,
        shape,
        rows: request.rows,
        target_ms: request.target_time.milliseconds,
        lock_timeout_ms: request.lock_timeout.milliseconds,
        bounds: Bounds {
            lag_seconds: request.max_lag.milliseconds as f64 / 1000.0,
            log_rate: request.max_wal.map(|rate| rate.bytes),
            dead_share: f64::from(request.max_dead.min(100)) / 100.0,
            waiting: request.max_waiting,
        },
        vacuum: request.vacuum,
        estimate,
        target: &dsn,
        replicas: &replicas,
        limits: &world.limits,
        stop,
        progress: world.progress,
    };
    let outcome =
        pieces::run(&job, &mut session, &owner(world)).await.map_err(|error| explain(error, &quoted))?;
    if outcome.end == End::Stopped {
        return Err(stopped(&outcome, estimate));
    }
    let left = matches!(outcome.end, End::Left(..));
    Ok(BackfillReply { name, text: told(&outcome, &quoted), rows: outcome.rows, left })
}

/// Does what a statement of a migration asks for, piece by piece: the same work under a name of its own, which is gone on
/// with when the migration is run again.
pub(super) async fn of_statement(
    statement: &str,
    asked: &Backfill,
    name: String,
    consent: &Consent,
    world: &World<'_>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<String>, ServiceError> {
    let dsn = consent.target();
    let facts = facts(dsn, world).await?;
    let dialect = facts.source.engine.dialect();
    let table = find_table(&facts, &asked.table)?;
    let key = key::usable(dialect, table, &asked.keyset, &|name| quote(dialect, name)).map_err(no_key)?;
    let Some(shape) = Shape::of_statement(dialect, &asked.table, key, statement, &asked.filter) else {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            "the statement is marked as a backfill but does not end with `WHERE (filter)`, so it cannot be cut into pieces",
        )
        .hint("write the filter in parentheses at its end, or take the mark away to run it whole"));
    };
    let mut session = WriteSession::open(consent).await?;
    let job = Job {
        name,
        engine: facts.source.engine,
        shape,
        rows: asked.rows,
        target_ms: 200,
        lock_timeout_ms: 2_000,
        bounds: Bounds::default(),
        vacuum: false,
        estimate: rows_of(&facts, &table.name),
        target: dsn,
        replicas: &[],
        limits: &world.limits,
        stop,
        progress: world.progress,
    };
    let outcome =
        pieces::run(&job, &mut session, &owner(world)).await.map_err(|error| explain(error, &asked.table))?;
    match outcome.end {
        End::Stopped => Err(stopped(&outcome, job.estimate)),
        End::Left(..) => {
            Err(ServiceError::new(ErrorKind::Unsupported, told(&outcome, &asked.table).trim_end()))
        }
        End::Done | End::Already => Ok(outcome.notes),
    }
}

/// The database that is written to.
fn database(named: Option<&str>, config: &Config, world: &World<'_>) -> Result<Dsn, ServiceError> {
    match target::resolve(named, config.target.as_deref(), None, world)? {
        Target::Database(dsn) => Ok(dsn),
        Target::Snapshot(_) | Target::Files(_) => {
            Err(ServiceError::new(ErrorKind::Usage, "only a database can be written to")
                .hint("name a connection string or an SQLite file with `--target`"))
        }
    }
}

async fn facts(dsn: &Dsn, world: &World<'_>) -> Result<Facts, ServiceError> {
    let mut session = ReadSession::open(dsn, &world.limits).await?;
    let mut facts = session.collect(&[Fact::Catalog, Fact::TableStatistics], world.progress).await?;
    session.close().await;
    if let (Dsn::Sqlite(_), Some(catalog)) = (dsn, facts.catalog.known_mut()) {
        dbwright_sql::sqlite::understand::complete(catalog);
    }
    dbwright_sql::understand::understand(&mut facts);
    Ok(facts)
}

/// The table of a name as users write it: quoted or not, with or without its schema.
pub(super) fn find_table<'a>(facts: &'a Facts, written: &str) -> Result<&'a Table, ServiceError> {
    let Some(catalog) = facts.catalog.known() else {
        let because = facts.catalog.because().unwrap_or_default();
        return Err(ServiceError::new(
            ErrorKind::Permission,
            format!("the tables cannot be read: {because}"),
        ));
    };
    let plain = |part: &str| part.trim().trim_matches(['"', '`']).to_owned();
    let (schema, name) = match written.rsplit_once('.') {
        Some((schema, name)) => (Some(plain(schema)), plain(name)),
        None => (None, plain(written)),
    };
    let exact: Vec<&Table> = catalog
        .tables
        .iter()
        .filter(|table| table.name.name == name.as_str())
        .filter(|table| {
            schema.as_deref().is_none_or(|schema| table.name.schema == schema || table.name.schema.is_empty())
        })
        .collect();
    let public = exact.iter().find(|table| table.name.schema == "public");
    match (exact.as_slice(), public) {
        ([table], _) => Ok(table),
        ([_, ..], Some(public)) => Ok(public),
        ([], _) => Err(ServiceError::new(ErrorKind::Usage, format!("there is no table `{written}`")).hint(
            "write its name as the server keeps it, with the schema in front where it is not `public`",
        )),
        (several, None) => {
            let names: Vec<String> = several.iter().map(|table| format!("`{}`", table.name)).collect();
            Err(ServiceError::new(ErrorKind::Usage, format!("`{written}` may be {}", names.join(" or ")))
                .hint("write the schema in front of it"))
        }
    }
}

pub(super) fn rows_of(facts: &Facts, table: &QualifiedName) -> Option<u64> {
    facts.table_statistics.known()?.iter().find(|known| known.table == *table)?.rows
}

fn quote(dialect: Dialect, name: &Name) -> String {
    dbwright_sql::quote_identifier(dialect, name.as_str())
}

fn quoted_name(dialect: Dialect, name: &QualifiedName) -> String {
    match name.schema.is_empty() {
        true => quote(dialect, &name.name),
        false => format!("{}.{}", quote(dialect, &name.schema), quote(dialect, &name.name)),
    }
}

fn no_key(because: String) -> ServiceError {
    ServiceError::new(ErrorKind::Unsupported, because.trim_end_matches('.').to_owned())
        .hint("add a unique index on columns that are not null, or name another key with `--key`")
}

/// Holds a condition to its parentheses, so that nothing can be added to it from within.
fn check_parentheses(option: &str, text: &str) -> Result<(), ServiceError> {
    let mut depth = 0_i32;
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        if depth < 0 {
            break;
        }
    }
    if depth == 0 && quote.is_none() && !text.trim().is_empty() {
        return Ok(());
    }
    Err(ServiceError::new(ErrorKind::Usage, format!("`{option}` is no complete condition: `{text}`")))
}

/// Reads the statement, and refuses one that moves rows along the key.
fn check_statement(shape: &Shape) -> Result<(), ServiceError> {
    let Some(DataStatement::Update { assignments, .. }) =
        dbwright_sql::parse_data_statement(shape.dialect, &shape.statement)
    else {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!("the statement was not understood: {}", shape.statement.replace('\n', " ")),
        )
        .hint("write `--set \"a = b\"` and `--where \"a is null\"` without the words SET and WHERE"));
    };
    let moved = shape
        .key
        .iter()
        .find(|column| assignments.iter().any(|(name, _)| name.eq_ignore_case(column.name.as_str())));
    match moved {
        None => Ok(()),
        Some(column) => Err(ServiceError::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` orders the pieces and is changed by them, so rows would be met twice or never",
                column.name
            ),
        )
        .hint("name another unique key with `--key`")),
    }
}

fn default_name(table: &QualifiedName, shape: &Shape) -> String {
    let number = shape.statement.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let table: String = table.to_string().chars().take(100).collect();
    format!("{table} {number:016x}")
}

fn owner(world: &World<'_>) -> String {
    format!("process {} since {}", std::process::id(), world.now)
}

fn plan_text(name: &str, shape: &Shape, estimate: Option<u64>) -> String {
    let key: Vec<&str> = shape.key.iter().map(|column| column.quoted.as_str()).collect();
    let rows = estimate.map_or_else(|| "an unknown number of".to_owned(), |rows| format!("about {rows}"));
    format!(
        "{}\nin pieces ordered by {}, each committed by itself; the table has {rows} rows.\n\
         How far it is stands in `dbwright_backfills` under `{name}`.\n",
        shape.statement.trim_end(),
        key.join(", "),
    )
}

fn dry_text(plan: &str, shape: &Shape, rows: u32) -> String {
    let place: Vec<String> = shape.key.iter().map(|column| format!("<{}>", column.name)).collect();
    let end = shape.end_by_rows(Some(&place), rows, rows.saturating_mul(10)).sql;
    let write = shape.write(Some(&place), Some(&place)).sql;
    format!(
        "{plan}\nEach piece looks for its end:\n\n{end};\n\nand is written:\n\nbegin;\n{write};\n\
         update dbwright_backfills ...;\ncommit;\n\nNothing was changed.\n"
    )
}

fn consent_of(yes: bool, plan: &str, ask: Ask<'_>) -> Result<(), ServiceError> {
    if yes {
        return Ok(());
    }
    match ask(plan) {
        Some(true) => Ok(()),
        Some(false) => Err(ServiceError::new(ErrorKind::Cancelled, "nothing was changed")),
        None => Err(ServiceError::new(ErrorKind::Usage, "nobody can be asked whether rows may be written")
            .hint("give `--yes`, or look first with `--dry-run`")),
    }
}

fn stopped(outcome: &Outcome, estimate: Option<u64>) -> ServiceError {
    let of = estimate.map(|rows| format!(" of about {rows} in the table")).unwrap_or_default();
    ServiceError::new(
        ErrorKind::Cancelled,
        format!("stopped after a whole piece: {} rows are written{of}", outcome.rows),
    )
    .hint("run the same command again to go on where it stopped")
}

fn explain(error: JobError, table: &str) -> ServiceError {
    let kind = match &error {
        JobError::Other(..) | JobError::Again { .. } => ErrorKind::Usage,
        JobError::Apply(dbwright_engine::apply::ApplyError::ConnectionLost(_)) => ErrorKind::Connection,
        JobError::Apply(_) | JobError::GivenUp { .. } | JobError::Taken | JobError::Lost => {
            ErrorKind::Unsupported
        }
    };
    let made = ServiceError::new(kind, format!("writing to `{table}`: {error}"));
    match &error {
        JobError::Taken | JobError::Lost => {
            made.hint("wait for it, or stop it; how far it is stands in `dbwright_backfills`")
        }
        JobError::Other(..) => made.hint("give the work another `--name`"),
        JobError::Again { .. } => made.hint(
            "write a condition that the write itself ends, such as `a is null` where `a` is set, or `a is distinct from b`",
        ).hint("where the new value does not show that a row is done, add a column that does, and set it too"),
        JobError::GivenUp { .. } => {
            made.hint("see what holds the rows or slows the server down, then run the same command again to go on where it stopped")
        }
        JobError::Apply(_) => {
            made.hint("pieces before it are committed; run the same command again to go on")
        }
    }
}

fn told(outcome: &Outcome, table: &str) -> String {
    let mut text = String::new();
    let rows = outcome.rows;
    // Writing to a String does not fail.
    let _ = match &outcome.end {
        End::Already => writeln!(
            text,
            "It was done before: no row of {table} satisfies the condition. {rows} rows were written then."
        ),
        End::Done | End::Stopped => writeln!(
            text,
            "{rows} rows of {table} are written, {} pieces in this run{}. No row satisfies the condition any more.",
            outcome.pieces,
            if outcome.resumed { ", which went on where an earlier one had stopped" } else { "" }
        ),
        End::Left(left, samples) => {
            let number = if *left > COUNTED { format!("more than {COUNTED}") } else { left.to_string() };
            writeln!(
                text,
                "{rows} rows of {table} are written, and {number} still satisfy the condition: others write such rows, \
                 or a trigger keeps these from being written. For instance: {}.",
                samples.join("; ")
            )
        }
    };
    for (because, milliseconds) in &outcome.waited {
        let seconds = Duration::from_millis(*milliseconds).as_secs_f64();
        let _ = writeln!(text, "It waited {seconds:.1} s because {because}.");
    }
    if outcome.cut > 0 {
        let _ = writeln!(
            text,
            "{} pieces took too long; they were taken back and written as smaller ones.",
            outcome.cut
        );
    }
    if outcome.vacuums > 0 {
        let _ = writeln!(text, "It vacuumed {table} {} times.", outcome.vacuums);
    }
    for note in &outcome.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time; write it like `200ms`, `5s` or `2min`");
        let digits = text
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(text.len());
        let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit = match text[digits..].trim() {
            "ms" => 1.0,
            "s" => 1_000.0,
            "min" | "m" => 60_000.0,
            _ => return Err(wrong()),
        };
        Ok(Span { milliseconds: (number * unit) as u64 })
    }
}

impl std::str::FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no number of bytes; write it like `20MB`");
        let digits = text
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(text.len());
        let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit =
            match text[digits..].trim().to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
                "" => 1.0,
                "k" => 1024.0,
                "m" => 1024.0 * 1024.0,
                "g" => 1024.0 * 1024.0 * 1024.0,
                _ => return Err(wrong()),
            };
        match number * unit {
            bytes if bytes >= 1.0 => Ok(Bytes { bytes: bytes as u64 }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_as_users_write_them() {
        let span = |text: &str| text.parse::<Span>().ok().map(|span| span.milliseconds);
        assert_eq!(
            [span("200ms"), span("5s"), span("2min"), span("1.5 s")],
            [Some(200), Some(5_000), Some(120_000), Some(1_500)]
        );
        // Milliseconds for one and seconds for another: a number alone is refused.
        assert_eq!([span("soon"), span("5 h"), span("-1s"), span("2000")], [None; 4]);
        let bytes = |text: &str| text.parse::<Bytes>().ok().map(|bytes| bytes.bytes);
        assert_eq!([bytes("20MB"), bytes("1k"), bytes("1GiB")], [Some(20 << 20), Some(1024), Some(1 << 30)]);
        assert_eq!([bytes("0"), bytes("lots")], [None; 2]);
    }

    #[test]
    fn what_is_left_out_means_the_same_in_every_face() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            request: BackfillRequest,
        }
        let words = ["x", "--table", "t", "--set", "a = 1", "--where", "a is null"];
        let line = <Line as clap::Parser>::parse_from(words).request;
        let json = r#"{"table": "t", "set": "a = 1", "filter": "a is null"}"#;
        assert_eq!(serde_json::from_str::<BackfillRequest>(json).expect("it is read"), line);
    }

    #[test]
    fn a_condition_cannot_end_its_own_parentheses() {
        let check = |text: &str| check_parentheses("--where", text).is_ok();
        assert!(check("a is null and (b or c)"));
        assert!(check("a = ')' and b is null"));
        assert!(!check("a is null) or (true"));
        assert!(!check("(a is null"));
        assert!(!check("a = 'x"));
        assert!(!check(" "));
    }
}
