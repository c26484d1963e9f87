use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::lexicon::columns::is_code;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    engines: Engines::only(Engine::Postgres, "it does not show padding to the reader"),
    when: "a text of varying length is kept as `char(n)`",
    then: "Values are padded with blanks, which take room, come back to the client and vanish in comparisons.",
    instead: "Use `text` or `varchar(n)`, and a check where the length matters.",
    source: "PostgreSQL documentation: character types; codes of fixed width are left out",
    convention: Some("texts are `char(n)`"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Lengths that codes and hashes have.
const FIXED: &[u32] = &[2, 3, 32, 36, 40, 56, 64, 96, 128];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            let data_type = base_type(context.catalog(), &column.data_type);
            if !data_type.kind.is_text() {
                continue;
            }
            findings.examined(1);
            let Some(length) =
                data_type.length.filter(|length| data_type.kind == TypeKind::Char && *length > 1)
            else {
                continue;
            };
            if FIXED.contains(&length) || is_code(column.name.as_str()) {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "Every value of `{}.{}` is padded with blanks to {length} characters.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
