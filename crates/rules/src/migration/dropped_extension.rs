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
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "it has no extensions that hold types or functions"),
    when: "an extension is dropped",
    then: "Its types, functions and operators are gone; code that uses them fails, and with `CASCADE` columns go along.",
    instead: "Look for what uses the extension first, and drop it without `CASCADE`.",
    source: "PostgreSQL manual, DROP EXTENSION",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropExtension { name, if_exists, cascade } = change else { return Verdict::Other };
        let made = |change: &Change| matches!(change, Change::CreateExtension { extension, .. } if extension.name == *name);
        let absent = judged.chain.starts_known && judged.statement.around.extensions.is_empty();
        let earlier = judged.chain.statements[..judged.position].iter();
        if earlier.flat_map(|statement| &statement.changes).any(made) || (*if_exists && absent) {
            return Verdict::Fine;
        }
        let taken = &judged.statement.around.dependants;
        let message = match (cascade, taken.is_empty()) {
            (true, false) => format!("Dropping `{name}` with `CASCADE` takes {} along.", taken.join(", ")),
            (true, true) => format!("Dropping `{name}` with `CASCADE` takes everything that uses it along."),
            (false, _) => format!("Code that uses types or functions of `{name}` fails once it is dropped."),
        };
        let found = judged.found(ObjectRef::extension(name), message);
        let found = if *cascade { found.level(Level::Error) } else { found };
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
