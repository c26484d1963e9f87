//! Names for what remedies make, free of each other and of what is there.

use std::collections::BTreeSet;

use dbwright_model::catalog::Table;
use dbwright_model::name::{Name, QualifiedName, join};

use crate::Context;

/// Names that are not free: those of the catalog and those that remedies made so far.
#[derive(Debug)]
pub struct Taken {
    /// Tables and indexes that remedies make.
    pub relations: BTreeSet<QualifiedName>,
    /// Constraints, each beside its table.
    pub constraints: BTreeSet<QualifiedName>,
}

impl Taken {
    /// Those of the catalog, and the relations that other remedies make.
    pub fn of(context: &Context<'_>, relations: BTreeSet<QualifiedName>) -> Self {
        Taken { relations, constraints: constraints(context) }
    }
}

fn constraints(context: &Context<'_>) -> BTreeSet<QualifiedName> {
    let mut taken = BTreeSet::new();
    for table in &context.catalog().tables {
        let keys = table.primary_key.iter().chain(&table.uniques).filter_map(|key| key.name.as_ref());
        let names = keys
            .chain(table.foreign_keys.iter().filter_map(|key| key.name.as_ref()))
            .chain(table.checks.iter().filter_map(|check| check.name.as_ref()));
        taken.extend(names.map(|name| table.name.sibling(name)));
    }
    taken
}

/// A name for an index over columns that the server would not cut off and that nothing else bears. `end` is `_idx` or
/// `_key`; `used` are names that other remedies make.
pub fn free_name(
    context: &Context<'_>,
    table: &Table,
    columns: &[Name],
    end: &str,
    used: &BTreeSet<QualifiedName>,
) -> Name {
    let stem = format!("{}_{}", table.name.name, join(columns).replace(", ", "_"));
    let is_taken = |name: &str| {
        used.contains(&table.name.sibling(name))
            || context.catalog().tables.iter().filter(|other| other.name.schema == table.name.schema).any(
                |other| {
                    other.name.name.as_str() == name
                        || other.indexes.iter().any(|index| index.name.as_str() == name)
                },
            )
    };
    numbered(&stem, end, is_taken)
}

/// The first name made of a stem, an end and a number from 2 on that is not taken. The stem is cut where no server would
/// take the whole.
pub fn numbered(stem: &str, end: &str, is_taken: impl Fn(&str) -> bool) -> Name {
    /// Bytes of the longest name, less those of a number at its end.
    const LONGEST: usize = 60;
    let mut stem = stem.to_owned();
    while stem.len() + end.len() > LONGEST {
        stem.pop();
    }
    let mut name = format!("{stem}{end}");
    let mut number = 1_u64;
    while is_taken(&name) {
        number += 1;
        name = format!("{stem}{end}{number}");
    }
    Name::from(name)
}
