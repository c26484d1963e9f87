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
    when: "a line of pg_hba.conf is never reached because earlier lines fit every client it fits",
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
        let earlier = hba::shadow(rules, at);
        if earlier.is_empty() {
            continue;
        }
        let lines = match earlier.as_slice() {
            [one] => format!("line {}", one.line),
            several => {
                let numbers: Vec<String> = several.iter().map(|one| one.line.to_string()).collect();
                format!("lines {} together", numbers.join(", "))
            }
        };
        let same =
            earlier.iter().all(|earlier| earlier.method == rule.method && earlier.options == rule.options);
        let message = match (same, earlier.as_slice()) {
            (true, [_]) => format!("Line {} says again what {lines} says.", rule.line),
            (true, _) => format!("Line {} says again what {lines} say.", rule.line),
            (false, [one]) => format!(
                "Line {} with `{}` is never reached: {lines} with `{}` decides first.",
                rule.line, rule.method, one.method
            ),
            (false, _) => {
                format!("Line {} with `{}` is never reached: {lines} decide first.", rule.line, rule.method)
            }
        };
        findings.add(
            Found::at(ObjectRef::hba_line(rule.line), message)
                .level(if same { Level::Note } else { Level::Warning })
                .evidence_if("file", rule.file.as_ref())
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
