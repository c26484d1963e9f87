use dbwright_model::change::{Change, DataKind};
use dbwright_model::effect::TransactionUse;
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
    engines: Engines::mysql_family("a change of the schema is part of its transaction there"),
    when: "a change of the schema stands in a transaction that has written rows",
    then: "It commits those rows on the spot, and a later `ROLLBACK` or a failure brings none of them back.",
    instead: "Write the rows in a file of their own, before the change of the schema or after it.",
    remedy: Applicability::Manual,
    source: "MySQL manual, \"Statements That Cause an Implicit Commit\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // The line of the first write of the open transaction that nothing has committed yet.
    let mut written: Option<(u32, u32)> = None;
    for judged in lint::statements(context) {
        let statement = judged.statement;
        let transaction = statement.transaction;
        written = written.filter(|(of, _)| transaction == Some(*of));
        let commits = statement.effects.transaction == TransactionUse::Commits;
        let ends = statement.changes.iter().any(|change| matches!(change, Change::Transaction { .. }));
        if commits && transaction.is_some() && !ends {
            findings.examined(1);
            if let Some((_, line)) = written.take() {
                let verb = lint::verb(statement);
                let object = match statement.changes.iter().find_map(Change::target) {
                    Some(table) => ObjectRef::table(table),
                    None => ObjectRef::file(&statement.location.file),
                };
                let message = format!(
                    "`{verb}` commits what the transaction has written since line {line}, and nothing after it undoes that."
                );
                findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
            }
        }
        let writes = statement.changes.iter().any(|change| {
            matches!(change, Change::Data { kind, .. }
                if !matches!(kind, DataKind::Select | DataKind::Truncate))
        });
        if writes && let Some(transaction) = transaction {
            written.get_or_insert((transaction, statement.location.line));
        }
    }
}
