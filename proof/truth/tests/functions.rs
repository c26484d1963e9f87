//! The list of functions in `crates/sql/src/postgres/functions.txt` agrees with every installed server.

use std::collections::BTreeMap;

use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, installations};
use dbwright_model::catalog::Volatility;
use dbwright_sql::postgres::effects::built_in_functions;
use proof_truth::postgres::MAJORS;

/// The volatility of each name on one server: that of the weakest overload.
const VOLATILITIES: &str = "
    select p.proname::text,
           case when bool_or(p.provolatile = 'v') then 'volatile'
                when bool_or(p.provolatile = 's') then 'stable'
                else 'immutable' end
    from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace
    group by 1";

/// Weakest first.
const ORDER: [&str; 3] = ["volatile", "stable", "immutable"];

#[test]
fn the_list_of_functions_agrees_with_every_installed_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut majors = Vec::new();
    for installation in installations(&Places::usual()) {
        if !MAJORS.contains(&installation.version.major) || majors.contains(&installation.version.major) {
            continue;
        }
        majors.push(installation.version.major);
        let server = PostgresServer::start(&installation, &ServerOptions::default())
            .unwrap_or_else(|error| panic!("{}: {}", installation.version, error.message));
        runtime.block_on(async {
            let client = server.client("postgres").await.expect("a session");
            for row in client.query(VOLATILITIES, &[]).await.expect("pg_proc can be read") {
                let (name, word): (String, String) = (row.get(0), row.get(1));
                let rank = ORDER.iter().position(|known| *known == word).expect("one of three");
                let weakest = found.entry(name).or_insert(rank);
                *weakest = rank.min(*weakest);
            }
        });
    }
    majors.sort_unstable();
    println!("{} functions on PostgreSQL {majors:?}", found.len());
    let listed = built_in_functions();
    let mut wrong = Vec::new();
    for (name, rank) in &found {
        let told = listed.get(name.as_str()).map(|volatility| match volatility {
            Volatility::Volatile => 0,
            Volatility::Stable => 1,
            Volatility::Immutable => 2,
        });
        // A server that is not installed may have a weaker overload, never a stronger weakest one.
        let agrees = match majors.len() == MAJORS.len() {
            true => told == Some(*rank),
            false => told.is_some_and(|told| told <= *rank),
        };
        if !agrees {
            let word = told.map_or("not", |told| ORDER[told]);
            wrong.push(format!("{name}: {} on the servers, {word} in the list", ORDER[*rank]));
        }
    }
    if majors.len() == MAJORS.len() {
        let gone = listed.keys().filter(|name| !found.contains_key(**name));
        wrong.extend(gone.map(|name| format!("{name}: on no server")));
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} names differ:\n{}", wrong.len(), wrong.join("\n"));
}
