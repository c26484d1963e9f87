use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::rule::Status;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    status: Status::Preview,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    when: "a statement outside of a transaction that is followed by others cannot be run a second time",
    then: "When a later statement fails, the file stops here at the next attempt.",
    instead: "Say `IF EXISTS` or `IF NOT EXISTS`, or give the statement a file of its own.",
    remedy: Applicability::Manual,
    source: "common practice of migration tools",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let last = file.statements.iter().rposition(|judged| acts(judged)).unwrap_or_default();
        for judged in &file.statements[..last.min(file.statements.len())] {
            let knows = |change: &&Change| knows_words(context.engine(), change);
            let Some(change) = judged.statement.changes.iter().find(knows) else { continue };
            findings.examined(1);
            if kept(context.engine(), judged) && lint::guarded(change) == Some(false) {
                let message = format!(
                    "When a later statement fails, `{}` stays and stops the next attempt.",
                    lint::verb(judged.statement)
                );
                let object = match change.target() {
                    Some(table) => ObjectRef::table(table),
                    None => ObjectRef::file(&file.file.name),
                };
                findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
                break;
            }
        }
    }
}

/// Whether a statement does something that can fail.
fn acts(judged: &Judged<'_>) -> bool {
    judged
        .statement
        .changes
        .iter()
        .any(|change| lint::changes_schema(change) || matches!(change, Change::Data { .. }))
}

/// Whether what the statement did stays when a later one fails.
fn kept(engine: Engine, judged: &Judged<'_>) -> bool {
    !judged.in_transaction() || matches!(engine, Engine::Mysql | Engine::Mariadb)
}

/// Whether the engine has `IF [NOT] EXISTS` for it. A concurrent build is better not told so: an invalid index would be
/// taken for a good one.
fn knows_words(engine: Engine, change: &Change) -> bool {
    match change {
        Change::CreateIndex { concurrently: true, .. } => false,
        Change::AddColumn { .. } | Change::DropColumn { .. } | Change::DropConstraint { .. } => {
            matches!(engine, Engine::Postgres | Engine::Mariadb)
        }
        Change::CreateIndex { .. } | Change::DropIndex { .. } => engine != Engine::Mysql,
        Change::CreateView { .. } | Change::CreateFunction { .. } | Change::CreateTrigger { .. } => false,
        change => lint::guarded(change).is_some(),
    }
}
