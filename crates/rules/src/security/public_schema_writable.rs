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
    weight: 5,
    needs: &[Fact::Privileges],
    engines: Engines::only(Engine::Postgres, "it has no schemas that everyone may write to by default"),
    when: "every role may create objects in a schema",
    then: "Any login can put a function or table in the way of others, who then run or fill it.",
    instead: "Revoke `CREATE` on the schema from `public`.",
    remedy: Applicability::Review,
    source: "CVE-2018-1058, and the changed default of PostgreSQL 15",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(1);
    for grant in &context.privileges().grants {
        if grant.object_kind != GrantObject::Schema
            || grant.privilege != *"CREATE"
            || grant.grantee != *"public"
        {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::schema(&grant.object.name),
                format!("Every role may create objects in schema `{}`.", grant.object.name),
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
