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

use super::Places;
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
directory=$1 install=$2 base=$3 common=$4
shift 4
trap '' INT HUP TERM PIPE
server=
if "$install" --no-defaults --basedir="$base" --datadir="$directory/data" --auth-root-authentication-method=normal \
    --skip-test-db --skip-name-resolve --tmpdir="$directory" $common </dev/null >"$directory/log" 2>&1
then
    "$@" --basedir="$base" --datadir="$directory/data" $common </dev/null >"$directory/log" 2>&1 &
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
    /// Starts a server of the first installation that the places hold, with an empty database directory, and waits until
    /// it answers.
    pub fn start(places: &Places, options: &MariadbOptions) -> Result<Self, MariadbError> {
        let installation = Installation::find(places)?;
        let directory = private_directory()?;
        let started = Self::start_in(&directory, &installation, options);
        if started.is_err() {
            let _ = fs::remove_dir_all(&directory);
        }
        started
    }

    fn start_in(
        directory: &Path,
        installation: &Installation,
        options: &MariadbOptions,
    ) -> Result<Self, MariadbError> {
        let socket = directory.join("s");
        let common: Vec<&str> = LIGHT.into_iter().chain(user_argument()).collect();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", KEEPER, "dbwright-mariadb"])
            .arg(directory)
            .arg(&installation.install)
            .arg(&installation.base)
            .arg(common.join(" "))
            .arg(&installation.server)
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
        let made =
            MariadbServer { directory: directory.to_owned(), socket, version: installation.version, keeper };
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

/// What an installation of MariaDB has to start a server.
#[derive(Debug, PartialEq, Eq)]
struct Installation {
    version: Version,
    /// The program of the server.
    server: PathBuf,
    /// The program that makes a directory of databases.
    install: PathBuf,
    /// The folder below which its messages and the tables of a new server lie.
    base: PathBuf,
}

impl Installation {
    /// The first in the order of the places.
    fn find(places: &Places) -> Result<Self, MariadbError> {
        let directories = places.binary_directories();
        let servers = directories.iter().flat_map(|folder| SERVERS.map(|name| folder.join(name)));
        let mut programs = servers.filter(|file| is_program(file));
        let (version, server) = programs
            .find_map(|file| {
                let file = fs::canonicalize(file).ok()?;
                Some((version_of(&file)?, file))
            })
            .ok_or(MariadbError::Missing { program: SERVERS[0] })?;
        let base = server.ancestors().nth(2).unwrap_or(Path::new("/")).to_path_buf();
        // What makes the directory is of the same installation where it has such a program.
        let own = [base.join("bin"), base.join("scripts")];
        let install = own
            .iter()
            .chain(&directories)
            .flat_map(|folder| INSTALLERS.map(|name| folder.join(name)))
            .find(|file| is_program(file))
            .ok_or(MariadbError::Missing { program: INSTALLERS[0] })?;
        Ok(Installation { version, server, install, base })
    }
}

/// Names of the server's program.
const SERVERS: [&str; 2] = ["mariadbd", "mysqld"];
/// Names of the program that makes a directory of databases.
const INSTALLERS: [&str; 2] = ["mariadb-install-db", "mysql_install_db"];

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The version of a server of MariaDB. One of Oracle's prints its version alike, but its directory is made in another way.
fn version_of(server: &Path) -> Option<Version> {
    let output = Command::new(server).args(["--no-defaults", "--version"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.contains("MariaDB").then(|| text.split("Ver").nth(1).and_then(Version::parse)).flatten()
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

    fn places() -> Places {
        Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn a_server_goes_with_its_owner() {
        let begun = Instant::now();
        let server = MariadbServer::start(&places(), &MariadbOptions::default())
            .expect("install the package mariadb-server");
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
        let error =
            MariadbServer::start(&places(), &options).expect_err("the setting does not exist").to_string();
        assert!(error.contains("no-such-setting"), "{error}");
    }

    #[test]
    fn servers_are_looked_for_in_the_places_and_nowhere_else() {
        let root = std::env::temp_dir().join(format!("dbwright-found-{}", std::process::id()));
        let program = |path: &str, says: &str| {
            let file = root.join(path);
            fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("it can be made");
            fs::write(&file, format!("#!/bin/sh\necho '{says}'\n")).expect("it can be written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        };
        let found = |folder: &str| {
            Installation::find(&Places { directories: vec![root.join(folder)], temporary: root.clone() })
        };
        program("oracle/bin/mysqld", "mysqld  Ver 8.4.0 for Linux on x86_64 (MySQL Community Server - GPL)");
        program("all/maria/bin/mariadbd", "mariadbd  Ver 11.4.99-MariaDB for Linux on x86_64");
        program("all/maria/scripts/mariadb-install-db", "");
        let base = fs::canonicalize(root.join("all/maria")).expect("it was made");
        let expected = Installation {
            version: Version::new(11, 4, 99),
            server: base.join("bin/mariadbd"),
            install: base.join("scripts/mariadb-install-db"),
            base,
        };
        for folder in ["all", "all/maria"] {
            assert_eq!(found(folder).ok().as_ref(), Some(&expected), "{folder}");
        }
        for folder in ["oracle", "nowhere"] {
            assert!(matches!(found(folder), Err(MariadbError::Missing { .. })), "{folder}");
        }
        fs::remove_dir_all(&root).expect("it is ours");
    }
}
