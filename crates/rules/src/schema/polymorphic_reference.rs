use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::DataType;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::{base_type, single_key};
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

/// The types of the keys of the database.
struct Keys<'a> {
    types: Vec<&'a DataType>,
}

impl<'a> Keys<'a> {
    fn of(context: &Context<'a>) -> Self {
        let keys = context.own_tables().filter_map(single_key);
        Keys { types: keys.map(|key| base_type(context.catalog(), &key.data_type)).collect() }
    }

    /// Whether a column has the type of keys here. A text beside a type is as often the number of a passport, so that text
    /// counts only where most keys are text.
    fn could_hold(&self, context: &Context<'_>, column: &Column) -> bool {
        let own = base_type(context.catalog(), &column.data_type);
        let alike = self.types.iter().filter(|key| reference::same_family(key, own)).count();
        if own.kind.is_text() { alike * 2 > self.types.len() } else { alike > 0 }
    }
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let keys = Keys::of(context);
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
            if !keys.could_hold(context, column) || name.first().is_some_and(|word| word == "id") {
                continue;
            }
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
