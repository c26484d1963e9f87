//! The dump oracle: a schema on a real server, its dump folded, and its script folded are one catalog.

use dbwright_model::engine::Engine;
use dbwright_model::facts::SkippedStatement;
use dbwright_sql::compare::{Texts, compare};
use proof_dumps::tools::{Content, dump};
use proof_dumps::{Fixture, apply, fixtures, fold, live};
use proof_live::{Server, servers};

#[test]
fn a_folded_dump_is_the_catalog_it_was_taken_from() {
    let servers = servers();
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = servers.iter().map(|server| scope.spawn(|| check_server(server))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a checker does not panic")).collect()
    });
    assert!(complaints.is_empty(), "{} differences:\n{}", complaints.len(), complaints.join("\n"));
}

fn check_server(server: &Server) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut complaints = Vec::new();
    for fixture in fixtures(server.engine().dialect()) {
        let found = runtime.block_on(check(server, &fixture)).unwrap_or_else(|error| vec![error]);
        complaints.extend(found.iter().map(|line| format!("{} {}: {line}", server.name(), fixture.name)));
    }
    complaints
}

/// Statements that stay beyond us, which must be listed and lose nothing else.
fn is_known(skipped: &SkippedStatement) -> bool {
    let first: Vec<String> =
        skipped.statement.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
    // One fixture refers to a table that nobody made, as SQLite lets it.
    matches!(first.join(" ").as_str(), "create rule" | "do $$")
        || skipped.because.ends_with("was never created")
}

async fn check(server: &Server, fixture: &Fixture) -> Result<Vec<String>, String> {
    let engine = server.engine();
    let version = Some(server.version());
    let dsn = server.fresh(&format!("dump_{}", fixture.name)).await?;
    apply(&dsn, engine.dialect(), &fixture.sql).await?;
    let live = live(&dsn).await?;
    let mut complaints = Vec::new();
    let (script, skipped) = fold(engine, version, &fixture.sql);
    complaints
        .extend(skipped.iter().filter(|skip| !is_known(skip)).map(|skip| format!("script skipped {skip:?}")));
    complaints.extend(
        compare(&script, &live, Texts::Columns).differences.iter().map(|line| format!("script {line}")),
    );
    for content in [Content::Schema, Content::Rows, Content::Inserts] {
        let Some(text) = dump(&dsn, content) else { continue };
        let (dumped, skipped) = fold(engine, version, &text?);
        complaints.extend(
            skipped.iter().filter(|skip| !is_known(skip)).map(|skip| format!("{content:?} skipped {skip:?}")),
        );
        complaints.extend(
            compare(&dumped, &live, Texts::Trees)
                .differences
                .iter()
                .map(|line| format!("{content:?} {line}")),
        );
    }
    if engine == Engine::Postgres && version.is_some_and(|version| version.major == 15) {
        println!("{}: {} tables", fixture.name, live.tables.len());
    }
    Ok(complaints)
}
