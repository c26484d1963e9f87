//! A password in a target, a variable or a file's name place is never shown. Every run here is searched for it.

use std::fs;

use proof_cli::servers::{Mariadb, Postgres};
use proof_cli::{SECRET, Sandbox};

const FORMATS: [&str; 8] = ["terminal", "json", "sarif", "junit", "github", "markdown", "html", "csv"];

#[test]
fn what_is_no_target_keeps_its_secret() {
    let sandbox = Sandbox::new();
    for target in [
        "u:@PW@@host/d",
        "u:x@PW@y@host",
        "postgres:/u:@PW@@host/d",
        "postgre://u:@PW@@host/d",
        "postgres://u:@PW@@host:port/d",
        "postgres://u:@PW@%zz@host/d",
        "postgres://u:@PW@@[zz]/d",
        "postgres://u:@PW@@127.0.0.1:1/d",
        "postgres://u:@PW@@127.0.0.1:1/d?sslmode=@PW@",
        "postgres://u@127.0.0.1:1/d?password=@PW@",
        "postgres://u@127.0.0.1:1/d?passwort=@PW@",
        "mysql://u:@PW@@127.0.0.1:1/d",
        "mssql://u:@PW@@127.0.0.1:1/d",
        "user=u password=@PW@ host=127.0.0.1 port=1",
        "user=u password=@PW@",
        "password='a @PW@' user=u",
        "dbname=d passwort=@PW@",
    ] {
        let target = target.replace("@PW@", SECRET);
        for command in ["audit", "review", "snapshot"] {
            sandbox.run(&[command, &target]).expect(2);
        }
        sandbox.dbwright(&["audit"]).env("DATABASE_URL", &target).run().expect(2);
        sandbox.file("dbwright.toml", format!("target = \"{target}\"\n"));
        sandbox.run(&["audit"]).expect(2);
        fs::remove_file(sandbox.path("dbwright.toml")).expect("it was written");
        // Without quotes around all of it, the shell takes the keyword form apart.
        if !target.contains('\'') {
            let mut words = vec!["audit"];
            words.extend(target.split(' '));
            sandbox.run(&words).expect(2);
        }
    }
    let quoted_by_shell = format!("password=a {SECRET}");
    sandbox.run(&["audit", &quoted_by_shell, "user=u"]).expect(2);
    sandbox.file("dbwright.toml", format!("target = \"postgres://u:{SECRET}@h/d\"\nlevle = \"note\"\n"));
    sandbox.run(&["audit"]).expect(2);
    sandbox.file("dbwright.toml", format!("level = \"postgres://u:{SECRET}@h/d\"\n"));
    sandbox.run(&["audit"]).expect(2);
    sandbox.file("dbwright.toml", format!("target = \"postgres://u:{SECRET}@h/d\n"));
    sandbox.run(&["audit"]).expect(2);
}

#[test]
fn reports_of_postgres_hold_no_password() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::start(&sandbox, &[]);
    postgres.database("shop", "create table t (a int)");
    postgres.ask("shop", &format!("create role app superuser login password '{SECRET}'"));
    let with = postgres.target(&format!("app:{SECRET}"), "shop");
    let without = postgres.target("app", "shop");
    let keywords = format!("host={} user=app dbname=shop password={SECRET}", postgres.folder().display());
    for format in FORMATS {
        for target in [&with, &keywords] {
            sandbox.run(&["audit", target, "--format", format, "--fail-on", "never"]).expect(0);
        }
        let from_variable = ["audit", &without, "--format", format, "--fail-on", "never"];
        sandbox.dbwright(&from_variable).env("PGPASSWORD", SECRET).run().expect(0);
        sandbox.run(&from_variable).expect(2);
    }
    let audit =
        ["audit", "--fail-on", "never", "--verbose", "--output", "report", "--write-baseline", "base"];
    sandbox.dbwright(&audit).env("DATABASE_URL", &with).run().expect(0);
    sandbox.run(&["snapshot", &with, "--output", "snapshot.json"]).expect(0);
    sandbox.run(&["snapshot", &with]).expect(0);
    for file in ["report", "base", "snapshot.json"] {
        let text = fs::read_to_string(sandbox.path(file)).expect("it was written");
        assert!(!text.is_empty() && !text.contains(SECRET), "{file}");
    }
}

#[test]
fn reports_of_mariadb_hold_no_password() {
    let sandbox = Sandbox::new();
    let script = format!(
        "create database shop; create table shop.t (a int);
         create user app@localhost identified by '{SECRET}'; grant all on *.* to app@localhost"
    );
    let mariadb = Mariadb::start(&[("performance_schema", "ON")], &script);
    let with = mariadb.target(&format!("app:{SECRET}"), "shop");
    for format in FORMATS {
        sandbox.run(&["audit", &with, "--format", format, "--fail-on", "never"]).expect(0);
    }
    let without = ["snapshot", &mariadb.target("app", "shop"), "--output", "snapshot.json"];
    sandbox.dbwright(&without).env("MYSQL_PWD", SECRET).run().expect(0);
    let text = fs::read_to_string(sandbox.path("snapshot.json")).expect("it was written");
    assert!(!text.is_empty() && !text.contains(SECRET));
}
