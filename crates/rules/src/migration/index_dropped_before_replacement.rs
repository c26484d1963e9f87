use dbwright_model::catalog::Index;
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
    engines: Engines::only(
        Engine::Postgres,
        "it is told for PostgreSQL alone, where both can stand side by side at no cost to readers",
    ),
    when: "an index is dropped before the one that replaces it is built",
    then: "Queries that need the index read the whole table until the new one is there.",
    instead: "Build the new index first, then drop the old one.",
    source: "documentation of several migration linters; the planner uses only what is there",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropIndex { index, .. } = change else { return Verdict::Other };
        let has_it = |other: &&Index| other.name == index.name;
        let known = judged
            .statement
            .tables
            .iter()
            .find_map(|table| Some((table, table.indexes.iter().find(has_it)?)));
        let Some((table, old)) = known.filter(|(table, _)| !judged.statement.is_new(&table.name)) else {
            return Verdict::Fine;
        };
        let Some(first) = old.parts.first().map(|part| &part.key) else { return Verdict::Fine };
        let serves = |other: &Index| other.parts.first().is_some_and(|part| part.key == *first);
        let another = table
            .indexes
            .iter()
            .any(|other| other.name != old.name && other.valid && other.predicate.is_none() && serves(other));
        let replacement = judged.later_in_file().find_map(|later| {
            later.changes.iter().find_map(|change| match change {
                Change::CreateIndex { table: on, index, .. } if table.name.may_be(on) && serves(index) => {
                    Some((later, index))
                }
                _ => None,
            })
        });
        let Some((later, new)) = replacement.filter(|_| !another) else { return Verdict::Fine };
        let name = &table.name;
        let together = judged.in_transaction() && later.transaction == judged.statement.transaction;
        let message = if together {
            format!(
                "From the drop of `{}` until `{}` is built, nobody reads or writes `{name}`.",
                old.name, new.name
            )
        } else {
            format!("From the drop of `{}` until `{}` is built, `{name}` has neither.", old.name, new.name)
        };
        let found = judged.found(ObjectRef::index(name, &old.name), message);
        Verdict::Found(
            found
                .evidence("replaced at", format!("line {}", later.location.line))
                .remedy(Remedy::manual(RULE.instead)),
        )
    });
}
