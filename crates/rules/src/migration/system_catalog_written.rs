use dbwright_model::change::{Change, DataKind};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::server_tables::is_of_the_server;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    engines: Engines::ALL,
    when: "a table in which the server keeps its own definitions is written",
    then: "The server checks nothing of it: rows may become unreadable, and the next upgrade or restore fails.",
    instead: "Use the statement that the engine has for it: `ALTER TABLE`, `ALTER DATABASE`, `GRANT`.",
    source: "PostgreSQL manual, \"System Catalogs\"; MySQL manual, \"The mysql System Schema\"; SQLite documentation, PRAGMA writable_schema",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let dialect = context.engine().dialect();
    lint::each(context, findings, |judged, change| {
        let Change::Data { kind, table: Some(table), clauses, .. } = change else { return Verdict::Other };
        if *kind == DataKind::Select && clauses.also.is_empty() {
            return Verdict::Other;
        }
        let own = Some(table).filter(|_| *kind != DataKind::Select);
        let written = own.into_iter().chain(&clauses.also).find(|name| {
            // A table of one's own may have such a name.
            is_of_the_server(dialect, name) && judged.statement.table(name).is_none()
        });
        let Some(name) = written else { return Verdict::Fine };
        let message =
            format!("`{}` writes `{name}`, where the server keeps its own definitions.", verb(kind));
        Verdict::Found(judged.found(ObjectRef::table(name), message).remedy(Remedy::manual(RULE.instead)))
    });
}

fn verb(kind: &DataKind) -> &'static str {
    match kind {
        DataKind::Insert => "INSERT",
        DataKind::Update => "UPDATE",
        DataKind::Delete => "DELETE",
        DataKind::Merge => "MERGE",
        DataKind::Truncate => "TRUNCATE",
        DataKind::Copy => "COPY",
        DataKind::Select => "WITH",
    }
}
