//! Tables of files and their statements, and a property that holds for any text.

use dbwright_model::engine::Dialect;
use proptest::prelude::*;

use super::*;

/// The statements of a file, one line each: a mark for the kind, the text, and the comments before it.
fn check(dialect: Dialect, text: &str, expected: &[&str]) {
    let found: Vec<String> = split(dialect, text)
        .iter()
        .map(|statement| {
            let mark = match statement.kind {
                StatementKind::Sql => "",
                StatementKind::ClientCommand => "client> ",
                StatementKind::CopyData => "rows> ",
                StatementKind::Unterminated => "open> ",
            };
            let comments = match statement.leading_comments {
                "" => String::new(),
                comments => format!(" <= {comments}"),
            };
            format!("{mark}{}{comments}", statement.text)
        })
        .collect();
    assert_eq!(found, expected, "in {text:?}");
}

fn everywhere(text: &str, expected: &[&str]) {
    for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
        check(dialect, text, expected);
    }
}

#[test]
fn statements_end_at_semicolons_outside_quotes_and_comments() {
    everywhere("", &[]);
    everywhere(" ;; \n ; -- nothing\n", &[]);
    everywhere("SELECT 1;SELECT 2", &["SELECT 1", "SELECT 2"]);
    everywhere("\u{feff}SELECT 1;\r\nSELECT 2;\r\n", &["SELECT 1", "SELECT 2"]);
    everywhere("SELECT ';', \";\", 'it''s;'; SELECT 2", &["SELECT ';', \";\", 'it''s;'", "SELECT 2"]);
    everywhere("SELECT 1 -- a; b\n; SELECT /* ; */ 2", &["SELECT 1 -- a; b", "SELECT /* ; */ 2"]);
    everywhere("SELECT 1 - 2 / 3 * 4; SELECT 2", &["SELECT 1 - 2 / 3 * 4", "SELECT 2"]);
    everywhere("SELECT 'ä;ö'; SELECT '🦀'", &["SELECT 'ä;ö'", "SELECT '🦀'"]);
    everywhere(
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a)",
        &["CREATE TABLE t (a int)", "CREATE INDEX i ON t (a)"],
    );
    everywhere(
        "BEGIN; UPDATE t SET a = CASE WHEN a THEN 1 END; COMMIT;",
        &["BEGIN", "UPDATE t SET a = CASE WHEN a THEN 1 END", "COMMIT"],
    );
}

#[test]
fn comments_before_a_statement_belong_to_it() {
    everywhere("-- one\n/* two */\nSELECT 1", &["SELECT 1 <= -- one\n/* two */"]);
    everywhere("SELECT 1; -- about one\n-- about two\nSELECT 2", &["SELECT 1", "SELECT 2 <= -- about two"]);
    everywhere("SELECT 1; /* two */ SELECT 2", &["SELECT 1", "SELECT 2 <= /* two */"]);
    everywhere("SELECT 1; /* one\n one */\nSELECT 2", &["SELECT 1", "SELECT 2"]);
    everywhere("SELECT 1;\n-- the end", &["SELECT 1"]);
}

#[test]
fn what_is_never_closed_is_the_rest() {
    everywhere("SELECT 1; SELECT 'a; b\n;", &["SELECT 1", "open> SELECT 'a; b\n;"]);
    everywhere("SELECT 1; SELECT \"a; b", &["SELECT 1", "open> SELECT \"a; b"]);
    everywhere("SELECT 1; SELECT 2 /* a; b", &["SELECT 1", "open> SELECT 2 /* a; b"]);
    everywhere("SELECT 1;\n/* a; b", &["SELECT 1", "open> /* a; b"]);
    check(Dialect::Postgres, "SELECT $a$ ; $b$;", &["open> SELECT $a$ ; $b$;"]);
    check(Dialect::Sqlite, "SELECT [a;", &["open> SELECT [a;"]);
    check(Dialect::Mysql, "SELECT `a;", &["open> SELECT `a;"]);
    check(Dialect::Mysql, "SELECT 'a\\';", &["open> SELECT 'a\\';"]);
}

#[test]
fn positions_count_lines_and_characters() {
    let text = "\u{feff}SELECT 1; SELECT 'ä';SELECT 2;\r\n\r\n  -- c\n  SELECT 3;\n\tSELECT 4";
    let found: Vec<(u32, u32, usize)> =
        split(Dialect::Sqlite, text).iter().map(|s| (s.line, s.column, s.offset)).collect();
    assert_eq!(found, [(1, 1, 3), (1, 11, 13), (1, 22, 25), (4, 3, 47), (5, 2, 58)]);
}

#[test]
fn postgres_quotes_and_comments() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Postgres, text, expected);
    check("SELECT '\\'; SELECT 2", &["SELECT '\\'", "SELECT 2"]);
    check("SELECT E'\\';'; SELECT 2", &["SELECT E'\\';'", "SELECT 2"]);
    check("SELECT type'\\'; SELECT 2", &["SELECT type'\\'", "SELECT 2"]);
    check("SELECT /* /* ; */ ; */ 1; SELECT 2", &["SELECT /* /* ; */ ; */ 1", "SELECT 2"]);
    check("DO $$ BEGIN; $a$ END; $$; SELECT 2", &["DO $$ BEGIN; $a$ END; $$", "SELECT 2"]);
    check(
        "DO $a$ ; $$ ; $a$; SELECT $1; SELECT a$b$c; SELECT 2",
        &["DO $a$ ; $$ ; $a$", "SELECT $1", "SELECT a$b$c", "SELECT 2"],
    );
    check(
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
        &["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"],
    );
}

#[test]
fn postgres_routine_bodies_hold_together() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Postgres, text, expected);
    let body = "CREATE OR REPLACE FUNCTION f(a int[]) RETURNS int LANGUAGE sql\n\
        BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 ELSE 2 END; END";
    check(&format!("{body}; SELECT 2;"), &[body, "SELECT 2"]);
    check(
        "CREATE FUNCTION f() RETURNS int AS 'begin; end;' LANGUAGE plpgsql; SELECT 2",
        &["CREATE FUNCTION f() RETURNS int AS 'begin; end;' LANGUAGE plpgsql", "SELECT 2"],
    );
    check(
        "CREATE TABLE t (a int); BEGIN; SELECT 1; END; SELECT 2",
        &["CREATE TABLE t (a int)", "BEGIN", "SELECT 1", "END", "SELECT 2"],
    );
}

#[test]
fn postgres_client_commands_and_rows() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Postgres, text, expected);
    check(
        "\\connect db\nSELECT 1;\n\\echo 'it;\nSELECT 2;",
        &["client> \\connect db", "SELECT 1", "client> \\echo 'it;", "SELECT 2"],
    );
    check("SELECT 1 \\gexec\nSELECT 2", &["SELECT 1", "client> \\gexec", "SELECT 2"]);
    check(
        "COPY t (a) FROM stdin;\n1;\t'\n\\N\n\\.\nSELECT 1;",
        &["COPY t (a) FROM stdin", "rows> 1;\t'\n\\N", "client> \\.", "SELECT 1"],
    );
    check(
        "COPY t FROM STDIN WITH (FORMAT csv);\r\na\r\n\\.\r\nSELECT 1",
        &["COPY t FROM STDIN WITH (FORMAT csv)", "rows> a", "client> \\.", "SELECT 1"],
    );
    check("COPY t FROM stdin;\n\\.\n", &["COPY t FROM stdin", "client> \\."]);
    check(
        "COPY t TO stdout; COPY t FROM '/stdin'; SELECT 1",
        &["COPY t TO stdout", "COPY t FROM '/stdin'", "SELECT 1"],
    );
}

#[test]
fn mysql_quotes_and_comments() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Mysql, text, expected);
    check("SELECT 'a\\';', \"b\\\";\", `c\\`; SELECT 2", &["SELECT 'a\\';', \"b\\\";\", `c\\`", "SELECT 2"]);
    check("SELECT 1 # a; b\n; SELECT 2--1; SELECT 3", &["SELECT 1 # a; b", "SELECT 2--1", "SELECT 3"]);
    check("SELECT /* /* ; */ 1; SELECT 2", &["SELECT /* /* ; */ 1", "SELECT 2"]);
    check(
        "# note\n/*!40101 SET NAMES utf8 */;\n/*M!100 a;b*/;",
        &["/*!40101 SET NAMES utf8 */ <= # note", "/*M!100 a;b*/"],
    );
    check("SELECT 1\\G\nSELECT 2", &["SELECT 1", "SELECT 2"]);
}

#[test]
fn mysql_delimiters_change_and_return() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Mysql, text, expected);
    check(
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END //\ndelimiter ;\nSELECT 2;",
        &[
            "client> DELIMITER //",
            "CREATE PROCEDURE p() BEGIN SELECT 1; END",
            "client> delimiter ;",
            "SELECT 2",
        ],
    );
    check(
        "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END */;;\nDELIMITER ;\nSELECT 2",
        &[
            "client> DELIMITER ;;",
            "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END */",
            "client> DELIMITER ;",
            "SELECT 2",
        ],
    );
}

#[test]
fn mysql_bodies_hold_together_without_delimiter() {
    for body in [
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW IF NEW.a THEN SET NEW.a = 1; END IF",
        "CREATE PROCEDURE IF NOT EXISTS p() BEGIN IF a THEN SELECT 1; ELSEIF b THEN SELECT IF(a, 1, 2); END IF; END",
        "CREATE PROCEDURE p() BEGIN SELECT CASE WHEN a THEN IF(a, 1, 2) ELSE IF(b, 3, 4) END; DROP TABLE IF EXISTS t; END",
        "CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN IF b THEN SELECT 1; END IF; ELSE SELECT 2; END CASE; END",
        "CREATE PROCEDURE p() l: LOOP SELECT REPEAT('a', 2); LEAVE l; END LOOP l",
        "CREATE PROCEDURE p() BEGIN WHILE a DO SET a = 0; END WHILE; REPEAT SET a = 1; UNTIL a END REPEAT; END",
        "CREATE DEFINER=`root`@`localhost` FUNCTION f() RETURNS int DETERMINISTIC RETURN IF(1, 2, 3)",
        "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; SELECT t.end; END",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; SELECT 1; END",
        "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END",
        "CREATE TABLE t (begin int, `case` int)",
    ] {
        check(Dialect::Mysql, &format!("{body};\nSELECT 2;"), &[body, "SELECT 2"]);
    }
}

#[test]
fn sqlite_quotes_triggers_and_commands() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Sqlite, text, expected);
    check("SELECT [a;b], `c;d`, '\\'; SELECT 2", &["SELECT [a;b], `c;d`, '\\'", "SELECT 2"]);
    check(
        ".mode csv\n.import 'a;b' t\nSELECT 1;",
        &["client> .mode csv", "client> .import 'a;b' t", "SELECT 1"],
    );
    let trigger = "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN\n\
        UPDATE t SET a = CASE WHEN a THEN 1 END; -- done;\nSELECT 1;\n/* last; */ END";
    check(&format!("{trigger};\nSELECT 2;"), &[trigger, "SELECT 2"]);
    check("CREATE TRIGGER broken; SELECT 2", &["CREATE TRIGGER broken", "SELECT 2"]);
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'",
        "\"",
        "`",
        "[",
        "]",
        "$$",
        "$a$",
        "$1",
        ";",
        ";;",
        "//",
        "--",
        "-- ",
        "#",
        "/*",
        "*/",
        "/*!",
        "/*M!50001",
        "(",
        ")",
        "\\",
        "\\.",
        "\\;",
        "\\G",
        "\n",
        "\r\n",
        " ",
        "\t",
        "E'",
        "é",
        "🦀",
        "\u{feff}",
        "\0",
        ".mode x",
        "DELIMITER",
        "DELIMITER //",
        "DELIMITER é",
        "COPY",
        "FROM",
        "stdin",
        "CREATE",
        "TRIGGER",
        "FUNCTION",
        "PROCEDURE",
        "BEGIN",
        "ATOMIC",
        "END",
        "CASE",
        "IF",
        "LOOP",
        "WHILE",
        "THEN",
        "ELSE",
        "SELECT",
        "1",
        ",",
        ":",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_gives_statements_in_order(text in soup(), spaced in any::<bool>()) {
        let text = if spaced { text.replace('E', " E") } else { text };
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let mut end = 0;
            let mut position = (1, 0);
            for statement in split(dialect, &text) {
                prop_assert!(statement.offset >= end, "{dialect:?} {statement:?}");
                prop_assert_eq!(&text[statement.offset..][..statement.text.len()], statement.text);
                prop_assert!(!statement.text.is_empty());
                prop_assert_eq!(statement.text.trim_ascii_end(), statement.text);
                prop_assert!((statement.line, statement.column) > position);
                let lines = text[..statement.offset].matches('\n').count();
                prop_assert_eq!(statement.line as usize, lines + 1);
                position = (statement.line, statement.column);
                end = statement.offset + statement.text.len();
            }
        }
    }

    #[test]
    fn any_unicode_is_read(text in any::<String>()) {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            split(dialect, &text);
        }
    }
}

#[test]
fn an_unclosed_parenthesis_ends_with_its_statement() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Postgres, text, expected);
    check(
        "create index i on t(id;\ncreate index j on t(b);\nalter table t add a int",
        &["create index i on t(id", "create index j on t(b)", "alter table t add a int"],
    );
    check("create table t (a int;\n", &["create table t (a int"]);
    check(
        "create table t (a int; -- why\n\n/* x */ \\d\n",
        &["create table t (a int", "client> \\d <= /* x */"],
    );
    check(
        "create table t (\n  a int,\n  b numeric(3, 2\n;\ndrop table u;",
        &["create table t (\n  a int,\n  b numeric(3, 2", "drop table u"],
    );
    // Neither the end of a line nor a word that begins a statement alone is an end.
    check("select (1; select 2", &["select (1; select 2"]);
    check("select (1;\n2)", &["select (1;\n2)"]);
    // The commands of a rule stand in parentheses, unless they are never closed.
    let rule = "create or replace rule r as on insert to t do also (\ninsert into a values (1);\ninsert into b values (2);\n)";
    check(&format!("{rule};\nselect 1;"), &[rule, "select 1"]);
    check(
        "create rule r as on insert to t do also (\ninsert into a values (1);\ninsert into b values (2);\nselect 1;",
        &[
            "create rule r as on insert to t do also (\ninsert into a values (1)",
            "insert into b values (2)",
            "select 1",
        ],
    );
    let atomic = "create function f() returns int language sql begin atomic\nselect (1);\nselect 2;\nend";
    check(&format!("{atomic};\nselect 3;"), &[atomic, "select 3"]);
}

#[test]
fn rows_follow_a_copy_of_psql() {
    let check = |text: &str, expected: &[&str]| check(Dialect::Postgres, text, expected);
    check(
        "\\copy t from stdin\n1\ta;b\n2\tit's\n\\.\nselect 1;",
        &["client> \\copy t from stdin", "rows> 1\ta;b\n2\tit's", "client> \\.", "select 1"],
    );
    check(
        "\\COPY t (a) FROM STDIN with (format csv);\n1\n\\.\nselect 1;",
        &["client> \\COPY t (a) FROM STDIN with (format csv);", "rows> 1", "client> \\.", "select 1"],
    );
    check("\\copy t from 'stdin'\nselect 1;", &["client> \\copy t from 'stdin'", "select 1"]);
    check("\\copy t to stdout\nselect 1;", &["client> \\copy t to stdout", "select 1"]);
    check("\\copy t from pstdin\nselect 1;", &["client> \\copy t from pstdin", "select 1"]);
}
