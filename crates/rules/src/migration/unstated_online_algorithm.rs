use dbwright_model::change::{Change, OnlineClauses};
use dbwright_model::engine::Engine;
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
    engines: Engines::mysql_family("the way in which a change is made cannot be asked for there"),
    when: "a table in use is altered without saying which `ALGORITHM` or `LOCK` is expected",
    then: "Where the server cannot do it online it copies the table and keeps writers out, without a word.",
    instead: "Say the `ALGORITHM` and `LOCK` that you expect: the server then refuses instead of doing it in a dearer way.",
    remedy: Applicability::Manual,
    source: "MySQL manual, \"Online DDL Operations\"; MariaDB: measured on 10.11",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let changes = &judged.statement.changes;
        let mut clauses = changes.iter().filter_map(|change| clauses(context.engine(), change));
        let Some(first) = clauses.next() else { continue };
        let Some(name) = changes.iter().filter_map(Change::target).find(|name| judged.is_in_use(name)) else {
            continue;
        };
        findings.examined(1);
        let said = |clauses: OnlineClauses| clauses.algorithm.is_some() || clauses.lock.is_some();
        if said(first) || clauses.any(said) || by_session(&judged) {
            continue;
        }
        let verb = lint::verb(judged.statement);
        let message =
            format!("`{verb}` of `{name}` leaves it to the server whether the table is copied under a lock.");
        findings.add(
            judged.found(ObjectRef::table(name), message).remedy(Remedy::manual(
                "Try `ALGORITHM=INSTANT` first, then `ALGORITHM=INPLACE, LOCK=NONE`; if the server refuses both, use a tool that copies the table online.",
            )),
        );
    }
}

/// The clauses of a change that takes any, if it can do more than change a name or a default.
fn clauses(engine: Engine, change: &Change) -> Option<OnlineClauses> {
    match change {
        Change::RenameTable { .. }
        | Change::RenameColumn { .. }
        | Change::RenameConstraint { .. }
        | Change::SetDefault { .. }
        | Change::AlterPartitions { .. }
        | Change::SetIndexVisible { .. } => None,
        // MariaDB's `DROP INDEX` takes none.
        Change::DropIndex { .. } if engine == Engine::Mariadb => None,
        Change::CreateIndex { online, .. } | Change::DropIndex { online, .. } => Some(*online),
        change => change.alter().map(|alter| alter.online),
    }
}

/// MariaDB has settings for it.
fn by_session(judged: &Judged<'_>) -> bool {
    ["alter_algorithm", "old_alter_table"].iter().any(|name| judged.statement.setting(name).is_some())
}
