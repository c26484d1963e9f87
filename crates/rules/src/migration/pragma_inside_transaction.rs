use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Sqlite, "there are no pragmas there"),
    when: "`PRAGMA foreign_keys` stands inside of a transaction",
    then: "SQLite ignores it without a word, and dropping a table deletes the rows that refer to it.",
    instead: "Set the pragma before the transaction begins, and tell the migration tool to open none for the file.",
    remedy: Applicability::Manual,
    source: "SQLite documentation, PRAGMA foreign_keys: a no-op within a transaction; measured on 3.40",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let pragma = file.statements.iter().filter(|judged| {
            judged.statement.changes.iter().any(|change| {
                matches!(change, Change::SetServerSetting { name, .. } if name.eq_ignore_case("foreign_keys"))
            })
        });
        let pragmas: Vec<_> = pragma.collect();
        findings.examined(pragmas.len() as u64);
        let Some(judged) = pragmas.into_iter().find(|judged| judged.in_transaction()) else { continue };
        let message =
            "`PRAGMA foreign_keys` does nothing inside of a transaction: foreign keys stay as they were.";
        let object = ObjectRef::setting("foreign_keys");
        findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
    }
}
