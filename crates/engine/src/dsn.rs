//! Targets: which server or file, as whom, and how the connection is protected. Secrets cannot be printed.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use dbwright_model::engine::Dialect;
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
    /// The word before `://` by which targets of this kind are shown.
    pub scheme: &'static str,
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

/// Which family of server a text speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Postgres,
    Mysql,
}

impl Family {
    fn port(self) -> u16 {
        match self {
            Family::Postgres => 5432,
            Family::Mysql => 3306,
        }
    }

    fn user(self) -> &'static str {
        match self {
            Family::Postgres => "postgres",
            Family::Mysql => "root",
        }
    }

    fn default_host(self) -> Host {
        match self {
            Family::Postgres => Host::Unix(PathBuf::from("/var/run/postgresql")),
            Family::Mysql => Host::Tcp("localhost".to_owned()),
        }
    }
}

/// The parts of a target as far as the text says them.
#[derive(Default)]
struct Parts {
    host: Option<Host>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<SecretString>,
    database: Option<String>,
    mode: Option<TlsMode>,
    root_certificate: Option<PathBuf>,
}

/// Parameters that other clients and drivers know and that make no difference here.
const HARMLESS: &[&str] = &[
    "application_name",
    "fallback_application_name",
    "options",
    "connect_timeout",
    "pgbouncer",
    "schema",
    "currentschema",
    "search_path",
    "statement_cache_size",
    "statement-cache-capacity",
    "prepared_statements",
    "pool_size",
    "pool_timeout",
    "pool_max_conns",
    "connection_limit",
    "max_connections",
    "client_encoding",
    "charset",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "target_session_attrs",
    "load_balance_hosts",
    "sslcompression",
    "sslsni",
    "timezone",
    "parsetime",
    "loc",
    "collation",
    "socket_timeout",
];

impl Dsn {
    /// The dialect that is spoken there.
    pub fn dialect(&self) -> Dialect {
        match self {
            Dsn::Postgres(_) => Dialect::Postgres,
            Dsn::Mysql(_) => Dialect::Mysql,
            Dsn::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Reads a target: `postgres://`, `postgresql://`, `mysql://`, `mariadb://`, `sqlite:`, libpq's
    /// `host=... dbname=...`, or the path of an SQLite file. Error texts never hold a password.
    pub fn parse(text: &str) -> Result<Dsn, DsnError> {
        Dsn::with(text, &|_| None)
    }

    /// The same, with what the text does not say taken from variables: `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`,
    /// `PGDATABASE`, `PGSSLMODE`, `PGSSLROOTCERT`; `MYSQL_PWD`, `MYSQL_HOST`, `MYSQL_TCP_PORT`.
    pub fn with_environment(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Dsn, DsnError> {
        Dsn::with(text, variable)
    }

    fn with(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Dsn, DsnError> {
        let text = text.trim();
        if text.is_empty() {
            return wrong("the target is empty");
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let family = match scheme.to_ascii_lowercase().as_str() {
                "postgres" | "postgresql" => Family::Postgres,
                "mysql" | "mariadb" => Family::Mysql,
                "sqlite" | "sqlite3" | "file" => return sqlite(rest),
                _ => {
                    return wrong(&format!(
                        "`{}://` is not a kind of target; write `postgres://`, `mysql://`, `mariadb://` or `sqlite:`",
                        printable(scheme)
                    ));
                }
            };
            let mut dsn = Parts::of_url(family, rest)?.finish(family, variable)?;
            if let Dsn::Mysql(server) = &mut dsn
                && scheme.eq_ignore_ascii_case("mariadb")
            {
                server.scheme = "mariadb";
            }
            return Ok(dsn);
        }
        if let Some(rest) = text.strip_prefix("sqlite:").or_else(|| text.strip_prefix("file:")) {
            return sqlite(rest);
        }
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        if let Some(scheme @ ("postgres" | "postgresql" | "mysql" | "mariadb")) = scheme.as_deref() {
            return wrong(&format!("the target begins with `{scheme}:`; write `{scheme}://`"));
        }
        if is_keyword_form(text) {
            return Parts::of_keywords(text)?.finish(Family::Postgres, variable);
        }
        sqlite(text)
    }
}

fn wrong<T>(message: &str) -> Result<T, DsnError> {
    Err(DsnError(message.to_owned()))
}

/// A word from the text that is safe to show: nothing behind `=` or `@`, which may be a secret.
fn printable(word: &str) -> String {
    word.chars().take_while(|c| !matches!(c, '=' | '@' | ':') && !c.is_control()).take(40).collect()
}

fn sqlite(rest: &str) -> Result<Dsn, DsnError> {
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    if path.is_empty() {
        return wrong("the target names no file");
    }
    if path == ":memory:" || path == "/:memory:" || rest.contains("mode=memory") {
        return wrong(
            "a database in memory belongs to its process and cannot be read from here; name a file",
        );
    }
    // Plain paths are taken as they are written.
    Ok(Dsn::Sqlite(PathBuf::from(path)))
}

/// Whether the text begins with a keyword of libpq and an equals sign.
fn is_keyword_form(text: &str) -> bool {
    let Some((word, _)) = text.split_once('=') else { return false };
    matches!(
        word.trim_end(),
        "host"
            | "hostaddr"
            | "port"
            | "dbname"
            | "user"
            | "password"
            | "sslmode"
            | "sslrootcert"
            | "service"
            | "channel_binding"
            | "gssencmode"
    ) || HARMLESS.contains(&word.trim_end())
}

fn percent_decoded(text: &str, what: &str) -> Result<String, DsnError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return wrong(&format!(
                "the {what} holds `%` without two hexadecimal digits; write `%25` for `%`"
            ));
        };
        bytes.push(byte);
        rest = &after[2..];
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => wrong(&format!("the {what} is not text")),
    }
}

impl Parts {
    fn of_url(family: Family, rest: &str) -> Result<Parts, DsnError> {
        let mut parts = Parts::default();
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A password may hold a slash that somebody forgot to encode; the last `@` ends the user part.
        let (login, rest) = match rest.rfind('@') {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        if let Some(login) = login {
            let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
            if !user.is_empty() {
                parts.user = Some(percent_decoded(user, "user")?);
            }
            if let Some(password) = password.filter(|password| !password.is_empty()) {
                parts.password = Some(SecretString::from(percent_decoded(password, "password")?));
            }
        }
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        if !database.is_empty() {
            parts.database = Some(percent_decoded(database, "database")?);
        }
        parts.authority(family, authority)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.set(family, &percent_decoded(name, "parameter")?, percent_decoded(value, "parameter")?)?;
        }
        Ok(parts)
    }

    fn authority(&mut self, family: Family, authority: &str) -> Result<(), DsnError> {
        if authority.contains(',') {
            return wrong("the target names several hosts; name one");
        }
        let (host, port) = if let Some(inside) = authority.strip_prefix('[') {
            let Some((host, after)) = inside.split_once(']') else {
                return wrong("the address begins with `[` and has no `]`");
            };
            if host.parse::<Ipv6Addr>().is_err() && !host.starts_with('/') && !host.contains('%') {
                return wrong("the address in brackets is not an IPv6 address");
            }
            (host, after.strip_prefix(':').unwrap_or(after))
        } else {
            authority.split_once(':').unwrap_or((authority, ""))
        };
        if !host.is_empty() {
            self.set_host(family, percent_decoded(host, "host")?);
        }
        if !port.is_empty() {
            self.set_port(port)?;
        }
        Ok(())
    }

    fn set_host(&mut self, family: Family, host: String) {
        self.host = Some(match host {
            path if path.starts_with('/') => Host::Unix(PathBuf::from(path)),
            // An abstract socket, which `libpq` writes with an `@`.
            path if family == Family::Postgres && path.starts_with('@') => Host::Unix(PathBuf::from(path)),
            name => Host::Tcp(name),
        });
    }

    fn set_port(&mut self, port: &str) -> Result<(), DsnError> {
        match port.parse() {
            Ok(port) if port > 0 => self.port = Some(port),
            _ => {
                return wrong(
                    "the port is not a number from 1 to 65535; encode `:`, `/` and `@` in a password",
                );
            }
        }
        Ok(())
    }

    fn of_keywords(text: &str) -> Result<Parts, DsnError> {
        let mut parts = Parts::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let Some((name, after)) = rest.split_once('=') else {
                return wrong("a word in the target has no `=` behind it");
            };
            let after = after.trim_start();
            let (value, left) = keyword_value(after)?;
            parts.set(Family::Postgres, name.trim(), value)?;
            rest = left.trim_start();
        }
        Ok(parts)
    }

    fn set(&mut self, family: Family, name: &str, value: String) -> Result<(), DsnError> {
        match name.to_ascii_lowercase().as_str() {
            "host" | "hostaddr" if value.contains(',') => {
                return wrong("the target names several hosts; name one");
            }
            "host" | "hostaddr" => self.set_host(family, value),
            "socket" | "unix_socket" | "socketpath" => self.host = Some(Host::Unix(PathBuf::from(value))),
            "port" => self.set_port(&value)?,
            "user" | "username" => self.user = Some(value),
            "password" => self.password = Some(SecretString::from(value)),
            "dbname" | "database" => self.database = Some(value),
            "sslmode" | "ssl-mode" | "ssl_mode" | "tls" | "ssl" => self.mode = Some(tls_mode(&value)?),
            "sslrootcert" | "ssl-ca" | "ssl_ca" | "sslcert_ca" => match value.as_str() {
                // libpq's word for the system's own authorities.
                "system" => self.mode = Some(TlsMode::VerifyFull),
                _ => self.root_certificate = Some(PathBuf::from(value)),
            },
            // Prisma's word for a certificate that must be right.
            "sslaccept" => match value.to_ascii_lowercase().as_str() {
                "strict" => self.mode = Some(TlsMode::VerifyFull),
                "accept_invalid_certs" => {}
                _ => return wrong("`sslaccept` is `strict` or `accept_invalid_certs`"),
            },
            known @ ("channel_binding" | "gssencmode") => {
                if value.eq_ignore_ascii_case("require") {
                    return wrong(&format!(
                        "`{known}=require` asks for a protection that dbwright does not have; ask for \
                         `sslmode=verify-full` instead"
                    ));
                }
            }
            "sslcert" | "sslkey" | "ssl-cert" | "ssl-key" => {
                return wrong(&format!(
                    "`{name}` is not supported: log in by password instead of a certificate"
                ));
            }
            "service" | "servicefile" | "passfile" => {
                return wrong(&format!("`{name}` is not supported: write the parts of the target out"));
            }
            known if HARMLESS.contains(&known) => {}
            _ => {
                return wrong(&format!(
                    "the parameter `{}` is not known; known are `host`, `port`, `user`, `password`, `dbname`, \
                     `sslmode` and `sslrootcert`",
                    printable(name)
                ));
            }
        }
        Ok(())
    }

    fn finish(self, family: Family, variable: &dyn Fn(&str) -> Option<String>) -> Result<Dsn, DsnError> {
        let mut parts = self;
        let filled = |name: &str| variable(name).filter(|value| !value.is_empty());
        let [host, port, user, password, database] = match family {
            Family::Postgres => ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"],
            Family::Mysql => ["MYSQL_HOST", "MYSQL_TCP_PORT", "", "MYSQL_PWD", ""],
        };
        if parts.host.is_none()
            && let Some(host) = filled(host)
        {
            parts.set_host(family, host);
        }
        if parts.port.is_none()
            && let Some(port) = filled(port)
        {
            parts.set_port(&port)?;
        }
        if family == Family::Postgres && parts.mode.is_none() {
            parts.mode = filled("PGSSLMODE").map(|mode| tls_mode(&mode)).transpose()?;
        }
        if family == Family::Postgres && parts.root_certificate.is_none() {
            parts.root_certificate = filled("PGSSLROOTCERT").map(PathBuf::from);
        }
        let user = parts.user.or_else(|| filled(user)).unwrap_or_else(|| family.user().to_owned());
        let database = parts.database.or_else(|| filled(database));
        let server = ServerDsn {
            scheme: match family {
                Family::Postgres => "postgres",
                Family::Mysql => "mysql",
            },
            host: parts.host.unwrap_or_else(|| family.default_host()),
            port: parts.port.unwrap_or_else(|| family.port()),
            password: parts.password.or_else(|| filled(password).map(SecretString::from)),
            // As with libpq, the database of PostgreSQL is called like the user unless said otherwise.
            database: database.unwrap_or_else(|| match family {
                Family::Postgres => user.clone(),
                Family::Mysql => String::new(),
            }),
            user,
            tls: Tls { mode: parts.mode.unwrap_or_default(), root_certificate: parts.root_certificate },
        };
        Ok(match family {
            Family::Postgres => Dsn::Postgres(server),
            Family::Mysql => Dsn::Mysql(server),
        })
    }
}

/// One value of the keyword form, quoted or plain, and what follows it.
fn keyword_value(text: &str) -> Result<(String, &str), DsnError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            c if !quoted && c.is_whitespace() => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    if quoted { wrong("a quoted value in the target has no end") } else { Ok((value, "")) }
}

fn tls_mode(text: &str) -> Result<TlsMode, DsnError> {
    Ok(match text.to_ascii_lowercase().replace('_', "-").as_str() {
        "disable" | "disabled" | "false" | "0" => TlsMode::Disable,
        // `allow` would try without first; encrypting first protects more and reaches the same servers.
        "prefer" | "preferred" | "allow" => TlsMode::Prefer,
        "require" | "required" | "true" | "1" => TlsMode::Require,
        "verify-ca" => TlsMode::VerifyCa,
        "verify-full" | "verify-identity" => TlsMode::VerifyFull,
        _ => {
            return wrong(
                "`sslmode` is none of `disable`, `prefer`, `require`, `verify-ca` and `verify-full`",
            );
        }
    })
}

impl fmt::Display for Dsn {
    /// The target without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = match self {
            Dsn::Postgres(server) | Dsn::Mysql(server) => server,
            Dsn::Sqlite(path) => return write!(f, "{}", path.display()),
        };
        let scheme = server.scheme;
        match &server.host {
            Host::Tcp(host) if host.contains(':') => {
                write!(f, "{scheme}://{}@[{host}]:{}/{}", server.user, server.port, server.database)
            }
            Host::Tcp(host) => {
                write!(f, "{scheme}://{}@{host}:{}/{}", server.user, server.port, server.database)
            }
            Host::Unix(path) => {
                write!(f, "{scheme}://{}@[{}]/{}", server.user, path.display(), server.database)
            }
        }
    }
}

#[cfg(test)]
mod tests;
