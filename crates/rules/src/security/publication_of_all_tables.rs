use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 2,
    needs: &[Fact::Publications],
    engines: Engines::only(Engine::Postgres, "it has no publications"),
    when: "a publication sends every table, those to come included",
    then: "A new table with private data leaves the server without anybody having decided it.",
    instead: "List the tables or schemas that subscribers need.",
    source: "PostgreSQL documentation, CREATE PUBLICATION: FOR ALL TABLES",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for publication in context.publications() {
        findings.examined(1);
        if publication.all_tables {
            findings.add(
                Found::at(
                    ObjectRef::database(&Name::from(format!("publication {}", publication.name))),
                    format!("Publication `{}` sends every table, also those made later.", publication.name),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
