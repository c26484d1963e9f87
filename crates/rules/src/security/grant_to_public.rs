use std::collections::BTreeMap;

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Privileges],
    engines: Engines::only(Engine::Postgres, "rights are granted to accounts, not to everyone"),
    when: "every role has rights on a table",
    then: "Each login reads it, and changes it where that is granted too, also those made for something else.",
    instead: "Revoke the rights from `public` and grant them to the roles that need them.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, privileges",
    convention: Some("tables are open to every role"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut open: BTreeMap<&QualifiedName, Vec<&Grant>> = BTreeMap::new();
    for grant in &context.privileges().grants {
        if grant.object_kind == GrantObject::Table && grant.grantee == *"public" {
            open.entry(&grant.object).or_default().push(grant);
        }
    }
    for table in context.own_tables() {
        findings.examined(1);
        let Some(grants) = open.get(&table.name) else { continue };
        let writes = grants.iter().any(|grant| !matches!(grant.privilege.as_str(), "SELECT" | "REFERENCES"));
        let verb = if writes { "change" } else { "read" };
        let privileges: Vec<&str> = grants.iter().map(|grant| grant.privilege.as_str()).collect();
        findings.add(
            Found::at(ObjectRef::table(&table.name), format!("Every role may {verb} `{}`.", table.name))
                .level(if writes { Level::Warning } else { Level::Note })
                .evidence("granted to public", privileges.join(", "))
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
