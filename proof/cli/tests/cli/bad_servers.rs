//! Servers that are not there, refuse, hide things, or go away in the middle.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use proof_cli::proxy::Proxy;
use proof_cli::servers::{Mariadb, Postgres, Standby};
use proof_cli::{Outcome, SECRET, Sandbox};

use super::told;

/// Two tables with a flaw each, and one that only its owner may see into.
const SHOP: &str = "
    create table parent (id int primary key, name text);
    create table child (a int not null, parent_id int references parent (id));
    create table t (id int primary key, email varchar(100));
    insert into parent values (1, 'x');
    insert into child values (1, 1);
";

fn keys(report: &serde_json::Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["key"].as_str().expect("a key").to_owned()).collect()
}

fn unseen(report: &serde_json::Value) -> usize {
    report["not_checked"].as_array().expect("a list").len()
}

#[test]
fn servers_that_cannot_be_reached_are_named() {
    let sandbox = Sandbox::new();
    let closed = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = closed.local_addr().expect("it is bound").port();
    drop(closed);
    let targets = [
        format!("postgres://u:{SECRET}@127.0.0.1:{port}/d"),
        format!("mysql://u:{SECRET}@127.0.0.1:{port}/d"),
        format!("postgres://u:{SECRET}@nowhere.invalid/d"),
        format!("mysql://u:{SECRET}@nowhere.invalid/d"),
        "postgres://u@/d?host=/nowhere".to_owned(),
        "mysql://u@localhost/d?socket=/nowhere/s".to_owned(),
    ];
    let outcomes: Vec<Outcome> =
        targets.iter().map(|target| sandbox.run(&["audit", target]).expect(2)).collect();
    // The snapshot shows the commands too, so the password is taken out of them there.
    let mut texts = Vec::new();
    for outcome in &outcomes {
        assert!(outcome.elapsed < Duration::from_secs(20), "{}", outcome.transcript());
        texts.push(outcome.transcript().replace(SECRET, "[PASSWORD]"));
    }
    super::snapshot("unreachable", &texts.join("\n").replace(&port.to_string(), "[PORT]"));
}

#[test]
fn servers_of_another_kind_and_silent_ones_are_left() {
    let sandbox = Sandbox::new();
    let stranger = |greeting: &'static [u8]| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut client in listener.incoming().flatten() {
                let _ = client.write_all(greeting);
                if greeting.is_empty() {
                    open.push(client);
                }
            }
        });
        port
    };
    let (web, silent) = (stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n"), stranger(b""));
    let runs: Vec<_> = [("postgres", web), ("mysql", web), ("postgres", silent), ("mysql", silent)]
        .map(|(kind, port)| (kind, sandbox.dbwright(&["audit", &format!("{kind}://u@127.0.0.1:{port}/d")])))
        .into_iter()
        .map(|(kind, run)| (kind, run.start()))
        .collect();
    for (kind, run) in runs {
        let outcome = run.finish().expect(2);
        assert!(outcome.err().starts_with("error: "), "{kind}: {}", outcome.err());
        assert!(outcome.elapsed < Duration::from_secs(20), "{kind}: {:?}", outcome.elapsed);
    }
}

#[test]
fn postgres_refuses_hides_and_goes_away() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::start(&sandbox, &[]);
    postgres.database("shop", SHOP);
    postgres.ask(
        "shop",
        &format!(
            "create role app login password '{SECRET}'; revoke all on schema public from public;
             revoke all on database shop from public; grant connect on database shop to app;
             revoke execute on all functions in schema pg_catalog from app"
        ),
    );

    let cases = [
        (postgres.target("app:wrong", "shop"), 2),
        (postgres.target("app", "shop"), 2),
        (postgres.target("nobody:wrong", "shop"), 2),
        (postgres.target("postgres", "gone"), 2),
    ];
    let outcomes: Vec<Outcome> =
        cases.iter().map(|(target, code)| sandbox.run(&["audit", target]).expect(*code)).collect();
    told("postgres_refuses", &outcomes);

    // A role without any privilege sees the catalog, and neither rows nor anybody's statistics.
    let whole = sandbox.run(&["audit", &postgres.target("postgres", "shop"), "-f", "json"]);
    let seen = keys(&whole.json());
    let limited = postgres.target(&format!("app:{SECRET}"), "shop");
    let outcome = sandbox.run(&["audit", &limited, "-f", "json", "--data"]);
    assert!(matches!(outcome.code, Some(0 | 1)), "{}", outcome.transcript());
    let report = outcome.json();
    assert_eq!(report["target"]["tables"], 3, "{report:#}");
    let invented: Vec<_> = keys(&report).difference(&seen).cloned().collect();
    assert!(invented.is_empty(), "{invented:?}");
    assert!(unseen(&report) >= unseen(&whole.json()), "{report:#}");
    let strict = sandbox.run(&["audit", &limited, "--require-checks", "--fail-on", "never"]);
    assert_eq!(strict.code, Some(if unseen(&report) > 0 { 3 } else { 0 }), "{}", strict.transcript());

    cut_midway(&sandbox, &postgres.socket(), |port| format!("postgres://postgres@127.0.0.1:{port}/shop"));

    match Standby::follow(&postgres) {
        None => proof_cli::not_installed("`pg_basebackup`"),
        Some(standby) => {
            let outcome = sandbox.run(&["audit", &standby.target("shop"), "-f", "json", "--data"]);
            assert!(matches!(outcome.code, Some(0 | 1)), "{}", outcome.transcript());
            let report = outcome.json();
            assert_eq!(report["target"]["tables"], 3, "{report:#}");
            let schema = |keys: BTreeSet<String>| -> BTreeSet<String> {
                keys.into_iter().filter(|key| key.starts_with("schema/")).collect()
            };
            assert_eq!(schema(keys(&report)), schema(seen), "a standby shows the same design");
            sandbox.run(&["snapshot", &standby.target("shop")]).expect(0);
        }
    }
}

#[test]
fn mariadb_refuses_hides_and_goes_away() {
    let sandbox = Sandbox::new();
    let mariadb = Mariadb::start(
        &[],
        &format!(
            "create database shop; use shop; {SHOP}
             create user app@localhost identified by '{SECRET}'; create user blind@localhost"
        ),
    );
    let cases = [
        mariadb.target("app:wrong", "shop"),
        mariadb.target("app", "shop"),
        mariadb.target("root", "gone"),
        mariadb.target("blind", "shop"),
    ];
    let outcomes: Vec<Outcome> =
        cases.iter().map(|target| sandbox.run(&["audit", target]).expect(2)).collect();
    told("mariadb_refuses", &outcomes);

    let whole = sandbox.run(&["audit", &mariadb.target("root", "shop"), "-f", "json"]);
    // Without a database in the target, this account may log in and see nothing.
    let blind = sandbox.run(&["audit", &mariadb.target("blind", ""), "-f", "json", "--data"]);
    assert!(matches!(blind.code, Some(0 | 1)), "{}", blind.transcript());
    let report = blind.json();
    let invented: Vec<_> = keys(&report).difference(&keys(&whole.json())).cloned().collect();
    assert!(invented.is_empty(), "{invented:?}");
    assert_eq!(report["target"]["tables"], 0, "{report:#}");
    assert!(unseen(&report) > unseen(&whole.json()), "what is hidden is not absent: {report:#}");

    cut_midway(&sandbox, mariadb.socket(), |port| format!("mysql://root@127.0.0.1:{port}/shop"));
}

/// A connection that breaks at any place gives an error, or a report that says what it did not see and invents nothing.
fn cut_midway(sandbox: &Sandbox, socket: &std::path::Path, target: impl Fn(u16) -> String) {
    let open = Proxy::start(socket, usize::MAX);
    let whole = sandbox.run(&["audit", &target(open.port()), "-f", "json"]);
    assert!(matches!(whole.code, Some(0 | 1)), "{}", whole.transcript());
    let whole = whole.json();
    let all = open.passed();
    assert!(all > 2_000, "only {all} bytes passed");
    for part in [0, 1, 3, 10, 20, 35, 50, 75, 90, 99] {
        let cut = all * part / 100;
        let proxy = Proxy::start(socket, cut);
        let outcome = sandbox.run(&["audit", &target(proxy.port()), "-f", "json"]);
        assert!(outcome.elapsed < Duration::from_secs(15), "{part} %: {:?}", outcome.elapsed);
        match outcome.code {
            Some(2) => {
                assert!(outcome.stdout.is_empty() && outcome.err().starts_with("error: "), "{part} %");
            }
            Some(0 | 1) => {
                let report = outcome.json();
                let invented: Vec<_> = keys(&report).difference(&keys(&whole)).cloned().collect();
                assert!(invented.is_empty(), "{part} %: {invented:?}");
                assert!(
                    unseen(&report) > unseen(&whole) || keys(&report) == keys(&whole),
                    "{part} %: findings are missing and nobody says so: {report:#}"
                );
            }
            _ => panic!("{part} %: {}", outcome.transcript()),
        }
    }
}
