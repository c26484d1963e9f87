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
    weight: 4,
    needs: &[Fact::Privileges],
    engines: Engines::only(Engine::Postgres, "it has no default privileges"),
    when: "new tables are granted to every role by default",
    then: "Each table that a migration makes is open to every login, and no migration says so.",
    instead: "Alter the default privileges to grant to the roles that need the tables.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, ALTER DEFAULT PRIVILEGES",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(1);
    let open: Vec<_> = context
        .privileges()
        .grants
        .iter()
        .filter(|grant| grant.object_kind == GrantObject::DefaultTable && grant.grantee == *"public")
        .collect();
    let mut schemas: Vec<_> = open.iter().map(|grant| &grant.object.schema).collect();
    schemas.dedup();
    for schema in schemas {
        let grants: Vec<_> = open.iter().filter(|grant| grant.object.schema == *schema).collect();
        let privileges: Vec<&str> = grants.iter().map(|grant| grant.privilege.as_str()).collect();
        let place = if schema.is_empty() { "every schema".to_owned() } else { format!("schema `{schema}`") };
        findings.add(
            Found::at(
                ObjectRef::schema(schema),
                format!("New tables in {place} are open to every role: {}.", privileges.join(", ")),
            )
            .remedy(Remedy::review(
                RULE.instead,
                grants
                    .iter()
                    .map(|grant| Change::SetGrant {
                        cascade: false,
                        // Each role has default privileges of its own, and without its name those of the role
                        // that runs the statement are altered.
                        for_role: (!grant.object.name.is_empty()).then(|| grant.object.name.clone()),
                        grant: Grant {
                            object: QualifiedName::new(grant.object.schema.as_str(), ""),
                            ..(**grant).clone()
                        },
                        granted: false,
                    })
                    .collect(),
            )),
        );
    }
}
