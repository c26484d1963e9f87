//! Every remedy of every example: its SQL parses back to the same changes, and after it the finding is gone and nothing
//! worse has come.

use std::collections::BTreeMap;

use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Facts;
use dbwright_model::finding::{Finding, Level};
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

/// Findings by rule and object, with their level, and how many there are of each.
fn findings(facts: &Facts) -> BTreeMap<(String, Level), usize> {
    let mut counted = BTreeMap::new();
    for finding in run(facts, default_rules(), &Options::default()).findings {
        *counted.entry((format!("{}:{}", finding.rule, finding.object), finding.level)).or_default() += 1;
    }
    counted
}

/// The migrations with the remedy of a finding, each change in a file of its own: behind the statement, or instead of
/// it. `None` where the state before the migrations is not known, which no file can be put in front of.
fn mended(example: &Example, engine: Engine, finding: &Finding, instead: bool) -> Option<Facts> {
    let (Body::Migration(text), Some(location), Some(remedy)) =
        (&example.body, &finding.location, &finding.remedy)
    else {
        return None;
    };
    let lines: Vec<&str> = text.lines().collect();
    let first = (location.line as usize).checked_sub(1)?;
    let code = |line: &str| line.split(" -- ").next().unwrap_or_default().trim_end().to_owned();
    let last = (first..lines.len()).find(|line| code(lines[*line]).ends_with(';'))?;
    let mark = lines[..first].iter().rev().find(|line| line.starts_with("-- migration"))?;
    let mut new: Vec<String> = lines[..first].iter().map(ToString::to_string).collect();
    if !instead {
        new.extend(lines[first..=last].iter().map(ToString::to_string));
    }
    for change in &remedy.changes {
        for statement in dbwright_sql::write(engine, None, change)? {
            new.push("-- migration none".to_owned());
            new.push(format!("{};", statement.sql));
        }
    }
    new.push(mark.to_string());
    new.extend(lines[last + 1..].iter().map(ToString::to_string));
    let example = Example { body: Body::Migration(new.join("\n")), ..example.clone() };
    Some(example.facts(engine).expect("the mended migrations are read"))
}

/// The limits of a session are set before any statement, and a remedy is a statement.
fn of_session(key: &str) -> bool {
    key.starts_with("migration/unlimited-lock-wait:")
}

#[test]
fn remedies_are_as_automatic_as_their_rule_says() {
    let mut complaints = Vec::new();
    for entry in ALL {
        let mut most = None;
        for example in examples(entry).expect("fences are closed") {
            for engine in &example.engines {
                let facts = example.facts(*engine).expect("examples are read");
                let found = example.judge(&facts).unwrap_or_default();
                let carried = found.iter().filter_map(|finding| Some(finding.remedy.as_ref()?.applicability));
                most = most.max(carried.max());
            }
        }
        if most.unwrap_or(Applicability::Manual) != entry.rule.remedy {
            complaints.push(format!("{}: says {:?}, carries {most:?}", entry.id, entry.rule.remedy));
        }
    }
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n"));
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
                    let migration = matches!(example.body, Body::Migration(_));
                    let provable = migration || remedy.changes.iter().all(shows_in_catalog);
                    if remedy.changes.is_empty() || !provable {
                        continue;
                    }
                    let key = (format!("{}:{}", finding.rule, finding.object), finding.level);
                    let count = |of: &BTreeMap<(String, Level), usize>| of.get(&key).copied().unwrap_or(0);
                    let now = if migration {
                        let Some(added) = mended(&example, *engine, &finding, false) else { continue };
                        let now = findings(&added);
                        match mended(&example, *engine, &finding, true) {
                            Some(replaced) if count(&now) >= count(&before) => findings(&replaced),
                            _ => now,
                        }
                    } else {
                        let Some(mended) = after(&facts, &remedy.changes) else { continue };
                        findings(&mended)
                    };
                    applied += 1;
                    // In preview a rule is only run by itself.
                    if count(&before) > 0 && count(&now) >= count(&before) {
                        complaints.push(format!("{place}: the finding is still there after its remedy"));
                    }
                    for (new, level) in now.keys().filter(|found| !before.contains_key(found)) {
                        // Each step of a migration may be worth a note of its own.
                        if *level >= finding.level
                            && !(migration && (*level == Level::Note || of_session(new)))
                        {
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
fn remedies_keep_what_the_statement_says() {
    let check = |rule: &str, sql: &str, expected: &[&str]| {
        let entry = ALL.iter().find(|entry| entry.id == rule).expect("the rule is there");
        let body = Body::Migration(sql.to_owned());
        let example = Example { entry, line: 1, engines: vec![Engine::Postgres], since: None, body };
        let facts = example.facts(Engine::Postgres).expect("the migration is read");
        let findings = example.judge(&facts).expect("the rule runs");
        let [finding] = findings.as_slice() else { panic!("{sql}: {findings:?}") };
        let remedy = finding.remedy.as_ref().expect("there is a remedy");
        let written: Vec<String> = remedy
            .changes
            .iter()
            .flat_map(|change| dbwright_sql::write(Engine::Postgres, None, change).unwrap_or_default())
            .map(|statement| statement.sql)
            .collect();
        assert_eq!(written, expected, "{sql}: {remedy:?}");
    };
    check(
        "migration/blocking-foreign-key",
        "ALTER TABLE child ADD FOREIGN KEY (match_id) REFERENCES parent MATCH FULL ON DELETE CASCADE INITIALLY DEFERRED;",
        &[
            "ALTER TABLE child ADD CONSTRAINT child_match_id_fkey FOREIGN KEY (match_id) REFERENCES parent MATCH FULL \
             ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID",
            "ALTER TABLE child VALIDATE CONSTRAINT child_match_id_fkey",
        ],
    );
    check(
        "migration/blocking-check",
        "ALTER TABLE t ADD CHECK (a > 0) NO INHERIT;",
        &[
            "ALTER TABLE t ADD CONSTRAINT t_a_check CHECK (a > 0) NO INHERIT NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT t_a_check",
        ],
    );
    check(
        "migration/constraint-builds-index",
        "ALTER TABLE t ADD UNIQUE (included_a) INCLUDE (b) WITH (fillfactor = 70) USING INDEX TABLESPACE fast INITIALLY DEFERRED;",
        &[
            "CREATE UNIQUE INDEX CONCURRENTLY t_included_a_key ON t (included_a) INCLUDE (b) WITH (fillfactor = 70) \
             TABLESPACE fast",
            "ALTER TABLE t ADD CONSTRAINT t_included_a_key UNIQUE USING INDEX t_included_a_key DEFERRABLE INITIALLY DEFERRED",
        ],
    );
}
