//! Throw-away MariaDB servers: private directory, socket only, durability off, gone with their owner.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dbwright_model::engine::Version;

use crate::dsn::{Dsn, Host, ServerDsn, Tls, TlsMode};

pub(crate) const DIRECTORY_PREFIX: &str = "dbwright-maria-";

/// What a throw-away server should be like.
#[derive(Clone, Debug)]
pub struct MariadbOptions {
    /// Settings added to the command line as `--name=value`.
    pub settings: Vec<(String, String)>,
    /// Longest time until it answers.
    pub timeout: Duration,
}

impl Default for MariadbOptions {
    fn default() -> Self {
        MariadbOptions { settings: Vec::new(), timeout: Duration::from_secs(60) }
    }
}

/// Why no server runs.
#[derive(Debug, thiserror::Error)]
pub enum MariadbError {
    /// A program is missing.
    #[error("`{program}` was not found on PATH or in the usual places; install the package `mariadb-server`")]
    Missing {
        /// The program.
        program: &'static str,
    },
    /// A file or process could not be made.
    #[error("{what} failed: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The server or its preparation ended with an error.
    #[error("{what} failed: {log}")]
    Server {
        /// What was tried.
        what: &'static str,
        /// The end of its output.
        log: String,
    },
}

/// A running server. It ends when this value is dropped and when this process ends in whatever way.
#[derive(Debug)]
pub struct MariadbServer {
    directory: PathBuf,
    socket: PathBuf,
    version: Version,
    keeper: Child,
}

/// Makes the data directory, starts the server, waits until its input ends, which happens when the owner drops it or
/// dies, then ends the server and its files. A signal tied to the parent would not do: it follows the thread that
/// started the server, not the process.
const KEEPER: &str = r#"
directory=$1 install=$2 common=$3
shift 3
trap '' INT HUP TERM PIPE
server=
if "$install" --no-defaults --datadir="$directory/data" --auth-root-authentication-method=normal \
    --skip-test-db --skip-name-resolve --tmpdir="$directory" $common </dev/null >"$directory/log" 2>&1
then
    "$@" --datadir="$directory/data" $common </dev/null >"$directory/log" 2>&1 &
    server=$!
fi
echo "$server" 2>/dev/null
read -r nothing
if [ -n "$server" ]; then
    kill -9 "$server" 2>/dev/null
    wait "$server" 2>/dev/null
fi
rm -rf -- "$directory"
"#;

impl MariadbServer {
    /// Starts a server with an empty database directory and waits until it answers.
    pub fn start(options: &MariadbOptions) -> Result<Self, MariadbError> {
        let server = find("mariadbd").or_else(|_| find("mysqld"))?;
        let install = find("mariadb-install-db").or_else(|_| find("mysql_install_db"))?;
        let version = server_version(&server)?;
        let directory = private_directory()?;
        let started = Self::start_in(&directory, &server, &install, version, options);
        if started.is_err() {
            let _ = fs::remove_dir_all(&directory);
        }
        started
    }

    fn start_in(
        directory: &Path,
        server: &Path,
        install: &Path,
        version: Version,
        options: &MariadbOptions,
    ) -> Result<Self, MariadbError> {
        let socket = directory.join("s");
        let common: Vec<&str> = LIGHT.into_iter().chain(user_argument()).collect();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", KEEPER, "dbwright-mariadb"])
            .arg(directory)
            .arg(install)
            .arg(common.join(" "))
            .arg(server)
            .arg("--no-defaults")
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", directory.join("pid").display()))
            .arg(format!("--tmpdir={}", directory.display()))
            .args(["--skip-networking", "--skip-log-bin", "--skip-name-resolve", "--secure-file-priv="])
            .args(options.settings.iter().map(|(name, value)| format!("--{name}={value}")))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut keeper =
            command.spawn().map_err(|source| MariadbError::Io { what: "starting the server", source })?;
        let mut first = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut first);
        }
        let made = MariadbServer { directory: directory.to_owned(), socket, version, keeper };
        if first.trim().is_empty() {
            return Err(MariadbError::Server { what: "mariadb-install-db", log: made.log() });
        }
        made.wait(first.trim(), options.timeout)?;
        Ok(made)
    }

    /// Waits for the greeting that the server sends to whoever connects.
    fn wait(&self, process: &str, timeout: Duration) -> Result<(), MariadbError> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Ok(mut stream) = UnixStream::connect(&self.socket) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                if stream.read_exact(&mut [0; 5]).is_ok() {
                    return Ok(());
                }
            }
            if has_ended(process) || Instant::now() > deadline {
                return Err(MariadbError::Server { what: "the start of mariadbd", log: self.log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of the server's log.
    fn log(&self) -> String {
        tail(&fs::read_to_string(self.directory.join("log")).unwrap_or_default())
    }

    /// The socket to connect to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The user to connect as: it may do everything and has no password.
    pub fn user(&self) -> &str {
        "root"
    }

    /// The target of one of its databases; the empty name is for none.
    pub fn dsn(&self, database: &str) -> Dsn {
        Dsn::Mysql(self.server_dsn(database))
    }

    /// What [`Self::dsn`] holds, for those who speak to servers only.
    pub fn server_dsn(&self, database: &str) -> ServerDsn {
        ServerDsn {
            scheme: "mariadb",
            host: Host::Unix(self.socket.clone()),
            port: 3306,
            user: self.user().to_owned(),
            password: None,
            database: database.to_owned(),
            tls: Tls { mode: TlsMode::Disable, root_certificate: None },
        }
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.version
    }
}

impl Drop for MariadbServer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Settings that make a start quick and a crash irrelevant.
const LIGHT: [&str; 8] = [
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--innodb-use-native-aio=0",
    "--aria-pagecache-buffer-size=8M",
    "--key-buffer-size=8M",
];

/// The server refuses to run as root unless told to by name.
fn user_argument() -> Option<&'static str> {
    let root = fs::metadata("/proc/self").map(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    root.unwrap_or(false).then_some("--user=root")
}

fn find(program: &'static str) -> Result<PathBuf, MariadbError> {
    const USUAL: [&str; 7] = [
        "/usr/sbin",
        "/usr/bin",
        "/usr/libexec",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
        "/usr/local/mysql/bin",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(USUAL.into_iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| {
            fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
        .ok_or(MariadbError::Missing { program })
}

fn server_version(server: &Path) -> Result<Version, MariadbError> {
    let output = Command::new(server)
        .args(["--no-defaults", "--version"])
        .output()
        .map_err(|source| MariadbError::Io { what: "asking mariadbd for its version", source })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // A server of Oracle's prints its version alike, but its directory is made in another way.
    text.contains("MariaDB")
        .then(|| text.split("Ver").nth(1).and_then(Version::parse))
        .flatten()
        .ok_or(MariadbError::Missing { program: "mariadbd" })
}

fn private_directory() -> Result<PathBuf, MariadbError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut base = std::env::temp_dir();
    // The path of a socket must fit into about a hundred bytes.
    if base.as_os_str().len() > 60 {
        base = PathBuf::from("/tmp");
    }
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = base.join(format!("{DIRECTORY_PREFIX}{}-{count}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(MariadbError::Io { what: "making a private directory", source }),
        }
    }
}

/// Whether a process is gone or waits to be buried; unknown counts as running.
fn has_ended(process: &str) -> bool {
    if !Path::new("/proc/self").exists() {
        return false;
    }
    match fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')),
        Err(_) => true,
    }
}

/// The last lines of a log that are more than notes: after an error the server still tells about its shutdown.
fn tail(log: &str) -> String {
    let telling = |line: &&str| !line.trim().is_empty() && !line.contains("[Note]");
    let lines: Vec<&str> = log.lines().filter(telling).collect();
    lines[lines.len().saturating_sub(12)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_goes_with_its_owner() {
        let begun = Instant::now();
        let server =
            MariadbServer::start(&MariadbOptions::default()).expect("install the package mariadb-server");
        eprintln!("started after {:?}", begun.elapsed());
        let directory = server.directory.clone();
        let process = fs::read_to_string(directory.join("pid")).unwrap_or_default();
        assert!(!has_ended(process.trim()));
        assert!(server.version() >= Version::new(10, 2, 0));
        drop(server);
        assert!(has_ended(process.trim()));
        assert!(!directory.exists());
    }

    #[test]
    fn a_wrong_setting_is_reported_with_the_servers_words() {
        let options =
            MariadbOptions { settings: vec![("no-such-setting".into(), "1".into())], ..Default::default() };
        let error = MariadbServer::start(&options).expect_err("the setting does not exist").to_string();
        assert!(error.contains("no-such-setting"), "{error}");
    }
}
