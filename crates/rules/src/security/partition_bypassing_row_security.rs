use dbwright_model::access::GrantObject;
use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Privileges],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "a role may read or write a partition or child of a table with row security directly",
    then: "Policies of the parent do not hold for who names the child: it shows every row.",
    instead: "Revoke the rights on the child, or enable row security on it too.",
    remedy: Applicability::Review,
    source: "attack matrix over two tenants, run on servers: the partition shows the other tenant's rows",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in &context.catalog().tables {
        let secured = parents(table)
            .into_iter()
            .find(|parent| context.table(parent).is_some_and(|parent| parent.row_security.enabled));
        let Some(parent) = secured else { continue };
        findings.examined(1);
        if table.row_security.enabled {
            continue;
        }
        let grants: Vec<_> = context
            .privileges()
            .grants
            .iter()
            .filter(|grant| {
                grant.object_kind == GrantObject::Table
                    && grant.object == table.name
                    && matches!(grant.privilege.as_str(), "SELECT" | "INSERT" | "UPDATE" | "DELETE")
            })
            .collect();
        if grants.is_empty() {
            continue;
        }
        let mut grantees: Vec<_> = grants.iter().map(|grant| &grant.grantee).collect();
        grantees.sort();
        grantees.dedup();
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("`{}` can be used directly, past the row security of `{parent}`.", table.name),
            )
            .evidence("by", join(grantees))
            .remedy(Remedy::review(
                RULE.instead,
                grants
                    .iter()
                    .map(|grant| Change::SetGrant {
                        cascade: false,
                        for_role: None,
                        grant: (**grant).clone(),
                        granted: false,
                    })
                    .collect(),
            )),
        );
    }
}

fn parents(table: &Table) -> Vec<&dbwright_model::name::QualifiedName> {
    match &table.kind {
        TableKind::Partition { of, .. } => vec![of],
        _ => table.inherits.iter().collect(),
    }
}
