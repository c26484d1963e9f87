//! The program as its users meet it: the real binary in a folder of its own, with nothing inherited but `PATH`.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use dbwright_engine::dsn::Dsn;
use dbwright_engine::write::{Consent, WriteSession};

pub mod pooler;
pub mod proxy;
pub mod servers;

/// A password that must not be seen anywhere.
pub const SECRET: &str = "m4rkedSecret";

/// Longest time that any command here may take.
const LIMIT: Duration = Duration::from_secs(90);

/// The account that may do nothing, for tests that run as root, whom no permission stops.
const NOBODY: u32 = 65534;

/// The program. It stands beside the folder of this test; it is built when it is missing or older than its sources.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().expect("a running program has a path");
        let folder = test.parent().and_then(Path::parent).expect("tests lie in target/<profile>/deps");
        let path = folder.join("dbwright");
        if !is_fresh(&path) {
            build(folder);
        }
        assert!(path.is_file(), "{} is missing: run `cargo build -p dbwright`", path.display());
        path
    })
}

fn is_fresh(path: &Path) -> bool {
    let Some(built) = changed(path) else { return false };
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    newest(&crates).is_none_or(|source| source <= built)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// When a source of the program was last changed; what only its tests read does not count.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?;
    entries
        .flatten()
        .filter(|entry| entry.file_name() != "tests" && entry.file_name() != "tests.rs")
        .filter_map(
            |entry| if entry.path().is_dir() { newest(&entry.path()) } else { changed(&entry.path()) },
        )
        .max()
}

fn build(folder: &Path) {
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let status = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args(["build", "--quiet", "--workspace", "--bin", "dbwright", "--profile", profile])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env("CARGO_TARGET_DIR", folder.parent().expect("a profile's folder lies in another"))
        .status();
    assert!(
        status.as_ref().is_ok_and(ExitStatus::success),
        "the program is missing or old and could not be built ({status:?}): run `cargo build -p dbwright`"
    );
}

/// A session that may change what was made here.
pub async fn write(dsn: &Dsn) -> WriteSession {
    let consent = Consent::for_scratch(dsn, &std::env::temp_dir()).expect("it was made here");
    WriteSession::open(&consent).await.expect("it opens")
}

/// Whether this process is root.
pub fn is_root() -> bool {
    // SAFETY: the call has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

/// A folder of its own in which the program runs: its working directory, with `tmp` for its temporary files.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Sandbox::new()
    }
}

impl Sandbox {
    /// An empty one, readable for everybody so that servers and other accounts can be sent there.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("dbwright-proof-").tempdir().expect("a folder");
        let sandbox = Sandbox { folder };
        fs::create_dir(sandbox.path("tmp")).expect("it is empty");
        for (path, mode) in [(sandbox.path(""), 0o755), (sandbox.path("tmp"), 0o1777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        sandbox
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.folder.path().to_owned() } else { self.folder.path().join(name) }
    }

    /// Writes a file, folders included.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the sandbox")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// Runs git in it, with no settings of the user's.
    pub fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(self.path(""))
            .env("HOME", self.path(""))
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Makes an SQLite database.
    pub fn sqlite(&self, name: &str, script: &str) -> PathBuf {
        let path = self.path(name);
        runtime().block_on(async {
            let mut session = write(&Dsn::Sqlite(path.clone())).await;
            session.script(script).await.expect("the script is right");
        });
        path
    }

    /// The program with arguments, not yet started.
    pub fn dbwright<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Run {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TMPDIR", self.path("tmp"))
            .env("HOME", self.path(""))
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.path(""));
        Run { command, may_color: false, says: words(arguments), folder: self.path("") }
    }

    /// Runs the program.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Outcome {
        self.dbwright(arguments).run()
    }

    /// Names of what lies in its folder for temporary files. Templates of scratch servers stay there on purpose.
    pub fn leftovers(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("tmp")).expect("it is there");
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with("dbwright-template-")).collect();
        names.sort();
        names
    }
}

fn words<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let words = arguments.iter().map(|word| word.as_ref().to_string_lossy().into_owned());
    words.collect::<Vec<_>>().join(" ")
}

/// Says that a test cannot be made without something that is not installed. Where everything has to be there, that is a
/// failure.
pub fn not_installed(what: &str) {
    let required = std::env::var_os("DBWRIGHT_REQUIRE_SERVERS").is_some();
    assert!(!required, "DBWRIGHT_REQUIRE_SERVERS is set and {what} is not installed");
    println!("{what} is not installed: a part of this test was left out");
}

/// A runtime for what tests do with databases themselves.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The program, about to run.
pub struct Run {
    command: Command,
    may_color: bool,
    says: String,
    folder: PathBuf,
}

impl Run {
    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another folder of the sandbox.
    pub fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(self.folder.join(folder));
        self
    }

    /// Expects escapes in the output.
    pub fn colored(mut self) -> Self {
        self.may_color = true;
        self
    }

    /// Runs as a user whom permissions stop. Needs no change unless this is root.
    pub fn as_nobody(mut self) -> Self {
        if is_root() {
            self.command.uid(NOBODY).gid(NOBODY);
        }
        self
    }

    /// The command itself, for tests with pipes of their own.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Starts it with its output caught.
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = Instant::now();
        let child = self.command.spawn().expect("the program starts");
        Running { child, begun, may_color: self.may_color, says: self.says, folder: self.folder }
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }
}

/// The program while it runs.
pub struct Running {
    child: Child,
    begun: Instant,
    may_color: bool,
    says: String,
    folder: PathBuf,
}

impl Running {
    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        let process = i32::try_from(self.child.id()).expect("processes have small numbers");
        // SAFETY: the child was not waited for yet, so the number is its own.
        unsafe { libc::kill(process, signal) };
    }

    /// Waits for its end, and holds it to what is true of every run: it ends in time, tells no secret, does not panic,
    /// and writes no escapes into pipes.
    pub fn finish(mut self) -> Outcome {
        let drain = |mut from: Box<dyn Read + Send>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                from.read_to_end(&mut bytes).map(|_| bytes).unwrap_or_default()
            })
        };
        let stdout = drain(Box::new(self.child.stdout.take().expect("it is piped")));
        let stderr = drain(Box::new(self.child.stderr.take().expect("it is piped")));
        let (status, peak) = self.wait();
        let outcome = Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: stdout.join().expect("reading does not panic"),
            stderr: stderr.join().expect("reading does not panic"),
            elapsed: self.begun.elapsed(),
            peak,
            says: self.says,
            folder: self.folder,
        };
        outcome.hold(self.may_color);
        outcome
    }

    /// The exit status, and the most memory that was in use.
    fn wait(&self) -> (ExitStatus, u64) {
        let process = i32::try_from(self.child.id()).expect("processes have small numbers");
        let mut status = 0;
        // SAFETY: all-zero bytes are a valid value of this plain structure.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        loop {
            // SAFETY: the child is ours and nobody else waits for it; both structures outlive the call.
            let ended = unsafe { libc::wait4(process, &mut status, libc::WNOHANG, &mut usage) };
            assert!(ended >= 0, "waiting for the program failed");
            if ended > 0 {
                let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
                return (ExitStatus::from_raw(status), peak);
            }
            if self.begun.elapsed() > LIMIT {
                self.signal(libc::SIGKILL);
                panic!("`dbwright {}` was still at work after {LIMIT:?}", self.says);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What came of a run.
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// From start to end.
    pub elapsed: Duration,
    /// The most memory in use, in bytes.
    pub peak: u64,
    says: String,
    folder: PathBuf,
}

impl Outcome {
    fn hold(&self, may_color: bool) {
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let text = String::from_utf8_lossy(bytes);
            let shown = text.chars().take(4000).collect::<String>();
            for word in ["panicked at", "RUST_BACKTRACE", SECRET] {
                assert!(!text.contains(word), "`dbwright {}`: {word} in {name}:\n{shown}", self.says);
            }
            assert!(
                may_color || !text.contains('\u{1b}'),
                "`dbwright {}`: an escape in {name}:\n{shown}",
                self.says
            );
        }
    }

    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("output is UTF-8")
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8(self.stderr.clone()).expect("messages are UTF-8")
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        let text = self.out();
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("`dbwright {}`: {error}:\n{text}{}", self.says, self.err()))
    }

    /// The same, held to an exit code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "`dbwright {}` (signal {:?}):\n{}{}",
            self.says,
            self.signal,
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr)
        );
        self
    }

    /// Command, exit code and messages in one text for a snapshot, the sandbox called `[DIR]`.
    pub fn transcript(&self) -> String {
        let code = self.code.map_or_else(|| format!("signal {:?}", self.signal), |code| code.to_string());
        let output = match self.stdout.len() {
            0 => "",
            _ => "(and output)\n",
        };
        let text = format!("$ dbwright {}\n{}{output}exit {code}\n", self.says, self.err());
        text.replace(&self.folder.display().to_string(), "[DIR]")
    }
}

/// Bytes that look like noise, the same in every run.
pub fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Writes `text` as UTF-16 with a mark, the lower byte first.
pub fn utf16(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfe];
    for unit in text.encode_utf16() {
        bytes.write_all(&unit.to_le_bytes()).expect("memory takes everything");
    }
    bytes
}
