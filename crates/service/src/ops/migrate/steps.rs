//! What of a migration is committed together, on which engine.

use std::ops::Range;

use dbwright_model::change::{Change, DataKind, TransactionControl};
use dbwright_model::effect::TransactionUse;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::migration::Statement;
use dbwright_model::plan::TransactionMode;
use dbwright_sql::effects::{self, Circumstances};
use dbwright_sql::fold::Folder;

/// Statements that are committed together, by their positions in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The statements of the file that it covers, `BEGIN` and `COMMIT` of the file included.
    pub covers: Range<usize>,
    /// Those that are sent.
    pub sends: Vec<usize>,
    /// How.
    pub way: Way,
}

/// How a step is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In a transaction, together with its row of the history: it is done wholly or not at all, and the row tells.
    Transaction,
    /// By itself. The row says before what is about to happen, and the catalog tells afterwards whether it has.
    Alone,
    /// Piece by piece, each in a transaction of its own.
    Pieces,
    /// By itself, and nothing but the server can tell whether it was done.
    Unknown,
    /// A setting of the session, which is made anew whenever a session goes on with a file.
    Setting,
}

/// One statement, parsed.
pub(super) struct Parsed {
    /// Its changes.
    pub changes: Vec<Change>,
    /// How it would be carried out by itself.
    way: Way,
    control: Option<TransactionControl>,
}

impl Parsed {
    /// Whether it cannot be put into a transaction, or makes one of its own.
    pub fn stands_alone(&self) -> bool {
        matches!(self.way, Way::Alone | Way::Unknown | Way::Pieces) || self.control.is_some()
    }
}

/// Parses statements as far as it matters to how they are carried out.
pub(super) fn parse(engine: Engine, statements: &[Statement]) -> Vec<Parsed> {
    let nothing = Folder::new(engine);
    let dialect = engine.dialect();
    statements
        .iter()
        .map(|statement| {
            let changes = dbwright_sql::parse_statement(dialect, &statement.sql);
            let control = changes.iter().find_map(|change| match change {
                Change::Transaction { control, .. } => Some(*control),
                _ => None,
            });
            let way = match &statement.backfill {
                Some(_) => Way::Pieces,
                None => way_of(dialect, &nothing, &statement.sql, &changes),
            };
            Parsed { changes, way, control }
        })
        .collect()
}

fn way_of(dialect: Dialect, nothing: &Folder, sql: &str, changes: &[Change]) -> Way {
    let word = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
    if matches!(word.as_str(), "set" | "use" | "pragma" | "reset" | "attach" | "detach") {
        return Way::Setting;
    }
    let effects = effects::of_statement(nothing, &Circumstances::default(), changes);
    if dialect != Dialect::Mysql {
        let procedural = changes.iter().any(|change| matches!(change, Change::Procedural { .. }));
        let lower = sql.to_ascii_lowercase();
        return match effects.transaction {
            TransactionUse::Outside | TransactionUse::Commits => Way::Alone,
            // A procedure that commits may not run in a transaction of somebody else.
            TransactionUse::Inside if procedural && lower.contains("commit") => Way::Unknown,
            TransactionUse::Inside => Way::Transaction,
        };
    }
    let rows = |change: &Change| {
        matches!(change, Change::Data { kind, .. } if !matches!(kind, DataKind::Truncate))
            || matches!(change, Change::Nothing | Change::Explain { .. } | Change::AdvanceSequence { .. })
    };
    if !changes.is_empty() && changes.iter().all(rows) {
        return Way::Transaction;
    }
    match word.as_str() {
        "insert" | "update" | "delete" | "replace" | "select" | "with" | "load" => Way::Transaction,
        "create" | "alter" | "drop" | "rename" | "truncate" | "grant" | "revoke" | "analyze" | "optimize"
        | "check" | "flush" | "repair" => Way::Alone,
        _ if changes
            .iter()
            .all(|change| !matches!(change, Change::Opaque { .. } | Change::Procedural { .. })) =>
        {
            Way::Alone
        }
        _ => Way::Unknown,
    }
}

/// Cuts statements into steps.
pub(super) fn cut(dialect: Dialect, mode: TransactionMode, parsed: &[Parsed]) -> Vec<Step> {
    let all: Vec<usize> = (0..parsed.len()).collect();
    let one = |way| Step { covers: 0..parsed.len(), sends: all.clone(), way };
    let atomic = |step: &Parsed| matches!(step.way, Way::Transaction | Way::Setting);
    // Pieces are committed one by one, whatever the file says of its other statements.
    let pieces = parsed.iter().any(|parsed| parsed.way == Way::Pieces);
    if !pieces
        && mode == TransactionMode::OneTransaction
        && (dialect != Dialect::Mysql || parsed.iter().all(atomic))
    {
        return vec![one(Way::Transaction)];
    }
    let mut steps = Vec::new();
    let mut at = 0;
    while at < parsed.len() {
        let step = group(dialect, parsed, at).unwrap_or_else(|| Step {
            covers: at..at + 1,
            sends: vec![at],
            way: alone(&parsed[at]),
        });
        at = step.covers.end;
        steps.push(step);
    }
    steps
}

/// How a statement is carried out that no transaction of the file spans.
fn alone(parsed: &Parsed) -> Way {
    if parsed.control.is_some() { Way::Setting } else { parsed.way }
}

/// The transaction that the file itself opens here.
fn group(dialect: Dialect, parsed: &[Parsed], at: usize) -> Option<Step> {
    use TransactionControl::{Begin, Commit, Rollback};
    (parsed[at].control == Some(Begin)).then_some(())?;
    let length =
        parsed[at + 1..].iter().position(|statement| matches!(statement.control, Some(Commit | Rollback)))?;
    let end = at + 1 + length;
    let inside = at + 1..end;
    let undone = parsed[end].control == Some(Rollback);
    let together = inside.clone().all(|i| matches!(parsed[i].way, Way::Transaction | Way::Setting));
    if dialect == Dialect::Mysql && !together {
        // A change of structure commits what was open: the words around it mean nothing.
        return Some(Step { covers: at..at + 1, sends: Vec::new(), way: Way::Setting });
    }
    let sends = if undone { Vec::new() } else { inside.collect() };
    Some(Step { covers: at..end + 1, sends, way: Way::Transaction })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        engine: Engine,
        mode: TransactionMode,
        statements: &[&str],
        expected: &[(Range<usize>, usize, Way)],
    ) {
        let statements: Vec<Statement> = statements
            .iter()
            .map(|sql| Statement { sql: (*sql).to_owned(), line: 1, backfill: None })
            .collect();
        let steps = cut(engine.dialect(), mode, &parse(engine, &statements));
        let found: Vec<(Range<usize>, usize, Way)> =
            steps.into_iter().map(|step| (step.covers, step.sends.len(), step.way)).collect();
        assert_eq!(found, expected, "{statements:?}");
    }

    #[test]
    fn what_is_committed_together_depends_on_the_engine() {
        use TransactionMode::{NoTransaction, OneTransaction};
        use Way::{Alone, Setting, Transaction, Unknown};
        let two = ["create table t (a int)", "insert into t values (1)"];
        check(Engine::Postgres, OneTransaction, &two, &[(0..2, 2, Transaction)]);
        check(Engine::Sqlite, NoTransaction, &two, &[(0..1, 1, Transaction), (1..2, 1, Transaction)]);
        check(Engine::Mariadb, OneTransaction, &two, &[(0..1, 1, Alone), (1..2, 1, Transaction)]);
        let rows = ["insert into t values (1)", "update t set a = 2"];
        check(Engine::Mariadb, OneTransaction, &rows, &[(0..2, 2, Transaction)]);
        let apart = ["set lock_timeout = 0", "create index concurrently i on t (a)"];
        check(Engine::Postgres, NoTransaction, &apart, &[(0..1, 1, Setting), (1..2, 1, Alone)]);
        let own = ["begin", "insert into t values (1)", "commit", "vacuum t"];
        check(Engine::Postgres, NoTransaction, &own, &[(0..3, 1, Transaction), (3..4, 1, Alone)]);
        check(Engine::Mariadb, NoTransaction, &["call p()"], &[(0..1, 1, Unknown)]);
        let mixed = ["begin", "create table t (a int)", "commit"];
        check(
            Engine::Mariadb,
            NoTransaction,
            &mixed,
            &[(0..1, 0, Setting), (1..2, 1, Alone), (2..3, 1, Setting)],
        );
    }
}
