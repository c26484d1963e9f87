use std::collections::BTreeSet;

use dbwright_model::catalog::{Column, Key, Table};
use dbwright_model::change::Change;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::{Applicability, Remedy};

use crate::free_names::free_name;
use crate::index_shape::qualified;
use crate::lexicon::{table_role, words};
use crate::{Context, Findings, Found, Rule, keys, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 4,
    when: "a table that joins two others has a key of its own and lets a pair stand twice",
    then: "A pair can be stored twice, and counts, sums and deletes over the join are then wrong.",
    instead: "Add a unique constraint over the two foreign keys, after duplicates are removed.",
    remedy: Applicability::Review,
    source: "schema linters of four projects; the guards leave out tables that carry more than the pair",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut taken = BTreeSet::new();
    for table in context.own_tables() {
        let Some(pair) = joined_pair(table) else { continue };
        if table_role::is_record(table) || table_role::is_passing(table) {
            continue;
        }
        findings.examined(1);
        if keys::refuses_duplicates(table, &pair) || keys::is_part_of_unique(table, &pair) {
            continue;
        }
        let columns: Vec<Name> = pair.iter().map(|name| (*name).clone()).collect();
        let name = free_name(context, table, &columns, "_key", &taken);
        taken.insert(qualified(&table.name, &name));
        let key = Key { name: Some(name), columns, ..Key::default() };
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` joins two tables but lets the same pair ({}) stand twice.",
                    table.name,
                    join(pair)
                ),
            )
            .confidence(Confidence::Medium)
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::AddUnique {
                    alter: Default::default(),
                    table: table.name.clone(),
                    key,
                    using_index: None,
                }],
            )),
        );
    }
}

/// The two columns of a table that does nothing but join two others, when it has a surrogate key.
fn joined_pair(table: &Table) -> Option<Vec<&Name>> {
    let [a, b] = table.foreign_keys.as_slice() else { return None };
    let ([a], [b]) = (a.columns.as_slice(), b.columns.as_slice()) else { return None };
    let key = reference::single_key(table)?;
    let not_null = |name: &Name| table.column(name.as_str()).is_some_and(|column| column.not_null);
    if a == b
        || key.name == *a
        || key.name == *b
        || !not_null(a)
        || !not_null(b)
        || !table.exclusions.is_empty()
    {
        return None;
    }
    let rest = |column: &Column| {
        column.name == key.name || column.name == *a || column.name == *b || is_upkeep(&column.name)
    };
    table.columns.iter().all(rest).then(|| vec![a, b])
}

/// Columns that say when a row was made or where it stands in a list, and nothing of the pair itself.
fn is_upkeep(name: &Name) -> bool {
    const MADE: &[&str] = &[
        "added", "assigned", "changed", "created", "creation", "deleted", "inserted", "joined", "modified",
        "removed", "updated",
    ];
    let words = words(name.as_str());
    let first = words.first().map_or("", String::as_str);
    let all = words.join(" ");
    MADE.contains(&first)
        || matches!(
            all.as_str(),
            "position" | "sort order" | "sort" | "ordering" | "row order" | "version" | "lock version"
        )
}
