//! What `dbwright_sql::effects` foretells of each case of PostgreSQL is what was observed.
//!
//! The comparison is lenient in four points, each because the observation says less than it seems to:
//!
//! - `ACCESS SHARE` is not compared: it blocks nobody but a schema change, and the server also takes it on relations
//!   that it only looks up by name while it plans.
//! - Whether a parent was scanned for a foreign key is not compared: the check is a join whose plan depends on sizes.
//! - An error that a version answers to the syntax or a function of a newer one needs no prediction: the parser and the
//!   list of functions know the newest only.
//! - A case whose setup a version does not know yet has the setup's error in its cell, and is left out there.
//!
//! What disagrees for a reason stands in `fixtures/truth/postgres/differences.tsv`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, Demand, Effects, Lock, RelationEffect, TransactionUse};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::QualifiedName;
use dbwright_sql::effects::{self, Circumstances};
use dbwright_sql::fold::Folder;
use proof_truth::{Case, Cell, base_sql, case, postgres, postgres_cases};

/// Codes that a version answers to a setup that it does not know yet.
const UNKNOWN_SETUP: &[&str] = &["42601", "0A000", "42704", "42809", "42883"];

/// Codes that a version answers to syntax and functions that it does not know yet.
const NEWER: &[&str] = &["42601", "42883"];

#[test]
fn effects_are_what_was_observed() {
    let base = folded(Folder::new(Engine::Postgres), [base_sql().as_str()]);
    let listed = listed_differences();
    let mut unused = listed.clone();
    let mut wrong: BTreeMap<(String, String), Vec<u16>> = BTreeMap::new();
    let (mut cells, mut agreeing, mut excused) = (0, 0, 0);
    for case in postgres_cases() {
        let before = folded(base.clone(), case.setup.iter().map(String::as_str));
        for (major, cell) in &case.cells {
            if is_of_the_setup(&case, *major) {
                continue;
            }
            cells += 1;
            let foretold = foretell(&before, &case, *major);
            match disagreement(&case, *major, cell, &foretold) {
                None => agreeing += 1,
                Some(_) if listed.contains(&(case.name.clone(), *major)) => {
                    unused.remove(&(case.name.clone(), *major));
                    excused += 1;
                }
                Some(complaint) => {
                    let name = format!("{}/{}", case.family, case.name);
                    wrong.entry((name, complaint)).or_default().push(*major);
                }
            }
        }
    }
    println!("{cells} cells, {agreeing} agree, {excused} are listed as different");
    let lines: Vec<String> = wrong
        .iter()
        .map(|((name, complaint), majors)| format!("{name} on {majors:?}: {complaint}"))
        .collect();
    assert!(lines.is_empty(), "{} cases disagree:\n{}", lines.len(), lines.join("\n"));
    let share = agreeing as f64 / cells as f64;
    assert!(share >= 0.98, "{:.1} % agree", share * 100.0);
    assert!(unused.is_empty(), "these agree, or are no cells, and are listed as different: {unused:?}");
}

#[test]
fn blocking_statements_are_caught_and_others_let_pass() {
    let base = folded(Folder::new(Engine::Postgres), [base_sql().as_str()]);
    let mut catalog = Tally::default();
    let mut text = Tally::default();
    for case in postgres_cases() {
        let before = folded(base.clone(), case.setup.iter().map(String::as_str));
        let nothing = Folder::new(Engine::Postgres);
        for (major, cell) in &case.cells {
            let Cell::Done { relations, .. } = cell else { continue };
            let blocks = relations.iter().any(RelationEffect::blocks_in_proportion_to_size);
            catalog.count(blocks, foretell(&before, &case, *major).blocks(), &case, *major);
            text.count(blocks, foretell(&nothing, &case, *major).blocks(), &case, *major);
        }
    }
    catalog.check("with the catalog", 0.97, 0.04);
    text.check("from the text alone", 0.84, 0.20);
}

/// How well blocking is foretold.
#[derive(Default)]
struct Tally {
    blocking: usize,
    caught: usize,
    harmless: usize,
    alarms: usize,
    mistaken: BTreeMap<String, Vec<u16>>,
}

impl Tally {
    fn count(&mut self, blocks: bool, foretold: bool, case: &Case, major: u16) {
        let (all, said) = match blocks {
            true => (&mut self.blocking, &mut self.caught),
            false => (&mut self.harmless, &mut self.alarms),
        };
        *all += 1;
        *said += usize::from(foretold);
        if blocks != foretold {
            let what = if blocks { "missed" } else { "alarm" };
            let line = format!("{what} {}/{}", case.family, case.name);
            self.mistaken.entry(line).or_default().push(major);
        }
    }

    fn check(&self, how: &str, at_least_caught: f64, at_most_alarms: f64) {
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        let (caught, alarms) = (share(self.caught, self.blocking), share(self.alarms, self.harmless));
        println!(
            "{how}: {} of {} blocking cells caught ({:.1} %), {} false alarms in {} others ({:.1} %)",
            self.caught,
            self.blocking,
            caught * 100.0,
            self.alarms,
            self.harmless,
            alarms * 100.0
        );
        for (line, majors) in &self.mistaken {
            println!("  {line} {majors:?}");
        }
        assert!(caught >= at_least_caught, "{how}: {caught} of the blocking cells are caught");
        assert!(alarms <= at_most_alarms, "{how}: {alarms} of the others are false alarms");
    }
}

/// What is foretold of the statements of a case together.
#[derive(Default)]
struct Foretold {
    effects: Effects,
    opaque: bool,
}

impl Foretold {
    fn blocks(&self) -> bool {
        self.effects.blocking().next().is_some()
    }
}

fn foretell(before: &Folder, case: &Case, major: u16) -> Foretold {
    let circumstances = Circumstances {
        version: Some(Version::new(major, 0, 0)),
        utc: Some(is_in_utc(case)),
        known: !before.catalog().tables.is_empty(),
    };
    let mut folder = before.clone();
    let mut foretold = Foretold::default();
    for statement in dbwright_sql::split(Dialect::Postgres, &case.statement) {
        let changes = dbwright_sql::parse_statement(Dialect::Postgres, statement.text);
        foretold.opaque |= changes.iter().any(|change| matches!(change, Change::Opaque { .. }));
        let one = effects::of_statement(&folder, &circumstances, &changes);
        for effect in &one.relations {
            foretold.effects.add(&effect.relation, effect.lock, effect.cost);
        }
        foretold.effects.demands.extend(one.demands);
        if one.transaction == TransactionUse::Outside {
            foretold.effects.transaction = TransactionUse::Outside;
        }
        foretold.effects.refused = foretold.effects.refused.or(one.refused);
        changes.iter().for_each(|change| folder.apply(change));
    }
    foretold
}

/// The servers run in UTC unless the setup says otherwise.
fn is_in_utc(case: &Case) -> bool {
    let setup = case.setup.iter().flat_map(|sql| dbwright_sql::parse_statement(Dialect::Postgres, sql));
    let mut zone = setup.filter_map(|change| match change {
        Change::SetSessionSetting { name, value, .. } if name == "timezone" => value,
        _ => None,
    });
    zone.next_back().is_none_or(|zone| effects::is_utc(&zone))
}

fn folded<'a>(mut folder: Folder, scripts: impl IntoIterator<Item = &'a str>) -> Folder {
    for script in scripts {
        for statement in dbwright_sql::split(Dialect::Postgres, script) {
            let changes = dbwright_sql::parse_statement(Dialect::Postgres, statement.text);
            changes.iter().for_each(|change| folder.apply(change));
        }
    }
    folder
}

/// Whether a cell tells of the setup, which a version does not know yet, and not of the statement.
fn is_of_the_setup(case: &Case, major: u16) -> bool {
    matches!(case.cells.get(&major), Some(Cell::Refused { code }) if UNKNOWN_SETUP.contains(&code.as_str()))
        && !case.setup.is_empty()
        && is_newer_knowledge(case, major)
}

/// Whether a newer version answers otherwise.
fn is_newer_knowledge(case: &Case, major: u16) -> bool {
    let cell = case.cells.get(&major);
    case.cells.range(major + 1..).any(|(_, newer)| Some(newer) != cell)
}

fn disagreement(case: &Case, major: u16, cell: &Cell, foretold: &Foretold) -> Option<String> {
    let effects = &foretold.effects;
    let (transaction, relations) = match cell {
        Cell::Refused { code } => {
            let understood = effects.refused.is_some()
                || (matches!(code.get(..2), Some("23" | "22")) && !effects.demands.is_empty())
                || (code == "42601" && foretold.opaque)
                || (NEWER.contains(&code.as_str()) && is_newer_knowledge(case, major));
            return (!understood).then(|| format!("{cell}, and nothing is foretold: {}", case.statement));
        }
        Cell::Done { transaction, relations, .. } => (transaction, relations),
    };
    if let Some(because) = &effects.refused {
        return Some(format!("it runs, and a refusal is foretold: {because}: {}", case.statement));
    }
    let parents: BTreeSet<&QualifiedName> = effects
        .demands
        .iter()
        .filter_map(|demand| match demand {
            Demand::Reference { table, parent } if table != parent => Some(parent),
            _ => None,
        })
        .collect();
    let compared = |relations: &[RelationEffect]| {
        let mut kept: BTreeMap<QualifiedName, (Lock, Cost)> = BTreeMap::new();
        for effect in relations.iter().filter(|effect| effect.lock > Lock::AccessShare) {
            let scanned = parents.contains(&effect.relation) && effect.cost == Cost::Scan;
            kept.insert(
                effect.relation.clone(),
                (effect.lock, if scanned { Cost::Brief } else { effect.cost }),
            );
        }
        kept
    };
    if compared(relations) == compared(&effects.relations) && *transaction == effects.transaction {
        return None;
    }
    let told = Cell::Done {
        transaction: effects.transaction,
        relations: effects.relations.iter().filter(|one| one.lock > Lock::AccessShare).cloned().collect(),
        losses: Vec::new(),
    };
    Some(format!("{}\n    observed {cell}\n    foretold {told}", case.statement))
}

/// The cells that are known to differ: `case<TAB>majors<TAB>reason`, majors as `13-15` or `18`.
fn listed_differences() -> BTreeSet<(String, u16)> {
    let path = case::folder(postgres::ENGINE.name).join("differences.tsv");
    let text = fs::read_to_string(&path).expect("`differences.tsv` is there");
    let mut listed = BTreeSet::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (Some(name), Some(run), Some(reason), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            panic!("`{line}` is not a case, its majors and a reason");
        };
        assert!(!reason.is_empty(), "`{name}` has no reason");
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let bound = |text: &str| text.parse::<u16>().expect("majors are numbers");
        listed.extend((bound(first)..=bound(last)).map(|major| (name.to_owned(), major)));
    }
    listed
}
