//! Migration rules over the statements of the truth matrix: what keeps others out for longer the larger a table is, is
//! found, and what takes an instant is no error.

use dbwright_model::chain::{ChainFile, Wrap};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Facts;
use dbwright_model::finding::{Finding, Level};
use dbwright_model::observed::Observed;
use dbwright_rules::run::{default_rules, run};
use dbwright_rules::{Entry, Options};
use dbwright_sql::chain::{self, MigrationFile, Start};
use dbwright_sql::effects::Circumstances;
use dbwright_sql::files::SourceFile;
use dbwright_sql::fold::Folder;

const BASE: &str = include_str!("../../../fixtures/truth/postgres/base.sql");

/// Schemas that were made with care.
const SCHEMAS: &[(&str, &str)] = &[
    ("shop", include_str!("../../../fixtures/schemas/postgres/shop.sql")),
    ("tracker", include_str!("../../../fixtures/schemas/postgres/tracker.sql")),
    ("clinic", include_str!("../../../fixtures/schemas/postgres/clinic.sql")),
];

/// Files of cases whose kinds of change the rules cover as a whole.
const CASES: &[&str] = &[
    include_str!("../../../fixtures/truth/postgres/add_column.sql"),
    include_str!("../../../fixtures/truth/postgres/alter_column.sql"),
    include_str!("../../../fixtures/truth/postgres/constraint.sql"),
];

/// Rules about what a statement takes away, however short it takes.
const LOSSES: &[&str] = &["migration/dropped-column", "migration/cascading-drop"];

fn cases(text: &'static str) -> Vec<(&'static str, &'static str)> {
    text.split("-- case: ").skip(1).filter_map(|case| case.split_once('\n')).collect()
}

fn lint(base: &Facts, sql: &str) -> (Facts, Vec<Finding>) {
    let mut facts = base.clone();
    let start = Start {
        before: Folder::on(base.catalog.known().expect("the base is read").clone()),
        known: true,
        circumstances: Circumstances::default(),
        together: false,
        earlier: Vec::new(),
    };
    let file =
        ChainFile { name: "case.sql".to_owned(), wrap: Wrap::None, judged: true, ..ChainFile::default() };
    let files = [MigrationFile { file, text: sql.to_owned() }];
    facts.migrations = Observed::Known(chain::read(start, &files).chain);
    let rules = default_rules().filter(|entry: &&Entry| entry.id.starts_with("migration/"));
    let findings = run(&facts, rules, &Options::default()).findings;
    let findings = findings.into_iter().filter(|finding| finding.location.is_some()).collect();
    (facts, findings)
}

#[test]
fn what_blocks_in_proportion_to_the_table_is_an_error_and_nothing_else_is_called_so() {
    let file = SourceFile { name: "base.sql".to_owned(), text: BASE.to_owned() };
    let base = dbwright_sql::files::read(Engine::Postgres, None, "base.sql", &[file]).facts;
    let (mut complaints, mut blocking, mut brief) = (Vec::new(), 0, 0);
    for (name, sql) in CASES.iter().flat_map(|text| cases(text)) {
        let (facts, findings) = lint(&base, sql);
        for (_, statement) in facts.migrations.known().expect("just set").judged() {
            let errors: Vec<&str> = findings
                .iter()
                .filter(|finding| finding.location.as_ref() == Some(&statement.location))
                .filter(|finding| finding.level == Level::Error && !LOSSES.contains(&finding.rule))
                .map(|finding| finding.rule)
                .collect();
            let fails = statement.effects.refused.is_some();
            if statement.blocking().next().is_some() {
                blocking += 1;
                if errors.is_empty() {
                    complaints.push(format!("{name}: nothing is found in `{}`", statement.sql));
                }
            } else {
                brief += 1;
                if !errors.is_empty() && !fails {
                    complaints.push(format!("{name}: {} in `{}`", errors.join(", "), statement.sql));
                }
            }
        }
    }
    println!("{blocking} statements block, {brief} do not");
    assert!(blocking > 50 && brief > 50, "there must be cases of both kinds");
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn nothing_is_found_where_a_whole_schema_is_new() {
    let file = SourceFile { name: "base.sql".to_owned(), text: "CREATE TABLE t (a integer);".to_owned() };
    let base = dbwright_sql::files::read(Engine::Postgres, None, "base.sql", &[file]).facts;
    for (name, sql) in SCHEMAS {
        let (facts, findings) = lint(&base, sql);
        let statements = facts.migrations.known().expect("just set").statements.len();
        assert!(statements > 40, "{name} has only {statements} statements");
        let list: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
        assert!(list.is_empty(), "{name}:\n{}", list.join("\n"));
    }
}
