//! The promises of the score, held over every example of every rule and over random outcomes.

use std::collections::BTreeMap;

use dbwright_model::catalog::Doubt;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts, Origin};
use dbwright_model::finding::{Confidence, EvidenceLevel, Finding, Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::score::{Dimension, Score};
use dbwright_rules::run::{Checked, Outcome, default_rules, run};
use dbwright_rules::{ALL, Options, score};
use proof_rules::examples;
use proptest::prelude::*;

/// The facts of every example of every rule.
fn all_facts() -> Vec<(String, Facts)> {
    let mut all = Vec::new();
    for entry in ALL {
        for example in examples(entry).expect("fences are closed") {
            for engine in &example.engines {
                let facts = example.facts(*engine).expect("examples are read");
                all.push((format!("{} line {} ({engine})", entry.id, example.line), facts));
            }
        }
    }
    all
}

fn score_of(facts: &Facts) -> Score {
    score::score(&run(facts, default_rules(), &Options::default()), &BTreeMap::new())
}

#[test]
fn knowing_less_never_raises_what_is_proven() {
    let mut complaints = Vec::new();
    for (name, facts) in all_facts() {
        let before = score_of(&facts);
        for fact in Fact::ALL {
            if !facts.status(fact).is_known() {
                continue;
            }
            let mut less = facts.clone();
            less.deny(fact, "the role may not read it");
            let after = score_of(&less);
            if after.proven > before.proven {
                complaints.push(format!(
                    "{name}: without {} {} -> {}",
                    fact.describe(),
                    before.proven,
                    after.proven
                ));
            }
            for (a, b) in before.dimensions.iter().zip(&after.dimensions) {
                if !a.not_applicable && b.proven > a.proven + 1e-9 {
                    complaints.push(format!(
                        "{name}: without {} {} {} -> {}",
                        fact.describe(),
                        a.dimension,
                        a.proven,
                        b.proven
                    ));
                }
            }
        }
    }
    complaints.sort();
    complaints.dedup();
    assert!(complaints.is_empty(), "{} cases:\n{}", complaints.len(), complaints.join("\n"));
}

/// Hides objects without a word, as servers do, and marks the facts as collectors must.
fn hide(facts: &Facts, keep: impl Fn(usize) -> bool) -> Facts {
    let mut less = facts.clone();
    let Some(catalog) = less.catalog.known_mut() else { return less };
    let mut place = 0;
    let mut gone = Vec::new();
    catalog.tables.retain(|table| {
        place += 1;
        let stays = keep(place);
        if !stays {
            gone.push(table.name.clone());
        }
        stays
    });
    if let Some(list) = less.table_statistics.known_mut() {
        list.retain(|one| !gone.contains(&one.table));
    }
    if let Some(list) = less.index_statistics.known_mut() {
        list.retain(|one| !gone.contains(&one.table));
    }
    if let Some(list) = less.column_maxima.known_mut() {
        list.retain(|one| !gone.contains(&one.table));
    }
    for fact in [Fact::Catalog, Fact::TableStatistics, Fact::IndexStatistics, Fact::ColumnMaxima] {
        if less.status(fact).is_known() {
            less.in_part.insert(fact, "the server hides some".to_owned());
        }
    }
    less
}

#[test]
fn hidden_tables_never_raise_what_is_proven() {
    let mut complaints = Vec::new();
    for (name, mut facts) in all_facts() {
        facts.source.origin = Origin::Live;
        let before = score_of(&facts);
        for (how, keep) in [("all", (|_| false) as fn(usize) -> bool), ("every second", |i| i % 2 == 0)] {
            let after = score_of(&hide(&facts, keep));
            if after.proven > before.proven {
                complaints.push(format!("{name}: without {how} {} -> {}", before.proven, after.proven));
            }
        }
    }
    assert!(complaints.is_empty(), "{} cases:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn a_doubtful_catalog_proves_nothing_about_its_tables() {
    let facts_of = |object: Option<QualifiedName>| {
        let sql = "create table t (id int primary key); create view v as select id from t;";
        let file = dbwright_sql::files::SourceFile { name: "t.sql".to_owned(), text: sql.to_owned() };
        let mut facts = dbwright_sql::files::read(Engine::Mariadb, None, "t.sql", &[file]).facts;
        facts.source.origin = Origin::Live;
        let doubt = Doubt { object, because: "the server hides it".to_owned() };
        facts.catalog.known_mut().expect("it was folded").doubts.push(doubt);
        facts
    };
    let check = |object: Option<QualifiedName>, of_views: bool| {
        let facts = facts_of(object.clone());
        for (entry, checked) in run(&facts, default_rules(), &Options::default()).checks {
            let reads = entry.rule.needs.contains(&Fact::Catalog) && (entry.rule.reads_views || !of_views);
            match checked {
                Checked::Ran { .. } => assert!(!reads, "{} ran on {object:?}", entry.id),
                Checked::InPart { because, .. } => {
                    // Some lack a fact that no file tells, doubts or not.
                    let blind = entry.rule.raised_by.iter().any(|fact| !facts.status(*fact).is_known());
                    let doubted = reads && because.contains("the server hides it");
                    assert!(doubted || blind, "{}: {because}", entry.id);
                }
                Checked::NotApplicable { .. } | Checked::Unknown { .. } => {}
            }
        }
    };
    check(None, false);
    check(Some(QualifiedName::bare("t")), false);
    check(Some(QualifiedName::bare("unheard_of")), false);
    check(Some(QualifiedName::bare("v")), true);
}

#[test]
fn what_is_proven_is_never_more_than_what_is_possible() {
    for (name, facts) in all_facts() {
        let score = score_of(&facts);
        assert!(score.proven <= score.ceiling, "{name}: {}", score.headline());
        assert!(score.ceiling <= 100 && score.coverage <= 100, "{name}: {}", score.headline());
    }
}

#[test]
fn nothing_known_is_nothing_proven() {
    for engine in Engine::ALL {
        let facts = proof_rules::unknown_facts(engine);
        let score = score_of(&facts);
        assert_eq!((score.proven, score.coverage), (0, 0), "{engine}: {}", score.headline());
        assert_eq!(score.ceiling, 100, "{engine}: {}", score.headline());
    }
}

#[test]
fn equal_facts_give_equal_scores() {
    for (name, facts) in all_facts() {
        assert_eq!(score_of(&facts), score_of(&facts.clone()), "{name}");
    }
}

#[test]
fn the_names_of_schemas_and_constraints_do_not_matter() {
    for (name, facts) in all_facts() {
        let before = score_of(&facts);
        let after = score_of(&rename_constraints(facts));
        assert_eq!(before.proven, after.proven, "{name}");
    }
}

fn rename_constraints(mut facts: Facts) -> Facts {
    let Some(catalog) = facts.catalog.known_mut() else { return facts };
    let renamed = |name: &Option<Name>| name.as_ref().map(|name| Name::from(format!("{name}_z")));
    for table in &mut catalog.tables {
        for key in table.uniques.iter_mut() {
            let name = renamed(&key.name);
            for index in &mut table.indexes {
                if Some(&index.name) == key.name.as_ref()
                    && let Some(name) = &name
                {
                    index.name = name.clone();
                }
            }
            key.name = name;
        }
        for check in &mut table.checks {
            check.name = renamed(&check.name);
        }
        for foreign_key in &mut table.foreign_keys {
            foreign_key.name = renamed(&foreign_key.name);
        }
    }
    facts
}

#[test]
fn doubling_healthy_tables_moves_the_score_by_at_most_one() {
    for (name, facts) in all_facts() {
        let engine = facts.source.engine;
        let Some(catalog) = facts.catalog.known() else { continue };
        let before = score_of(&facts);
        let mut doubled = facts.clone();
        let healthy = proof_rules::healthy_tables(engine, catalog.tables.len().max(1));
        if let Some(catalog) = doubled.catalog.known_mut() {
            catalog.tables.extend(healthy);
            catalog.sort();
        }
        let after = score_of(&doubled);
        // A check that had nothing to look at before, that lacks numbers for the new tables, or a convention that they do
        // not follow, is another matter.
        if states(&before) == states(&after) {
            let moved = before.proven.abs_diff(after.proven);
            assert!(moved <= 1, "{name}: {} -> {}", before.proven, after.proven);
        }
    }
}

/// Every check with what came of it and how many findings it has.
fn states(score: &Score) -> Vec<(String, String, u64)> {
    score
        .checks
        .iter()
        .map(|check| (check.rule.clone(), format!("{:?}", check.state), check.findings))
        .collect()
}

fn finding(rule: &'static str, level: Level, confidence: Confidence, critical: bool) -> Finding {
    Finding {
        rule,
        level,
        object: ObjectRef::table(&QualifiedName::bare("t")),
        message: "It is so.".to_owned(),
        evidence: Vec::new(),
        evidence_level: EvidenceLevel::Catalog,
        confidence,
        remedy: None,
        location: None,
        cause: String::new(),
        count: 1,
        critical,
    }
}

fn any_finding() -> impl Strategy<Value = Finding> {
    (
        0..ALL.len(),
        prop_oneof![Just(Level::Note), Just(Level::Warning), Just(Level::Error)],
        prop_oneof![Just(Confidence::Low), Just(Confidence::Medium), Just(Confidence::High)],
        any::<bool>(),
    )
        .prop_map(|(i, level, confidence, critical)| finding(ALL[i].id, level, confidence, critical))
}

fn outcome(states: &[u8], findings: &[Finding]) -> Outcome {
    let checks = ALL
        .iter()
        .zip(states.iter().cycle())
        .map(|(entry, state)| {
            let found = findings.iter().filter(|finding| finding.rule == entry.id).count() as u64;
            let checked = match state % 4 {
                0 if found == 0 => Checked::Unknown { because: "denied".to_owned() },
                1 if found == 0 => Checked::NotApplicable { because: "nothing there".to_owned() },
                _ => Checked::Ran { examined: u64::from(*state) + found },
            };
            (entry, checked)
        })
        .collect();
    Outcome { findings: findings.to_vec(), checks }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn one_more_finding_never_raises_the_score(
        states in prop::collection::vec(2u8.., 7),
        findings in prop::collection::vec(any_finding(), 0..12),
        more in any_finding(),
    ) {
        // Every check ran, so that the new finding changes nothing but itself.
        let states: Vec<u8> = states.iter().map(|state| state | 2).collect();
        let before = score::score(&outcome(&states, &findings), &BTreeMap::new());
        let mut with_more = findings.clone();
        with_more.push(more);
        let after = score::score(&outcome(&states, &with_more), &BTreeMap::new());
        prop_assert!(after.proven <= before.proven, "{} -> {}", before.headline(), after.headline());
        prop_assert!(after.ceiling <= before.ceiling, "{} -> {}", before.headline(), after.headline());
    }

    #[test]
    fn waiving_is_never_better_than_mending(
        states in prop::collection::vec(any::<u8>(), 7),
        findings in prop::collection::vec(any_finding(), 1..12),
    ) {
        let mut waived: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in &findings {
            waived.entry(finding.rule.to_owned()).or_default().push(finding.clone());
        }
        let mended = score::score(&outcome(&states, &[]), &BTreeMap::new());
        let accepted = score::score(&outcome(&states, &[]), &waived);
        prop_assert!(accepted.proven <= mended.proven);
    }
}

#[test]
fn the_weights_of_the_dimensions_add_up_to_a_hundred() {
    assert_eq!(Dimension::ALL.iter().map(|dimension| dimension.weight()).sum::<u32>(), 100);
}
