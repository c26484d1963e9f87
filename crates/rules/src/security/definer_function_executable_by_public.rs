use dbwright_model::access::GrantObject;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 4,
    needs: &[Fact::Catalog, Fact::Functions, Fact::Privileges],
    engines: Engines::only(Engine::Postgres, "nobody may execute a routine until it is granted"),
    when: "every role may execute a `SECURITY DEFINER` function",
    then: "Every login can do what the function does with its owner's rights.",
    instead: "Revoke `EXECUTE` from `public` and grant it to the roles that need it.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, privileges: functions are executable by PUBLIC by default",
    convention: Some("`SECURITY DEFINER` functions are executable by everyone"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let grants = &context.privileges().grants;
    for function in context.functions() {
        // A trigger's function cannot be called otherwise than by the trigger.
        if !function.security_definer
            || function.extension.is_some()
            || matches!(function.returns.as_str(), "trigger" | "event_trigger")
        {
            continue;
        }
        findings.examined(1);
        let signature = format!("{}({})", function.name.name, function.arguments);
        let grant = grants.iter().find(|grant| {
            grant.object_kind == GrantObject::Function
                && grant.grantee == *"public"
                && grant.object.schema == function.name.schema
                && grant.object.name == *signature.as_str()
        });
        let Some(grant) = grant else { continue };
        // Who may not use the schema cannot name what is in it.
        let reachable = grants.iter().any(|grant| {
            grant.object_kind == GrantObject::Schema
                && grant.grantee == *"public"
                && grant.privilege.eq_ignore_case("USAGE")
                && grant.object.name == function.name.schema
        });
        if !reachable {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::function(&function.name, &function.arguments),
                format!("Every role may call `{}`, which runs with its owner's rights.", function.name),
            )
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::SetGrant {
                    cascade: false,
                    for_role: None,
                    grant: grant.clone(),
                    granted: false,
                }],
            )),
        );
    }
}
