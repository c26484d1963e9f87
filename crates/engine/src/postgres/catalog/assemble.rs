//! Puts the catalog together: columns to tables, numbers to names, constraints to indexes.

use std::collections::{HashMap, HashSet};

use dbwright_model::catalog::{
    Catalog, Check, Column, ConstraintKind, Exclusion, ForeignKey, Index, IndexKey, IndexPart, Key, NotNull,
    PartitionKey, Table, TableKind, UserType, UserTypeKind,
};
use dbwright_model::data_type::DataType;
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::{CatalogDraft, DraftIndex, NumberedColumn, Readable, Relation, RelationKind};

impl CatalogDraft {
    /// Forgets the rows of a statement.
    pub fn forget(&mut self, statement: &str) {
        match statement {
            "relations" => {
                self.relations.clear();
                self.doubts.clear();
            }
            "columns" => self.columns.clear(),
            "constraints" => self.constraints.clear(),
            "indexes" => self.indexes.clear(),
            _ => {}
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
            let RelationKind::Sequence(sequence) = &relation.kind else { continue };
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
        let mut leading: Vec<(i64, i64)> = self
            .indexes
            .iter()
            .filter(|index| index.index.valid && index.index.is_btree() && index.index.predicate.is_none())
            .filter_map(|index| Some((index.relation, *index.columns.first()?)))
            .collect();
        leading.sort_unstable();
        let owners: HashSet<(i64, i64)> =
            self.relations.values().filter_map(|relation| relation.owner).collect();
        for constraint in &self.constraints {
            let [number] = constraint.columns[..] else { continue };
            let place = (constraint.relation, number);
            let counted = matches!(constraint.kind.as_str(), "p" | "u") && owners.contains(&place);
            if !(counted || matches!(constraint.kind.as_str(), "p" | "f"))
                || leading.binary_search(&place).is_err()
            {
                continue;
            }
            let Some(relation) = self.relations.get(&constraint.relation) else { continue };
            let Some(column) = self.column_at(constraint.relation, number) else { continue };
            let Some(limit) = column.data_type.max_integer() else { continue };
            let wide = limit > i32::MAX as u64;
            // A partition's largest value is its parent's, or less.
            if (counted || !wide) && !column.data_type.array && relation.readable && relation.bound.is_none()
            {
                found.push((wide, relation, &column.name));
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

    fn column_at(&self, relation: i64, number: i64) -> Option<&Column> {
        let columns = self.columns.get(&relation)?;
        let at = columns.binary_search_by_key(&number, |column| column.number).ok()?;
        Some(&columns[at].column)
    }

    fn names(&self, relation: i64, numbers: &[i64]) -> Vec<Name> {
        let column = |number: &i64| self.column_at(relation, *number).map(|column| column.name.clone());
        numbers.iter().filter_map(column).collect()
    }

    /// The catalog; lists are not sorted yet.
    pub fn finish(mut self) -> Catalog {
        let mut catalog = Catalog::empty(Engine::Postgres);
        self.note_not_nulls();
        let mut indexes = self.indexes();
        let mut constrained = self.constrained();
        let names: HashMap<i64, QualifiedName> =
            self.relations.values().map(|relation| (relation.oid, relation.name.clone())).collect();
        let owned = self.owned_sequences(&names);
        let mut owners: HashMap<QualifiedName, (QualifiedName, Name)> = owned
            .iter()
            .filter_map(|(&(table, number), sequence)| {
                let column = self.column_at(table, number)?;
                Some((sequence.clone(), (names.get(&table)?.clone(), column.name.clone())))
            })
            .collect();
        catalog.schemas = self.schemas;
        self.doubts.sort_by(|a, b| a.object.cmp(&b.object));
        catalog.doubts = self.doubts;
        catalog.types = composites(self.types, &self.columns);
        for relation in self.relations.into_values() {
            let own_columns = self.columns.remove(&relation.oid).unwrap_or_default();
            let parents: Vec<QualifiedName> =
                relation.parents.iter().filter_map(|oid| names.get(oid).cloned()).collect();
            match relation.kind {
                RelationKind::Table(mut table) => {
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
                    table.columns = own_columns
                        .into_iter()
                        .map(|one| Column {
                            sequence: owned.get(&(relation.oid, one.number)).cloned(),
                            ..one.column
                        })
                        .collect();
                    if let Some(constrained) = constrained.remove(&relation.oid) {
                        table.primary_key = constrained.primary_key;
                        table.uniques = constrained.uniques;
                        table.checks = constrained.checks;
                        table.foreign_keys = constrained.foreign_keys;
                        table.exclusions = constrained.exclusions;
                    }
                    table.indexes = indexes.remove(&relation.oid).unwrap_or_default();
                    catalog.tables.push(*table);
                }
                RelationKind::View(mut view) => {
                    view.columns = own_columns.into_iter().map(|one| one.column).collect();
                    view.indexes = indexes.remove(&relation.oid).unwrap_or_default();
                    view.indexes.sort_by(|a, b| a.name.cmp(&b.name));
                    catalog.views.push(*view);
                }
                RelationKind::Sequence(sequence) => catalog.sequences.push(*sequence),
            }
        }
        for sequence in &mut catalog.sequences {
            sequence.owned_by = owners.remove(&sequence.name);
        }
        catalog
    }

    /// Notes at their columns which `NOT NULL` constraints are not the plain ones.
    fn note_not_nulls(&mut self) {
        for constraint in self.constraints.iter().filter(|constraint| constraint.kind == "n") {
            let [number] = constraint.columns[..] else { continue };
            let Some(relation) = self.relations.get(&constraint.relation) else { continue };
            let Some(columns) = self.columns.get_mut(&constraint.relation) else { continue };
            let Ok(at) = columns.binary_search_by_key(&number, |column| column.number) else { continue };
            let column = &mut columns[at].column;
            let usual = format!("{}_{}_not_null", relation.name.name, column.name);
            // An inherited one is called as its parent's.
            let own_name = !constraint.inherited && constraint.name != *usual;
            column.not_null_constraint = Some(NotNull {
                name: own_name.then(|| constraint.name.clone()),
                validated: constraint.validated,
                no_inherit: constraint.no_inherit,
            });
        }
    }

    fn owned_sequences(&self, names: &HashMap<i64, QualifiedName>) -> HashMap<(i64, i64), QualifiedName> {
        let sequences = self.relations.values().filter_map(|relation| Some((relation.owner?, relation.oid)));
        sequences.filter_map(|(owner, oid)| Some((owner, names.get(&oid)?.clone()))).collect()
    }

    fn constrained(&self) -> HashMap<i64, Table> {
        let nulls_not_distinct: HashMap<i64, bool> =
            self.indexes.iter().map(|index| (index.oid, index.index.nulls_not_distinct)).collect();
        let mut includes: HashMap<i64, Vec<Name>> = self
            .indexes
            .iter()
            .filter(|index| index.key_columns < index.columns.len())
            .map(|index| (index.oid, self.names(index.relation, &index.columns[index.key_columns..])))
            .collect();
        let mut tables: HashMap<i64, Table> = HashMap::new();
        for constraint in self.constraints.iter().filter(|constraint| constraint.kind != "n") {
            let table = tables.entry(constraint.relation).or_default();
            let columns = self.names(constraint.relation, &constraint.columns);
            let name = Some(constraint.name.clone());
            match constraint.kind.as_str() {
                "p" | "u" => {
                    let key = Key {
                        name,
                        columns,
                        include: includes.remove(&constraint.index).unwrap_or_default(),
                        nulls_not_distinct: nulls_not_distinct.get(&constraint.index) == Some(&true),
                        without_overlaps: constraint.period,
                        deferrable: constraint.deferrable,
                        initially_deferred: constraint.initially_deferred,
                        ..Key::default()
                    };
                    if constraint.kind == "p" {
                        table.primary_key = Some(key);
                    } else {
                        table.uniques.push(key);
                    }
                }
                "c" => table.checks.push(Check {
                    name,
                    expression: Expression::text(constraint.expression.clone().unwrap_or_default()),
                    validated: constraint.validated,
                    enforced: constraint.enforced,
                    no_inherit: constraint.no_inherit,
                }),
                "f" => table.foreign_keys.push(ForeignKey {
                    name,
                    columns,
                    references: self
                        .relations
                        .get(&constraint.parent)
                        .map(|parent| parent.name.clone())
                        .unwrap_or_default(),
                    referenced_columns: self.names(constraint.parent, &constraint.parent_columns),
                    on_delete: constraint.on_delete,
                    on_delete_columns: self.names(constraint.relation, &constraint.on_delete_columns),
                    on_update: constraint.on_update,
                    match_full: constraint.match_full,
                    period: constraint.period,
                    deferrable: constraint.deferrable,
                    initially_deferred: constraint.initially_deferred,
                    validated: constraint.validated,
                    enforced: constraint.enforced,
                }),
                _ => table.exclusions.push(Exclusion {
                    name: constraint.name.clone(),
                    definition: constraint.definition.clone().unwrap_or_default(),
                }),
            }
        }
        tables
    }

    fn indexes(&self) -> HashMap<i64, Vec<Index>> {
        let backed: HashMap<i64, ConstraintKind> = self
            .constraints
            .iter()
            .filter_map(|constraint| {
                let kind = match constraint.kind.as_str() {
                    "p" => ConstraintKind::PrimaryKey,
                    "u" => ConstraintKind::Unique,
                    "x" => ConstraintKind::Exclusion,
                    _ => return None,
                };
                Some((constraint.index, kind))
            })
            .collect();
        let mut found: HashMap<i64, Vec<Index>> = HashMap::new();
        for draft in &self.indexes {
            let mut index = draft.index.clone();
            let keys = draft.key_columns.min(draft.columns.len());
            index.parts = self.parts(draft, keys);
            index.include = self.names(draft.relation, &draft.columns[keys..]);
            index.backs = backed.get(&draft.oid).copied();
            found.entry(draft.relation).or_default().push(index);
        }
        found
    }

    fn parts(&self, draft: &DraftIndex, keys: usize) -> Vec<IndexPart> {
        let mut expressions = draft.expressions.iter();
        let ordered = draft.index.is_btree();
        let mut parts = Vec::with_capacity(keys);
        for (at, number) in draft.columns[..keys].iter().enumerate() {
            let numbered = self
                .columns
                .get(&draft.relation)
                .and_then(|columns| columns.iter().find(|column| column.number == *number));
            let key = match numbered {
                Some(numbered) => IndexKey::Column(numbered.column.name.clone()),
                None if *number == 0 => {
                    IndexKey::Expression(Expression::text(expressions.next().cloned().unwrap_or_default()))
                }
                // A system column such as `tableoid`.
                None => IndexKey::Expression(Expression::text("")),
            };
            let bits = draft.directions.get(at).copied().unwrap_or(0);
            let collation_id = draft.collation_ids.get(at).copied().unwrap_or(0);
            // An expression's own collation is not known here; the database's default is taken for it.
            let usual = numbered.map_or(100, |numbered| numbered.collation);
            let collation = (collation_id != 0 && collation_id != usual).then(|| {
                if collation_id == 100 {
                    Name::new("default")
                } else {
                    draft.collations.get(at).map_or(Name::DEFAULT, Name::new)
                }
            });
            let class = draft.operator_classes.get(at).filter(|class| !class.is_empty());
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
