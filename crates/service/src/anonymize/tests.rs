//! A marked word planted in every text of the facts must not come out.

mod planted;

use std::collections::BTreeMap;
use std::path::Path;

use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts, Unknown};
use dbwright_rules::run::run;
use dbwright_rules::{ALL, Options};
use dbwright_sql::files::SourceFile;

use super::anonymize;
use crate::snapshot;

/// Nobody's word.
const MARK: &str = "zqxmark";

const SCHEMA: &str = "
create schema zqxmark;
create type zqxmark.zqxmark_state as enum ('zqxmark', 'b');
create domain zqxmark_d as text default 'zqxmark' check (value <> 'zqxmark');
create table parent (id int primary key, zqxmark_name text not null default 'zqxmark', created_at timestamptz);
comment on table parent is 'zqxmark';
create table zqxmark_child (id int primary key, \"zqxmark X\" varchar(20) check (\"zqxmark X\" <> 'zqxmark' and id > 4711),
  parent_id int references parent (id), s zqxmark.zqxmark_state);
create index zqxmark_i on zqxmark_child (lower(\"zqxmark X\")) where parent_id is not null;
create view zqxmark_v as select zqxmark_name from parent where zqxmark_name = 'zqxmark' /* zqxmark */ -- zqxmark
;
create function zqxmark_f(zqxmark_a int) returns text language sql as 'select ''zqxmark''';
create policy zqxmark_p on parent to zqxmark_role using (zqxmark_name = $$zqxmark$$);
select zqxmark_name from parent where zqxmark_name = E'it\\'s zqxmark' and id = 4711;
";

fn facts() -> Facts {
    let file = SourceFile { name: "zqxmark.sql".into(), text: SCHEMA.into() };
    dbwright_sql::files::read(Engine::Postgres, None, "zqxmark", &[file]).facts
}

fn check_nothing_leaks(facts: &Facts) {
    let anonymous = anonymize(facts).expect("facts stay facts");
    let text = snapshot::write(&anonymous).expect("a snapshot is written");
    let leaks: Vec<&str> = text.lines().filter(|line| line.to_lowercase().contains(MARK)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    for told in ["4711", "10.1.2.3", "example.com", "näme"] {
        let leaks: Vec<&str> = text.lines().filter(|line| line.contains(told)).collect();
        assert!(leaks.is_empty(), "{told}: {leaks:#?}");
    }
    snapshot::parse(&text).expect("it reads back");
}

#[test]
fn a_planted_word_never_comes_out() {
    check_nothing_leaks(&facts());
    for engine in Engine::ALL {
        let mut facts = planted::facts();
        facts.source.engine = engine;
        check_nothing_leaks(&facts);
    }
    // Reasons are told by servers and by people.
    for how in [Unknown::Denied, Unknown::Unsupported, Unknown::Failed] {
        let mut facts = planted::facts();
        for fact in Fact::ALL {
            facts.set_unknown(fact, how, &format!("{MARK} '{MARK}'"));
        }
        check_nothing_leaks(&facts);
    }
}

#[test]
fn the_shape_stays() {
    let before = facts();
    let anonymous = anonymize(&before).expect("facts stay facts");
    let (Some(before), Some(after)) = (before.catalog.known(), anonymous.catalog.known()) else {
        panic!("both catalogs are known")
    };
    let count = |catalog: &dbwright_model::catalog::Catalog| {
        let sum =
            |of: fn(&dbwright_model::catalog::Table) -> usize| catalog.tables.iter().map(of).sum::<usize>();
        (
            catalog.tables.len(),
            sum(|t| t.columns.len()),
            sum(|t| t.indexes.len()),
            sum(|t| t.foreign_keys.len()),
        )
    };
    assert_eq!(count(before), count(after));
    let kinds = |catalog: &dbwright_model::catalog::Catalog| -> Vec<_> {
        catalog
            .tables
            .iter()
            .flat_map(|t| &t.columns)
            .map(|c| (c.data_type.kind, c.data_type.length))
            .collect()
    };
    assert_eq!(kinds(before), kinds(after));
    let child = &after.tables[1];
    assert_eq!(child.columns[0].name, after.tables[0].columns[0].name);
    assert_eq!(child.foreign_keys[0].references, after.tables[0].name);
    let check = &child.checks[0].expression.text;
    assert_eq!(*check, format!("\"{}\" <> 'l1' and {} > 2", child.columns[1].name, child.columns[0].name));
}

#[test]
fn names_are_replaced_whatever_they_look_like() {
    let text = "create table session (id int primary key, owner text, password text, rank int, names text, language text,
          auto boolean, \"time\" timestamp, day date, client int references parent (id),
          check (rank > 0 and length(owner) > 1 and language <> 'de'));
        create table parent (id int primary key, name text);
        create index client on session (lower(name_of(owner)), rank nulls last) where auto;
        create view \"user\" as select s.password, names, extract(day from s.\"time\") as year, date '2020-01-01'
          from session s join parent on parent.id = s.client order by rank nulls last;";
    let file = SourceFile { name: "a.sql".to_owned(), text: text.to_owned() };
    let facts = dbwright_sql::files::read(Engine::Postgres, None, "a.sql", &[file]).facts;
    let anonymous = anonymize(&facts).expect("facts are data");
    assert!(facts.source.skipped.is_empty(), "{:?}", facts.source.skipped);
    let catalog = anonymous.catalog.known().expect("it was known");
    let names = catalog.tables.iter().flat_map(|table| {
        table.columns.iter().map(|column| column.name.as_str()).chain([table.name.name.as_str()])
    });
    for name in names {
        assert!(name.starts_with('t'), "{name}");
    }
    let check = &catalog.tables[1].checks[0].expression.text;
    assert_eq!(check, "t2_c4 > 0 and length(t2_c2) > 1 and t2_c6 <> 'l1'");
    let definition = &catalog.views[0].definition;
    assert_eq!(
        definition.split_whitespace().collect::<Vec<_>>().join(" "),
        "select x2.t2_c3, t2_c5, extract(day from x2.\"t2_c8\") as year, date 'l2' \
         from t2 x2 join t1 on t1.t1_c1 = x2.t2_c10 order by t2_c4 nulls last"
    );
}

/// Findings by rule. Those of rules that judge words are left out: the words are gone.
fn found(mut facts: Facts) -> BTreeMap<&'static str, usize> {
    dbwright_sql::understand::understand(&mut facts);
    let rules = ALL.iter().filter(|entry| !entry.rule.reads_names && !WORDS.contains(&entry.id));
    let mut found = BTreeMap::new();
    for finding in run(&facts, rules, &Options::default()).findings {
        *found.entry(finding.rule).or_default() += 1;
    }
    found
}

/// Rules that read names, values or comments for what they mean.
const WORDS: &[&str] = &[
    // They judge names, or tell by names what belongs together.
    "schema/duplicated-table-structure",
    "schema/missing-foreign-key",
    "schema/mixed-name-style",
    "schema/mixed-plural-table-names",
    "schema/name-needs-quoting",
    "schema/surrogate-key-only",
    // They judge string constants, which are emptied.
    "schema/default-text-null",
    "schema/status-without-check",
    // It judges invented names of types, which SQLite allows and which may be anybody's words.
    "schema/sqlite-affinity-trap",
];

#[test]
fn rules_find_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut complaints = Vec::new();
    let mut judged = BTreeMap::new();
    for (engine, dialect) in [
        (Engine::Postgres, "postgres"),
        (Engine::Mariadb, "mysql"),
        (Engine::Mysql, "mysql"),
        (Engine::Sqlite, "sqlite"),
    ] {
        for kind in ["schemas", "dumps"] {
            let mut paths: Vec<_> = std::fs::read_dir(folder.join(kind).join(dialect))
                .expect("the fixtures are there")
                .map(|entry| entry.expect("the folder is read").path())
                .collect();
            paths.sort();
            for path in paths {
                let text = std::fs::read_to_string(&path).expect("a fixture is text");
                let file = SourceFile { name: "a.sql".into(), text };
                let facts = dbwright_sql::files::read(engine, None, "a", &[file]).facts;
                // A snapshot is what is anonymised, and it carries no trees.
                let text = snapshot::write(&facts).expect("a snapshot is written");
                let facts = snapshot::parse(&text).expect("it reads back");
                let before = found(facts.clone());
                let after = found(anonymize(&facts).expect("facts stay facts"));
                for rule in before.keys().chain(after.keys()) {
                    let (before, after) = (before.get(rule), after.get(rule));
                    if before != after {
                        complaints.push(format!(
                            "{engine} {kind} {}: {rule} {before:?} -> {after:?}",
                            path.file_stem().unwrap_or_default().display()
                        ));
                    }
                }
                for (rule, count) in before {
                    *judged.entry(rule).or_insert(0) += count;
                }
            }
        }
    }
    complaints.sort();
    complaints.dedup();
    assert!(complaints.is_empty(), "{} differences:\n{}", complaints.len(), complaints.join("\n"));
    // Fixtures without flaws would prove nothing.
    assert!(judged.len() > 20, "{judged:?}");
}

#[test]
fn character_sets_stay() {
    let text = "create table t (id int primary key, a text collate utf8mb3_bin, b text character set koi8r) default charset = latin1;
        create table u (id int primary key, a text collate utf8mb4_es_trad_0900_as_cs, c text collate utf8mb4_uca1400_nopad_as_ci,
          zqxmark text collate utf8mb4_zqxmark_ci) default charset = utf8mb4;";
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let file = SourceFile { name: "a.sql".to_owned(), text: text.to_owned() };
        let facts = dbwright_sql::files::read(engine, None, "a.sql", &[file]).facts;
        let collations = |facts: &Facts| -> Vec<String> {
            let tables = &facts.catalog.known().expect("files tell the catalog").tables;
            tables.iter().flat_map(|t| &t.columns).map(|c| format!("{:?}", c.collation)).collect()
        };
        let (mut before, mut after) =
            (collations(&facts), collations(&anonymize(&facts).expect("facts are data")));
        assert!(before.pop().is_some_and(|own| own.contains(MARK)));
        assert!(after.pop().is_some_and(|own| !own.contains(MARK)));
        assert_eq!(before, after);
        check_nothing_leaks(&facts);
    }
    for name in
        ["utf8mb3_bin", "uca1400_ai_ci", "utf8mb4_thai_520_w2", "gb18030_unicode_520_ci", "_latin1", "binary"]
    {
        assert!(super::vocabulary::is_collation(name), "{name}");
    }
    for name in ["utf8mb4_customers_ci", "orders_bin", "greek_orders", "latin1_general", ""] {
        assert!(!super::vocabulary::is_collation(name), "{name}");
    }
}

#[test]
fn what_reads_names_is_not_judged_by_replaced_ones() {
    let text = "create table t (id int primary key, price float, prices float);";
    let file = SourceFile { name: "a.sql".to_owned(), text: text.to_owned() };
    let mut facts = dbwright_sql::files::read(Engine::Postgres, None, "a.sql", &[file]).facts;
    let rule =
        |line: u32, connection: &str, address: Option<&str>, method: &str| dbwright_model::access::HbaRule {
            line,
            connection: connection.into(),
            databases: vec!["all".into()],
            users: vec!["all".into()],
            address: address.map(Into::into),
            method: method.into(),
            ..Default::default()
        };
    facts.hba = dbwright_model::observed::Observed::Known(dbwright_model::access::HbaRules {
        rules: vec![
            rule(1, "host", Some("127.0.0.1/32"), "scram-sha-256"),
            rule(2, "host", Some("::1/128"), "scram-sha-256"),
        ],
    });
    let anonymous = anonymize(&facts).expect("facts are data");
    assert!(anonymous.source.is_anonymised() && !facts.source.is_anonymised());
    let hba = anonymous.hba.known().expect("it was known");
    assert_eq!(hba.rules[0].method.as_str(), "scram-sha-256");
    assert_ne!(hba.rules[0].address, hba.rules[1].address);
    for id in ["schema/float-money", "schema/mixed-plural-table-names", "security/shadowed-hba-line"] {
        let entry = dbwright_rules::find(id).expect("it is a rule");
        let outcome = run(&anonymous, [entry], &Default::default());
        assert!(matches!(outcome.checks[0].1, dbwright_rules::run::Checked::Unknown { .. }), "{id}");
        assert!(outcome.findings.is_empty(), "{id}");
    }
}
