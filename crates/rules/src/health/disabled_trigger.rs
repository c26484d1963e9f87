use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Schema,
    weight: 3,
    needs: &[Fact::Catalog, Fact::Triggers],
    engines: Engines::only(Engine::Postgres, "triggers cannot be turned off"),
    when: "a trigger is turned off",
    then: "What it was made to keep true, or to record, is no longer kept.",
    instead: "Turn it on again and repair the rows that were written meanwhile, or drop it.",
    remedy: Applicability::Review,
    source: "check_postgres: disabled_triggers",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for trigger in context.triggers() {
        findings.examined(1);
        if trigger.enabled {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::trigger(&trigger.table, &trigger.name),
                format!("Trigger `{}` of `{}` is turned off.", trigger.name, trigger.table),
            )
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::SetTriggerEnabled {
                    alter: Default::default(),
                    firing: Default::default(),
                    user: false,
                    table: trigger.table.clone(),
                    trigger: Some(trigger.name.clone()),
                    enabled: true,
                }],
            )),
        );
    }
}
