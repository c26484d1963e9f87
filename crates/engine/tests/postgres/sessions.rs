//! What a reading session refuses, survives and says.

use super::*;
use dbwright_model::facts::DataQuestion;
use dbwright_model::name::QualifiedName;

#[test]
fn the_server_cannot_be_reached_or_refuses() {
    on_every_server(async |server| {
        let error = async |dsn: &Dsn| open(dsn, &Limits::default()).await.err().unwrap();
        let found = error(&server.dsn("missing")).await;
        assert!(found.message.contains("no database `missing`"), "{found}");
        let found = error(&server.dsn_as("stranger", "postgres")).await;
        assert_eq!(found.kind, SessionErrorKind::Authentication, "{found}");
        let Dsn::Postgres(mut dsn) = server.dsn("postgres") else { unreachable!() };
        dsn.port = 1;
        let found = error(&Dsn::Postgres(dsn.clone())).await;
        assert_eq!(found.kind, SessionErrorKind::Connection);
        assert!(found.message.contains("could not reach"), "{found}");
    });
}

#[test]
fn questions_about_rows_are_counted() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table parent (id int);
             create table child (id int, parent_id int, zip text, city text, tags text, number text);
             insert into parent values (1), (2);
             insert into child values
                (1, 1, 'a', 'x', 'p,q', '12'), (2, 3, 'a', 'y', 'p', '-3'),
                (3, null, 'b', 'z', 'p, q, r', 'no'), (3, 2, 'b', 'z', null, null);",
        )
        .await;
        let child = QualifiedName::new("public", "child");
        let parent = QualifiedName::new("public", "parent");
        type Expected = (u64, u64, &'static [&'static str]);
        let question = |question: DataQuestion, expected: Expected| (question, expected);
        let questions = [
            question(
                DataQuestion::Orphans {
                    child: child.clone(),
                    column: "parent_id".into(),
                    parent,
                    parent_column: "id".into(),
                },
                (3, 1, &["3"]),
            ),
            question(
                DataQuestion::Dependency {
                    table: child.clone(),
                    determinant: vec!["zip".into()],
                    dependent: "city".into(),
                },
                (2, 1, &["a: x 1, y 1"]),
            ),
            question(
                DataQuestion::ListValues { table: child.clone(), column: "tags".into() },
                (3, 2, &["p,q", "p, q, r"]),
            ),
            question(
                DataQuestion::ParsesAs {
                    table: child.clone(),
                    column: "number".into(),
                    kind: dbwright_model::data_type::TypeKind::Integer,
                },
                (3, 2, &["-3", "12"]),
            ),
            question(DataQuestion::Nulls { table: child.clone(), column: "parent_id".into() }, (4, 1, &[])),
            question(
                DataQuestion::Duplicates { table: child.clone(), columns: vec!["id".into()] },
                (3, 1, &["3: 2"]),
            ),
            question(DataQuestion::Values { table: child, column: "zip".into() }, (4, 2, &["a", "b"])),
        ];
        let mut session = open(&server.dsn("t"), &Limits::default()).await.unwrap();
        let mut facts = session.collect(&[Fact::Catalog], &Silent).await.unwrap();
        let asked: Vec<DataQuestion> = questions.iter().map(|(question, _)| question.clone()).collect();
        session.ask(&asked, &mut facts).await.unwrap();
        let answers = facts.data.known().unwrap();
        for ((question, (examined, matching, examples)), answer) in questions.iter().zip(answers) {
            let Observed::Known(count) = &answer.answer else { panic!("{question:?}: {answer:?}") };
            let found: Vec<&str> = count.examples.iter().map(String::as_str).collect();
            assert_eq!(
                (count.examined, count.matching, &found[..]),
                (*examined, *matching, *examples),
                "{question:?}"
            );
        }
        session.close().await;
        drop(client);
    });
}

#[test]
fn a_statement_that_writes_is_refused_by_the_server() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table t (a int); create sequence s;
             create function f() returns int language plpgsql volatile as
               'begin insert into public.t values (1); return 1; end';",
        )
        .await;
        let mut session = open(&server.dsn("t"), &Limits::default()).await.unwrap();
        let writes = [
            "insert into public.t values (1)",
            "with x as (insert into public.t values (1) returning 1) select * from x",
            "create table public.u (a int)",
            "select public.f()",
            "select nextval('public.s')",
            "select 1; insert into public.t values (1)",
            "commit; insert into public.t values (1)",
            "set transaction read write",
            "select set_config('transaction_read_only', 'off', false)",
            "do $$ begin set transaction read write; insert into public.t values (1); end $$",
            "do $$ begin commit; set transaction read write; insert into public.t values (1); end $$",
        ];
        // Each of these succeeds by itself; what follows must be refused all the same.
        let preludes = [
            "select 1",
            "commit",
            "commit and chain",
            "set default_transaction_read_only = off",
            "set session characteristics as transaction read write",
            "reset all",
            "discard all",
        ];
        for prelude in preludes {
            let _ = session.query(prelude).await;
            for write in writes {
                let outcome = session.query(write).await;
                assert!(outcome.is_err(), "{}: `{write}` after `{prelude}` ran", server.version());
            }
        }
        let left: i64 = client.query_one("select count(*) from t", &[]).await.unwrap().get(0);
        assert_eq!(left, 0);
        assert_eq!(session.query("select 1 as one").await.unwrap()[0].int("one"), Ok(1));
        session.close().await;
        drop(client);
    });
}

#[test]
fn reading_takes_no_lock_that_writers_mind() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table parent (id serial primary key, a text);
             create table child (id int generated always as identity primary key, parent_id int references parent);
             create index on child (parent_id);
             create view v as select * from parent;
             insert into parent (a) values ('x');",
        )
        .await;
        // `EXCLUSIVE` gets along with nothing but the weakest lock, and so does what holds a sequence.
        run(
            &client,
            "begin;
             lock table parent, child, pg_class, pg_attribute, pg_constraint, pg_index, pg_type, pg_proc
                 in exclusive mode;
             alter sequence parent_id_seq increment 1;",
        )
        .await;
        let limits = Limits { lock_timeout: Duration::from_millis(300), ..Limits::default() };
        let mut session = open(&server.dsn("t"), &limits).await.unwrap();
        let facts = session.collect(&Fact::ALL[..32], &Silent).await.unwrap();
        for fact in Fact::ALL {
            let status = facts.status(fact);
            assert!(!matches!(status, Observed::Failed(_)), "{} {fact:?}: {status:?}", server.version());
        }
        session.close().await;
        drop(client);
    });
}

#[test]
fn a_lost_connection_keeps_what_was_read() {
    struct Killer<'a>(&'a PostgresServer);
    impl dbwright_engine::session::Progress for Killer<'_> {
        fn fact(&self, fact: Fact, _: usize, _: usize) {
            if fact == Fact::Settings {
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        let runtime =
                            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        runtime.block_on(async {
                            let client = self.0.client("postgres").await.unwrap();
                            let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                                         where application_name = 'dbwright'";
                            run(&client, kill).await;
                        });
                    });
                });
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    on_every_server(async |server| {
        let plan = [Fact::Catalog, Fact::Settings, Fact::Roles];
        let mut session = open(&server.dsn("postgres"), &Limits::default()).await.unwrap();
        let facts = session.collect(&plan, &Killer(server)).await.unwrap();
        assert!(facts.catalog.is_known());
        for fact in [Fact::Settings, Fact::Roles] {
            assert!(matches!(facts.status(fact), Observed::Failed(_)), "{:?}", facts.status(fact));
        }
    });
}

#[test]
fn a_table_that_is_being_changed_hides_no_other() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table parent (id int primary key check (id > 0), a text default lower('A'));
             create table child (id int primary key);
             create index on parent (lower(a)) where id > 1;
             create view v as select * from parent;",
        )
        .await;
        run(&client, "begin; lock table parent in access exclusive mode").await;
        let limits = Limits { lock_timeout: Duration::from_millis(100), ..Limits::default() };
        let mut session = open(&server.dsn("t"), &limits).await.unwrap();
        let plan = [Fact::Catalog, Fact::TableStatistics, Fact::IndexStatistics, Fact::Databases];
        let facts = session.collect(&plan, &Silent).await.unwrap();
        for fact in plan {
            let status = facts.status(fact);
            assert!(status.is_known(), "{} {fact:?}: {status:?}", server.version());
        }
        let catalog = facts.catalog.known().unwrap();
        assert_eq!(catalog.tables.len(), 2);
        let columns: Vec<_> = catalog.tables.iter().map(|table| table.columns.len()).collect();
        assert_eq!(columns, [1, 2], "a statement that is tried again must not count twice");
        let doubted: Vec<_> = catalog.doubts.iter().filter_map(|doubt| doubt.object.clone()).collect();
        assert_eq!(doubted, [QualifiedName::new("public", "parent"), QualifiedName::new("public", "v")]);
        session.close().await;
        drop(client);
    });
}

#[test]
fn certificates_are_verified_as_asked() {
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
    // Not every build has TLS: the distribution's has.
    let Some(installation) = installed.iter().find(|one| one.binaries.starts_with("/usr/lib")) else {
        println!("no PostgreSQL with TLS is installed");
        return;
    };
    let directory = std::env::temp_dir().join(format!("dbwright-tls-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (key, certificate) = (directory.join("key"), directory.join("cert"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere"])
        .args(["-addext", "subjectAltName=DNS:elsewhere", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("no openssl to make a certificate with");
        return;
    }
    // The server's account must own its key, and it is made readable to that account only by the server's own copy.
    let key_text = std::fs::read_to_string(&key).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = |more: &[(&str, String)]| {
        let mut settings = vec![("listen_addresses".to_owned(), "127.0.0.1".to_owned())];
        settings.push(("port".into(), port.to_string()));
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        ServerOptions { settings, ..ServerOptions::default() }
    };
    let server = PostgresServer::start(installation, &settings(&[])).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let target =
        |tls: &str| Dsn::parse(&format!("postgres://postgres@127.0.0.1:{port}/postgres?{tls}")).unwrap();
    let root = format!("&sslrootcert={}", certificate.display());
    runtime.block_on(async {
        // Without TLS, `prefer` goes on without, and `require` does not.
        for (mode, works) in [("disable", true), ("prefer", true), ("require", false), ("verify-full", false)]
        {
            let outcome = open(&target(&format!("sslmode={mode}")), &Limits::default()).await;
            assert_eq!(outcome.is_ok(), works, "{mode}: {:?}", outcome.err());
        }
        let Dsn::Postgres(mut socket) = server.dsn("postgres") else { unreachable!() };
        socket.port = port;
        let mut config = tokio_postgres::Config::new();
        let dbwright_engine::dsn::Host::Unix(path) = &socket.host else { unreachable!() };
        let connecting = config.host_path(path).port(port).user("postgres").connect(tokio_postgres::NoTls);
        let (client, connection) = connecting.await.unwrap();
        tokio::spawn(connection);
        // The server writes its own copies, which makes it their owner.
        for (name, text) in [("k", &key_text), ("c", &std::fs::read_to_string(&certificate).unwrap())] {
            let lines = text.trim().lines().map(|line| format!("('{line}')")).collect::<Vec<_>>().join(",");
            let file = server.data_directory().join(name).display().to_string();
            run(&client, &format!("copy (values {lines}) to program 'umask 077; cat > {file}'")).await;
            let setting = if name == "k" { "ssl_key_file" } else { "ssl_cert_file" };
            run(&client, &format!("alter system set {setting} = '{file}'")).await;
        }
        run(&client, "alter system set ssl = on").await;
        run(&client, "select pg_reload_conf()").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        for (tls, works) in [
            ("sslmode=disable".to_owned(), true),
            ("sslmode=prefer".to_owned(), true),
            ("sslmode=require".to_owned(), true),
            (format!("sslmode=require{root}"), true),
            (format!("sslmode=verify-ca{root}"), true),
            (format!("sslmode=verify-full{root}"), false),
            ("sslmode=verify-ca".to_owned(), false),
            ("sslmode=verify-full".to_owned(), false),
        ] {
            let outcome = open(&target(&tls), &Limits::default()).await;
            assert_eq!(outcome.is_ok(), works, "{tls}: {:?}", outcome.err());
            if let Ok(mut session) = outcome {
                let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
                let encrypted = session.query(sql).await.unwrap()[0].bool("ssl").unwrap();
                assert_eq!(encrypted, tls != "sslmode=disable", "{tls}");
            }
        }
    });
    std::fs::remove_dir_all(&directory).unwrap();
}
