use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
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
    engines: Engines::only(Engine::Postgres, "it has no rules"),
    when: "a rule `DO INSTEAD NOTHING` is put on a table in use",
    then: "Writes are accepted and thrown away: the application sees a success with no rows, and nothing is logged.",
    instead: "Revoke the right to write, or raise an error in a trigger, so that writers are told.",
    source: "PostgreSQL manual, CREATE RULE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateRule { rule, .. } = change else { return Verdict::Other };
        let text = rule.definition.to_ascii_lowercase();
        let words: Vec<&str> = text.trim_end_matches(';').split_whitespace().collect();
        let nothing = rule.instead && words.ends_with(&["nothing"]);
        // On a view, or on what is not known, nothing is lost that was kept before.
        let known = judged.statement.table(&rule.table).filter(|table| judged.is_in_use(&table.name));
        let Some(table) = known.filter(|_| nothing) else { return Verdict::Fine };
        let some = if words.contains(&"where") { " that meets its condition" } else { "" };
        let message = format!(
            "Every `{}` of `{}`{some} is thrown away without a word.",
            rule.event.as_str().to_ascii_uppercase(),
            table.name
        );
        Verdict::Found(
            judged.found(ObjectRef::table(&table.name), message).remedy(Remedy::manual(RULE.instead)),
        )
    });
}
