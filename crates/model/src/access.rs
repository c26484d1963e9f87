//! Who may do what: roles, privileges, and the rules by which clients are let in.

use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName};

/// A role or account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// Its name; `user@host` in MySQL.
    pub name: Name,
    /// May open a session.
    pub login: bool,
    /// Bypasses every check; in MySQL holds all privileges on everything.
    pub superuser: bool,
    /// May make roles.
    pub create_role: bool,
    /// May make databases.
    pub create_database: bool,
    /// May stream replication.
    pub replication: bool,
    /// Bypasses row security.
    pub bypass_row_security: bool,
    /// Connections allowed; `None` for no limit.
    pub connection_limit: Option<u32>,
    /// When the password expires, as text; `None` for never.
    pub valid_until: Option<String>,
    /// How the password is kept, where that could be read.
    pub password: PasswordStorage,
    /// Roles it is a member of, with whether their rights are inherited.
    #[serde(default)]
    pub member_of: Vec<Membership>,
    /// `ALTER ROLE ... SET` values, `name=value`.
    #[serde(default)]
    pub settings: Vec<(Name, String)>,
}

/// A role's membership in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The other role.
    pub role: Name,
    /// Whether rights flow without `SET ROLE`.
    pub inherits: bool,
    /// Whether membership may be passed on.
    pub admin: bool,
}

/// How a password is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordStorage {
    /// It could not be read.
    #[default]
    Unknown,
    /// There is none.
    None,
    /// MD5, or MySQL's SHA-1 `mysql_native_password`.
    Weak,
    /// SCRAM, `caching_sha2_password`, `ed25519`.
    Strong,
    /// An outside system answers: sockets, PAM, LDAP, Kerberos.
    External,
}

/// One granted right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Kind of object.
    pub object_kind: GrantObject,
    /// The object; functions carry their arguments in the name.
    pub object: QualifiedName,
    /// Who holds it; `public` for everyone.
    pub grantee: Name,
    /// `SELECT`, `EXECUTE`, `CREATE`, ... upper case.
    pub privilege: Name,
    /// Whether it may be passed on.
    pub grantable: bool,
}

/// Kinds of object that rights are granted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantObject {
    /// The whole server (MySQL `*.*`).
    Server,
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A table, view or foreign table.
    Table,
    /// A column.
    Column,
    /// A sequence.
    Sequence,
    /// A routine.
    Function,
    /// Rights that new tables will get.
    DefaultTable,
    /// Rights that new functions will get.
    DefaultFunction,
    /// Rights that other new objects will get.
    DefaultOther,
    /// A language, a foreign server, a large object or anything else.
    Other,
}

/// Everything granted, built-in defaults expanded with the server's own `acldefault()`. Owners' rights over their own
/// objects are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Privileges {
    /// The grants, sorted.
    pub grants: Vec<Grant>,
}

/// The rules of `pg_hba.conf` in the order in which the server tries them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HbaRules {
    /// The rules.
    pub rules: Vec<HbaRule>,
}

/// One line of `pg_hba.conf`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HbaRule {
    /// Line number in the file.
    pub line: u32,
    /// File, where the server says it (16 and later).
    #[serde(default)]
    pub file: Option<String>,
    /// `local`, `host`, `hostssl`, `hostnossl`, `hostgssenc`, `hostnogssenc`.
    pub connection: Name,
    /// Databases; `all`, `sameuser`, `replication` and their like included.
    pub databases: Vec<Name>,
    /// Users; `all` and `+group` included.
    pub users: Vec<Name>,
    /// Address, `all`, `samehost`, `samenet` or a host name; `None` for `local`.
    pub address: Option<Name>,
    /// Netmask, when written or derived.
    pub netmask: Option<Name>,
    /// Authentication method.
    pub method: Name,
    /// Options, `name=value`.
    #[serde(default)]
    pub options: Vec<Name>,
    /// The server's complaint about the line, if it has one.
    #[serde(default)]
    pub error: Option<String>,
}

/// A foreign server and how users are mapped to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMapping {
    /// The foreign server.
    pub server: Name,
    /// The local role; `public` for everyone.
    pub user: Name,
    /// Names of its options; values are never read. `None` where the server keeps them from the role that asks.
    pub options: Option<Vec<Name>>,
}
