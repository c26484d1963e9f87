use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::size;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 1,
    needs: &[Fact::Storage],
    engines: Engines::only(Engine::Sqlite, "see `health/bloated-table`"),
    when: "a large part of the database file is empty pages",
    then: "The file takes room that nothing uses, and copies of it do too.",
    instead: "Run `VACUUM`, or `VACUUM INTO` a new file.",
    options: &[
        OptionSpec { name: "share", default: OptionValue::Number(50.0), help: "per cent of the pages" },
        OptionSpec {
            name: "least_mb",
            default: OptionValue::Number(100.0),
            help: "empty megabytes below which nothing is said",
        },
    ],
    source: "SQLite documentation, VACUUM and the freelist",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let storage = context.storage();
    findings.examined(1);
    let free = storage.free_pages * storage.page_size;
    let share = storage.free_pages as f64 / storage.page_count.max(1) as f64 * 100.0;
    if share < context.number("share") || (free as f64) < context.number("least_mb") * 1_048_576.0 {
        return;
    }
    findings.add(
        Found::at(
            ObjectRef::database(&context.database()),
            format!("{share:.0} % of the database file is empty pages ({}).", size(free)),
        )
        .remedy(Remedy::manual(RULE.instead)),
    );
}
