//! Throw-away PostgreSQL servers.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dbwright_model::engine::Version;

use super::{Places, ScratchError, on_lasting_thread, usual_temporary};
use crate::dsn::{Dsn, Host, ServerDsn, Tls, TlsMode};

/// PostgreSQL binaries of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The version.
    pub version: Version,
    /// The directory that holds `postgres` and `initdb`.
    pub binaries: PathBuf,
}

/// How a scratch server is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Whether autovacuum runs. Off, so that what is measured stays as it was made.
    pub autovacuum: bool,
    /// Sessions allowed.
    pub max_connections: u16,
    /// Further settings; they win over the ones chosen here.
    pub settings: Vec<(String, String)>,
    /// Where the data directory is made.
    pub temporary: PathBuf,
}

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
            autovacuum: false,
            max_connections: 30,
            settings: Vec::new(),
            temporary: usual_temporary(),
        }
    }
}

/// A running scratch server. It ends when dropped.
#[derive(Debug)]
pub struct PostgresServer {
    installation: Installation,
    directory: PathBuf,
    child: Child,
}

/// Longest time for a server to come up.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Longest time for a server to go down before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(5);
pub(crate) const DIRECTORY_PREFIX: &str = "dbwright-pg-";
const TEMPLATE_PREFIX: &str = "dbwright-template-pg-";

/// Finds PostgreSQL installations: the first of each version, oldest version first.
pub fn installations(places: &Places) -> Vec<Installation> {
    let mut found: Vec<Installation> = Vec::new();
    for directory in places.binary_directories() {
        // Links such as those of `/usr/local/bin` lead to the directory that holds all binaries.
        let Ok(server) = fs::canonicalize(directory.join("postgres")) else { continue };
        let Some(binaries) = server.parent().map(Path::to_path_buf) else { continue };
        if found.iter().any(|one| one.binaries == binaries) || !binaries.join("initdb").is_file() {
            continue;
        }
        let Ok(output) = Command::new(&server).arg("--version").output() else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(version) = Version::parse(&text).filter(|_| output.status.success()) else { continue };
        found.push(Installation { version, binaries });
    }
    found.sort_by_key(|one| one.version);
    found.dedup_by_key(|one| one.version);
    found
}

/// The installation of a major version, or else the nearest newer one, or else the newest.
pub fn closest(installations: &[Installation], major: u16) -> Option<&Installation> {
    installations.iter().find(|one| one.version.major >= major).or(installations.last())
}

/// The installation in some places that is nearest to a version, or else the newest there.
pub fn nearest(places: &Places, wanted: Option<Version>) -> Result<Installation, ScratchError> {
    let installed = installations(places);
    let chosen = match wanted {
        Some(wanted) => closest(&installed, wanted.major),
        None => installed.last(),
    };
    chosen.cloned().ok_or_else(|| ScratchError::new("no PostgreSQL server was found on this machine"))
}

impl PostgresServer {
    /// Starts a server on a fresh, empty cluster.
    pub fn start(installation: &Installation, options: &ServerOptions) -> Result<Self, ScratchError> {
        remove_leftovers(&options.temporary);
        let account = Account::of_server()?;
        let directory = new_directory(&options.temporary)?;
        let started = prepare_data(installation, options, &directory, account)
            .and_then(|()| launch(installation, options, &directory, account));
        match started {
            Ok(child) => {
                // From here on dropping the server cleans up, also when it does not come up.
                let mut server = PostgresServer { installation: installation.clone(), directory, child };
                server.wait_until_ready()?;
                Ok(server)
            }
            Err(error) => {
                let _ = fs::remove_dir_all(&directory);
                Err(error)
            }
        }
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.installation.version
    }

    /// The binaries that run.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The process identifier of the server.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// The data directory.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The target of one of its databases, as its superuser.
    pub fn dsn(&self, database: &str) -> Dsn {
        self.dsn_as("postgres", database)
    }

    /// The target of one of its databases, as any user; nobody needs a password.
    pub fn dsn_as(&self, user: &str, database: &str) -> Dsn {
        Dsn::Postgres(ServerDsn {
            scheme: "postgres",
            host: Host::Unix(self.directory.clone()),
            port: 5432,
            user: user.to_owned(),
            password: None,
            database: database.to_owned(),
            tls: Tls { mode: TlsMode::Disable, root_certificate: None },
        })
    }

    /// A connection to one of its databases that may do everything.
    pub async fn client(&self, database: &str) -> Result<tokio_postgres::Client, ScratchError> {
        let (client, connection) =
            self.config(database).connect(tokio_postgres::NoTls).await.map_err(|error| {
                ScratchError::new(format!("the scratch server refused a connection: {}", words(&error)))
            })?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// How one connects to one of its databases as its superuser.
    pub(crate) fn config(&self, database: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.directory)
            .port(5432)
            .user("postgres")
            .dbname(database)
            .application_name("dbwright scratch");
        config
    }

    /// Makes a database from the empty template.
    pub async fn create_database(&self, name: &str) -> Result<(), ScratchError> {
        let quoted = name.replace('"', "\"\"");
        self.client("postgres")
            .await?
            .batch_execute(&format!("create database \"{quoted}\" template template0"))
            .await
            .map_err(|error| {
                let why = words(&error);
                ScratchError::new(format!("could not create the scratch database `{name}`: {why}"))
            })
    }

    /// Makes a database as a copy of another one, once the sessions that used that one are gone.
    pub async fn copy_database(&self, from: &str, to: &str) -> Result<(), ScratchError> {
        const IN_USE: &str = "55006";
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let sql = format!("create database {} template {}", quoted(to), quoted(from));
        let client = self.client("postgres").await?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let Err(error) = client.batch_execute(&sql).await else { return Ok(()) };
            let in_use = error.code().is_some_and(|code| code.code() == IN_USE);
            if !in_use || Instant::now() > deadline {
                let why = words(&error);
                return Err(ScratchError::new(format!(
                    "could not copy the scratch database `{from}`: {why}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Drops a database, whoever still uses it.
    pub async fn drop_database(&self, name: &str) -> Result<(), ScratchError> {
        let quoted = name.replace('"', "\"\"");
        self.client("postgres")
            .await?
            .batch_execute(&format!("drop database if exists \"{quoted}\" with (force)"))
            .await
            .map_err(|error| {
                let why = words(&error);
                ScratchError::new(format!("could not drop the scratch database `{name}`: {why}"))
            })
    }

    /// The last lines the server wrote.
    pub fn log_tail(&self) -> String {
        log_tail(&self.directory)
    }

    fn wait_until_ready(&mut self) -> Result<(), ScratchError> {
        let deadline = Instant::now() + START_LIMIT;
        let status_file = self.data_directory().join("postmaster.pid");
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = self.log_tail();
                return Err(ScratchError::new(format!("the scratch server ended with {status}: {log}")));
            }
            // The eighth line of the lock file says how far the server is.
            let ready = fs::read_to_string(&status_file)
                .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"));
            if ready {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = self.log_tail();
                let limit = START_LIMIT.as_secs();
                return Err(ScratchError::new(format!(
                    "the scratch server was not ready after {limit} s: {log}"
                )));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // SIGQUIT asks for an immediate shutdown of the server and all its children. A child that has ended is buried by
        // asking for it, and its number may be another's by now.
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.child.id(), libc::SIGQUIT);
        }
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The account the server runs as. Servers refuse to run as root.
#[derive(Clone, Copy, Debug)]
struct Account {
    /// User and group to change to; `None` to stay who we are.
    change_to: Option<(u32, u32)>,
}

impl Account {
    fn of_server() -> Result<Self, ScratchError> {
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            return Ok(Account { change_to: None });
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let find = |wanted: &str| {
            let line = accounts.lines().find(|line| line.split(':').next() == Some(wanted))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        match find("postgres").or_else(|| find("nobody")) {
            Some(account) => Ok(Account { change_to: Some(account) }),
            None => Err(ScratchError::new(
                "a PostgreSQL server cannot run as root, and neither `postgres` nor `nobody` exists",
            )),
        }
    }

    fn user(self) -> u32 {
        // SAFETY: the call has no preconditions.
        self.change_to.map_or_else(|| unsafe { libc::geteuid() }, |(user, _)| user)
    }

    fn give(self, path: &Path) -> io::Result<()> {
        match self.change_to {
            Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.change_to {
            command.uid(user).gid(group);
        }
        // The server must not see `PGDATA`, `PGPORT` and their like, nor messages in another language.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// What a server says of an error, or where it says nothing the client.
fn words(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

fn signal(process: u32, signal: i32) {
    if let Ok(process) = i32::try_from(process) {
        // SAFETY: the caller has seen that the child still runs or was not waited for yet, so the number is its own.
        unsafe { libc::kill(process, signal) };
    }
}

fn trouble(what: &str, path: &Path) -> impl Fn(io::Error) -> ScratchError {
    let text = format!("could not {what} `{}`", path.display());
    move |error| ScratchError::new(format!("{text}: {error}"))
}

fn new_directory(temporary: &Path) -> Result<PathBuf, ScratchError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let own = || {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        temporary.join(format!("{DIRECTORY_PREFIX}{}-{number}", std::process::id()))
    };
    let mut directory = own();
    // The name of a socket must fit into 107 bytes, its own name included.
    if directory.as_os_str().len() > 85 {
        return Err(ScratchError::new(format!(
            "`{}` is too long a path for the socket of a scratch server",
            temporary.display()
        )));
    }
    loop {
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => return Ok(directory),
            // A process of the same number may have been killed before it could clean up.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => directory = own(),
            Err(error) => return Err(trouble("create", &directory)(error)),
        }
    }
}

/// Removes what processes left behind that were killed.
fn remove_leftovers(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(DIRECTORY_PREFIX)) else {
            continue;
        };
        let Some(process) = owner.split('-').next().and_then(|digits| digits.parse::<i32>().ok()) else {
            continue;
        };
        // SAFETY: signal 0 only asks whether the process exists.
        let gone = unsafe { libc::kill(process, 0) } != 0
            && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
        if gone && !server_runs_in(&entry.path().join("data")) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn server_runs_in(data: &Path) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let Some(Ok(process)) = text.lines().next().map(str::parse::<i32>) else { return false };
    // SAFETY: signal 0 only asks whether the process exists.
    unsafe { libc::kill(process, 0) == 0 }
}

/// Fills the data directory, from a template that is made once per installation.
fn prepare_data(
    installation: &Installation,
    options: &ServerOptions,
    directory: &Path,
    account: Account,
) -> Result<(), ScratchError> {
    account.give(directory).map_err(trouble("hand over", directory))?;
    let data = directory.join("data");
    let template = options.temporary.join(template_name(installation, account));
    if !is_ours(&template, account) {
        let fresh = directory.join("template");
        initialise(installation, &fresh, account)?;
        // Another process may have been quicker, or the name may be taken by somebody else: then this one is used up.
        if template.exists() || fs::rename(&fresh, &template).is_err() {
            return fs::rename(&fresh, &data).map_err(trouble("create", &data));
        }
    }
    copy_tree(&template, &data, account).map_err(trouble("copy the template to", &data))
}

fn template_name(installation: &Installation, account: Account) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    installation.binaries.hash(&mut hasher);
    let Version { major, minor, .. } = installation.version;
    format!("{TEMPLATE_PREFIX}{major}.{minor}-{}-{:x}", account.user(), hasher.finish())
}

/// Whether a template is there that only the server's account could have made.
fn is_ours(template: &Path, account: Account) -> bool {
    fs::symlink_metadata(template).is_ok_and(|metadata| {
        metadata.is_dir() && metadata.uid() == account.user() && metadata.mode() & 0o077 == 0
    }) && template.join("PG_VERSION").is_file()
}

fn initialise(installation: &Installation, data: &Path, account: Account) -> Result<(), ScratchError> {
    let mut complaint = String::new();
    for locale in ["C.UTF-8", "C"] {
        let output = account
            .command(&installation.binaries.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"])
            .arg(format!("--locale={locale}"))
            .arg("--pgdata")
            .arg(data)
            .output()
            .map_err(trouble("run", &installation.binaries.join("initdb")))?;
        if output.status.success() {
            return Ok(());
        }
        complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let _ = fs::remove_dir_all(data);
    }
    Err(ScratchError::new(format!("`initdb` failed: {complaint}")))
}

fn copy_tree(from: &Path, to: &Path, account: Account) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &target, account)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
            account.give(&target)?;
        }
    }
    account.give(to)
}

fn launch(
    installation: &Installation,
    options: &ServerOptions,
    directory: &Path,
    account: Account,
) -> Result<Child, ScratchError> {
    let log_path = directory.join("log");
    let log = fs::File::create(&log_path).map_err(trouble("create", &log_path))?;
    let errors = log.try_clone().map_err(trouble("open", &log_path))?;
    let mut command = account.command(&installation.binaries.join("postgres"));
    command.arg("-D").arg(directory.join("data")).stdout(log).stderr(errors);
    let mut settings: Vec<(String, String)> = [
        ("listen_addresses", ""),
        ("port", "5432"),
        ("unix_socket_permissions", "0700"),
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("shared_buffers", "32MB"),
        ("dynamic_shared_memory_type", "mmap"),
        ("logging_collector", "off"),
        ("log_checkpoints", "off"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    settings.push(("unix_socket_directories".into(), directory.display().to_string()));
    settings.push(("max_connections".into(), options.max_connections.to_string()));
    settings.push(("autovacuum".into(), if options.autovacuum { "on" } else { "off" }.into()));
    settings.extend(options.settings.iter().cloned());
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let parent = std::process::id();
    // SAFETY: the closure runs between fork and exec and only makes system calls that are allowed there.
    unsafe {
        command.pre_exec(move || {
            // A terminal's interrupt is for us, not for the server.
            libc::setpgid(0, 0);
            #[cfg(target_os = "linux")]
            {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGQUIT);
                // We may have been killed before the kernel knew of the wish.
                if u32::try_from(libc::getppid()) != Ok(parent) {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
            }
            Ok(())
        });
    }
    let program = installation.binaries.join("postgres");
    on_lasting_thread(move || command.spawn())
        .ok_or_else(|| ScratchError::new("could not start a thread for scratch servers"))?
        .map_err(trouble("run", &program))
}

fn log_tail(directory: &Path) -> String {
    let text = fs::read(directory.join("log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(5)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_was_left_behind_is_stepped_over_and_every_one_is_private() {
        let temporary = std::env::temp_dir().join(format!("dbwright-left-{}", std::process::id()));
        fs::create_dir_all(&temporary).expect("a folder for temporary files can be written");
        // Whatever numbers other tests have taken by now, one of these is the next.
        for number in 0..200 {
            let left = temporary.join(format!("{DIRECTORY_PREFIX}{}-{number}", std::process::id()));
            fs::create_dir(left).expect("it is new");
        }
        let made = new_directory(&temporary).expect("there is another name");
        let mode = fs::metadata(&made).expect("it was made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::remove_dir_all(&temporary).expect("it is ours");
    }
}
