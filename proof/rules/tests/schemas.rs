//! Whole schemas as a mature team keeps them: little may be found in them, and their foreign keys must be guessed when
//! hidden.

use std::collections::BTreeSet;
use std::path::Path;

use dbwright_model::catalog::Table;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Facts;
use dbwright_model::finding::Level;
use dbwright_rules::run::{default_rules, run};
use dbwright_rules::{Options, convention, reference};
use dbwright_sql::files::SourceFile;

const SCHEMAS: [&str; 3] = ["clinic", "shop", "tracker"];

fn facts(engine: Engine, schema: &str) -> Facts {
    let folder = match engine {
        Engine::Postgres => "postgres",
        Engine::Mysql | Engine::Mariadb => "mysql",
        Engine::Sqlite => "sqlite",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/schemas")
        .join(folder)
        .join(format!("{schema}.sql"));
    let text = std::fs::read_to_string(&path).expect("the schema is in the tree");
    let file = SourceFile { name: format!("{schema}.sql"), text };
    let read = dbwright_sql::files::read(engine, None, schema, &[file]);
    assert!(read.facts.source.skipped.is_empty(), "{engine} {schema}: {:?}", read.facts.source.skipped);
    read.facts
}

#[test]
fn little_is_found_in_mature_schemas() {
    let mut complaints = Vec::new();
    for engine in Engine::ALL {
        for schema in SCHEMAS {
            let facts = facts(engine, schema);
            let tables = facts.catalog.known().map_or(0, |catalog| catalog.tables.len());
            assert!(tables >= 40, "{schema} has only {tables} tables");
            let mut outcome = run(&facts, default_rules(), &Options::default());
            convention::fold(&mut outcome);
            println!("{engine} {schema}: {} findings", outcome.findings.len());
            for finding in &outcome.findings {
                println!("  {}: {}", finding.rule, finding.message);
            }
            let loud = outcome.findings.iter().filter(|finding| finding.level > Level::Note).count();
            if loud > 0 || outcome.findings.len() * 2 > tables {
                complaints.push(format!(
                    "{engine} {schema}: {} findings in {tables} tables, {loud} of them above a note",
                    outcome.findings.len()
                ));
                for finding in &outcome.findings {
                    complaints.push(format!("  {} {}: {}", finding.level, finding.rule, finding.message));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn hidden_foreign_keys_are_guessed() {
    // All hidden: names alone must do. A third hidden: the others teach what names mean.
    measure(|_| true, 0.9);
    measure(|n| n % 3 == 0, 0.95);
}

/// Hides the foreign keys whose number passes, guesses, and compares.
fn measure(hidden: fn(usize) -> bool, target: f64) {
    let (mut recalls, mut precisions) = (Vec::new(), Vec::new());
    let mut lines = Vec::new();
    for schema in SCHEMAS {
        let facts = facts(Engine::Postgres, schema);
        let mut tables = facts.catalog.known().expect("files give a catalog").tables.clone();
        let mut truth = BTreeSet::new();
        let mut count = 0;
        for table in &mut tables {
            for foreign_key in std::mem::take(&mut table.foreign_keys) {
                count += 1;
                if !hidden(count) {
                    table.foreign_keys.push(foreign_key);
                    continue;
                }
                for column in &foreign_key.columns {
                    truth.insert((
                        table.name.to_string(),
                        column.to_string(),
                        foreign_key.references.to_string(),
                    ));
                }
            }
        }
        let tables: Vec<&Table> = tables.iter().collect();
        let guessed = reference::pairs(&reference::guesses(&tables));
        let hits = truth.intersection(&guessed).count() as f64;
        let (recall, precision) = (hits / truth.len() as f64, hits / guessed.len().max(1) as f64);
        recalls.push(recall);
        precisions.push(precision);
        lines.push(format!("{schema}: recall {recall:.2}, precision {precision:.2} of {}", truth.len()));
        lines.extend(truth.difference(&guessed).map(|missed| format!("  missed {missed:?}")));
        lines.extend(guessed.difference(&truth).map(|wrong| format!("  wrong {wrong:?}")));
    }
    println!("{}", lines.join("\n"));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (recall, precision) = (mean(&recalls), mean(&precisions));
    assert!(
        recall >= target && precision >= target,
        "mean recall {recall:.2}, precision {precision:.2}\n{}",
        lines.join("\n")
    );
}
