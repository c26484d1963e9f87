//! How long a large catalog takes.

use super::*;

const TABLES: usize = 10_000;

#[test]
fn a_large_catalog_is_read_in_time() {
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
    let installation = installed.last().expect("an installed PostgreSQL");
    let options = ServerOptions {
        settings: vec![
            ("shared_preload_libraries".into(), "pg_stat_statements".into()),
            ("max_locks_per_transaction".into(), "2000".into()),
        ],
        ..ServerOptions::default()
    };
    let server = PostgresServer::start(installation, &options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = database(&server, "t", "create extension pg_stat_statements").await;
        for from in (0..TABLES).step_by(1_000) {
            run(
                &client,
                &format!(
                    "do $$ begin for i in {from} .. {} loop
                       execute format('create table t%s (id int generated always as identity primary key, a text,
                         b int, c timestamptz default now(), d numeric(10, 2), check (b > 0))', i);
                       execute format('create index on t%s (a)', i);
                       execute format('create index on t%s (b, c desc)', i);
                     end loop; end $$",
                    from + 999
                ),
            )
            .await;
        }
        run(&client, "vacuum analyze").await;
        run(&client, "select pg_stat_statements_reset()").await;
        let before = Instant::now();
        let facts = collect(&server, "postgres", "t", &Fact::ALL[..32]).await;
        let took = before.elapsed();
        assert_eq!(facts.catalog.known().unwrap().tables.len(), TABLES);
        let query = "select left(query, 60), total_exec_time from pg_stat_statements
                      where dbid = (select oid from pg_database where datname = 't') order by 2 desc limit 8";
        for row in client.query(query, &[]).await.unwrap() {
            println!("{:8.1} ms  {}", row.get::<_, f64>(1), row.get::<_, String>(0).replace('\n', " "));
        }
        let query = "select sum(total_exec_time + total_plan_time) from pg_stat_statements
                      where query not like '%pg_stat_statements%'";
        let server_ms: f64 = client.query_one(query, &[]).await.unwrap().get(0);
        println!("{server_ms:.0} ms of the server's time, {took:?} in all");
        for fact in Fact::ALL {
            assert!(!matches!(facts.status(fact), Observed::Failed(_)), "{fact:?}: {:?}", facts.status(fact));
        }
        // Measured at a fraction of this; the room is for slow machines.
        assert!(server_ms < 6_000.0, "{server_ms} ms");
        drop(client);
    });
}
