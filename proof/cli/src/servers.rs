//! Scratch servers with accounts that have passwords.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dbwright_engine::dsn::Dsn;
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::mariadb::{MariadbOptions, MariadbServer};
use dbwright_engine::scratch::postgres::{
    Installation, PostgresServer, ServerOptions, closest, installations,
};

use crate::{Sandbox, runtime};

/// The PostgreSQL of the distribution, which brings `pg_dump` and `pg_basebackup`, or the nearest there is.
pub fn postgres_installation() -> Installation {
    let installed = installations(&Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))));
    let whole = installed.iter().find(|one| one.binaries.join("pg_basebackup").is_file());
    whole
        .or_else(|| closest(&installed, 15))
        .expect("no PostgreSQL is installed: run scripts/install-test-servers")
        .clone()
}

/// The newest PostgreSQL installed.
fn newest() -> Installation {
    let installed = installations(&Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))));
    installed.last().expect("no PostgreSQL is installed: run scripts/install-test-servers").clone()
}

/// Where the newest PostgreSQL is, in the form of `DBWRIGHT_SERVERS`.
pub fn newest_folder() -> String {
    let binaries = newest().binaries;
    format!("{}:{}", binaries.parent().unwrap_or(&binaries).display(), binaries.display())
}

/// A PostgreSQL server that asks everybody but its superuser for a password.
pub struct Postgres {
    /// The server.
    pub server: PostgresServer,
}

impl Postgres {
    /// Starts one.
    pub fn start(sandbox: &Sandbox, settings: &[(&str, &str)]) -> Self {
        let hba = sandbox.file(
            "server/pg_hba.conf",
            "local replication all trust\nlocal all postgres trust\nlocal all all scram-sha-256\n",
        );
        for path in [hba.parent().expect("it lies in a folder"), &hba] {
            let mode = if path.is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        let mut all = vec![("hba_file".to_owned(), hba.display().to_string())];
        all.extend(settings.iter().map(|(name, value)| (String::from(*name), String::from(*value))));
        let options = ServerOptions { settings: all, ..ServerOptions::default() };
        let server = PostgresServer::start(&postgres_installation(), &options).expect("the server starts");
        Postgres { server }
    }

    /// Starts the newest version installed, which asks nobody for a password.
    pub fn newest() -> Self {
        let server = PostgresServer::start(&newest(), &ServerOptions::default()).expect("the server starts");
        Postgres { server }
    }

    /// Makes a database and runs a script in it.
    pub fn database(&self, name: &str, script: &str) {
        runtime().block_on(async {
            self.server.create_database(name).await.expect("a database");
            let mut session = crate::write(&self.server.dsn(name)).await;
            session.script(script).await.expect("the script is right");
        });
    }

    /// Answers of one column, as text.
    pub fn ask(&self, database: &str, sql: &str) -> Vec<String> {
        runtime().block_on(async {
            let client = self.server.client(database).await.expect("a session");
            let rows = client.simple_query(sql).await.expect("the query is right");
            rows.iter()
                .filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        Some(row.get(0).unwrap_or("null").to_owned())
                    }
                    _ => None,
                })
                .collect()
        })
    }

    /// The folder of its socket.
    pub fn folder(&self) -> PathBuf {
        self.server.data_directory().parent().expect("it lies in a folder").to_owned()
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder().join(".s.PGSQL.5432")
    }

    /// A target as users write it; `login` is a user, or a user and a password with `:` between.
    pub fn target(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@/{database}?host={}", self.folder().display())
    }
}

/// A MariaDB server with databases `shop` and, empty, `other`.
pub struct Mariadb {
    /// The server.
    pub server: MariadbServer,
}

impl Mariadb {
    /// Starts one and runs a script on it.
    pub fn start(settings: &[(&str, &str)], script: &str) -> Self {
        let settings =
            settings.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
        let options = MariadbOptions { settings, ..MariadbOptions::default() };
        let server =
            MariadbServer::start(&Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR"))), &options)
                .expect("no MariaDB is installed: run scripts/install-test-servers");
        let made = Mariadb { server };
        runtime().block_on(async {
            let mut session = crate::write(&made.dsn()).await;
            session.script(script).await.expect("the script is right");
        });
        made
    }

    fn dsn(&self) -> Dsn {
        self.server.dsn("")
    }

    /// Answers of a query, columns with a space between.
    pub fn ask(&self, sql: &str) -> Vec<String> {
        use mysql_async::prelude::Queryable;
        runtime().block_on(async {
            let options = mysql_async::OptsBuilder::default()
                .socket(Some(self.socket().display().to_string()))
                .user(Some("root"));
            let mut connection = mysql_async::Conn::new(options).await.expect("a session");
            let rows: Vec<mysql_async::Row> = connection.query(sql).await.expect("the query is right");
            let text = |value: mysql_async::Value| {
                mysql_async::from_value_opt::<String>(value).unwrap_or_else(|_| "null".to_owned())
            };
            rows.into_iter()
                .map(|row| row.unwrap().into_iter().map(text).collect::<Vec<_>>().join(" "))
                .collect()
        })
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        self.server.socket()
    }

    /// A target as users write it; `login` is a user, or a user and a password with `:` between.
    pub fn target(&self, login: &str, database: &str) -> String {
        format!("mysql://{login}@localhost/{database}?socket={}", self.socket().display())
    }
}

/// A standby that follows a PostgreSQL server and refuses to be written to.
pub struct Standby {
    folder: PathBuf,
    child: std::process::Child,
}

impl Standby {
    /// Copies the server and starts the copy; `None` where `pg_basebackup` is not installed.
    pub fn follow(primary: &Postgres) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        use std::os::unix::process::CommandExt;
        use std::process::{Command, Stdio};
        let binaries = primary.server.installation().binaries.clone();
        if !binaries.join("pg_basebackup").is_file() {
            return None;
        }
        let owner = fs::metadata(primary.server.data_directory()).expect("it is there");
        let folder = primary.folder().join("standby");
        let as_owner = |program: &str| {
            let mut command = Command::new(binaries.join(program));
            command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
            if crate::is_root() {
                command.uid(owner.uid()).gid(owner.gid());
            }
            command
        };
        let copied = as_owner("pg_basebackup")
            .args(["-U", "postgres", "-R", "--checkpoint=fast", "--no-sync", "-X", "stream", "-h"])
            .arg(primary.folder())
            .arg("-D")
            .arg(&folder)
            .output()
            .expect("it runs");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let child = as_owner("postgres")
            .arg("-D")
            .arg(&folder)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c"])
            .arg(format!("unix_socket_directories={}", folder.display()))
            .args(["-c", &format!("hba_file={}/pg_hba.conf", folder.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let standby = Standby { folder, child };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let ready = |text: String| text.lines().nth(7).is_some_and(|line| line.trim() == "ready");
        while !fs::read_to_string(standby.folder.join("postmaster.pid")).is_ok_and(ready) {
            assert!(std::time::Instant::now() < deadline, "the standby does not come up");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Some(standby)
    }

    /// The target of one of its databases.
    pub fn target(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.folder.display())
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let process = i32::try_from(self.child.id()).expect("processes have small numbers");
        // SAFETY: the child was not waited for yet, so the number is its own.
        unsafe { libc::kill(process, libc::SIGQUIT) };
        let _ = self.child.wait();
    }
}
