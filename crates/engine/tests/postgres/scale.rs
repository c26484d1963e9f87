//! A large catalog is asked for as a whole, never table by table. How long it takes is a benchmark.

use super::*;

const TABLES: usize = 2_000;
/// Statements of a whole collection at most, beginnings and ends of transactions included.
const STATEMENTS: i64 = 50;

#[test]
fn a_large_catalog_is_read_in_few_statements() {
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
        let facts = collect(&server, "postgres", "t", &Fact::ALL[..32]).await;
        assert_eq!(facts.catalog.known().unwrap().tables.len(), TABLES);
        for fact in Fact::ALL {
            assert!(!matches!(facts.status(fact), Observed::Failed(_)), "{fact:?}: {:?}", facts.status(fact));
        }
        let query = "select sum(calls)::bigint from pg_stat_statements
                      where dbid = (select oid from pg_database where datname = 't')
                        and query not like '%pg_stat_statements_reset%'";
        let statements: i64 = client.query_one(query, &[]).await.unwrap().get(0);
        assert!((10..=STATEMENTS).contains(&statements), "{statements} statements");
        drop(client);
    });
}
