use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Backup,
    weight: 3,
    needs: &[Fact::Settings],
    engines: Engines::only(
        Engine::Postgres,
        "InnoDB checks its pages by default; SQLite has no page checksums",
    ),
    when: "data pages have no checksums",
    then: "A disk that returns wrong bytes is not noticed, and backups keep the wrong bytes.",
    instead: "Stop the server and run `pg_checksums --enable`.",
    source: "PostgreSQL documentation, data checksums; on by default since PostgreSQL 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(on) = context.settings().flag("data_checksums") else {
        findings.unknown("the setting `data_checksums` could not be read");
        return;
    };
    findings.examined(1);
    if !on {
        findings.add(
            Found::at(
                ObjectRef::setting("data_checksums"),
                "Data pages have no checksums, so rot on the disk goes unseen.",
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
