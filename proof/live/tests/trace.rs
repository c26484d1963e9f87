//! Migrations traced on every installed server: what is reported is what the server was seen to do.

use std::path::Path;

use dbwright_engine::scratch::Places;
use dbwright_engine::session::{Limits, Silent};
use dbwright_model::report::{Report, ReportStatement};
use dbwright_service::config::Config;
use dbwright_service::ops::check::EngineName;
use dbwright_service::ops::migrate::lint::{LintRequest, lint};
use dbwright_service::{ErrorKind, World};
use proof_live::{Server, servers, write};

/// The tables that most chains begin with.
const BASE: &str = "create table {t} (id int primary key, a int);\n";

/// The report on files, each a name and a text.
fn report(server: &Server, files: &[(&str, &str)], change: impl FnOnce(&mut LintRequest)) -> Report {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let engine = match server {
        Server::Postgres(_) => EngineName::Postgres,
        Server::Mariadb(_) => EngineName::Mariadb,
        Server::Sqlite(_) => EngineName::Sqlite,
    };
    let world = World {
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        directory: folder.path().to_path_buf(),
        database_url: None,
        variable: &|_| None,
        temporary: std::env::temp_dir(),
        places: Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))),
        version: "0",
        limits: Limits::default(),
        progress: &Silent,
    };
    let mut request = LintRequest {
        paths: vec![".".into()],
        engine: Some(engine),
        server_version: Some(server.version().to_string()),
        trace: true,
        ..LintRequest::default()
    };
    change(&mut request);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(lint(&request, &Config::default(), &world)).expect("a report");
    assert!(report.trace.as_ref().is_some_and(|trace| trace.instead_of.is_none()), "{:?}", report.trace);
    report
}

/// A statement in a line: `public.t SHARE scan, public.u SHARE brief new`, or why it was not seen.
fn line(statement: &ReportStatement) -> String {
    if let Some(failed) = &statement.failed {
        return format!("failed: {failed}");
    }
    if let Some(because) = &statement.not_traced {
        return format!("not traced: {because}");
    }
    assert!(statement.analysed, "{statement:?}");
    let effects = statement.effects.iter().map(|effect| {
        let algorithm = effect.algorithm.as_ref().map(|word| format!(" {word}")).unwrap_or_default();
        let new = if effect.made_here { " new" } else { "" };
        format!("{} {} {}{algorithm}{new}", effect.relation, effect.lock, effect.cost)
    });
    effects.collect::<Vec<_>>().join(", ")
}

/// Checks the statements of the last file.
fn check(server: &Server, files: &[&str], expected: &[&str]) -> Report {
    check_all(server, &[(files, expected)])
}

/// Checks the statements of the last file of each case, all in one chain: `{t}` is a table of the case's own.
fn check_all(server: &Server, cases: &[(&[&str], &[&str])]) -> Report {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
    for (number, (texts, expected)) in cases.iter().enumerate() {
        let own = |text: &str| text.replace("{t}", &format!("t{number}"));
        for text in *texts {
            files.push((format!("{:03}.sql", files.len()), own(text)));
        }
        let last = files.last().map(|file| file.0.clone()).expect("a case has files");
        wanted.push((last, expected.iter().map(|line| own(line)).collect()));
    }
    let named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let report = report(server, &named, |_| {});
    for (file, expected) in wanted {
        let lines: Vec<String> = report.statements.iter().filter(|one| one.file == file).map(line).collect();
        assert_eq!(lines, expected, "{} of {}: {files:#?}", file, server.name());
    }
    report
}

/// Whether a rule finds something that its message tells with a word.
fn finds_of(report: &Report, rule: &str, word: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule && finding.message.contains(word))
}

fn finds(report: &Report, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

#[test]
fn programs_are_seen_through_and_commands_outside_of_transactions_too() {
    let indexed = "create table {t} (id int primary key, a int);\ncreate index {t}_a on {t} (a);";
    let brief = "public.{t} ACCESS EXCLUSIVE brief";
    let concurrent: &[&str] = &["public.{t} SHARE UPDATE EXCLUSIVE index build"];
    let cases: &[(&[&str], &[&str])] = &[
        (
            &[BASE, "do $$ begin execute 'alter table {t} alter a type bigint'; end $$;"],
            &["public.{t} ACCESS EXCLUSIVE rewrite"],
        ),
        (&[BASE, "create index concurrently {t}_a on {t} (a);"], concurrent),
        (
            &[BASE, "begin;\ncreate index concurrently {t}_a on {t} (a);\ncommit;"],
            &[
                "",
                "not traced: it does not run there: \
                 CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
                "",
            ],
        ),
        (&[indexed, "reindex index concurrently {t}_a;"], concurrent),
        (&[indexed, "drop index concurrently {t}_a;"], &["public.{t} SHARE UPDATE EXCLUSIVE brief"]),
        (
            &[
                BASE,
                "alter table {t} add constraint {t}_c check (a > 0) not valid;",
                "alter table {t} validate constraint {t}_c;",
            ],
            &["public.{t} SHARE UPDATE EXCLUSIVE scan"],
        ),
        // What the transaction holds already is held by its later statements too.
        (
            &[BASE, "begin;\nalter table {t} add b int;\nalter table {t} add c int;\ncommit;"],
            &["", brief, brief, ""],
        ),
        // The locks of a statement are its own, whatever was locked before.
        (
            &[
                BASE,
                "begin;\nalter table {t} add b int;\ncreate index on {t} (a);\ncreate index on {t} (b);\n\
                 alter table {t} alter a type bigint;\ncommit;",
            ],
            &[
                "",
                brief,
                "public.{t} SHARE index build",
                "public.{t} SHARE index build",
                "public.{t} ACCESS EXCLUSIVE rewrite",
                "",
            ],
        ),
        (
            &[
                "create table {t} (a int);\ndo $$ begin execute 'alter table {t} alter a type bigint'; end $$;",
            ],
            &["", "public.{t} ACCESS EXCLUSIVE rewrite new"],
        ),
        // An empty table shows no copy, so what is foretold of one stays.
        (&[BASE, "vacuum full {t};"], &["public.{t} ACCESS EXCLUSIVE rewrite"]),
        // What is foretold otherwise becomes right.
        (&[BASE, "do $$ begin execute 'alter table {t} add column b int'; end $$;"], &[brief]),
        (&[BASE, "select * from {t} for update;"], &["public.{t} ROW SHARE scan"]),
        (
            &["create table {t} (id serial, a int);", "insert into {t} (a) values (1);"],
            &["public.{t} ROW EXCLUSIVE brief, public.{t}_id_seq ROW EXCLUSIVE brief"],
        ),
    ];
    for server in &servers() {
        if !matches!(server, Server::Postgres(_)) {
            continue;
        }
        let seen = check_all(server, cases);
        assert!(finds_of(&seen, "migration/blocking-program", "public.t0"), "{:#?}", seen.findings);
        assert!(!finds_of(&seen, "migration/blocking-program", "public.t7"), "{:#?}", seen.findings);
        assert!(finds(&seen, "migration/forbidden-in-transaction"), "{:#?}", seen.findings);
        let slow = "migration/slow-work-under-exclusive-lock";
        assert!(finds_of(&seen, slow, "CREATE INDEX"), "{:#?}", seen.findings);
        for rule in ["migration/not-analysed", "migration/fails-when-tried"] {
            assert!(!finds(&seen, rule), "{:#?}", seen.findings);
        }
        assert!(seen.skipped_statements.is_empty());
        assert!(seen.trace.is_some_and(|trace| trace.traced + 1 == trace.statements));
    }
}

#[test]
fn a_failure_is_certain_or_said_to_be_none() {
    let servers = servers();
    for server in &servers {
        if !matches!(server, Server::Postgres(_)) {
            continue;
        }
        let exists = "failed: column \"a\" of relation \"t0\" already exists";
        let seen = check(
            server,
            &[BASE, "alter table {t} add a int;\ncreate table {t} (a int);"],
            &[
                exists,
                "not traced: the scratch server refused it, after an earlier statement was not carried out: \
                 relation \"t0\" already exists",
            ],
        );
        assert!(finds(&seen, "migration/fails-when-tried"), "{:#?}", seen.findings);
        assert!(!finds_of(&seen, "migration/refused-statement", "column"), "{:#?}", seen.findings);
        // Roles belong to the server and are made where they lack.
        let grant = "grant select on {t} to app;";
        let shared = if server.version().major >= 18 { "public.{t} ACCESS SHARE brief" } else { "" };
        let seen = check_all(
            server,
            &[
                (&[BASE, grant], &[shared]),
                (
                    &["alter table {t} add b int;"],
                    &["not traced: the scratch server refused it: relation \"{t}\" does not exist"],
                ),
            ],
        );
        assert!(!finds(&seen, "migration/fails-when-tried"), "{:#?}", seen.findings);
        let deferred = "create table p (id int primary key);\n\
                        create table c (p int references p deferrable initially deferred);";
        let broken = "begin;\ninsert into c values (1);\ncommit;";
        let seen = report(server, &[("1.sql", deferred), ("2.sql", broken)], |_| {});
        let last = seen.statements.last().and_then(|one| one.failed.clone()).unwrap_or_default();
        assert!(last.contains("violates foreign key constraint"), "{last}");
    }
    let server = servers.iter().rfind(|server| matches!(server, Server::Postgres(_))).expect("a server");
    let empty = report(server, &[("1.sql", "alter table t add b int;")], |request| {
        request.assume_empty = true;
    });
    assert!(finds(&empty, "migration/fails-when-tried"), "{:#?}", empty.findings);
    let seen = report(server, &[("1.sql", "create extension no_such_extension;")], |_| {});
    assert!(seen.statements[0].not_traced.is_some() && seen.statements[0].failed.is_none());
}

#[test]
fn a_catalog_is_built_first() {
    let schema = "
        create type mood as enum ('a', 'b');
        create domain positive as int check (value > 0);
        create function double(i int) returns int language plpgsql immutable as 'begin return i * 2; end';
        create table parent (id int primary key, m mood, p positive, s serial, unique (m));
        create table child (id bigint generated always as identity primary key, parent_id int references parent (id),
            d int generated always as (double(1)) stored);
        create index child_parent on child (parent_id) where parent_id > 0;
        create table measures (at date, v int) partition by range (at);
        create table measures_1 partition of measures for values from ('2020-01-01') to ('2021-01-01');
        create index measures_v on measures (v);
        create view v as select id, m from parent;
        create view w as select id from v;
        create function f() returns trigger language plpgsql as 'begin return new; end';
        create trigger tr before insert on child for each row execute function f();
        alter table parent enable row security;
        create policy pol on parent using (id > 0);
    "
    .replace("enable row security", "enable row level security");
    for server in &servers() {
        let Server::Postgres(running) = server else { continue };
        let socket = running.data_directory().parent().map(|folder| folder.display().to_string());
        let target = format!("postgres://postgres@/traced?host={}", socket.unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let dsn = server.fresh("traced").await.expect("a database");
            write(&dsn).await.expect("a session").script(&schema).await.expect("the schema");
        });
        let files =
            [("1.sql", "alter table child alter parent_id type bigint;\nalter table measures add w int;")];
        let seen = report(server, &files, |request| {
            request.catalog = Some(target.clone());
            request.server_version = None;
        });
        let trace = seen.trace.as_ref().expect("it was traced");
        assert_eq!(trace.missing, Vec::<String>::new(), "{}", server.name());
        let lines: Vec<String> = seen.statements.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "public.child ACCESS EXCLUSIVE rewrite, public.parent ACCESS EXCLUSIVE brief",
                "public.measures ACCESS EXCLUSIVE brief, public.measures_1 ACCESS EXCLUSIVE brief",
            ],
            "{}",
            server.name()
        );
    }
}

#[test]
fn what_is_not_installed_is_said_before_anything_is_done() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("1.sql"), "create table t (a int);").expect("a file");
    let world = World {
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        directory: folder.path().to_path_buf(),
        database_url: None,
        variable: &|_| None,
        temporary: std::env::temp_dir(),
        places: Places { directories: Vec::new(), temporary: std::env::temp_dir() },
        version: "0",
        limits: Limits::default(),
        progress: &Silent,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for engine in [EngineName::Postgres, EngineName::Mysql, EngineName::Mariadb] {
        let paths = vec![".".into()];
        let request = LintRequest { paths, engine: Some(engine), trace: true, ..LintRequest::default() };
        let error =
            runtime.block_on(lint(&request, &Config::default(), &world)).expect_err("nothing is installed");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(!error.hints.is_empty(), "{error:?}");
    }
}

#[test]
fn mariadb_is_asked_for_the_algorithm() {
    for server in &servers() {
        if !matches!(server, Server::Mariadb(_)) {
            continue;
        }
        let base = "create table t (id int primary key, a int) engine=InnoDB;";
        check(server, &[base, "alter table t modify a bigint;"], &["t LOCK=SHARED rewrite COPY"]);
        check(server, &[base, "alter table t add b int;"], &["t LOCK=NONE brief INSTANT"]);
        let failing = "alter table t add a int;";
        let seen = check(server, &[base, failing], &["failed: Duplicate column name 'a'"]);
        assert!(finds(&seen, "migration/fails-when-tried"), "{:#?}", seen.findings);
        let program = format!("{base}\ncreate procedure p() alter table t force;");
        let seen = check(server, &[&program, "call p();"], &["t LOCK=SHARED rewrite"]);
        assert!(finds(&seen, "migration/blocking-program"), "{:#?}", seen.findings);
    }
}

#[test]
fn a_catalog_of_mariadb_is_built_first() {
    let schema = "
        create table parent (id int primary key, a varchar(20) not null default 'x', unique key (a)) engine=InnoDB;
        create table child (id bigint auto_increment primary key, parent_id int, key (parent_id),
            constraint child_parent foreign key (parent_id) references parent (id) on delete cascade) engine=InnoDB;
        create view v as select id, a from parent;
    ";
    for server in &servers() {
        let Server::Mariadb(running) = server else { continue };
        let target = format!("mysql://root@localhost/traced?socket={}", running.socket().display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let dsn = server.fresh("traced").await.expect("a database");
            write(&dsn).await.expect("a session").script(schema).await.expect("the schema");
        });
        let files =
            [("1.sql", "alter table child add column w int;\nalter table parent modify a varchar(10);")];
        let seen = report(server, &files, |request| {
            request.catalog = Some(target.clone());
            request.server_version = None;
        });
        let trace = seen.trace.as_ref().expect("it was traced");
        assert_eq!(trace.missing, Vec::<String>::new());
        let lines: Vec<String> = seen.statements.iter().map(line).collect();
        assert_eq!(lines[0], "child LOCK=NONE brief INSTANT");
        assert_eq!(lines[1], "child LOCK=SHARED brief, parent LOCK=SHARED rewrite COPY");
    }
}

#[test]
fn sqlite_is_observed_over_rows() {
    for server in &servers() {
        if !matches!(server, Server::Sqlite(_)) {
            continue;
        }
        let base = "create table t (id integer primary key, a integer not null check (a < 5), b text);";
        let lock = "t write lock on the file";
        check(server, &[base, "create index t_a on t (a);"], &[&format!("{lock} index build")]);
        check(server, &[base, "alter table t add c integer;"], &[&format!("{lock} brief")]);
        let failing = "alter table t add a integer;";
        let seen = check(server, &[base, failing], &["failed: duplicate column name: a"]);
        assert!(finds(&seen, "migration/fails-when-tried"), "{:#?}", seen.findings);
        let two = "begin;\nalter table t add c integer;\ninsert into t (a) values (9);\ncommit;";
        check(
            server,
            &[base, two],
            &["", &format!("{lock} brief"), "failed: CHECK constraint failed: a < 5", ""],
        );
    }
}
