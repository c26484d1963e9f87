use dbwright_model::chain::Wrap;
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
    weight: 6,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Postgres, "a change of the schema commits by itself there")
        .and(Engine::Sqlite),
    when: "a statement that cannot run inside a transaction stands in one",
    then: "The server refuses the statement, and the migration fails.",
    instead: "Put the statement into a file of its own and tell the migration tool to run that file without a transaction.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, the pages of the statements; refusals measured on 13 to 18 and on SQLite 3.54",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context).filter(lint::Judged::must_stand_alone) {
        findings.examined(1);
        if !judged.in_transaction() {
            continue;
        }
        let file = judged.chain.file_of(judged.statement);
        let who = match file.map(|file| file.wrap) {
            Some(Wrap::Transaction) => "its tool opens for the file",
            Some(Wrap::OneQuery) => "the server makes of a file that is sent as one query",
            _ => "the file itself opens",
        };
        let words: Vec<&str> = judged.statement.sql.split_whitespace().take(4).collect();
        let object = match judged.statement.effects.relations.first() {
            Some(effect) => ObjectRef::table(&effect.relation),
            None => ObjectRef::file(&judged.statement.location.file),
        };
        let message = format!("`{} ...` cannot run in the transaction that {who}.", words.join(" "));
        findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
    }
}
