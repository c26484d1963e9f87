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
        // A line that the server keeps although it complains has been read: the other columns are filled.
        let kept = !rule.connection.is_empty();
        let message = match (kept, error.contains("cannot match")) {
            (true, true) => format!("Line {} of pg_hba.conf never matches a client.", rule.line),
            (true, false) => format!("The server keeps line {} of pg_hba.conf, and complains.", rule.line),
            (false, _) => {
                format!(
                    "The server cannot read line {} of pg_hba.conf and refuses the whole file.",
                    rule.line
                )
            }
        };
        let remedy = match kept {
            true => "Take the line out, or give the server what the complaint says is missing.",
            false => RULE.instead,
        };
        findings.add(
            Found::at(ObjectRef::hba_line(rule.line), message)
                .level(if kept { Level::Note } else { Level::Error })
                .evidence("complaint", error)
                .evidence_if("file", rule.file.as_ref())
                .remedy(Remedy::manual(remedy)),
        );
    }
}
