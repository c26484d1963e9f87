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
    weight: 3,
    needs: &[Fact::Sessions],
    engines: Engines::servers("its sessions cannot be seen from outside"),
    when: "a client's transaction has been working for more than an hour",
    then: "Row versions pile up behind it, and changes of the tables it has touched must wait.",
    instead: "Cut the work into smaller transactions, or move long reports to a replica.",
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(3_600.0),
        help: "seconds that a transaction may last; check_pgactivity takes 1800 and 3600, MySQLTuner 3600",
    }],
    source: "check_pgactivity, MySQLTuner",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for session in context.sessions() {
        let state = session.state.as_str().to_ascii_lowercase();
        // Idle ones are another rule's; the server's own processes and dumps take the time they need.
        let client = matches!(session.backend.as_str(), "client backend" | "");
        let idle = state.starts_with("idle") || state == "sleep";
        if !client
            || idle
            || session.application.contains("dump")
            || session.application.contains("basebackup")
        {
            continue;
        }
        findings.examined(1);
        let Some(seconds) = session.transaction_seconds.filter(|age| *age >= context.number("seconds"))
        else {
            continue;
        };
        findings.add(
            Found::at(
                ObjectRef::session(session.id),
                format!("Session {} has been in one transaction for {}.", session.id, time(seconds)),
            )
            .evidence_if("user", session.user.as_ref())
            .evidence("application", &session.application)
            .evidence_if("current statement runs for", session.statement_seconds.map(time))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
