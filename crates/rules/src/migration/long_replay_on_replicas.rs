use dbwright_model::effect::{Algorithm, Blocks, Cost, RelationEffect};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::mysql_family(
        "replicas replay what the work changes while it goes on there, or there are none",
    ),
    when: "a table in use is rebuilt while writes go on, which replicas do only after the source has done it",
    then: "Each replica stands still for as long as the rebuild took, and shows old data meanwhile.",
    instead: "Let gh-ost or pt-online-schema-change change large tables: they wait for replicas that fall behind.",
    remedy: Applicability::Manual,
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(60.0),
        help: "seconds that replicas may stand still, where the table's size is known",
    }],
    source: "MySQL manual, \"Online DDL Performance and Concurrency\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let Some(effect) = judged.statement.felt().find(|effect| goes_on(effect)) else { continue };
        findings.examined(1);
        let size = context.statistics_of(&effect.relation).and_then(|statistics| statistics.table_bytes);
        let seconds = size.and_then(|bytes| effect.cost.expected_seconds(bytes)).map(|(_, most)| most);
        // An index is built often, and mostly fast; without a size only the rewriting of a whole table is told.
        let tells = match seconds {
            Some(seconds) => seconds > context.number("seconds"),
            None => effect.cost == Cost::Rewrite,
        };
        if !tells {
            continue;
        }
        let name = &effect.relation;
        let message = format!(
            "Replicas begin `{}` of `{name}` only when the source has ended it, and apply nothing else {}.",
            lint::verb(judged.statement),
            lint::meanwhile(effect.cost)
        );
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}

/// Whether writers work on while the rows are worked through.
fn goes_on(effect: &RelationEffect) -> bool {
    let in_place = matches!(effect.algorithm, Some(Algorithm::InPlace | Algorithm::NoCopy));
    in_place && effect.cost >= Cost::IndexBuild && effect.lock.blocks() == Blocks::Nothing
}
