//! What migration rules say of each case of the matrix, against what was observed: the rates at which users are warned of
//! statements that keep others out in proportion to a table's size, and alarmed by statements that do not.
//!
//! A finding warns of such work when it is a warning or an error and its evidence names a lock that keeps
//! writers out and work that is not brief. With the
//! catalog the rules know the state that the statement finds; from the text alone they know the statement.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::chain::{ChainFile, Wrap};
use dbwright_model::change::Change;
use dbwright_model::effect::RelationEffect;
use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{Fact, FactSource, Facts, Origin};
use dbwright_model::finding::{Finding, Level};
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;
use dbwright_rules::Options;
use dbwright_rules::run::{default_rules, run};
use dbwright_sql::chain::{self, MigrationFile, Start};
use dbwright_sql::effects::{self, Circumstances};
use dbwright_sql::fold::Folder;
use proof_truth::foretell::folded;
use proof_truth::{Case, Cell, case, mariadb, matrix, postgres, sqlite};

/// The rule that says that a statement fails.
const REFUSED: &str = "migration/refused-statement";

#[test]
fn postgres_statements_that_block_are_warned_of() {
    let version = |major: u16| Version::new(major, 0, 0);
    let (catalog, text) = measure(Engine::Postgres, &postgres::ENGINE, &version);
    catalog.check("postgres, with the catalog", 0.97, 0.04);
    text.check("postgres, from the text alone", 0.84, 0.20);
}

#[test]
fn mariadb_statements_that_block_are_warned_of() {
    let version = |number: u16| Version::new(number / 100, number % 100, 0);
    let (catalog, text) = measure(Engine::Mariadb, &mariadb::ENGINE, &version);
    catalog.check("mariadb, with the catalog", 0.97, 0.04);
    text.check("mariadb, from the text alone", 0.84, 0.20);
}

#[test]
fn sqlite_statements_that_block_are_warned_of() {
    let version = |number: u16| Version::new(number / 100, number % 100, 0);
    let (catalog, text) = measure(Engine::Sqlite, &sqlite::ENGINE, &version);
    catalog.check("sqlite, with the catalog", 0.97, 0.04);
    text.check("sqlite, from the text alone", 0.84, 0.20);
}

/// Every cell of an engine with the catalog, and from the text alone.
fn measure(engine: Engine, matrix: &matrix::Engine, version: &dyn Fn(u16) -> Version) -> (Tally, Tally) {
    let base_sql = case::base_sql(matrix.name).expect("`base.sql` is there");
    let base = folded(Folder::new(engine), [base_sql.as_str()]);
    let (mut catalog, mut text) = (Tally::of(engine), Tally::of(engine));
    for case in matrix.cases().expect("the case files are well-formed") {
        let before = folded(base.clone(), case.setup.iter().map(String::as_str));
        let utc = is_in_utc(&before, &case);
        for (number, cell) in &case.cells {
            let circumstances =
                Circumstances { version: Some(version(*number)), utc: Some(utc), ..Circumstances::default() };
            // Only settings of the session stand in the text too.
            let mut nothing = Folder::new(engine);
            let settings =
                case.setup.iter().flat_map(|sql| dbwright_sql::parse_statement(matrix.dialect, sql));
            settings
                .filter(|change| matches!(change, Change::SetSessionSetting { .. }))
                .for_each(|change| nothing.apply(&change));
            let known = Start {
                before: before.clone(),
                known: true,
                circumstances,
                together: false,
                earlier: Vec::new(),
            };
            catalog.count(&case, *number, cell, &findings(known, &case));
            // Nothing is known of the server's time zone either.
            let circumstances = Circumstances { utc: None, ..circumstances };
            text.count(
                &case,
                *number,
                cell,
                &findings(
                    Start {
                        before: nothing,
                        known: false,
                        circumstances,
                        together: false,
                        earlier: Vec::new(),
                    },
                    &case,
                ),
            );
        }
    }
    (catalog, text)
}

fn is_in_utc(before: &Folder, case: &Case) -> bool {
    let dialect = before.engine().dialect();
    let setup = case.setup.iter().flat_map(|sql| dbwright_sql::parse_statement(dialect, sql));
    let mut zone = setup.filter_map(|change| match change {
        Change::SetSessionSetting { name, value, .. } if name == "timezone" => value,
        _ => None,
    });
    zone.next_back().is_none_or(|zone| effects::is_utc(&zone))
}

/// What the rules find in the measured statements.
fn findings(start: Start, case: &Case) -> Vec<Finding> {
    let engine = start.before.engine();
    let mut facts = Facts::none(FactSource {
        origin: Origin::Files,
        engine,
        version: start.circumstances.version,
        version_text: String::new(),
        target: case.name.clone(),
        database: Name::DEFAULT,
        role: None,
        superuser: false,
        collected_at: None,
        skipped: Vec::new(),
    });
    if start.known {
        facts.catalog = Observed::Known(start.before.catalog().clone());
    }
    let file = ChainFile { name: "1.sql".to_owned(), wrap: Wrap::None, judged: true, ..ChainFile::default() };
    let read = chain::read(start, &[MigrationFile { file, text: case.statement.clone() }]);
    facts.migrations = Observed::Known(read.chain);
    let rules = default_rules().filter(|entry| entry.rule.needs.contains(&Fact::Migrations));
    run(&facts, rules, &Options::default()).findings
}

/// Whether a finding says that others wait for longer the larger a table is. In SQLite, where mostly nobody else has the
/// file open, a note says it.
fn warns_of_work(engine: Engine, finding: &Finding) -> bool {
    let least = if engine == Engine::Sqlite { Level::Note } else { Level::Warning };
    let shown = |name: &str, good: &dyn Fn(&str) -> bool| {
        finding.evidence.iter().any(|evidence| evidence.name == name && good(&evidence.value))
    };
    finding.level >= least
        && shown("work", &|work| work != "brief")
        && shown("lock", &|lock| {
            lock.contains("blocks writes") || lock.contains("blocks reads") || lock.contains("on the file")
        })
}

/// Whether a table of SQLite has no rows: those of the base have, but for one.
fn is_empty(case: &Case, effect: &RelationEffect) -> bool {
    let name = effect.relation.name.as_str();
    let filled = format!("insert into {name} ");
    !matches!(name, "t" | "parent" | "child") && !case.setup.iter().any(|sql| sql.starts_with(&filled))
}

/// How well users are warned.
struct Tally {
    engine: Engine,
    blocking: usize,
    caught: usize,
    harmless: usize,
    alarms: usize,
    /// Statements that were carried out although a rule is sure that they fail.
    refused: usize,
    mistaken: BTreeMap<String, Vec<u16>>,
}

impl Tally {
    fn of(engine: Engine) -> Self {
        Tally {
            engine,
            blocking: 0,
            caught: 0,
            harmless: 0,
            alarms: 0,
            refused: 0,
            mistaken: BTreeMap::new(),
        }
    }

    fn count(&mut self, case: &Case, version: u16, cell: &Cell, findings: &[Finding]) {
        let Cell::Done { relations, .. } = cell else { return };
        let mut note = |what: String| {
            let line = format!("{what}: {}/{}", case.family, case.name);
            self.mistaken.entry(line).or_default().push(version);
        };
        let warnings: BTreeSet<&str> = findings
            .iter()
            .filter(|finding| warns_of_work(self.engine, finding))
            .map(|finding| finding.rule)
            .collect();
        if relations.iter().any(RelationEffect::blocks_in_proportion_to_size) {
            self.blocking += 1;
            self.caught += usize::from(!warnings.is_empty());
            if warnings.is_empty() {
                note("missed".to_owned());
            }
        } else if self.engine == Engine::Sqlite && relations.iter().any(|effect| is_empty(case, effect)) {
            // No catalog tells that a table is empty.
        } else {
            self.harmless += 1;
            self.alarms += usize::from(!warnings.is_empty());
            if !warnings.is_empty() {
                note(format!("alarm of {warnings:?}"));
            }
        }
        if findings.iter().any(|finding| finding.rule == REFUSED) {
            self.refused += 1;
            note("said to fail".to_owned());
        }
    }

    fn check(&self, how: &str, at_least_caught: f64, at_most_alarms: f64) {
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        let (caught, alarms) = (share(self.caught, self.blocking), share(self.alarms, self.harmless));
        println!(
            "{how}: {} of {} blocking cells warned of ({:.1} %), {} false alarms in {} others ({:.1} %), {} said to fail",
            self.caught,
            self.blocking,
            caught * 100.0,
            self.alarms,
            self.harmless,
            alarms * 100.0,
            self.refused
        );
        for (line, versions) in &self.mistaken {
            println!("  {line} {versions:?}");
        }
        assert!(caught >= at_least_caught, "{how}: {caught} of the blocking cells are warned of");
        assert!(alarms <= at_most_alarms, "{how}: {alarms} of the others are false alarms");
        assert!(
            share(self.refused, self.blocking + self.harmless) <= 0.005,
            "{how}: too many are said to fail"
        );
    }
}
