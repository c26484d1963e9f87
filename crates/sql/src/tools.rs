//! Migration tools: whose files these are, in which order they are applied, how each is run, and which part undoes it.
//!
//! What a tool does not send to the server is blanked, never cut out, so that every place in a file stays true.

mod marks;
mod placeholders;
pub mod recorded;
mod unversioned;

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::chain::{ChainFile, Wrap};
use dbwright_model::engine::Dialect;
use dbwright_model::name::Name;
use dbwright_model::plan::TransactionMode;

use crate::chain::MigrationFile;
use crate::files::SourceFile;
use crate::looks;

pub use marks::{blank_undo, undo_part};
pub use placeholders::{fill, plain, put_back, stand_ins};
pub use unversioned::{Unversioned, is_undo};

/// What stands around migration files and tells of their tool.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Every file of the folders that hold the migrations, spelled as the migrations are.
    pub names: BTreeSet<String>,
    /// Files beside single migrations that say how they are run (`metadata.toml`, `V1__a.sql.conf`), by name.
    pub settings: BTreeMap<String, String>,
    /// Files of the project (`Cargo.toml`, `go.mod`, `package.json`), the nearest folder first.
    pub project: Vec<SourceFile>,
}

impl Around {
    /// The tool that the project names, the nearest folder first.
    fn tool(&self) -> Option<Tool> {
        self.project.iter().find_map(of_project)
    }
}

/// A tool that runs migrations, or a form that SQL for a database is handed on in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// Alembic's `upgrade --sql`.
    Alembic,
    /// dbmate.
    Dbmate,
    /// Diesel.
    Diesel,
    /// Drizzle.
    Drizzle,
    /// Flyway.
    Flyway,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// Liquibase's formatted SQL.
    Liquibase,
    /// node-pg-migrate with SQL files.
    NodePgMigrate,
    /// Prisma.
    Prisma,
    /// Rails' `structure.sql`.
    Rails,
    /// refinery.
    Refinery,
    /// sql-migrate.
    SqlMigrate,
    /// sqlx.
    Sqlx,
    /// The Supabase command line.
    Supabase,
}

impl Tool {
    /// Its name as it spells it itself.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Alembic => "Alembic",
            Tool::Dbmate => "dbmate",
            Tool::Diesel => "Diesel",
            Tool::Drizzle => "Drizzle",
            Tool::Flyway => "Flyway",
            Tool::GolangMigrate => "golang-migrate",
            Tool::Goose => "goose",
            Tool::Liquibase => "Liquibase",
            Tool::NodePgMigrate => "node-pg-migrate",
            Tool::Prisma => "Prisma",
            Tool::Rails => "Rails",
            Tool::Refinery => "refinery",
            Tool::SqlMigrate => "sql-migrate",
            Tool::Sqlx => "sqlx",
            Tool::Supabase => "Supabase",
        }
    }

    /// How it runs a file that says nothing else.
    fn wrap(self) -> Wrap {
        match self {
            // Flyway looks for statements that cannot run in a transaction.
            Tool::Flyway => Wrap::Auto,
            Tool::Dbmate
            | Tool::Diesel
            | Tool::Drizzle
            | Tool::Goose
            | Tool::Liquibase
            | Tool::NodePgMigrate
            | Tool::Refinery
            | Tool::SqlMigrate
            | Tool::Sqlx => Wrap::Transaction,
            Tool::GolangMigrate | Tool::Prisma | Tool::Supabase => Wrap::OneQuery,
            // Fed to a client, which opens no transaction of its own.
            Tool::Alembic | Tool::Rails => Wrap::None,
        }
    }
}

/// Whether a file that is sent as one query asks for no transaction: its tool would open one otherwise.
pub(crate) fn hands_on_whole(file: &ChainFile) -> bool {
    let tools = [Tool::Dbmate, Tool::Diesel];
    file.wrap == Wrap::OneQuery
        && file.tool.as_ref().is_some_and(|name| tools.iter().any(|tool| *name == tool.name()))
}

/// Whether a text has places that a tool fills in before the server sees it.
pub fn has_placeholders(dialect: Dialect, text: &str) -> bool {
    fill(dialect, text.to_owned()) != text
}

/// Files as the migrations that their tools make of them, in the order in which they stand. What undoes them is blanked,
/// placeholders are filled, and a file of several transactions becomes several.
pub fn migrations(dialect: Dialect, files: Vec<SourceFile>, around: &Around) -> Vec<MigrationFile> {
    let mut migrations = as_written(dialect, files, around);
    let look = |migrations: &mut [MigrationFile]| {
        for migration in migrations {
            migration.file.looks_like = looks::unlike(dialect, &migration.text);
            migration.text = fill(dialect, std::mem::take(&mut migration.text));
        }
    };
    let half = if migrations.len() < MANY { 0 } else { migrations.len() / 2 };
    let (first, second) = migrations.split_at_mut(half);
    std::thread::scope(|scope| {
        if !first.is_empty() {
            scope.spawn(|| look(first));
        }
        look(second);
    });
    migrations
}

/// Files that are worth the start of a second thread.
const MANY: usize = 100;

/// The same with placeholders as they stand.
pub fn as_written(dialect: Dialect, files: Vec<SourceFile>, around: &Around) -> Vec<MigrationFile> {
    let folder = Folder::of(&files, around);
    files.into_iter().flat_map(|file| folder.migrations(dialect, file)).collect()
}

/// A part of a path to sort by.
pub type OrderPart = (bool, Vec<u128>, String);

/// What paths are sorted by to stand in the order in which their files are applied. Numbers compare as numbers, so that
/// `V2__a` stands before `V10__b`. Flyway's versions (`V2_1__c`) are lists of numbers, and its repeatable files come last.
pub fn order(path: &str) -> Vec<OrderPart> {
    path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").flat_map(order_of_part).collect()
}

fn order_of_part(text: &str) -> Vec<OrderPart> {
    if let Some(rest) = text.strip_prefix("R__") {
        return vec![(true, Vec::new(), rest.to_owned())];
    }
    // What undoes others has no place among files, so that `U` can only be refinery's.
    if let Some((version, rest)) = text.strip_prefix(['V', 'U']).and_then(|text| text.split_once("__")) {
        let numbers: Option<Vec<u128>> =
            version.split(['_', '.']).map(|number| number.parse().ok()).collect();
        if let Some(numbers) = numbers {
            return vec![(false, numbers, rest.to_owned())];
        }
    }
    let mut key = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        let number_end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(number_end);
        key.push((false, Vec::new(), word.to_owned()));
        key.push((false, vec![number.parse().unwrap_or(0)], String::new()));
        rest = after;
    }
    key
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Everything of a path but its last part, with the separator.
fn parent(path: &str) -> &str {
    &path[..path.len() - base(path).len()]
}

/// What all files together tell of their tool.
struct Folder<'a> {
    around: &'a Around,
    /// The tool that the project names.
    project: Option<Tool>,
    /// What files with `U` before their version are.
    unversioned: Unversioned,
    /// Whether a file says something that only sqlx reads.
    sqlx: bool,
    /// Whether a file is undone by one of Flyway's undo files.
    flyway_undo: BTreeSet<String>,
    /// Whether Drizzle keeps a journal of the folder.
    drizzle: bool,
}

impl<'a> Folder<'a> {
    fn of(files: &[SourceFile], around: &'a Around) -> Self {
        let unversioned = around.unversioned();
        let undoes = |name: &&String| is_undo(name, unversioned);
        let flyway_undo = around.names.iter().filter(undoes).filter_map(|name| {
            let version = base(name).strip_prefix(['U', 'u'])?.split_once("__")?.0;
            Some(format!("{}{version}", parent(name)))
        });
        Folder {
            around,
            project: around.tool(),
            unversioned,
            sqlx: files.iter().any(|file| marks::first_line(&file.text) == "-- no-transaction"),
            flyway_undo: flyway_undo.collect(),
            drizzle: around.names.iter().any(|name| name.ends_with("_journal.json"))
                || files.iter().any(|file| file.text.contains("--> statement-breakpoint")),
        }
    }

    fn tool(&self, file: &SourceFile) -> Option<Tool> {
        if let Some(tool) = marks::tool(&file.text) {
            return Some(tool);
        }
        let name = base(&file.name);
        let number = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
        let refinery = self.project == Some(Tool::Refinery) || self.unversioned != Unversioned::Undo;
        if refinery && unversioned::names_version(name) {
            return Some(Tool::Refinery);
        }
        if is_versioned(name) {
            return Some(if refinery { Tool::Refinery } else { Tool::Flyway });
        }
        if name == "up.sql" {
            return Some(Tool::Diesel);
        }
        if name == "migration.sql" {
            return Some(Tool::Prisma);
        }
        if name.ends_with(".up.sql") && number > 0 {
            let sqlx = self.sqlx || self.project == Some(Tool::Sqlx);
            return Some(if sqlx { Tool::Sqlx } else { Tool::GolangMigrate });
        }
        if file.name.contains("supabase/migrations/") {
            return Some(Tool::Supabase);
        }
        if self.drizzle && number > 0 {
            return Some(Tool::Drizzle);
        }
        if (self.sqlx || self.project == Some(Tool::Sqlx)) && number > 0 && name[number..].starts_with('_') {
            return Some(Tool::Sqlx);
        }
        None
    }

    /// How a file wants to be run, where it differs from what its tool does.
    fn wrap(&self, tool: Tool, file: &SourceFile) -> Wrap {
        let setting = |name: &str| self.around.settings.get(name).map(String::as_str).unwrap_or_default();
        let apart = match tool {
            Tool::Sqlx => marks::first_line(&file.text) == "-- no-transaction",
            Tool::Diesel => {
                says(setting(&format!("{}metadata.toml", parent(&file.name))), "run_in_transaction=false")
            }
            Tool::Flyway => says(setting(&format!("{}.conf", file.name)), "executeintransaction=false"),
            Tool::Dbmate | Tool::Goose | Tool::SqlMigrate => marks::runs_apart(tool, &file.text),
            _ => false,
        };
        match (apart, tool) {
            // Without a transaction of their own these hand the file on as it is, in one query.
            (true, Tool::Dbmate | Tool::Diesel) => Wrap::OneQuery,
            (true, _) => Wrap::None,
            (false, _) => tool.wrap(),
        }
    }

    fn has_undo(&self, tool: Tool, file: &SourceFile) -> Option<bool> {
        let beside = |name: String| self.around.names.contains(&name);
        match tool {
            Tool::Sqlx | Tool::GolangMigrate => {
                let stem = file.name.strip_suffix(".up.sql")?;
                Some(beside(format!("{stem}.down.sql")))
            }
            Tool::Diesel => Some(beside(format!("{}down.sql", parent(&file.name)))),
            // Most folders have no undo files at all: they are no promise then.
            Tool::Flyway if !self.flyway_undo.is_empty() => {
                let version = base(&file.name).strip_prefix(['V', 'v'])?.split_once("__")?.0;
                Some(self.flyway_undo.contains(&format!("{}{version}", parent(&file.name))))
            }
            Tool::Dbmate | Tool::Goose | Tool::SqlMigrate | Tool::NodePgMigrate => {
                Some(marks::has_undo(&file.text))
            }
            _ => None,
        }
    }

    fn migrations(&self, dialect: Dialect, file: SourceFile) -> Vec<MigrationFile> {
        let Some(tool) = self.tool(&file) else {
            let wrap = match crate::script::transaction(&file.text) {
                Some(TransactionMode::NoTransaction) => Wrap::None,
                _ => Wrap::Auto,
            };
            let chain_file = ChainFile { name: file.name, wrap, judged: true, ..ChainFile::default() };
            let mut text = file.text;
            blank_undo(&mut text);
            return vec![MigrationFile { file: chain_file, text }];
        };
        let chain_file = ChainFile {
            name: file.name.clone(),
            tool: Some(Name::new(tool.name())),
            wrap: self.wrap(tool, &file),
            judged: true,
            has_undo: self.has_undo(tool, &file),
            ..ChainFile::default()
        };
        if tool == Tool::Liquibase {
            return marks::change_sets(dialect, &chain_file, &file.text);
        }
        let mut text = file.text;
        blank_undo(&mut text);
        if tool == Tool::Drizzle {
            // The mark is no comment to MySQL.
            text = text.replace("--> statement-breakpoint", "                        ");
        }
        vec![MigrationFile { file: chain_file, text }]
    }
}

/// `V1__a.sql`, `V1.2__a.sql`, `R__a.sql`.
fn is_versioned(name: &str) -> bool {
    name.starts_with("R__")
        || name.strip_prefix('V').and_then(|rest| rest.split_once("__")).is_some_and(|(version, _)| {
            version
                .split(['_', '.'])
                .all(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
        })
}

/// The tool that a file of the project names.
fn of_project(file: &SourceFile) -> Option<Tool> {
    let known: &[(&str, Tool)] = match base(&file.name) {
        "diesel.toml" => return Some(Tool::Diesel),
        "flyway.toml" | "flyway.conf" => return Some(Tool::Flyway),
        "pom.xml" | "build.gradle" | "build.gradle.kts" => &[("flyway", Tool::Flyway)],
        "refinery.toml" => return Some(Tool::Refinery),
        "Cargo.toml" => &[("refinery", Tool::Refinery), ("sqlx", Tool::Sqlx), ("diesel", Tool::Diesel)],
        "go.mod" => &[("golang-migrate/migrate", Tool::GolangMigrate), ("pressly/goose", Tool::Goose)],
        "package.json" => &[("drizzle-orm", Tool::Drizzle)],
        _ => return None,
    };
    known.iter().find(|(word, _)| file.text.contains(word)).map(|(_, tool)| *tool)
}

/// Whether a line of settings says something, blanks and case left out of account.
fn says(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        line.eq_ignore_ascii_case(wanted)
    })
}

#[cfg(test)]
mod tests;
