use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Backup,
    weight: 8,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "see `settings/non-durable-commits`"),
    when: "whole pages are not logged after a checkpoint",
    then: "A page that was half written when the power failed cannot be repaired.",
    instead: "Turn `full_page_writes` on; `wal_compression` makes it cheaper.",
    source: "PostgreSQL documentation, full_page_writes",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(on) = context.settings().flag("full_page_writes") else {
        findings.unknown("the setting `full_page_writes` could not be read");
        return;
    };
    findings.examined(1);
    if !on {
        findings.add(
            Found::at(
                ObjectRef::setting("full_page_writes"),
                "`full_page_writes` is off: pages that a crash tears stay torn.",
            )
            .remedy(Remedy::manual_sql(
                RULE.instead,
                vec![
                    ManualStatement::alone("ALTER SYSTEM SET full_page_writes = on"),
                    "SELECT pg_reload_conf()".into(),
                ],
            ))
            .critical(),
        );
    }
}
