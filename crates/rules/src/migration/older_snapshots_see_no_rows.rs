use dbwright_model::change::{Change, DataKind};
use dbwright_model::effect::{Blocks, Cost};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint;
use crate::rule::Status;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    status: Status::Preview,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "an older snapshot is refused there, or does not get past the lock",
    ),
    when: "a table in use is emptied or rewritten in a way that older snapshots cannot see through",
    then: "A transaction that took its snapshot before and reads the table afterwards finds it empty.",
    instead: "Run it while no dump, report or other long `REPEATABLE READ` transaction is at work.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, \"MVCC Caveats\"; reproduced on 15 and 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let changes = &judged.statement.changes;
        let empties =
            changes.iter().any(|change| matches!(change, Change::Data { kind: DataKind::Truncate, .. }));
        let alters = changes.iter().any(|change| change.alter().is_some());
        let effect = judged.statement.felt().find(|effect| {
            effect.lock.blocks() == Blocks::ReadsAndWrites
                && (empties || (alters && effect.cost == Cost::Rewrite))
        });
        let Some(effect) = effect else { continue };
        findings.examined(1);
        let name = &effect.relation;
        let message = format!(
            "To a transaction whose snapshot is older, `{name}` is empty after `{}`.",
            lint::verb(judged.statement)
        );
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}
