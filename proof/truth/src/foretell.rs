//! What `dbwright_sql::effects` foretells of a case, and where that differs from what was observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dbwright_model::change::Change;
use dbwright_model::effect::{Effects, RelationEffect, TransactionUse};
use dbwright_model::engine::Engine;
use dbwright_model::name::QualifiedName;
use dbwright_sql::effects::{self, Circumstances};
use dbwright_sql::fold::Folder;

use crate::case::{self, Case};
use crate::cell::Cell;
use crate::matrix;

/// What is foretold of the statements of a case together.
#[derive(Clone, Debug, Default)]
pub struct Foretold {
    /// The effects of all of them.
    pub effects: Effects,
    /// Whether a statement was not understood.
    pub opaque: bool,
}

/// What a comparison of every cell came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Cells compared.
    pub cells: usize,
    /// Those that are as foretold.
    pub agreeing: usize,
    /// Those that are listed as different.
    pub excused: usize,
    /// A complaint for each of the others.
    pub wrong: Vec<String>,
    /// Cases that are listed as different and agree, or are none.
    pub idle: BTreeSet<String>,
    /// Cells in which others wait in proportion to the size of a table, those of them that are foretold so, the other
    /// cells, and those of them that are foretold to block all the same.
    pub blocking: [usize; 4],
}

/// Folds scripts on top of a catalog.
pub fn folded<'a>(mut folder: Folder, scripts: impl IntoIterator<Item = &'a str>) -> Folder {
    let dialect = folder.engine().dialect();
    for script in scripts {
        for statement in dbwright_sql::split(dialect, script) {
            let changes = dbwright_sql::parse_statement(dialect, statement.text);
            changes.iter().for_each(|change| folder.apply(change));
        }
    }
    folder
}

/// What is foretold of a case on the state before it.
pub fn foretell(before: &Folder, circumstances: &Circumstances, case: &Case) -> Foretold {
    let dialect = before.engine().dialect();
    let mut foretold = Foretold::default();
    let statements: Vec<Vec<Change>> = dbwright_sql::split(dialect, &case.statement)
        .iter()
        .map(|statement| dbwright_sql::parse_statement(dialect, statement.text))
        .collect();
    let is_opaque = |change: &Change| matches!(change, Change::Opaque { .. });
    foretold.opaque = statements.iter().flatten().any(is_opaque);
    foretold.effects = effects::of_script(before, circumstances, &statements);
    foretold
}

/// Compares every cell of an engine by `disagreement`, which returns a complaint; what stands in `differences.tsv` as
/// `case<TAB>reason` may differ, and must.
pub fn compare(
    engine: Engine,
    matrix: &matrix::Engine,
    circumstances: &Circumstances,
    disagreement: &dyn Fn(&Case, &Cell, &Foretold, &Folder) -> Option<String>,
) -> Tally {
    let base_sql = case::base_sql(matrix.name).expect("`base.sql` is there");
    let base = folded(Folder::new(engine), [base_sql.as_str()]);
    let listed = listed_differences(matrix.name);
    let mut tally = Tally { idle: listed.clone(), ..Tally::default() };
    for case in matrix.cases().expect("the case files are well-formed") {
        let before = folded(base.clone(), case.setup.iter().map(String::as_str));
        let foretold = foretell(&before, circumstances, &case);
        for cell in case.cells.values() {
            tally.cells += 1;
            if let Cell::Done { relations, .. } = cell {
                let blocks = relations.iter().any(RelationEffect::blocks_in_proportion_to_size);
                let said = foretold.effects.blocking().next().is_some();
                let at = if blocks { 0 } else { 2 };
                tally.blocking[at] += 1;
                tally.blocking[at + 1] += usize::from(said);
            }
            match disagreement(&case, cell, &foretold, &before) {
                None => tally.agreeing += 1,
                Some(_) if listed.contains(&case.name) => {
                    tally.idle.remove(&case.name);
                    tally.excused += 1;
                }
                Some(complaint) => tally.wrong.push(format!("{}/{}: {complaint}", case.family, case.name)),
            }
        }
    }
    tally
}

impl Tally {
    /// Prints the totals and fails where something differs that is not listed, or is listed and does not.
    ///
    /// # Panics
    /// When a cell is not as foretold.
    pub fn check(&self, engine: &str) {
        let [blocking, caught, harmless, alarms] = self.blocking;
        println!(
            "{engine}: {} cells, {} agree, {} are listed as different; {caught} of {blocking} blocking cells are \
             caught, {alarms} false alarms in {harmless} others",
            self.cells, self.agreeing, self.excused
        );
        assert!(self.wrong.is_empty(), "{} cells disagree:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert!(self.idle.is_empty(), "these agree, or are no cases, and are listed: {:?}", self.idle);
    }
}

/// The relations of a cell or of what is foretold, by name, as far as a comparison wants them.
pub fn by_name(
    relations: &[RelationEffect],
    wanted: &dyn Fn(&RelationEffect) -> Option<String>,
) -> BTreeMap<QualifiedName, String> {
    relations
        .iter()
        .filter_map(|effect| Some((QualifiedName::bare(&effect.relation.name), wanted(effect)?)))
        .collect()
}

/// What is foretold, written as a cell.
pub fn as_cell(effects: &Effects) -> String {
    match &effects.refused {
        Some(because) => format!("refused: {because}"),
        None => Cell::done(effects.transaction, effects.relations.clone())
            .losing(effects.losses.clone())
            .to_string(),
    }
}

/// Whether the transaction is as foretold.
pub fn same_transaction(cell: TransactionUse, effects: &Effects) -> bool {
    cell == effects.transaction
}

fn listed_differences(engine: &str) -> BTreeSet<String> {
    let path = case::folder(engine).join("differences.tsv");
    let text = fs::read_to_string(&path).expect("`differences.tsv` is there");
    let line = |line: &str| match line.split_once('\t') {
        Some((name, reason)) if !reason.trim().is_empty() => name.to_owned(),
        _ => panic!("`{line}` is not a case and a reason"),
    };
    text.lines().map(line).collect()
}
