//! The dump tools of the three engines.

use std::process::Command;

use dbwright_engine::dsn::{Dsn, Host};

/// What a dump holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Definitions only.
    Schema,
    /// Definitions and rows, in the tool's usual form.
    Rows,
    /// Definitions and rows as `INSERT`.
    Inserts,
}

/// Dumps a database with the tool of its engine; `None` when that is not installed or too old for the server.
pub fn dump(dsn: &Dsn, content: Content) -> Option<Result<String, String>> {
    match dsn {
        Dsn::Postgres(server) => {
            let Host::Unix(directory) = &server.host else { return None };
            let mut command = Command::new("pg_dump");
            command.arg("--host").arg(directory).arg("--port").arg(server.port.to_string());
            command.arg("--username").arg(&server.user).arg(&server.database);
            command.args(match content {
                Content::Schema => &["--schema-only"][..],
                Content::Rows => &[],
                Content::Inserts => &["--inserts"],
            });
            run(command).filter(|result| !is_too_old(result))
        }
        Dsn::Mysql(server) => {
            let Host::Unix(socket) = &server.host else { return None };
            let mut command = Command::new("mariadb-dump");
            command.arg("--no-defaults").arg("--socket").arg(socket).arg("--user").arg(&server.user);
            command.args(["--routines", "--events", "--triggers"]);
            command.args(match content {
                Content::Schema => &["--no-data"][..],
                Content::Rows => &[],
                Content::Inserts => &["--skip-extended-insert"],
            });
            command.arg(&server.database);
            run(command)
        }
        Dsn::Sqlite(path) => {
            let mut command = Command::new("sqlite3");
            command.arg(path).arg(if content == Content::Schema { ".schema" } else { ".dump" });
            run(command)
        }
    }
}

fn run(mut command: Command) -> Option<Result<String, String>> {
    let output = command.output().ok()?;
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Some(Ok(String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn is_too_old(result: &Result<String, String>) -> bool {
    result.as_ref().is_err_and(|error| error.contains("server version mismatch"))
}
