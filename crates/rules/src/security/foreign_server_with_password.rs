use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 3,
    needs: &[Fact::UserMappings],
    engines: Engines::only(Engine::Postgres, "its server definitions cannot be listed without their secrets"),
    when: "a user mapping keeps a password of another server",
    then: "It lies in the catalog in clear text, and in every dump; with a mapping for `public` every role uses it.",
    instead: "Use a password file, a certificate or delegated credentials, and map named roles only.",
    source: "PostgreSQL documentation, CREATE USER MAPPING",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut hidden = 0;
    for mapping in context.user_mappings() {
        let Some(options) = &mapping.options else {
            hidden += 1;
            continue;
        };
        findings.examined(1);
        if !options.iter().any(|option| option.eq_ignore_case("password")) {
            continue;
        }
        let everyone = mapping.user == *"public";
        let message = if everyone {
            format!("Every role reaches the foreign server `{}` with one stored password.", mapping.server)
        } else {
            format!(
                "The mapping of `{}` to the foreign server `{}` keeps a password.",
                mapping.user, mapping.server
            )
        };
        findings.add(
            Found::at(ObjectRef::role(&mapping.user), message)
                .level(if everyone { Level::Warning } else { Level::Note })
                .evidence("foreign server", &mapping.server)
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
    findings.not_seen(hidden, "user mappings hide their options from this role; a superuser sees them");
}
