//! Catalogs of two scripts, and what is said of their differences.

use dbwright_model::engine::Engine;

use super::*;
use crate::files::{SourceFile, read};

fn catalog(sql: &str) -> Catalog {
    let file = SourceFile { name: "t.sql".to_owned(), text: sql.to_owned() };
    let facts = read(Engine::Postgres, None, "t", &[file]).facts;
    facts.catalog.known().cloned().expect("files give a catalog")
}

/// What differs between the catalogs of two scripts, one difference per line.
fn check(expected: &str, found: &str, differences: &[&str]) {
    let comparison = compare(&catalog(expected), &catalog(found), Texts::Columns);
    let said: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
    assert_eq!(said, differences, "{expected} against {found}");
}

#[test]
fn each_difference_is_named_once() {
    let t = "create table t (a int, b text default 'x');";
    check(t, t, &[]);
    check(t, "", &["table `public.t` is missing"]);
    check("", t, &["table `public.t` is not expected"]);
    check(t, "create table t (a int);", &["table `public.t`, column `b` (text) is missing"]);
    check(
        t,
        "create table t (a int, b text default 'x', c date);",
        &["table `public.t`, column `c` (date) is not expected"],
    );
    check(
        t,
        "create table t (b text default 'x', a int);",
        &["table `public.t`, order of columns is b, a instead of a, b"],
    );
    check(
        t,
        "create table t (a bigint not null, b text default 'x');",
        &[
            "table `public.t`, column `a`, not null is yes instead of no",
            "table `public.t`, column `a`, type is bigint instead of integer",
        ],
    );
    check(
        t,
        "create table t (a int, b text default 'y');",
        &["table `public.t`, column `b`, default is 'y' instead of 'x'"],
    );
    check(t, "create table t (a int, b text);", &["table `public.t`, column `b`, default ('x') is missing"]);
    check(
        t,
        "create table t (a int, b text default 'x'); create index i on t (b, a);",
        &["table `public.t`, index `i` (b, a) is not expected"],
    );
    check(
        "create table t (a int); create index i on t (a);",
        "create table t (a int); create index i on t (a desc);",
        &["table `public.t`, index `i`, parts is a desc instead of a"],
    );
}

#[test]
fn expressions_of_scripts_are_compared_by_their_columns() {
    check(
        "create table t (a int check (a between 1 and 2));",
        "create table t (a int check (a >= 1 and a <= 2));",
        &[],
    );
    check(
        "create table t (a int, b int, constraint c check (a > 1));",
        "create table t (a int, b int, constraint c check (b > 1));",
        &["table `public.t`, check `c`, expression is b > 1 instead of a > 1"],
    );
}

#[test]
fn trees_are_compared_where_both_are_the_servers() {
    let (one, other) = ("create table t (a int check (a > 1));", "create table t (a int check (a > 2));");
    assert!(compare(&catalog(one), &catalog(other), Texts::Columns).is_equal());
    assert!(!compare(&catalog(one), &catalog(other), Texts::Trees).is_equal());
}

#[test]
fn what_is_in_doubt_is_not_compared_but_said() {
    let mut found = catalog("create table t (a int);");
    found
        .doubts
        .push(Doubt { object: Some(QualifiedName::new("public", "t")), because: "it is locked".to_owned() });
    let comparison = compare(&catalog("create table t (a int, b int);"), &found, Texts::Columns);
    assert!(comparison.is_equal());
    assert!(comparison.not_compared.contains(&"`public.t` was not compared: it is locked.".to_owned()));
    found.functions = Observed::Denied("permission denied".to_owned());
    let comparison = compare(&catalog(""), &found, Texts::Columns);
    assert!(comparison.not_compared.contains(&"No functions were compared: permission denied.".to_owned()));
}

#[test]
fn a_part_has_the_fingerprint_of_its_relations_alone() {
    let mark = |sql: &str, name: &str| {
        fingerprint(&part(&catalog(sql), &BTreeSet::from([QualifiedName::new("public", name)])))
    };
    let t = "create table t (a int); create index i on t (a);";
    assert_eq!(mark(t, "t"), mark(&format!("{t} create table child (b int);"), "t"));
    assert_eq!(mark(t, "i"), mark(t, "t"));
    assert_ne!(mark(t, "t"), mark("create table t (a int);", "t"));
}
