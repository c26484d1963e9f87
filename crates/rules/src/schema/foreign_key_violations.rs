use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 8,
    needs: &[Fact::Catalog, Fact::Integrity],
    engines: Engines::only(Engine::Sqlite, "foreign keys are enforced for every connection"),
    when: "rows refer to parents that do not exist",
    then: "Joins lose these rows, and some program writes without enforcing foreign keys, so there will be more.",
    instead: "Correct or delete the rows, and switch `PRAGMA foreign_keys = ON` on in every connection that writes.",
    source: "PRAGMA foreign_key_check; enforcement is off by default for every SQLite connection",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(context.own_tables().map(|table| table.foreign_keys.len() as u64).sum());
    for violation in &context.integrity().violations {
        let mut found = Found::at(
            ObjectRef::columns(&violation.table, &violation.columns),
            format!(
                "{} rows of `{}` ({}) refer to rows of `{}` that do not exist.",
                violation.rows,
                violation.table,
                join(&violation.columns),
                violation.parent
            ),
        )
        .traced()
        .evidence("rows", violation.rows)
        .remedy(Remedy::manual(RULE.instead));
        for example in violation.examples.iter().take(3) {
            found = found.evidence("for example", example);
        }
        findings.add(found);
    }
    for unanswered in &context.integrity().unanswered {
        let (table, because) = (&unanswered.table, &unanswered.because);
        findings.unknown(format!("SQLite cannot check the foreign keys of `{table}`: {because}"));
    }
}
