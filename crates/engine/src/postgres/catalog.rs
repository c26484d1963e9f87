//! The catalog: schemas, relations, columns, constraints, indexes and types, put together by object identifier.

mod assemble;

use std::collections::HashMap;

use dbwright_model::catalog::{
    Check, Column, ConstraintKind, Doubt, Exclusion, ForeignKey, Generated, Identity, Index, Key, NotNull,
    Persistence, ReferentialAction, ReplicaIdentity, RowSecurity, Schema, Sequence, Table, TableKind,
    UserType, UserTypeKind, View,
};
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::draft::Draft;
use super::types::{self, Described};
use crate::row::{DecodeError, Row};

/// Parts of the catalog before they are put together. What hangs on a relation is put there as soon as its row comes, so
/// that a large catalog is held once.
#[derive(Default)]
pub(super) struct CatalogDraft {
    schemas: Vec<Schema>,
    relations: HashMap<i64, Relation>,
    tables: Vec<Table>,
    sequences: Vec<Sequence>,
    columns: HashMap<i64, Vec<NumberedColumn>>,
    /// The constraint that an index stands behind, by the index.
    backed: HashMap<i64, ConstraintKind>,
    types: Vec<(i64, UserType)>,
    doubts: Vec<Doubt>,
}

struct Relation {
    oid: i64,
    kind: RelationKind,
    name: QualifiedName,
    parents: Box<[i64]>,
    /// Columns, dropped ones included.
    width: usize,
    /// For a sequence: the table and column it belongs to.
    owner: Option<(i64, i64)>,
    bound: Option<String>,
    partitioned: Option<String>,
    rows: Option<f64>,
    readable: bool,
}

enum RelationKind {
    /// Its place in the list of tables.
    Table(usize),
    View(Box<View>),
    /// Its place in the list of sequences.
    Sequence(usize),
}

struct NumberedColumn {
    number: i16,
    collation: u32,
    column: Column,
}

/// What a row says of an index's parts.
struct Parts<'a> {
    columns: Vec<i64>,
    directions: Vec<i64>,
    expressions: Vec<&'a str>,
    operator_classes: Vec<&'a str>,
    collation_ids: Vec<i64>,
    collations: Vec<&'a str>,
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
    let oid = row.int("oid")?;
    // Two dependencies of one kind would give a relation two rows.
    if draft.catalog.relations.contains_key(&oid) {
        return Ok(());
    }
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
            tablespace: opt_name(row, "tablespace")?,
            access_method: access_method(row)?,
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
            let sequence = Sequence {
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
            };
            push(&mut draft.catalog.sequences, sequence);
            RelationKind::Sequence(draft.catalog.sequences.len() - 1)
        }
        _ => {
            let table = Table {
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
                access_method: access_method(row)?,
                tablespace: opt_name(row, "tablespace")?,
                clustered_on: opt_name(row, "clustered_on")?,
                of_type: match (row.opt_text("of_type_schema")?, row.opt_text("of_type")?) {
                    (Some(schema), Some(name)) => Some(QualifiedName::new(schema, name)),
                    _ => None,
                },
                owner,
                comment,
                extension,
                ..Table::default()
            };
            push(&mut draft.catalog.tables, table);
            RelationKind::Table(draft.catalog.tables.len() - 1)
        }
    };
    let relation = Relation {
        oid,
        kind,
        name: own,
        parents: row.ints("parents")?.into(),
        width: row.opt_count("width")?.and_then(|width| usize::try_from(width).ok()).unwrap_or(0),
        owner: row.opt_int("owner_table")?.zip(row.opt_int("owner_column")?),
        bound: opt_string(row, "bound")?,
        partitioned: opt_string(row, "partition_key")?,
        rows: row.opt_float("rows")?.filter(|rows| *rows >= 0.0),
        readable: row.bool("readable")?,
    };
    draft.catalog.relations.insert(oid, relation);
    Ok(())
}

/// The access method, unless it is the usual one.
fn access_method(row: &Row) -> Result<Option<Name>, DecodeError> {
    Ok(opt_name(row, "access_method")?.filter(|method| *method != "heap"))
}

/// How a column's values are stored, by the catalog's letter.
fn storage(code: &str) -> Option<Name> {
    Some(Name::new(match code {
        "p" => "plain",
        "e" => "external",
        "m" => "main",
        "x" => "extended",
        _ => return None,
    }))
}

/// How a column's values are compressed, by the catalog's letter.
fn compression(code: &str) -> Name {
    match code {
        "p" => Name::new("pglz"),
        "l" => Name::new("lz4"),
        other => Name::new(other),
    }
}

pub(super) fn column(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let expression = row.opt_text("expression")?.map(Expression::text);
    let generated = match row.text("generated")? {
        "" => None,
        kind => expression.clone().map(|expression| Box::new(Generated { expression, stored: kind == "s" })),
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
        statistics_target: row.opt_int("statistics_target")?.and_then(|target| i32::try_from(target).ok()),
        storage: row.opt_text("storage")?.and_then(storage),
        compression: row.opt_text("compression")?.map(compression),
        options: options(row, "options")?,
        ..Column::default()
    };
    let numbered = NumberedColumn {
        number: i16::try_from(row.int("number")?).unwrap_or(0),
        collation: u32::try_from(row.int("collation_id")?).unwrap_or(0),
        column,
    };
    // Rows come in any order, since sorting them costs the server more than putting them in place does here.
    let CatalogDraft { columns, relations, .. } = &mut draft.catalog;
    let relation = row.int("relation")?;
    let columns = columns
        .entry(relation)
        .or_insert_with(|| Vec::with_capacity(relations.get(&relation).map_or(0, |relation| relation.width)));
    let at = columns.partition_point(|column| column.number < numbered.number);
    make_room(columns);
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

/// Makes room for one more. Lists that double when they are full would leave a large catalog half empty.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 4);
    }
}

fn push<T>(list: &mut Vec<T>, one: T) {
    make_room(list);
    list.push(one);
}

pub(super) fn constraint(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let draft = &mut draft.catalog;
    let relation = row.int("relation")?;
    let name = name(row, "name")?;
    let kind = row.text("kind")?;
    if kind == "n" {
        return not_null(row, relation, name, draft);
    }
    let columns = draft.names(relation, &row.ints("columns")?);
    let deferrable = row.bool("deferrable")?;
    let initially_deferred = row.opt_bool("initially_deferred")?.unwrap_or(false);
    let period = row.opt_bool("period")?.unwrap_or(false);
    let (validated, enforced) = (row.bool("validated")?, row.bool("enforced")?);
    let parent = row.int("parent")?;
    let references = match kind {
        "f" => draft.relations.get(&parent).map(|parent| parent.name.clone()).unwrap_or_default(),
        _ => QualifiedName::default(),
    };
    let referenced_columns = draft.names(parent, &row.ints("parent_columns")?);
    let on_delete_columns = draft.names(relation, &row.ints("on_delete_columns")?);
    let Some(table) = draft.table_mut(relation) else { return Ok(()) };
    let backed = match kind {
        "p" | "u" => {
            // What it includes and whether nulls are distinct is told by the index.
            let key = Key {
                name: Some(name),
                columns,
                without_overlaps: period,
                deferrable,
                initially_deferred,
                ..Key::default()
            };
            if kind == "p" {
                table.primary_key = Some(key);
                ConstraintKind::PrimaryKey
            } else {
                push(&mut table.uniques, key);
                ConstraintKind::Unique
            }
        }
        "c" => {
            let expression = Expression::text(row.opt_text("expression")?.unwrap_or(""));
            let no_inherit = row.opt_bool("no_inherit")?.unwrap_or(false);
            push(&mut table.checks, Check { name: Some(name), expression, validated, enforced, no_inherit });
            return Ok(());
        }
        "f" => {
            let foreign_key = ForeignKey {
                name: Some(name),
                columns,
                references,
                referenced_columns,
                on_delete: action(row.text("on_delete")?),
                on_delete_columns,
                on_update: action(row.text("on_update")?),
                match_full: row.opt_text("match_type")? == Some("f"),
                period,
                deferrable,
                initially_deferred,
                validated,
                enforced,
                beside_column: false,
            };
            push(&mut table.foreign_keys, foreign_key);
            return Ok(());
        }
        _ => {
            let definition = row.opt_text("definition")?.unwrap_or("").to_owned();
            push(&mut table.exclusions, Exclusion { name, definition });
            ConstraintKind::Exclusion
        }
    };
    draft.backed.insert(row.int("index")?, backed);
    Ok(())
}

/// Notes at its column a `NOT NULL` constraint that is not the plain one.
fn not_null(row: &Row, relation: i64, name: Name, draft: &mut CatalogDraft) -> Result<(), DecodeError> {
    let [number] = row.ints("columns")?[..] else { return Ok(()) };
    let Some(table) = draft.relations.get(&relation).map(|relation| &relation.name.name) else {
        return Ok(());
    };
    let Some(columns) = draft.columns.get_mut(&relation) else { return Ok(()) };
    let Ok(at) = columns.binary_search_by_key(&number, |column| column.number.into()) else {
        return Ok(());
    };
    let column = &mut columns[at].column;
    // An inherited one is called as its parent's.
    let own_name =
        !row.opt_bool("inherited")?.unwrap_or(false) && name != *format!("{table}_{}_not_null", column.name);
    column.not_null_constraint = Some(NotNull {
        name: own_name.then_some(name),
        validated: row.bool("validated")?,
        no_inherit: row.opt_bool("no_inherit")?.unwrap_or(false),
    });
    Ok(())
}

pub(super) fn index(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let draft = &mut draft.catalog;
    let relation = row.int("relation")?;
    let parts = Parts {
        columns: row.ints("columns")?,
        directions: row.ints("directions")?,
        expressions: row.texts("expressions")?,
        operator_classes: row.texts("operator_classes")?,
        collation_ids: row.ints("collation_ids")?,
        collations: row.texts("collations")?,
    };
    let keys = usize::try_from(row.int("key_columns")?).unwrap_or(0).min(parts.columns.len());
    let mut index = Index {
        name: name(row, "name")?,
        unique: row.bool("unique")?,
        nulls_not_distinct: row.bool("nulls_not_distinct")?,
        method: name(row, "method")?,
        predicate: row.opt_text("predicate")?.map(Expression::text),
        backs: draft.backed.get(&row.int("oid")?).copied(),
        valid: row.bool("valid")?,
        options: options(row, "options")?,
        tablespace: opt_name(row, "tablespace")?,
        partition_of: opt_name(row, "parent")?,
        comment: opt_string(row, "comment")?,
        include: draft.names(relation, &parts.columns[keys..]),
        ..Index::default()
    };
    index.parts = draft.parts(relation, &parts, keys, index.is_btree());
    match draft.relations.get_mut(&relation).map(|relation| &mut relation.kind) {
        Some(RelationKind::Table(place)) => {
            let table = &mut draft.tables[*place];
            let key = match index.backs {
                Some(ConstraintKind::PrimaryKey) => table.primary_key.as_mut(),
                // A constraint and its index have one name.
                Some(_) => table.uniques.iter_mut().find(|key| key.name.as_ref() == Some(&index.name)),
                None => None,
            };
            if let Some(key) = key {
                key.nulls_not_distinct = index.nulls_not_distinct;
                key.include.clone_from(&index.include);
            }
            push(&mut table.indexes, index);
        }
        Some(RelationKind::View(view)) => push(&mut view.indexes, index),
        _ => {}
    }
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
    let validated = match row.value("check_validated")? {
        crate::row::Value::List(flags) => flags.clone(),
        _ => Vec::new(),
    };
    let checks = row.texts("check_names")?.into_iter().zip(expressions).enumerate();
    Ok(checks
        .map(|(at, (name, expression))| Check {
            name: Some(name.into()),
            expression: Expression::text(expression),
            validated: validated.get(at) != Some(&crate::row::Value::Bool(false)),
            ..Check::default()
        })
        .collect())
}
