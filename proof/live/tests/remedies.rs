//! Every remedy of every example on real servers: it runs, the finding is gone, and the catalog is the one that folding
//! the changes foretold.

use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::finding::Finding;
use dbwright_rules::ALL;
use dbwright_sql::fold::Folder;
use proof_live::{SCHEMA_FACTS, Server, collect, servers, write};
use proof_rules::{Body, Example, examples};

#[test]
fn remedies_run_silence_their_rule_and_do_what_folding_foretells() {
    let examples: Vec<Example> = ALL
        .iter()
        .flat_map(|entry| examples(entry).expect("fences are closed"))
        .filter(Example::expects_findings)
        .collect();
    let servers = servers();
    let results: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            servers.iter().map(|server| scope.spawn(|| check_server(server, &examples))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a checker does not panic")).collect()
    });
    let applied: usize = results.iter().map(|(applied, _)| applied).sum();
    let complaints: Vec<&String> = results.iter().flat_map(|(_, complaints)| complaints).collect();
    println!("{applied} remedies applied");
    assert!(applied > 0, "there must be remedies");
    let list: Vec<&str> = complaints.iter().map(|complaint| complaint.as_str()).collect();
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), list.join("\n"));
}

fn check_server(server: &Server, examples: &[Example]) -> (usize, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut complaints = Vec::new();
    let mut applied = 0;
    for example in examples {
        let Body::Sql(sql) = &example.body else { continue };
        let too_old = example.since.is_some_and(|since| server.version() < since);
        if !example.engines.contains(&server.engine()) || too_old || !has_schema_remedy(server, example) {
            continue;
        }
        match runtime.block_on(check(server, example, sql)) {
            Ok(count) => applied += count,
            Err(complaint) => complaints.push(format!(
                "{} on {}, fence at line {}: {complaint}",
                example.entry.id,
                server.name(),
                example.line
            )),
        }
    }
    println!("{}: {applied} remedies", server.name());
    (applied, complaints)
}

/// Whether folding alone finds a remedy that changes the schema; everything else need not start a database.
fn has_schema_remedy(server: &Server, example: &Example) -> bool {
    let Ok(facts) = example.facts(server.engine()) else { return true };
    example.judge(&facts).map_or(true, |findings| findings.iter().any(|finding| !changes(finding).is_empty()))
}

fn changes(finding: &Finding) -> Vec<Change> {
    finding.remedy.as_ref().map(|remedy| remedy.changes.clone()).unwrap_or_default()
}

async fn check(server: &Server, example: &Example, sql: &str) -> Result<usize, String> {
    let dsn = server.fresh("remedy").await?;
    write(&dsn).await?.script(sql).await.map_err(|error| error.message)?;
    // Findings are mended one after the other, as a careful user would.
    for applied in 0..20 {
        let facts = collect(&dsn, &SCHEMA_FACTS).await?;
        let findings = example.judge(&facts)?;
        // What an engine cannot say is shown as words, and is no remedy to prove.
        let can_write =
            |change: &Change| dbwright_sql::write(server.engine(), Some(server.version()), change).is_some();
        let Some(finding) = findings.iter().find(|finding| {
            let changes = changes(finding);
            !changes.is_empty() && changes.iter().all(can_write)
        }) else {
            return Ok(applied);
        };
        let changes = changes(finding);
        let mut session = write(&dsn).await?;
        for change in &changes {
            let statements = dbwright_sql::write(server.engine(), Some(server.version()), change)
                .ok_or_else(|| format!("{} cannot write {change:?}", server.name()))?;
            for statement in statements {
                session
                    .script(&statement.sql)
                    .await
                    .map_err(|error| format!("{}: {}", statement.sql, error.message))?;
            }
        }
        drop(session);
        let after = collect(&dsn, &SCHEMA_FACTS).await?;
        let still = example.judge(&after)?;
        if still.iter().any(|other| other.object == finding.object && other.level >= finding.level) {
            return Err(format!("{} is still found after {changes:?}", finding.object));
        }
        let (Some(before), Some(after)) = (facts.catalog.known(), after.catalog.known()) else {
            return Err("the catalog could not be read".to_owned());
        };
        let mut folder = Folder::on(before.clone());
        changes.iter().for_each(|change| folder.apply(change));
        compare(&folder.finish(), after)?;
    }
    Err("remedies do not come to an end".to_owned())
}

/// The foretold and the real catalog, table by table. Texts of expressions may be printed differently.
fn compare(foretold: &Catalog, real: &Catalog) -> Result<(), String> {
    for table in &foretold.tables {
        let Some(other) = real.table(&table.name) else { return Err(format!("{} is gone", table.name)) };
        // SQLite keeps the statement that made a table, and edits it.
        let (mut table, mut other) = (table.clone(), other.clone());
        (table.definition, other.definition) = (None, None);
        if table != other {
            return Err(format!("foretold {table:#?}\nbut it is {other:#?}"));
        }
    }
    if foretold.tables.len() != real.tables.len() {
        return Err(format!("foretold {} tables, there are {}", foretold.tables.len(), real.tables.len()));
    }
    Ok(())
}
