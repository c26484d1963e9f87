use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Limit};
use crate::{Context, Engines, Findings, Rule, quantity};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::only(Engine::Postgres, "there is no `CONCURRENTLY` there"),
    when: "`lock_timeout` is in force while an index is built or dropped `CONCURRENTLY`",
    then: "One older transaction that lasts longer cancels the statement and leaves an invalid index behind.",
    instead: "Set `lock_timeout` to 0 for this statement: it waits without keeping anybody from reading or writing.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 15 and 18: a limit of 400 ms left an invalid index behind an open transaction",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let index = judged.statement.changes.iter().find_map(|change| match change {
            Change::CreateIndex { index, table, concurrently: true, .. } => Some((&index.name, Some(table))),
            Change::DropIndex { index, concurrently: true, .. }
            | Change::Reindex { index, concurrently: true } => Some((&index.name, None)),
            _ => None,
        });
        let Some((index, table)) = index else { continue };
        if judged.statement.felt().next().is_none() {
            continue;
        }
        findings.examined(1);
        let Limit::Milliseconds(limit) = judged.limit(context, "lock_timeout") else { continue };
        let table = judged
            .statement
            .felt()
            .map(|effect| &effect.relation)
            .find(|name| table.is_some_and(|table| lint::same_relation(table, name)) || table.is_none());
        let Some(table) = table else { continue };
        let message = format!(
            "`{} ... CONCURRENTLY` on `{index}` is cancelled, and the index left invalid, when an older transaction lasts \
             longer than {}.",
            lint::verb(judged.statement),
            quantity::time(limit / 1000.0)
        );
        findings.add(
            judged
                .found(ObjectRef::index(table, index), message)
                .evidence("lock_timeout", quantity::time(limit / 1000.0))
                .remedy(Remedy::manual_sql(RULE.instead, [String::from("SET lock_timeout = 0")])),
        );
    }
}
