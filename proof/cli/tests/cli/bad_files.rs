//! Files that are missing, forbidden, damaged, locked, huge, or not what they seem.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dbwright_engine::dsn::Dsn;
use proof_cli::{Sandbox, noise, runtime, utf16};

use super::{FLAWED, RULE, told};

#[test]
fn what_cannot_be_read_is_named() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).expect("it is new");
    sandbox.file("notes/read.me", "no migrations here");
    sandbox.file("noise.bin", noise(9_000));
    sandbox.file("noise.db", noise(8_192));
    sandbox.file("text.db", "hello");
    sandbox.file("broken.json", "{\"kind\": \"dbwright snapshot\", \"format\": 1");
    sandbox.file("other.json", "{\"name\": \"package\"}");
    sandbox.file("newer.json", "{\"kind\": \"dbwright snapshot\", \"format\": 99, \"facts\": {}}");
    sandbox.file("dump.dump", b"PGDMP\x01\x0e\x00");
    let cases = [
        "missing.sql",
        "missing.sqlite",
        "sqlite:missing.sqlite",
        "missing/folder/",
        "empty",
        "notes",
        "noise.bin",
        "noise.db",
        "text.db",
        "broken.json",
        "other.json",
        "newer.json",
        "dump.dump",
        "sqlite:notes",
        "sqlite::memory:",
        "",
    ];
    let outcomes: Vec<_> = cases.iter().map(|target| sandbox.run(&["audit", target]).expect(2)).collect();
    told("unreadable", &outcomes);
}

#[test]
fn forbidden_files_and_folders_are_named() {
    let sandbox = Sandbox::new();
    let paths = [sandbox.file("secret.sql", FLAWED), sandbox.sqlite("secret.sqlite", FLAWED)];
    for path in paths {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("it is ours");
    }
    fs::create_dir(sandbox.path("secret")).expect("it is new");
    fs::set_permissions(sandbox.path("secret"), fs::Permissions::from_mode(0o000)).expect("it is ours");
    let cases = ["secret.sql", "secret.sqlite", "sqlite:secret.sqlite", "secret"];
    let outcomes: Vec<_> =
        cases.iter().map(|target| sandbox.dbwright(&["audit", target]).as_nobody().run().expect(2)).collect();
    fs::set_permissions(sandbox.path("secret"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    told("forbidden", &outcomes);
}

#[test]
fn damaged_and_locked_databases_are_named() {
    let sandbox = Sandbox::new();
    let fill = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
        insert into t select i, hex(randomblob(40)) from n;";
    let whole = sandbox.sqlite("whole.sqlite", &format!("{FLAWED} create index t_b on t (b); {fill}"));
    let bytes = fs::read(&whole).expect("it was made");
    sandbox.file("header.sqlite", &bytes[..60]);
    sandbox.file("page.sqlite", &bytes[..3_000]);
    let mut encrypted = noise(bytes.len());
    encrypted[..16].copy_from_slice(&noise(16));
    sandbox.file("encrypted.sqlite", encrypted);
    let locked = sandbox.sqlite("locked.sqlite", FLAWED);
    let mut holder = runtime().block_on(async {
        let mut session = proof_cli::write(&Dsn::Sqlite(locked)).await;
        session.script("begin exclusive; insert into t values (1, 'x')").await.expect("nobody else is there");
        session
    });
    let cases = ["header.sqlite", "page.sqlite", "encrypted.sqlite", "locked.sqlite"];
    let outcomes: Vec<_> = cases.iter().map(|target| sandbox.run(&["audit", target]).expect(2)).collect();
    told("damaged", &outcomes);
    runtime().block_on(holder.script("commit")).expect("the lock is ours");
    drop(holder);
    sandbox.run(&["audit", "locked.sqlite"]).expect(0);

    // A file cut in the middle may be read as far as its first pages go: the report says what is wrong, or the
    // command fails; it never says that all is well.
    sandbox.file("half.sqlite", &bytes[..bytes.len() / 2 / 4096 * 4096]);
    let half = sandbox.run(&["audit", "half.sqlite", "--format", "json"]);
    let silent = half.code == Some(0)
        && half.json()["not_checked"].as_array().is_some_and(Vec::is_empty)
        && half.json()["findings"]
            .as_array()
            .is_some_and(|findings| findings.iter().all(|f| f["rule"] == RULE));
    assert!(!silent, "a file cut in half was called sound: {}", half.out());
}

#[test]
fn every_encoding_tells_the_same() {
    let sandbox = Sandbox::new();
    let sql = "create table t (\n  a integer not null,\n  b text -- größer\n);\n";
    sandbox.file("plain.sql", sql);
    sandbox.file("crlf.sql", sql.replace('\n', "\r\n"));
    sandbox.file("wide.sql", utf16(sql));
    sandbox.file("marked.sql", format!("\u{feff}{sql}"));
    let mut latin = sql.as_bytes().to_vec();
    let at = sql.find('ö').expect("it stands there");
    latin.splice(at..at + 2, [0xf6]);
    sandbox.file("latin.sql", latin);
    let found = |name: &str| {
        let report = sandbox.run(&["review", name, "--only", RULE, "--format", "json"]).expect(0).json();
        assert_eq!(report["skipped_statements"].as_array().map(Vec::len), Some(0), "{name}: {report:#}");
        let finding = report["findings"][0].clone();
        assert_eq!(finding["object"], "public.t", "{name}: {report:#}");
        (
            finding["message"].clone(),
            finding["location"]["line"].clone(),
            finding["location"]["column"].clone(),
        )
    };
    let plain = found("plain.sql");
    for name in ["crlf.sql", "wide.sql", "marked.sql", "latin.sql"] {
        assert_eq!(found(name), plain, "{name}");
    }
}

#[test]
fn files_that_tell_nothing_are_no_clean_files() {
    let sandbox = Sandbox::new();
    for (name, content) in [
        ("empty.sql", ""),
        ("comment.sql", "-- nothing yet\n"),
        ("semicolons.sql", ";;;\n"),
        ("shadow", "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"),
        ("out.html", "<!doctype html>\n<html><body><p>a &amp; b;</p></body></html>\n"),
        ("oops.sql", "CREATE TABEL oops (id int);\n"),
    ] {
        sandbox.file(name, content);
        for engine in ["postgres", "mysql", "sqlite"] {
            sandbox.run(&["audit", name, "--engine", engine]).expect(2);
            sandbox.run(&["review", name, "--engine", engine]).expect(2);
        }
    }
    // One statement among much that is not understood is something to look at, with the rest named.
    sandbox.file("part.sql", format!("CREATE TABEL oops (id int);\n{FLAWED}\n"));
    let report = sandbox.run(&["review", "part.sql", "--format", "json"]).expect(0).json();
    assert_eq!(report["skipped_statements"].as_array().map(Vec::len), Some(1), "{report:#}");
    // To SQLite, a file without bytes is a database without tables; its settings may still be wrong.
    sandbox.file("zero.db", "");
    let report =
        sandbox.run(&["audit", "zero.db", "--format", "json", "--fail-on", "never"]).expect(0).json();
    assert_eq!(report["target"]["tables"], 0);
    let report = sandbox.run(&["review", "zero.db", "--format", "json"]).expect(0).json();
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report:#}");
}

/// A dump of 100 MB: most of it rows, as real dumps are.
#[test]
fn a_dump_of_100_mb_is_read_in_bounded_time_and_memory() {
    const SIZE: usize = 100 << 20;
    let sandbox = Sandbox::new();
    let mut dump = String::with_capacity(SIZE + (1 << 20));
    dump.push_str("-- PostgreSQL database dump\n-- Dumped from database version 15.4\n");
    let mut tables = 0;
    while dump.len() < SIZE {
        dump.push_str(&format!("CREATE TABLE public.t{tables} (\n    id bigint NOT NULL,\n    b text\n);\n"));
        if tables % 2 == 0 {
            dump.push_str(&format!("COPY public.t{tables} (id, b) FROM stdin;\n"));
            for row in 0..20_000 {
                dump.push_str(&format!("{row}\tsome; text 'with \\t everything -- in it {row}\n"));
            }
            dump.push_str("\\.\n");
        } else {
            for row in 0..5_000 {
                dump.push_str(&format!(
                    "INSERT INTO public.t{tables} VALUES ({row}, 'it''s; text {row}');\n"
                ));
            }
        }
        tables += 1;
    }
    let size = dump.len();
    sandbox.file("dump.sql", dump);
    let outcome = sandbox.run(&["review", "dump.sql", "--only", RULE, "--format", "json"]).expect(0);
    let seconds = outcome.elapsed.as_secs_f64();
    println!(
        "{:.1} MB in {seconds:.1} s: {:.1} MB/s, {} MB at most",
        size as f64 / 1e6,
        size as f64 / 1e6 / seconds,
        outcome.peak / 1_000_000
    );
    assert_eq!(outcome.json()["target"]["tables"], tables);
    assert!(outcome.peak < 1_500_000_000, "{} bytes of memory", outcome.peak);
    assert!(seconds < 60.0, "{seconds} s");
}

#[test]
fn what_was_never_created_is_named() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "a.sql",
        "create table t (id int primary key, x int, foreign key (x) references nosuch(id));
        alter table missing add column a int;
        create index missing2_q on missing2 (q);\n",
    );
    for engine in ["postgres", "mysql", "sqlite"] {
        let arguments = ["review", "a.sql", "--engine", engine, "--format", "json"];
        // SQLite takes a key to a table that is not there, so that a rule tells of it.
        let is_taken = engine == "sqlite";
        let report = sandbox.run(&arguments).expect(if is_taken { 1 } else { 0 }).json();
        let skipped = report["skipped_statements"].as_array().cloned().unwrap_or_default();
        let mut told: Vec<&str> = skipped.iter().filter_map(|one| one["because"].as_str()).collect();
        let found = report["findings"].as_array().expect("a list");
        let dangling = found.iter().filter(|one| one["rule"] == "schema/dangling-foreign-key");
        told.extend(dangling.filter_map(|one| one["message"].as_str()));
        for name in ["missing`", "missing2`", "nosuch`"] {
            assert!(told.iter().any(|because| because.contains(name)), "{engine}, {name}: {report:#}");
        }
        assert!(skipped.iter().all(|one| one["line"].as_u64().is_some_and(|line| line > 0)), "{report:#}");
    }
}

#[test]
fn checks_beyond_the_reach_of_files_are_counted_apart() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", "create table t (id bigint generated always as identity primary key);\n");
    let strict = ["audit", "a.sql", "--engine", "postgres", "--require-checks"];
    let text = sandbox.run(&strict).expect(0).out();
    assert!(text.contains("checks need a live database"), "{text}");
    assert!(!text.contains("index/unused-index"), "{text}");
    let github =
        sandbox.run(&["audit", "a.sql", "--engine", "postgres", "--format", "github"]).expect(0).out();
    assert!(!github.contains("::notice"), "{github}");
}
