//! The recorded cells of a file of cases: one line for each case and run of versions with equal cells.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::cell::Cell;

/// The cells of a table, by case and version.
pub type Cells = BTreeMap<String, BTreeMap<u16, Cell>>;

/// Reads a table.
pub fn parse(text: &str) -> Result<Cells, String> {
    let mut cells = Cells::new();
    for (index, line) in text.lines().enumerate() {
        let complaint = |why: &str| format!("line {}: {why}", index + 1);
        let mut fields = line.split('\t');
        let (Some(name), Some(run), Some(cell), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(complaint("not a case, its versions and a cell"));
        };
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
            return Err(complaint("the versions are not a number or two with `-` between them"));
        };
        let cell = Cell::parse(cell).map_err(|why| complaint(&why))?;
        let row = cells.entry(name.to_owned()).or_default();
        for version in first..=last {
            if row.insert(version, cell.clone()).is_some() {
                return Err(complaint("the version has a cell already"));
            }
        }
    }
    Ok(cells)
}

/// Writes the cells of the cases of one file, in their order. Versions are those of the engine, oldest first.
pub fn write(cases: &[&Case], versions: &[u16]) -> String {
    let mut text = String::new();
    for case in cases {
        let mut runs: Vec<(u16, u16, &Cell)> = Vec::new();
        let mut before = None;
        for version in versions {
            let cell = case.cells.get(version);
            match (cell, runs.last_mut()) {
                // A reader counts from the first version to the last, so a run must not jump.
                (Some(cell), Some((_, last, same)))
                    if *same == cell && before == Some(*last) && *last + 1 == *version =>
                {
                    *last = *version;
                }
                (Some(cell), _) => runs.push((*version, *version, cell)),
                (None, _) => {}
            }
            before = Some(*version);
        }
        for (first, last, cell) in runs {
            let name = &case.name;
            match first == last {
                true => text.push_str(&format!("{name}\t{first}\t{cell}\n")),
                false => text.push_str(&format!("{name}\t{first}-{last}\t{cell}\n")),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_equal_cells_are_one_line() {
        let text = "a\t13-15\tnothing\na\t16\terror 42601\na\t17-18\tnothing\nb\t13-18\tnothing\n";
        let cells = parse(text).expect("a table");
        let case = |name: &str| Case {
            family: "f".to_owned(),
            name: name.to_owned(),
            setup: Vec::new(),
            statement: String::new(),
            cells: cells[name].clone(),
        };
        let (a, b) = (case("a"), case("b"));
        assert_eq!(write(&[&a, &b], &[13, 14, 15, 16, 17, 18]), text);
        for bad in ["a\t13", "a\tx\tnothing", "a\t13-14\tnothing\na\t14\tnothing", "a\t13\tt: X"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
