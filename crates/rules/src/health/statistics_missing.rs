use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Storage],
    engines: Engines::only(
        Engine::Sqlite,
        "see `health/never-analyzed` for PostgreSQL; InnoDB samples by itself",
    ),
    when: "`ANALYZE` has never been run on a database that has indexes to choose from",
    then: "The planner guesses which index narrows most, and often guesses wrong.",
    instead: "Run `PRAGMA optimize` before closing connections, or `ANALYZE` once.",
    remedy: Applicability::Safe,
    options: &[OptionSpec {
        name: "pages",
        default: OptionValue::Number(1_000.0),
        help: "pages of the file below which nothing is said",
    }],
    source: "SQLite documentation, ANALYZE: recommended usage",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let storage = context.storage();
    findings.examined(1);
    // With one index per table there is nothing to choose.
    let choice = context
        .own_tables()
        .any(|table| table.indexes.iter().filter(|index| index.backs.is_none()).count() > 1);
    if storage.analyzed || !choice || (storage.page_count as f64) < context.number("pages") {
        return;
    }
    findings.add(
        Found::at(
            ObjectRef::database(&context.database()),
            "`ANALYZE` has never been run, so the planner guesses between indexes.",
        )
        .evidence("pages", storage.page_count)
        .remedy(Remedy::safe(RULE.instead, vec![Change::Analyze { table: None }])),
    );
}
