use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 3,
    needs: &[Fact::Settings],
    engines: Engines::servers("it has no network"),
    when: "the server still speaks TLS 1.0 or 1.1",
    then: "An attacker on the way can make both sides agree on a version that is known to be weak.",
    instead: "Allow TLS 1.2 and later only.",
    source: "RFC 8996, deprecating TLS 1.0 and TLS 1.1",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let name = match context.engine() {
        Engine::Postgres => "ssl_min_protocol_version",
        _ => "tls_version",
    };
    let Some(value) = settings.get(name) else {
        findings.unknown(format!("the setting `{name}` could not be read"));
        return;
    };
    findings.examined(1);
    let mut versions = value.split(',').map(|version| version.trim().to_ascii_lowercase());
    let old = match context.engine() {
        // Empty means that the library decides.
        Engine::Postgres => matches!(versions.next().as_deref(), Some("tlsv1" | "tlsv1.0" | "tlsv1.1")),
        _ => versions.any(|version| matches!(version.as_str(), "tlsv1" | "tlsv1.0" | "tlsv1.1")),
    };
    if old {
        findings.add(
            Found::at(ObjectRef::setting(name), "The server accepts TLS versions older than 1.2.")
                .evidence(name, value)
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
