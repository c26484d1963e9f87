//! The catalog: schemas, relations, columns, constraints, indexes and types, put together by object identifier.

use std::collections::HashMap;

use dbwright_model::catalog::{
    Catalog, Check, Column, ConstraintKind, Doubt, Exclusion, ForeignKey, Generated, Identity, Index,
    IndexKey, IndexPart, Key, Persistence, ReferentialAction, ReplicaIdentity, RowSecurity, Schema, Sequence,
    Table, TableKind, UserType, UserTypeKind, View,
};
use dbwright_model::data_type::DataType;
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::draft::Draft;
use super::types::{self, Described};
use crate::row::{DecodeError, Row};

/// Parts of the catalog before they are put together.
#[derive(Default)]
pub(super) struct CatalogDraft {
    schemas: Vec<Schema>,
    relations: HashMap<i64, Relation>,
    columns: HashMap<i64, Vec<NumberedColumn>>,
    constraints: Vec<Constraint>,
    indexes: Vec<DraftIndex>,
    types: Vec<(i64, UserType)>,
    doubts: Vec<Doubt>,
}

struct Relation {
    oid: i64,
    kind: RelationKind,
    name: QualifiedName,
    parents: Vec<i64>,
    /// For a sequence: the table and column it belongs to.
    owner: Option<(i64, i64)>,
    bound: Option<String>,
    partitioned: Option<String>,
    rows: Option<f64>,
    readable: bool,
}

enum RelationKind {
    Table(Box<Table>),
    View(Box<View>),
    Sequence(Box<Sequence>),
}

struct NumberedColumn {
    number: i64,
    collation: i64,
    column: Column,
}

struct Constraint {
    relation: i64,
    name: Name,
    kind: String,
    index: i64,
    columns: Vec<i64>,
    parent: i64,
    parent_columns: Vec<i64>,
    on_delete: ReferentialAction,
    on_update: ReferentialAction,
    deferrable: bool,
    validated: bool,
    enforced: bool,
    expression: Option<String>,
    definition: Option<String>,
}

struct DraftIndex {
    oid: i64,
    relation: i64,
    index: Index,
    columns: Vec<i64>,
    directions: Vec<i64>,
    key_columns: usize,
    expressions: Vec<String>,
    operator_classes: Vec<String>,
    collation_ids: Vec<i64>,
    collations: Vec<String>,
}

/// A relation that can be read, for statements made from the catalog.
pub(super) struct Readable<'a> {
    pub oid: i64,
    pub name: &'a QualifiedName,
    pub readable: bool,
}

fn name(row: &Row, column: &str) -> Result<Name, DecodeError> {
    row.text(column).map(Name::new)
}

fn opt_name(row: &Row, column: &str) -> Result<Option<Name>, DecodeError> {
    Ok(row.opt_text(column)?.map(Name::new))
}

fn opt_string(row: &Row, column: &str) -> Result<Option<String>, DecodeError> {
    Ok(row.opt_text(column)?.map(str::to_owned))
}

pub(super) fn qualified(row: &Row, schema: &str, own: &str) -> Result<QualifiedName, DecodeError> {
    Ok(QualifiedName::new(row.text(schema)?, row.text(own)?))
}

/// `name=value` pairs, sorted.
pub(super) fn options(row: &Row, column: &str) -> Result<Vec<(Name, String)>, DecodeError> {
    let mut pairs: Vec<(Name, String)> = row
        .texts(column)?
        .into_iter()
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .map(|(name, value)| (Name::new(name), value.to_owned()))
        .collect();
    pairs.sort();
    Ok(pairs)
}

pub(super) fn schema(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let schema = Schema {
        name: name(row, "name")?,
        owner: opt_name(row, "owner")?,
        comment: opt_string(row, "comment")?,
    };
    draft.catalog.schemas.push(schema);
    Ok(())
}

pub(super) fn relation(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let own = qualified(row, "schema", "name")?;
    let owner = opt_name(row, "owner")?;
    let comment = opt_string(row, "comment")?;
    let extension = opt_name(row, "extension")?;
    let view_hidden = matches!(row.text("kind")?, "v" | "m") && row.opt_text("definition")?.is_none();
    if view_hidden || row.opt_bool("locked")? == Some(true) {
        let because =
            "another session changes it or a table it reads, so its expressions could not be read".to_owned();
        draft.catalog.doubts.push(Doubt { object: Some(own.clone()), because });
    }
    let kind = match row.text("kind")? {
        kind @ ("v" | "m") => RelationKind::View(Box::new(View {
            name: own.clone(),
            materialized: kind == "m",
            populated: row.bool("populated")?,
            definition: row.opt_text("definition")?.unwrap_or("").trim().trim_end_matches(';').to_owned(),
            options: options(row, "options")?,
            owner,
            comment,
            extension,
            ..View::default()
        })),
        "S" => {
            let type_text = row.opt_text("sequence_type")?.unwrap_or("bigint");
            let type_name = match type_text {
                "smallint" => "int2",
                "integer" => "int4",
                _ => "int8",
            };
            RelationKind::Sequence(Box::new(Sequence {
                name: own.clone(),
                data_type: types::data_type(&Described {
                    text: type_text,
                    schema: "pg_catalog",
                    name: type_name,
                    kind: "b",
                    array: false,
                    modifier: -1,
                }),
                start: row.int("seqstart")?,
                increment: row.int("seqincrement")?,
                min: row.int("seqmin")?,
                max: row.int("seqmax")?,
                cycle: row.bool("seqcycle")?,
                owned_by: None,
            }))
        }
        _ => RelationKind::Table(Box::new(Table {
            name: own.clone(),
            kind: match row.opt_text("foreign_server")? {
                Some(server) => TableKind::Foreign { server: server.into() },
                None => TableKind::Ordinary,
            },
            persistence: match row.text("persistence")? {
                "u" => Persistence::Unlogged,
                "t" => Persistence::Temporary,
                _ => Persistence::Permanent,
            },
            row_security: RowSecurity {
                enabled: row.bool("row_security")?,
                forced: row.bool("row_security_forced")?,
            },
            replica_identity: match row.text("replica_identity")? {
                "n" => ReplicaIdentity::Nothing,
                "f" => ReplicaIdentity::Full,
                "i" => match opt_name(row, "replica_index")? {
                    Some(index) => ReplicaIdentity::Index(index),
                    // The index was dropped since; the server then publishes nothing.
                    None => ReplicaIdentity::Nothing,
                },
                _ => ReplicaIdentity::Default,
            },
            options: options(row, "options")?,
            owner,
            comment,
            extension,
            ..Table::default()
        })),
    };
    let oid = row.int("oid")?;
    let relation = Relation {
        oid,
        kind,
        name: own,
        parents: row.ints("parents")?,
        owner: row.opt_int("owner_table")?.zip(row.opt_int("owner_column")?),
        bound: opt_string(row, "bound")?,
        partitioned: opt_string(row, "partition_key")?,
        rows: row.opt_float("rows")?.filter(|rows| *rows >= 0.0),
        readable: row.bool("readable")?,
    };
    draft.catalog.relations.insert(oid, relation);
    Ok(())
}

pub(super) fn column(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let expression = row.opt_text("expression")?.map(Expression::text);
    let generated = match row.text("generated")? {
        "" => None,
        kind => expression.clone().map(|expression| Generated { expression, stored: kind == "s" }),
    };
    let column = Column {
        name: name(row, "name")?,
        data_type: types::data_type(&Described {
            text: row.text("type")?,
            schema: row.text("type_schema")?,
            name: row.text("type_name")?,
            kind: row.text("type_kind")?,
            array: row.bool("array")?,
            modifier: row.int("modifier")?,
        }),
        not_null: row.bool("not_null")?,
        default: if generated.is_some() { None } else { expression },
        identity: match row.text("identity")? {
            "a" => Some(Identity::Always),
            "d" => Some(Identity::ByDefault),
            _ => None,
        },
        generated,
        collation: opt_name(row, "collation")?,
        comment: opt_string(row, "comment")?,
        ..Column::default()
    };
    let numbered = NumberedColumn { number: row.int("number")?, collation: row.int("collation_id")?, column };
    // Rows come in any order, since sorting them costs the server more than putting them in place does here.
    let columns = draft.catalog.columns.entry(row.int("relation")?).or_default();
    let at = columns.partition_point(|column| column.number < numbered.number);
    columns.insert(at, numbered);
    Ok(())
}

fn action(code: &str) -> ReferentialAction {
    match code {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull,
        "d" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

pub(super) fn constraint(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let constraint = Constraint {
        relation: row.int("relation")?,
        name: name(row, "name")?,
        kind: row.text("kind")?.to_owned(),
        index: row.int("index")?,
        columns: row.ints("columns")?,
        parent: row.int("parent")?,
        parent_columns: row.ints("parent_columns")?,
        on_delete: action(row.text("on_delete")?),
        on_update: action(row.text("on_update")?),
        deferrable: row.bool("deferrable")?,
        validated: row.bool("validated")?,
        enforced: row.bool("enforced")?,
        expression: opt_string(row, "expression")?,
        definition: opt_string(row, "definition")?,
    };
    draft.catalog.constraints.push(constraint);
    Ok(())
}

pub(super) fn index(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let strings = |column| -> Result<Vec<String>, DecodeError> {
        Ok(row.texts(column)?.into_iter().map(str::to_owned).collect())
    };
    let index = DraftIndex {
        oid: row.int("oid")?,
        relation: row.int("relation")?,
        index: Index {
            name: name(row, "name")?,
            unique: row.bool("unique")?,
            nulls_not_distinct: row.bool("nulls_not_distinct")?,
            method: name(row, "method")?,
            predicate: row.opt_text("predicate")?.map(Expression::text),
            valid: row.bool("valid")?,
            options: options(row, "options")?,
            partition_of: opt_name(row, "parent")?,
            comment: opt_string(row, "comment")?,
            ..Index::default()
        },
        columns: row.ints("columns")?,
        directions: row.ints("directions")?,
        key_columns: usize::try_from(row.int("key_columns")?).unwrap_or(0),
        expressions: strings("expressions")?,
        operator_classes: strings("operator_classes")?,
        collation_ids: row.ints("collation_ids")?,
        collations: strings("collations")?,
    };
    draft.catalog.indexes.push(index);
    Ok(())
}

pub(super) fn user_type(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let kind = match row.text("kind")? {
        "e" => UserTypeKind::Enum(row.texts("labels")?.into_iter().map(str::to_owned).collect()),
        "d" => UserTypeKind::Domain {
            base: types::data_type(&Described {
                text: row.text("base_type")?,
                schema: row.text("base_schema")?,
                name: row.text("base_name")?,
                kind: row.text("base_kind")?,
                array: row.bool("base_array")?,
                modifier: row.int("base_modifier")?,
            }),
            not_null: row.bool("not_null")?,
            default: row.opt_text("default_text")?.map(Expression::text),
            checks: domain_checks(row)?,
        },
        "c" => UserTypeKind::Composite(Vec::new()),
        _ => UserTypeKind::Other,
    };
    let user_type = UserType {
        name: qualified(row, "schema", "name")?,
        kind,
        comment: opt_string(row, "comment")?,
        extension: opt_name(row, "extension")?,
    };
    draft.catalog.types.push((row.int("relation")?, user_type));
    Ok(())
}

fn domain_checks(row: &Row) -> Result<Vec<Check>, DecodeError> {
    let expressions = row.texts("check_expressions")?;
    let validated = match row.value("check_validated") {
        crate::row::Value::List(flags) => flags.clone(),
        _ => Vec::new(),
    };
    let checks = row.texts("check_names")?.into_iter().zip(expressions).enumerate();
    Ok(checks
        .map(|(at, (name, expression))| Check {
            name: Some(name.into()),
            expression: Expression::text(expression),
            validated: validated.get(at) != Some(&crate::row::Value::Bool(false)),
            enforced: true,
        })
        .collect())
}

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

    /// Integer columns that are a whole primary key or refer to another table, and lead an index: table, column,
    /// largest tables first.
    pub fn integer_keys(&self) -> Vec<(&QualifiedName, &Name)> {
        let mut found: Vec<(&Relation, &Name)> = Vec::new();
        let mut leading: Vec<(i64, i64)> = self
            .indexes
            .iter()
            .filter(|index| index.index.valid && index.index.is_btree() && index.index.predicate.is_none())
            .filter_map(|index| Some((index.relation, *index.columns.first()?)))
            .collect();
        leading.sort_unstable();
        for constraint in &self.constraints {
            let [number] = constraint.columns[..] else { continue };
            if !matches!(constraint.kind.as_str(), "p" | "f")
                || leading.binary_search(&(constraint.relation, number)).is_err()
            {
                continue;
            }
            let Some(relation) = self.relations.get(&constraint.relation) else { continue };
            let Some(column) = self.column_at(constraint.relation, number) else { continue };
            // A partition's largest value is its parent's, or less.
            if column.data_type.max_integer().is_some_and(|max| max <= i32::MAX as u64)
                && !column.data_type.array
                && relation.readable
                && relation.bound.is_none()
            {
                found.push((relation, &column.name));
            }
        }
        found.sort_by(|(a, a_column), (b, b_column)| {
            let size = |relation: &Relation| relation.rows.unwrap_or(0.0);
            size(b).total_cmp(&size(a)).then_with(|| (&a.name, a_column).cmp(&(&b.name, b_column)))
        });
        found.dedup_by(|a, b| a.0.oid == b.0.oid && a.1 == b.1);
        found.into_iter().map(|(relation, column)| (&relation.name, column)).collect()
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

    fn owned_sequences(&self, names: &HashMap<i64, QualifiedName>) -> HashMap<(i64, i64), QualifiedName> {
        let sequences = self.relations.values().filter_map(|relation| Some((relation.owner?, relation.oid)));
        sequences.filter_map(|(owner, oid)| Some((owner, names.get(&oid)?.clone()))).collect()
    }

    fn constrained(&self) -> HashMap<i64, Table> {
        let nulls_not_distinct: HashMap<i64, bool> =
            self.indexes.iter().map(|index| (index.oid, index.index.nulls_not_distinct)).collect();
        let mut tables: HashMap<i64, Table> = HashMap::new();
        for constraint in &self.constraints {
            let table = tables.entry(constraint.relation).or_default();
            let columns = self.names(constraint.relation, &constraint.columns);
            let name = Some(constraint.name.clone());
            match constraint.kind.as_str() {
                "p" | "u" => {
                    let key = Key {
                        name,
                        columns,
                        nulls_not_distinct: nulls_not_distinct.get(&constraint.index) == Some(&true),
                        deferrable: constraint.deferrable,
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
                    on_update: constraint.on_update,
                    deferrable: constraint.deferrable,
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
