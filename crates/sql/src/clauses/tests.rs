//! What the words of statements tell of the rows that they reach.

use super::*;

fn data(dialect: Dialect, text: &str) -> (bool, dbwright_model::change::DataClauses) {
    match crate::parse_statement(dialect, text).remove(0) {
        Change::Data { filtered, clauses, .. } => (filtered, clauses),
        other => panic!("{other:?}"),
    }
}

#[test]
fn conditions_of_constants_filter_nothing() {
    let check = |text: &str, expected: bool| {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            assert_eq!(data(dialect, text).0, expected, "{dialect:?}: {text}");
        }
    };
    check("DELETE FROM t WHERE true", false);
    check("DELETE FROM t WHERE 1=1", false);
    check("UPDATE t SET a = 1 WHERE (1 = 1) AND 'x' = 'x'", false);
    check("UPDATE t SET a = 1 WHERE /* all */ NOT false -- of them", false);
    check("DELETE FROM t WHERE 1=1 AND a = 2", true);
    check("DELETE FROM t WHERE 1=0", true);
    check("DELETE FROM t WHERE 0", true);
    check("DELETE FROM t WHERE a = a", true);
    check("UPDATE t SET b = (SELECT 1 FROM child WHERE true) WHERE a = 1", true);
    check("UPDATE t SET b = 'where true' WHERE a = ') where 1=1'", true);
    check("DELETE FROM t WHERE true OR a = 1", true);
}

#[test]
fn a_join_alone_is_told() {
    let check = |text: &str, expected: Option<&str>| {
        let joined = data(Dialect::Postgres, text).1.joined.map(|table| table.to_string());
        assert_eq!(joined.as_deref(), expected, "{text}");
    };
    check("UPDATE t SET a = p.a FROM parent p WHERE p.id = t.parent_id", Some("parent"));
    check("DELETE FROM t x USING s.parent AS p WHERE x.a = p.a AND p.b = x.b", Some("s.parent"));
    check("UPDATE t SET a = p.a FROM parent p WHERE p.id = t.parent_id AND t.a IS NULL", None);
    check("UPDATE t SET a = p.a FROM parent p WHERE p.id = t.parent_id OR p.b = t.b", None);
    check("UPDATE t SET a = p.a FROM (SELECT 1 AS id) p WHERE p.id = t.parent_id", None);
    check("UPDATE t SET a = p.a FROM parent p, child c WHERE p.id = t.parent_id", None);
    check("UPDATE t SET a = p.a FROM parent p JOIN child c ON true WHERE p.id = t.parent_id", None);
    check("UPDATE t SET a = p.a FROM generate_series(1, 2) p WHERE p.id = t.parent_id", None);
    check("WITH p AS (SELECT 1) UPDATE t SET a = p.a FROM p WHERE p.id = t.parent_id", None);
    check("UPDATE t SET a = p.a FROM parent p WHERE p.id = p.a", None);
    check("UPDATE t SET a = 1 WHERE t.a = t.b", None);
    check("MERGE INTO t USING p ON t.a = p.a WHEN MATCHED THEN UPDATE SET b = p.b", Some("p"));
    check("MERGE INTO ONLY t x USING s.p AS y ON (y.a = x.a) WHEN MATCHED THEN DELETE", Some("s.p"));
    check("MERGE INTO t USING p ON t.a = p.a WHEN MATCHED AND p.b THEN DELETE", None);
    check("MERGE INTO t USING p ON t.a = p.a WHEN NOT MATCHED THEN INSERT VALUES (1)", None);
    check("MERGE INTO t USING p ON t.a = p.a AND t.a < 7 WHEN MATCHED THEN DELETE", None);
    check("MERGE INTO t USING (SELECT 1 AS a) p ON t.a = p.a WHEN MATCHED THEN DELETE", None);
}

#[test]
fn a_condition_is_told_that_asks_for_anything_but_null() {
    let check = |text: &str, expected: Option<&str>| {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let found = data(dialect, text).1.only_present.map(|name| name.to_string());
            assert_eq!(found.as_deref(), expected, "{dialect:?}: {text}");
        }
    };
    check("DELETE FROM t WHERE a = a", Some("a"));
    check("UPDATE t SET b = 1 WHERE t.a = t.a", Some("a"));
    check("UPDATE t SET b = 1 WHERE t.a IS NOT NULL", Some("a"));
    check("UPDATE t SET b = 1 WHERE a = b", None);
    check("UPDATE t SET b = 1 WHERE a = (SELECT max(c.a) FROM child c WHERE c.a = t.a)", None);
    check("UPDATE t SET b = 1 WHERE a = a AND b = 2", None);
    check("UPDATE t SET b = 1 WHERE a IS NOT NULL OR b = 2", None);
    check("DELETE FROM t WHERE a = a + 1", None);
}

#[test]
fn a_condition_is_told_that_asks_for_nulls_or_a_value() {
    let check = |text: &str, only_null: Option<&str>, first_equal: Option<&str>| {
        let clauses = data(Dialect::Postgres, text).1;
        let found = [clauses.only_null, clauses.first_equal].map(|name| name.map(|name| name.to_string()));
        assert_eq!([found[0].as_deref(), found[1].as_deref()], [only_null, first_equal], "{text}");
    };
    check("UPDATE t SET a = 1 WHERE a IS NULL", Some("a"), None);
    check("UPDATE s.t SET a = 1 WHERE s.t.\"A b\" is\n/* not */ null;", Some("A b"), None);
    check("UPDATE t SET a = 1 WHERE t.a = 1 AND t.b IS NULL", None, Some("a"));
    check("UPDATE t SET a = 1 WHERE a IS NOT NULL", None, None);
    check("UPDATE t SET a = 1 WHERE a IS NULL OR b IS NULL", None, None);
    check("UPDATE t SET a = ' where b = ' WHERE c > 'x is null'", None, None);
    check("DELETE FROM t WHERE id=7 RETURNING a", None, Some("id"));
    check("DELETE FROM t WHERE t.id\nIN(1, 2)", None, Some("id"));
    check("DELETE FROM t WHERE id IN (SELECT a FROM child)", None, None);
    check("DELETE FROM t WHERE a > 7 AND id = 7", None, None);
    check("UPDATE t SET a = (SELECT b FROM child WHERE id = 7)", None, None);
    let clauses = data(Dialect::Mysql, "UPDATE t SET a = 1 WHERE `t`.`a` IS NULL LIMIT 10").1;
    assert_eq!(clauses.only_null, None);
    let clauses = data(Dialect::Mysql, "DELETE FROM t WHERE `id` = 7").1;
    assert_eq!(clauses.first_equal, Some(Name::new("id")));
}

#[test]
fn members_without_a_condition_are_told() {
    let check = |text: &str, expected: &[&str]| {
        let whole: Vec<String> =
            data(Dialect::Postgres, text).1.whole.iter().map(|table| table.to_string()).collect();
        assert_eq!(whole, expected, "{text}");
    };
    check("WITH d AS (DELETE FROM t RETURNING *) INSERT INTO child SELECT * FROM d", &["t"]);
    check("WITH d AS (DELETE FROM ONLY s.t WHERE true RETURNING a) SELECT count(*) FROM d", &["s.t"]);
    check("WITH d AS MATERIALIZED (UPDATE t SET a = 1 RETURNING *) SELECT 1 FROM d WHERE a = 2", &["t"]);
    check("WITH d AS (DELETE FROM t WHERE a = 1 RETURNING *) INSERT INTO child SELECT * FROM d", &[]);
    check("WITH d AS (DELETE FROM t USING parent RETURNING *) SELECT 1 FROM d", &[]);
    check("WITH b AS (SELECT a FROM t LIMIT 5) DELETE FROM t USING b WHERE b.a = t.a", &[]);
}

#[test]
fn what_a_query_leaves_out_is_told() {
    let check = |text: &str, expected: Option<(&str, &str)>| {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let part = match crate::parse_statement(dialect, text).remove(0) {
                Change::Data { clauses, .. } => clauses.part_of,
                Change::CreateTableAs { part_of, .. } => part_of,
                other => panic!("{other:?}"),
            };
            let told = part.map(|part| (part.table.to_string(), part.by));
            assert_eq!(
                told,
                expected.map(|(table, by)| (table.to_owned(), by.to_owned())),
                "{dialect:?}: {text}"
            );
        }
    };
    check("CREATE TABLE n AS SELECT * FROM t WHERE a > 1", Some(("t", "WHERE")));
    check("CREATE TABLE n AS SELECT * FROM t ORDER BY a LIMIT 10", Some(("t", "LIMIT")));
    check("INSERT INTO n SELECT t.a FROM t JOIN parent ON parent.id = t.a", Some(("t", "JOIN")));
    check("INSERT INTO n (a) SELECT DISTINCT a FROM t", Some(("t", "DISTINCT")));
    check("INSERT INTO n SELECT a, max(b) FROM t GROUP BY a", Some(("t", "GROUP BY")));
    check("CREATE TABLE n AS SELECT * FROM t", None);
    check("CREATE TABLE n AS SELECT * FROM t WHERE true", None);
    check("INSERT INTO n SELECT t.a FROM t LEFT OUTER JOIN parent ON parent.id = t.a ORDER BY 1", None);
    check("INSERT INTO n SELECT (SELECT b FROM child WHERE child.a = t.a LIMIT 1) FROM t", None);
    check("INSERT INTO n SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM n WHERE n.a = t.a)", None);
    check("INSERT INTO n SELECT a FROM t WHERE a < 5 UNION ALL SELECT a FROM t WHERE a >= 5", None);
    check("INSERT INTO n VALUES (1), (2)", None);
}

#[test]
fn a_copy_of_every_row_is_told() {
    let check = |text: &str, expected: Option<&str>| {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let found = data(dialect, text).1.all_of.map(|table| table.to_string());
            assert_eq!(found.as_deref(), expected, "{dialect:?}: {text}");
        }
    };
    check("INSERT INTO n SELECT * FROM t", Some("t"));
    check("INSERT INTO n (a) SELECT coalesce(x.a, 0) FROM t AS x ORDER BY x.b", Some("t"));
    check("INSERT INTO n SELECT a FROM t WHERE true", Some("t"));
    check("INSERT INTO n SELECT a FROM t WHERE a > 1", None);
    check("INSERT INTO n SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM n WHERE n.a = t.a)", None);
    check("INSERT INTO n SELECT max(a) FROM t", None);
    check("INSERT INTO n SELECT a FROM t LIMIT 5", None);
    check("INSERT INTO n SELECT t.a FROM t, parent", None);
    check("INSERT INTO n SELECT t.a FROM t CROSS JOIN parent", None);
    check("INSERT INTO n SELECT a FROM t WHERE a < 5 UNION ALL SELECT a FROM t WHERE a >= 7", None);
    check("INSERT INTO n VALUES (1)", None);
}
