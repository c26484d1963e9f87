//! Files of DDL as facts: split, parsed and folded in order.

use std::collections::HashSet;

use dbwright_model::catalog::Catalog;
use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{Fact, FactSource, Facts, Origin, SkippedStatement};
use dbwright_model::finding::{Location, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_model::workload::{self, Workload};

use crate::fold::Folder;
use crate::places::Places;
use crate::positions::Positions;
use crate::prisma;
use crate::split::{StatementKind, split};
use crate::suppress::{self, CommentSuppression};

/// One file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name as the user knows it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What files tell.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// The facts.
    pub facts: Facts,
    /// Where each object was written.
    pub places: Places,
    /// Suppressions in comments.
    pub suppressions: Vec<CommentSuppression>,
    /// Statements seen.
    pub statements: u64,
    /// Whether any of them was understood.
    pub understood: bool,
}

/// Folds files in their order into the facts of the database that they would make.
pub fn read(engine: Engine, version: Option<Version>, target: &str, files: &[SourceFile]) -> FileFacts {
    let dialect = engine.dialect();
    let mut folder = Folder::new(engine).for_version(version);
    let mut places = Places::default();
    let mut positions = Positions::default();
    let mut suppressions = Vec::new();
    let mut skipped = Vec::new();
    let mut queries = Vec::new();
    let mut statements = 0;
    let mut understood = false;
    let schemas = files.iter().filter(|file| prisma::is_schema(&file.name));
    let lowered = prisma::lower(engine, schemas.map(|file| (file.name.as_str(), file.text.as_str())));
    statements += lowered.changes.len() as u64;
    understood |= !lowered.changes.is_empty();
    lowered.changes.iter().for_each(|change| folder.apply(change));
    places.note_prisma(&lowered);
    skipped.extend(lowered.skipped.into_iter().map(|(place, statement, because)| SkippedStatement {
        file: place.file,
        line: place.line,
        statement,
        because,
    }));
    for file in files.iter().filter(|file| !prisma::is_schema(&file.name)) {
        for statement in split(dialect, &file.text) {
            let location =
                || Location { file: file.name.clone(), line: statement.line, column: statement.column };
            if statement.kind == StatementKind::Unterminated {
                skipped.push(skip(
                    file,
                    statement.line,
                    statement.text,
                    "a quote or comment is never closed",
                ));
                continue;
            }
            if statement.kind != StatementKind::Sql {
                continue;
            }
            statements += 1;
            if is_bulk_data(statement.text) {
                understood = true;
                continue;
            }
            let changes = crate::parse_statement(dialect, statement.text);
            for change in &changes {
                match change {
                    Change::Opaque { because, .. } => {
                        skipped.push(skip(file, statement.line, statement.text, because));
                    }
                    Change::Procedural { kind, .. } => {
                        skipped.push(skip(file, statement.line, statement.text, kind.not_analysed()));
                    }
                    _ => {}
                }
                if is_query(change)
                    && let Some(parsed) = crate::parse_data_statement(dialect, statement.text)
                {
                    queries.push(workload::Statement {
                        id: format!("{}:{}", file.name, statement.line),
                        text: statement.text.to_owned(),
                        parsed: Some(Box::new(parsed)),
                        location: Some(location()),
                        ..workload::Statement::default()
                    });
                }
                let doubts = folder.doubts().len();
                folder.apply(change);
                positions.note(change, &folder);
                if let (Engine::Sqlite, Change::CreateIndex { table, index, .. }) = (engine, change) {
                    folder.strings_in_index(table, &index.name, statement.text);
                }
                // A table made by a query is carried out; only its columns are not known.
                if !matches!(change, Change::Opaque { .. } | Change::CreateTableAs { .. }) {
                    for doubt in &folder.doubts()[doubts..] {
                        let because = match &doubt.object {
                            Some(object) => format!("`{object}`: {}", doubt.because),
                            None => doubt.because.clone(),
                        };
                        skipped.push(skip(file, statement.line, statement.text, &because));
                    }
                }
            }
            understood |= changes.iter().any(|change| !matches!(change, Change::Opaque { .. }));
            if !statement.leading_comments.is_empty() {
                let object = changes.iter().find_map(|change| object_of(change, &folder));
                for suppression in suppress::read(statement.leading_comments) {
                    suppressions.push(CommentSuppression {
                        object: object.clone(),
                        location: Some(location()),
                        ..suppression
                    });
                }
            }
            places.note(&file.name, &statement, &changes);
        }
    }
    let catalog = folder.finish();
    skipped.extend(missing_parents(&catalog, &places));
    let mut facts = Facts::none(FactSource {
        origin: Origin::Files,
        engine,
        version,
        version_text: String::new(),
        target: target.to_owned(),
        database: Name::DEFAULT,
        role: None,
        superuser: false,
        collected_at: None,
        skipped,
    });
    facts.catalog = Observed::Known(catalog);
    for fact in Fact::ALL {
        if !facts.status(fact).is_known() && facts.catalog_section(fact).is_none() {
            facts.set_unsupported(fact, "DDL files do not tell it; audit the live database or a snapshot");
        }
    }
    positions.put(&mut facts);
    if !queries.is_empty() {
        facts.workload = Observed::Known(Workload {
            source: "files".to_owned(),
            since: None,
            evicted: None,
            statements: queries,
        });
    }
    FileFacts { facts, places, suppressions, statements, understood }
}

/// Foreign keys to tables that no file makes: half of such a reference is not known. SQLite takes such a key into a database,
/// so that it is there and wrong, which a rule says.
fn missing_parents(catalog: &Catalog, places: &Places) -> Vec<SkippedStatement> {
    if catalog.engine == Engine::Sqlite {
        return Vec::new();
    }
    let known: HashSet<&QualifiedName> = catalog.tables.iter().map(|table| &table.name).collect();
    let mut missing = Vec::new();
    for table in &catalog.tables {
        for key in table.foreign_keys.iter().filter(|key| !known.contains(&key.references)) {
            let object = ObjectRef::columns(&table.name, &key.columns);
            let place = places.find(&object).or_else(|| places.find(&ObjectRef::table(&table.name)));
            missing.push(SkippedStatement {
                file: place.map(|place| place.file.clone()).unwrap_or_default(),
                line: place.map_or(0, |place| place.line),
                statement: format!("{object} references {}", key.references),
                because: format!("`{}`: it is referred to but was never created", key.references),
            });
        }
    }
    missing
}

fn skip(file: &SourceFile, line: u32, text: &str, because: &str) -> SkippedStatement {
    let shown = crate::names::beginning(text);
    SkippedStatement { file: file.name.clone(), line, statement: shown, because: because.to_owned() }
}

/// Rows of a dump, which tell nothing about the schema and are most of its bytes.
fn is_bulk_data(text: &str) -> bool {
    let word = |i: usize| text.split_ascii_whitespace().nth(i).unwrap_or_default();
    text.len() > 20_000 && (word(0).eq_ignore_ascii_case("insert") || word(0).eq_ignore_ascii_case("replace"))
}

fn is_query(change: &Change) -> bool {
    matches!(change, Change::Data { kind: DataKind::Select | DataKind::Update | DataKind::Delete, .. })
}

/// The object that a statement makes or changes, with its schema, after it was folded.
fn object_of(change: &Change, folder: &Folder) -> Option<String> {
    let full = |name: &QualifiedName| folder.full_name(name).to_string();
    let column = |table: &QualifiedName, column: &Name| format!("{}.{column}", full(table));
    Some(match change {
        Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. } => full(&table.name),
        Change::CreateIndex { table, index, .. } => format!("{} index {}", full(table), index.name),
        Change::AddColumn { table, column: added, .. } => column(table, &added.name),
        Change::ModifyColumn { table, to, .. } => column(table, &to.name),
        Change::RenameColumn { table, to, .. } => column(table, to),
        Change::AlterColumnType { table, column: changed, .. }
        | Change::SetNotNull { table, column: changed, .. }
        | Change::SetDefault { table, column: changed, .. }
        | Change::SetIdentity { table, column: changed, .. }
        | Change::DropExpression { table, column: changed, .. } => column(table, changed),
        Change::AddPrimaryKey { table, .. }
        | Change::AddUnique { table, .. }
        | Change::AddCheck { table, .. }
        | Change::AddForeignKey { table, .. }
        | Change::AddExclusion { table, .. }
        | Change::DropColumn { table, .. }
        | Change::DropConstraint { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::ValidateConstraint { table, .. }
        | Change::AttachPartition { table, .. }
        | Change::DetachPartition { table, .. }
        | Change::SetInherit { table, .. }
        | Change::SetRowSecurity { table, .. }
        | Change::SetReplicaIdentity { table, .. }
        | Change::SetTableOptions { table, .. }
        | Change::SetTriggerEnabled { table, .. } => full(table),
        Change::RenameTable { to, .. } => full(to),
        Change::CreateTableAs { name, .. }
        | Change::SetViewOptions { name, .. }
        | Change::AlterSequence { name, .. } => full(name),
        Change::CreateView { view, .. } => full(&view.name),
        Change::CreateSequence { sequence, .. } => full(&sequence.name),
        Change::CreateType { user_type } => full(&user_type.name),
        Change::CreateFunction { function, .. } => full(&function.name),
        Change::CreateTrigger { trigger, .. } => full(&trigger.table),
        Change::CreatePolicy { policy } => full(&policy.table),
        _ => return None,
    })
}
