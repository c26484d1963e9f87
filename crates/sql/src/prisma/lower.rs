//! Models and enums as changes.

use std::sync::Arc;

use dbwright_model::catalog::{
    Column, ForeignKey, Index, IndexKey, IndexPart, Key, ReferentialAction, Table, UserType, UserTypeKind,
};
use dbwright_model::change::Change;
use dbwright_model::data_type::DataType;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::Lowered;
use super::syntax::{Attribute, Block, Line, Schema, Value};
use crate::names;

struct Lowering<'a> {
    engine: Engine,
    schema: &'a Schema,
    /// Whether the schema says that relations are kept by the client, without foreign keys.
    no_foreign_keys: bool,
    lowered: Lowered,
}

pub(super) fn lower(engine: Engine, schema: &Schema) -> Lowered {
    let source = schema.blocks.iter().find(|block| block.kind == "datasource");
    let mode = source.and_then(|source| {
        source.property("relationMode").or_else(|| source.property("referentialIntegrity"))
    });
    let mut lowering = Lowering {
        engine,
        schema,
        no_foreign_keys: mode.and_then(Value::text) == Some("prisma"),
        lowered: Lowered { skipped: schema.skipped.clone(), ..Lowered::default() },
    };
    lowering.schemas();
    if engine == Engine::Postgres {
        for block in schema.blocks.iter().filter(|block| block.kind == "enum") {
            lowering.create_enum(block);
        }
    }
    let mut later = Vec::new();
    for block in lowering.models() {
        lowering.model(block, &mut later);
    }
    lowering.many_to_many(&mut later);
    let (indexes, foreign_keys): (Vec<_>, Vec<_>) =
        later.into_iter().partition(|change| !matches!(change, Change::AddForeignKey { .. }));
    lowering.lowered.changes.extend(indexes);
    if !lowering.no_foreign_keys {
        lowering.lowered.changes.extend(foreign_keys);
    }
    lowering.lowered
}

impl<'a> Lowering<'a> {
    fn models(&self) -> Vec<&'a Block> {
        self.schema.blocks.iter().filter(|block| block.kind == "model").collect()
    }

    fn model_named(&self, name: &str) -> Option<&'a Block> {
        self.schema.blocks.iter().find(|block| block.kind == "model" && block.name == name)
    }

    fn enum_named(&self, name: &str) -> Option<&'a Block> {
        self.schema.blocks.iter().find(|block| block.kind == "enum" && block.name == name)
    }

    fn schemas(&mut self) {
        let mut names: Vec<Name> = self
            .schema
            .blocks
            .iter()
            .map(|block| qualified(block).schema)
            .filter(|s| !s.is_empty())
            .collect();
        names.sort();
        names.dedup();
        for name in names.into_iter().filter(|name| *name != "public") {
            self.lowered.changes.push(Change::CreateSchema { name, if_not_exists: true });
        }
    }

    fn create_enum(&mut self, block: &Block) {
        self.lowered.changes.push(Change::CreateType {
            user_type: UserType {
                name: qualified(block),
                kind: UserTypeKind::Enum(labels(block)),
                comment: None,
                extension: None,
            },
        });
    }

    fn model(&mut self, block: &'a Block, later: &mut Vec<Change>) {
        let name = qualified(block);
        let mut table = Table { name: name.clone(), ..Table::default() };
        self.lowered.tables.push((name.name.clone(), block.place.clone()));
        self.lowered.models.push((name.name.clone(), block.name.clone()));
        let mut primary: Option<(Vec<Name>, Option<Name>)> = None;
        for line in block.fields() {
            let Some(column) = self.column(line) else {
                self.relation(block, line, &name, later);
                continue;
            };
            self.lowered.columns.push((name.name.clone(), column.name.clone(), line.place.clone()));
            self.lowered.fields.push((name.name.clone(), column.name.clone(), line.name().to_owned()));
            if let Some(id) = line.attribute("id") {
                primary = Some((vec![column.name.clone()], map(id)));
            }
            if let Some(unique) = line.attribute("unique") {
                let part = IndexPart::column(&column.name);
                self.index(&name, unique, vec![part], true, &line.place, later);
            }
            table.columns.push(column);
        }
        for (place, attribute) in block.attributes() {
            let kind = attribute.name.as_str();
            match kind {
                "id" => {
                    let columns = self.parts(block, attribute);
                    let columns = columns.iter().filter_map(IndexPart::as_column).cloned().collect();
                    primary = Some((columns, map(attribute)));
                }
                "unique" | "index" | "fulltext" => {
                    let parts = self.parts(block, attribute);
                    self.index(&name, attribute, parts, kind == "unique", place, later);
                }
                _ => {}
            }
        }
        if let Some((columns, mapped)) = primary {
            for column in &mut table.columns {
                column.not_null |= columns.contains(&column.name);
            }
            let generated = || match self.engine.dialect() {
                Dialect::Postgres => {
                    Some(Name::from(names::postgres_object_name(name.name.as_str(), "", "pkey")))
                }
                Dialect::Mysql => Some(Name::new("PRIMARY")),
                Dialect::Sqlite => None,
            };
            let key_name = mapped.filter(|_| self.engine == Engine::Postgres).or_else(generated);
            table.primary_key = Some(Key { name: key_name, columns, ..Key::default() });
        }
        self.lowered.changes.push(Change::CreateTable { table: Box::new(table), if_not_exists: false });
    }

    /// The column of a field; `None` when the field is a relation.
    fn column(&self, line: &Line) -> Option<Column> {
        let type_name = line.words.get(1)?;
        if self.model_named(type_name).is_some() {
            return None;
        }
        let mut column = Column { name: column_name(line), ..Column::default() };
        let integer = matches!(type_name.as_str(), "Int" | "BigInt");
        column.data_type = self.data_type(line, type_name);
        // A list may be null in the database, whatever the client says.
        column.not_null = !line.optional && !line.list;
        let default = line.attribute("default").and_then(|default| default.argument("value", true));
        match default {
            Some(Value::Word(word, _)) if word == "autoincrement" && integer => {
                column.auto_increment = true;
                column.not_null = true;
            }
            Some(value) => column.default = self.default(value, type_name, line.list),
            None => {}
        }
        Some(column)
    }

    fn data_type(&self, line: &Line, type_name: &str) -> DataType {
        let dialect = self.engine.dialect();
        if let Some(text) = &line.unsupported {
            return crate::data_type(dialect, text);
        }
        if let Some(block) = self.enum_named(type_name) {
            return self.enum_type(block, line.list);
        }
        let native = line.attributes.iter().find(|attribute| attribute.name.starts_with("db."));
        let text = match native {
            Some(native) => native_type(dialect, native),
            None => scalar_type(dialect, type_name).to_owned(),
        };
        let text = if line.list && dialect == Dialect::Postgres { format!("{text}[]") } else { text };
        crate::data_type(dialect, &text)
    }

    fn enum_type(&self, block: &Block, list: bool) -> DataType {
        match self.engine.dialect() {
            Dialect::Postgres => {
                let name = qualified(block);
                let short = crate::quote_identifier(Dialect::Postgres, name.name.as_str());
                let text = match name.schema.as_str() {
                    "" => short,
                    schema => format!("{}.{short}", crate::quote_identifier(Dialect::Postgres, schema)),
                };
                let text = if list { format!("{text}[]") } else { text };
                crate::data_type(Dialect::Postgres, &text)
            }
            Dialect::Mysql => {
                let labels: Vec<String> =
                    labels(block).iter().map(|label| format!("'{}'", label.replace('\'', "''"))).collect();
                crate::data_type(Dialect::Mysql, &format!("enum({})", labels.join(",")))
            }
            Dialect::Sqlite => crate::data_type(Dialect::Sqlite, "TEXT"),
        }
    }

    /// The default that the database keeps: generated keys of the client have none.
    fn default(&self, value: &Value, type_name: &str, list: bool) -> Option<Expression> {
        let dialect = self.engine.dialect();
        let text = match value {
            Value::Word(word, arguments) => match word.as_str() {
                "now" if dialect == Dialect::Mysql => "CURRENT_TIMESTAMP(3)".to_owned(),
                "now" => "CURRENT_TIMESTAMP".to_owned(),
                "dbgenerated" => arguments.first().and_then(|(_, value)| value.text())?.to_owned(),
                "true" | "false" => word.clone(),
                _ => {
                    let labels = self.enum_named(type_name)?;
                    let label = labels.fields().find(|line| line.name() == word).map(column_name)?;
                    quoted(label.as_str())
                }
            },
            Value::Number(number) => number.clone(),
            Value::Text(text) => quoted(text),
            Value::List(values) if list && dialect == Dialect::Postgres => {
                let values: Option<Vec<String>> = values
                    .iter()
                    .map(|value| self.default(value, type_name, false).map(|value| value.text))
                    .collect();
                format!("ARRAY[{}]", values?.join(", "))
            }
            Value::List(_) => return None,
        };
        let tree = crate::parse_expression(dialect, &text).map(Arc::new);
        Some(Expression { text, tree })
    }

    /// The key parts of `@@index([a, b(sort: Desc)])`.
    fn parts(&self, block: &Block, attribute: &Attribute) -> Vec<IndexPart> {
        let Some(fields) = attribute.argument("fields", true) else { return Vec::new() };
        let mut parts = Vec::new();
        for field in fields.list() {
            let Value::Word(word, options) = field else { continue };
            let line = block.fields().find(|line| line.name() == word);
            let mut part = IndexPart::column(line.map_or_else(|| Name::new(word), column_name));
            for (name, value) in options {
                match (name.as_deref(), value) {
                    (Some("sort"), Value::Word(order, _)) => part.descending = order == "Desc",
                    (Some("length"), Value::Number(length)) => part.prefix = length.parse().ok(),
                    (Some("ops"), Value::Word(class, inside)) => {
                        let raw = inside.first().and_then(|(_, value)| value.text());
                        part.operator_class =
                            Some(Name::new(raw.map_or_else(|| snake(class), str::to_owned)));
                    }
                    _ => {}
                }
            }
            part.nulls_first = part.descending && self.engine == Engine::Postgres;
            parts.push(part);
        }
        parts
    }

    fn index(
        &mut self,
        table: &QualifiedName,
        attribute: &Attribute,
        parts: Vec<IndexPart>,
        unique: bool,
        place: &dbwright_model::finding::Location,
        later: &mut Vec<Change>,
    ) {
        if parts.is_empty() {
            let because = "an index without fields".to_owned();
            self.lowered.skipped.push((place.clone(), format!("@{}", attribute.name), because));
            return;
        }
        let columns = parts.iter().filter_map(|part| match &part.key {
            IndexKey::Column(name) => Some(name.as_str()),
            IndexKey::Expression(_) => None,
        });
        let middle = names::joined_columns(columns);
        let label = if unique { "key" } else { "idx" };
        let generated = || Name::from(names::postgres_object_name(table.name.as_str(), &middle, label));
        let mut index =
            Index { name: map(attribute).unwrap_or_else(generated), parts, unique, ..Index::default() };
        if let Some(method) = attribute.named("type").and_then(Value::word) {
            index.method = Name::from(snake(method));
        }
        if attribute.name == "fulltext" {
            index.method = Name::new("fulltext");
        }
        self.lowered.indexes.push((index.name.clone(), place.clone()));
        if self.engine.dialect() == Dialect::Mysql
            && unique
            && index.parts.iter().all(|part| part.prefix.is_none())
        {
            // MySQL knows no difference between a unique index and a unique constraint.
            let columns = index.parts.iter().filter_map(IndexPart::as_column).cloned().collect();
            let key = Key { name: Some(index.name), columns, ..Key::default() };
            later.push(Change::AddUnique {
                alter: Default::default(),
                table: table.clone(),
                key,
                using_index: None,
            });
            return;
        }
        later.push(Change::CreateIndex {
            online: Default::default(),
            table: table.clone(),
            index: Box::new(index),
            concurrently: false,
            if_not_exists: false,
            only: false,
        });
    }

    /// The foreign key of a relation field that names its columns.
    fn relation(&mut self, block: &Block, line: &Line, table: &QualifiedName, later: &mut Vec<Change>) {
        let Some(relation) = line.attribute("relation") else { return };
        let Some(fields) = relation.named("fields") else { return };
        let Some(parent) = line.words.get(1).and_then(|name| self.model_named(name)) else { return };
        let mut optional = false;
        let columns: Vec<Name> = fields
            .list()
            .into_iter()
            .filter_map(|field| {
                let own = block.fields().find(|line| Some(line.name()) == field.word())?;
                optional |= own.optional;
                Some(column_name(own))
            })
            .collect();
        let referenced_columns: Vec<Name> = relation
            .named("references")
            .map(|references| {
                let columns = references.list().into_iter();
                columns
                    .filter_map(|field| parent.fields().find(|line| Some(line.name()) == field.word()))
                    .map(column_name)
                    .collect()
            })
            .unwrap_or_default();
        if columns.is_empty() || columns.len() != referenced_columns.len() {
            let because = "the fields of the relation are not all there".to_owned();
            self.lowered.skipped.push((line.place.clone(), line.words.join(" "), because));
            return;
        }
        let action = |name: &str, otherwise| relation.named(name).and_then(action).unwrap_or(otherwise);
        let on_delete = if optional { ReferentialAction::SetNull } else { ReferentialAction::Restrict };
        let middle = names::joined_columns(columns.iter().map(Name::as_str));
        let name = map(relation)
            .unwrap_or_else(|| Name::from(names::postgres_object_name(table.name.as_str(), &middle, "fkey")));
        later.push(Change::AddForeignKey {
            alter: Default::default(),
            table: table.clone(),
            foreign_key: Box::new(ForeignKey {
                name: Some(name).filter(|_| self.engine != Engine::Sqlite),
                columns,
                references: qualified(parent),
                referenced_columns,
                on_delete: action("onDelete", on_delete),
                on_update: action("onUpdate", ReferentialAction::Cascade),
                ..ForeignKey::default()
            }),
        });
    }

    /// Tables between models that list each other.
    fn many_to_many(&mut self, later: &mut Vec<Change>) {
        let mut done: Vec<Name> = Vec::new();
        for block in self.models() {
            for line in block.fields().filter(|line| line.list) {
                let Some(other) = line.words.get(1).and_then(|name| self.model_named(name)) else { continue };
                let named = relation_name(line);
                let counterpart = other.fields().any(|back| {
                    back.list
                        && back.words.get(1) == Some(&block.name)
                        && relation_name(back) == named
                        && !(std::ptr::eq(other, block) && back.name() == line.name())
                });
                let itself = std::ptr::eq(other, block) && named.is_some();
                if !counterpart && !itself || counterpart_has_key(other, block, &named) {
                    continue;
                }
                let (a, b) = if block.name <= other.name { (block, other) } else { (other, block) };
                let name = match &named {
                    Some(name) => Name::from(format!("_{name}")),
                    None => Name::from(format!("_{}To{}", a.name, b.name)),
                };
                if done.contains(&name) {
                    continue;
                }
                done.push(name.clone());
                self.join_table(name, a, b, line, later);
            }
        }
    }

    fn join_table(&mut self, name: Name, a: &Block, b: &Block, line: &Line, later: &mut Vec<Change>) {
        let full = QualifiedName { schema: qualified(a).schema, name: name.clone() };
        let id = |block: &Block| {
            let line = block.fields().find(|line| line.attribute("id").is_some())?;
            let column = self.column(line)?;
            Some((column.name, column.data_type))
        };
        let (Some(a_id), Some(b_id)) = (id(a), id(b)) else { return };
        let column = |name: &str, data_type: &DataType| Column {
            name: Name::new(name),
            data_type: data_type.clone(),
            not_null: true,
            ..Column::default()
        };
        let postgres = self.engine == Engine::Postgres;
        let key = Key {
            name: Some(Name::from(format!("{name}_AB_pkey"))),
            columns: vec![Name::new("A"), Name::new("B")],
            ..Key::default()
        };
        let table = Table {
            name: full.clone(),
            columns: vec![column("A", &a_id.1), column("B", &b_id.1)],
            primary_key: postgres.then_some(key),
            ..Table::default()
        };
        self.lowered.tables.push((name.clone(), line.place.clone()));
        self.lowered.changes.push(Change::CreateTable { table: Box::new(table), if_not_exists: false });
        let index = |index: Index| Change::CreateIndex {
            online: Default::default(),
            table: full.clone(),
            index: Box::new(index),
            concurrently: false,
            if_not_exists: false,
            only: false,
        };
        if !postgres {
            later.push(index(Index {
                name: Name::from(format!("{name}_AB_unique")),
                parts: vec![IndexPart::column("A"), IndexPart::column("B")],
                unique: true,
                ..Index::default()
            }));
        }
        later.push(index(Index {
            name: Name::from(format!("{name}_B_index")),
            parts: vec![IndexPart::column("B")],
            ..Index::default()
        }));
        for (column, parent, id) in [("A", a, a_id.0), ("B", b, b_id.0)] {
            later.push(Change::AddForeignKey {
                alter: Default::default(),
                table: full.clone(),
                foreign_key: Box::new(ForeignKey {
                    name: Some(Name::from(format!("{name}_{column}_fkey")))
                        .filter(|_| self.engine != Engine::Sqlite),
                    columns: vec![Name::new(column)],
                    references: qualified(parent),
                    referenced_columns: vec![id],
                    on_delete: ReferentialAction::Cascade,
                    on_update: ReferentialAction::Cascade,
                    ..ForeignKey::default()
                }),
            });
        }
    }
}

/// Whether the relation is kept by a column on the other side after all.
fn counterpart_has_key(other: &Block, block: &Block, named: &Option<String>) -> bool {
    other.fields().any(|back| {
        back.words.get(1) == Some(&block.name)
            && relation_name(back) == *named
            && back.attribute("relation").is_some_and(|relation| relation.named("fields").is_some())
    })
}

fn relation_name(line: &Line) -> Option<String> {
    line.attribute("relation")?.argument("name", true)?.text().map(str::to_owned)
}

fn map(attribute: &Attribute) -> Option<Name> {
    attribute.named("map").and_then(Value::text).map(Name::new)
}

fn qualified(block: &Block) -> QualifiedName {
    let first = |name: &str| block.attribute(name)?.argument("name", true)?.text();
    QualifiedName::new(first("schema").unwrap_or_default(), first("map").unwrap_or(&block.name))
}

fn column_name(line: &Line) -> Name {
    let mapped = line.attribute("map").and_then(|map| map.argument("name", true)?.text());
    Name::new(mapped.unwrap_or_else(|| line.name()))
}

fn labels(block: &Block) -> Vec<String> {
    block.fields().map(|line| column_name(line).to_string()).collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn action(value: &Value) -> Option<ReferentialAction> {
    Some(match value.word()? {
        "Cascade" => ReferentialAction::Cascade,
        "Restrict" => ReferentialAction::Restrict,
        "NoAction" => ReferentialAction::NoAction,
        "SetNull" => ReferentialAction::SetNull,
        "SetDefault" => ReferentialAction::SetDefault,
        _ => return None,
    })
}

/// `JsonbPathOps` as `jsonb_path_ops`.
fn snake(word: &str) -> String {
    let mut text = String::new();
    for (i, c) in word.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

fn scalar_type(dialect: Dialect, name: &str) -> &'static str {
    match (dialect, name) {
        (Dialect::Postgres | Dialect::Sqlite, "String") => "text",
        (Dialect::Mysql, "String") => "varchar(191)",
        (Dialect::Mysql, "Boolean") => "tinyint(1)",
        (_, "Boolean") => "boolean",
        (Dialect::Mysql, "Int") => "int",
        (_, "Int") => "integer",
        (_, "BigInt") => "bigint",
        (Dialect::Postgres, "Float") => "double precision",
        (Dialect::Mysql, "Float") => "double",
        (Dialect::Sqlite, "Float") => "real",
        (Dialect::Sqlite, "Decimal") => "decimal",
        (_, "Decimal") => "decimal(65,30)",
        (Dialect::Postgres, "DateTime") => "timestamp(3)",
        (Dialect::Mysql, "DateTime") => "datetime(3)",
        (Dialect::Sqlite, "DateTime") => "datetime",
        (Dialect::Mysql, "Json") => "json",
        (_, "Json") => "jsonb",
        (Dialect::Postgres, "Bytes") => "bytea",
        (Dialect::Mysql, "Bytes") => "longblob",
        (Dialect::Sqlite, "Bytes") => "blob",
        _ => "text",
    }
}

/// `@db.UnsignedBigInt`, `@db.VarChar(20)`, `@db.Timestamptz(6)`.
fn native_type(dialect: Dialect, attribute: &Attribute) -> String {
    let name = attribute.name.trim_start_matches("db.");
    let arguments: Vec<&str> = attribute
        .arguments
        .iter()
        .filter_map(|(_, value)| match value {
            Value::Number(number) => Some(number.as_str()),
            _ => None,
        })
        .collect();
    let in_parens = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(",")) };
    let lower = name.to_ascii_lowercase();
    match (dialect, lower.as_str()) {
        (Dialect::Postgres, "doubleprecision") => "double precision".to_owned(),
        (Dialect::Postgres, "timestamptz") => format!("timestamp{in_parens} with time zone"),
        (Dialect::Postgres, "timetz") => format!("time{in_parens} with time zone"),
        (Dialect::Postgres, "varbit") => format!("bit varying{in_parens}"),
        (Dialect::Mysql, other) => match other.strip_prefix("unsigned") {
            Some(kind) => format!("{kind}{in_parens} unsigned"),
            None => format!("{lower}{in_parens}"),
        },
        _ => format!("{lower}{in_parens}"),
    }
}
