//! Questions about the keys of a table that several rules ask.

use dbwright_model::catalog::Table;
use dbwright_model::name::Name;

/// Whether equal values in these columns are refused, at least among the rows of a partial index. A unique key over
/// more columns than these does not count, one over fewer does.
pub fn refuses_duplicates(table: &Table, columns: &[&Name]) -> bool {
    let within = |key: &[&Name]| !key.is_empty() && key.iter().all(|name| columns.contains(name));
    let constraint = table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .any(|key| within(&key.columns.iter().collect::<Vec<&Name>>()));
    constraint
        || table
            .indexes
            .iter()
            .any(|index| index.unique && index.valid && index.columns().is_some_and(|key| within(&key)))
}

/// Whether some unique key holds all these columns, be it among others.
pub fn is_part_of_unique(table: &Table, columns: &[&Name]) -> bool {
    let holds = |key: &[&Name]| columns.iter().all(|name| key.contains(name));
    table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .any(|key| holds(&key.columns.iter().collect::<Vec<&Name>>()))
        || table.indexes.iter().any(|index| {
            let columns: Vec<&Name> = index.parts.iter().filter_map(|part| part.as_column()).collect();
            index.unique && index.valid && holds(&columns)
        })
}
