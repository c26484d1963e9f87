//! Chains of migrations, from their texts to what is known of each statement.

use super::*;

fn chain(files: &[(&str, Wrap)]) -> Chain {
    let files: Vec<MigrationFile> = files
        .iter()
        .enumerate()
        .map(|(i, (text, wrap))| MigrationFile {
            file: ChainFile { name: format!("{i}.sql"), wrap: *wrap, judged: true, ..ChainFile::default() },
            text: (*text).to_owned(),
        })
        .collect();
    read(from_nothing(Engine::Postgres, Circumstances::default()), &files).chain
}

fn transactions(text: &str, wrap: Wrap) -> Vec<Option<u32>> {
    chain(&[(text, wrap)]).statements.iter().map(|statement| statement.transaction).collect()
}

#[test]
fn statements_are_put_into_the_transactions_that_the_runner_makes() {
    let two = "ALTER TABLE t ADD a int; ALTER TABLE t ADD b int;";
    assert_eq!(transactions(two, Wrap::Auto), [Some(1), Some(1)]);
    assert_eq!(transactions(two, Wrap::Transaction), [Some(1), Some(1)]);
    assert_eq!(transactions(two, Wrap::OneQuery), [Some(1), Some(1)]);
    assert_eq!(transactions(two, Wrap::None), [None, None]);
    assert_eq!(transactions("SELECT 1", Wrap::OneQuery), [None]);
    let mixed = "ALTER TABLE t ADD a int; CREATE INDEX CONCURRENTLY i ON t (a);";
    assert_eq!(transactions(mixed, Wrap::Auto), [None, None]);
    assert_eq!(transactions(mixed, Wrap::Transaction), [Some(1), Some(1)]);
    let own = "ALTER TABLE t ADD a int; BEGIN; ALTER TABLE t ADD b int; COMMIT; SELECT 1;";
    assert_eq!(transactions(own, Wrap::Auto), [None, Some(1), Some(1), Some(1), None]);
}

#[test]
fn a_table_is_new_in_the_file_that_makes_it() {
    let chain = chain(&[
        ("CREATE TABLE t (a int); ALTER TABLE t ADD b int;", Wrap::Auto),
        ("ALTER TABLE t ADD c int;", Wrap::Auto),
    ]);
    let felt: Vec<usize> = chain.statements.iter().map(|statement| statement.felt().count()).collect();
    assert_eq!(felt, [0, 0, 1]);
    assert!(chain.statements.iter().all(|statement| statement.evidence_level == EvidenceLevel::Catalog));
}

#[test]
fn a_refused_statement_changes_nothing_and_ends_certainty() {
    let known = |files: &[(&str, Wrap)]| {
        let mut before = Folder::new(Engine::Postgres);
        for change in crate::parse_statement(Dialect::Postgres, "CREATE TABLE t (a int NOT NULL, b int)") {
            before.apply(&change);
        }
        let files: Vec<MigrationFile> = files
            .iter()
            .map(|(text, wrap)| MigrationFile {
                file: ChainFile { wrap: *wrap, judged: true, ..ChainFile::default() },
                text: (*text).to_owned(),
            })
            .collect();
        let start = Start {
            before,
            known: true,
            circumstances: Circumstances::default(),
            together: false,
            earlier: Vec::new(),
        };
        read(start, &files)
    };
    // The column is there already and stays what it is; the statement behind it finds it so.
    let read = known(&[(
        "ALTER TABLE t ADD COLUMN a bigint, DROP COLUMN b; ALTER TABLE t ALTER COLUMN b SET NOT NULL;",
        Wrap::Transaction,
    )]);
    let [first, second] = read.chain.statements.as_slice() else { panic!("two statements") };
    assert!(first.effects.refused.is_some() && second.effects.refused.is_none(), "{second:#?}");
    assert_eq!(second.evidence_level, EvidenceLevel::Text);
    assert_eq!(second.effects.assumed, ["the statement in line 1 fails and is mended first"]);
    let table = read.after.table(&QualifiedName::bare("t")).expect("the table is there");
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["a", "b"]);
    // What the mended statement may make is not said to be absent, and later files are sure again of what is known.
    let read = known(&[
        ("CREATE TABLE u (a int REFERENCES nowhere (id));", Wrap::None),
        ("ALTER TABLE u ADD COLUMN c int; ALTER TABLE t ALTER COLUMN b SET NOT NULL;", Wrap::Transaction),
    ]);
    let [first, second, third] = read.chain.statements.as_slice() else { panic!("three statements") };
    assert!(first.effects.refused.is_some() && second.effects.refused.is_none(), "{first:#?}");
    assert_eq!(second.evidence_level, EvidenceLevel::Text);
    assert_eq!(third.evidence_level, EvidenceLevel::Catalog);
}

#[test]
fn settings_last_as_long_as_the_server_lets_them() {
    let chain = chain(&[
        (
            "BEGIN; SET LOCAL lock_timeout = '1s'; ALTER TABLE t ADD a int; COMMIT; ALTER TABLE t ADD b int;",
            Wrap::Auto,
        ),
        ("SET LOCAL lock_timeout = '1s'; SELECT 1;", Wrap::None),
        ("SET lock_timeout = '2s'; SELECT 1;", Wrap::Auto),
        ("SELECT 1;", Wrap::Auto),
    ]);
    let seen: Vec<Option<&str>> =
        chain.statements.iter().map(|statement| statement.setting("lock_timeout")).collect();
    assert_eq!(
        seen,
        [None, None, Some("1s"), Some("1s"), None, None, None, None, Some("2s"), None],
        "{chain:#?}"
    );
}

#[test]
fn what_reads_a_relation_follows_its_name() {
    let taken = |after: &str| -> String {
        let before = "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE t (a int, b mood); \
            CREATE VIEW v AS SELECT a, b FROM t WHERE EXISTS (SELECT 1 FROM t other WHERE other.a = t.a);";
        let files: Vec<MigrationFile> = [before, after]
            .map(|text| MigrationFile {
                file: ChainFile { judged: text == after, wrap: Wrap::None, ..ChainFile::default() },
                text: text.to_owned(),
            })
            .into();
        let chain = read(from_nothing(Engine::Postgres, Circumstances::default()), &files).chain;
        chain.statements.last().expect("there are statements").around.dependants.join(", ")
    };
    assert_eq!(taken("DROP TYPE mood CASCADE"), "column `public.t.b`, view `public.v`");
    assert_eq!(taken("ALTER TABLE t RENAME TO old; DROP TABLE old CASCADE"), "view `public.v`");
    assert_eq!(taken("ALTER TABLE t RENAME TO old; CREATE TABLE t (a int); DROP TABLE t CASCADE"), "");
    assert_eq!(taken("ALTER TABLE t SET SCHEMA other; DROP TABLE other.t CASCADE"), "view `public.v`");
    assert_eq!(
        taken("ALTER VIEW v RENAME TO w; CREATE VIEW x AS SELECT a FROM w; DROP TABLE t CASCADE"),
        "view `public.w`, view `public.x`"
    );
}
