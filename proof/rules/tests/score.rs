//! The promises of the score, held over every example of every rule and over random outcomes.

use std::collections::BTreeMap;

use dbwright_model::backup::{Backups, RestoreProof};
use dbwright_model::catalog::{Catalog, Doubt};
use dbwright_model::chain::Chain;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts, Origin};
use dbwright_model::finding::{Confidence, EvidenceLevel, Finding, Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_model::score::{CheckResult, CheckState, Dimension, Score};
use dbwright_model::stats::Counters;
use dbwright_model::workload::{Statement, Workload};
use dbwright_rules::rule::Applies;
use dbwright_rules::run::{Checked, Outcome, default_rules, run};
use dbwright_rules::{ALL, Options, score};
use proof_rules::{Body, examples};
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
                Checked::NotApplicable { .. }
                | Checked::Unknown { .. }
                | Checked::Unasked { .. }
                | Checked::Skipped { .. } => {}
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
fn migrations_that_nobody_named_are_one_question() {
    let rules: Vec<_> = default_rules().filter(|entry| entry.rule.judges_migrations()).collect();
    assert!(rules.iter().all(|entry| entry.rule.dimension == Dimension::Migrations));
    for engine in Engine::ALL {
        let denied = proof_rules::unknown_facts(engine);
        let mut unnamed = denied.clone();
        unnamed.migrations = Observed::NotAsked;
        let [denied, unnamed] = [denied, unnamed].map(|facts| score_of(&facts));
        let is_one = |check: &&CheckResult| {
            dbwright_rules::find(&check.rule).is_some_and(|entry| entry.rule.judges_migrations())
        };
        let mut states = unnamed.checks.iter().filter(is_one).map(|check| check.state);
        assert!(states.all(|state| state == CheckState::NotApplicable), "{engine}");
        assert!(denied.unknown > unnamed.unknown + 20, "{engine}: {} {}", denied.unknown, unnamed.unknown);
        assert_eq!((unnamed.proven, unnamed.coverage), (0, 0), "{engine}: {}", unnamed.headline());
        let question: Vec<_> =
            unnamed.checks.iter().filter(|check| check.rule == score::MIGRATIONS).collect();
        let [question] = question.as_slice() else { panic!("{engine}: {question:?}") };
        let applicable = rules.iter().filter(|entry| entry.rule.engines.of(engine) == Applies::Yes);
        let heaviest = applicable.map(|entry| entry.rule.weight).max();
        assert_eq!((question.state, Some(question.weight)), (CheckState::Unknown, heaviest), "{engine}");
        assert_eq!((question.credit, question.trusted, question.possible), (0.0, 0.0, 1.0), "{engine}");
    }
}

#[test]
fn not_naming_migrations_is_never_better_than_naming_harmless_ones() {
    for (name, mut facts) in all_facts() {
        facts.migrations = Observed::Known(Chain::default());
        let named = score_of(&facts);
        facts.migrations = Observed::NotAsked;
        let unnamed = score_of(&facts);
        assert!(unnamed.proven <= named.proven, "{name}: {} -> {}", named.headline(), unnamed.headline());
        assert!(unnamed.coverage <= named.coverage, "{name}: {} -> {}", named.headline(), unnamed.headline());
    }
}

#[test]
fn an_empty_catalog_proves_nothing() {
    for engine in Engine::ALL {
        let mut facts = proof_rules::unknown_facts(engine);
        facts.catalog = Observed::Known(Catalog::empty(engine));
        let score = score_of(&facts);
        let passed: Vec<&str> = score
            .checks
            .iter()
            .filter(|check| check.state == CheckState::Pass)
            .map(|check| check.rule.as_str())
            .collect();
        assert!(passed.is_empty(), "{engine}: passed over nothing: {passed:?}");
        assert_eq!(score.proven, 0, "{engine}: {}", score.headline());
    }
}

/// The facts of some tables, with statements among them that nobody understands.
fn with_opaque(engine: Engine, opaque: &str) -> Facts {
    let mut facts = proof_rules::unknown_facts(engine);
    let sql = format!(
        "create table t (id integer primary key, a integer not null, b integer);
         create table parent (id integer primary key);
         create table child (id integer primary key, parent_id integer references parent (id));
         {opaque}"
    );
    let file = dbwright_sql::files::SourceFile { name: "t.sql".to_owned(), text: sql };
    facts.catalog = dbwright_sql::files::read(engine, None, "t.sql", &[file]).facts.catalog;
    facts
}

#[test]
fn a_statement_that_is_not_understood_leaves_no_check_passed() {
    for engine in Engine::ALL {
        let clear = score_of(&with_opaque(engine, ""));
        let rules: Vec<&str> = passed(&clear);
        assert!(!rules.is_empty(), "{engine}: nothing passes at all");
        for opaque in ["alter table t frobnicate the rows;", "frobnicate everything;"] {
            let doubted = score_of(&with_opaque(engine, opaque));
            assert_eq!(passed(&doubted), [""; 0], "{engine}: {opaque}");
            assert!(doubted.proven < clear.proven, "{engine}: {opaque}: {}", doubted.headline());
            // Two of three tables are still known, so that not everything is lost.
            assert!(doubted.proven > 0 && doubted.coverage > 0, "{engine}: {opaque}: {}", doubted.headline());
            assert!(doubted.proven <= doubted.ceiling, "{engine}: {opaque}: {}", doubted.headline());
        }
        let unsure = run(
            &with_opaque(engine, "alter table t frobnicate the rows;"),
            default_rules(),
            &Options::default(),
        );
        for finding in &unsure.findings {
            let on_t = finding.object.parent.as_ref().is_some_and(|table| table.name == "t");
            assert!(!on_t || finding.confidence == Confidence::Low, "{engine}: {} is sure", finding.object);
        }
    }
}

#[test]
fn what_nobody_counted_is_not_passed() {
    let mut facts = with_opaque(Engine::Postgres, "");
    facts.table_statistics = Observed::Known(Vec::new());
    facts.column_statistics = Observed::Known(Vec::new());
    facts.index_statistics = Observed::Known(Vec::new());
    facts.settings = Observed::Known(Default::default());
    facts.databases = Observed::Known(vec![Default::default()]);
    let day = |day: &str| Some(format!("2030-{day}T12:00:00Z").parse().expect("it is a time"));
    facts.counters = Observed::Known(Counters { since: day("01-01"), started: day("01-01"), standbys: None });
    facts.source.collected_at = day("06-15");
    let rules = [
        "health/bloated-table",
        "health/never-analyzed",
        "health/dead-rows",
        "health/deadlocks",
        "health/temporary-file-spills",
        "health/transaction-wraparound",
        "health/multixact-wraparound",
        "index/hot-sequential-scans",
    ];
    let entries = rules.iter().map(|rule| dbwright_rules::find(rule).expect("there is such a rule"));
    for (entry, checked) in run(&facts, entries, &Options::default()).checks {
        assert!(matches!(checked, Checked::Unknown { .. }), "{}: {checked:?}", entry.id);
    }
}

/// The checks over the catalog that passed.
fn passed(score: &Score) -> Vec<&str> {
    let over_tables = |check: &&CheckResult| {
        check.state == CheckState::Pass
            && dbwright_rules::find(&check.rule)
                .is_some_and(|entry| entry.rule.needs.contains(&Fact::Catalog))
    };
    score.checks.iter().filter(over_tables).map(|check| check.rule.as_str()).collect()
}

#[test]
fn one_more_doubt_never_raises_the_score() {
    let mut complaints = Vec::new();
    for (name, facts) in all_facts() {
        let before = score_of(&facts);
        let Some(catalog) = facts.catalog.known() else { continue };
        let objects = catalog.tables.iter().map(|table| Some(table.name.clone())).chain([None]);
        for object in objects {
            let mut doubted = facts.clone();
            if let Some(catalog) = doubted.catalog.known_mut() {
                catalog.doubts.push(Doubt { object, because: "it was not understood".to_owned() });
            }
            let after = score_of(&doubted);
            if after.proven > before.proven || after.coverage > before.coverage {
                complaints.push(format!("{name}: {} -> {}", before.headline(), after.headline()));
            }
        }
    }
    assert!(complaints.is_empty(), "{} cases:\n{}", complaints.len(), complaints.join("\n"));
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

/// Words that tell rules nothing: what they name may be called anything else.
const NEUTRAL: [&str; 12] = ["T", "a", "b", "c", "f", "g", "k", "t", "u", "v", "w", "y"];

/// Rules for which a name's length tells something: one letter is neither singular nor plural.
const MEASURING: [&str; 2] = ["schema/long-identifier", "schema/mixed-plural-table-names"];

/// A text with other names for the same things. Parts of names are renamed too, so that a sequence stays its column's own;
/// the value `'t'` is no name.
fn renamed(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let mut made = String::with_capacity(text.len() + 100);
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let length = rest[start..].find(|c| !is_part(c)).unwrap_or(rest.len() - start);
        let (before, word, after) = (&rest[..start], &rest[start..start + length], &rest[start + length..]);
        made.push_str(before);
        made.push_str(word);
        let is_value = made[..made.len() - word.len()].ends_with('\'') && after.starts_with('\'');
        if NEUTRAL.contains(&word) && !is_value {
            made.push_str("wex");
        }
        rest = after;
    }
    made + rest
}

#[test]
fn the_names_of_tables_and_columns_do_not_matter_where_they_tell_nothing() {
    assert_eq!(renamed("t (a_id, ta, \"b\" = 't', 'public.t_id_seq')"), {
        "twex (awex_id, ta, \"bwex\" = 't', 'public.twex_id_seq')"
    });
    let mut complaints = Vec::new();
    let mut changed = 0;
    for entry in ALL {
        for example in examples(entry).expect("fences are closed") {
            let mut other = example.clone();
            let (Body::Sql(text) | Body::Facts(text) | Body::Migration(text)) = &mut other.body;
            let after = renamed(text);
            changed += usize::from(*text != after);
            *text = after;
            for engine in &example.engines {
                let before = score_of(&example.facts(*engine).expect("examples are read"));
                let after = score_of(&other.facts(*engine).expect("names do not keep them from being read"));
                let of = |score: &Score| -> Vec<String> {
                    let checks = score.checks.iter();
                    checks
                        .filter(|one| !MEASURING.contains(&one.rule.as_str()))
                        .map(|one| {
                            let CheckResult { rule, state, credit, findings, examined, .. } = one;
                            format!("{rule} {state:?} {credit:.3} {findings} of {examined}")
                        })
                        .collect()
                };
                for (before, after) in of(&before).iter().zip(&of(&after)).filter(|(a, b)| a != b) {
                    complaints
                        .push(format!("{} line {} ({engine}): {before} -> {after}", entry.id, example.line));
                }
            }
        }
    }
    assert!(changed > 500, "{changed} examples have such names");
    assert!(complaints.is_empty(), "{} cases:\n{}", complaints.len(), complaints.join("\n"));
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
fn a_hidden_definition_may_hold_a_secret() {
    let entry = dbwright_rules::find("security/secrets-in-definitions").expect("there is such a rule");
    let mut facts =
        with_opaque(Engine::Mariadb, "create view v as select id from t; create view w as select id from t;");
    let check = |facts: &Facts| run(facts, [entry], &Options::default()).checks[0].1.clone();
    assert!(matches!(check(&facts), Checked::Ran { .. }), "{:?}", check(&facts));
    let catalog = facts.catalog.known_mut().expect("it was folded");
    catalog.views[0].definition.clear();
    let object = Some(catalog.views[0].name.clone());
    catalog.doubts.push(Doubt { object, because: "its query is hidden".to_owned() });
    let because = "1 of 2 definitions could not be read".to_owned();
    assert_eq!(check(&facts), Checked::InPart { examined: 1, trusted: 0, because });
}

#[test]
fn what_was_found_in_a_part_is_found_whatever_the_rest_holds() {
    let entry = dbwright_rules::find("schema/float-money").expect("there is such a rule");
    let check = |levels: &[Level], expected: CheckState| {
        let because = "`a` is hidden".to_owned();
        let outcome = Outcome {
            findings: levels.iter().map(|level| finding(entry.id, *level, Confidence::High, false)).collect(),
            checks: vec![(entry, Checked::InPart { examined: 3, trusted: 0, because: because.clone() })],
        };
        let score = score::score(&outcome, &BTreeMap::new());
        let one = &score.checks[0];
        assert_eq!((one.state, one.because.as_ref(), one.trusted), (expected, Some(&because), 0.0));
        assert_eq!(score.unknown, u32::from(expected == CheckState::Unknown));
        assert_eq!((score.proven, score.coverage), (0, 0), "{}", score.headline());
        assert_eq!(score.ceiling < 100, expected != CheckState::Unknown, "{}", score.headline());
    };
    check(&[], CheckState::Unknown);
    check(&[Level::Note], CheckState::Partial);
    check(&[Level::Warning, Level::Note], CheckState::Partial);
    check(&[Level::Warning, Level::Error], CheckState::Fail);
}

#[test]
fn a_short_or_empty_window_of_statements_passes_nothing() {
    let rules: Vec<_> = default_rules()
        .filter(|entry| {
            entry.rule.dimension == Dimension::Queries && entry.rule.needs.contains(&Fact::Workload)
        })
        .collect();
    assert!(rules.len() > 10);
    let day = |day: &str| Some(format!("2030-{day}Z").parse().expect("it is a time"));
    let check = |since: &str, text: Option<&str>, looked: bool| {
        let mut facts = with_opaque(Engine::Postgres, "");
        facts.source.collected_at = day("06-15T12:00:00");
        let statement = |text: &str| Statement {
            text: text.to_owned(),
            calls: Some(100),
            mean_ms: Some(1.0),
            total_ms: Some(100.0),
            rows: Some(100),
            temp_blocks_written: Some(0),
            ..Statement::default()
        };
        facts.workload = Observed::Known(Workload {
            source: "pg_stat_statements".to_owned(),
            since: (!since.is_empty()).then(|| day(since)).flatten(),
            statements: text.into_iter().map(statement).collect(),
            ..Workload::default()
        });
        dbwright_sql::understand::understand(&mut facts);
        for (entry, checked) in run(&facts, rules.iter().copied(), &Options::default()).checks {
            match checked {
                Checked::Unknown { .. } | Checked::NotApplicable { .. } => {}
                Checked::Ran { .. } => assert!(looked, "{} ran {since} {text:?}", entry.id),
                other => panic!("{}: {other:?}", entry.id),
            }
            let slow = entry.id == "query/slow-statement";
            assert!(
                !slow || looked == matches!(checked, Checked::Ran { .. }),
                "{since} {text:?}: {checked:?}"
            );
        }
    };
    let statement = Some("select id from t where a = 5");
    check("06-01T12:00:00", statement, true);
    check("06-14T12:00:00", statement, true);
    check("06-14T13:00:00", statement, false);
    check("06-15T11:59:59", statement, false);
    check("06-15T12:00:01", statement, false);
    check("", statement, false);
    check("06-01T12:00:00", None, false);
    check("", None, false);
}

#[test]
fn an_accepted_critical_fact_limits_nothing_and_is_still_named() {
    let entry = ALL.iter().find(|entry| entry.rule.cap.is_some()).expect("some facts are critical");
    let outcome =
        |findings: Vec<Finding>| Outcome { findings, checks: vec![(entry, Checked::Ran { examined: 1 })] };
    let critical = finding(entry.id, Level::Error, Confidence::High, true);
    let stands = score::score(&outcome(vec![critical.clone()]), &BTreeMap::new());
    assert!(stands.caps.iter().any(|cap| cap.seen));
    let waived = BTreeMap::from([(entry.id.to_owned(), vec![critical])]);
    let accepted = score::score(&outcome(Vec::new()), &waived);
    assert_eq!(accepted.caps, []);
    assert_eq!(accepted.checks[0].state, CheckState::Waived);
    let because = accepted.checks[0].because.as_deref();
    assert_eq!(because, Some("1 accepted by suppression, 1 of them critical"));
}

#[test]
fn restores_that_are_declared_count_beside_what_was_read_of_backups() {
    let entry = dbwright_rules::find("backup/restore-unproven").expect("there is such a rule");
    let day = |day: &str| Some(format!("2030-{day}T12:00:00Z").parse().expect("it is a time"));
    let check = |backups: Observed<Backups>, declared: bool| {
        let mut facts = proof_rules::unknown_facts(Engine::Postgres);
        facts.source.collected_at = day("06-15");
        facts.backups = backups;
        let proof = RestoreProof { finished: day("06-10"), ok: true };
        facts.declared_proofs = if declared { vec![proof] } else { Vec::new() };
        let outcome = run(&facts, [entry], &Options::default());
        (outcome.findings.len(), outcome.checks[0].1.clone())
    };
    let nothing = || Observed::Known(Backups::default());
    let refused = || Observed::Denied("the role may not read it".to_owned());
    assert_eq!(check(nothing(), true), (0, Checked::Ran { examined: 1 }));
    assert_eq!(check(nothing(), false), (1, Checked::Ran { examined: 1 }));
    let because = "backup records: the role may not read it".to_owned();
    assert_eq!(check(refused(), true), (0, Checked::Unknown { because: because.clone() }));
    assert_eq!(check(refused(), false), (0, Checked::Unknown { because }));
    let absent = || Observed::Unsupported("the server keeps no record".to_owned());
    assert_eq!(check(absent(), true), (0, Checked::Ran { examined: 1 }));
    assert!(matches!(check(absent(), false), (0, Checked::Unknown { .. })));
}

#[test]
fn the_weights_of_the_dimensions_add_up_to_a_hundred() {
    assert_eq!(Dimension::ALL.iter().map(|dimension| dimension.weight()).sum::<u32>(), 100);
}
