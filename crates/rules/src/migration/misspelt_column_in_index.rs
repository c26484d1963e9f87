use dbwright_model::catalog::IndexKey;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Sqlite, "a name that does not exist is an error there"),
    when: "an index is made over a word in double quotes that names no column of the table",
    then: "The word is taken for a string: the index holds a constant and serves no query.",
    instead: "Correct the name, and leave the quotes out where they are not needed.",
    remedy: Applicability::Manual,
    source: "SQLite documentation, \"Double-quoted String Literals Are Accepted\"; measured on 3.40",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateIndex { table: name, index, .. } = change else { return Verdict::Other };
        let Some(table) = judged.statement.table(name) else { return Verdict::Fine };
        let is_column = |word: &str| {
            table.columns.iter().any(|column| column.name.eq_ignore_case(word))
                || ["rowid", "oid", "_rowid_"].iter().any(|special| word.eq_ignore_ascii_case(special))
        };
        let mut words: Vec<String> = Vec::new();
        for part in &index.parts {
            match &part.key {
                // Without quotes the server itself says that there is no such column.
                IndexKey::Column(column) if judged.statement.sql.contains(&format!("\"{column}\"")) => {
                    words.push(column.to_string());
                }
                IndexKey::Column(_) => {}
                IndexKey::Expression(expression) => quoted(expression, &mut words),
            }
        }
        if let Some(predicate) = &index.predicate {
            quoted(predicate, &mut words);
        }
        let Some(word) = words.iter().find(|word| !is_column(word)) else { return Verdict::Fine };
        let message = format!(
            "\"{word}\" names no column of `{name}` and is taken for a string in the index `{}`.",
            index.name
        );
        let object = ObjectRef::index(&table.name, &index.name);
        Verdict::Found(judged.found(object, message).remedy(Remedy::manual(RULE.instead)))
    });
}

fn quoted(expression: &Expression, words: &mut Vec<String>) {
    let Some(tree) = expression.tree.as_deref() else { return };
    tree.walk(&mut |expr| {
        if let Expr::Literal(Literal::DoubleQuoted(word)) = expr {
            words.push(word.clone());
        }
    });
}
