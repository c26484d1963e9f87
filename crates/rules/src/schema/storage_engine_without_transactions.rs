use dbwright_model::change::Change;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 7,
    wants: &[Fact::TableStatistics],
    engines: Engines::mysql_family("every table takes part in transactions"),
    when: "a table is kept by a storage engine without transactions",
    then: "Its writes are not rolled back with the others, lock the whole table, and may be torn by a crash.",
    instead: "Change the table to InnoDB.",
    source: "MySQL documentation: storage engines",
    convention: Some("tables have no transactions"),
    check,
    ..Rule::DEFAULT
};

/// Engines with transactions.
const TRANSACTIONAL: &[&str] =
    &["innodb", "ndbcluster", "ndb", "rocksdb", "tokudb", "spider", "columnstore", "s3"];

/// Engines that nobody chooses by accident: scratch space, archives, exchange.
const DELIBERATE: &[&str] =
    &["memory", "archive", "csv", "blackhole", "federated", "connect", "sequence", "sphinx"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        // A file that does not say the engine leaves it to the server.
        let Some(engine) = &table.storage_engine else { continue };
        let name = engine.as_str().to_ascii_lowercase();
        findings.examined(1);
        if TRANSACTIONAL.contains(&name.as_str()) {
            continue;
        }
        let level = if DELIBERATE.contains(&name.as_str()) { Level::Note } else { Level::Warning };
        let rows = context.statistics_of(&table.name).and_then(|statistics| statistics.rows);
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` is kept by {engine}, which has neither transactions nor foreign keys.",
                    table.name
                ),
            )
            .level(level)
            .evidence_if("rows", rows)
            .remedy(Remedy {
                changes: vec![Change::SetTableOptions {
                    alter: Default::default(),
                    table: table.name.clone(),
                    options: vec![("engine".into(), "InnoDB".to_owned())],
                }],
                ..Remedy::manual(RULE.instead)
            }),
        );
    }
}
