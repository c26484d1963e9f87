use dbwright_model::chain::ChainStatement;
use dbwright_model::change::Change;
use dbwright_model::effect::Refusal;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, JudgedFile};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    // What hangs on tables is what is mostly in the way.
    wants: &[Fact::Functions, Fact::Triggers, Fact::Policies, Fact::Publications],
    when: "the server refuses a statement in the state that it finds",
    then: "The migration fails, although it may pass on a database that lacks the object in the way.",
    instead: "Change or drop what is in the way first, and bring it back afterwards.",
    remedy: Applicability::Manual,
    source: "refusals measured on PostgreSQL 13 to 18, MariaDB 10.11 and SQLite 3.54",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let files = lint::files(context);
    let there: Vec<Option<usize>> = files.iter().map(|file| all_there(&file.statements)).collect();
    let files_there = there.iter().flatten().count();
    // Of one object alone it is not said whether the file or another one made it, unless other files say the same.
    let applied = |made: Option<usize>| made.filter(|made| *made > 1 || files_there > 1);
    for (file, made) in files.iter().zip(there) {
        match applied(made) {
            Some(made) => findings.add(seems_applied(file, made)),
            None => file.statements.iter().for_each(|judged| judge(judged, findings)),
        }
        findings.examined(file.statements.len() as u64);
    }
}

/// How many objects the statements make, if each of these is there already and at least one is.
fn all_there(statements: &[Judged<'_>]) -> Option<usize> {
    let mut made = 0;
    for judged in statements {
        if !judged.statement.changes.iter().any(makes) {
            continue;
        }
        if judged.statement.failed.is_some() || !is_there(judged.statement) {
            return None;
        }
        made += 1;
    }
    (made > 0).then_some(made)
}

/// Whether a change makes an object under a name that nothing else may have.
fn makes(change: &Change) -> bool {
    matches!(
        change,
        Change::CreateTable { if_not_exists: false, .. }
            | Change::CreateTableLike { if_not_exists: false, .. }
            | Change::CreateIndex { if_not_exists: false, .. }
            | Change::AddColumn { if_not_exists: false, .. }
            | Change::AddPrimaryKey { .. }
            | Change::CreateTrigger { or_replace: false, .. }
    )
}

/// Whether the server refuses a statement because what it makes is there.
fn is_there(statement: &ChainStatement) -> bool {
    statement.effects.refused.is_some() && statement.effects.refusal == Refusal::AlreadyThere
}

fn seems_applied(file: &JudgedFile<'_>, made: usize) -> Found {
    let name = &file.file.name;
    let objects = match made {
        1 => "what it makes is there".to_owned(),
        made => format!("all {made} objects that it makes are there"),
    };
    let message = format!("`{name}` seems to be applied already: {objects}.");
    let first = file.statements.iter().find(|judged| is_there(judged.statement));
    let found = match first {
        Some(judged) => judged
            .found(ObjectRef::file(name), message)
            .evidence_if("first", judged.statement.effects.refused.clone()),
        None => Found::at(ObjectRef::file(name), message),
    };
    found.remedy(Remedy::manual(
        "Lint only what is pending: name those files, or say `--since` with the revision that the database has.",
    ))
}

fn judge(judged: &Judged<'_>, findings: &mut Findings) {
    let Some(because) = &judged.statement.effects.refused else { return };
    // What was tried and failed is told with the server's own words.
    if judged.statement.failed.is_some() {
        return;
    }
    let words: Vec<&str> = judged.statement.sql.split_whitespace().take(4).collect();
    let object = match judged.statement.effects.relations.first() {
        Some(effect) => ObjectRef::table(&effect.relation),
        None => ObjectRef::file(&judged.statement.location.file),
    };
    let message = format!("`{} ...` fails: {because}.", words.join(" "));
    findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
}
