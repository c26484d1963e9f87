//! The case files and the recorded cells, read without a server.

use std::collections::BTreeSet;

use proof_truth::{ENGINES, base_sql, mariadb, postgres, postgres_cases, sqlite};

#[test]
fn every_case_of_postgres_has_a_cell_for_every_major() {
    let cases = postgres_cases();
    assert!(cases.len() >= 300, "{} cases", cases.len());
    assert!(!base_sql().is_empty());
    let mut incomplete = Vec::new();
    for case in &cases {
        let missing: Vec<String> = postgres::MAJORS
            .iter()
            .filter(|major| !case.cells.contains_key(major))
            .map(u16::to_string)
            .collect();
        if !missing.is_empty() || case.cells.len() > postgres::MAJORS.len() {
            incomplete.push(format!("{}/{}: not on {}", case.family, case.name, missing.join(", ")));
        }
    }
    assert!(incomplete.is_empty(), "{}", incomplete.join("\n"));
}

#[test]
fn every_case_of_mariadb_and_sqlite_has_a_cell() {
    for (engine, at_least) in [(&mariadb::ENGINE, 340), (&sqlite::ENGINE, 160)] {
        let cases = engine.cases().expect("well-formed files");
        assert!(cases.len() >= at_least, "{}: {} cases", engine.name, cases.len());
        let incomplete: Vec<&str> = cases
            .iter()
            .filter(|case| !case.cells.keys().eq(engine.versions))
            .map(|case| case.name.as_str())
            .collect();
        assert!(incomplete.is_empty(), "{}: {}", engine.name, incomplete.join(", "));
    }
}

#[test]
fn no_two_cases_of_an_engine_measure_the_same() {
    for engine in ENGINES {
        let cases = engine.cases().expect("well-formed files");
        let mut seen = BTreeSet::new();
        let twins: Vec<&str> = cases
            .iter()
            .filter(|case| !seen.insert((&case.setup, &case.statement)))
            .map(|case| case.name.as_str())
            .collect();
        assert!(twins.is_empty(), "{}: {}", engine.name, twins.join(", "));
    }
}
