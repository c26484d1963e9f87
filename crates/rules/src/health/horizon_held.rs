use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;

use crate::quantity::{grouped, time};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 6,
    needs: &[Fact::Sessions, Fact::PreparedTransactions, Fact::Slots],
    engines: Engines::only(Engine::Postgres, "see `health/history-list-length` for what it keeps"),
    when: "a session, a prepared transaction, a replication slot or a standby keeps old row versions from being removed",
    then: "Vacuum runs and removes nothing, so tables and indexes grow and every scan gets slower.",
    instead: "End the holder.",
    options: &[
        OptionSpec {
            name: "transactions",
            default: OptionValue::Number(10_000_000.0),
            help: "transactions that the horizon may lie back",
        },
        OptionSpec {
            name: "prepared_seconds",
            default: OptionValue::Number(3_600.0),
            help: "seconds that a prepared transaction may stay open; check_postgres takes 1 and 30",
        },
    ],
    source: "PostgreSQL documentation, routine vacuuming; measured: one forgotten prepared transaction holds the age of the whole server",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let most = context.number("transactions");
    for prepared in context.prepared_transactions() {
        findings.examined(1);
        if prepared.age_seconds < context.number("prepared_seconds") && (prepared.xid_age as f64) < most {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::database(&Name::from(format!("prepared transaction {}", prepared.id))),
                format!(
                    "A transaction prepared {} ago in `{}` still holds its locks and the horizon.",
                    time(prepared.age_seconds),
                    prepared.database
                ),
            )
            .evidence("owner", &prepared.owner)
            .evidence("transactions since", grouped(prepared.xid_age))
            .remedy(Remedy::manual_sql(
                "Ask its transaction manager, then commit it or roll it back.",
                vec![ManualStatement::alone(format!(
                    "ROLLBACK PREPARED '{}'",
                    prepared.id.replace('\'', "''")
                ))],
            )),
        );
    }
    for slot in context.slots() {
        findings.examined(1);
        let age = slot.xmin_age.max(slot.catalog_xmin_age).unwrap_or(0);
        if (age as f64) < most {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::slot(&slot.name),
                format!("Slot `{}` keeps the row versions of {} transactions.", slot.name, grouped(age)),
            )
            .evidence("active", slot.active)
            .remedy(Remedy::manual("Let its reader catch up, or drop the slot if nobody reads it any more.")),
        );
    }
    for session in context.sessions() {
        findings.examined(1);
        let age = session.horizon_age.unwrap_or(0);
        if (age as f64) < most {
            continue;
        }
        let who = if session.backend == *"walsender" {
            format!("A standby reports by feedback, through session {}, that it", session.id)
        } else {
            format!("Session {}", session.id)
        };
        findings.add(
            Found::at(
                ObjectRef::session(session.id),
                format!("{who} keeps the row versions of {} transactions.", grouped(age)),
            )
            .evidence("state", &session.state)
            .evidence_if("user", session.user.as_ref())
            .evidence_if("transaction open for", session.transaction_seconds.map(time))
            .remedy(Remedy::manual_sql(
                RULE.instead,
                vec![format!("SELECT pg_terminate_backend({})", session.id)],
            )),
        );
    }
}
