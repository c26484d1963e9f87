use std::collections::BTreeMap;

use dbwright_model::change::Change;
use dbwright_model::effect::Blocks;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Limit};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Rule, quantity};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::only(
        Engine::Postgres,
        "locks of several tables are taken together there, or there is one lock for the file",
    ),
    when: "one transaction locks several tables in use, and the limits of waiting add up",
    then: "`lock_timeout` holds for each lock: the first table stays locked while the others are waited for.",
    instead: "Lock one table per transaction, or lower `lock_timeout` so that the sum is bearable.",
    remedy: Applicability::Manual,
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(10.0),
        help: "seconds that a table may stay locked while other locks are waited for",
    }],
    source: "measured on PostgreSQL 15 and 18: DROP of 3 tables under 500 ms waited 1.2 s and succeeded",
    check,
    ..Rule::DEFAULT
};

#[derive(Default)]
struct Budget<'a> {
    tables: Vec<&'a QualifiedName>,
    milliseconds: f64,
    last: Option<Judged<'a>>,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    // By transaction, or by position for a statement that stands by itself.
    let mut budgets: BTreeMap<(Option<u32>, usize), Budget<'_>> = BTreeMap::new();
    for judged in lint::statements(context) {
        let alone = if judged.in_transaction() { 0 } else { judged.position };
        let Limit::Milliseconds(limit) = judged.limit(context, "lock_timeout") else { continue };
        for name in judged.statement.changes.iter().filter_map(Change::target) {
            let Some(effect) = judged.effect(name) else { continue };
            if effect.lock.blocks() < Blocks::Writes || judged.is_concurrent() {
                continue;
            }
            let budget = budgets.entry((judged.statement.transaction, alone)).or_default();
            if !budget.tables.contains(&&effect.relation) {
                budget.tables.push(&effect.relation);
                budget.milliseconds += limit;
                budget.last = Some(judged);
            }
        }
    }
    for budget in budgets.into_values() {
        let (Some(last), [first, _, ..]) = (budget.last, budget.tables.as_slice()) else { continue };
        findings.examined(1);
        let seconds = budget.milliseconds / 1000.0;
        if seconds <= context.number("seconds") {
            continue;
        }
        let message = format!(
            "`lock_timeout` holds for each of {} tables: `{first}` may stay locked for {} while the others are waited for.",
            budget.tables.len(),
            quantity::time(seconds)
        );
        findings.add(last.found(ObjectRef::table(first), message).remedy(Remedy::manual(RULE.instead)));
    }
}
