use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Hba],
    engines: Engines::only(Engine::Postgres, "it has no pg_hba.conf"),
    when: "the server cannot read a line of pg_hba.conf",
    then: "A reload is refused, so changes of the file have no effect, and after a restart nobody can connect.",
    instead: "Repair the line and reload.",
    source: "PostgreSQL documentation, pg_hba_file_rules: the column error",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for rule in &context.hba().rules {
        findings.examined(1);
        let Some(error) = &rule.error else { continue };
        findings.add(
            Found::at(
                ObjectRef::hba_line(rule.line),
                format!(
                    "The server cannot read line {} of pg_hba.conf and refuses the whole file.",
                    rule.line
                ),
            )
            .evidence("complaint", error)
            .evidence_if("file", rule.file.as_ref())
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
