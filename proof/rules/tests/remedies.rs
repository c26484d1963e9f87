//! Every remedy of every example: its SQL parses back to the same changes, and after it the finding is gone and nothing
//! worse has come.

use std::collections::BTreeSet;

use dbwright_model::change::Change;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::finding::Level;
use dbwright_model::observed::Observed;
use dbwright_model::remedy::Applicability;
use dbwright_rules::run::{default_rules, run};
use dbwright_rules::{ALL, Options};
use dbwright_sql::fold::Folder;
use proof_rules::{Body, Example, examples};

/// Changes of rows, settings and server state, which a catalog does not show.
fn shows_in_catalog(change: &Change) -> bool {
    !matches!(
        change,
        Change::SetServerSetting { .. }
            | Change::SetRoleSetting { .. }
            | Change::SetSequenceValue { .. }
            | Change::SyncSequence { .. }
            | Change::Reindex { .. }
            | Change::Analyze { .. }
            | Change::Vacuum { .. }
            | Change::RefreshView { .. }
            | Change::SetGrant { .. }
            | Change::UpdateExtension { .. }
    )
}

fn after(facts: &Facts, changes: &[Change]) -> Option<Facts> {
    let catalog = facts.catalog.known()?.clone();
    let mut folder = Folder::on(catalog);
    for change in changes {
        folder.apply(change);
    }
    let mut after = facts.clone();
    after.catalog = Observed::Known(folder.finish());
    dbwright_sql::understand::understand(&mut after);
    Some(after)
}

/// Findings by rule and object, with their level.
fn findings(facts: &Facts) -> BTreeSet<(String, Level)> {
    run(facts, default_rules(), &Options::default())
        .findings
        .into_iter()
        .map(|finding| (format!("{}:{}", finding.rule, finding.object), finding.level))
        .collect()
}

#[test]
fn remedies_parse_back_silence_their_rule_and_make_nothing_worse() {
    let mut complaints = Vec::new();
    let (mut written, mut applied) = (0, 0);
    for entry in ALL {
        for example in examples(entry).expect("fences are closed") {
            for engine in &example.engines {
                let facts = example.facts(*engine).expect("examples are read");
                let before = findings(&facts);
                for finding in example.judge(&facts).unwrap_or_default() {
                    let Some(remedy) = &finding.remedy else { continue };
                    let place = format!("{} line {} ({engine}), {}", entry.id, example.line, finding.object);
                    // What an engine cannot say is shown as words, and is no remedy to prove.
                    if remedy
                        .changes
                        .iter()
                        .any(|change| dbwright_sql::write(*engine, None, change).is_none())
                    {
                        continue;
                    }
                    for change in &remedy.changes {
                        let Some(statements) = dbwright_sql::write(*engine, None, change) else { continue };
                        written += 1;
                        let back: Vec<Change> = statements
                            .iter()
                            .flat_map(|statement| {
                                dbwright_sql::parse_statement(engine.dialect(), &statement.sql)
                            })
                            .collect();
                        if back != [change.clone()] {
                            complaints.push(format!(
                                "{place}: {change:?} is written as {statements:?}, which reads as {back:?}"
                            ));
                        }
                    }
                    // What is to be done by hand is a beginning: it may leave the rest to be found.
                    if remedy.applicability == Applicability::Manual {
                        continue;
                    }
                    // The safe form of a migration stands in for the statement; it is tried below.
                    if matches!(example.body, Body::Migration(_)) {
                        continue;
                    }
                    if remedy.changes.is_empty() || !remedy.changes.iter().all(shows_in_catalog) {
                        continue;
                    }
                    let Some(mended) = after(&facts, &remedy.changes) else { continue };
                    applied += 1;
                    let now = findings(&mended);
                    let key = (format!("{}:{}", finding.rule, finding.object), finding.level);
                    if now.contains(&key) {
                        complaints.push(format!("{place}: the finding is still there after its remedy"));
                    }
                    for (new, level) in now.difference(&before) {
                        if *level >= finding.level {
                            complaints.push(format!("{place}: the remedy brings {level} {new}"));
                        }
                    }
                }
            }
        }
    }
    println!("{written} changes written, {applied} remedies applied");
    assert!(written > 0 && applied > 0, "there must be remedies");
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn safe_forms_of_migrations_are_safe() {
    let mut complaints = Vec::new();
    let mut tried = 0;
    for entry in ALL {
        for example in examples(entry).expect("fences are closed") {
            let Body::Migration(text) = &example.body else { continue };
            for engine in &example.engines {
                let (findings, _) = example.lint(*engine, text).expect("examples are read");
                for finding in findings {
                    let Some(remedy) =
                        finding.remedy.filter(|remedy| remedy.applicability > Applicability::Manual)
                    else {
                        continue;
                    };
                    let place = format!("{} line {} ({engine}), {}", entry.id, example.line, finding.object);
                    let mut safe = String::new();
                    for change in &remedy.changes {
                        for statement in dbwright_sql::write(*engine, None, change).into_iter().flatten() {
                            // A file for each, so that none shares a transaction with another.
                            safe.push_str(&format!("-- migration\n{};\n", statement.sql));
                        }
                    }
                    let before = text.split("-- migration").next().filter(|_| text.contains("-- migration"));
                    let text = format!("{}\n{safe}", before.unwrap_or_default());
                    tried += 1;
                    let worse = ALL.iter().filter(|entry| entry.rule.needs.contains(&Fact::Migrations));
                    for entry in worse {
                        let judged = Example { entry, ..example.clone() };
                        let Ok((findings, _)) = judged.lint(*engine, &text) else { continue };
                        for new in findings.iter().filter(|new| new.level >= finding.level) {
                            complaints
                                .push(format!("{place}: the safe form brings {}: {}", new.rule, new.message));
                        }
                    }
                }
            }
        }
    }
    assert!(tried > 0, "there must be safe forms");
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n"));
}
