use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "indexes and checks call no functions of users there"),
    when: "a function is replaced whose results an index, stored column or check rests on",
    then: "The index and the column keep the old results: queries that use the index give other rows than those that do not.",
    instead: "Rebuild the index, write the column anew or validate the check again after the function has changed.",
    source: "measured on PostgreSQL 15 and 18: index and table disagree after CREATE OR REPLACE FUNCTION",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateFunction { function, or_replace: true } = change else { return Verdict::Other };
        let around = &judged.statement.around;
        let replaced = around.functions.iter().find(|old| old.arguments == function.arguments);
        let Some(old) = replaced.filter(|old| old.body != function.body) else { return Verdict::Fine };
        let rebuilt = judged.later_in_file().any(|later| {
            later
                .changes
                .iter()
                .any(|change| matches!(change, Change::Reindex { .. } | Change::ReindexAll { .. }))
        });
        if around.dependants.is_empty() || rebuilt {
            return Verdict::Fine;
        }
        let message = format!("The old results of `{}` stay in {}.", old.name, around.dependants.join(", "));
        let found = judged.found(ObjectRef::function(&old.name, &old.arguments), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
