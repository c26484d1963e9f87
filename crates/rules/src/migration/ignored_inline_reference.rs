use dbwright_model::capability::Capability;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Mysql, "the foreign key is made there"),
    when: "a foreign key is written beside a column, as `REFERENCES`",
    then: "MySQL 8 reads it and makes no key: rows without a parent are taken, and no message tells.",
    instead: "Write the key on its own, as `FOREIGN KEY (column) REFERENCES ...`.",
    remedy: Applicability::Manual,
    source: "MySQL manual, \"FOREIGN KEY Constraint Differences\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.can(Capability::KeysBesideColumns) {
        findings.not_applicable("this server makes such keys");
        return;
    }
    for judged in lint::statements(context) {
        let keys: Vec<_> = judged
            .statement
            .changes
            .iter()
            .flat_map(|change| match change {
                Change::CreateTable { table, .. } => {
                    table.foreign_keys.iter().map(|key| (&table.name, key)).collect()
                }
                Change::AddForeignKey { table, foreign_key, .. } => vec![(table, foreign_key.as_ref())],
                _ => Vec::new(),
            })
            .collect();
        if keys.is_empty() {
            continue;
        }
        findings.examined(keys.len() as u64);
        for (table, key) in keys.into_iter().filter(|(_, key)| key.beside_column) {
            let [column] = key.columns.as_slice() else { continue };
            let message = format!(
                "`REFERENCES {}` beside `{table}.{column}` makes no foreign key in MySQL 8, which ignores it.",
                key.references
            );
            let found = judged.found(ObjectRef::column(table, column), message);
            findings.add(found.remedy(Remedy::manual(RULE.instead)));
        }
    }
}
