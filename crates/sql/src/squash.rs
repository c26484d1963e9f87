//! Several migrations as one: the catalog that they make together, and the file that takes their place.

use dbwright_model::catalog::{Catalog, Persistence};
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::migration::{Down, Migration, Statement};
use dbwright_model::plan::TransactionMode;

use crate::fold::Folder;
use crate::parse_statement;

/// The catalog of a server of a version after migrations that begin with an empty database, and why it is not known for sure, as full sentences.
pub fn catalog_after<'a>(
    engine: Engine,
    version: Option<Version>,
    migrations: impl IntoIterator<Item = &'a Migration>,
) -> (Catalog, Vec<String>) {
    let dialect = engine.dialect();
    let mut folder = Folder::new(engine).for_version(version);
    let mut not_analysed = Vec::new();
    for migration in migrations {
        for statement in &migration.up {
            for change in parse_statement(dialect, &statement.sql) {
                let because = match &change {
                    Change::Opaque { because, .. } => Some(because.clone()),
                    Change::Procedural { kind, .. } => Some(kind.not_analysed().to_owned()),
                    _ => None,
                };
                if let Some(because) = because {
                    not_analysed.push(format!(
                        "`{}` line {} was not analysed: {because}.",
                        migration.file, statement.line
                    ));
                }
                folder.apply(&change);
            }
        }
    }
    let mut catalog = folder.finish();
    // They end with the session that made them.
    catalog.tables.retain(|table| table.persistence != Persistence::Temporary);
    (catalog, not_analysed)
}

/// The text of the file that takes the place of migrations, in their order. It runs on databases that have none of them.
/// `name` is its file name, `author` who asked for it, `-` when that is not known.
pub fn text(dialect: Dialect, name: &str, author: &str, migrations: &[&Migration]) -> String {
    let versions: Vec<&str> = migrations.iter().map(|migration| migration.version.as_str()).collect();
    let apart = migrations.iter().any(|migration| migration.transaction == TransactionMode::NoTransaction);
    let mut text = format!(
        "-- Migration: {name}\n-- Author: {author}\n-- Ticket: -\n-- Risk: low\n-- Rollback: see DOWN\n"
    );
    text.push_str("-- Estimated time: under a second on an empty database\n-- Requires: -\n");
    // A line per version keeps differences of the file readable.
    for version in &versions {
        text.push_str(&format!("-- Replaces: {version}\n"));
    }
    let mode = if apart { "none" } else { "one" };
    text.push_str(&format!("-- dbwright: transaction={mode}\n\n-- ========== UP ==========\n"));
    let wrapped = !apart && dialect == Dialect::Postgres;
    if wrapped {
        text.push_str("begin;\n");
    }
    for migration in migrations {
        text.push_str(&format!("\n-- {}\n", migration.file.rsplit(['/', '\\']).next().unwrap_or_default()));
        migration.up.iter().for_each(|statement| push(dialect, &mut text, statement));
    }
    if wrapped {
        text.push_str("\ncommit;\n");
    }
    text.push_str("\n-- ========== DOWN ==========\n");
    text.push_str(&down(dialect, migrations));
    text
}

fn push(dialect: Dialect, text: &mut String, statement: &Statement) {
    let sql = statement.sql.trim().trim_end_matches(';');
    // A client of MySQL ends a statement at the first semicolon unless it is told another sign.
    if dialect == Dialect::Mysql && sql.contains(';') {
        text.push_str(&format!("delimiter $$\n{sql}$$\ndelimiter ;\n"));
    } else {
        text.push_str(&format!("{sql};\n"));
    }
}

/// The ways back one after the other, the newest first, as comment lines.
fn down(dialect: Dialect, migrations: &[&Migration]) -> String {
    let mut body = String::new();
    for migration in migrations.iter().rev() {
        match &migration.down {
            Down::Statements(statements) => {
                body.push_str(&format!("-- {}\n", migration.version));
                statements.iter().for_each(|statement| push(dialect, &mut body, statement));
            }
            Down::Missing => {
                return format!("-- irreversible: `{}` has no way back\n", migration.version);
            }
            Down::Irreversible(because) => {
                return format!("-- irreversible: {} ({})\n", because, migration.version);
            }
        }
    }
    body.lines().map(|line| format!("-- {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Texts, compare};
    use crate::files::SourceFile;
    use crate::script::read;
    use crate::tools::Around;

    fn check(dialect: Dialect, engine: Engine, files: &[&str], transaction: TransactionMode) {
        let sources: Vec<SourceFile> = files
            .iter()
            .enumerate()
            .map(|(at, text)| SourceFile { name: format!("{at}_a.sql"), text: (*text).to_owned() })
            .collect();
        let parts = read(dialect, &sources, &Around::default());
        let all: Vec<&Migration> = parts.iter().collect();
        let text = text(dialect, "1_all.sql", "-", &all);
        let file = SourceFile { name: "1_all.sql".to_owned(), text };
        let one = read(dialect, std::slice::from_ref(&file), &Around::default());
        assert_eq!(one.len(), 1, "{}", file.text);
        assert!(one[0].problems.is_empty(), "{:?}\n{}", one[0].problems, file.text);
        assert_eq!(one[0].transaction, transaction, "{}", file.text);
        let before: Vec<&str> = parts.iter().flat_map(|part| &part.up).map(|one| one.sql.as_str()).collect();
        let after: Vec<&str> = one[0].up.iter().map(|one| one.sql.as_str()).collect();
        assert_eq!(before, after, "{}", file.text);
        let versions: Vec<String> = parts.iter().map(|part| part.version.clone()).collect();
        assert_eq!(one[0].header.replaces, versions);
        let (whole, squashed) = (catalog_after(engine, None, &parts).0, catalog_after(engine, None, &one).0);
        let comparison = compare(&whole, &squashed, Texts::Trees);
        assert!(comparison.is_equal(), "{:?}", comparison.differences);
    }

    #[test]
    fn one_file_makes_what_its_parts_made() {
        let one = TransactionMode::OneTransaction;
        check(
            Dialect::Postgres,
            Engine::Postgres,
            &[
                "create table t (a int);",
                "begin; alter table t add b text default 'x;y'; commit;",
                "do $$ begin null; end $$;",
            ],
            one,
        );
        check(
            Dialect::Postgres,
            Engine::Postgres,
            &["create table t (a int);", "create index concurrently i on t (a);"],
            TransactionMode::NoTransaction,
        );
        check(
            Dialect::Sqlite,
            Engine::Sqlite,
            &["create table t (a int);", "alter table t add b text;"],
            one,
        );
        check(
            Dialect::Mysql,
            Engine::Mariadb,
            &[
                "create table t (a int);",
                "delimiter $$\ncreate trigger r before insert on t for each row begin set new.a = 1; set new.a = 2; end$$\ndelimiter ;",
            ],
            one,
        );
    }
}
