//! What the catalog is before a statement that stands alone, and what it is to be after it, so that after a crash the
//! catalog itself tells whether the statement was done.

use dbwright_model::catalog::{Catalog, Index, IndexKey, Table};
use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_sql::fold::Folder;
use serde::{Deserialize, Serialize};

/// Written into the history before a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Expectation {
    /// Relations that it changes, makes or takes away.
    pub relations: Vec<(String, String)>,
    /// The engine's fingerprint of them before it.
    pub before: String,
    /// Their shape after it.
    pub after: Vec<String>,
    /// Whether nothing but the server could tell what it does.
    #[serde(default)]
    pub unknown: bool,
}

impl Expectation {
    /// What a statement does to the shape of what it finds.
    pub fn of(before: &Folder, changes: &[Change]) -> Self {
        let mut after = before.clone();
        changes.iter().for_each(|change| after.apply(change));
        let relations = changed(before.catalog(), after.catalog());
        let shape = shape(after.catalog(), &relations);
        let relations =
            relations.iter().map(|name| (name.schema.to_string(), name.name.to_string())).collect();
        Expectation { relations, after: shape, ..Expectation::default() }
    }

    /// The relations as names.
    pub fn names(&self) -> Vec<QualifiedName> {
        self.relations.iter().map(|(schema, name)| QualifiedName::new(schema, name)).collect()
    }

    /// Where the catalog is not what it is to be after the statement, as lines; none when it is.
    pub fn missing_in(&self, catalog: &Catalog) -> Vec<String> {
        let now = shape(catalog, &self.names());
        let absent = self.after.iter().filter(|line| !now.contains(line));
        let extra = now.iter().filter(|line| !self.after.contains(line));
        absent
            .map(|line| format!("expected: {line}"))
            .chain(extra.map(|line| format!("found: {line}")))
            .collect()
    }
}

/// The relations that two catalogs differ in, by name.
fn changed(before: &Catalog, after: &Catalog) -> Vec<QualifiedName> {
    let mut names = Vec::new();
    different(&before.tables, &after.tables, |table| &table.name, &mut names);
    different(&before.views, &after.views, |view| &view.name, &mut names);
    different(&before.sequences, &after.sequences, |sequence| &sequence.name, &mut names);
    names.sort();
    names.dedup();
    names
}

fn different<T: PartialEq>(
    before: &[T],
    after: &[T],
    name: fn(&T) -> &QualifiedName,
    names: &mut Vec<QualifiedName>,
) {
    let missing_from = |these: &[T], those: &[T], names: &mut Vec<QualifiedName>| {
        let known: std::collections::BTreeMap<&QualifiedName, &T> =
            those.iter().map(|object| (name(object), object)).collect();
        for object in these {
            if known.get(name(object)).is_none_or(|other| *other != object) {
                names.push(name(object).clone());
            }
        }
    };
    missing_from(before, after, names);
    missing_from(after, before, names);
}

/// What is there of some relations, in lines that a folded catalog and a live one write alike.
fn shape(catalog: &Catalog, names: &[QualifiedName]) -> Vec<String> {
    let mut lines = Vec::new();
    for name in names {
        let table = catalog.tables.iter().find(|table| table.name == *name);
        match table {
            Some(table) => shape_of_table(table, &mut lines),
            None if catalog.views.iter().any(|view| view.name == *name) => lines.push(format!("view {name}")),
            None if catalog.sequences.iter().any(|sequence| sequence.name == *name) => {
                lines.push(format!("sequence {name}"));
            }
            None => lines.push(format!("nothing named {name}")),
        }
    }
    lines
}

fn shape_of_table(table: &Table, lines: &mut Vec<String>) {
    let name = &table.name;
    lines.push(format!("table {name}"));
    for column in &table.columns {
        lines.push(format!("column {name}.{}", column.name));
    }
    for index in &table.indexes {
        // MySQL makes an index for a foreign key where none fits, and takes it away when a better one comes.
        if table.foreign_keys.iter().any(|key| begins_with(index, &key.columns)) {
            continue;
        }
        lines.push(format!("index {} on {name}", index.name));
    }
    lines.push(format!("{} foreign keys of {name}", table.foreign_keys.len()));
    lines.push(format!("{} checks of {name}", table.checks.len()));
}

/// Whether the first parts of an index are some columns, in any order.
fn begins_with(index: &Index, columns: &[Name]) -> bool {
    let first = index.parts.iter().take(columns.len());
    index.parts.len() >= columns.len()
        && first.clone().all(|part| matches!(&part.key, IndexKey::Column(name) if columns.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbwright_model::engine::{Dialect, Engine};

    #[test]
    fn the_catalog_tells_whether_a_statement_was_done() {
        let parse = |sql: &str| dbwright_sql::parse_statement(Dialect::Mysql, sql);
        let mut live = Folder::new(Engine::Mariadb);
        parse("create table t (a int primary key)").iter().for_each(|change| live.apply(change));
        let changes = parse("alter table t add column b int, add index i (b)");
        let expected = Expectation::of(&live, &changes);
        assert_eq!(expected.names().len(), 1);
        assert!(!expected.missing_in(live.catalog()).is_empty());
        changes.iter().for_each(|change| live.apply(change));
        assert_eq!(expected.missing_in(live.catalog()), Vec::<String>::new());
    }
}
