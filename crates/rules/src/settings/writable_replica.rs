use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 3,
    needs: &[Fact::Replication, Fact::Settings],
    wants: &[Fact::Counters],
    engines: Engines::mysql_family("its standbys cannot be written to"),
    when: "a replica lets applications write",
    then: "What is written there by mistake is not on the source, and replication stops when the two meet.",
    instead: "Set `read_only = ON` on the replica, and on MySQL `super_read_only` as well.",
    source: "MySQL documentation, read_only; Percona's advisors ask for it",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !context.replication().standby {
        findings.not_applicable("the server follows no other");
        return;
    }
    let Some(read_only) = read_only(context) else {
        findings.unknown("the setting `read_only` could not be read");
        return;
    };
    findings.examined(1);
    if read_only {
        return;
    }
    let counters = context.facts_if_known(Fact::Counters).counters.known();
    let followers = counters.and_then(|counters| counters.standbys).unwrap_or(0);
    let found =
        Found::at(ObjectRef::setting("read_only"), "The server is a replica, and `read_only` is off.")
            .remedy(Remedy::manual(RULE.instead));
    // Two servers that follow each other are both sources.
    findings.add(match followers {
        0 => found,
        _ => {
            found.level(Level::Note).confidence(Confidence::Medium).evidence("replicas of its own", followers)
        }
    });
}

/// Newer servers of MariaDB have words for it, which all but `OFF` keep applications from writing.
fn read_only(context: &Context<'_>) -> Option<bool> {
    let text = context.settings().get("read_only")?;
    Some(!matches!(text.to_ascii_lowercase().as_str(), "off" | "0" | "false" | "no"))
}
