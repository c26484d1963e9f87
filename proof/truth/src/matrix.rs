//! Recording the matrix of an engine, and comparing it with what its servers do now.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use dbwright_model::engine::Dialect;

use crate::case::{self, Case};
use crate::cell::Cell;
use crate::table;

/// An engine whose statements are measured.
pub struct Engine {
    /// Its folder under `fixtures/truth`, and its name on the command line.
    pub name: &'static str,
    /// The dialect of its case files.
    pub dialect: Dialect,
    /// The versions that have cells, oldest first.
    pub versions: &'static [u16],
    /// Carries out every case on every installed version.
    pub observe: fn(&[Case]) -> Result<Observed, String>,
}

/// What the installed servers did.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The servers that ran, by the version of their cells, with their full version.
    pub servers: BTreeMap<u16, String>,
    /// What is not installed.
    pub missing: Vec<String>,
    /// For each case in the order given, what it did on each version.
    pub cells: Vec<BTreeMap<u16, Cell>>,
    /// Cases that could not be measured, and why.
    pub failures: Vec<String>,
}

/// What a comparison or a recording came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What ran, and what is missing: sentences for a person.
    pub notes: Vec<String>,
    /// Cells that differ from the recorded ones, and cases that could not be measured.
    pub differences: Vec<String>,
    /// What is not installed.
    pub missing: Vec<String>,
}

impl Engine {
    /// Every case with its recorded cells.
    pub fn cases(&self) -> Result<Vec<Case>, String> {
        let loaded = case::load(self.name, self.dialect)?;
        match loaded.stale.first() {
            Some(name) => Err(format!("cells are recorded for `{name}`, which is gone: record anew")),
            None => Ok(loaded.cases),
        }
    }

    /// Observes the cases anew and compares; writes the tables when asked to record. Only those named, where any are, with
    /// commas between their names.
    pub fn run(&self, only: Option<&str>, record: bool) -> Result<Outcome, String> {
        let mut cases = if record { case::load(self.name, self.dialect)?.cases } else { self.cases()? };
        let named: Option<Vec<&str>> = only.map(|names| names.split(',').collect());
        let is_chosen = |case: &Case| named.as_ref().is_none_or(|names| names.contains(&case.name.as_str()));
        let chosen: Vec<usize> = (0..cases.len()).filter(|index| is_chosen(&cases[*index])).collect();
        if let Some(name) = named.iter().flatten().find(|name| cases.iter().all(|case| case.name != **name)) {
            return Err(format!("{} has no case `{name}`", self.name));
        }
        let started = Instant::now();
        let measured: Vec<Case> = chosen.iter().map(|index| cases[*index].clone()).collect();
        let observed = (self.observe)(&measured)?;
        let mut outcome = Outcome { missing: observed.missing.clone(), ..Outcome::default() };
        let servers: Vec<&str> = observed.servers.values().map(String::as_str).collect();
        outcome.notes.push(format!(
            "{}: {} cases on {} in {:.1} s",
            self.name,
            measured.len(),
            if servers.is_empty() { "no server".to_owned() } else { servers.join(", ") },
            started.elapsed().as_secs_f64()
        ));
        if !observed.missing.is_empty() {
            outcome.notes.push(format!("not installed: {}", observed.missing.join(", ")));
        }
        outcome.differences = observed.failures.clone();
        for (case, now) in measured.iter().zip(&observed.cells) {
            let mut complaints: Vec<(Vec<String>, String)> = Vec::new();
            for (version, cell) in now {
                let recorded = case.cells.get(version);
                if recorded != Some(cell) {
                    let recorded = recorded.map_or("nothing yet".to_owned(), |cell| format!("`{cell}`"));
                    let complaint = format!("recorded {recorded}, observed `{cell}`");
                    match complaints.iter_mut().find(|(_, same)| *same == complaint) {
                        Some((versions, _)) => versions.push(version.to_string()),
                        None => complaints.push((vec![version.to_string()], complaint)),
                    }
                }
            }
            for (versions, complaint) in complaints {
                let Case { family, name, .. } = case;
                outcome.differences.push(format!("{family}/{name} on {}: {complaint}", versions.join(", ")));
            }
        }
        if record {
            for (index, now) in chosen.into_iter().zip(observed.cells) {
                cases[index].cells.extend(now);
            }
            self.write(&cases)?;
        }
        Ok(outcome)
    }

    fn write(&self, cases: &[Case]) -> Result<(), String> {
        let mut families: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for case in cases {
            families.entry(&case.family).or_default().push(case);
        }
        for (family, cases) in families {
            let path = case::folder(self.name).join(format!("{family}.tsv"));
            fs::write(&path, table::write(&cases, self.versions))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }
}
