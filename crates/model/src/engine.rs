//! Database engines, their dialects and their versions.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A server product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// Oracle's MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
}

/// A family of SQL text: MySQL and MariaDB share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// PostgreSQL's SQL.
    Postgres,
    /// The SQL of MySQL and MariaDB.
    Mysql,
    /// SQLite's SQL.
    Sqlite,
}

impl Engine {
    /// Every engine, in the order in which reports name them.
    pub const ALL: [Engine; 4] = [Engine::Postgres, Engine::Mysql, Engine::Mariadb, Engine::Sqlite];

    /// The dialect the engine speaks.
    pub fn dialect(self) -> Dialect {
        match self {
            Engine::Postgres => Dialect::Postgres,
            Engine::Mysql | Engine::Mariadb => Dialect::Mysql,
            Engine::Sqlite => Dialect::Sqlite,
        }
    }

    /// The lower-case word used in options, files and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Mysql => "mysql",
            Engine::Mariadb => "mariadb",
            Engine::Sqlite => "sqlite",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Mysql => "MySQL",
            Engine::Mariadb => "MariaDB",
            Engine::Sqlite => "SQLite",
        })
    }
}

/// A server version as three numbers. PostgreSQL 15.4 is `15.4.0`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Version {
    /// The first number: PostgreSQL's major version.
    pub major: u16,
    /// The second number: PostgreSQL's minor version.
    pub minor: u16,
    /// The third number; 0 for PostgreSQL.
    pub patch: u16,
}

impl Version {
    /// A version from its three numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Version { major, minor, patch }
    }

    /// The first numbers in a text such as `15.4 (Debian 15.4-1)`, `10.11.14-MariaDB` or `18beta1`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let mut numbers = [0u16; 3];
        let mut rest = digits;
        for (i, slot) in numbers.iter_mut().enumerate() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if end == 0 {
                if i == 0 {
                    return None;
                }
                break;
            }
            *slot = rest[..end].parse().ok()?;
            rest = match rest[end..].strip_prefix('.') {
                Some(rest) => rest,
                None => break,
            };
        }
        Some(Version { major: numbers[0], minor: numbers[1], patch: numbers[2] })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_server_texts() {
        assert_eq!(Version::parse("PostgreSQL 15.18 (Debian)"), Some(Version::new(15, 18, 0)));
        assert_eq!(Version::parse("10.11.14-MariaDB-0+deb12u2"), Some(Version::new(10, 11, 14)));
        assert_eq!(Version::parse("18beta1"), Some(Version::new(18, 0, 0)));
        assert_eq!(Version::parse("3.53.1"), Some(Version::new(3, 53, 1)));
        assert_eq!(Version::parse("none"), None);
    }
}
