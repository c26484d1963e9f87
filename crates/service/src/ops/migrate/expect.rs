//! What the catalog is before a statement that stands alone, and what it is to be after it, so that after a crash the
//! catalog itself tells whether the statement was done.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::catalog::{Catalog, Index};
use dbwright_model::change::Change;
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_sql::compare::{self, Texts};
use dbwright_sql::fold::Folder;
use serde::{Deserialize, Serialize};

/// Written into the history before a statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Expectation {
    /// Relations that it changes, makes or takes away.
    pub relations: Vec<(String, String)>,
    /// The engine's fingerprint of them before it.
    pub before: String,
    /// What they are to be after it, in the form in which catalogs are compared.
    pub after: Catalog,
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
        let after = compare::normal(&compare::part(after.catalog(), &relations), Texts::Columns);
        let relations =
            relations.iter().map(|name| (name.schema.to_string(), name.name.to_string())).collect();
        Expectation { relations, before: String::new(), after, unknown: false }
    }

    /// The relations as names.
    pub fn names(&self) -> Vec<QualifiedName> {
        self.relations.iter().map(|(schema, name)| QualifiedName::new(schema, name)).collect()
    }

    /// Where the catalog is not what it is to be after the statement, as lines; none when it is.
    pub fn missing_in(&self, catalog: &Catalog) -> Vec<String> {
        let relations = self.names().into_iter().collect();
        let mut now = compare::part(catalog, &relations);
        let mut after = self.after.clone();
        leave_out_made_indexes(&mut now);
        leave_out_made_indexes(&mut after);
        let compared = compare::compare(&after, &now, Texts::Columns);
        compared.differences.iter().map(ToString::to_string).collect()
    }
}

/// Leaves out the indexes that may be MySQL's own: it makes one for a foreign key where none fits, and takes it away when a
/// better one comes.
fn leave_out_made_indexes(catalog: &mut Catalog) {
    if catalog.engine.dialect() != Dialect::Mysql {
        return;
    }
    for table in &mut catalog.tables {
        let keys = &table.foreign_keys;
        table.indexes.retain(|index| !keys.iter().any(|key| begins_with(index, &key.columns)));
    }
}

/// Whether the first parts of an index are some columns, in any order.
fn begins_with(index: &Index, columns: &[Name]) -> bool {
    let mut first = index.parts.iter().take(columns.len());
    index.parts.len() >= columns.len()
        && first.all(|part| part.as_column().is_some_and(|name| columns.contains(name)))
}

/// The relations that two catalogs differ in, by name.
fn changed(before: &Catalog, after: &Catalog) -> BTreeSet<QualifiedName> {
    let mut names = BTreeSet::new();
    different(&before.tables, &after.tables, |table| &table.name, &mut names);
    different(&before.views, &after.views, |view| &view.name, &mut names);
    different(&before.sequences, &after.sequences, |sequence| &sequence.name, &mut names);
    names
}

fn different<T: PartialEq>(
    before: &[T],
    after: &[T],
    name: fn(&T) -> &QualifiedName,
    names: &mut BTreeSet<QualifiedName>,
) {
    let missing_from = |these: &[T], those: &[T], names: &mut BTreeSet<QualifiedName>| {
        let known: BTreeMap<&QualifiedName, &T> = those.iter().map(|object| (name(object), object)).collect();
        for object in these {
            if known.get(name(object)).is_none_or(|other| *other != object) {
                names.insert(name(object).clone());
            }
        }
    };
    missing_from(before, after, names);
    missing_from(after, before, names);
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbwright_model::engine::Engine;

    #[test]
    fn the_catalog_tells_whether_a_statement_was_done() {
        let parse = |sql: &str| dbwright_sql::parse_statement(Dialect::Mysql, sql);
        let mut live = Folder::new(Engine::Mariadb);
        parse("create table t (a int primary key)").iter().for_each(|change| live.apply(change));
        for sql in [
            "alter table t add column b int, add check (b > a), add index i (b)",
            "alter table t modify column b bigint not null default 3",
            "create table child (a int primary key, t int, foreign key (t) references t (a))",
            "rename table child to other",
            "drop table other",
            "create unique index u on t (a, b)",
        ] {
            let changes = parse(sql);
            // The history keeps it as a text.
            let kept = serde_json::to_string(&Expectation::of(&live, &changes)).unwrap();
            let expected: Expectation = serde_json::from_str(&kept).unwrap();
            assert!(!expected.names().is_empty(), "{sql}");
            assert!(!expected.missing_in(live.catalog()).is_empty(), "{sql}");
            changes.iter().for_each(|change| live.apply(change));
            assert_eq!(expected.missing_in(live.catalog()), Vec::<String>::new(), "{sql}");
        }
        assert_eq!(live.catalog().tables[0].uniques.len(), 1, "a unique index is a constraint there");
    }
}
