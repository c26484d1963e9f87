//! Refusals of scratch servers, and whether the target would refuse too.

use dbwright_engine::mysql::observe::Refusal;
use dbwright_engine::postgres::observe::ObservedError;

/// A statement that a scratch server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The server's words.
    pub message: String,
    /// Its code: an SQLSTATE, or MariaDB's number; empty where there is none.
    pub code: String,
    /// What the refusal rests on.
    pub fault: Fault,
}

/// What a refusal rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The statement and the state that it finds: every server refuses it there.
    Statement,
    /// Something that is not there. It may be there on the target, unless the whole state is known.
    Absent,
    /// The statement stands in a transaction and must not.
    InTransaction,
    /// What only the scratch server lacks, such as an extension.
    Scratch,
    /// The connection was lost.
    Connection,
}

impl Failure {
    /// A failure of the scratch server itself.
    pub(crate) fn of_scratch(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: String::new(), fault: Fault::Scratch }
    }

    /// Whether the target refuses the statement too; `complete` tells whether everything that is there on the target is
    /// there on the scratch server.
    pub fn is_certain(&self, complete: bool) -> bool {
        match self.fault {
            Fault::Statement | Fault::InTransaction => true,
            Fault::Absent => complete,
            Fault::Scratch | Fault::Connection => false,
        }
    }
}

impl From<ObservedError> for Failure {
    fn from(error: ObservedError) -> Self {
        let ObservedError { sqlstate, message } = error;
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let fault = match sqlstate.as_str() {
            "" => Fault::Connection,
            "25001" => Fault::InTransaction,
            // Installed libraries, roles and label providers are no part of a database.
            _ if says(&[
                "is not available",
                "extension control file",
                "could not access file",
                "could not load library",
                "is not supported in this build",
                "not supported by this build",
                "shared_preload_libraries",
            ]) =>
            {
                Fault::Scratch
            }
            "42704" if message.starts_with("role ") || message.starts_with("tablespace ") => Fault::Scratch,
            "42P01" | "42703" | "42704" | "42883" | "3F000" | "3D000" | "42P02" => Fault::Absent,
            // Lock timeouts, cancelled statements, missing resources, files, internal errors.
            code if ["40", "53", "55P03", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
                Fault::Scratch
            }
            _ => Fault::Statement,
        };
        Failure { message, code: sqlstate, fault }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let fault = match refusal.code {
            0 => Fault::Connection,
            // Databases, tables, columns, routines, keys that are not there.
            1008 | 1049 | 1051 | 1054 | 1091 | 1109 | 1146 | 1176 | 1305 | 1360 | 4092 => Fault::Absent,
            // Storage engines, plugins, definers, privileges, waits, settings, resources.
            1044 | 1045 | 1205 | 1213 | 1227 | 1286 | 1290 | 1449 | 1524 | 1969 | 1021 | 1040 | 1041
            | 1114 | 1317 => Fault::Scratch,
            _ => Fault::Statement,
        };
        Failure { message: refusal.message, code: refusal.code.to_string(), fault }
    }
}

impl Failure {
    /// SQLite's refusal.
    pub(super) fn of_sqlite(message: String) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let fault = if says(&["no such module", "no such collation", "no such function", "interrupted"])
            || says(&["unable to open database"])
        {
            Fault::Scratch
        } else if says(&[
            "no such table",
            "no such column",
            "no such index",
            "no such view",
            "no such trigger",
        ]) {
            Fault::Absent
        } else if says(&["within a transaction"]) {
            Fault::InTransaction
        } else {
            Fault::Statement
        };
        Failure { message, code: String::new(), fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_scratch_server_lacks_is_no_certain_failure() {
        let check = |sqlstate: &str, message: &str, complete: bool, certain: bool| {
            let error = ObservedError { sqlstate: sqlstate.to_owned(), message: message.to_owned() };
            assert_eq!(Failure::from(error).is_certain(complete), certain, "{sqlstate} {message}");
        };
        check("42701", "column \"a\" of relation \"t\" already exists", false, true);
        check("42P01", "relation \"t\" does not exist", false, false);
        check("42P01", "relation \"t\" does not exist", true, true);
        check("42704", "role \"app\" does not exist", true, false);
        check("0A000", "extension \"postgis\" is not available", true, false);
        check("0A000", "cannot alter type of a column used by a view or rule", true, true);
        check("55P03", "canceling statement due to lock timeout", true, false);
        let sqlite =
            |message: &str, complete: bool| Failure::of_sqlite(message.to_owned()).is_certain(complete);
        assert!(!sqlite("no such module: fts5", true));
        assert!(!sqlite("no such table: t", false));
        assert!(sqlite("duplicate column name: a", false));
        let mariadb = |code: u16| Failure::from(Refusal { code, message: String::new() }).is_certain(false);
        assert!(mariadb(1060) && !mariadb(1146) && !mariadb(1286));
    }
}
