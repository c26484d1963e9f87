//! Real files, read as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dbwright_model::catalog::{Catalog, ConstraintKind, Index, TableKind};
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataCount, DataQuestion, Fact, Facts};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use rusqlite::Connection;

use super::ReadSession;
use crate::session::{Limits, SessionErrorKind, Silent};

/// A directory that goes when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dbwright sqlite%{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A database made by a script.
    fn database(&self, script: &str) -> PathBuf {
        let path = self.file("t?.db");
        Connection::open(&path).unwrap().execute_batch(script).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn collect(path: &Path, plan: &[Fact]) -> Facts {
    let mut session = ReadSession::open(path, &Limits::default()).await.unwrap();
    let facts = session.collect(plan, &Silent).await.unwrap();
    session.close().await;
    facts
}

async fn catalog(script: &str) -> Catalog {
    let directory = Directory::new();
    let facts = collect(&directory.database(script), &[Fact::Catalog, Fact::Triggers, Fact::Functions]).await;
    match facts.catalog {
        Observed::Known(catalog) => catalog,
        other => panic!("no catalog: {other:?}"),
    }
}

const EVERYTHING: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT COLLATE NOCASE NOT NULL UNIQUE,
        x INT DEFAULT (1 + 2), g INT AS (x + 1), s TEXT GENERATED ALWAYS AS (upper(code)) STORED);
    CREATE TABLE child (a INT, b TEXT, parent_id INTEGER REFERENCES Parent ON DELETE CASCADE,
        PRIMARY KEY (b, a), CHECK (a > 0)) WITHOUT ROWID;
    CREATE TABLE strict_one (k TEXT PRIMARY KEY, v ANY) STRICT;
    CREATE TABLE loose (k TEXT PRIMARY KEY, v);
    CREATE INDEX child_parent ON child (parent_id DESC, b COLLATE RTRIM);
    CREATE UNIQUE INDEX part ON parent (lower(code)) WHERE x > 1;
    CREATE VIEW v AS SELECT id, code FROM parent;
    CREATE VIEW broken AS SELECT a FROM nowhere;
    CREATE TRIGGER tr AFTER INSERT ON parent BEGIN UPDATE parent SET x = 1; END;
    CREATE VIRTUAL TABLE words USING fts5(body);
    INSERT INTO parent (code, x) VALUES ('a', 1), ('b', 2);
    INSERT INTO child VALUES (1, 'x', 1);
";

#[tokio::test]
async fn the_catalog_holds_what_pragmas_tell() {
    let catalog = catalog(EVERYTHING).await;
    let table = |name: &str| catalog.tables.iter().find(|table| table.name.name == name).unwrap();

    let parent = table("parent");
    let columns: Vec<String> = parent
        .columns
        .iter()
        .map(|c| {
            let default = c.default.as_ref().map(|d| format!("={}", d.text)).unwrap_or_default();
            let generated = c.generated.as_ref().map(|g| if g.stored { "stored" } else { "virtual" });
            let collation = c.collation.as_ref().map(Name::as_str).unwrap_or_default();
            format!(
                "{} {} {} {} {default} {collation} {}",
                c.name,
                c.data_type.text,
                c.not_null,
                c.auto_increment,
                generated.unwrap_or_default()
            )
            .trim_end()
            .to_owned()
        })
        .collect();
    assert_eq!(
        columns,
        [
            "id INTEGER true true",
            "code TEXT true false  NOCASE",
            "x INT false false =1 + 2",
            "g INT false false   virtual",
            "s TEXT false false   stored",
        ]
    );
    let indexes: Vec<(&str, Option<ConstraintKind>)> =
        parent.indexes.iter().map(|index| (index.name.as_str(), index.backs)).collect();
    assert_eq!(
        indexes,
        [
            ("part", None),
            ("rowid", Some(ConstraintKind::PrimaryKey)),
            ("sqlite_autoindex_parent_1", Some(ConstraintKind::Unique)),
        ]
    );
    assert_eq!(parent.indexes[0].options[0].0, Index::DEFINITION);
    assert!(parent.indexes[0].predicate.is_some());
    assert_eq!(parent.uniques[0].columns, [Name::new("code")]);

    let child = table("child");
    assert!(child.without_rowid && child.columns[0].not_null && child.columns[1].not_null);
    assert_eq!(child.primary_key.as_ref().unwrap().columns, [Name::new("b"), Name::new("a")]);
    assert_eq!(child.foreign_keys[0].references, QualifiedName::bare("parent"));
    assert_eq!(child.foreign_keys[0].referenced_columns, [Name::new("id")]);
    let index = child.indexes.iter().find(|index| index.name == "child_parent").unwrap();
    assert!(index.parts[0].descending && index.options.is_empty());
    assert_eq!(index.parts[1].collation, Some(Name::new("RTRIM")));

    assert!(table("strict_one").strict && table("strict_one").columns[0].not_null);
    assert!(!table("loose").columns[0].not_null);
    assert_eq!(table("loose").columns[1].data_type.kind, TypeKind::Untyped);
    assert!(matches!(table("words").kind, TableKind::Virtual { .. }));
    assert_eq!(table("words").columns.len(), 1);
    assert_eq!(table("words_data").kind, TableKind::Shadow);
    assert!(table("parent").definition.as_ref().unwrap().starts_with("CREATE TABLE parent"));

    let views: Vec<(&str, usize)> =
        catalog.views.iter().map(|view| (view.name.name.as_str(), view.columns.len())).collect();
    assert_eq!(views, [("broken", 0), ("v", 2)]);
    let triggers = catalog.triggers.known().unwrap();
    assert_eq!((triggers[0].name.as_str(), &triggers[0].table), ("tr", &QualifiedName::bare("parent")));
    assert!(matches!(catalog.functions, Observed::Unsupported(_)));
    assert_eq!(catalog.policies, Observed::NotAsked);
    assert!(catalog.doubts.is_empty());
}

#[tokio::test]
async fn names_may_hold_anything() {
    let name = "a \"b\" 'c'\n[🦀] `;--";
    let quoted = super::reader::quoted(name);
    let directory = Directory::new();
    let path = directory.database(&format!(
        "PRAGMA foreign_keys = OFF; CREATE TABLE {quoted} ({quoted} INTEGER PRIMARY KEY, b INT REFERENCES {quoted});
         CREATE INDEX \"i{}\" ON {quoted} (b);
         INSERT INTO {quoted} VALUES (1, 1), (2, 'x');",
        name.replace('"', "\"\"")
    ));
    let facts = collect(&path, &Fact::ALL).await;
    let catalog = facts.catalog.known().unwrap();
    assert_eq!(catalog.tables[0].name, QualifiedName::bare(name));
    assert_eq!(catalog.tables[0].columns[0].name, Name::new(name));
    assert_eq!(catalog.tables[0].indexes.len(), 2);
    assert_eq!(facts.table_statistics.known().unwrap()[0].rows, Some(2));
    assert_eq!(facts.column_maxima.known().unwrap().len(), 2);
    assert_eq!(facts.integrity.known().unwrap().mixed_columns[0].column, Name::new("b"));
}

#[tokio::test]
async fn every_fact_is_answered() {
    let directory = Directory::new();
    let path = directory.database(EVERYTHING);
    Connection::open(&path).unwrap().execute_batch("ANALYZE").unwrap();
    let facts = collect(&path, &Fact::ALL).await;
    for fact in Fact::ALL.into_iter().filter(|fact| *fact != Fact::Migrations) {
        let status = facts.status(fact);
        assert!(matches!(status, Observed::Known(()) | Observed::Unsupported(_)), "{fact:?}: {status:?}");
    }
    let statistics = facts.table_statistics.known().unwrap();
    let parent = statistics.iter().find(|one| one.table.name == "parent").unwrap();
    assert_eq!((parent.rows, parent.rows_exact, parent.next_auto_increment), (Some(2), true, Some(2)));
    assert_eq!((parent.table_bytes, parent.index_bytes), (Some(4096), Some(8192)));
    let index = facts.index_statistics.known().unwrap();
    let index = index.iter().find(|one| one.index == "sqlite_autoindex_parent_1").unwrap();
    assert_eq!((index.bytes, index.distinct), (Some(4096), Some(2)));
    let maxima: Vec<String> = facts
        .column_maxima
        .known()
        .unwrap()
        .iter()
        .map(|m| format!("{}.{} {:?} {:?}", m.table, m.column, m.min, m.max))
        .collect();
    assert!(maxima.contains(&"parent.id Some(1) Some(2)".to_owned()), "{maxima:?}");
    assert!(maxima.contains(&"child.parent_id Some(1) Some(1)".to_owned()), "{maxima:?}");
    let settings = facts.settings.known().unwrap();
    assert_eq!(settings.flag("foreign_keys"), Some(false));
    assert_eq!(settings.values["foreign_keys"].source, "per connection");
    assert_eq!(settings.get("journal_mode"), Some("delete"));
    assert!(settings.values.keys().any(|name| name.starts_with("compile_option.")));
    let storage = facts.storage.known().unwrap();
    assert!(storage.analyzed && storage.page_count > 5 && storage.writer_version.is_some());
    assert_eq!((storage.page_size, storage.encoding.as_str()), (4096, "UTF-8"));
    assert_eq!(facts.source.database, "t?");
}

#[tokio::test]
async fn integrity_names_orphans_mixed_columns_and_odd_parents() {
    let directory = Directory::new();
    let path = directory.database(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE parent (id INTEGER PRIMARY KEY, other INT);
         CREATE TABLE child (a INT REFERENCES parent, b INT REFERENCES parent);
         CREATE TABLE odd (c INT REFERENCES parent (other));
         INSERT INTO parent VALUES (1, 1);
         INSERT INTO child VALUES (1, 1), (2, 1), (3, 'x'), (4, NULL);
         INSERT INTO odd VALUES (1);",
    );
    let facts = collect(&path, &[Fact::Integrity]).await;
    let Observed::Known(integrity) = &facts.integrity else { panic!("{:?}", facts.integrity) };
    let violations: Vec<String> = integrity
        .violations
        .iter()
        .map(|v| format!("{}({}) -> {}: {} {:?}", v.table, v.columns[0], v.parent, v.rows, v.examples))
        .collect();
    assert_eq!(
        violations,
        [
            "child(a) -> parent: 3 [\"rowid 2\", \"rowid 3\", \"rowid 4\"]",
            "child(b) -> parent: 1 [\"rowid 3\"]",
        ]
    );
    // A parent without a fitting key is not damage.
    assert_eq!(integrity.complaints, Vec::<String>::new());
    let [odd] = integrity.unanswered.as_slice() else { panic!("{:?}", integrity.unanswered) };
    assert_eq!(odd.table, QualifiedName::bare("odd"));
    assert!(odd.because.contains("foreign key mismatch"), "{odd:?}");
    assert_eq!(integrity.mixed_columns.len(), 1);
    assert_eq!(integrity.mixed_columns[0].classes, [(Name::new("integer"), 2), (Name::new("text"), 1)]);
    assert!(integrity.unchecked.is_empty());
}

#[tokio::test]
async fn migration_tables_are_read() {
    let directory = Directory::new();
    let path = directory.database(
        "CREATE TABLE schema_migrations (version TEXT PRIMARY KEY);
         INSERT INTO schema_migrations VALUES ('10'), ('9');
         CREATE TABLE _sqlx_migrations (version INTEGER, success BOOLEAN, installed_on TIMESTAMP, checksum BLOB);
         INSERT INTO _sqlx_migrations VALUES (1, 1, '2024-01-02 03:04:05', x'0AFF'), (2, 0, 'never', NULL);
         CREATE TABLE _prisma_migrations (migration_name, finished_at, rolled_back_at);
         INSERT INTO _prisma_migrations VALUES ('a', 1700000000000, NULL), ('b', NULL, NULL);
         CREATE TABLE alembic_version (something_else);",
    );
    let facts = collect(&path, &[Fact::MigrationHistory]).await;
    let histories: Vec<String> = facts
        .migration_history
        .known()
        .unwrap()
        .iter()
        .map(|history| {
            let applied: Vec<String> = history
                .applied
                .iter()
                .map(|m| {
                    let at = m.at.map(|at| format!("@{}", at.as_second())).unwrap_or_default();
                    let sum = m.checksum.as_ref().map(|sum| format!("#{sum}")).unwrap_or_default();
                    format!("{}{}{at}{sum}", m.version, if m.ok { "" } else { "!" })
                })
                .collect();
            format!("{}: {}", history.tool, applied.join(" "))
        })
        .collect();
    assert_eq!(histories, ["Prisma: a@1700000000 b!", "sqlx: 1@1704164645#0aff 2!", "Rails or dbmate: 9 10"]);
}

#[tokio::test]
async fn questions_about_rows_are_counted() {
    let directory = Directory::new();
    let path = directory.database(
        "CREATE TABLE parent (id INT);
         CREATE TABLE t (a INT, b TEXT, c TEXT, d TEXT);
         INSERT INTO parent VALUES (1), (NULL);
         INSERT INTO t VALUES (1, 'x', 'red, green', '12'), (1, 'y', 'Hello, this is prose', '012'),
            (2, 'x', '[1, 2]', '2024-02-30'), (2, 'x', 'a;b;c', '2024-02-29'), (NULL, NULL, NULL, x'00');",
    );
    let t = || QualifiedName::bare("t");
    let name = |name: &str| Name::new(name);
    let reads = |kind| DataQuestion::ParsesAs { table: t(), column: name("d"), kind };
    let cases = [
        (
            DataQuestion::Orphans {
                child: t(),
                column: name("a"),
                parent: QualifiedName::bare("parent"),
                parent_column: name("id"),
            },
            (4, 2, vec!["2"]),
        ),
        (
            DataQuestion::Dependency { table: t(), determinant: vec![name("a")], dependent: name("b") },
            (2, 1, vec!["1: x 1, y 1"]),
        ),
        (
            DataQuestion::ListValues { table: t(), column: name("c") },
            (4, 4, vec!["a;b;c", "[1, 2]", "red, green", "Hello, this is prose"]),
        ),
        (reads(TypeKind::Integer), (5, 2, vec!["012", "12"])),
        (reads(TypeKind::Date), (5, 1, vec!["2024-02-29"])),
        (DataQuestion::Nulls { table: t(), column: name("b") }, (5, 1, vec![])),
        (
            DataQuestion::Duplicates { table: t(), columns: vec![name("a"), name("b")] },
            (3, 1, vec!["2, x: 2"]),
        ),
        (DataQuestion::Values { table: t(), column: name("b") }, (4, 2, vec!["x", "y"])),
    ];
    let mut session = ReadSession::open(&path, &Limits::default()).await.unwrap();
    let mut facts = session.collect(&[], &Silent).await.unwrap();
    let questions: Vec<DataQuestion> = cases.iter().map(|(question, _)| question.clone()).collect();
    session.ask(&questions, &mut facts).await.unwrap();
    for (answer, (question, (examined, matching, examples))) in facts.data.known().unwrap().iter().zip(cases)
    {
        assert_eq!(answer.question, question);
        let examples = examples.into_iter().map(str::to_owned).collect();
        let mut expected = DataCount { examined, matching, examples, ..DataCount::default() };
        match question {
            DataQuestion::Dependency { .. } => {
                expected.rows = Some(5);
                expected.grouped_rows = Some(4);
                expected.minority_rows = Some(1);
                expected.distinct = Some(2);
                expected.largest_share = Some(0.75);
            }
            DataQuestion::ListValues { .. } => {
                expected.rows = Some(9);
                expected.distinct = Some(9);
            }
            _ => {}
        }
        assert_eq!(answer.answer, Observed::Known(expected), "{question:?}");
    }
    let mut facts = session.collect(&[], &Silent).await.unwrap();
    let unknown = [
        DataQuestion::Nulls { table: t(), column: name("nothing") },
        DataQuestion::Nulls { table: QualifiedName::bare("nothing"), column: name("a") },
        reads(TypeKind::Xml),
    ];
    session.ask(&unknown, &mut facts).await.unwrap();
    let answers = facts.data.known().unwrap();
    assert!(matches!(answers[0].answer, Observed::Failed(_)), "{:?}", answers[0]);
    assert!(matches!(answers[1].answer, Observed::Failed(_)));
    assert!(matches!(answers[2].answer, Observed::Unsupported(_)));
}

#[tokio::test]
async fn a_session_cannot_write() {
    let directory = Directory::new();
    let path = directory.database("CREATE TABLE t (a)");
    let session = ReadSession::open(&path, &Limits::default()).await.unwrap();
    let connection = session.reader.as_ref().unwrap().connection();
    assert!(connection.execute_batch("INSERT INTO t VALUES (1)").is_err());
    assert!(connection.execute_batch("PRAGMA query_only = OFF; INSERT INTO t VALUES (1)").is_err());
    assert!(connection.execute_batch("ATTACH 'other.db' AS other; CREATE TABLE other.t (a)").is_err());
}

#[tokio::test]
async fn reading_changes_no_byte_and_leaves_no_file() {
    for (mode, open_writer) in [("delete", false), ("wal", false), ("wal", true), ("truncate", false)] {
        let directory = Directory::new();
        let path = directory.database(&format!("PRAGMA journal_mode = {mode}; {EVERYTHING}"));
        let writer = open_writer.then(|| {
            let writer = Connection::open(&path).unwrap();
            writer.execute_batch("INSERT INTO loose VALUES ('late', 1)").unwrap();
            writer
        });
        let content = |suffix: &str| fs::read(super::file::beside(&path, suffix)).ok();
        let before = (directory.names(), content(""), content("-wal"));
        let facts = collect(&path, &Fact::ALL).await;
        assert_eq!(facts.storage.known().unwrap().journal_mode, mode.replace("truncate", "delete").as_str());
        let loose = facts.table_statistics.known().unwrap();
        let loose = loose.iter().find(|one| one.table.name == "loose").unwrap();
        assert_eq!(loose.rows, Some(u64::from(open_writer)));
        assert_eq!(before, (directory.names(), content(""), content("-wal")), "{mode} {open_writer}");
        drop(writer);
    }
}

#[tokio::test]
async fn a_log_without_its_index_is_read_without_a_change_to_the_data() {
    let directory = Directory::new();
    let path = directory.database("PRAGMA journal_mode = wal; CREATE TABLE t (a)");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    // As a copy made under a running application looks.
    let copy = directory.file("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(super::file::beside(&path, "-wal"), super::file::beside(&copy, "-wal")).unwrap();
    let content = |suffix: &str| fs::read(super::file::beside(&copy, suffix)).ok();
    let before = (content(""), content("-wal"));
    let facts = collect(&copy, &[Fact::TableStatistics, Fact::Storage]).await;
    assert_eq!(facts.table_statistics.known().unwrap()[0].rows, Some(1));
    assert!(facts.storage.known().unwrap().wal_bytes > 0);
    assert_eq!(before, (content(""), content("-wal")));
}

#[tokio::test]
async fn a_writer_that_comes_later_is_noticed() {
    let directory = Directory::new();
    let path = directory.database("PRAGMA journal_mode = wal; CREATE TABLE t (a)");
    let mut session = ReadSession::open(&path, &Limits::default()).await.unwrap();
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    let facts = session.collect(&[Fact::TableStatistics], &Silent).await.unwrap();
    assert_eq!(facts.table_statistics.known().unwrap()[0].rows, Some(1));
}

#[tokio::test]
async fn what_is_no_database_is_named() {
    let directory = Directory::new();
    let good = fs::read(directory.database("CREATE TABLE t (a); CREATE TABLE u (a)")).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.file(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let noise: Vec<u8> = (0..8_192u32).map(|i| (i * 7 + i / 13) as u8).collect();
    for (path, expected) in [
        (directory.file("absent.db"), "there is no such file"),
        (directory.0.clone(), "it is a directory"),
        (file("text.db", b"hello"), "not an SQLite database, or it is encrypted"),
        (file("noise.db", &noise), "not an SQLite database, or it is encrypted"),
        (file("header.db", &good[..60]), "it ends inside its header"),
        (file("half.db", &good[..good.len() / 2]), "damaged or cut off"),
    ] {
        let error = ReadSession::open(&path, &Limits::default()).await.err().expect("no error");
        assert!(error.message.contains(expected), "{error:?}");
        assert_eq!(error.kind, SessionErrorKind::Connection);
        assert!(error.hint.is_some());
        assert!(!directory.file("absent.db").exists());
    }
    let facts = collect(&file("empty.db", b""), &Fact::ALL).await;
    assert!(facts.catalog.known().unwrap().tables.is_empty());
    assert!(fs::read(directory.file("empty.db")).unwrap().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let path = directory.database("CREATE TABLE t (a)");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it all the same.
    if fs::File::open(&path).is_err() {
        let error = ReadSession::open(&path, &Limits::default()).await.err().expect("no error");
        assert!(error.message.contains("may not be read"), "{error:?}");
    }
}

#[tokio::test]
async fn a_lock_is_waited_for_and_named() {
    let directory = Directory::new();
    let path = directory.database("CREATE TABLE t (a)");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let limits = Limits { lock_timeout: Duration::from_millis(50), ..Limits::default() };
    let error = ReadSession::open(&path, &limits).await.err().expect("no error");
    assert!(error.message.contains("another process has locked it"), "{error:?}");
}

#[tokio::test]
async fn damage_costs_only_the_facts_it_touches() {
    let directory = Directory::new();
    let path = directory.database(
        "CREATE TABLE t (a); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
         INSERT INTO t SELECT hex(randomblob(20)) FROM n; PRAGMA user_version = 7;",
    );
    let mut bytes = fs::read(&path).unwrap();
    let second = 4096..8192;
    bytes[second].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    let facts = collect(&path, &Fact::ALL).await;
    assert_eq!(facts.storage.known().unwrap().user_version, 7);
    assert_eq!(facts.catalog.known().unwrap().tables.len(), 1);
    let integrity = match &facts.integrity {
        Observed::Known(integrity) => integrity.complaints.join("\n"),
        other => other.because().unwrap_or_default(),
    };
    assert!(!integrity.is_empty());
}

#[tokio::test]
async fn a_slow_statement_is_stopped() {
    let directory = Directory::new();
    let path = directory.database(
        "CREATE TABLE t (a); CREATE VIEW v AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
         SELECT i FROM n;",
    );
    let limits = Limits { statement_timeout: Duration::from_millis(100), ..Limits::default() };
    let mut session = ReadSession::open(&path, &limits).await.unwrap();
    let mut facts = session.collect(&[Fact::Catalog], &Silent).await.unwrap();
    let endless = DataQuestion::Nulls { table: QualifiedName::bare("v"), column: Name::new("i") };
    let brief = DataQuestion::Nulls { table: QualifiedName::bare("t"), column: Name::new("a") };
    session.ask(&[endless, brief], &mut facts).await.unwrap();
    let answers = facts.data.known().unwrap();
    assert!(matches!(&answers[0].answer, Observed::Failed(because) if because.contains("time limit")));
    assert!(answers[1].answer.is_known());
}

#[tokio::test]
async fn facts_after_the_total_limit_say_so() {
    let directory = Directory::new();
    let path = directory.database(EVERYTHING);
    let limits = Limits { total: Duration::ZERO, ..Limits::default() };
    let mut session = ReadSession::open(&path, &limits).await.unwrap();
    let facts = session.collect(&[Fact::Catalog, Fact::Storage, Fact::Workload], &Silent).await.unwrap();
    assert!(matches!(facts.catalog, Observed::Failed(_)));
    assert!(matches!(facts.storage, Observed::Failed(_)));
    assert!(matches!(facts.workload, Observed::Unsupported(_)));
}
