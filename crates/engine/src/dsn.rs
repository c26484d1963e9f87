//! Targets: which server or file, as whom, and how the connection is protected. Secrets cannot be printed.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

/// Where to connect to.
#[derive(Clone, Debug)]
pub enum Dsn {
    /// `postgres://`, `postgresql://`.
    Postgres(ServerDsn),
    /// `mysql://`, `mariadb://`.
    Mysql(ServerDsn),
    /// `sqlite:`, or a path to a database file.
    Sqlite(PathBuf),
}

/// A server.
#[derive(Clone, Debug)]
pub struct ServerDsn {
    /// Host name or address, or the directory (PostgreSQL) or path (MySQL) of a socket.
    pub host: Host,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password; its `Debug` form is redacted.
    pub password: Option<SecretString>,
    /// Database; empty for the server's default.
    pub database: String,
    /// How the connection is protected.
    pub tls: Tls,
}

/// A way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// TCP to a name or address.
    Tcp(String),
    /// A Unix socket: for PostgreSQL its directory, for MySQL the socket itself.
    Unix(PathBuf),
}

/// How a connection is protected, with the usual meanings of `sslmode`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The mode.
    pub mode: TlsMode,
    /// `sslrootcert`: a PEM file of trusted authorities instead of the system's.
    pub root_certificate: Option<PathBuf>,
}

/// Modes of protection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never encrypt.
    Disable,
    /// Encrypt when the server offers it; verify nothing.
    #[default]
    Prefer,
    /// Encrypt or fail; verify nothing unless a root certificate is named.
    Require,
    /// Encrypt and verify the certificate's authority.
    VerifyCa,
    /// Encrypt and verify authority and host name.
    VerifyFull,
}

/// A target that is written wrongly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DsnError(pub String);

impl fmt::Display for Dsn {
    /// The target without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, server) = match self {
            Dsn::Postgres(server) => ("postgres", server),
            Dsn::Mysql(server) => ("mysql", server),
            Dsn::Sqlite(path) => return write!(f, "{}", path.display()),
        };
        match &server.host {
            Host::Tcp(host) => {
                write!(f, "{scheme}://{}@{host}:{}/{}", server.user, server.port, server.database)
            }
            Host::Unix(path) => {
                write!(f, "{scheme}://{}@[{}]/{}", server.user, path.display(), server.database)
            }
        }
    }
}
