//! Puts the catalog together: columns to tables, numbers to names, constraints to indexes.

use std::collections::{HashMap, HashSet};

use dbwright_model::catalog::{
    Catalog, Column, Index, IndexKey, IndexPart, PartitionKey, Table, TableKind, UserType, UserTypeKind,
};
use dbwright_model::data_type::DataType;
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::{CatalogDraft, NumberedColumn, Parts, Readable, Relation, RelationKind};

impl CatalogDraft {
    /// Forgets the rows of a statement.
    pub fn forget(&mut self, statement: &str) {
        match statement {
            "relations" => {
                self.relations.clear();
                self.tables.clear();
                self.sequences.clear();
                self.doubts.clear();
            }
            "columns" => self.columns.clear(),
            "constraints" => {
                self.backed.clear();
                for table in &mut self.tables {
                    table.primary_key = None;
                    table.uniques.clear();
                    table.checks.clear();
                    table.foreign_keys.clear();
                    table.exclusions.clear();
                }
                for column in self.columns.values_mut().flatten() {
                    column.column.not_null_constraint = None;
                }
            }
            "indexes" => {
                for table in &mut self.tables {
                    table.indexes.clear();
                }
                for relation in self.relations.values_mut() {
                    if let RelationKind::View(view) = &mut relation.kind {
                        view.indexes.clear();
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn table_mut(&mut self, oid: i64) -> Option<&mut Table> {
        match self.relations.get(&oid)?.kind {
            RelationKind::Table(place) => self.tables.get_mut(place),
            _ => None,
        }
    }

    /// The sequences, in order.
    pub fn sequences(&self) -> Vec<Readable<'_>> {
        self.readable(|kind| matches!(kind, RelationKind::Sequence(_)))
    }

    /// The sequences that can be read: first those that can run out because they or their column are narrow, then
    /// those of the largest tables.
    pub fn sequences_by_risk(&self) -> Vec<&QualifiedName> {
        let mut found: Vec<(bool, f64, &QualifiedName)> = Vec::new();
        for relation in self.relations.values().filter(|relation| relation.readable) {
            let RelationKind::Sequence(place) = relation.kind else { continue };
            let sequence = &self.sequences[place];
            let owner = relation.owner.and_then(|(table, column)| self.column_at(table, column));
            // A sequence that belongs to no column may feed one of any width.
            let limit = owner.map_or(Some(0), |column| column.data_type.max_integer()).unwrap_or(u64::MAX);
            let narrow = sequence.max <= i64::from(i32::MAX) || limit <= i32::MAX as u64;
            let table = relation.owner.and_then(|(table, _)| self.relations.get(&table));
            found.push((narrow, table.and_then(|table| table.rows).unwrap_or(0.0), &relation.name));
        }
        found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then_with(|| a.2.cmp(b.2)));
        found.into_iter().map(|(_, _, name)| name).collect()
    }

    /// The tables, in order.
    pub fn tables(&self) -> Vec<Readable<'_>> {
        self.readable(|kind| matches!(kind, RelationKind::Table(_)))
    }

    fn readable(&self, wanted: impl Fn(&RelationKind) -> bool) -> Vec<Readable<'_>> {
        let mut found: Vec<Readable<'_>> = self
            .relations
            .values()
            .filter(|relation| wanted(&relation.kind))
            .map(|relation| Readable { oid: relation.oid, name: &relation.name, readable: relation.readable })
            .collect();
        found.sort_by(|a, b| a.name.cmp(b.name));
        found
    }

    /// The columns of a relation.
    pub fn columns_of(&self, relation: &Readable<'_>) -> Vec<&Column> {
        self.columns.get(&relation.oid).into_iter().flatten().map(|one| &one.column).collect()
    }

    /// Integer columns that are a whole key or refer to another table, and lead an index: table, column. First those
    /// that can run out because they are narrow, then those whose sequence may lag behind their values; largest tables
    /// first.
    pub fn integer_keys(&self) -> Vec<(&QualifiedName, &Name)> {
        let mut found: Vec<(bool, &Relation, &Name)> = Vec::new();
        let owners: HashSet<(i64, i64)> =
            self.relations.values().filter_map(|relation| relation.owner).collect();
        for relation in self.relations.values() {
            let RelationKind::Table(place) = relation.kind else { continue };
            let table = &self.tables[place];
            // A partition's largest value is its parent's, or less.
            if !relation.readable || relation.bound.is_some() {
                continue;
            }
            let leads = |name: &Name| {
                table.indexes.iter().filter(|index| is_ordered(index)).any(|index| {
                    matches!(index.parts.first(), Some(IndexPart { key: IndexKey::Column(first), .. }) if first == name)
                })
            };
            let keys = table.primary_key.iter().map(|key| (&key.columns, true, true));
            let uniques = table.uniques.iter().map(|key| (&key.columns, true, false));
            let references = table.foreign_keys.iter().map(|key| (&key.columns, false, true));
            for (columns, identifies, may_run_out) in keys.chain(uniques).chain(references) {
                let [name] = &columns[..] else { continue };
                let mut numbered = self.columns.get(&relation.oid).into_iter().flatten();
                let Some(numbered) = numbered.find(|one| one.column.name == *name) else {
                    continue;
                };
                let column = &numbered.column;
                let Some(limit) = column.data_type.max_integer() else { continue };
                let wide = limit > i32::MAX as u64;
                let counted = identifies && owners.contains(&(relation.oid, numbered.number.into()));
                if (counted || (may_run_out && !wide)) && !column.data_type.array && leads(name) {
                    found.push((wide, relation, &column.name));
                }
            }
        }
        found.sort_by(|(a_wide, a, a_column), (b_wide, b, b_column)| {
            let size = |relation: &Relation| relation.rows.unwrap_or(0.0);
            (a_wide.cmp(b_wide))
                .then_with(|| size(b).total_cmp(&size(a)))
                .then_with(|| (&a.name, a_column).cmp(&(&b.name, b_column)))
        });
        found.dedup_by(|a, b| a.1.oid == b.1.oid && a.2 == b.2);
        found.into_iter().map(|(_, relation, column)| (&relation.name, column)).collect()
    }

    fn numbered(&self, relation: i64, number: i64) -> Option<&NumberedColumn> {
        let columns = self.columns.get(&relation)?;
        let at = columns.binary_search_by_key(&number, |column| column.number.into()).ok()?;
        Some(&columns[at])
    }

    fn column_at(&self, relation: i64, number: i64) -> Option<&Column> {
        self.numbered(relation, number).map(|numbered| &numbered.column)
    }

    pub(super) fn names(&self, relation: i64, numbers: &[i64]) -> Vec<Name> {
        let column = |number: &i64| self.column_at(relation, *number).map(|column| column.name.clone());
        numbers.iter().filter_map(column).collect()
    }

    /// The catalog; lists are not sorted yet.
    pub fn finish(mut self) -> Catalog {
        let mut catalog = Catalog::empty(Engine::Postgres);
        self.give_sequences();
        let names: HashMap<i64, QualifiedName> = self
            .relations
            .values()
            .flat_map(|relation| relation.parents.iter())
            .filter_map(|oid| Some((*oid, self.relations.get(oid)?.name.clone())))
            .collect();
        catalog.schemas = self.schemas;
        self.doubts.sort_by(|a, b| a.object.cmp(&b.object));
        catalog.doubts = self.doubts;
        catalog.types = composites(self.types, &self.columns);
        for relation in self.relations.into_values() {
            let own_columns = self.columns.remove(&relation.oid).unwrap_or_default();
            let own_columns = own_columns.into_iter().map(|one| one.column).collect();
            let parents: Vec<QualifiedName> =
                relation.parents.iter().filter_map(|oid| names.get(oid).cloned()).collect();
            match relation.kind {
                RelationKind::Table(place) => {
                    let table = &mut self.tables[place];
                    if let Some(bound) = relation.bound
                        && let Some(of) = parents.first()
                    {
                        table.sub_partitioned = relation.partitioned.as_deref().map(|key| {
                            let (strategy, key) = partition_key(key);
                            PartitionKey { strategy, key }
                        });
                        table.kind = TableKind::Partition { of: of.clone(), bound };
                    } else {
                        table.inherits = parents;
                        if let Some(key) = relation.partitioned {
                            let (strategy, key) = partition_key(&key);
                            table.kind = TableKind::Partitioned { strategy, key };
                        }
                    }
                    table.columns = own_columns;
                }
                RelationKind::View(mut view) => {
                    view.columns = own_columns;
                    view.indexes.sort_by(|a, b| a.name.cmp(&b.name));
                    catalog.views.push(*view);
                }
                RelationKind::Sequence(_) => {}
            }
        }
        self.tables.shrink_to_fit();
        catalog.tables = self.tables;
        self.sequences.shrink_to_fit();
        catalog.sequences = self.sequences;
        catalog
    }

    /// Tells columns of their sequences and sequences of their columns.
    fn give_sequences(&mut self) {
        let mut owned: Vec<(QualifiedName, i64, (i64, i64))> = self
            .relations
            .values()
            .filter_map(|relation| Some((relation.name.clone(), relation.oid, relation.owner?)))
            .collect();
        // Of several sequences, a column gets the first.
        owned.sort_unstable_by(|a, b| b.cmp(a));
        for (name, oid, (table, number)) in owned {
            let Some(Relation { name: owner, kind: RelationKind::Table(_), .. }) = self.relations.get(&table)
            else {
                continue;
            };
            let owner = owner.clone();
            let Some(columns) = self.columns.get_mut(&table) else { continue };
            let Ok(at) = columns.binary_search_by_key(&number, |column| column.number.into()) else {
                continue;
            };
            let column = &mut columns[at].column;
            column.sequence = Some(name);
            let owned_by = Some((owner, column.name.clone()));
            if let Some(Relation { kind: RelationKind::Sequence(place), .. }) = self.relations.get(&oid) {
                self.sequences[*place].owned_by = owned_by;
            }
        }
    }

    /// The key parts of an index.
    pub(super) fn parts(
        &self,
        relation: i64,
        said: &Parts<'_>,
        keys: usize,
        ordered: bool,
    ) -> Vec<IndexPart> {
        let mut expressions = said.expressions.iter();
        let mut parts = Vec::with_capacity(keys);
        for (at, number) in said.columns[..keys].iter().enumerate() {
            let numbered = self.numbered(relation, *number);
            let key = match numbered {
                Some(numbered) => IndexKey::Column(numbered.column.name.clone()),
                None if *number == 0 => {
                    IndexKey::Expression(Expression::text(expressions.next().copied().unwrap_or_default()))
                }
                // A system column such as `tableoid`.
                None => IndexKey::Expression(Expression::text("")),
            };
            let bits = said.directions.get(at).copied().unwrap_or(0);
            let collation_id = said.collation_ids.get(at).copied().unwrap_or(0);
            // An expression's own collation is not known here; the database's default is taken for it.
            let usual = numbered.map_or(100, |numbered| numbered.collation.into());
            let collation = (collation_id != 0 && collation_id != usual).then(|| {
                if collation_id == 100 {
                    Name::new("default")
                } else {
                    said.collations.get(at).map_or(Name::DEFAULT, Name::new)
                }
            });
            let class = said.operator_classes.get(at).filter(|class| !class.is_empty());
            parts.push(IndexPart {
                key,
                descending: ordered && bits & 1 != 0,
                nulls_first: ordered && bits & 2 != 0,
                operator_class: class.map(Name::new),
                collation: collation.filter(|collation| !collation.is_empty()),
                prefix: None,
            });
        }
        parts
    }
}

/// Whether the largest value of an index's first part stands at its end.
fn is_ordered(index: &Index) -> bool {
    index.valid && index.is_btree() && index.predicate.is_none()
}

fn composites(types: Vec<(i64, UserType)>, columns: &HashMap<i64, Vec<NumberedColumn>>) -> Vec<UserType> {
    let attributes = |relation: i64| -> Vec<(Name, DataType)> {
        let columns = columns.get(&relation).into_iter().flatten();
        columns.map(|one| (one.column.name.clone(), one.column.data_type.clone())).collect()
    };
    types
        .into_iter()
        .map(|(relation, mut one)| {
            if let UserTypeKind::Composite(members) = &mut one.kind {
                *members = attributes(relation);
            }
            one
        })
        .collect()
}

/// Splits `RANGE (created_at)` into strategy and key.
fn partition_key(text: &str) -> (Name, String) {
    let (strategy, key) = text.split_once(' ').unwrap_or((text, ""));
    let key = key.trim();
    let bare = key.strip_prefix('(').and_then(|key| key.strip_suffix(')')).unwrap_or(key);
    (Name::new(strategy.to_lowercase()), bare.to_owned())
}
