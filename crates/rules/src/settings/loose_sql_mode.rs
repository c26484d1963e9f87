use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 6,
    needs: &[Fact::Settings],
    engines: Engines::mysql_family("values that do not fit are always refused, or types are hints"),
    when: "the SQL mode of the server is not strict",
    then: "Values that do not fit are cut, rounded or zeroed with a warning that nobody reads, and the originals are lost.",
    instead: "Add `STRICT_TRANS_TABLES` to `sql_mode`, first in a session that tries the application.",
    source: "MySQL documentation: strict SQL mode, part of the defaults since MySQL 5.7 and MariaDB 10.2",
    check,
    ..Rule::DEFAULT
};

/// Modes that stand for a list with a strict one in it.
const STRICT: &[&str] = &["STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(mode) = context.settings().get("sql_mode") else {
        findings.unknown("the setting `sql_mode` could not be read");
        return;
    };
    findings.examined(1);
    let words: Vec<String> = mode.split(',').map(|word| word.trim().to_ascii_uppercase()).collect();
    let has = |word: &str| words.iter().any(|own| own == word);
    if !STRICT.iter().any(|word| has(word)) {
        findings.add(
            Found::at(
                ObjectRef::setting("sql_mode"),
                "The SQL mode is not strict, so values that do not fit are cut or zeroed instead of refused.",
            )
            .evidence("sql_mode", mode)
            .remedy(Remedy::manual(RULE.instead)),
        );
    } else if !has("NO_ENGINE_SUBSTITUTION") {
        findings.add(
            Found::at(
                ObjectRef::setting("sql_mode"),
                "A table whose storage engine is missing is made in another one, because the SQL mode allows it.",
            )
            .level(Level::Note)
            .evidence("sql_mode", mode)
            .remedy(Remedy::manual("Add `NO_ENGINE_SUBSTITUTION` to `sql_mode`.")),
        );
    }
}
