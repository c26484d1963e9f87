use dbwright_model::chain::Wrap;
use dbwright_model::change::{Change, TransactionControl};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, JudgedFile};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    when: "a file begins a transaction that it does not end, or begins a second one inside it",
    then: "What was not committed is undone when the connection closes, and until then its locks are held.",
    instead: "End every `BEGIN` with a `COMMIT`.",
    remedy: Applicability::Manual,
    source: "manuals of the engines: BEGIN, COMMIT",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context).into_iter().filter(|file| file.file.wrap != Wrap::Transaction) {
        look(context, &file, findings);
    }
}

fn look(context: &Context<'_>, file: &JudgedFile<'_>, findings: &mut Findings) {
    let commits_by_itself = context.engine().dialect() == Dialect::Mysql;
    let mut open: Option<&Judged<'_>> = None;
    // MySQL: whether something has happened in the transaction that only `COMMIT` keeps.
    let mut pending = false;
    for judged in &file.statements {
        for change in &judged.statement.changes {
            match change {
                Change::Transaction { control: TransactionControl::Begin, .. } => {
                    findings.examined(1);
                    match open {
                        Some(outer) if !commits_by_itself || pending => {
                            findings.add(nested(context.engine(), outer, judged));
                        }
                        _ => open = Some(judged),
                    }
                    pending = false;
                }
                Change::Transaction {
                    control: TransactionControl::Commit | TransactionControl::Rollback,
                    ..
                } => open = None,
                Change::Data { .. } => pending = true,
                // The server commits before and after it.
                change if commits_by_itself && lint::changes_schema(change) => {
                    open = None;
                    pending = false;
                }
                _ => {}
            }
        }
    }
    if let Some(judged) = open {
        let object = ObjectRef::file(&judged.statement.location.file);
        let message = "The transaction that begins here is never committed, and what it did is undone.";
        findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
    }
}

fn nested(engine: Engine, outer: &Judged<'_>, inner: &Judged<'_>) -> crate::Found {
    let line = outer.statement.location.line;
    let (level, what) = match engine {
        Engine::Sqlite => (Level::Error, "fails"),
        Engine::Postgres => (Level::Warning, "does nothing, and the next `COMMIT` ends both"),
        Engine::Mysql | Engine::Mariadb => (Level::Warning, "commits what was done so far"),
    };
    let message = format!("`BEGIN` inside the transaction that is open since line {line} {what}.");
    let object = ObjectRef::file(&inner.statement.location.file);
    inner
        .found(object, message)
        .level(level)
        .remedy(Remedy::manual("End the first transaction before the second begins, or use a `SAVEPOINT`."))
}
