//! The servers that are installed still do what was recorded.

use proof_truth::postgres;

/// The variable that makes an absent server an error instead of a line of output.
const REQUIRE: &str = "DBWRIGHT_REQUIRE_SERVERS";

#[test]
fn every_installed_postgres_does_what_was_recorded() {
    let outcome = postgres::ENGINE.run(None, false).expect("the cases can be observed");
    for note in &outcome.notes {
        println!("{note}");
    }
    assert!(
        outcome.differences.is_empty(),
        "{} differences; see `cargo xtask truth`:\n{}",
        outcome.differences.len(),
        outcome.differences.join("\n")
    );
    assert!(
        std::env::var_os(REQUIRE).is_none() || outcome.missing.is_empty(),
        "{REQUIRE} is set and servers are missing: {}",
        outcome.missing.join(", ")
    );
}
