use dbwright_model::catalog::{ConstraintKind, Index};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::{in_foreign_key, single_key};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 5,
    engines: Engines::only(Engine::Sqlite, "any integer type can be a key that is numbered"),
    when: "an integer primary key is spelled otherwise than `INTEGER`, or `DESC`",
    then: "The column is not the row id: it is not numbered by itself, stays null when left out, and needs an index of its own.",
    instead: "Make the table anew with `INTEGER PRIMARY KEY`.",
    source: "measured on SQLite: `INT PRIMARY KEY` keeps null when no value is given",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables().filter(|table| !table.strict && !table.without_rowid) {
        let Some(column) = single_key(table).filter(|column| column.data_type.kind == TypeKind::BigInt)
        else {
            continue;
        };
        findings.examined(1);
        let spelled = column.data_type.text == "INTEGER";
        // `INTEGER PRIMARY KEY DESC` has an index of its own: another old mistake that is kept.
        let descends = table.indexes.iter().any(|index| {
            index.backs == Some(ConstraintKind::PrimaryKey)
                && index.name != *Index::ROWID
                && index.parts.iter().any(|part| part.descending)
        });
        if (spelled && !descends) || in_foreign_key(table, &column.name) {
            continue;
        }
        let how = if spelled { "is declared `DESC`" } else { "is not spelled `INTEGER`" };
        let (level, consequence) = match column.not_null {
            false => (Level::Warning, "so it is not numbered and stays null when left out"),
            true => (Level::Note, "so it is not numbered and every insert has to bring a value"),
        };
        findings.add(
            Found::at(
                ObjectRef::column(&table.name, &column.name),
                format!("The key `{}.{}` {how}, {consequence}.", table.name, column.name),
            )
            .level(level)
            .evidence("declared type", &column.data_type.text)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
