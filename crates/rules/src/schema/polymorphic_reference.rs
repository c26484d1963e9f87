use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::single_key;
use crate::lexicon::{table_role, words};
use crate::{Context, Findings, Found, Rule, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "one column names the table that another column's id refers to",
    then: "No foreign key can guard such a reference, and deleted parents leave their children behind.",
    instead: "Give each kind of parent a nullable column with its own foreign key, and check that exactly one is set.",
    source: "19 of 138, 4 of 66 and 7 of 56 tables of three mature public schemas have such pairs: a known trade, not a slip",
    convention: Some("references name their table in a column beside them"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Tables of frameworks that are made this way, sorted.
const FRAMEWORKS: &[&str] = &[
    "active_storage_attachments",
    "audits",
    "friendly_id_slugs",
    "model_has_permissions",
    "model_has_roles",
    "noticed_events",
    "noticed_notifications",
    "personal_access_tokens",
    "taggables",
    "taggings",
    "versions",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        if is_framework(table) || table_role::is_record(table) || table_role::is_passing(table) {
            continue;
        }
        for column in &table.columns {
            let name = words(column.name.as_str());
            if name.len() < 2 || reference::base(&name).1.is_none() {
                continue;
            }
            findings.examined(1);
            // The key of the table itself refers to nothing: `comment_id` beside `comment_type`.
            let own_key = single_key(table).is_some_and(|key| key.name == column.name);
            if own_key || reference::has_foreign_key(table, &column.name) {
                continue;
            }
            let Some(kind) = reference::discriminator(table, column) else { continue };
            if reference::has_foreign_key(table, &kind.name) {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` refers to the table named by `{}`, so no foreign key can guard it.",
                        table.name, column.name, kind.name
                    ),
                )
                .confidence(Confidence::Medium)
                .evidence("kind of parent", &kind.name)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

fn is_framework(table: &Table) -> bool {
    FRAMEWORKS.binary_search(&table.name.name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn frameworks_are_sorted_for_the_search() {
        assert!(super::FRAMEWORKS.is_sorted());
    }
}
