use dbwright_model::activity::Session;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::time;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 4,
    needs: &[Fact::Sessions],
    engines: Engines::servers("its sessions cannot be seen from outside"),
    when: "a session has an open transaction and does nothing for minutes",
    then: "It keeps its locks and old row versions, so others wait and tables grow.",
    instead: "End the transaction in the application before it waits for anything else.",
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(300.0),
        help: "seconds of idleness inside a transaction; pgMonitor takes 300 and 900",
    }],
    source: "pgMonitor and check_pgactivity; PostgreSQL documentation, idle_in_transaction_session_timeout",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for session in context.sessions() {
        findings.examined(1);
        let Some(idle) = idle_seconds(session) else { continue };
        if idle < context.number("seconds") {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::session(session.id),
                format!("Session {} has sat idle in an open transaction for {}.", session.id, time(idle)),
            )
            .evidence_if("user", session.user.as_ref())
            .evidence("application", &session.application)
            .evidence_if("transaction open for", session.transaction_seconds.map(time))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

/// Seconds of idleness inside a transaction: PostgreSQL says so, MySQL shows a sleeping thread that has one open.
fn idle_seconds(session: &Session) -> Option<f64> {
    let state = session.state.as_str().to_ascii_lowercase();
    if state.starts_with("idle in transaction") {
        session.state_seconds
    } else if state == "sleep" {
        session.transaction_seconds.and(session.state_seconds)
    } else {
        None
    }
}
