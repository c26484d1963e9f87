//! Tests of folding: small scripts and what the catalog says after them.

use dbwright_model::catalog::{Catalog, Table};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::{Name, QualifiedName};

use super::Folder;
use super::renaming::replace_word;

fn fold(script: &str) -> Catalog {
    let mut folder = Folder::new(Engine::Postgres);
    for statement in crate::split(Dialect::Postgres, script) {
        for change in crate::parse_statement(Dialect::Postgres, statement.text) {
            folder.apply(&change);
        }
    }
    folder.finish()
}

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    catalog.table(&QualifiedName::new("public", name)).expect("the table is there")
}

const FAMILY: &str = "
    CREATE TABLE parent (id int, a int, b text);
    CREATE TABLE child (c int) INHERITS (parent);
";

#[test]
fn actions_reach_what_inherits_unless_only_is_said() {
    let below = fold(&format!(
        "{FAMILY} ALTER TABLE parent ALTER a TYPE bigint, ALTER b SET NOT NULL, ALTER b SET DEFAULT 'x', DROP COLUMN id"
    ));
    let child = table(&below, "child");
    assert_eq!(child.column("a").map(|column| column.data_type.text.as_str()), Some("bigint"));
    assert!(child.column("b").is_some_and(|column| column.not_null && column.default.is_some()));
    assert!(child.column("id").is_none());
    let only = fold(&format!("{FAMILY} ALTER TABLE ONLY parent ALTER b SET DEFAULT 'x', DROP COLUMN id"));
    let child = table(&only, "child");
    assert!(child.column("b").is_some_and(|column| column.default.is_none()));
    assert!(child.column("id").is_some());
    let checked = fold(&format!(
        "{FAMILY} ALTER TABLE parent ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
         ALTER TABLE parent ADD CONSTRAINT own CHECK (a < 9) NO INHERIT;
         ALTER TABLE parent VALIDATE CONSTRAINT c"
    ));
    let checks = &table(&checked, "child").checks;
    assert_eq!(checks.len(), 1);
    assert!(checks[0].validated);
    let dropped = fold(&format!(
        "{FAMILY} ALTER TABLE parent ADD CONSTRAINT c CHECK (a > 0); ALTER TABLE parent DROP CONSTRAINT c"
    ));
    assert!(table(&dropped, "child").checks.is_empty());
}

#[test]
fn a_column_is_not_renamed_to_one_that_is_there() {
    let catalog = fold("CREATE TABLE t (a int, b int); ALTER TABLE t RENAME COLUMN b TO a");
    assert_eq!(table(&catalog, "t").columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(catalog.doubts.len(), 1);
}

#[test]
fn keys_carry_their_clauses_to_their_index() {
    let catalog = fold(
        "CREATE TABLE t (a int, b int, c int, CONSTRAINT k PRIMARY KEY (a) INCLUDE (b) WITH (fillfactor = 70));
         ALTER TABLE t CLUSTER ON k;
         ALTER TABLE t ALTER a SET STATISTICS 500, ALTER a SET (n_distinct = 5), SET (fillfactor = 80);
         ALTER TABLE t RESET (fillfactor)",
    );
    let t = table(&catalog, "t");
    assert_eq!(t.primary_key.as_ref().map(|key| key.include.len()), Some(1));
    assert_eq!((t.indexes[0].include.len(), t.indexes[0].options.len()), (1, 1));
    assert_eq!(t.clustered_on.as_ref().map(|name| name.as_str()), Some("k"));
    assert_eq!((t.columns[0].statistics_target, t.columns[0].options.len()), (Some(500), 1));
    assert!(t.options.is_empty());
}

#[test]
fn not_null_constraints_are_known_by_their_names() {
    let catalog = fold(
        "CREATE TABLE t (a int, b int);
         ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
         ALTER TABLE t ADD NOT NULL b NOT VALID;
         ALTER TABLE t VALIDATE CONSTRAINT t_b_not_null",
    );
    let t = table(&catalog, "t");
    let first = t.columns[0].not_null_constraint.as_ref().expect("it has a name and is not valid");
    assert!(t.columns[0].not_null && !first.validated);
    assert!(t.columns[1].not_null && t.columns[1].not_null_constraint.is_none());
    let catalog = fold("CREATE TABLE t (a int CONSTRAINT n NOT NULL); ALTER TABLE t DROP CONSTRAINT n");
    assert!(!table(&catalog, "t").columns[0].not_null);
}

#[test]
fn cascade_takes_what_depends() {
    let script = "
        CREATE TABLE t (a int, b int);
        CREATE VIEW v AS SELECT a FROM t;
        CREATE VIEW w AS SELECT * FROM v;
        CREATE STATISTICS s ON a, b FROM t;
        CREATE PUBLICATION p FOR TABLE t;
        CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
    ";
    let before = fold(script);
    assert_eq!((before.views.len(), before.statistics.len(), before.rules.len()), (2, 1, 1));
    let after = fold(&format!("{script} DROP TABLE t CASCADE"));
    assert_eq!((after.views.len(), after.statistics.len(), after.rules.len()), (0, 0, 0));
    assert!(after.publications.known().is_some_and(|publications| publications[0].tables.is_empty()));
    let after = fold(&format!("{script} ALTER TABLE t DROP COLUMN a CASCADE"));
    assert!(after.views.is_empty() && after.statistics.is_empty());
}

#[test]
fn types_and_publications_follow_their_changes() {
    let catalog = fold(
        "CREATE TYPE kind AS (a int, b text);
         ALTER TYPE kind ADD ATTRIBUTE c date, DROP ATTRIBUTE a;
         CREATE TABLE t OF kind;
         ALTER TYPE kind RENAME TO sort;
         CREATE DOMAIN d AS int;
         ALTER DOMAIN d ADD CONSTRAINT positive CHECK (value > 0) NOT VALID;
         ALTER DOMAIN d SET NOT NULL;
         CREATE TABLE u (a d);
         CREATE PUBLICATION p FOR TABLE t, u WITH (publish = 'insert');
         ALTER PUBLICATION p DROP TABLE t;
         ALTER PUBLICATION p ADD TABLES IN SCHEMA s",
    );
    let t = table(&catalog, "t");
    let names: Vec<&str> = t.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(t.of_type, Some(QualifiedName::new("public", "sort")));
    let publication = &catalog.publications.known().expect("files tell them")[0];
    assert_eq!((publication.tables.len(), publication.schemas.len()), (1, 1));
    assert!(!publication.updates_or_deletes);
    assert!(catalog.doubts.is_empty(), "{:?}", catalog.doubts);
}

#[test]
fn words_are_replaced_whole_and_outside_of_strings() {
    assert_eq!(
        replace_word("a > 0 AND ab <> 'a' AND a IS NOT NULL", "a", "b"),
        "b > 0 AND ab <> 'a' AND b IS NOT NULL"
    );
}

#[test]
fn a_reference_beside_a_column_is_the_foreign_key_written_apart() {
    let keys = |engine: Engine, script: &str| {
        let mut folder = Folder::new(engine);
        for statement in crate::split(engine.dialect(), script) {
            for change in crate::parse_statement(engine.dialect(), statement.text) {
                folder.apply(&change);
            }
        }
        let catalog = folder.finish();
        let child =
            catalog.tables.iter().find(|table| table.name.name == "child").expect("the table is there");
        (child.foreign_keys.clone(), child.indexes.clone(), catalog.doubts.clone())
    };
    const PARENT: &str = "CREATE TABLE parent (id int PRIMARY KEY);";
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let beside = keys(
            engine,
            &format!(
                "{PARENT} CREATE TABLE child (a int);
                 ALTER TABLE child ADD COLUMN p int REFERENCES parent (id) ON DELETE CASCADE;"
            ),
        );
        let apart = keys(
            engine,
            &format!(
                "{PARENT} CREATE TABLE child (a int); ALTER TABLE child ADD COLUMN p int;
                 ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE;"
            ),
        );
        assert_eq!(beside, apart, "{engine}");
        assert_eq!(beside.0.len(), 1);
    }
    for engine in [Engine::Postgres, Engine::Mariadb, Engine::Sqlite] {
        let beside = keys(engine, &format!("{PARENT} CREATE TABLE child (p int REFERENCES parent (id));"));
        let apart = keys(
            engine,
            &format!("{PARENT} CREATE TABLE child (p int, FOREIGN KEY (p) REFERENCES parent (id));"),
        );
        assert_eq!(beside, apart, "{engine}");
    }
}

#[test]
fn savepoints_end_with_what_was_made_after_them() {
    let named = |script: &str| -> Vec<bool> {
        let mut folder = Folder::new(Engine::Postgres);
        for statement in crate::split(Dialect::Postgres, script) {
            for change in crate::parse_statement(Dialect::Postgres, statement.text) {
                folder.apply(&change);
            }
        }
        ["a", "b"].iter().map(|name| folder.has_savepoint(&Name::new(name))).collect()
    };
    assert_eq!(named("begin; savepoint a; savepoint b"), [true, true]);
    assert_eq!(named("begin; savepoint a; savepoint b; rollback to a"), [true, false]);
    assert_eq!(named("begin; savepoint a; savepoint b; release a"), [false, false]);
    assert_eq!(named("begin; savepoint a; savepoint a; release a"), [true, false]);
    assert_eq!(named("begin; savepoint a; commit"), [false, false]);
}

#[test]
fn keys_beside_columns_are_made_where_the_server_makes_them() {
    let keys = |engine: Engine, version: Option<Version>| {
        let mut folder = Folder::new(engine).for_version(version);
        let script = "CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES parent (id));
            ALTER TABLE t ADD COLUMN b int REFERENCES parent (id);
            ALTER TABLE t ADD COLUMN c int, ADD FOREIGN KEY (c) REFERENCES parent (id)";
        for statement in crate::split(Dialect::Mysql, script) {
            for change in crate::parse_statement(Dialect::Mysql, statement.text) {
                folder.apply(&change);
            }
        }
        let catalog = folder.finish();
        let made = catalog.table(&QualifiedName::bare("t")).expect("the table is there");
        assert!(made.foreign_keys.iter().all(|key| !key.beside_column));
        made.foreign_keys.iter().map(|key| key.columns[0].to_string()).collect::<Vec<_>>()
    };
    let version = |major, minor| Some(Version::new(major, minor, 0));
    for (engine, version, made) in [
        (Engine::Mysql, version(8, 0), 1),
        (Engine::Mysql, version(8, 4), 1),
        (Engine::Mysql, version(9, 0), 3),
        (Engine::Mysql, None, 1),
        (Engine::Mariadb, version(10, 4), 1),
        (Engine::Mariadb, version(10, 6), 3),
        (Engine::Mariadb, None, 3),
    ] {
        let keys = keys(engine, version);
        assert_eq!(keys.len(), made, "{engine} {version:?}");
        assert_eq!(keys.last().map(String::as_str), Some("c"));
    }
}
