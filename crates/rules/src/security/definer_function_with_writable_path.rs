use dbwright_model::access::GrantObject;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::search_path;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 6,
    needs: &[Fact::Catalog, Fact::Functions, Fact::Privileges],
    engines: Engines::only(Engine::Postgres, "names in a routine do not depend on a search path"),
    when: "the `search_path` of a `SECURITY DEFINER` function holds a schema in which everyone may create objects",
    then: "Anyone can put a function or table of their own in its way and have it used with the owner's rights.",
    instead: "Revoke `CREATE` on the schema from `public`, or take the schema off the function's path.",
    source: "PostgreSQL documentation, CREATE FUNCTION: exclude schemas writable by untrusted users",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let open: Vec<&str> = context
        .privileges()
        .grants
        .iter()
        .filter(|grant| {
            grant.object_kind == GrantObject::Schema
                && grant.privilege == *"CREATE"
                && grant.grantee == *"public"
        })
        .map(|grant| grant.object.name.as_str())
        .collect();
    for function in context.functions() {
        if !function.security_definer
            || function.extension.is_some()
            || search_path::is_bound_at_creation(&function.body)
        {
            continue;
        }
        let Some(path) = search_path::of(function) else { continue };
        findings.examined(1);
        if let Some(schema) = path.iter().find(|schema| open.contains(&schema.as_str())) {
            findings.add(
                Found::at(
                    ObjectRef::function(&function.name, &function.arguments),
                    format!(
                        "`{}` runs with its owner's rights over schema `{schema}`, where everyone may create objects.",
                        function.name
                    ),
                )
                .evidence("search_path", path.join(", "))
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
