//! Statements read, written and read again.

use dbwright_model::catalog::{Catalog, Index, IndexKey, Table, TableKind, Trigger, View};
use dbwright_model::change::Change;
use dbwright_model::engine::{Engine, Version};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use proptest::prelude::*;

use super::{expression, parse, understand, write};

fn one(text: &str) -> Change {
    let mut changes = parse::statement(text);
    assert_eq!(changes.len(), 1, "{text}: {changes:?}");
    changes.remove(0)
}

fn table(text: &str) -> Table {
    match one(text) {
        Change::CreateTable { table, .. } => *table,
        other => panic!("{text}: {other:?}"),
    }
}

/// What a statement becomes, in the debug form of its change.
fn check(text: &str, expected: &str) {
    let unsaid = [
        format!(", alter: {:?}", dbwright_model::change::AlterClauses::default()),
        format!(", online: {:?}", dbwright_model::change::OnlineClauses::default()),
    ];
    let clauses = format!(", clauses: {:?}", dbwright_model::change::DataClauses::default());
    let found = format!("{:?}", parse::statement(text)).replace(&clauses, "");
    let found = unsaid.iter().fold(found, |found, unsaid| found.replace(unsaid, ""));
    assert!(found.contains(expected), "{text}\n  gave {found}\n  not  {expected}");
}

#[test]
fn tables_are_read_with_everything_on_them() {
    let table = table(
        "CREATE TABLE IF NOT EXISTS main.\"child table\" (
            id integer CONSTRAINT pk PRIMARY KEY AUTOINCREMENT, -- the key
            parent_id INT NOT NULL CONSTRAINT fk REFERENCES parent(id) ON DELETE CASCADE ON UPDATE SET NULL
                DEFERRABLE INITIALLY DEFERRED,
            name VARCHAR(20) COLLATE NOCASE DEFAULT 'it''s' UNIQUE ON CONFLICT IGNORE,
            amount DECIMAL (10, 2) DEFAULT (1 + 2) CHECK (amount > 0 AND \"name\" <> \"x\"),
            at DATETIME DEFAULT CURRENT_TIMESTAMP,
            low INT DEFAULT -1,
            word TEXT DEFAULT bare,
            up TEXT GENERATED ALWAYS AS (upper(name)) STORED,
            [any thing],
            CONSTRAINT u UNIQUE (name, low DESC)
            CHECK (low < amount),
            FOREIGN KEY (name, low) REFERENCES parent
        )",
    );
    assert_eq!(table.name, QualifiedName::bare("child table"));
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| {
            let default = c.default.as_ref().map(|d| format!(" ={}", d.text)).unwrap_or_default();
            let not_null = if c.not_null { " !" } else { "" };
            let auto = if c.auto_increment { " auto" } else { "" };
            let collation = c.collation.as_ref().map(|c| format!(" {c}")).unwrap_or_default();
            format!("{} {}{not_null}{auto}{collation}{default}", c.name, c.data_type.text)
        })
        .collect();
    assert_eq!(
        columns,
        [
            "id INTEGER ! auto",
            "parent_id INT !",
            "name VARCHAR(20) NOCASE ='it''s'",
            "amount DECIMAL (10, 2) =1 + 2",
            "at DATETIME =CURRENT_TIMESTAMP",
            "low INT =-1",
            "word TEXT =bare",
            "up TEXT",
            "any thing ",
        ]
    );
    let key = table.primary_key.as_ref().unwrap();
    assert_eq!((key.name.as_ref().unwrap().as_str(), key.columns.len()), ("pk", 1));
    assert_eq!(table.uniques.len(), 2);
    let checks: Vec<&str> = table.checks.iter().map(|check| check.expression.text.as_str()).collect();
    assert_eq!(checks, ["amount > 0 AND \"name\" <> \"x\"", "low < amount"]);
    let tree = table.checks[0].expression.tree.as_ref().unwrap();
    assert_eq!(tree.columns(), ["amount", "name"]);
    assert!(format!("{tree:?}").contains("DoubleQuoted(\"x\")"));
    assert_eq!(table.foreign_keys.len(), 2);
    assert!(table.foreign_keys[0].deferrable);
    assert_eq!(table.foreign_keys[0].name, Some(Name::new("fk")));
    assert!(table.foreign_keys[1].referenced_columns.is_empty());
    assert!(table.columns[7].generated.as_ref().unwrap().stored);
    assert!(format!("{:?}", table.columns[6].default.as_ref().unwrap().tree).contains("String(\"bare\")"));
}

#[test]
fn keys_imply_not_null_only_where_sqlite_holds_it() {
    for (text, expected) in [
        ("CREATE TABLE t (a INTEGER PRIMARY KEY)", true),
        ("CREATE TABLE t (a INTEGER, PRIMARY KEY (a DESC))", true),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY DESC)", false),
        ("CREATE TABLE t (a INT PRIMARY KEY)", false),
        ("CREATE TABLE t (a TEXT PRIMARY KEY)", false),
        ("CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID", true),
        ("CREATE TABLE t (a TEXT PRIMARY KEY) strict", true),
        ("CREATE TABLE t (a INTEGER, b INT, PRIMARY KEY (a, b))", false),
    ] {
        assert_eq!(table(text).columns[0].not_null, expected, "{text}");
    }
}

#[test]
fn other_statements_become_changes() {
    check("", "[Nothing]");
    check("CREATE TEMP TABLE t (a)", "persistence: Temporary");
    check("CREATE TABLE temp.t (a)", "persistence: Temporary");
    check("CREATE TABLE t AS SELECT 1", "CreateTableAs { name: \"t\", query: \"SELECT 1\"");
    check(
        "CREATE VIRTUAL TABLE main.f USING fts5(a, 'b;c')",
        "definition: Some(\"CREATE VIRTUAL TABLE f USING fts5(a, 'b;c')\")",
    );
    check("CREATE VIRTUAL TABLE f USING rtree(a, b)", "Virtual { module: \"rtree\" }");
    check("CREATE VIEW v (a, b) AS SELECT 1, 2;", "definition: \"SELECT 1, 2\"");
    check("DROP TABLE IF EXISTS aux.t", "DropTable { name: \"aux.t\", if_exists: true");
    check("DROP INDEX main.i", "DropIndex { table: None, index: \"i\"");
    check("DROP VIEW v", "DropView");
    check("DROP TRIGGER x", "DropTrigger { table: None, name: \"x\"");
    check("ALTER TABLE t RENAME TO \"u v\"", "RenameTable { table: \"t\", to: \"u v\" }");
    check("ALTER TABLE t RENAME a TO b", "RenameColumn { table: \"t\", column: \"a\", to: \"b\" }");
    check("ALTER TABLE t DROP COLUMN a", "DropColumn { table: \"t\", column: \"a\"");
    check("ALTER TABLE t ALTER a SET NOT NULL", "SetNotNull { table: \"t\", column: \"a\", not_null: true }");
    check("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "AddCheck");
    check("PRAGMA foreign_keys = ON", "SetServerSetting { name: \"foreign_keys\", value: \"ON\" }");
    check("PRAGMA main.journal_mode('wal')", "SetServerSetting { name: \"journal_mode\", value: \"wal\" }");
    check("PRAGMA table_info(t)", "[Nothing]");
    check("PRAGMA user_version", "[Nothing]");
    check("ATTACH 'x.db' AS x", "[AttachDatabase { name: \"x\" }]");
    check("REINDEX", "ReindexAll");
    check("BEGIN IMMEDIATE", "Begin");
    check("END TRANSACTION", "Commit");
    check("ROLLBACK TO SAVEPOINT x", "RollbackTo");
    check("REINDEX i", "Reindex { index: \"i\"");
    check("ANALYZE", "Analyze { table: None }");
    check("VACUUM INTO 'x'", "Vacuum");
    check("INSERT INTO t VALUES (1)", "Data { kind: Insert, table: Some(\"t\")");
    check("UPDATE t SET a = 1", "Data { kind: Update, table: Some(\"t\"), filtered: false }");
    check(
        "WITH c AS (SELECT 1) DELETE FROM t WHERE a IN c",
        "Data { kind: Delete, table: Some(\"t\"), filtered: true }",
    );
    check("SELECT * FROM t WHERE a", "Data { kind: Select, table: Some(\"t\"), filtered: true }");
    check("REPLACE INTO t VALUES (?1, @@@)", "Data { kind: Insert, table: None");
    check("FROBNICATE", "Opaque");
    check("CREATE TABLE t (a INT,, b)", "touches: [\"t\"]");
    check("CREATE TABLE t (a 'x", "Opaque");
    let changes =
        parse::statement("ALTER TABLE t ADD a INT NOT NULL DEFAULT 0 REFERENCES parent CHECK (a > 0)");
    assert!(matches!(
        changes.as_slice(),
        [Change::AddColumn { .. }, Change::AddCheck { .. }, Change::AddForeignKey { .. }]
    ));
}

#[test]
fn indexes_and_triggers_are_read() {
    let Change::CreateIndex { table, index, .. } = one(
        "CREATE UNIQUE INDEX main.i ON t (a COLLATE NOCASE DESC, lower(b) ASC, \"c\") WHERE a IS NOT NULL AND b > 1",
    ) else {
        panic!("no index")
    };
    assert_eq!(table, QualifiedName::bare("t"));
    assert!(index.unique && index.parts[0].descending);
    assert_eq!(index.parts[0].collation, Some(Name::new("NOCASE")));
    assert!(
        matches!(&index.parts[1].key, IndexKey::Expression(e) if e.text == "lower(b)" && e.tree.is_some())
    );
    assert_eq!(index.parts[2].as_column(), Some(&Name::new("c")));
    assert_eq!(index.predicate.as_ref().unwrap().text, "a IS NOT NULL AND b > 1");

    let text = "CREATE TRIGGER IF NOT EXISTS main.x AFTER UPDATE OF a, b ON t WHEN NEW.a BEGIN SELECT 1; END";
    let Change::CreateTrigger { trigger, .. } = one(text) else { panic!("no trigger") };
    assert_eq!((trigger.timing.as_str(), trigger.events[0].as_str()), ("AFTER", "UPDATE"));
    assert_eq!(trigger.body, "CREATE TRIGGER x AFTER UPDATE OF a, b ON t WHEN NEW.a BEGIN SELECT 1; END");
}

#[test]
fn what_is_written_reads_back_the_same() {
    for text in [
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT NOT NULL DEFAULT 'x;''' COLLATE NOCASE)",
        "CREATE TABLE IF NOT EXISTS \"a \"\"b\" (\"select\" INT, [c d], PRIMARY KEY (\"select\", [c d])) STRICT, WITHOUT ROWID",
        "CREATE TEMP TABLE t (a INT CONSTRAINT c CHECK (a > 0) CONSTRAINT u UNIQUE, UNIQUE (a))",
        "CREATE TABLE t (a INT REFERENCES parent (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, CONSTRAINT f FOREIGN KEY (a) REFERENCES p2 ON UPDATE RESTRICT)",
        "CREATE TABLE t (a INT DEFAULT -1, b DEFAULT (a + 1), c AS (a + b), d INT GENERATED ALWAYS AS (a) STORED, e DEFAULT CURRENT_DATE, f DEFAULT 1.5e3, g DEFAULT x'0a', h DEFAULT NULL)",
        "CREATE TABLE t (a TEXT PRIMARY KEY)",
        "CREATE TABLE aux.t (a)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5(a, b, tokenize = 'porter')",
        "CREATE UNIQUE INDEX IF NOT EXISTS aux.i ON t (a DESC, lower(b), c COLLATE NOCASE) WHERE a > 0",
        "CREATE VIEW v (a) AS SELECT 1",
        "CREATE TRIGGER x BEFORE INSERT ON t BEGIN SELECT 1; END",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ADD COLUMN a INT NOT NULL DEFAULT 0",
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE t DROP CONSTRAINT c",
        "DROP TABLE IF EXISTS t",
        "DROP VIEW v",
        "DROP INDEX aux.i",
        "DROP TRIGGER IF EXISTS x",
        "PRAGMA journal_mode = WAL",
        "PRAGMA cache_size = -2000",
        "PRAGMA temp_store_directory = 'a b'",
        "REINDEX i",
        "ANALYZE t",
        "VACUUM",
        "BEGIN",
        "ROLLBACK",
    ] {
        let change = one(text);
        assert!(!matches!(change, Change::Opaque { .. }), "{text} was not understood");
        let written = write::change(None, &change).unwrap_or_else(|| panic!("{text} cannot be written"));
        let again: Vec<Change> = written.iter().flat_map(|written| parse::statement(&written.sql)).collect();
        assert_eq!(again, [change], "{text} became {written:?}");
    }
}

#[test]
fn what_a_version_cannot_is_not_written() {
    let old = Some(Version::new(3, 24, 0));
    for text in [
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t ADD CHECK (a > 0)",
    ] {
        assert_eq!(write::change(old, &one(text)), None, "{text}");
        assert!(write::change(None, &one(text)).is_some(), "{text}");
    }
    let materialized = View { materialized: true, ..View::default() };
    let change = Change::CreateView {
        if_not_exists: Default::default(),
        view: Box::new(materialized),
        or_replace: false,
    };
    assert_eq!(write::change(None, &change), None);
}

#[test]
fn a_live_catalog_is_completed_from_its_definitions() {
    let mut catalog = Catalog::empty(Engine::Sqlite);
    let definition = "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, \
        b TEXT COLLATE NOCASE DEFAULT (upper('x')) CONSTRAINT c CHECK (b <> ''), \
        g AS (a + 1), d CONSTRAINT f REFERENCES parent DEFERRABLE INITIALLY DEFERRED)";
    // As a collector leaves it: what pragmas tell, and nothing of what they do not.
    let mut live = table(definition);
    live.definition = Some(definition.to_owned());
    live.checks.clear();
    live.columns[0].auto_increment = false;
    live.columns[1].collation = None;
    live.columns[1].default.as_mut().unwrap().tree = None;
    live.columns[2].generated.as_mut().unwrap().expression = Default::default();
    live.foreign_keys[0].name = None;
    live.foreign_keys[0].deferrable = false;
    let Change::CreateIndex { mut index, .. } = one("CREATE INDEX i ON t (lower(\"b\")) WHERE a > 1") else {
        panic!("no index")
    };
    index.predicate = None;
    index.parts[0].key = IndexKey::Expression(Default::default());
    index.options =
        vec![(Name::new(Index::DEFINITION), "CREATE INDEX i ON t (lower(\"b\")) WHERE a > 1".to_owned())];
    live.indexes.push(*index);
    catalog.tables.push(live);
    catalog.tables.push(Table {
        name: QualifiedName::bare("f"),
        kind: TableKind::Virtual { module: Name::DEFAULT },
        definition: Some("CREATE VIRTUAL TABLE f USING fts5(a)".to_owned()),
        ..Table::default()
    });
    catalog.views.push(View {
        name: QualifiedName::bare("v"),
        definition: "CREATE VIEW v AS SELECT a FROM t".to_owned(),
        ..View::default()
    });
    catalog.triggers = Observed::Known(vec![Trigger {
        name: Name::new("x"),
        body: "CREATE TRIGGER x INSTEAD OF DELETE ON v BEGIN SELECT 1; END".to_owned(),
        ..Trigger::default()
    }]);
    understand::complete(&mut catalog);

    assert_eq!(catalog.tables[0].kind, TableKind::Virtual { module: Name::new("fts5") });
    let live = &catalog.tables[1];
    assert!(live.columns[0].auto_increment);
    assert_eq!(live.columns[1].collation, Some(Name::new("NOCASE")));
    assert!(live.columns[1].default.as_ref().unwrap().tree.is_some());
    assert_eq!(live.columns[2].generated.as_ref().unwrap().expression.text, "a + 1");
    assert_eq!(live.checks[0].name, Some(Name::new("c")));
    assert_eq!((&live.foreign_keys[0].name, live.foreign_keys[0].deferrable), (&Some(Name::new("f")), true));
    let index = &live.indexes[0];
    assert!(index.options.is_empty());
    assert_eq!(index.predicate.as_ref().unwrap().text, "a > 1");
    assert!(
        matches!(&index.parts[0].key, IndexKey::Expression(e) if e.tree.as_ref().unwrap().columns() == ["b"])
    );
    assert_eq!(catalog.views[0].definition, "SELECT a FROM t");
    assert!(catalog.views[0].query.is_some());
    let trigger = &catalog.triggers.known().unwrap()[0];
    assert_eq!((trigger.timing.as_str(), trigger.events[0].as_str()), ("INSTEAD OF", "DELETE"));
    let before = catalog.clone();
    understand::complete(&mut catalog);
    assert_eq!(before, catalog);
}

#[test]
fn keys_imply_indexes() {
    let names = |text: &str| -> Vec<String> {
        understand::implied_indexes(&table(text)).iter().map(|index| index.name.to_string()).collect()
    };
    assert_eq!(names("CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE)"), ["rowid", "sqlite_autoindex_t_1"]);
    assert_eq!(
        names("CREATE TABLE t (a UNIQUE, b TEXT PRIMARY KEY, UNIQUE (a))"),
        ["sqlite_autoindex_t_1", "sqlite_autoindex_t_2"]
    );
    assert_eq!(names("CREATE TABLE t (a)"), Vec::<String>::new());
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "SELECT",
        "FROM",
        "WHERE",
        "CREATE",
        "TABLE",
        "INDEX",
        "UNIQUE",
        "VIEW",
        "TRIGGER",
        "VIRTUAL",
        "USING",
        "t",
        "a",
        "\"b\"",
        "`c`",
        "[d]",
        "'e'",
        "(",
        ")",
        "(",
        ")",
        ",",
        ",",
        ".",
        "*",
        "1",
        "1.5",
        "0x1F",
        "x'00'",
        "+",
        "-",
        "||",
        "->>",
        "=",
        "<>",
        "!=",
        "!",
        "IS",
        "NOT",
        "NULL",
        "IN",
        "LIKE",
        "ESCAPE",
        "BETWEEN",
        "AND",
        "OR",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "CAST",
        "AS",
        "INT",
        "PRIMARY",
        "KEY",
        "DEFAULT",
        "CHECK",
        "REFERENCES",
        "ON",
        "DELETE",
        "CASCADE",
        "GENERATED",
        "ALWAYS",
        "STORED",
        "CONSTRAINT",
        "COLLATE",
        "DESC",
        "WITHOUT",
        "ROWID",
        "STRICT",
        "ALTER",
        "RENAME",
        "TO",
        "ADD",
        "COLUMN",
        "DROP",
        "PRAGMA",
        "WITH",
        "RECURSIVE",
        "UNION",
        "ALL",
        "ORDER",
        "BY",
        "GROUP",
        "LIMIT",
        "OVER",
        "PARTITION",
        "FILTER",
        "WINDOW",
        "ROWS",
        "JOIN",
        "LEFT",
        "NATURAL",
        "?1",
        "?",
        ":p",
        "@q",
        "$r",
        "INSERT",
        "INTO",
        "VALUES",
        "UPDATE",
        "SET",
        "RETURNING",
        "EXISTS",
        "RAISE",
        "IGNORE",
        "ARRAY",
        "é",
        ";",
        "\0",
        "--",
        "/*",
        "*/",
        "'",
        "#",
        "{",
        "BEGIN",
        "AFTER",
        "MATERIALIZED",
        "INDEXED",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_tokens_are_read_without_panic(text in soup(), glued in any::<bool>()) {
        let text = if glued { text.replace(' ', "") } else { text };
        parse::statement(&text);
        expression::expression(&text);
        expression::data_statement(&text);
        for start in ["CREATE TABLE t (a ", "SELECT ", "CREATE INDEX i ON t (", "ALTER TABLE t ADD "] {
            parse::statement(&format!("{start}{text}"));
        }
        expression::data_statement(&format!("SELECT {text}"));
        expression::data_statement(&format!("SELECT a FROM t {text}"));
    }
}
