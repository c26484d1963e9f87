use dbwright_model::change::{Change, DataKind};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    engines: Engines::mysql_family("a change of the schema is undone with its transaction there"),
    when: "a file holds several statements of which each commits by itself",
    then: "When a later one fails the earlier ones stay, and the file can neither be run again nor be taken back.",
    instead: "Give each change of the schema a file of its own.",
    remedy: Applicability::Manual,
    source: "MySQL manual, \"Statements That Cause an Implicit Commit\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let mut definitions = file.statements.iter().filter(|judged| commits(judged));
        let Some(first) = definitions.next() else { continue };
        findings.examined(1);
        // Rows changed before, in a transaction that somebody relies on.
        let rows = file.statements.iter().find(|judged| {
            judged.position < first.position && judged.in_transaction() && changes_rows(judged)
        });
        let object = ObjectRef::file(&file.file.name);
        if let Some(rows) = rows {
            let message = format!(
                "`{}` commits the rows that line {} has changed: they stay when it fails.",
                lint::verb(first.statement),
                rows.statement.location.line
            );
            findings.add(first.found(object, message).level(Level::Warning).remedy(Remedy::manual(
                "Put changes of rows and changes of the schema into files of their own.",
            )));
            continue;
        }
        let again = |judged: &&Judged<'_>| {
            judged.statement.changes.iter().all(|change| lint::guarded(change) == Some(true))
        };
        let Some(second) = definitions.next() else { continue };
        // What ran before can run again.
        if again(&first) {
            continue;
        }
        let message = format!(
            "When `{}` fails, the `{}` in line {} stays: each statement commits by itself.",
            lint::verb(second.statement),
            lint::verb(first.statement),
            first.statement.location.line
        );
        let further = definitions.count();
        let further = (further > 0).then_some(further);
        findings.add(
            second
                .found(object, message)
                .evidence_if("further statements that commit", further)
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

/// Whether a statement commits the transaction before it.
fn commits(judged: &Judged<'_>) -> bool {
    judged.statement.changes.iter().any(|change| {
        lint::changes_schema(change) || matches!(change, Change::Data { kind: DataKind::Truncate, .. })
    })
}

fn changes_rows(judged: &Judged<'_>) -> bool {
    judged.statement.changes.iter().any(|change| {
        matches!(change, Change::Data { kind: DataKind::Insert | DataKind::Update | DataKind::Delete, .. })
    })
}
