use std::collections::BTreeMap;

use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "a column has another type than the columns of the same specific name in other tables",
    then: "Comparisons and joins between them convert values, lose precision or miss indexes.",
    instead: "Give the columns one type.",
    source: "schema linters of four projects; limited to names of two words or more on whose type three tables agree",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// So many columns must agree on a type.
const LEAST: usize = 3;

/// Last words of names that mean something else in each table, sorted.
const GENERIC: &[&str] = &[
    "code",
    "config",
    "content",
    "count",
    "data",
    "default",
    "description",
    "format",
    "key",
    "kind",
    "label",
    "level",
    "max",
    "message",
    "min",
    "mode",
    "name",
    "number",
    "option",
    "options",
    "order",
    "payload",
    "position",
    "ref",
    "result",
    "setting",
    "settings",
    "size",
    "state",
    "status",
    "text",
    "title",
    "type",
    "unit",
    "value",
    "values",
    "version",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut by_name: BTreeMap<String, Vec<(&Table, &Column)>> = BTreeMap::new();
    for table in context.own_tables() {
        for column in &table.columns {
            if is_specific(column) && !reference::has_foreign_key(table, &column.name) {
                by_name.entry(column.name.as_str().to_ascii_lowercase()).or_default().push((table, column));
            }
        }
    }
    for (_, bearers) in by_name.into_iter().filter(|(_, bearers)| bearers.len() > LEAST) {
        findings.examined(bearers.len() as u64);
        let mut by_type: BTreeMap<Meaning, Vec<(&Table, &Column)>> = BTreeMap::new();
        for (table, column) in &bearers {
            by_type.entry(meaning(&column.data_type)).or_default().push((table, column));
        }
        let Some((_, usual)) = by_type.iter().max_by_key(|(_, list)| list.len()) else { continue };
        // Without a clear majority nobody can say which type is the odd one.
        if usual.len() < LEAST || usual.len() * 3 < bearers.len() * 2 {
            continue;
        }
        let (usual_count, (like, usual_column)) = (usual.len(), usual[0]);
        let usual_meaning = meaning(&usual_column.data_type);
        for (table, column) in bearers {
            if meaning(&column.data_type) == usual_meaning {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` is `{}`, while {usual_count} other columns of that name are of a type like `{}`.",
                        table.name, column.name, column.data_type.text, usual_column.data_type.text
                    ),
                )
                .confidence(Confidence::Medium)
                .evidence("for example", format!("{}.{}", like.name, usual_column.name))
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

fn is_specific(column: &Column) -> bool {
    let words = words(column.name.as_str());
    let last = words.last().map_or("", String::as_str);
    words.len() >= 2
        && GENERIC.binary_search(&last).is_err()
        && !matches!(column.data_type.kind, TypeKind::Untyped | TypeKind::Other)
}

type Meaning = (TypeKind, bool, bool);

/// Types that hold the same values count as one: texts of any length, numbers of any scale, and enumerations, which are
/// texts with a list.
fn meaning(data_type: &DataType) -> Meaning {
    let kind = match data_type.kind {
        TypeKind::Char | TypeKind::Varchar | TypeKind::Text | TypeKind::Enum | TypeKind::Domain => {
            TypeKind::Text
        }
        TypeKind::Json | TypeKind::Jsonb => TypeKind::Json,
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::MediumInt | TypeKind::Integer => TypeKind::Integer,
        kind => kind,
    };
    (kind, data_type.array, data_type.unsigned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(super::GENERIC.is_sorted());
    }
}
