use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::relations;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 4,
    needs: &[Fact::Catalog],
    reads_views: true,
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "a materialised view keeps rows of a table with row security",
    then: "The copy has no policies: who may read it sees the rows of everyone.",
    instead: "Keep the materialised view from the roles that the policies are for, and offer them a view with a filter.",
    source: "attack matrix over two tenants, run on servers: a materialised view shows the other tenant's rows",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let catalog = context.catalog();
    if !catalog.tables.iter().any(|table| table.row_security.enabled) {
        return;
    }
    for view in catalog.views.iter().filter(|view| view.materialized && view.extension.is_none()) {
        findings.examined(1);
        let Some(tables) = relations::secured_tables(catalog, view) else {
            findings.unknown(format!("the query of view `{}` could not be read", view.name));
            continue;
        };
        let Some(first) = tables.first() else { continue };
        findings.add(
            Found::at(
                ObjectRef::view(&view.name),
                format!("`{}` keeps rows of `{}` without its row security.", view.name, first.name),
            )
            .evidence("tables", join(tables.iter().map(|table| &table.name.name)))
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
