//! Names of the column that says whose row it is where many customers share one database.

use std::collections::BTreeMap;

use dbwright_model::catalog::Table;
use dbwright_model::name::Name;

use super::words;

/// Words before `id` that name a tenant, sorted.
const TENANTS: &[&str] = &[
    "account",
    "client",
    "company",
    "customer",
    "firm",
    "org",
    "organisation",
    "organization",
    "shop",
    "site",
    "store",
    "tenant",
    "workspace",
];

/// Share of the tables that must carry a column before it is taken for the tenant's.
const SHARE: f64 = 0.6;

/// Below so many tables nothing is taken for a tenant column.
const LEAST_TABLES: usize = 5;

/// The column that names the tenant in most tables, if there is one.
pub fn column(tables: &[&Table]) -> Option<Name> {
    let mut count: BTreeMap<&Name, usize> = BTreeMap::new();
    for table in tables {
        for column in &table.columns {
            if let [.., tenant, id] = words(column.name.as_str()).as_slice()
                && matches!(id.as_str(), "id" | "uuid")
                && TENANTS.binary_search(&tenant.as_str()).is_ok()
            {
                *count.entry(&column.name).or_default() += 1;
            }
        }
    }
    let (name, times) = count.into_iter().max_by_key(|(_, times)| *times)?;
    (tables.len() >= LEAST_TABLES && times as f64 >= SHARE * tables.len() as f64).then(|| name.clone())
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(super::TENANTS.is_sorted());
    }
}
