//! `migrate lint`: migrations of every tool, files that are broken, and what came since a revision.

use proof_cli::Sandbox;
use proof_cli::servers::Postgres;
use serde_json::Value;

const BLOCKING: &str = "migration/blocking-index-build";
const REFUSED: &str = "migration/forbidden-in-transaction";
const TABLE: &str = "create table t (id bigint primary key, a int);\n";
const INDEX: &str = "create index t_a on t (a);\n";
const CONCURRENT: &str = "create index concurrently t_a on t (a);\n";

/// The report on what arguments name.
fn lint(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = vec!["migrate", "lint", "--format", "json", "--fail-on", "never"];
    all.extend(arguments);
    sandbox.run(&all).expect(0).json()
}

/// `file:line rule` of each finding of the two rules that every release has, sorted.
fn found(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list");
    let mut list: Vec<String> = findings
        .iter()
        .filter(|finding| finding["rule"] == BLOCKING || finding["rule"] == REFUSED)
        .map(|finding| {
            let place = &finding["location"];
            let rule = finding["rule"].as_str().unwrap_or_default().trim_start_matches("migration/");
            format!("{}:{} {rule}", place["file"].as_str().expect("a file"), place["line"])
        })
        .collect();
    list.sort();
    list
}

fn check(files: &[(&str, &str)], expected: &[&str]) {
    let sandbox = Sandbox::new();
    for (name, text) in files {
        sandbox.file(&format!("m/{name}"), text);
    }
    assert_eq!(found(&lint(&sandbox, &["m"])), expected, "{files:?}");
}

#[test]
fn each_tool_runs_its_files_in_its_own_way() {
    const REFUSAL: &str = "forbidden-in-transaction";
    let two = &format!("alter table t add b int;\n{CONCURRENT}");
    // A plain file is run statement by statement where that is the only way.
    check(&[("1.sql", TABLE), ("2.sql", INDEX)], &["m/2.sql:1 blocking-index-build"]);
    check(&[("1.sql", TABLE), ("2.sql", two)], &[]);
    check(&[("V1__a.sql", TABLE), ("V10__c.sql", "drop table t;"), ("V2__b.sql", CONCURRENT)], &[]);
    check(
        &[("V1__a.sql", TABLE), ("V2__b.sql", CONCURRENT), ("refinery.toml", "")],
        &[&format!("m/V2__b.sql:1 {REFUSAL}")],
    );
    check(
        &[
            ("1_a.up.sql", TABLE),
            ("2_b.up.sql", CONCURRENT),
            ("2_b.down.sql", "drop index t_a;"),
            ("Cargo.toml", "sqlx = 1"),
        ],
        &[&format!("m/2_b.up.sql:1 {REFUSAL}")],
    );
    check(&[("1_a.up.sql", TABLE), ("2_b.up.sql", &format!("-- no-transaction\n{CONCURRENT}"))], &[]);
    check(&[("000001_a.up.sql", TABLE), ("000002_b.up.sql", CONCURRENT)], &[]);
    check(
        &[("000001_a.up.sql", TABLE), ("000002_b.up.sql", two)],
        &[&format!("m/000002_b.up.sql:2 {REFUSAL}")],
    );
    let up = |mark: &str| format!("-- migrate:up{mark}\n{CONCURRENT}-- migrate:down\ndrop index t_a;\n");
    check(&[("1.sql", &up(""))], &[&format!("m/1.sql:2 {REFUSAL}")]);
    check(&[("1.sql", &up(" transaction:false"))], &[]);
    // Without a transaction of the tool the server makes one of several statements in one query.
    let several = format!("-- migrate:up transaction:false\n{two}");
    check(&[("1.sql", &several)], &[&format!("m/1.sql:3 {REFUSAL}")]);
    let apart = ("2/metadata.toml", "run_in_transaction = false\n");
    check(&[("1/up.sql", TABLE), ("2/up.sql", two), apart], &[&format!("m/2/up.sql:2 {REFUSAL}")]);
    let goose = |mark: &str| format!("{mark}-- +goose Up\n{CONCURRENT}-- +goose Down\ndrop index t_a;\n");
    check(&[("1.sql", &goose(""))], &[&format!("m/1.sql:2 {REFUSAL}")]);
    check(&[("1.sql", &goose("-- +goose NO TRANSACTION\n"))], &[]);
    check(&[("1/up.sql", TABLE), ("2/up.sql", CONCURRENT)], &[&format!("m/2/up.sql:1 {REFUSAL}")]);
    check(&[("2/up.sql", CONCURRENT), ("2/metadata.toml", "run_in_transaction = false\n")], &[]);
    check(&[("1_a/migration.sql", CONCURRENT), ("migration_lock.toml", "provider = \"postgresql\"")], &[]);
    check(
        &[
            ("0000_a.sql", &format!("{TABLE}--> statement-breakpoint\n{CONCURRENT}")),
            ("meta/_journal.json", "{}"),
        ],
        &[&format!("m/0000_a.sql:3 {REFUSAL}")],
    );
    let alembic = format!("BEGIN;\n\n-- Running upgrade a -> b\n\n{INDEX}\nCOMMIT;\n");
    check(&[("a.sql", &alembic)], &["m/a.sql:5 blocking-index-build"]);
    let liquibase = |mark: &str| {
        format!(
            "--liquibase formatted sql\n--changeset a:1\n{TABLE}--changeset a:2{mark}\n{CONCURRENT}--rollback drop index t_a;\n"
        )
    };
    check(&[("a.sql", &liquibase(""))], &[&format!("m/a.sql:5 {REFUSAL}")]);
    check(&[("a.sql", &liquibase(" runInTransaction:false"))], &[]);
}

#[test]
fn codes_say_whether_something_was_found() {
    let sandbox = Sandbox::new();
    sandbox.file("good/1.sql", TABLE);
    sandbox.file("bad/1.sql", TABLE);
    sandbox.file("bad/2.sql", INDEX);
    sandbox.file("empty/readme.md", "");
    let only = ["--only", BLOCKING];
    sandbox.run(&[&["migrate", "lint", "good"][..], &only].concat()).expect(0);
    sandbox.run(&[&["migrate", "lint", "bad"][..], &only].concat()).expect(1);
    sandbox.run(&[&["migrate", "lint", "bad", "--fail-on", "never"][..], &only].concat()).expect(0);
    for wrong in [
        &["migrate", "lint"][..],
        &["migrate", "lint", "gone"],
        &["migrate", "lint", "empty"],
        &["migrate", "lint", "bad", "--only", "schema/table-without-primary-key"],
        &["migrate", "lint", "bad", "--server-version", "new"],
        &["migrate", "lint", "bad", "--catalog", "gone.json"],
        &["migrate", "lint", "bad", "--since", "main"],
        &["migrate", "lint", "bad", "--since=--output=x"],
    ] {
        let outcome = sandbox.run(wrong).expect(2);
        assert!(!outcome.err().trim().is_empty(), "{wrong:?}");
    }
    let text = sandbox.run(&["migrate", "lint", "bad"]).expect(1).out();
    for part in
        ["bad/2.sql:1", BLOCKING, "lock: SHARE, blocks writes", "CONCURRENTLY", "2 statements in 2 files"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A baseline takes what was there, and what is found in another file is new.
    sandbox.run(&["migrate", "lint", "bad", "--write-baseline", "known", "--fail-on", "never"]).expect(0);
    sandbox.run(&["migrate", "lint", "bad", "--baseline", "known"]).expect(0);
    sandbox.file("bad/3.sql", "create index t_b on t (id, a);");
    let report = lint(&sandbox, &["bad", "--baseline", "known"]);
    assert_eq!(found(&report), ["bad/3.sql:1 blocking-index-build"]);
}

#[test]
fn a_broken_statement_is_said_once_and_the_rest_is_judged() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", "create table t (a int);\n  create tabel u (a int);\ndo $$ begin end $$;\n");
    sandbox.file("m/2.sql", INDEX);
    let report = lint(&sandbox, &["m"]);
    sandbox.run(&["migrate", "lint", "m", "--fail-on", "never", "--require-checks"]).expect(3);
    let unknown: Vec<(u64, u64)> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["rule"] == "migration/not-analysed")
        .map(|finding| {
            let place = &finding["location"];
            (place["line"].as_u64().unwrap_or(0), place["column"].as_u64().unwrap_or(0))
        })
        .collect();
    assert_eq!(unknown.len(), 2, "{report:#}");
    assert!(unknown.contains(&(2, 3)) && unknown.contains(&(3, 1)), "{unknown:?}");
    assert_eq!(found(&report), ["m/2.sql:1 blocking-index-build"]);
    assert_eq!(report["skipped_statements"].as_array().map(Vec::len), Some(2));
    let statements = report["statements"].as_array().expect("a list");
    let analysed: Vec<bool> = statements.iter().map(|one| one["analysed"] == true).collect();
    assert_eq!(analysed, [true, false, false, true]);
    let effect = &statements[3]["effects"][0];
    assert_eq!(
        (&effect["lock"], &effect["blocks"], &effect["cost"]),
        (&"SHARE".into(), &"writes".into(), &"index build".into())
    );
}

#[test]
fn texts_of_every_make_are_read() {
    let sandbox = Sandbox::new();
    let windows = format!("\u{feff}{TABLE}\n").replace('\n', "\r\n");
    sandbox.file("m/1.sql", windows);
    sandbox
        .file("m/2.sql", "alter table t add b int;\n\n  create index t_b on t (b);\n".replace('\n', "\r\n"));
    sandbox.file("m/3.sql", "\u{feff}create index t_c on t (a, b);");
    // The statement of another engine is one that is not understood.
    sandbox.file("m/4.sql", "alter table `t` engine = InnoDB;\ncreate index t_d on t (b, a);");
    let mut long = String::from("insert into t (id) values (0)");
    while long.len() < 10 << 20 {
        long.push_str(", (1234567), (2345678)");
    }
    sandbox.file("m/5.sql", format!("{long};\ncreate index t_e on t (a, id);"));
    let started = std::time::Instant::now();
    let report = lint(&sandbox, &["m", "--engine", "postgres"]);
    let places: Vec<String> = found(&report);
    let expected = ["m/2.sql:3", "m/3.sql:1", "m/4.sql:2", "m/5.sql:2"];
    assert_eq!(places, expected.map(|place| format!("{place} blocking-index-build")));
    let statements = report["statements"].as_array().expect("a list");
    assert!(statements.iter().all(|one| one["sql"].as_str().is_some_and(|sql| sql.len() < 20_000)));
    assert_eq!(statements.iter().filter(|one| one["analysed"] == false).count(), 1, "{report:#}");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_comment_accepts_what_is_found_at_its_statement() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    let text =
        format!("-- dbwright:ignore {BLOCKING} nobody writes\n{INDEX}create index t_b on t (a, id);\n");
    sandbox.file("m/2.sql", format!("{text}-- dbwright:ignore {REFUSED} not needed\nselect 1;\n"));
    let report = lint(&sandbox, &["m"]);
    assert_eq!(found(&report), ["m/2.sql:3 blocking-index-build"]);
    assert_eq!(report["suppressed"].as_array().map(Vec::len), Some(1), "{report:#}");
    assert_eq!(report["unused_suppressions"].as_array().map(Vec::len), Some(1), "{report:#}");
}

#[test]
fn only_files_since_a_revision_are_judged() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "-q"]);
    sandbox.file("m/1.sql", TABLE);
    sandbox.file("m/2.sql", INDEX);
    sandbox.file("m/3.sql", "select 1;");
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", "a"]);
    sandbox.git(&["tag", "before"]);
    sandbox.file("m/3.sql", "create index t_b on t (a, id);");
    sandbox.file("m/4.sql", "create table u (a int);");
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", "b"]);
    sandbox.file("m/5.sql", "create index u_a on u (a);\ncreate index t_c on t (id, a);");
    let report = lint(&sandbox, &["m", "--since", "before"]);
    // What the new files make together is new to each of them.
    assert_eq!(found(&report), ["m/3.sql:1 blocking-index-build", "m/5.sql:2 blocking-index-build"]);
    assert_eq!(report["statements"].as_array().map(Vec::len), Some(4));
    let outcome = sandbox.run(&["migrate", "lint", "m", "--since", "nowhere"]).expect(2);
    assert!(outcome.err().contains("nowhere"), "{}", outcome.err());
}

#[test]
fn what_an_edited_file_made_before_is_not_new() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "-q"]);
    sandbox.file("m/1.sql", format!("{TABLE}{INDEX}"));
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", "a"]);
    sandbox.git(&["tag", "before"]);
    sandbox.file(
        "m/1.sql",
        format!("{TABLE}{INDEX}-- a note\ncreate table u (a int);\ncreate index t_c on t (id);\n"),
    );
    sandbox.file("m/2.sql", "create index t_b on t (a, id);\ncreate index u_a on u (a);");
    let report = lint(&sandbox, &["m", "--since", "before"]);
    assert_eq!(found(&report), ["m/1.sql:5 blocking-index-build", "m/2.sql:1 blocking-index-build"]);
}

#[test]
fn a_catalog_tells_what_is_there() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("t.db", "create table t (id integer primary key, a integer);");
    sandbox.run(&["snapshot", "t.db", "--output", "t.json"]).expect(0);
    sandbox.file("m/1.sql", "create index t_a on t (a);");
    for catalog in ["t.db", "t.json"] {
        let report = lint(&sandbox, &["m", "--catalog", catalog]);
        assert_eq!(report["target"]["engine"], "sqlite", "{report:#}");
        assert_eq!(report["target"]["tables"], 1);
    }
    sandbox.run(&["migrate", "lint", "m", "--catalog", "t.json", "--engine", "mysql"]).expect(2);
}

#[test]
fn the_workload_tells_who_waits() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        "create table t (id integer primary key, a integer); create table child (t_id integer)",
    );
    let target = server.target("postgres", "shop");
    sandbox.run(&["snapshot", &target, "--output", "live.json"]).expect(0);
    let text = std::fs::read_to_string(sandbox.path("live.json")).expect("it was written");
    let mut snapshot: Value = serde_json::from_str(&text).expect("JSON");
    snapshot["facts"]["source"]["collected_at"] = "2030-01-02T00:00:00Z".into();
    let statement = |text: &str, calls: u64| serde_json::json!({ "id": text, "text": text, "calls": calls });
    snapshot["facts"]["workload"] = serde_json::json!({ "known": {
        "source": "pg_stat_statements",
        "since": "2030-01-01T00:00:00Z",
        "statements": [
            statement("select t.a from t join child on t_id = t.id where t.id = $1", 8_640_000),
            statement("update public.t set a = $1 where id = $2", 864_000),
            statement("insert into child select id from t", 86_400),
            statement("what nobody can read", 8_640_000),
        ],
    } });
    sandbox.file("busy.json", snapshot.to_string());
    sandbox.file(
        "m/1.sql",
        "create index t_a on t (a);\nalter table t add column b integer;\ncreate index concurrently child_t on child (t_id);\n",
    );
    let report = lint(&sandbox, &["m", "--catalog", "busy.json"]);
    let told: Vec<String> = report["statements"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|statement| {
            let effects = statement["effects"].as_array().expect("a list").iter();
            let waiting: Vec<String> = effects
                .map(|effect| format!("{} {}", effect["relation"], effect["waiting_per_second"]))
                .collect();
            format!("{}; {}", waiting.join(", "), statement["on_standbys"])
        })
        .collect();
    assert_eq!(
        told,
        [
            "\"public.t\" 10.0; \"replay what it writes\"",
            "\"public.t\" 111.0; \"hold its locks\"",
            "\"public.child\" null; \"replay what it writes\"",
        ]
    );
    let findings = report["findings"].as_array().expect("a list").iter();
    let build =
        findings.filter(|finding| finding["rule"] == BLOCKING).map(|finding| finding["evidence"].to_string());
    let build: String = build.collect();
    assert!(build.contains("10 a second"), "{build}");
    // Without a word on how long the numbers were gathered nothing is reckoned.
    snapshot["facts"]["workload"]["known"]["since"] = Value::Null;
    sandbox.file("young.json", snapshot.to_string());
    let report = lint(&sandbox, &["m", "--catalog", "young.json"]);
    assert_eq!(report["statements"][0]["effects"][0]["waiting_per_second"], Value::Null);
}

#[test]
fn placeholders_are_shown_as_written() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", "create index t_a on ${schema}.t_${tenant} (a);\n");
    let report = lint(&sandbox, &["m"]);
    let findings = report["findings"].as_array().expect("a list");
    assert!(!findings.is_empty());
    // Keys are made of the words that stand in, so that they do not change with the way of showing.
    let shown =
        findings.iter().flat_map(|finding| [&finding["object"], &finding["message"], &finding["remedy"]]);
    let shown: Vec<String> = shown.chain([&report["statements"]]).map(Value::to_string).collect();
    let text = shown.join("\n");
    assert!(text.contains("${schema}.t_${tenant}"), "{text}");
    assert!(!text.contains("p_schema_") && !text.contains("__tenant_"), "{text}");
}
