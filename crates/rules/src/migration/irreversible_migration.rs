use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::rule::Status;
use crate::{Context, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    status: Status::Preview,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    when: "a migration of a tool that knows a way back has none",
    then: "When the release has to be taken back, somebody writes the way back in a hurry.",
    instead: "Write the way back beside the migration, or a comment there that says why there is none.",
    remedy: Applicability::Manual,
    source: "common practice of migration tools",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let Some(has_undo) = file.file.has_undo else { continue };
        findings.examined(1);
        let changes = |judged: &&lint::Judged<'_>| judged.statement.changes.iter().any(lint::changes_schema);
        let Some(judged) = file.statements.iter().find(changes) else { continue };
        if has_undo {
            continue;
        }
        let name = &file.file.name;
        let message = format!("No way back is written for `{name}`.");
        findings.add(judged.found(ObjectRef::file(name), message).remedy(Remedy::manual(RULE.instead)));
    }
}
