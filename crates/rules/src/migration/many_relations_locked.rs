use dbwright_model::effect::{Blocks, RelationEffect};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "partitions are not locked one by one there"),
    when: "one statement locks a table and many partitions or other tables with it",
    then: "Each lock may be waited for as long as `lock_timeout` says, and all of those got before are held meanwhile.",
    instead: "Run the statement while little is going on, with a `lock_timeout` that is short for one lock of many.",
    remedy: Applicability::Manual,
    options: &[OptionSpec {
        name: "relations",
        default: OptionValue::Number(8.0),
        help: "tables locked against writes by one statement from which on it is told",
    }],
    source: "measured on PostgreSQL 13 to 18: `lock_timeout` counts anew for each lock",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let most = context.number("relations");
    for judged in lint::statements(context) {
        let locked: Vec<&RelationEffect> =
            judged.statement.felt().filter(|effect| effect.lock.blocks() >= Blocks::Writes).collect();
        let Some(first) = locked.first() else { continue };
        findings.examined(1);
        if (locked.len() as f64) < most {
            continue;
        }
        // The table that the statement names is the one with partitions, which is kept as it was found.
        let known = judged
            .statement
            .tables
            .iter()
            .find(|table| locked.iter().any(|effect| effect.relation == table.name));
        let name = known.map_or(&first.relation, |table| &table.name);
        let message = format!(
            "The statement locks {} tables one after the other, `{name}` and those that belong to it.",
            locked.len()
        );
        let found = judged.felt(context, first, ObjectRef::table(name), message);
        let found = match judged.statement.setting("lock_timeout") {
            Some(timeout) => {
                found.evidence("longest wait", format!("{} times lock_timeout = {timeout}", locked.len()))
            }
            None => found,
        };
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}
