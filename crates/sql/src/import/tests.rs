//! Rows as tools write them, and the files that they stand for.

use dbwright_model::engine::Dialect;

use super::*;
use crate::script::read;
use crate::tools::Around;

/// Files of these names and texts, and rows `version kind ok checksum`; `-` for what is not recorded.
fn check(source: Source, files: &[(&str, &str)], rows: &[&str], applied: &[&str], refused: &[&str]) {
    let sources: Vec<SourceFile> = files
        .iter()
        .map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect();
    let migrations = read(Dialect::Postgres, &sources, &Around::default());
    let rows: Vec<AppliedMigration> = rows
        .iter()
        .map(|row| {
            let words: Vec<&str> = row.split(' ').collect();
            let word = |at: usize| words.get(at).filter(|word| **word != "-").map(|word| (*word).to_owned());
            AppliedMigration {
                version: word(0).unwrap_or_default(),
                kind: word(1),
                ok: word(2).as_deref() != Some("failed"),
                checksum: word(3),
                ..AppliedMigration::default()
            }
        })
        .collect();
    let import = import(source, &rows, &migrations, &sources);
    let found: Vec<&str> = import.applied.iter().map(|one| migrations[one.migration].file.as_str()).collect();
    assert_eq!(found, applied, "{source:?} {rows:?}");
    assert_eq!(import.refused, refused, "{source:?} {rows:?}");
}

const FLYWAY: &[(&str, &str)] = &[
    ("V1__a.sql", "123456789"),
    ("V1_2__b.sql", "select 2;"),
    ("V2__c.sql", "select 3;"),
    ("R__v.sql", "select 4;"),
];

#[test]
fn flyway_counts_versions_as_numbers() {
    let crc = "-873187034";
    check(
        Source::Flyway,
        FLYWAY,
        &[&format!("1.0 SQL ok {crc}"), "1.2 SQL ok -"],
        &["V1__a.sql", "V1_2__b.sql"],
        &[],
    );
    check(
        Source::Flyway,
        FLYWAY,
        &["1 SQL ok 5"],
        &["V1__a.sql"],
        &["`V1__a.sql` is not the file that Flyway applied: its checksum is another."],
    );
    check(
        Source::Flyway,
        FLYWAY,
        &["1.2 BASELINE ok -", "2 SQL ok -"],
        &["V1__a.sql", "V1_2__b.sql", "V2__c.sql"],
        &[],
    );
    check(Source::Flyway, FLYWAY, &["1 SQL ok -", "1 UNDO_SQL ok -"], &[], &[]);
    check(
        Source::Flyway,
        FLYWAY,
        &["1 SQL failed -"],
        &[],
        &["Version `1` failed half-way under Flyway, so nobody knows what of it is there."],
    );
    check(
        Source::Flyway,
        FLYWAY,
        &["3 SQL ok -"],
        &[],
        &["Flyway applied `3`, and no file has that version."],
    );
    check(
        Source::Flyway,
        FLYWAY,
        &["3 JDBC ok -"],
        &[],
        &["Flyway applied version `3` by what is no SQL file (JDBC)."],
    );
    // A repeatable file that has changed is run anew, and so is not applied.
    check(Source::Flyway, FLYWAY, &["R__v.sql SQL ok 7"], &[], &[]);
    check(Source::Flyway, FLYWAY, &["R__v.sql SQL ok -"], &["R__v.sql"], &[]);
}

const NUMBERED: &[(&str, &str)] = &[("1_a.sql", "abc"), ("2_b.sql", "select 2;"), ("10_c.sql", "select 3;")];

#[test]
fn tools_with_a_row_per_file_are_taken_at_their_word() {
    for source in [Source::Dbmate, Source::Diesel, Source::Goose, Source::Sqlx] {
        check(source, NUMBERED, &["1 - ok -", "10 - ok -"], &["1_a.sql", "10_c.sql"], &[]);
        check(
            source,
            NUMBERED,
            &["7 - ok -"],
            &[],
            &[&format!("{} applied `7`, and no file has that version.", source.name())],
        );
    }
    check(Source::Goose, NUMBERED, &["0 - ok -", "1 - ok -", "2 - ok -", "2 - failed -"], &["1_a.sql"], &[]);
    let abc =
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
    check(Source::Sqlx, NUMBERED, &[&format!("1 - ok {abc}")], &["1_a.sql"], &[]);
    check(
        Source::Sqlx,
        NUMBERED,
        &["1 - ok 00"],
        &["1_a.sql"],
        &["`1_a.sql` is not the file that sqlx applied: its checksum is another."],
    );
    check(
        Source::Sqlx,
        NUMBERED,
        &["1 - failed -"],
        &[],
        &["Version `1` failed half-way under sqlx, so nobody knows what of it is there."],
    );
}

#[test]
fn one_row_stands_for_every_file_up_to_it() {
    check(Source::GolangMigrate, NUMBERED, &["2 - ok -"], &["1_a.sql", "2_b.sql"], &[]);
    check(
        Source::GolangMigrate,
        NUMBERED,
        &["2 - failed -"],
        &[],
        &["Version `2` failed half-way under golang-migrate, so nobody knows what of it is there."],
    );
    check(
        Source::GolangMigrate,
        NUMBERED,
        &["3 - ok -"],
        &["1_a.sql", "2_b.sql"],
        &["golang-migrate is at a version that no file has: `3`."],
    );
}

#[test]
fn prisma_names_folders() {
    let files =
        &[("20260101000000_a/migration.sql", "hello"), ("20260102000000_b/migration.sql", "select 2;")];
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let first = format!("20260101000000_a - ok {hello}");
    check(Source::Prisma, files, &[&first], &["20260101000000_a/migration.sql"], &[]);
    // Rolled back, then applied.
    check(
        Source::Prisma,
        files,
        &["20260101000000_a then failed -", &first],
        &["20260101000000_a/migration.sql"],
        &[],
    );
    check(
        Source::Prisma,
        files,
        &["20260101000000_a - failed -"],
        &[],
        &["Version `20260101000000_a` failed half-way under Prisma, so nobody knows what of it is there."],
    );
}
