use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 6,
    needs: &[Fact::Databases],
    engines: Engines::only(Engine::Postgres, "its collations come with the server"),
    when: "the library that sorts text has changed since a database was made",
    then: "Indexes on text are sorted by the old rules and searched by the new: rows are not found, duplicates get in.",
    instead: "Rebuild the indexes on text, then record the new version.",
    source: "PostgreSQL documentation, ALTER DATABASE REFRESH COLLATION VERSION",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for database in context.databases() {
        findings.examined(1);
        let Some((recorded, actual)) = &database.collation_drift else { continue };
        let quoted = format!("\"{}\"", database.name.as_str().replace('"', "\"\""));
        findings.add(
            Found::at(
                ObjectRef::database(&database.name),
                format!(
                    "`{}` was sorted by collation version {recorded} and is now searched by {actual}.",
                    database.name
                ),
            )
            .remedy(Remedy::manual_sql(
                RULE.instead,
                vec![
                    ManualStatement::alone(format!("REINDEX DATABASE CONCURRENTLY {quoted}")),
                    format!("ALTER DATABASE {quoted} REFRESH COLLATION VERSION").into(),
                ],
            )),
        );
    }
}
