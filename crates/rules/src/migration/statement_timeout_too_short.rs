use dbwright_model::effect::{Blocks, Cost, RelationEffect};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Limit};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Rule, quantity};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::only(Engine::Postgres, "no limit of time ends a change of the schema there"),
    when: "`statement_timeout` is short while a statement reads a whole table without keeping others out",
    then: "On a large table the statement is cancelled, every time anew; a concurrent build leaves an invalid index.",
    instead: "Set `statement_timeout` to 0 or to hours for this statement; `lock_timeout` is what protects the others.",
    remedy: Applicability::Manual,
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(60.0),
        help: "a limit below this is taken for too short where the size of the table is not known",
    }],
    source: "PostgreSQL manual, statement_timeout; throughput of scans and index builds measured",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let work: Vec<&RelationEffect> =
            judged.statement.felt().filter(|effect| effect.cost > Cost::Brief).collect();
        // Where others wait meanwhile, a short limit is what ends their waiting.
        if work.iter().any(|effect| effect.lock.blocks() >= Blocks::Writes) {
            continue;
        }
        let Some(effect) = work.into_iter().max_by_key(|effect| effect.cost) else { continue };
        findings.examined(1);
        let Limit::Milliseconds(limit) = judged.limit(context, "statement_timeout") else { continue };
        let seconds = limit / 1000.0;
        let bytes = context.statistics_of(&effect.relation).and_then(|statistics| statistics.table_bytes);
        let expected = bytes.and_then(|bytes| effect.cost.expected_seconds(bytes));
        let short = match expected {
            Some((_, most)) => most > seconds,
            None => seconds < context.number("seconds"),
        };
        if !short {
            continue;
        }
        let name = &effect.relation;
        let message = format!(
            "`{}` works through all of `{name}` and is cancelled after {}.",
            lint::verb(judged.statement),
            quantity::time(seconds)
        );
        findings.add(
            judged
                .felt(context, effect, ObjectRef::table(name), message)
                .evidence("statement_timeout", quantity::time(seconds))
                .remedy(Remedy::manual_sql(RULE.instead, [String::from("SET statement_timeout = 0")])),
        );
    }
}
