use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::count;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 10,
    needs: &[Fact::Integrity],
    engines: Engines::only(Engine::Sqlite, "it cannot be checked by a query"),
    when: "the file is damaged by SQLite's own check",
    then: "Rows are missing or cannot be reached, and writing makes it worse.",
    instead: "Stop writing, copy the file with its journal, and restore a backup; else try `.recover`.",
    source: "SQLite documentation, PRAGMA quick_check and how to corrupt a database file",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(1);
    let complaints = &context.integrity().complaints;
    if complaints.is_empty() {
        return;
    }
    let mut found = Found::at(
        ObjectRef::database(&context.database()),
        format!(
            "The database file is damaged: {} by SQLite's own check.",
            count(complaints.len() as u64, "complaint")
        ),
    );
    for complaint in complaints.iter().take(5) {
        found = found.evidence("complaint", complaint);
    }
    findings.add(found.remedy(Remedy::manual(RULE.instead)).critical());
}
