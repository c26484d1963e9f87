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
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "a name has one function there"),
    when: "a function is replaced under other arguments",
    then: "The old function stays beside the new one, and calls that fit both are refused or go to the old one.",
    instead: "Drop the function with the old arguments in the same migration.",
    source: "PostgreSQL manual, \"Function Overloading\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateFunction { function, or_replace: true } = change else { return Verdict::Other };
        let there = &judged.statement.around.functions;
        let same = there.iter().any(|old| old.arguments == function.arguments);
        let drops = |change: &Change| matches!(change, Change::DropFunction { name, .. } if name.name == function.name.name);
        let dropped = judged.later_in_file().any(|later| later.changes.iter().any(drops));
        let made_here = judged.chain.statements[..judged.position].iter().any(|earlier| {
            earlier.file == judged.statement.file
                && earlier.changes.iter().any(|change| {
                    matches!(change, Change::CreateFunction { function: other, .. } if other.name == function.name)
                })
        });
        let Some(old) = there.first().filter(|_| !same && !dropped && !made_here) else {
            return Verdict::Fine;
        };
        let message = format!(
            "`{}({})` is not replaced: the new function takes `{}` and stands beside it.",
            old.name, old.arguments, function.arguments
        );
        let found = judged.found(ObjectRef::function(&old.name, &function.arguments), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
