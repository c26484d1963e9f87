//! Which database servers this machine has for the tests.

use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::mariadb::{MariadbOptions, MariadbServer};
use dbwright_engine::scratch::postgres::installations;

/// Prints the servers as the tests find them.
pub fn print() {
    let places = Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
    let versions: Vec<String> = installations(&places).iter().map(|one| one.version.to_string()).collect();
    match versions.as_slice() {
        [] => println!("PostgreSQL: none"),
        versions => println!("PostgreSQL: {}", versions.join(", ")),
    }
    match MariadbServer::start(&places, &MariadbOptions::default()) {
        Ok(server) => println!("MariaDB: {}", server.version()),
        Err(error) => println!("MariaDB: none: {error}"),
    }
    println!("SQLite: {}", dbwright_engine::sqlite::library_version());
}
