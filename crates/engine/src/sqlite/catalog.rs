//! The catalog of a file, from SQLite's pragmas. What they do not tell is left to the text side, which reads the
//! definitions that are kept along.

use dbwright_model::catalog::{
    Catalog, Column, ConstraintKind, Doubt, ForeignKey, Generated, Index, IndexKey, IndexPart, Key,
    ReferentialAction, Table, TableKind, Trigger, View,
};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::facts::Fact;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;

use super::reader::{ReadError, Reader};
use crate::row::Row;

/// Reads the catalog and those sections of it that were asked for.
pub(super) fn read(reader: &Reader, sections: &[Fact]) -> Result<Catalog, ReadError> {
    let mut catalog = Catalog::empty(Engine::Sqlite);
    for row in reader.rows(include_str!("../../sql/sqlite/tables.sql"), &[])? {
        let name = row.text("name")?;
        let kind = row.text("type")?;
        let read = if kind == "view" {
            view(reader, &row, name).map(|view| catalog.views.push(view))
        } else {
            table(reader, &row, name, kind).map(|table| catalog.tables.push(table))
        };
        match read {
            Ok(()) => {}
            Err(ReadError::TooLong) => return Err(ReadError::TooLong),
            // One broken definition, or a virtual table of an unknown module, must not lose the others.
            Err(error) => {
                catalog
                    .doubts
                    .push(Doubt { object: Some(QualifiedName::bare(name)), because: error.to_string() });
                if kind != "view" {
                    catalog.tables.push(bare_table(&row, name, kind)?);
                }
            }
        }
    }
    point_foreign_keys(&mut catalog.tables);
    catalog.functions = absent(sections, Fact::Functions, "SQLite keeps no routines");
    catalog.policies = absent(sections, Fact::Policies, "SQLite has no row security");
    catalog.extensions = absent(sections, Fact::Extensions, "each connection loads its own extensions");
    catalog.publications =
        absent(sections, Fact::Publications, "SQLite replicates only through tools of its own users");
    catalog.triggers = if sections.contains(&Fact::Triggers) {
        reader.observe(|| triggers(reader))
    } else {
        Observed::NotAsked
    };
    catalog.sort();
    Ok(catalog)
}

/// A section that SQLite has no idea of.
fn absent<T>(sections: &[Fact], fact: Fact, because: &str) -> Observed<T> {
    if sections.contains(&fact) { Observed::Unsupported(because.to_owned()) } else { Observed::NotAsked }
}

fn bare_table(row: &Row, name: &str, kind: &str) -> Result<Table, ReadError> {
    Ok(Table {
        name: QualifiedName::bare(name),
        kind: match kind {
            // The module's name stands in the definition only.
            "virtual" => TableKind::Virtual { module: Name::DEFAULT },
            "shadow" => TableKind::Shadow,
            _ => TableKind::Ordinary,
        },
        strict: row.bool("strict")?,
        without_rowid: row.bool("without_rowid")?,
        definition: row.opt_text("definition")?.map(str::to_owned),
        ..Table::default()
    })
}

fn table(reader: &Reader, row: &Row, name: &str, kind: &str) -> Result<Table, ReadError> {
    let mut table = bare_table(row, name, kind)?;
    let mut key: Vec<(i64, Name)> = Vec::new();
    for row in reader.rows(include_str!("../../sql/sqlite/columns.sql"), &[name])? {
        // Columns that a virtual table hides are no columns of `SELECT *`.
        if row.int("hidden")? == 1 {
            continue;
        }
        let mut column = column(&row)?;
        let place = row.int("pk")?;
        if place > 0 {
            key.push((place, column.name.clone()));
        }
        if kind != "virtual" {
            annotate(reader, name, &mut column);
        }
        table.columns.push(column);
    }
    key.sort_by_key(|(place, _)| *place);
    if !key.is_empty() {
        let columns = key.into_iter().map(|(_, name)| name).collect();
        table.primary_key = Some(Key { columns, ..Key::default() });
    }
    indexes(reader, &mut table)?;
    rowid_key(&mut table);
    foreign_keys(reader, &mut table)?;
    Ok(table)
}

fn column(row: &Row) -> Result<Column, ReadError> {
    let hidden = row.int("hidden")?;
    // Only the definition holds the expression.
    let generated = (hidden == 2 || hidden == 3)
        .then(|| Box::new(Generated { expression: Expression::default(), stored: hidden == 3 }));
    Ok(Column {
        name: Name::new(row.text("name")?),
        data_type: declared(row.opt_text("type")?.unwrap_or_default()),
        not_null: row.bool("not_null")?,
        default: row.opt_text("default_value")?.map(Expression::text),
        generated,
        ..Column::default()
    })
}

/// A declared type, its meaning left to the text side.
fn declared(text: &str) -> DataType {
    let kind = if text.trim().is_empty() { TypeKind::Untyped } else { TypeKind::Other };
    DataType::new(kind, text)
}

/// Adds what the library tells of a column besides the pragma. A file that cannot tell leaves it out.
fn annotate(reader: &Reader, table: &str, column: &mut Column) {
    let told = reader.connection().column_metadata(Some("main"), table, column.name.as_str());
    if let Ok((_, collation, _, _, auto_increment)) = told {
        let collation = collation.map(|collation| collation.to_string_lossy().into_owned());
        column.collation = collation.filter(|name| !name.eq_ignore_ascii_case("BINARY")).map(Name::from);
        column.auto_increment = auto_increment;
    }
}

fn indexes(reader: &Reader, table: &mut Table) -> Result<(), ReadError> {
    let name = table.name.name.as_str().to_owned();
    for row in reader.rows(include_str!("../../sql/sqlite/indexes.sql"), &[&name])? {
        let index = index(reader, &row, table)?;
        if index.backs == Some(ConstraintKind::Unique) {
            let columns = index.columns().unwrap_or_default().into_iter().cloned().collect();
            table.uniques.push(Key { columns, ..Key::default() });
        }
        table.indexes.push(index);
    }
    Ok(())
}

fn index(reader: &Reader, row: &Row, table: &Table) -> Result<Index, ReadError> {
    let name = row.text("name")?;
    let mut told = true;
    let mut parts = Vec::new();
    for row in reader.rows(include_str!("../../sql/sqlite/index_parts.sql"), &[name])? {
        let column = row.opt_text("name")?;
        let key = match column {
            Some(column) => IndexKey::Column(Name::new(column)),
            None if row.int("cid")? == -1 => IndexKey::Column(Name::new(Index::ROWID)),
            None => {
                told = false;
                IndexKey::Expression(Expression::default())
            }
        };
        let own = column.and_then(|column| table.columns.iter().find(|c| c.name == column));
        let own = own.and_then(|column| column.collation.as_ref()).map_or("BINARY", Name::as_str);
        let collation = row.opt_text("collation")?.filter(|name| !name.eq_ignore_ascii_case(own));
        parts.push(IndexPart {
            key,
            descending: row.bool("descending")?,
            collation: collation.map(Name::new),
            ..IndexPart::column("")
        });
    }
    let partial = row.bool("partial")?;
    let definition = row.opt_text("definition")?.filter(|_| partial || !told);
    Ok(Index {
        name: Name::new(name),
        parts,
        unique: row.bool("is_unique")?,
        predicate: partial.then(Expression::default),
        backs: match row.text("origin")? {
            "pk" => Some(ConstraintKind::PrimaryKey),
            "u" => Some(ConstraintKind::Unique),
            _ => None,
        },
        options: definition
            .map(|definition| (Name::new(Index::DEFINITION), definition.to_owned()))
            .into_iter()
            .collect(),
        ..Index::default()
    })
}

/// Lists the rowid as the index of an `INTEGER PRIMARY KEY`, which no other index stands for.
fn rowid_key(table: &mut Table) {
    let Some([only]) = table.primary_key.as_ref().map(|key| key.columns.as_slice()) else { return };
    let indexed = table.indexes.iter().any(|index| index.backs == Some(ConstraintKind::PrimaryKey));
    let Some(column) = table.columns.iter_mut().find(|column| column.name == *only) else { return };
    if table.without_rowid || indexed || !column.data_type.text.eq_ignore_case("INTEGER") {
        return;
    }
    // A null becomes the next number.
    column.not_null = true;
    let index = Index {
        name: Name::new(Index::ROWID),
        parts: vec![IndexPart::column(only)],
        unique: true,
        backs: Some(ConstraintKind::PrimaryKey),
        ..Index::default()
    };
    table.indexes.push(index);
}

fn foreign_keys(reader: &Reader, table: &mut Table) -> Result<(), ReadError> {
    let name = table.name.name.as_str().to_owned();
    let mut last = None;
    for row in reader.rows(include_str!("../../sql/sqlite/foreign_keys.sql"), &[&name])? {
        let id = row.int("id")?;
        if last != Some(id) {
            last = Some(id);
            table.foreign_keys.push(ForeignKey {
                references: QualifiedName::bare(row.text("parent")?),
                on_delete: action(row.text("on_delete")?),
                on_update: action(row.text("on_update")?),
                ..ForeignKey::default()
            });
        }
        let Some(foreign_key) = table.foreign_keys.last_mut() else { continue };
        foreign_key.columns.push(Name::new(row.text("child_column")?));
        if let Some(column) = row.opt_text("parent_column")? {
            foreign_key.referenced_columns.push(Name::new(column));
        }
    }
    Ok(())
}

fn action(text: &str) -> ReferentialAction {
    match text {
        "CASCADE" => ReferentialAction::Cascade,
        "RESTRICT" => ReferentialAction::Restrict,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// Spells parents as they are named themselves, and fills in their keys where a foreign key says none.
fn point_foreign_keys(tables: &mut [Table]) {
    let known: Vec<(Name, Vec<Name>, Vec<Name>)> = tables
        .iter()
        .map(|table| {
            let key = table.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default();
            let columns = table.columns.iter().map(|column| column.name.clone()).collect();
            (table.name.name.clone(), key, columns)
        })
        .collect();
    for foreign_key in tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        let parent = &mut foreign_key.references.name;
        let Some((name, key, columns)) = known.iter().find(|known| known.0.eq_ignore_case(parent.as_str()))
        else {
            continue;
        };
        parent.clone_from(name);
        for column in &mut foreign_key.referenced_columns {
            if let Some(same) = columns.iter().find(|name| name.eq_ignore_case(column.as_str())) {
                column.clone_from(same);
            }
        }
        if foreign_key.referenced_columns.is_empty() && key.len() == foreign_key.columns.len() {
            foreign_key.referenced_columns.clone_from(key);
        }
    }
}

fn view(reader: &Reader, row: &Row, name: &str) -> Result<View, ReadError> {
    let mut view = View {
        name: QualifiedName::bare(name),
        populated: true,
        definition: row.opt_text("definition")?.unwrap_or_default().to_owned(),
        ..View::default()
    };
    // A view of a table that is gone has no columns, and that is for a rule to say.
    let columns = reader.rows(include_str!("../../sql/sqlite/columns.sql"), &[name]);
    if let Ok(columns) = columns {
        view.columns = columns.iter().map(column).collect::<Result<_, _>>()?;
    }
    Ok(view)
}

fn triggers(reader: &Reader) -> Result<Vec<Trigger>, ReadError> {
    let mut triggers = Vec::new();
    for row in reader.rows(include_str!("../../sql/sqlite/triggers.sql"), &[])? {
        triggers.push(Trigger {
            name: Name::new(row.text("name")?),
            table: QualifiedName::bare(row.text("on_table")?),
            for_each_row: true,
            body: row.opt_text("definition")?.unwrap_or_default().to_owned(),
            enabled: true,
            ..Trigger::default()
        });
    }
    Ok(triggers)
}
