use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::count;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 8,
    needs: &[Fact::Databases],
    engines: Engines::only(Engine::Postgres, "it stops at a page whose checksum does not match"),
    when: "the server has read data pages whose checksum did not match",
    then: "Rows are damaged on the disk, and backups made since may hold the damage.",
    instead: "Restore the affected tables from a backup from before, and replace the disk.",
    source: "PostgreSQL documentation, pg_stat_database; pgMonitor takes any failure as critical",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let databases = context.databases();
    if !databases.is_empty() && databases.iter().all(|database| database.checksum_failures.is_none()) {
        findings.not_applicable("data pages have no checksums (see `security/data-checksums-off`)");
        return;
    }
    for database in databases {
        let Some(failures) = database.checksum_failures else { continue };
        findings.examined(1);
        if failures > 0 {
            findings.add(
                Found::at(
                    ObjectRef::database(&database.name),
                    format!(
                        "`{}` has had {} of data pages.",
                        database.name,
                        count(failures, "checksum failure")
                    ),
                )
                .remedy(Remedy::manual(RULE.instead))
                .critical(),
            );
        }
    }
}
