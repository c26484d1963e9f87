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
    weight: 10,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "see `settings/non-durable-commits`"),
    when: "the server does not force its writes to the disk",
    then: "After a crash of the machine the files may be damaged beyond repair, committed rows included.",
    instead: "Turn `fsync` on. For speed `synchronous_commit = off` loses at most the last moments, and never the database.",
    source: "PostgreSQL documentation, fsync",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(on) = context.settings().flag("fsync") else {
        findings.unknown("the setting `fsync` could not be read");
        return;
    };
    findings.examined(1);
    if !on {
        findings.add(
            Found::at(
                ObjectRef::setting("fsync"),
                "`fsync` is off: a crash of the machine may leave a database that cannot be started.",
            )
            .remedy(Remedy::manual_sql(
                RULE.instead,
                vec![ManualStatement::alone("ALTER SYSTEM SET fsync = on"), "SELECT pg_reload_conf()".into()],
            ))
            .critical(),
        );
    }
}
