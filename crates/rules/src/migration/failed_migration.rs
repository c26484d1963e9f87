use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 8,
    needs: &[Fact::MigrationHistory],
    when: "a migration is recorded as failed or unfinished",
    then: "Half of it may be in force: the schema is none that the files describe, and later migrations are refused or build on it.",
    instead: "Compare the schema with what the migration should have made, finish or undo it by hand, then repair the record.",
    source: "documentation of Flyway, Prisma, golang-migrate and others: each refuses to go on after a failed migration",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for history in context.migration_history() {
        findings.examined(history.applied.len() as u64);
        // What was taken back on purpose is neither failed nor unfinished.
        let taken_back = |kind: Option<&str>| kind == Some("undone");
        for migration in
            history.applied.iter().filter(|migration| !migration.ok && !taken_back(migration.kind.as_deref()))
        {
            findings.add(
                Found::at(
                    ObjectRef::table(&history.table),
                    format!(
                        "{} records migration `{}` as failed or unfinished.",
                        history.tool, migration.version
                    ),
                )
                .evidence_if("at", migration.at)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
