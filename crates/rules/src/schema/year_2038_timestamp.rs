use dbwright_model::capability::Capability;
use dbwright_model::data_type::TypeKind;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::words;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    engines: Engines::mysql_family("its points in time reach much further"),
    when: "a column of type `timestamp` ends in January 2038",
    then: "Later times are refused, or become zeros where the SQL mode is loose; for times to come that day is near.",
    instead: "Use `datetime` with times in UTC for what may lie ahead.",
    source: "MySQL documentation: the range of TIMESTAMP; MariaDB widened it in 11.5",
    convention: Some("points in time end in 2038"),
    check,
    ..Rule::DEFAULT
};

/// Words of times that lie ahead.
const AHEAD: &[&str] =
    &["due", "ends", "expiration", "expires", "expiry", "maturity", "renewal", "renews", "until", "valid"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.can(Capability::TimestampBeyond2038) {
        findings.not_applicable("the server keeps later times in `timestamp`, too");
        return;
    }
    for table in context.own_tables() {
        for column in &table.columns {
            if !matches!(column.data_type.kind, TypeKind::Timestamp | TypeKind::TimestampTz) {
                continue;
            }
            findings.examined(1);
            if column.data_type.kind == TypeKind::Timestamp {
                continue;
            }
            let ahead = words(column.name.as_str()).iter().any(|word| AHEAD.contains(&word.as_str()));
            let (level, confidence, what) = match ahead {
                true => (Level::Warning, Confidence::Medium, "and seems to hold times that lie ahead"),
                false => (Level::Note, Confidence::High, "and later times are refused"),
            };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!("`{}.{}` ends in January 2038 {what}.", table.name, column.name),
                )
                .level(level)
                .confidence(confidence)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
