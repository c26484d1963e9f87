use dbwright_model::capability::Capability;
use dbwright_model::catalog::View;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::relations;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 6,
    needs: &[Fact::Catalog],
    wants: &[Fact::Roles],
    reads_views: true,
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "a view reads a table with row security with its owner's rights",
    then: "Who may read the view sees every row that its owner sees, whatever the policies say.",
    instead: "Set `security_invoker` on the view.",
    remedy: Applicability::Review,
    source: "attack matrix over two tenants, run on servers: a plain or security_barrier view shows the other tenant's rows",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let catalog = context.catalog();
    if !catalog.tables.iter().any(|table| table.row_security.enabled) {
        return;
    }
    for view in catalog.views.iter().filter(|view| !view.materialized && view.extension.is_none()) {
        findings.examined(1);
        if relations::is_invoker(view) {
            continue;
        }
        let Some(mut tables) = relations::secured_tables(catalog, view) else {
            findings.unknown(format!("the query of view `{}` could not be read", view.name));
            continue;
        };
        // Forced row security binds the owner too, unless nothing binds that role.
        let unbound = unbound(context, view);
        let all = tables.len();
        tables.retain(|table| !table.row_security.forced || unbound == Some(true));
        if tables.len() < all && unbound.is_none() {
            findings.not_seen(1, "views have an owner of whom it is not known whether policies bind it");
        }
        let Some(first) = tables.first() else { continue };
        let remedy = if context.can(Capability::SecurityInvokerViews) {
            Remedy::review(
                RULE.instead,
                vec![Change::SetViewOptions {
                    if_exists: false,
                    materialized: false,
                    name: view.name.clone(),
                    options: vec![(Name::new("security_invoker"), "true".to_owned())],
                }],
            )
        } else {
            Remedy::manual(
                "Revoke the view from the roles that the policies bind, or filter in the view itself.",
            )
        };
        findings.add(
            Found::at(
                ObjectRef::view(&view.name),
                format!("View `{}` passes by the row security of `{}`.", view.name, first.name),
            )
            .evidence("tables", join(tables.iter().map(|table| &table.name.name)))
            .evidence_if("owner, whom no policy binds", view.owner.as_ref().filter(|_| unbound == Some(true)))
            .confidence(Confidence::Medium)
            .remedy(remedy),
        );
    }
}

/// Whether no policy at all binds the role that a view reads with: superusers and roles with `BYPASSRLS`. `None` when the
/// owner or its attributes are not known.
fn unbound(context: &Context<'_>, view: &View) -> Option<bool> {
    let roles = context.facts_if_known(Fact::Roles).roles.known()?;
    let owner = view.owner.as_ref()?;
    let role = roles.iter().find(|role| role.name == *owner)?;
    Some(role.superuser || role.bypass_row_security)
}
