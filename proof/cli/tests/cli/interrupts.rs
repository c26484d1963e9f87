//! Interrupts: the program stops at once, says so, and leaves neither files nor servers behind.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use proof_cli::{Outcome, Run, Sandbox};

use super::FLAWED;

/// Interrupts a run some time after its start. `None` when it was done before.
fn interrupt(run: Run, after: Duration, signal: i32) -> (Outcome, Duration) {
    let running = run.start();
    std::thread::sleep(after);
    let begun = Instant::now();
    running.signal(signal);
    (running.finish(), begun.elapsed())
}

/// Processes whose arguments name a folder.
fn processes_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("Linux has it");
    let lines = entries.flatten().filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

fn check_demo(engine: &str, delays: &[u64], patience: Duration) {
    let sandbox = Sandbox::new();
    let temporary = sandbox.path("tmp").display().to_string();
    for (round, delay) in delays.iter().enumerate() {
        let signal = if round % 2 == 0 { libc::SIGINT } else { libc::SIGTERM };
        let run = sandbox.dbwright(&["demo", "--engine", engine]);
        let (outcome, took) = interrupt(run, Duration::from_millis(*delay), signal);
        // Before the first line of `main`, a signal ends any process, and nothing is there to be cleaned up.
        let too_early = outcome.signal == Some(signal) && *delay < 20;
        assert!(too_early || outcome.code == Some(2), "{engine} after {delay} ms: {}", outcome.transcript());
        if !too_early {
            assert_eq!(outcome.err(), "error: interrupted\n", "{engine} after {delay} ms");
            assert!(outcome.stdout.is_empty());
        }
        assert!(took < patience, "{engine} after {delay} ms took {took:?}");
        assert_eq!(sandbox.leftovers(), [""; 0], "{engine} after {delay} ms");
        assert_eq!(processes_in(&temporary), [""; 0], "{engine} after {delay} ms");
    }
}

#[test]
fn a_demonstration_on_sqlite_can_be_interrupted() {
    check_demo("sqlite", &[5, 40, 80, 120, 200], Duration::from_secs(2));
}

#[test]
fn a_demonstration_on_postgres_can_be_interrupted() {
    // The first rounds meet `initdb`, the later ones the filling.
    check_demo("postgres", &[30, 250, 600, 900, 1_200], Duration::from_secs(8));
}

#[test]
fn a_demonstration_on_mariadb_can_be_interrupted() {
    check_demo("mariadb", &[30, 500, 1_500], Duration::from_secs(10));
}

#[test]
fn an_audit_of_a_silent_server_can_be_interrupted() {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    for kind in ["postgres", "mysql"] {
        for signal in [libc::SIGINT, libc::SIGTERM] {
            let target = format!("{kind}://u@127.0.0.1:{port}/d?sslmode=disable");
            let run = sandbox.dbwright(&["audit", &target, "--output", "report.txt"]);
            let (outcome, took) = interrupt(run, Duration::from_millis(200), signal);
            let outcome = outcome.expect(2);
            assert_eq!(outcome.err(), "error: interrupted\n", "{kind}");
            assert!(took < Duration::from_secs(1), "{kind}: {took:?}");
            assert!(!sandbox.path("report.txt").exists());
        }
    }
}

#[test]
fn reading_a_large_file_can_be_interrupted() {
    let sandbox = Sandbox::new();
    let tables = (0..200_000).map(|i| FLAWED.replace("table t", &format!("table t{i}")));
    sandbox.file("large.sql", tables.collect::<Vec<_>>().join("\n"));
    let run = sandbox.dbwright(&["audit", "large.sql", "--output", "report.txt"]);
    let (outcome, took) = interrupt(run, Duration::from_millis(400), libc::SIGINT);
    let outcome = outcome.expect(2);
    assert_eq!(outcome.err(), "error: interrupted\n");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    assert!(!sandbox.path("report.txt").exists());
}

#[test]
fn what_ends_by_itself_leaves_nothing_either() {
    let sandbox = Sandbox::new();
    sandbox.run(&["demo"]).expect(0);
    sandbox.run(&["demo", "--engine", "postgres"]).expect(0);
    assert_eq!(sandbox.leftovers(), [""; 0]);
    assert_eq!(processes_in(&sandbox.path("tmp").display().to_string()), [""; 0]);
}
