use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;
use dbwright_model::settings::Settings;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Settings],
    engines: Engines::servers("it has no network"),
    when: "a server that listens on the network has TLS turned off",
    then: "Queries and rows cross the network in clear text, whatever the clients ask for.",
    instead: "Give the server a certificate and turn TLS on.",
    source: "PostgreSQL documentation, ssl; MariaDB documentation, have_ssl",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let (name, on, local) = match context.engine() {
        Engine::Postgres => ("ssl", settings.flag("ssl"), settings.get("listen_addresses").map(is_local)),
        _ => ("have_ssl", mysql_tls(settings), mysql_local(settings)),
    };
    if local == Some(true) {
        findings.not_applicable("the server listens on this machine only");
        return;
    }
    let Some(on) = on else {
        findings.unknown(format!("the setting `{name}` could not be read"));
        return;
    };
    findings.examined(1);
    if !on {
        findings.add(
            Found::at(ObjectRef::setting(name), "TLS is off, and the server listens on the network.")
                .evidence_if("listen_addresses", settings.get("listen_addresses"))
                .evidence_if("bind_address", settings.get("bind_address"))
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

fn is_local(addresses: &str) -> bool {
    addresses
        .split(',')
        .map(str::trim)
        .all(|address| matches!(address, "" | "localhost" | "127.0.0.1" | "::1") || address.starts_with('/'))
}

/// `have_ssl` went away in MySQL 8.4, where a server makes itself a certificate and lists the versions it speaks.
fn mysql_tls(settings: &Settings) -> Option<bool> {
    match settings.get("have_ssl") {
        Some(value) => Some(value.eq_ignore_ascii_case("yes")),
        None => settings.get("tls_version").map(|versions| !versions.trim().is_empty()),
    }
}

fn mysql_local(settings: &Settings) -> Option<bool> {
    if settings.flag("skip_networking") == Some(true) {
        return Some(true);
    }
    settings.get("bind_address").map(is_local).filter(|_| settings.get("bind_address") != Some(""))
}
