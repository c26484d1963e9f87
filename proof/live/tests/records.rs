//! The record of migrations on every server: histories of other tools taken over, baselines, repairs, drift and squashes.

use std::path::Path;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::scratch::Places;
use dbwright_engine::session::{Limits, Silent};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::standing::Standing;
use dbwright_service::config::Config;
use dbwright_service::consent::{self, Word};
use dbwright_service::ops::migrate::baseline::{self, BaselineReply, BaselineRequest, ToolName};
use dbwright_service::ops::migrate::record;
use dbwright_service::ops::migrate::repair::{self, RepairReply, RepairRequest, StatementAnswer};
use dbwright_service::ops::migrate::situation::Place;
use dbwright_service::ops::migrate::squash::{self, SquashRequest};
use dbwright_service::ops::migrate::status::{StatusReply, StatusRequest, status};
use dbwright_service::ops::migrate::verify::{VerifyReply, VerifyRequest, verify};
use dbwright_service::{ServiceError, World};
use proof_live::{Server, servers, write};

use histories::histories;

#[path = "records/histories.rs"]
mod histories;

const PARENT: &str =
    "create table parent (id integer not null primary key, name varchar(40) not null default 'x');\n";
const T: &str = "create table t (id integer not null primary key, a integer);\ncreate index t_a on t (a);\n";

/// A database and a folder of migrations.
struct Case {
    dsn: Dsn,
    dialect: Dialect,
    folder: tempfile::TempDir,
}

impl Case {
    async fn new(server: &Server, name: &str, files: &[(&str, &str)]) -> Self {
        let dsn = server.fresh(name).await.expect("a database");
        let case =
            Case { dsn, dialect: server.engine().dialect(), folder: tempfile::tempdir().expect("a folder") };
        case.files(files);
        case
    }

    fn files(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.folder.path().join("m").join(name);
            std::fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join("m").join(name)).expect("it was there");
    }

    fn listed(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("m")).expect("it is there");
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    async fn run(&self, sql: &str) {
        write(&self.dsn)
            .await
            .expect("a session")
            .script(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn world(&self) -> World<'static> {
        World {
            now: "2026-01-01T00:00:00Z".parse().expect("a time"),
            directory: self.folder.path().to_path_buf(),
            database_url: None,
            variable: &|_| None,
            temporary: std::env::temp_dir(),
            places: Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))),
            version: "0",
            limits: Limits::default(),
            progress: &Silent,
        }
    }

    fn place(&self) -> Place {
        Place { paths: vec!["m".into()], target: Some(target(&self.dsn)), history_table: None }
    }

    async fn baseline(&self, request: BaselineRequest) -> Result<BaselineReply, ServiceError> {
        let request = BaselineRequest { place: self.place(), ..request };
        let (reply, changes, situation) = baseline::plan(&request, &Config::default(), &self.world()).await?;
        if reply.refused.is_empty() {
            baseline::carry_out(&reply, &changes, &consent::given(Word::Flag, &situation.dsn)).await?;
        }
        Ok(reply)
    }

    async fn repair(&self, request: RepairRequest) -> Result<RepairReply, ServiceError> {
        let request = RepairRequest { place: self.place(), ..request };
        let (reply, changes, situation) = repair::plan(&request, &Config::default(), &self.world()).await?;
        record::carry_out(&changes, &consent::given(Word::Flag, &situation.dsn)).await?;
        Ok(reply)
    }

    async fn status(&self) -> StatusReply {
        let request = StatusRequest { place: self.place() };
        status(&request, &Config::default(), &self.world()).await.expect("the state is told")
    }

    async fn standings(&self) -> Vec<(String, Standing)> {
        let lines = self.status().await.migrations;
        lines.into_iter().filter_map(|line| Some((line.version, line.standing?))).collect()
    }

    async fn verify(&self, scratch: bool) -> VerifyReply {
        let request = VerifyRequest { place: self.place(), scratch };
        verify(&request, &Config::default(), &self.world()).await.expect("it is verified")
    }

    async fn drift(&self, scratch: bool) -> Vec<String> {
        self.verify(scratch)
            .await
            .drift
            .differences
            .iter()
            .map(|one| one.to_string().replace("public.", ""))
            .collect()
    }
}

/// A target as a user writes it.
fn target(dsn: &Dsn) -> String {
    match dsn {
        Dsn::Postgres(server) => {
            let dbwright_engine::dsn::Host::Unix(folder) = &server.host else {
                panic!("scratch servers have sockets")
            };
            format!(
                "postgres://{}@/{}?host={}&port={}",
                server.user,
                server.database,
                folder.display(),
                server.port
            )
        }
        Dsn::Mysql(server) => {
            let dbwright_engine::dsn::Host::Unix(socket) = &server.host else {
                panic!("scratch servers have sockets")
            };
            format!("mysql://{}@localhost/{}?socket={}", server.user, server.database, socket.display())
        }
        Dsn::Sqlite(path) => format!("sqlite:{}", path.display()),
    }
}

fn on_each(test: impl AsyncFn(&Server)) {
    let servers = servers();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for server in &servers {
        println!("{}", server.name());
        runtime.block_on(test(server));
    }
}

#[test]
fn the_history_of_every_tool_is_taken_over() {
    on_each(async |server| {
        for history in histories(server.engine().dialect()) {
            let name = format!("{} {:?}", server.name(), history.tool);
            let files: Vec<(&str, &str)> =
                history.files.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let case = Case::new(server, "import", &files).await;
            case.run(&format!("{PARENT}{T}{};{};", history.table, history.rows)).await;
            let request = || BaselineRequest { from: Some(history.tool), ..BaselineRequest::default() };
            // An edited file is found where the tool keeps what tells it.
            case.files(&[(files[0].0, &format!("{}-- edited\n", files[0].1))]);
            let (edited, _, _) = baseline::plan(
                &BaselineRequest { place: case.place(), ..request() },
                &Config::default(),
                &case.world(),
            )
            .await
            .expect("the history is read");
            assert_eq!(edited.refused.len(), usize::from(history.checks), "{name}: {:?}", edited.refused);
            case.files(&files);
            let reply = case.baseline(request()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(reply.refused, [] as [&str; 0], "{name}: {:?}", reply.comparison.differences);
            assert_eq!(reply.changes.len(), 2, "{name}");
            assert_eq!(reply.pending, [] as [&str; 0], "{name}");
            let status = case.status().await;
            assert_eq!((status.applied, status.pending, status.trouble), (2, 0, 0), "{name}: {status:#?}");
            assert!(status.migrations.iter().all(|line| line.kind.as_deref() == Some("imported")), "{name}");
            let verified = case.verify(false).await;
            assert!(verified.ok, "{name}: {verified:#?}");
        }
    });
}

#[test]
fn a_repeatable_file_of_flyway_is_taken_over() {
    const VIEW: &str = "drop view if exists v;\ncreate view v as select id from parent;\n";
    on_each(async |server| {
        let histories = histories(server.engine().dialect());
        let flyway = histories.iter().find(|history| history.tool == ToolName::Flyway).expect("it is listed");
        let files = [("V1__parent.sql", PARENT), ("V2__t.sql", T), ("R__v.sql", VIEW)];
        let case = Case::new(server, "repeatable", &files).await;
        case.run(&format!("{PARENT}{T}{VIEW}{};{};", flyway.table, flyway.rows)).await;
        case.run(
            "insert into flyway_schema_history values \
             (3, null, 'v', 'SQL', 'R__v.sql', -1756379441, 'app', '2025-01-02 03:04:07', 3, true)",
        )
        .await;
        let request = || BaselineRequest { from: Some(ToolName::Flyway), ..BaselineRequest::default() };
        // What was run in an older form is run anew, and nothing stands against the rest.
        case.files(&[("R__v.sql", &VIEW.replace("select id", "select name, id"))]);
        let (older, _, _) = baseline::plan(
            &BaselineRequest { place: case.place(), ..request() },
            &Config::default(),
            &case.world(),
        )
        .await
        .expect("the history is read");
        assert_eq!(older.refused, [] as [&str; 0]);
        assert_eq!(older.pending, ["m/R__v.sql"]);
        case.files(&files);
        let reply = case.baseline(request()).await.expect("it is taken over");
        assert_eq!(reply.refused, [] as [&str; 0], "{:?}", reply.comparison.differences);
        let status = case.status().await;
        assert_eq!((status.applied, status.pending, status.trouble), (3, 0, 0), "{status:#?}");
    });
}

#[test]
fn what_golang_migrate_left_dirty_is_not_taken_over() {
    on_each(async |server| {
        let histories = histories(server.engine().dialect());
        let tool =
            histories.iter().find(|history| history.tool == ToolName::GolangMigrate).expect("it is listed");
        let case =
            Case::new(server, "dirty", &[("000001_parent.up.sql", PARENT), ("000002_t.up.sql", T)]).await;
        case.run(&format!("{PARENT}{T}{};{};", tool.table, tool.rows.replace("false", "true"))).await;
        let request = BaselineRequest {
            place: case.place(),
            from: Some(ToolName::GolangMigrate),
            ..BaselineRequest::default()
        };
        let (reply, _, _) =
            baseline::plan(&request, &Config::default(), &case.world()).await.expect("the history is read");
        assert!(reply.refused.iter().any(|why| why.contains("`2` failed half-way")), "{:?}", reply.refused);
        let status = case.status().await;
        assert!(status.notes.iter().any(|note| note.contains("golang-migrate")), "{:?}", status.notes);
    });
}

#[test]
fn a_baseline_is_refused_where_the_database_differs() {
    on_each(async |server| {
        let files = [
            ("1_parent.sql", PARENT),
            ("2_t.sql", T),
            ("3_later.sql", "alter table t add column b integer;\n"),
        ];
        let case = Case::new(server, "baseline", &files).await;
        case.run(&format!("{PARENT}{T}")).await;
        let all = case.baseline(BaselineRequest::default()).await.expect("it is compared");
        let said: Vec<String> =
            all.comparison.differences.iter().map(|one| one.to_string().replace("public.", "")).collect();
        let [difference] = said.as_slice() else { panic!("{said:?}") };
        assert!(
            difference.starts_with("table `t`, column `b` (") && difference.ends_with("is missing"),
            "{difference}"
        );
        assert_eq!(all.refused, ["The database differs from what the files make in 1 place."]);
        assert_eq!(case.status().await.history_table, None, "nothing was made");
        let to = BaselineRequest { to: Some("2".to_owned()), ..BaselineRequest::default() };
        assert_eq!(case.baseline(to).await.expect("it agrees").pending, ["m/3_later.sql"]);
        assert_eq!(
            case.standings().await,
            [
                ("1".to_owned(), Standing::Applied),
                ("2".to_owned(), Standing::Applied),
                ("3".to_owned(), Standing::Pending),
            ]
        );
        let again = case.baseline(BaselineRequest::default()).await.expect_err("there is a record");
        assert!(again.message.contains("records migrations already"), "{again}");

        let forced = Case::new(server, "forced", &files).await;
        forced.run(&format!("{PARENT}{T}")).await;
        let reason =
            BaselineRequest { force: Some("b comes by hand".to_owned()), ..BaselineRequest::default() };
        assert_eq!(forced.baseline(reason).await.expect("it is forced").changes.len(), 3);
        assert_eq!(forced.drift(false).await.len(), 1, "what was accepted is still told");
    });
}

#[test]
fn drift_edits_and_lost_files_are_found_and_repaired() {
    on_each(async |server| {
        let check = "\n-- ========== VERIFY ==========\n-- Rows mean: a row of `t` has no `a`.\n-- Keys: id\n-- select id from t where a is null\n";
        let with_check = format!("-- dbwright: transaction=one\n\n-- ========== UP ==========\n{T}{check}");
        let case = Case::new(server, "drift", &[("1_parent.sql", PARENT), ("2_t.sql", &with_check)]).await;
        case.run(&format!("{PARENT}{T}")).await;
        case.baseline(BaselineRequest::default()).await.expect("it agrees");
        let verified = case.verify(true).await;
        assert!(verified.ok && verified.evidence.starts_with("a scratch "), "{verified:#?}");
        assert_eq!(verified.checks.len(), 1);

        case.run("insert into t (id) values (7); alter table parent add column c integer; drop index t_a")
            .await_or(
                &case,
                "insert into t (id) values (7); alter table parent add column c integer; drop index t_a on t",
            )
            .await;
        for scratch in [false, true] {
            let drift = case.drift(scratch).await;
            assert_eq!(drift.len(), 2, "{drift:?}");
            assert!(
                drift[0].starts_with("table `parent`, column `c` (") && drift[0].ends_with("is not expected")
            );
            assert_eq!(drift[1], "table `t`, index `t_a` (a) is missing");
        }
        let verified = case.verify(false).await;
        assert!(!verified.ok);
        assert_eq!(
            (verified.checks[0].rows, verified.checks[0].samples.as_slice()),
            (Some(1), ["id=7".to_owned()].as_slice())
        );

        // Words, statements, an older file, a lost file.
        case.files(&[
            ("1_parent.sql", &format!("-- why\n{PARENT}")),
            ("2_t.sql", "create table t (id integer not null primary key, a bigint);\n"),
        ]);
        case.files(&[("0_early.sql", "select 1;\n")]);
        assert_eq!(
            case.standings().await,
            [
                ("0".to_owned(), Standing::OutOfOrder),
                ("1".to_owned(), Standing::Reworded),
                ("2".to_owned(), Standing::Edited),
            ]
        );
        let reply = case.repair(RepairRequest::default()).await.expect("it is repaired");
        assert_eq!(reply.changes.len(), 1, "{reply:?}");
        assert!(reply.left[0].contains("`--accept 2`"), "{:?}", reply.left);
        let accept = RepairRequest { accept: vec!["2".to_owned()], ..RepairRequest::default() };
        let reply = case.repair(accept.clone()).await.expect("it is repaired");
        assert!(!reply.comparison.is_equal(), "the table has another type than the accepted file");
        assert!(case.repair(accept).await.expect_err("it needs none").message.contains("needs no repair"));
        case.remove("0_early.sql");
        case.remove("1_parent.sql");
        assert_eq!(
            case.standings().await,
            [("1".to_owned(), Standing::Missing), ("2".to_owned(), Standing::Applied)]
        );
        let forget = RepairRequest { forget: vec!["1".to_owned()], ..RepairRequest::default() };
        assert_eq!(case.repair(forget).await.expect("it is forgotten").changes.len(), 1);
        assert_eq!(case.standings().await, [("2".to_owned(), Standing::Applied)]);
    });
}

/// The second script where the first is not the dialect's.
trait AwaitOr {
    async fn await_or(self, case: &Case, mysql: &str);
}

impl<F: Future<Output = ()>> AwaitOr for F {
    async fn await_or(self, case: &Case, mysql: &str) {
        if case.dialect == Dialect::Mysql { case.run(mysql).await } else { self.await }
    }
}

#[test]
fn a_question_about_what_is_gone_does_not_count() {
    on_each(async |server| {
        let made = "create table child (id integer not null primary key, a integer, b integer);\n";
        let check = "\n-- ========== VERIFY ==========\n-- Rows mean: a row of `child` has no `a`.\n-- Keys: id\n-- select id from child where a is null\n";
        let first = format!("-- dbwright: transaction=one\n\n-- ========== UP ==========\n{made}{check}");
        let second = "alter table child drop column a;\n";
        let case = Case::new(server, "gone", &[("1_child.sql", &first), ("2_drop.sql", second)]).await;
        case.run(made).await;
        case.run(second).await;
        case.baseline(BaselineRequest::default()).await.expect("it agrees");
        let verified = case.verify(false).await;
        assert!(verified.ok, "{verified:#?}");
        let [one] = verified.checks.as_slice() else { panic!("{:?}", verified.checks) };
        assert!(one.is_about_nothing && one.rows.is_none(), "{one:?}");
        assert_eq!(one.error.as_deref(), Some("it is about what a later migration took away"));
        // Where the database is another than the files make it, nobody took it away.
        case.run("create table child_2 (id integer)").await;
        let verified = case.verify(false).await;
        assert!(!verified.ok && !verified.checks[0].is_about_nothing, "{verified:#?}");
    });
}

#[test]
fn an_answer_about_a_statement_is_recorded() {
    on_each(async |server| {
        let three =
            "create table child (a integer);\ninsert into child values (1);\ninsert into child values (2);\n";
        let case = Case::new(server, "answer", &[("1_parent.sql", PARENT), ("2_child.sql", three)]).await;
        case.run(PARENT).await;
        let to = BaselineRequest { to: Some("1".to_owned()), ..BaselineRequest::default() };
        case.baseline(to).await.expect("it agrees");
        case.run("create table child (a integer)").await;
        case.run(
            "insert into dbwright_migrations (version, description, file, checksum, content, kind, state, statements_done, \
             statements, statement_before, error, applied_by, host, process, program) values ('2', 'child', 'm/2_child.sql', \
             '', '', 'migration', 'failed', 1, 3, 'x', 'it broke', 'a', 'h', 1, 'p')",
        )
        .await;
        let status = case.status().await;
        let line = &status.migrations[1];
        assert_eq!(
            (line.standing, line.statements_done, line.error.as_deref()),
            (Some(Standing::Unfinished), Some(1), Some("it broke"))
        );
        // Its file is not the one that was begun, and every word about it leads out.
        let left =
            case.repair(RepairRequest::default()).await.expect("nothing is to be recorded").left.concat();
        assert!(left.contains("its file was edited since") && left.contains("--forget 2"), "{left}");
        let accept = RepairRequest { accept: vec!["2".to_owned()], ..RepairRequest::default() };
        let refused = case.repair(accept).await.expect_err("not all of it was run");
        assert!(refused.message.contains("`2` is unfinished"), "{}", refused.message);
        let notes = status.notes.concat();
        assert!(notes.contains("`up` does not go on with it") && notes.contains("--forget 2"), "{notes}");
        let answer = |answer| RepairRequest { statement: Some(answer), ..RepairRequest::default() };
        let redo = case.repair(answer(StatementAnswer::Redo)).await.expect("it is recorded");
        assert_eq!(redo.changes[0].says, "Statement 2 of 3 of `2` will be run again.");
        case.repair(answer(StatementAnswer::Done)).await.expect("it is recorded");
        assert_eq!(case.status().await.migrations[1].statements_done, Some(2));
        let last = case.repair(answer(StatementAnswer::Done)).await.expect("it is recorded");
        assert!(last.changes[0].says.contains("counts as applied"), "{last:?}");
        assert!(case.repair(answer(StatementAnswer::Done)).await.is_err(), "nothing is unfinished");
    });
}

#[test]
fn roles_that_files_only_name_are_on_the_scratch_server() {
    on_each(async |server| {
        if server.engine() != Engine::Postgres {
            return;
        }
        let made = "create role scratch_made; grant select on t to scratch_made;\n";
        let named = "grant select on parent to scratch_named; alter table t owner to \"scratch Owner\";\n";
        let files = [("1_parent.sql", PARENT), ("2_t.sql", T), ("3_made.sql", made), ("4_named.sql", named)];
        let case = Case::new(server, "roles", &files).await;
        case.run("drop role if exists scratch_made, scratch_named, \"scratch Owner\"").await;
        case.run(&format!(
            "create role scratch_named; create role \"scratch Owner\"; {PARENT}{T}{made}{named}"
        ))
        .await;
        case.baseline(BaselineRequest::default()).await.expect("it agrees");
        let verified = case.verify(true).await;
        assert!(verified.ok && verified.evidence.starts_with("a scratch "), "{verified:#?}");
        let request =
            SquashRequest { place: case.place(), name: "all".to_owned(), ..SquashRequest::default() };
        let (reply, ..) =
            squash::plan(&request, &Config::default(), &case.world()).await.expect("everything is applied");
        assert_eq!(reply.proof.len(), 2, "{:?}", reply.proof);
        case.run("drop table t, parent; drop role scratch_made, scratch_named, \"scratch Owner\"").await;
    });
}

#[test]
fn a_squash_makes_what_its_parts_made() {
    on_each(async |server| {
        let three = "insert into parent (id) values (1);\nalter table t add column b integer;\n";
        let files = [
            ("1_parent.sql", PARENT),
            ("2_t.sql", T),
            ("3_b.sql", three),
            ("4_c.sql", "alter table t add column c integer;\n"),
        ];
        let case = Case::new(server, "squash", &files).await;
        let request = |to: &str| SquashRequest {
            place: case.place(),
            to: Some(to.to_owned()),
            name: "all".to_owned(),
            ..SquashRequest::default()
        };
        case.run(&format!("{PARENT}{T}{three}")).await;
        let to = BaselineRequest { to: Some("3".to_owned()), ..BaselineRequest::default() };
        case.baseline(to).await.expect("it agrees");
        let plan = async |to: &str| squash::plan(&request(to), &Config::default(), &case.world()).await;
        let Err(refused) = plan("3").await else { panic!("a file is pending") };
        assert!(refused.message.contains("such as `4`"), "{refused}");
        case.remove("4_c.sql");
        let (reply, squash, situation) = plan("3").await.expect("everything is applied");
        assert_eq!(reply.comparison.differences, [], "{}", reply.text);
        assert_eq!(reply.proof.len(), 2, "{:?}", reply.proof);
        assert!(reply.proof[1].contains("2 tables and the same number of rows (1)"), "{:?}", reply.proof);
        squash::carry_out(&reply, &squash, &consent::given(Word::Flag, &situation.dsn))
            .await
            .expect("it is done");
        assert_eq!(case.listed(), ["3_all.sql"]);
        assert_eq!(case.standings().await, [("3".to_owned(), Standing::Applied)]);
        let verified = case.verify(true).await;
        assert!(verified.ok, "{verified:#?}");

        // Another database on which the old files were run is told by a repair.
        let other = Case::new(server, "squashed", &files[..3]).await;
        other.run(&format!("{PARENT}{T}{three}")).await;
        other.baseline(BaselineRequest::default()).await.expect("it agrees");
        for (name, _) in &files[..3] {
            other.remove(name);
        }
        other.files(&[("3_all.sql", &reply.text)]);
        assert_eq!(
            other.standings().await,
            [
                ("1".to_owned(), Standing::Replaced),
                ("2".to_owned(), Standing::Replaced),
                ("3".to_owned(), Standing::Replaces),
            ]
        );
        other.repair(RepairRequest::default()).await.expect("it is told");
        assert_eq!(other.standings().await, [("3".to_owned(), Standing::Applied)]);
    });
}
