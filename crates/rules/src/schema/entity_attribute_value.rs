use dbwright_model::catalog::{Column, Table};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::{table_role, words};
use crate::{Context, Findings, Found, Rule, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "a table keeps attributes of another as rows of name and value",
    then: "Values have no type and no constraint, and reading one entity takes a join for each attribute.",
    instead: "Make columns of the attributes that everybody has, and keep the rest in one JSON column.",
    source: "the entity-attribute-value pattern; product options and custom fields are its accepted uses",
    convention: Some("tables keep attributes as rows of name and value"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Names of columns that say which attribute a row is about, sorted.
const ATTRIBUTES: &[&str] = &[
    "attr",
    "attr id",
    "attr name",
    "attribute",
    "attribute code",
    "attribute id",
    "attribute key",
    "attribute name",
    "field",
    "field id",
    "field key",
    "field name",
    "key",
    "meta key",
    "metadata key",
    "name",
    "param name",
    "parameter",
    "property",
    "property id",
    "property key",
    "property name",
];

/// Names of columns that hold its value, sorted.
const VALUES: &[&str] = &[
    "attr value",
    "attribute value",
    "field value",
    "meta value",
    "metadata value",
    "param value",
    "property value",
    "val",
    "value",
];

/// Words of tables that hold name and value for another reason: texts in languages, settings, labels. Sorted.
const OTHER_REASON: &[&str] = &[
    "config",
    "configs",
    "configuration",
    "header",
    "headers",
    "label",
    "labels",
    "locale",
    "option",
    "options",
    "preference",
    "preferences",
    "rate",
    "rates",
    "setting",
    "settings",
    "tag",
    "tags",
    "translation",
    "translations",
    "variable",
    "variables",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        if table_role::is_record(table) || table_role::is_passing(table) {
            continue;
        }
        findings.examined(1);
        let Some((entity, attribute, value)) = triple(table) else { continue };
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` keeps attributes as rows of `{}` and `{}`, so no value has a type or a constraint.",
                    table.name, attribute.name, value.name
                ),
            )
            .confidence(Confidence::Medium)
            .evidence("entity", &entity.name)
            .evidence("attribute", &attribute.name)
            .evidence("value", &value.name)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

fn triple(table: &Table) -> Option<(&Column, &Column, &Column)> {
    let other_reason = |word: &String| OTHER_REASON.binary_search(&word.as_str()).is_ok();
    if table.columns.len() > 8 || words(table.name.name.as_str()).iter().any(other_reason) {
        return None;
    }
    let called = |column: &Column, list: &[&str]| {
        list.binary_search(&words(column.name.as_str()).join(" ").as_str()).is_ok()
    };
    let is_language = |column: &Column| {
        words(column.name.as_str()).iter().any(|word| matches!(word.as_str(), "locale" | "language" | "lang"))
    };
    if table.columns.iter().any(is_language) {
        return None;
    }
    let value =
        table.columns.iter().find(|column| called(column, VALUES) && column.data_type.kind.is_text())?;
    let attribute = table.columns.iter().find(|column| {
        let refers = reference::has_foreign_key(table, &column.name);
        called(column, ATTRIBUTES) && (column.data_type.kind.is_text() || refers)
    })?;
    let entity = table
        .columns
        .iter()
        .find(|column| column.name != attribute.name && reference::has_foreign_key(table, &column.name))?;
    Some((entity, attribute, value))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted_for_the_search() {
        for list in [super::ATTRIBUTES, super::VALUES, super::OTHER_REASON] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
