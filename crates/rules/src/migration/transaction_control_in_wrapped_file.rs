use dbwright_model::chain::Wrap;
use dbwright_model::change::{Change, TransactionControl};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    when: "a file begins or ends a transaction although its tool runs it in one",
    then: "The tool's transaction ends in the middle, and what fails afterwards leaves the file half applied.",
    instead: "Take `BEGIN` and `COMMIT` out, or tell the tool to run the file without a transaction.",
    remedy: Applicability::Manual,
    source: "manuals of the engines: BEGIN, COMMIT",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context).into_iter().filter(|file| file.file.wrap == Wrap::Transaction) {
        findings.examined(1);
        let control = file.statements.iter().find_map(|judged| {
            judged.statement.changes.iter().find_map(|change| match change {
                Change::Transaction {
                    control:
                        control @ (TransactionControl::Begin
                        | TransactionControl::Commit
                        | TransactionControl::Rollback),
                    ..
                } => Some((judged, *control)),
                _ => None,
            })
        });
        let Some((judged, control)) = control else { continue };
        let (level, message) = match (control, context.engine()) {
            (TransactionControl::Begin, Engine::Sqlite) => (
                Level::Error,
                "`BEGIN` fails, because the tool has opened a transaction for the file already.",
            ),
            (TransactionControl::Begin, Engine::Mysql | Engine::Mariadb) => {
                (RULE.level, "`BEGIN` commits the transaction that the tool has opened for the file.")
            }
            (TransactionControl::Begin, Engine::Postgres) => (
                RULE.level,
                "`BEGIN` does nothing in the transaction that the tool opens, and the `COMMIT` that belongs to it ends that one.",
            ),
            (TransactionControl::Rollback, _) => {
                (RULE.level, "`ROLLBACK` undoes the transaction that the tool has opened for the file.")
            }
            _ => (RULE.level, "`COMMIT` ends the transaction that the tool has opened for the file."),
        };
        let object = ObjectRef::file(&judged.statement.location.file);
        findings.add(judged.found(object, message).level(level).remedy(Remedy::manual(RULE.instead)));
    }
}
