//! A live database and its own dump score the same where both can answer.

use std::collections::BTreeMap;

use dbwright_model::facts::{Fact, Facts};
use dbwright_model::score::CheckResult;
use dbwright_rules::run::{Checked, default_rules, run};
use dbwright_rules::{Options, score};
use dbwright_sql::files::SourceFile;
use proof_dumps::tools::{Content, dump};
use proof_dumps::{Fixture, apply, fixtures};
use proof_live::{SCHEMA_FACTS, Server, collect, servers};

/// What a dump leaves out: the versions of the server and of its extensions.
const NOT_IN_DUMPS: [&str; 2] = ["security/outdated-extension", "settings/old-server-version"];

#[test]
fn a_database_and_its_dump_score_the_same_where_both_can_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut complaints, mut compared) = (Vec::new(), BTreeMap::new());
    for server in &servers() {
        for fixture in fixtures(server.engine().dialect()) {
            let checks = runtime.block_on(check(server, &fixture)).unwrap_or_else(|error| vec![Err(error)]);
            for one in checks {
                match one {
                    Ok(rule) => *compared.entry(rule).or_insert(0) += 1,
                    Err(error) => {
                        complaints.push(format!("{} {}: {error}", server.name(), fixture.name));
                    }
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{} differences:\n{}", complaints.len(), complaints.join("\n"));
    println!("{} checks answered by both", compared.len());
    // Without its client tools no server's dump is taken.
    assert!(compared.is_empty() || compared.len() > 60, "{compared:?}");
}

/// The checks that were compared, and what they disagree in.
async fn check(server: &Server, fixture: &Fixture) -> Result<Vec<Result<&'static str, String>>, String> {
    let engine = server.engine();
    let dsn = server.fresh(&format!("score_{}", fixture.name)).await?;
    apply(&dsn, engine.dialect(), &fixture.sql).await?;
    let Some(text) = dump(&dsn, Content::Schema) else { return Ok(Vec::new()) };
    let file = SourceFile { name: "dump.sql".to_owned(), text: text? };
    let dumped = dbwright_sql::files::read(engine, Some(server.version()), "dump.sql", &[file]).facts;
    let live = collect(&dsn, &Fact::ALL).await?;
    let (live, dumped) = (judged(&live), judged(&dumped));
    let mut made = Vec::new();
    for ((entry, checked, live), (_, of_dump, dumped)) in live.iter().zip(&dumped) {
        // What rests on the schema alone, both answer, whatever it is; what rests on more, where both say that they can.
        let of_schema = entry.rule.facts().all(|fact| SCHEMA_FACTS.contains(&fact));
        let both = [checked, of_dump].iter().all(|one| matches!(one, Checked::Ran { .. }));
        if !of_schema && !both || NOT_IN_DUMPS.contains(&entry.id) {
            continue;
        }
        made.push(match live == dumped {
            true => Ok(entry.id),
            false => Err(format!("{}: live {live}, dump {dumped}", entry.id)),
        });
    }
    Ok(made)
}

/// Every check with what came of it and what it gives.
fn judged(facts: &Facts) -> Vec<(&'static dbwright_rules::Entry, Checked, String)> {
    let outcome =
        run(facts, default_rules().filter(|entry| !entry.rule.judges_migrations()), &Options::default());
    let score = score::score(&outcome, &BTreeMap::new());
    outcome
        .checks
        .into_iter()
        .filter_map(|(entry, checked)| {
            let one = score.checks.iter().find(|check| check.rule == entry.id)?;
            let CheckResult { state, credit, possible, findings, because, .. } = one;
            let text = format!("{state:?} {credit:.3} up to {possible:.3}, {findings} found, {because:?}");
            Some((entry, checked, text))
        })
        .collect()
}
