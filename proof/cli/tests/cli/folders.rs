//! What a folder as a whole tells: whose files these are, for which engine, and whether anything in it can be read.

use proof_cli::Sandbox;

#[test]
fn what_begins_with_u_is_a_migration_of_refinery() {
    let sandbox = Sandbox::new();
    sandbox.file("m/V1__a.sql", "create table t (id bigint primary key, a int);");
    sandbox.file("m/U2__b.sql", "create table u (id bigint primary key, a int);\ndrop table t;");
    let lint = ["migrate", "lint", "m", "--engine", "sqlite", "--fail-on", "never"];
    assert!(sandbox.run(&lint).expect(0).out().contains("U2__b.sql"));
    let up = ["migrate", "up", "m", "--target", "t.sqlite", "--yes"];
    let refused = sandbox.run(&up).expect(2);
    assert!(refused.err().contains("`m/U2__b.sql`") && refused.err().contains("refinery.toml"));
    assert!(!sandbox.path("t.sqlite").exists());
    sandbox.file("m/refinery.toml", "");
    assert!(sandbox.run(&up).expect(0).out().contains("2 migrations applied"));
    let status = sandbox.run(&["migrate", "status", "m", "--target", "t.sqlite"]).expect(0);
    assert!(status.out().contains("2 applied, 0 pending"), "{}", status.out());
    let review =
        sandbox.run(&["review", "m", "--engine", "sqlite", "--format", "json", "--fail-on", "never"]);
    assert_eq!(review.expect(0).json()["target"]["tables"], 1);
}

#[test]
fn what_begins_with_u_undoes_to_flyway() {
    let sandbox = Sandbox::new();
    sandbox.file("m/V1__a.sql", "create table t (a int);");
    sandbox.file("m/U1__a.sql", "drop table t;");
    let up = ["migrate", "up", "m", "--target", "t.sqlite", "--yes"];
    assert!(sandbox.run(&up).expect(0).out().contains("1 migration applied"));
    sandbox.run(&["migrate", "down", "m", "--target", "t.sqlite", "--yes"]).expect(2);
    let down = ["migrate", "down", "m", "--target", "t.sqlite", "--yes", "--lose-data"];
    assert!(sandbox.run(&down).expect(0).out().contains("V1__a.sql"));
}

/// Files for three engines.
fn of_three_engines(sandbox: &Sandbox) {
    sandbox.file("m/1.sql", "create table t (id bigserial primary key, at timestamptz);");
    sandbox.file("m/2.sql", "CREATE TABLE `u` (`id` int NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;");
    sandbox.file("m/3.sql", "create table v (id integer primary key autoincrement);");
}

#[test]
fn files_that_disagree_about_the_engine_are_not_guessed() {
    let sandbox = Sandbox::new();
    of_three_engines(&sandbox);
    for command in [&["migrate", "lint", "m"][..], &["review", "m"]] {
        let told = sandbox.run(command).expect(2);
        for words in ["`m/1.sql` looks like PostgreSQL", "`m/2.sql` looks like MySQL", "--engine"] {
            assert!(told.err().contains(words), "{}", told.err());
        }
    }
}

#[test]
fn a_file_of_another_engine_is_told_in_every_format() {
    let sandbox = Sandbox::new();
    of_three_engines(&sandbox);
    for format in ["terminal", "json", "sarif", "junit", "github", "markdown", "html", "csv"] {
        let lint = ["migrate", "lint", "m", "--engine", "mysql", "--format", format, "--fail-on", "never"];
        let told = sandbox.run(&lint).expect(0).out().replace('\n', " ");
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("looks like PostgreSQL"), "{format}: {told}");
    }
    let lint = ["migrate", "lint", "m/2.sql", "--engine", "mysql", "--format", "json", "--fail-on", "never"];
    let report = sandbox.run(&lint).expect(0).json();
    assert!(!report.to_string().contains("looks like"), "{report:#}");
}

#[test]
fn a_folder_of_which_nothing_can_be_read_is_no_clean_folder() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", "\n create index i1 on t (id;\n");
    let told = sandbox.run(&["migrate", "lint", "m"]).expect(2);
    assert!(told.err().contains("`m/1.sql`, line 2, column 2"), "{}", told.err());
    sandbox.file("m/2.sql", "create table t (id bigint primary key, a int, b int);");
    sandbox.file("m/3.sql", "create index i1 on t (a;\ncreate index i2 on t (b);\n");
    let lint = ["migrate", "lint", "m", "--format", "json", "--fail-on", "never"];
    let report = sandbox.run(&lint).expect(0).json();
    let skipped = report["skipped_statements"].as_array().expect("a list");
    let places: Vec<String> = skipped.iter().map(|one| format!("{}:{}", one["file"], one["line"])).collect();
    assert_eq!(places, ["\"m/1.sql\":2", "\"m/3.sql\":1"], "{report:#}");
    let findings = report["findings"].as_array().expect("a list");
    let found = |rule: &str, line: u64| {
        findings.iter().any(|one| one["rule"] == rule && one["location"]["line"] == line)
    };
    assert!(found("migration/blocking-index-build", 2), "{report:#}");
    assert!(found("migration/not-analysed", 1), "{report:#}");
}

#[test]
fn words_that_stand_in_for_placeholders_are_never_shown() {
    let sandbox = Sandbox::new();
    sandbox.file("m/0.sql", "create table t (id bigint primary key);");
    sandbox.file("m/1.sql", "alter table {{.Table}} add column a int;\nfrob ${other};");
    sandbox.file("m/2.sql", "create index on {{.Table}} (a);\ncreate index on ${other} (a);");
    for command in [
        &["migrate", "lint", "m", "--engine", "postgres", "--fail-on", "never", "--preview", "all"][..],
        &["audit", "m", "--engine", "postgres", "--fail-on", "never"],
    ] {
        let told = sandbox.run(command).expect(0);
        assert!(told.out().contains("{{.Table}}"), "{}", told.out());
        assert!(!told.out().contains("p__Table__") && !told.out().contains("p_other_"), "{}", told.out());
    }
}
