//! A case that is traced, as `dbwright migrate lint --trace` does it, shows what was recorded of it.
//!
//! Statements about rows keep the work that is foretold of them, and so do those that the observation cannot weigh on an
//! empty table; otherwise what is told must be the recorded cell.

use std::path::Path;

use dbwright_engine::scratch::Places;
use dbwright_engine::session::{Limits, Silent};
use dbwright_model::effect::{Cost, RelationEffect};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_service::World;
use dbwright_service::trace::{Bench, Outcome, Step};
use dbwright_sql::effects::Circumstances;
use dbwright_sql::fold::Folder;
use proof_truth::foretell::{folded, foretell};
use proof_truth::{Case, Cell, base_sql, postgres_cases};

/// One case in this many is traced on each major, another one on each.
const EVERY: usize = 9;

/// Cases whose trace differs for a reason.
const DIFFERENT: &[(&str, &str)] = &[];

#[test]
fn a_trace_shows_what_was_recorded() {
    let cases = postgres_cases();
    let results: Vec<(usize, usize, Vec<String>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = proof_truth::postgres::MAJORS
            .iter()
            .enumerate()
            .map(|(offset, major)| {
                let cases = &cases;
                scope.spawn(move || on(*major, cases.iter().skip(offset).step_by(EVERY)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a tracer does not panic")).collect()
    });
    let cells: usize = results.iter().map(|result| result.0).sum();
    let agreeing: usize = results.iter().map(|result| result.1).sum();
    let wrong: Vec<&str> = results.iter().flat_map(|result| &result.2).map(String::as_str).collect();
    println!("{cells} cells traced, {agreeing} as recorded");
    assert!(cells > 0 && wrong.is_empty(), "{} of {cells} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn on<'a>(major: u16, cases: impl Iterator<Item = &'a Case>) -> (usize, usize, Vec<String>) {
    let world = World {
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        directory: std::env::temp_dir(),
        database_url: None,
        variable: &|_| None,
        temporary: std::env::temp_dir(),
        places: Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))),
        version: "0",
        limits: Limits::default(),
        progress: &Silent,
    };
    let version = Version::new(major, 0, 0);
    let bench = Bench::start(Engine::Postgres, Some(version), &world).expect("a server");
    if bench.instead_of().is_some() {
        let required = std::env::var_os("DBWRIGHT_REQUIRE_SERVERS").is_some();
        assert!(!required, "DBWRIGHT_REQUIRE_SERVERS is set and PostgreSQL {major} is not installed");
        println!("PostgreSQL {major} is not installed");
        return (0, 0, Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let base = folded(Folder::new(Engine::Postgres), [base_sql().as_str()]);
    let (mut cells, mut agreeing, mut wrong) = (0, 0, Vec::new());
    for case in cases {
        let Some(cell) = case.cells.get(&major) else { continue };
        if DIFFERENT.iter().any(|(name, _)| *name == case.name) {
            continue;
        }
        cells += 1;
        match runtime.block_on(disagreement(&bench, version, &base, case, cell)) {
            None => agreeing += 1,
            Some(complaint) => wrong.push(format!("{}/{} on {major}: {complaint}", case.family, case.name)),
        }
    }
    (cells, agreeing, wrong)
}

async fn disagreement(
    bench: &Bench,
    version: Version,
    base: &Folder,
    case: &Case,
    cell: &Cell,
) -> Option<String> {
    let before = folded(base.clone(), case.setup.iter().map(String::as_str));
    let circumstances = Circumstances { version: Some(version), known: true, ..Circumstances::default() };
    let foretold = foretell(&before, &circumstances, case).effects;
    let mut tracer = bench.tracer(None).await.expect("a database");
    let nothing = Default::default();
    let base = base_sql();
    for sql in std::iter::once(&base).chain(&case.setup) {
        let step = Step { sql, changes: &[], foretold: &nothing, transaction: None };
        if tracer.pass(&step).await.is_err() {
            // What a version does not know yet cannot be set up there.
            return None;
        }
    }
    tracer.mark().await;
    let changes = dbwright_sql::parse_statement(Dialect::Postgres, &case.statement);
    let step = Step { sql: &case.statement, changes: &changes, foretold: &foretold, transaction: None };
    let traced = tracer.watch(&step).await;
    let work = |relations: &[RelationEffect]| -> Vec<RelationEffect> {
        let is_data = |effect: &RelationEffect| {
            let foretold =
                foretold.relations.iter().find(|other| other.relation.name == effect.relation.name);
            foretold.is_some_and(|foretold| foretold.cost > Cost::Brief || effect.cost > Cost::Brief)
                && changes.iter().all(|change| matches!(change, dbwright_model::change::Change::Data { .. }))
        };
        let mut relations = relations.to_vec();
        relations.iter_mut().filter(|effect| is_data(effect)).for_each(|effect| effect.cost = Cost::Brief);
        relations.sort();
        relations
    };
    match (&traced.outcome, cell) {
        (Outcome::Seen, Cell::Done { transaction, relations, .. }) => {
            let same = work(relations) == work(&traced.effects.relations)
                && *transaction == traced.effects.transaction;
            let told = Cell::done(traced.effects.transaction, traced.effects.relations.clone());
            (!same).then(|| format!("recorded {cell}, traced {told}"))
        }
        (Outcome::Failed(failure), Cell::Refused { code }) => (failure.code != *code)
            .then(|| format!("recorded {code}, traced {}: {}", failure.code, failure.message)),
        // What is control or a setting of the session is not looked at.
        (outcome, cell) => Some(format!("recorded {cell}, traced {outcome:?}")),
    }
}
