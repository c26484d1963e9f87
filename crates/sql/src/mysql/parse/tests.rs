//! What statements of MySQL and MariaDB become.

use dbwright_model::catalog::{ConstraintKind, IndexKey, Persistence, ReferentialAction, Table, TableKind};
use dbwright_model::data_type::TypeKind;

use super::*;

fn table(text: &str) -> Table {
    match statement(text).into_iter().next() {
        Some(Change::CreateTable { table, .. }) => *table,
        other => panic!("{text}: {other:?}"),
    }
}

/// The kinds of change that a statement becomes, as serde names them.
fn kinds(text: &str) -> String {
    let kind = |change: &Change| {
        let debug = format!("{change:?}");
        debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
    };
    statement(text).iter().map(kind).collect::<Vec<_>>().join(" ")
}

#[test]
fn columns_keep_every_attribute() {
    let t = table(
        "CREATE TABLE `t` (
           `id` int(10) unsigned zerofill NOT NULL AUTO_INCREMENT,
           name varchar(20) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT '' COMMENT 'who; why',
           flag tinyint(1) NULL DEFAULT 0,
           made timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
           kind enum('a','b,c') CHARACTER SET utf8 DEFAULT NULL,
           sum decimal(10,2) GENERATED ALWAYS AS (`id` * 2) STORED NOT NULL,
           doc json DEFAULT (json_object()) CHECK (json_valid(doc)),
           hidden bool INVISIBLE,
           bits bit(8) DEFAULT b'00001111',
           PRIMARY KEY (`id`) USING BTREE
         ) ENGINE=innodb AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4 COMMENT='the t'",
    );
    let shown: Vec<String> = t
        .columns
        .iter()
        .map(|c| {
            format!(
                "{} {}{}{} default={} collation={} update={}",
                c.name,
                c.data_type.text,
                if c.not_null { " not null" } else { "" },
                if c.auto_increment { " auto" } else { "" },
                c.default.as_ref().map_or("-", |d| &d.text),
                c.collation.as_ref().map_or("-", Name::as_str),
                c.on_update.as_ref().map_or("-", |d| &d.text),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "id int(10) unsigned zerofill not null auto default=- collation=- update=-",
            "name varchar(20) not null default='' collation=latin1_bin update=-",
            "flag tinyint(1) default=0 collation=- update=-",
            "made timestamp not null default=CURRENT_TIMESTAMP collation=- update=CURRENT_TIMESTAMP",
            "kind enum('a','b,c') default=- collation=utf8mb3 update=-",
            "sum decimal(10,2) not null default=- collation=- update=-",
            "doc json default=json_object() collation=- update=-",
            "hidden tinyint(1) default=- collation=- update=-",
            "bits bit(8) default=b'00001111' collation=- update=-",
        ]
    );
    assert_eq!(t.columns[1].comment.as_deref(), Some("who; why"));
    assert_eq!(t.columns[2].data_type.kind, TypeKind::Boolean);
    assert!(t.columns[5].generated.as_ref().is_some_and(|g| g.stored && g.expression.text == "`id` * 2"));
    assert_eq!(t.checks.len(), 1);
    assert_eq!(t.storage_engine, Some(Name::new("InnoDB")));
    assert_eq!(t.collation, Some(Name::new("utf8mb4")));
    assert_eq!(t.options, [(Name::new("auto_increment"), "17".to_owned())]);
    assert_eq!(t.comment.as_deref(), Some("the t"));
}

#[test]
fn keys_stand_in_both_lists() {
    let t = table(
        "CREATE TABLE child (
           id serial PRIMARY KEY, a int UNIQUE, b varchar(100), c int, d int REFERENCES parent (id),
           UNIQUE KEY u (a, c), UNIQUE (b(10)), KEY k (b(20), c DESC), INDEX (c), KEY e ((lower(b))),
           FULLTEXT KEY f (b) WITH PARSER ngram, CONSTRAINT fk FOREIGN KEY (c) REFERENCES db.parent (x)
           ON DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT ck CHECK (c > 0) NOT ENFORCED, CHECK (a > 0))",
    );
    let indexes: Vec<String> = t
        .indexes
        .iter()
        .map(|i| format!("{}:{}:{:?}:{}", i.name, i.parts.len(), i.backs, i.method))
        .collect();
    assert_eq!(
        indexes,
        [
            "PRIMARY:1:Some(PrimaryKey):btree",
            ":1:Some(Unique):btree",
            ":1:Some(Unique):btree",
            "u:2:Some(Unique):btree",
            ":1:None:btree",
            "k:2:None:btree",
            ":1:None:btree",
            "e:1:None:btree",
            "f:1:None:fulltext",
        ]
    );
    assert_eq!(t.primary_key.as_ref().map(|key| key.columns.clone()), Some(vec![Name::new("id")]));
    assert_eq!(t.uniques.len(), 3);
    assert!(t.indexes[5].parts[1].descending && t.indexes[5].parts[0].prefix == Some(20));
    assert!(matches!(&t.indexes[7].parts[0].key, IndexKey::Expression(e) if e.text == "lower(b)"));
    assert_eq!(t.foreign_keys.len(), 2);
    assert_eq!(t.foreign_keys[1].on_delete, ReferentialAction::SetNull);
    assert_eq!(t.foreign_keys[1].references, QualifiedName::new("db", "parent"));
    assert!(!t.checks[0].enforced && t.checks[1].enforced);
    assert_eq!(t.indexes[0].backs, Some(ConstraintKind::PrimaryKey));
    assert!(t.columns[0].not_null && t.columns[0].auto_increment && t.columns[0].data_type.unsigned);
}

#[test]
fn version_comments_and_partitions_are_read() {
    let t = table(
        "CREATE TABLE t (id int NOT NULL) ENGINE=InnoDB
         /*!50100 PARTITION BY RANGE (`id`) (PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB,
          PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */",
    );
    assert_eq!(t.kind, TableKind::Partitioned { strategy: Name::new("range"), key: "`id`".to_owned() });
    let t = table("CREATE TEMPORARY TABLE t (a int) PARTITION BY LINEAR KEY ALGORITHM=2 (a) PARTITIONS 4");
    assert_eq!(t.persistence, Persistence::Temporary);
    assert_eq!(t.kind, TableKind::Partitioned { strategy: Name::new("key"), key: "a".to_owned() });
    let t = table(
        "CREATE TABLE t (a int, s timestamp(6) GENERATED ALWAYS AS ROW START, e timestamp(6) GENERATED ALWAYS \
         AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
    );
    assert_eq!(t.options, [(Name::new("system_versioning"), "yes".to_owned())]);
}

#[test]
fn every_statement_has_its_kind() {
    let check = |text: &str, expected: &str| assert_eq!(kinds(text), expected, "{text}");
    check("", "Nothing");
    check("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE */", "Nothing");
    check("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */", "SetSessionSetting");
    check("/*!40101 SET NAMES utf8mb4 */", "Nothing");
    check("/*!40000 ALTER TABLE `t` DISABLE KEYS */", "Nothing");
    check("/*M!999999\\- enable the sandbox mode */", "Nothing");
    check("LOCK TABLES `t` WRITE", "Nothing");
    check("SET PERSIST max_connections = 5, GLOBAL b = 2", "SetServerSetting SetServerSetting");
    check("SET @@GLOBAL.a = 1", "SetServerSetting");
    check("CREATE TABLE t LIKE parent", "CreateTableLike");
    check("CREATE TABLE t (LIKE parent)", "CreateTableLike");
    check("CREATE TABLE t (a int) AS SELECT 1 AS a", "CreateTableAs");
    check("CREATE TABLE t ENGINE=MyISAM SELECT 1", "CreateTableAs");
    check("CREATE OR REPLACE TABLE t (a int)", "DropTable CreateTable");
    check("DROP TABLE IF EXISTS t, child CASCADE", "DropTable DropTable");
    check("RENAME TABLE t TO u, child TO v", "RenameTable RenameTable");
    check("ALTER TABLE t ADD (a int, b int), ADD COLUMN c int FIRST", "AddColumn AddColumn AddColumn");
    check("ALTER TABLE t ADD COLUMN id int AUTO_INCREMENT PRIMARY KEY", "AddColumn AddPrimaryKey");
    check(
        "ALTER TABLE t ADD INDEX i (a), ADD UNIQUE u (b), ADD FULLTEXT f (c)",
        "CreateIndex AddUnique CreateIndex",
    );
    check(
        "ALTER TABLE t DROP COLUMN a, DROP b, DROP INDEX i, DROP FOREIGN KEY f, DROP PRIMARY KEY, ALGORITHM=INPLACE, LOCK=NONE",
        "DropColumn DropColumn DropIndex DropConstraint DropConstraint",
    );
    check(
        "ALTER TABLE t MODIFY COLUMN a bigint NOT NULL, CHANGE b c int AFTER a",
        "ModifyColumn ModifyColumn",
    );
    check("ALTER TABLE t RENAME TO u", "RenameTable");
    check(
        "ALTER TABLE t ENGINE=InnoDB ROW_FORMAT=DYNAMIC, COMMENT='x'",
        "SetTableOptions SetTableOptions Comment",
    );
    check("ALTER TABLE t ALTER INDEX i INVISIBLE", "SetIndexVisible");
    check("ALTER TABLE t ORDER BY a, b", "OrderTable");
    check("ALTER TABLE t FORCE", "RebuildTable");
    check("ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (5))", "AlterPartitions");
    check("ALTER TABLE t REMOVE PARTITIONING", "AlterPartitions");
    check("CREATE INDEX i USING BTREE ON t (a) ALGORITHM=INPLACE LOCK=NONE", "CreateIndex");
    check("DROP INDEX `PRIMARY` ON t", "DropConstraint");
    check("/*!50001 CREATE VIEW `v` AS SELECT 1 AS `a`*/", "CreateView");
    check("ALTER VIEW v AS SELECT 1", "CreateView");
    check(
        "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER tr AFTER UPDATE ON t FOR EACH ROW BEGIN SET @a = 1; END */",
        "CreateTrigger",
    );
    check(
        "CREATE DEFINER=CURRENT_USER PROCEDURE p(IN a int, OUT b varchar(3)) DETERMINISTIC SELECT 1",
        "CreateFunction",
    );
    check("CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1", "CreateFunction");
    check("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", "Nothing");
    check("CREATE USER app IDENTIFIED BY 'x'", "Nothing");
    check("GRANT SELECT, INSERT ON db.* TO a, b", "SetGrant SetGrant SetGrant SetGrant");
    check("GRANT r TO app", "Nothing");
    check("CREATE SEQUENCE s CACHE 10", "CreateSequence");
    check("INSERT INTO t VALUES (1),(2)", "Data");
    check("TRUNCATE t", "Data");
    check("(SELECT 1)", "Data");
    check("START TRANSACTION", "Transaction");
    check("CALL p()", "Opaque");
    check("FROBNICATE TABLE t", "Opaque");
    check("CREATE TABLE t (a int FROB)", "Opaque");
}

#[test]
fn what_is_not_understood_says_what_it_touches() {
    let check = |text: &str, touched: &str| {
        let found = statement(text);
        let Some(Change::Opaque { touches, because }) = found.last() else { panic!("{text}: {found:?}") };
        assert!(!because.is_empty());
        assert_eq!(touches.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), touched, "{text}");
    };
    check("CREATE TABLE IF NOT EXISTS `db`.`t` (a int FROB)", "db.t");
    check("ALTER TABLE t FROB", "t");
    check("CREATE INDEX i ON t FROB", "t");
    check("CREATE TABLE t (a int", "t");
    check("EXECUTE stmt", "");
}

#[test]
fn statements_about_rows_name_table_and_filter() {
    let check = |text: &str, kind: DataKind, table: Option<&str>, filtered: bool| {
        let table = table.map(QualifiedName::bare);
        assert_eq!(
            statement(text),
            [Change::Data { clauses: Default::default(), kind, table, filtered }],
            "{text}"
        );
    };
    check("INSERT IGNORE INTO `t` (a) VALUES (1)", DataKind::Insert, Some("t"), false);
    check("UPDATE t SET a = 1", DataKind::Update, Some("t"), false);
    check("UPDATE t SET a = (SELECT 1 FROM child WHERE b = 1)", DataKind::Update, Some("t"), false);
    check("DELETE FROM t WHERE a = 1", DataKind::Delete, Some("t"), true);
    check("DELETE FROM t LIMIT 100", DataKind::Delete, Some("t"), true);
    check(
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t FIELDS TERMINATED BY ','",
        DataKind::Copy,
        Some("t"),
        false,
    );
    check("WITH c AS (SELECT 1) UPDATE t SET a = 1 WHERE b = 2", DataKind::Update, Some("t"), true);
    check("SELECT 1", DataKind::Select, None, false);
}

#[test]
fn accounts_and_views_keep_their_definer() {
    let view = |text: &str| match statement(text).pop() {
        Some(Change::CreateView { view, .. }) => *view,
        other => panic!("{text}: {other:?}"),
    };
    let v = view(
        "/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`app`@`%` SQL SECURITY DEFINER */ \
         /*!50001 VIEW `v` AS select `t`.`a` AS `a` from `t` where `t`.`a` > 1 WITH CASCADED CHECK OPTION */;",
    );
    assert_eq!((v.owner, v.security_definer), (Some(Name::new("app@%")), true));
    assert!(v.query.is_some());
    assert_eq!(v.options, [(Name::new("check_option"), "cascaded".to_owned())]);
    assert!(!view("CREATE SQL SECURITY INVOKER VIEW v AS SELECT 1").security_definer);
    let function = statement(
        "CREATE DEFINER=a@localhost PROCEDURE db.p(IN a int(11), b text) SQL SECURITY INVOKER BEGIN END",
    );
    let [Change::CreateFunction { function, .. }] = function.as_slice() else { panic!("{function:?}") };
    assert_eq!(function.arguments, "int, text");
    assert_eq!(function.owner, Some(Name::new("a@localhost")));
    assert_eq!((function.security_definer, function.body.as_str()), (false, "BEGIN END"));
}

#[test]
fn odd_input_never_panics() {
    let statements = [
        "CREATE TABLE",
        "CREATE TABLE t (",
        "CREATE TABLE t (a",
        "ALTER TABLE",
        "ALTER TABLE t ADD",
        "GRANT",
        "SET",
        "SET GLOBAL",
        "CREATE INDEX",
        "CREATE VIEW v",
        "CREATE TRIGGER",
        "DROP",
        "(",
        ")",
        "'",
        "`",
        "CREATE /*!",
        "CREATE TABLE t (a enum('x",
        "ALTER TABLE t ADD a int DEFAULT",
        "CREATE SEQUENCE s START",
        "INSERT",
        "DELETE",
        "GRANT SELECT ON",
        "CREATE PROCEDURE p(IN",
        "SET a",
        "SET a =",
        "CREATE TABLE é (日本 int)",
    ];
    for text in statements {
        assert!(!statement(text).is_empty(), "{text}");
    }
    // Every prefix of a long statement is odd input, too.
    let long =
        "CREATE TABLE t (a int(5) DEFAULT 'x' COMMENT 'é', KEY k (a(3) DESC), CHECK (a > 0)) ENGINE=InnoDB";
    for end in (0..long.len()).filter(|end| long.is_char_boundary(*end)) {
        assert!(!statement(&long[..end]).is_empty());
    }
}
