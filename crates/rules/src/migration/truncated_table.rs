use dbwright_model::catalog::Persistence;
use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::ALL.except(Engine::Sqlite, "it has no TRUNCATE"),
    when: "a table in use is emptied with `TRUNCATE`",
    then: "All its rows are gone; in PostgreSQL nobody reads or writes it until the transaction ends, in MySQL nothing undoes it.",
    instead: "Delete the rows in batches, or swap in an empty table and keep the old one for a while.",
    source: "PostgreSQL manual, TRUNCATE; MySQL manual, TRUNCATE TABLE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::Data { kind: DataKind::Truncate, table: Some(table), clauses, .. } = change else {
            return Verdict::Other;
        };
        let harmless = |name: &&QualifiedName| {
            let known = judged.statement.table(name);
            known.is_some_and(|table| table.persistence == Persistence::Temporary)
                || judged.is_new(name)
                || judged.is_absent(name)
        };
        let Some(table) = std::iter::once(table).chain(&clauses.also).find(|name| !harmless(name)) else {
            return Verdict::Fine;
        };
        let name = judged.full_name(table);
        let message = if clauses.cascade {
            format!("`TRUNCATE` deletes every row of `{name}` and of every table that refers to it.")
        } else {
            format!("`TRUNCATE` deletes every row of `{name}`.")
        };
        let object = ObjectRef::table(&name);
        let found = match judged.effect(&name) {
            Some(effect) => judged.felt(context, effect, object, message),
            None => judged.found(object, message),
        };
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
