use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::hba;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 3,
    needs: &[Fact::Hba],
    engines: Engines::only(Engine::Postgres, "it has no pg_hba.conf"),
    when: "a line of pg_hba.conf is never reached because an earlier line fits every client it fits",
    then: "The line does nothing, although it reads as if it decided.",
    instead: "Move the narrower line before the wider one, or delete it.",
    source: "PostgreSQL documentation, pg_hba.conf: the first record that fits is used, there is no fall-through",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules = &context.hba().rules;
    for (at, rule) in rules.iter().enumerate() {
        findings.examined(1);
        let Some(earlier) = hba::shadow(rules, at) else { continue };
        let same = earlier.method == rule.method && earlier.options == rule.options;
        let message = if same {
            format!("Line {} says again what line {} says.", rule.line, earlier.line)
        } else {
            format!(
                "Line {} with `{}` is never reached: line {} with `{}` decides first.",
                rule.line, rule.method, earlier.line, earlier.method
            )
        };
        findings.add(
            Found::at(ObjectRef::hba_line(rule.line), message)
                .level(if same { Level::Note } else { Level::Warning })
                .evidence_if("file", rule.file.as_ref())
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
