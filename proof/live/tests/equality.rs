//! The equality oracle: the statements of every rule's examples, folded offline and applied to a real server, give the
//! same findings on every server that is installed.

use std::collections::BTreeSet;

use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Finding;
use dbwright_rules::ALL;
use proof_live::{SCHEMA_FACTS, Server, collect, servers, write};
use proof_rules::{Body, Example, examples};

#[test]
fn folded_and_live_examples_give_the_same_findings() {
    let examples: Vec<Example> =
        ALL.iter().flat_map(|entry| examples(entry).expect("fences are closed")).collect();
    let servers = servers();
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            servers.iter().map(|server| scope.spawn(|| check_server(server, &examples))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a checker does not panic")).collect()
    });
    assert!(complaints.is_empty(), "{} differences:\n{}", complaints.len(), complaints.join("\n"));
}

fn check_server(server: &Server, examples: &[Example]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut complaints = Vec::new();
    let mut checked = 0;
    for example in examples {
        let Body::Sql(sql) = &example.body else { continue };
        let too_old = example.since.is_some_and(|since| server.version() < since);
        if !example.engines.contains(&server.engine()) || too_old {
            continue;
        }
        checked += 1;
        if let Err(complaint) = runtime.block_on(check(server, example, sql)) {
            complaints.push(format!(
                "{} on {}, fence at line {}: {complaint}",
                example.entry.id,
                server.name(),
                example.line
            ));
        }
    }
    println!("{}: {checked} examples", server.name());
    if checked == 0 {
        complaints.push(format!("{}: nothing was checked", server.name()));
    }
    complaints
}

async fn check(server: &Server, example: &Example, sql: &str) -> Result<(), String> {
    let dsn = server.fresh("example").await?;
    let mut session = write(&dsn).await?;
    session.script(&without_queries(server.engine(), sql)).await.map_err(|error| error.message)?;
    drop(session);
    let mut facts = collect(&dsn, &facts_of(server.engine(), sql)).await?;
    let (folded, _) = example.fold(server.engine(), sql)?;
    if example.entry.rule.needs.contains(&Fact::Workload) {
        // Statements of a file stay statements of the file; what they are judged against is the live catalog.
        facts.workload = workload(server.engine(), sql);
    }
    let live = example.judge(&facts)?;
    let (folded, live) = (shape(&folded), shape(&live));
    if folded == live {
        return Ok(());
    }
    Err(format!(
        "only folded: {:?}; only live: {:?}",
        folded.difference(&live).collect::<Vec<_>>(),
        live.difference(&folded).collect::<Vec<_>>()
    ))
}

/// What the statements tell: the schema, and the positions of counters where they set them.
fn facts_of(engine: Engine, sql: &str) -> Vec<Fact> {
    let file = dbwright_sql::files::SourceFile { name: "example.sql".to_owned(), text: sql.to_owned() };
    let told = dbwright_sql::files::read(engine, None, "example.sql", &[file]).facts;
    // A file has a counter in the place of the largest value, a server has it beside the table's statistics.
    let positions = [
        (Fact::SequenceValues, Fact::SequenceValues),
        (Fact::ColumnMaxima, Fact::ColumnMaxima),
        (Fact::ColumnMaxima, Fact::TableStatistics),
    ];
    let told = positions.into_iter().filter(|(file, _)| told.status(*file).is_known());
    SCHEMA_FACTS.into_iter().chain(told.map(|(_, server)| server)).collect()
}

/// What must be equal: object, level and message.
fn shape(findings: &[Finding]) -> BTreeSet<(String, String, String)> {
    findings
        .iter()
        .map(|finding| (finding.object.to_string(), finding.level.to_string(), finding.message.clone()))
        .collect()
}

/// The statements that make the schema; queries are judged, not run.
fn without_queries(engine: Engine, sql: &str) -> String {
    let dialect = engine.dialect();
    let mut script = String::new();
    for statement in dbwright_sql::split(dialect, sql) {
        let is_query = dbwright_sql::parse_statement(dialect, statement.text).iter().any(|change| {
            matches!(
                change,
                dbwright_model::change::Change::Data {
                    kind: dbwright_model::change::DataKind::Select
                        | dbwright_model::change::DataKind::Update
                        | dbwright_model::change::DataKind::Delete,
                    ..
                }
            )
        });
        if !is_query {
            script.push_str(statement.text);
            script.push_str(";\n");
        }
    }
    script
}

fn workload(
    engine: Engine,
    sql: &str,
) -> dbwright_model::observed::Observed<dbwright_model::workload::Workload> {
    let file = dbwright_sql::files::SourceFile { name: "example.sql".to_owned(), text: sql.to_owned() };
    dbwright_sql::files::read(engine, None, "example.sql", &[file]).facts.workload
}
