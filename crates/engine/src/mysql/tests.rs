//! Everything against a real MariaDB.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use dbwright_model::access::{GrantObject, PasswordStorage};
use dbwright_model::catalog::{Catalog, ConstraintKind, ReferentialAction, TableKind};
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataQuestion, Fact, Facts};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};

use super::*;
use crate::dsn::{Host, ServerDsn, Tls};
use crate::scratch::Places;
use crate::scratch::mariadb::{MariadbOptions, MariadbServer};
use crate::session::Silent;

static SERVER: LazyLock<MariadbServer> = LazyLock::new(|| {
    let settings = vec![("performance-schema".to_owned(), "ON".to_owned())];
    let options = MariadbOptions { settings, ..MariadbOptions::default() };
    MariadbServer::start(&Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))), &options)
        .expect("a MariaDB server must start: install the package mariadb-server")
});

fn dsn(user: &str, database: &str) -> ServerDsn {
    ServerDsn {
        scheme: "mariadb",
        host: Host::Unix(SERVER.socket().to_owned()),
        port: 3306,
        user: user.to_owned(),
        password: None,
        database: database.to_owned(),
        tls: Tls::default(),
    }
}

async fn writer(database: &str) -> Conn {
    let socket = SERVER.socket().display().to_string();
    let opts = OptsBuilder::default().socket(Some(socket)).user(Some(SERVER.user()));
    let mut conn = Conn::new(opts).await.expect("the scratch server lets root in");
    conn.query_drop(format!("CREATE DATABASE IF NOT EXISTS {database}")).await.expect("root may do that");
    conn.query_drop(format!("USE {database}")).await.expect("it was made above");
    conn
}

async fn execute(conn: &mut Conn, statements: &[&str]) {
    for statement in statements {
        conn.query_drop(*statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

async fn collect(user: &str, database: &str, plan: &[Fact]) -> Facts {
    let mut session = ReadSession::open(&dsn(user, database), &Limits::default()).await.expect("it opens");
    let facts = session.collect(plan, &Silent).await.expect("it collects");
    session.close().await;
    facts
}

/// The catalog of a database made by these statements.
async fn catalog(database: &str, statements: &[&str]) -> Catalog {
    let mut conn = writer(database).await;
    execute(&mut conn, statements).await;
    match collect("root", database, &[Fact::Catalog, Fact::Functions, Fact::Triggers]).await.catalog {
        Observed::Known(catalog) => catalog,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_catalog_is_read_whole() {
    let catalog = catalog(
        "whole",
        &[
            "CREATE TABLE parent (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, doc json)",
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, parent_id bigint unsigned, a varchar(20) \
             COLLATE latin1_bin DEFAULT 'it''s' COMMENT 'an a', b datetime(3) NOT NULL DEFAULT now(3) ON UPDATE now(3), \
             c int NOT NULL DEFAULT 7, d int AS (c + 1) STORED, e enum('x','y') NULL, UNIQUE KEY u (a, c), \
             KEY k (a(5), c), KEY ig (c) IGNORED, FULLTEXT KEY f (a), CONSTRAINT positive CHECK (c > 0), \
             CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE) \
             ENGINE=InnoDB DEFAULT CHARSET=latin1 ROW_FORMAT=DYNAMIC COMMENT='the t'",
            "CREATE TABLE child (id int, at date) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), \
             PARTITION p1 VALUES LESS THAN MAXVALUE)",
            "CREATE TABLE history (a int) WITH SYSTEM VERSIONING",
            "CREATE VIEW v AS SELECT a, c FROM t WHERE c > 1 WITH CHECK OPTION",
            "CREATE SEQUENCE s START WITH 5 INCREMENT BY 2",
            "CREATE PROCEDURE p(IN x int, OUT y varchar(10)) SQL SECURITY INVOKER SELECT 1",
            "CREATE FUNCTION fn(x int) RETURNS int DETERMINISTIC RETURN x",
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.c = 1",
        ],
    )
    .await;
    let t = catalog.table(&QualifiedName::bare("t")).expect("it is there");
    let columns: Vec<String> = t
        .columns
        .iter()
        .map(|c| {
            format!(
                "{} {} {} {} {} {}",
                c.name,
                c.data_type.text,
                c.not_null,
                c.default.as_ref().map_or("-", |e| &e.text),
                c.on_update.as_ref().map_or("-", |e| &e.text),
                c.collation.as_ref().map_or("-", Name::as_str)
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            "id int(11) true - - -",
            "parent_id bigint(20) unsigned false - - -",
            "a varchar(20) false 'it''s' - latin1_bin",
            "b datetime(3) true CURRENT_TIMESTAMP(3) CURRENT_TIMESTAMP(3) -",
            "c int(11) true 7 - -",
            "d int(11) false - - -",
            "e enum('x','y') false - - -",
        ]
    );
    assert_eq!(t.columns[2].comment.as_deref(), Some("an a"));
    assert!(t.columns[0].auto_increment);
    assert!(t.columns[5].generated.as_ref().is_some_and(|g| g.stored && g.expression.text == "`c` + 1"));
    let indexes: Vec<String> = t
        .indexes
        .iter()
        .map(|i| format!("{} {} {:?} {} {}", i.name, i.method, i.backs, i.visible, i.parts.len()))
        .collect();
    assert_eq!(
        indexes,
        [
            "PRIMARY btree Some(PrimaryKey) true 1",
            "f fulltext None true 1",
            "fk btree Some(ForeignKey) true 1",
            "ig btree None false 1",
            "k btree None true 2",
            "u btree Some(Unique) true 2",
        ]
    );
    assert_eq!(t.indexes[4].parts[0].prefix, Some(5));
    assert_eq!(t.uniques.len(), 1);
    assert_eq!((t.checks.len(), t.checks[0].expression.text.as_str()), (1, "`c` > 0"));
    assert_eq!(t.foreign_keys[0].references, QualifiedName::bare("parent"));
    assert_eq!(t.foreign_keys[0].on_delete, ReferentialAction::Cascade);
    assert_eq!(t.foreign_keys[0].on_update, ReferentialAction::NoAction);
    assert_eq!(t.options, [(Name::new("row_format"), "DYNAMIC".to_owned())]);
    assert_eq!(t.storage_engine, Some(Name::new("InnoDB")));
    assert_eq!(t.collation, Some(Name::new("latin1_swedish_ci")));
    assert_eq!(t.comment.as_deref(), Some("the t"));
    let parent = catalog.table(&QualifiedName::bare("parent")).expect("it is there");
    assert_eq!((parent.columns[1].data_type.text.as_str(), parent.checks.len()), ("json", 0));
    assert_eq!(parent.indexes[0].backs, Some(ConstraintKind::PrimaryKey));
    let child = catalog.table(&QualifiedName::bare("child")).expect("it is there");
    assert_eq!(child.kind, TableKind::Partitioned { strategy: Name::new("range"), key: "`id`".to_owned() });
    let history = catalog.table(&QualifiedName::bare("history")).expect("it is there");
    assert_eq!(history.options, [(Name::new("system_versioning"), "yes".to_owned())]);
    let v = &catalog.views[0];
    assert!(v.security_definer && !v.definition.contains("whole"), "{}", v.definition);
    assert_eq!(v.options, [(Name::new("check_option"), "cascaded".to_owned())]);
    assert_eq!(v.columns.len(), 2);
    assert_eq!((catalog.sequences[0].start, catalog.sequences[0].increment), (5, 2));
    let functions = catalog.functions.known().expect("they were asked for");
    let shown: Vec<_> = functions.iter().map(|f| format!("{}({})", f.name, f.arguments)).collect();
    assert_eq!(shown, ["fn(int(11))", "p(int(11), varchar(10))"]);
    assert!(!functions[1].security_definer);
    let triggers = catalog.triggers.known().expect("they were asked for");
    assert_eq!((triggers[0].timing.as_str(), triggers[0].body.as_str()), ("BEFORE", "SET NEW.c = 1"));
}

#[tokio::test]
async fn every_fact_is_known_or_says_why() {
    let mut conn = writer("facts").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int, KEY (a))",
            "INSERT INTO t (a) SELECT seq FROM seq_1_to_100",
            "CREATE TABLE schema_migrations (version varchar(20) PRIMARY KEY)",
            "INSERT INTO schema_migrations VALUES ('20240101'), ('20240102')",
            "CREATE SEQUENCE s",
            "SELECT NEXTVAL(s)",
            "ANALYZE TABLE t",
            "SELECT * FROM t WHERE a = 5",
        ],
    )
    .await;
    let facts = collect("root", "facts", &Fact::ALL).await;
    let unknown: Vec<Fact> = Fact::ALL.into_iter().filter(|fact| !facts.status(*fact).is_known()).collect();
    let absent_here = [
        Fact::Policies,
        Fact::Extensions,
        Fact::ColumnStatistics,
        Fact::Databases,
        Fact::PreparedTransactions,
        Fact::Slots,
        Fact::Archiver,
        Fact::Checkpointer,
        Fact::Wal,
        Fact::Hba,
        Fact::UserMappings,
        Fact::Publications,
        Fact::Storage,
        Fact::Integrity,
        Fact::Backups,
        Fact::Migrations,
        Fact::Data,
    ];
    for fact in Fact::ALL {
        let status = facts.status(fact);
        assert_eq!(unknown.contains(&fact), absent_here.contains(&fact), "{fact:?}: {status:?}");
        assert!(!matches!(status, Observed::Failed(_) | Observed::Denied(_)), "{fact:?}: {status:?}");
    }
    assert!(facts.source.superuser && facts.source.collected_at.is_some());
    let table = facts.table_statistics.known().and_then(|all| all.iter().find(|one| one.table.name == "t"));
    let table = table.expect("t has statistics");
    assert_eq!(table.next_auto_increment.map(|next| next > 100), Some(true));
    assert!(table.rows.is_some_and(|rows| rows > 50) && table.table_bytes.is_some_and(|bytes| bytes > 0));
    let indexes = facts.index_statistics.known().expect("known");
    let a = indexes.iter().find(|index| index.index == "a").expect("the index has statistics");
    assert!(a.distinct.is_some_and(|n| n > 50) && a.bytes.is_some() && a.scans.is_some(), "{a:?}");
    let maxima = facts.column_maxima.known().expect("known");
    let id = maxima.iter().find(|max| max.column == "id").expect("the key has a largest value");
    assert_eq!((id.min, id.max), (Some(1), Some(100)));
    assert_eq!(facts.sequence_values.known().map(Vec::len), Some(1));
    let history = facts.migration_history.known().expect("known");
    assert_eq!((history[0].tool.as_str(), history[0].applied.len()), ("Rails or dbmate", 2));
    let workload = facts.workload.known().expect("performance_schema is on");
    assert!(workload.statements.iter().any(|s| s.text.contains("WHERE `a` = ?") && s.calls >= Some(1)));
    assert!(facts.settings.known().and_then(|s| s.get("innodb_buffer_pool_size")).is_some());
    assert!(facts.server_status.known().and_then(|s| s.number("uptime")).is_some());
    assert_eq!(facts.replication.known().map(|r| r.standby), Some(false));
    assert!(facts.counters.known().is_some_and(|c| c.started.is_some()));
}

#[tokio::test]
async fn accounts_show_their_passwords_and_rights() {
    let mut conn = writer("accounts").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE t (a int, b int)",
            "CREATE USER weak@'10.%' IDENTIFIED BY 'x'",
            "CREATE USER nopw@localhost",
            "CREATE USER sock@localhost IDENTIFIED VIA unix_socket",
            "CREATE USER boss IDENTIFIED BY 'x'",
            "GRANT ALL PRIVILEGES ON *.* TO boss WITH GRANT OPTION",
            "GRANT SELECT (a), INSERT ON accounts.t TO nopw@localhost",
            "GRANT SELECT ON accounts.* TO weak@'10.%'",
            "CREATE ROLE reader",
            "GRANT reader TO nopw@localhost",
        ],
    )
    .await;
    let facts = collect("root", "accounts", &[Fact::Roles, Fact::Privileges]).await;
    let roles = facts.roles.known().expect("root may read them");
    let role = |name: &str| roles.iter().find(|role| role.name == *name).expect("it was made");
    assert_eq!(role("weak@10.%").password, PasswordStorage::Weak);
    assert_eq!(role("nopw@localhost").password, PasswordStorage::None);
    assert_eq!(role("sock@localhost").password, PasswordStorage::External);
    assert!(role("boss@%").superuser && !role("weak@10.%").superuser && role("root@localhost").superuser);
    assert!(!role("reader").login);
    assert_eq!(role("nopw@localhost").member_of[0].role, "reader");
    let grants = &facts.privileges.known().expect("root may read them").grants;
    let has = |kind, grantee: &str, object: &str, privilege: &str| {
        grants.iter().any(|grant| {
            grant.object_kind == kind
                && grant.grantee == *grantee
                && grant.object.to_string() == object
                && grant.privilege == *privilege
        })
    };
    assert!(has(GrantObject::Table, "nopw@localhost", "t", "INSERT"));
    assert!(has(GrantObject::Column, "nopw@localhost", "t.a", "SELECT"));
    assert!(has(GrantObject::Database, "weak@10.%", "accounts", "SELECT"));
    assert!(has(GrantObject::Server, "boss@%", "", "SUPER"));
}

#[tokio::test]
async fn a_refusal_names_the_privilege() {
    let mut conn = writer("refused").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE t (a int)",
            "CREATE USER poor@localhost",
            "GRANT SELECT ON refused.* TO poor@localhost",
        ],
    )
    .await;
    let facts = collect("poor", "refused", &Fact::ALL).await;
    assert_eq!(facts.catalog.known().map(|catalog| catalog.tables.len()), Some(1));
    for fact in [Fact::Roles, Fact::Privileges, Fact::Sessions, Fact::LockWaits, Fact::Replication] {
        let status = facts.status(fact);
        assert!(
            matches!(&status, Observed::Denied(because) if because.contains("grant ")),
            "{fact:?}: {status:?}"
        );
    }
    assert!(!facts.source.superuser);
    let error =
        ReadSession::open(&dsn("nobody", "refused"), &Limits::default()).await.err().expect("it is refused");
    assert_eq!(error.kind, crate::session::SessionErrorKind::Authentication);
}

#[tokio::test]
async fn a_section_of_a_catalog_that_was_not_read_stays_unknown() {
    drop(writer("sections").await);
    let mut session =
        ReadSession::open(&dsn("root", "sections"), &Limits::default()).await.expect("it opens");
    let mut facts = Facts::none(session.source().await);
    facts.catalog = Observed::Denied("grant SELECT".to_owned());
    for fact in [Fact::Functions, Fact::Triggers] {
        collect::fact(&mut session, fact, &mut facts).await;
        assert_eq!(facts.status(fact), Observed::Denied("grant SELECT".to_owned()), "{fact:?}");
    }
    // A section that is asked for alone brings the tables with it.
    let mut conn = writer("sections").await;
    execute(&mut conn, &["CREATE TABLE t (a int)"]).await;
    let facts = collect("root", "sections", &[Fact::Functions]).await;
    assert_eq!(facts.catalog.known().map(|catalog| catalog.tables.len()), Some(1));
}

#[tokio::test]
async fn what_is_hidden_in_part_is_kept_and_doubted() {
    let mut conn = writer("hidden").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE t (a int)",
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE SEQUENCE s",
            "CREATE PROCEDURE p() SELECT 'secret'",
            "CREATE TABLE flyway_schema_history (version varchar(9), script varchar(9), success bool, installed_on datetime)",
            "CREATE USER half@localhost",
            "GRANT SELECT ON hidden.t TO half@localhost",
            "GRANT SELECT ON hidden.v TO half@localhost",
            "GRANT INSERT ON hidden.s TO half@localhost",
            "GRANT INSERT ON hidden.flyway_schema_history TO half@localhost",
            "GRANT EXECUTE ON PROCEDURE hidden.p TO half@localhost",
        ],
    )
    .await;
    let facts = collect("half", "hidden", &Fact::ALL).await;
    let catalog = facts.catalog.known().expect("the account may see some of it");
    assert_eq!(catalog.sequences.iter().map(|s| s.name.name.as_str()).collect::<Vec<_>>(), ["s"]);
    let mut doubted: Vec<&str> =
        catalog.doubts.iter().filter_map(|doubt| Some(doubt.object.as_ref()?.name.as_str())).collect();
    doubted.sort_unstable();
    assert_eq!(doubted, ["p", "s", "v"], "{:?}", catalog.doubts);
    for (fact, object) in [(Fact::SequenceValues, "`s`"), (Fact::MigrationHistory, "`flyway_schema_history`")]
    {
        let status = facts.status(fact);
        assert!(
            matches!(&status, Observed::Denied(because) if because.contains(object)),
            "{fact:?}: {status:?}"
        );
    }
    let counters = facts.counters.known().expect("everybody may read the status");
    assert_eq!(counters.standbys, None, "the account may not list the replicas");
}

#[tokio::test]
async fn of_a_long_migration_history_the_newest_are_kept() {
    let mut conn = writer("long_history").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE schema_migrations (version bigint)",
            "INSERT INTO schema_migrations SELECT seq FROM seq_1_to_10005",
        ],
    )
    .await;
    let facts = collect("root", "long_history", &[Fact::MigrationHistory]).await;
    let applied = &facts.migration_history.known().expect("root may read it")[0].applied;
    let ends = (applied.first().map(|one| &*one.version), applied.last().map(|one| &*one.version));
    assert_eq!((applied.len(), ends), (10_000, (Some("6"), Some("10005"))));
}

#[test]
fn a_replica_whose_thread_stopped_is_not_paused() {
    let columns = ["replica_io_running", "replica_sql_running", "seconds_behind_source", "last_sql_error"];
    let row = crate::row::Row {
        columns: columns.into_iter().map(str::to_owned).collect(),
        values: vec![
            crate::row::Value::Text("Yes".into()),
            crate::row::Value::Text("No".into()),
            crate::row::Value::Null,
            crate::row::Value::Text("duplicate key".into()),
        ],
    };
    let read = activity::replication(&[row]).expect("it is read");
    assert_eq!((read.replay_paused, read.receiver_running), (None, Some(false)));
    assert_eq!((read.replay_delay_seconds, read.last_error.as_deref()), (None, Some("duplicate key")));
}

#[tokio::test]
async fn a_reading_session_cannot_write_and_waits_for_nobody() {
    let mut conn = writer("readonly").await;
    execute(&mut conn, &["CREATE TABLE t (a int)"]).await;
    let limits = Limits { statement_timeout: Duration::from_secs(1), ..Limits::default() };
    let mut session = ReadSession::open(&dsn("root", "readonly"), &limits).await.expect("it opens");
    for statement in ["INSERT INTO t VALUES (1)", "CREATE TABLE u (a int)", "DROP TABLE t", "TRUNCATE t"] {
        let refused = session.asker.run(statement, "").await;
        assert!(refused.is_err(), "{statement}: {refused:?}");
    }
    let slow = session.asker.run("SELECT SLEEP(10)", "").await;
    assert!(matches!(&slow, Err(wire::Trouble::Failed(because)) if because.contains("timeout")), "{slow:?}");
    // What was read leaves no lock behind that would keep others from changing the table.
    session.asker.run("SELECT * FROM t", "").await.expect("reading is allowed");
    execute(&mut conn, &["SET SESSION lock_wait_timeout = 1", "ALTER TABLE t ADD b int"]).await;
}

#[tokio::test]
async fn lock_waits_name_both_sides_and_the_table() {
    let mut first = writer("locks").await;
    execute(
        &mut first,
        &["CREATE TABLE t (a int PRIMARY KEY)", "INSERT INTO t VALUES (1)", "BEGIN", "DELETE FROM t"],
    )
    .await;
    let mut second = writer("locks").await;
    let waiting = tokio::spawn(async move { second.query_drop("UPDATE t SET a = 2 WHERE a = 1").await });
    let mut found = Vec::new();
    for _ in 0..100 {
        let facts = collect("root", "locks", &[Fact::LockWaits, Fact::Sessions]).await;
        found = facts.lock_waits.known().expect("root may see them").clone();
        if let Some(wait) = found.first() {
            let sessions = facts.sessions.known().expect("root may see them");
            let blocked =
                sessions.iter().find(|session| session.id == wait.waiting).expect("it is a session");
            assert_eq!(blocked.blocked_by, [wait.blocking]);
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(found[0].relation, Some(QualifiedName::bare("t")));
    execute(&mut first, &["ROLLBACK"]).await;
    waiting.await.expect("it ends").expect("it was let through");
}

#[tokio::test]
async fn questions_about_rows_are_counted() {
    let mut conn = writer("questions").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE parent (id int)",
            "CREATE TABLE child (parent_id int, zip varchar(5), city varchar(20), tags varchar(50), n varchar(20))",
            "INSERT INTO parent VALUES (1), (2)",
            "INSERT INTO child VALUES (1, 'a', 'x', 'p,q', '12'), (3, 'a', 'y', 'p', 'no'), (NULL, 'b', 'z', '', NULL)",
        ],
    )
    .await;
    let mut session =
        ReadSession::open(&dsn("root", "questions"), &Limits::default()).await.expect("it opens");
    let mut facts = session.collect(&[], &Silent).await.expect("it collects");
    let child = || QualifiedName::bare("child");
    let check = [
        (
            DataQuestion::Orphans {
                child: child(),
                column: "parent_id".into(),
                parent: QualifiedName::bare("parent"),
                parent_column: "id".into(),
            },
            (2, 1, "3"),
        ),
        (
            DataQuestion::Dependency {
                table: child(),
                determinant: vec!["zip".into()],
                dependent: "city".into(),
            },
            (1, 1, "a: x 1, y 1"),
        ),
        (DataQuestion::ListValues { table: child(), column: "tags".into() }, (2, 1, "p,q")),
        (
            DataQuestion::ParsesAs { table: child(), column: "n".into(), kind: TypeKind::Integer },
            (2, 1, "12"),
        ),
        (
            DataQuestion::ParsesAs { table: child(), column: "n".into(), kind: TypeKind::Decimal },
            (2, 1, "12"),
        ),
        (DataQuestion::Nulls { table: child(), column: "parent_id".into() }, (3, 1, "")),
        (DataQuestion::Duplicates { table: child(), columns: vec!["zip".into()] }, (2, 1, "a: 2")),
        (DataQuestion::Values { table: child(), column: "zip".into() }, (3, 2, "a b")),
    ];
    let questions: Vec<DataQuestion> = check.iter().map(|(question, _)| question.clone()).collect();
    session.ask(&questions, &mut facts).await.expect("it asks");
    let answers = facts.data.known().expect("they were asked");
    for (question, (examined, matching, examples)) in check {
        let answer = answers.iter().find(|answer| answer.question == question).expect("it was answered");
        let count = answer.answer.known().unwrap_or_else(|| panic!("{answer:?}"));
        assert_eq!(
            (count.examined, count.matching, count.examples.join(" ").as_str()),
            (examined, matching, examples),
            "{question:?}"
        );
    }
}

#[tokio::test]
async fn without_a_database_every_schema_is_read() {
    let mut conn = writer("several_a").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE t (a int)",
            "CREATE DATABASE IF NOT EXISTS several_b",
            "CREATE TABLE several_b.t (a int)",
        ],
    )
    .await;
    let facts = collect("root", "", &[Fact::Catalog]).await;
    let catalog = facts.catalog.known().expect("known");
    assert!(catalog.table(&QualifiedName::new("several_a", "t")).is_some());
    assert!(catalog.table(&QualifiedName::new("several_b", "t")).is_some());
    assert!(catalog.tables.iter().all(|table| table.name.schema != "mysql" && table.name.schema != "sys"));
    assert!(catalog.schemas.iter().any(|schema| schema.name == "several_b"));
}

/// Facts that a server tells of those tables only that the account may see.
const SEEN: [Fact; 5] =
    [Fact::Catalog, Fact::TableStatistics, Fact::IndexStatistics, Fact::ColumnMaxima, Fact::MigrationHistory];

#[tokio::test]
async fn what_is_hidden_is_not_absent() {
    let mut conn = writer("hidden").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE parent (id int AUTO_INCREMENT PRIMARY KEY, a int)",
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, parent_id int, KEY k (parent_id), \
             CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL)",
            "CREATE TABLE schema_migrations (version varchar(20))",
            "INSERT INTO schema_migrations VALUES ('1')",
            "CREATE VIEW v AS SELECT a FROM parent",
            "CREATE SEQUENCE s",
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.parent_id = 1",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE USER h_none@localhost, h_one@localhost, h_column@localhost, h_all@localhost, h_role@localhost, \
             h_lists@localhost, h_calls@localhost, h_writes@localhost, h_whole@localhost",
            "GRANT SELECT ON hidden.parent TO h_one@localhost",
            "GRANT SELECT (id) ON hidden.parent TO h_column@localhost",
            "GRANT SELECT ON hidden.* TO h_all@localhost",
            "CREATE ROLE h_reads",
            "GRANT SELECT, SHOW VIEW, TRIGGER ON `hid%`.* TO h_reads",
            "GRANT h_reads TO h_role@localhost",
            "SET DEFAULT ROLE h_reads FOR h_role@localhost",
            "GRANT SHOW DATABASES, PROCESS ON *.* TO h_lists@localhost",
            "GRANT EXECUTE ON hidden.* TO h_calls@localhost",
            "GRANT INSERT ON hidden.* TO h_writes@localhost",
            "GRANT ALL PRIVILEGES ON *.* TO h_whole@localhost",
        ],
    )
    .await;
    let plan: Vec<Fact> = SEEN
        .into_iter()
        .chain([Fact::SequenceValues, Fact::Functions, Fact::Triggers, Fact::Sessions])
        .collect();
    let denied = |facts: &Facts, fact: Fact| matches!(facts.status(fact), Observed::Denied(because) if because.contains("grant "));

    // One that may see nothing at all, and one that may list databases.
    for account in ["h_none", "h_lists"] {
        // The server lets neither into a database by name.
        let facts = collect(account, "", &plan).await;
        for fact in SEEN.into_iter().chain([Fact::Functions, Fact::Triggers]) {
            assert!(denied(&facts, fact), "{account} {fact:?}: {:?}", facts.status(fact));
        }
        assert_eq!(denied(&facts, Fact::Sessions), account == "h_none");
    }

    // Whoever may only call routines gets in and sees no table.
    let facts = collect("h_calls", "hidden", &plan).await;
    assert!(denied(&facts, Fact::Catalog), "{:?}", facts.catalog);
    assert!(!facts.status(Fact::Functions).is_known());

    // One table of four, and one column of it.
    for account in ["h_one", "h_column"] {
        let facts = collect(account, "hidden", &plan).await;
        let catalog = facts.catalog.known().expect("one table is shown");
        assert_eq!(catalog.tables.len(), 1, "{account}");
        for fact in [Fact::Catalog, Fact::TableStatistics, Fact::IndexStatistics] {
            assert!(facts.in_part.contains_key(&fact), "{account} {fact:?}: {:?}", facts.status(fact));
        }
        for fact in [Fact::MigrationHistory, Fact::Functions, Fact::Triggers] {
            assert!(denied(&facts, fact), "{account} {fact:?}: {:?}", facts.status(fact));
        }
    }

    // Who may only write sees every table, which cannot be proven.
    let facts = collect("h_writes", "hidden", &plan).await;
    assert_eq!(facts.catalog.known().map(|catalog| catalog.tables.len()), Some(3));
    assert!(facts.in_part.contains_key(&Fact::Catalog));

    // Whoever may read all tables sees them, but neither views' queries, nor triggers, nor routines.
    let facts = collect("h_all", "hidden", &plan).await;
    let catalog = facts.catalog.known().expect("every table is shown");
    assert!(facts.in_part.is_empty(), "{:?}", facts.in_part);
    assert_eq!((catalog.tables.len(), catalog.sequences.len()), (3, 1));
    let doubted: Vec<_> = catalog.doubts.iter().map(|doubt| doubt.object.clone()).collect();
    assert_eq!(doubted, [Some(QualifiedName::bare("v"))], "{:?}", catalog.doubts);
    let key = &catalog.table(&QualifiedName::bare("t")).expect("it is shown").foreign_keys[0];
    assert_eq!((key.on_delete, key.on_update), (ReferentialAction::Cascade, ReferentialAction::SetNull));
    assert!(denied(&facts, Fact::Triggers) && denied(&facts, Fact::Functions));

    let facts = collect("h_role", "hidden", &plan).await;
    let catalog = facts.catalog.known().expect("every table is shown");
    assert!(
        facts.in_part.is_empty() && catalog.doubts.is_empty(),
        "{:?} {:?}",
        facts.in_part,
        catalog.doubts
    );
    assert_eq!(catalog.triggers.known().map(Vec::len), Some(1));
    assert!(denied(&facts, Fact::Functions));
    // The role holds nothing on databases of other names.
    assert!(collect("h_role", "", &[Fact::Catalog]).await.in_part.contains_key(&Fact::Catalog));

    let whole = collect("h_whole", "hidden", &plan).await;
    let root = collect("root", "hidden", &plan).await;
    assert!(root.in_part.is_empty() && whole.in_part.is_empty());
    assert_eq!(whole.catalog, root.catalog);
}

#[tokio::test]
async fn the_rights_that_the_readme_names_are_enough() {
    let readme = include_str!("../../../../README.md");
    let named = readme.split("-- MariaDB\n").nth(1).and_then(|after| {
        let grant = after.lines().find(|line| line.starts_with("GRANT "))?;
        grant.strip_suffix(" TO dbwright;")
    });
    let grant = format!("{} TO r_whole@localhost", named.expect("the text has the statement"));
    let mut conn = writer("readme").await;
    execute(
        &mut conn,
        &[
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)",
            "CREATE USER r_whole@localhost, r_log@localhost",
            &grant,
            "GRANT SELECT, PROCESS, REPLICATION CLIENT ON *.* TO r_log@localhost",
        ],
    )
    .await;
    let plan: Vec<Fact> = Fact::ALL.into_iter().filter(|fact| fact.is_collected()).collect();
    let facts = collect("r_whole", "readme", &plan).await;
    for fact in plan {
        let status = facts.status(fact);
        assert!(matches!(status, Observed::Known(()) | Observed::Unsupported(_)), "{fact:?}: {status:?}");
    }
    assert!(facts.in_part.is_empty(), "{:?}", facts.in_part);
    let facts = collect("r_log", "readme", &[Fact::Replication]).await;
    let because = facts.replication.because().expect("the account may not see it");
    assert!(because.ends_with("grant REPLICA MONITOR"), "{because}");
}
