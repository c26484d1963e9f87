use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lexicon::sensitive::{Sensitive, classify};
use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 2,
    when: "a text column's name speaks of a password, a card, a national number or a key of another service",
    then: "Who reads a backup, a replica or a query log has them.",
    instead: "Keep a salted hash of passwords, a token of the payment provider instead of cards, and encrypt the rest.",
    source: "PCI DSS requirement 3; names are read word by word, which finds `user_password` and leaves `password_hash`",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            findings.examined(1);
            let Some(kind) = classify(column.name.as_str()) else { continue };
            let hashed = kind == Sensitive::Password && keeps_salts(table);
            if !holds_text(column, kind) || says_it_is_protected(column) || hashed {
                continue;
            }
            let name = format!("`{}.{}`", table.name, column.name);
            let (level, message, instead) = match kind {
                Sensitive::Password => (
                    Level::Note,
                    format!("{name} seems to hold passwords, and nothing says that they are hashed."),
                    "Keep a hash made by a slow, salted function, and say so in the name: `password_hash`.",
                ),
                Sensitive::CardCheck => (
                    Level::Warning,
                    format!(
                        "{name} seems to hold card check digits, which must not be kept after a payment."
                    ),
                    "Drop the column, and let the payment provider keep what it needs.",
                ),
                Sensitive::CardNumber => (
                    Level::Note,
                    format!("{name} seems to hold card numbers as plain text."),
                    "Keep the payment provider's token and the last four digits.",
                ),
                Sensitive::NationalId => (
                    Level::Note,
                    format!("{name} seems to hold national numbers of people as plain text."),
                    "Encrypt the column outside of the database, and limit who may read it.",
                ),
                Sensitive::Credential => (
                    Level::Note,
                    format!("{name} seems to hold keys of other services as plain text."),
                    "Keep a hash if it is only compared, otherwise encrypt it outside of the database.",
                ),
            };
            findings.add(
                Found::at(ObjectRef::column(&table.name, &column.name), message)
                    .level(level)
                    .confidence(Confidence::Low)
                    .remedy(Remedy::manual(instead)),
            );
        }
    }
}

/// Whether values are kept as they are typed in. A length that only hashes have speaks for a hash.
fn holds_text(column: &Column, kind: Sensitive) -> bool {
    let text = column.data_type.kind.is_text() && !column.data_type.array;
    let digits = column.data_type.kind.is_integer()
        && matches!(kind, Sensitive::CardCheck | Sensitive::CardNumber | Sensitive::NationalId);
    let hash = matches!(column.data_type.kind, TypeKind::Char | TypeKind::Varchar)
        && kind == Sensitive::Password
        && matches!(column.data_type.length, Some(32 | 40 | 60 | 64 | 72 | 96..=98 | 128));
    (text || digits) && !hash
}

/// Whether a column beside it speaks of how passwords are hashed: `salt`, `password_hash_algorithm`.
fn keeps_salts(table: &Table) -> bool {
    table.columns.iter().any(|column| {
        words(column.name.as_str()).iter().any(|word| {
            matches!(word.as_str(), "salt" | "hash" | "hasher" | "algo" | "algorithm" | "iterations")
        })
    })
}

fn says_it_is_protected(column: &Column) -> bool {
    column.comment.as_ref().is_some_and(|comment| {
        let comment = comment.to_ascii_lowercase();
        ["hash", "crypt", "digest", "token", "vault"].iter().any(|word| comment.contains(word))
    })
}
