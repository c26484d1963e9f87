//! What is wrong, where, how that is known, and what to do about it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName, join};
use crate::remedy::Remedy;

/// How bad a finding is. Ordered: a note is less than an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Will cost time, money or correctness some day.
    Warning,
    /// Data loss, wrong results, exposure or an outage follow.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

/// What a finding rests on. Ordered from the weakest to the strongest.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceLevel {
    /// One file's text alone.
    #[default]
    Text,
    /// A catalog: live, recorded, or folded from a chain of files.
    Catalog,
    /// Something executed and observed: rows counted, a statement traced, a plan taken.
    Traced,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A guess from names.
    Low,
    /// A strong sign with known exceptions.
    Medium,
    /// It follows from the facts.
    High,
}

/// One fact a finding rests on, shown as `name: value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was looked at: `rows`, `query`, `index`, `measured on`.
    pub name: String,
    /// What was seen.
    pub value: String,
}

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Kinds of object a finding can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// The server.
    Server,
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A table.
    Table,
    /// A column or several.
    Column,
    /// A constraint.
    Constraint,
    /// An index.
    Index,
    /// A view or materialised view.
    View,
    /// A sequence.
    Sequence,
    /// A type or domain.
    Type,
    /// A routine.
    Function,
    /// A trigger.
    Trigger,
    /// A row security policy.
    Policy,
    /// An extension.
    Extension,
    /// A role.
    Role,
    /// A setting.
    Setting,
    /// A replication slot.
    Slot,
    /// A session.
    Session,
    /// A statement of the workload or of a file.
    Statement,
    /// A line of pg_hba.conf.
    HbaLine,
    /// A file.
    File,
}

/// The object of a finding. Its text is stable: keys for suppression are made of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Kind.
    pub kind: ObjectKind,
    /// The table-like object it is or belongs to, where there is one.
    pub parent: Option<QualifiedName>,
    /// Its own name within the parent, or its only name; empty when it is the parent itself.
    pub name: String,
}

impl ObjectRef {
    fn new(kind: ObjectKind, parent: Option<&QualifiedName>, name: impl Into<String>) -> Self {
        ObjectRef { kind, parent: parent.cloned(), name: name.into() }
    }

    /// The server itself.
    pub fn server() -> Self {
        ObjectRef::new(ObjectKind::Server, None, "server")
    }

    /// A database.
    pub fn database(name: &Name) -> Self {
        ObjectRef::new(ObjectKind::Database, None, name.as_str())
    }

    /// A schema; the default one is called `schema`.
    pub fn schema(name: &Name) -> Self {
        ObjectRef::new(ObjectKind::Schema, None, if name.is_empty() { "schema" } else { name.as_str() })
    }

    /// A table.
    pub fn table(name: &QualifiedName) -> Self {
        ObjectRef::new(ObjectKind::Table, Some(name), "")
    }

    /// A view.
    pub fn view(name: &QualifiedName) -> Self {
        ObjectRef::new(ObjectKind::View, Some(name), "")
    }

    /// A column: `orders.customer_id`.
    pub fn column(table: &QualifiedName, column: &Name) -> Self {
        ObjectRef::new(ObjectKind::Column, Some(table), format!(".{column}"))
    }

    /// Several columns: `orders(a, b)`.
    pub fn columns<'a>(table: &QualifiedName, columns: impl IntoIterator<Item = &'a Name>) -> Self {
        ObjectRef::new(ObjectKind::Column, Some(table), format!("({})", join(columns)))
    }

    /// A constraint of a table.
    pub fn constraint(table: &QualifiedName, constraint: &str) -> Self {
        ObjectRef::new(ObjectKind::Constraint, Some(table), format!(" constraint {constraint}"))
    }

    /// An index of a table.
    pub fn index(table: &QualifiedName, index: &Name) -> Self {
        ObjectRef::new(ObjectKind::Index, Some(table), format!(" index {index}"))
    }

    /// A sequence.
    pub fn sequence(name: &QualifiedName) -> Self {
        ObjectRef::new(ObjectKind::Sequence, Some(name), "")
    }

    /// A type or domain.
    pub fn user_type(name: &QualifiedName) -> Self {
        ObjectRef::new(ObjectKind::Type, Some(name), "")
    }

    /// A routine with its argument types.
    pub fn function(name: &QualifiedName, arguments: &str) -> Self {
        ObjectRef::new(ObjectKind::Function, Some(name), format!("({arguments})"))
    }

    /// A trigger of a table.
    pub fn trigger(table: &QualifiedName, trigger: &Name) -> Self {
        ObjectRef::new(ObjectKind::Trigger, Some(table), format!(" trigger {trigger}"))
    }

    /// A policy of a table.
    pub fn policy(table: &QualifiedName, policy: &Name) -> Self {
        ObjectRef::new(ObjectKind::Policy, Some(table), format!(" policy {policy}"))
    }

    /// An extension.
    pub fn extension(name: &Name) -> Self {
        ObjectRef::new(ObjectKind::Extension, None, format!("extension {name}"))
    }

    /// A role.
    pub fn role(name: &Name) -> Self {
        ObjectRef::new(ObjectKind::Role, None, format!("role {name}"))
    }

    /// A setting.
    pub fn setting(name: &str) -> Self {
        ObjectRef::new(ObjectKind::Setting, None, format!("setting {name}"))
    }

    /// A replication slot.
    pub fn slot(name: &Name) -> Self {
        ObjectRef::new(ObjectKind::Slot, None, format!("slot {name}"))
    }

    /// A session.
    pub fn session(id: i64) -> Self {
        ObjectRef::new(ObjectKind::Session, None, format!("session {id}"))
    }

    /// A statement by its identifier.
    pub fn statement(id: &str) -> Self {
        ObjectRef::new(ObjectKind::Statement, None, format!("statement {id}"))
    }

    /// A line of pg_hba.conf.
    pub fn hba_line(line: u32) -> Self {
        ObjectRef::new(ObjectKind::HbaLine, None, format!("pg_hba.conf line {line}"))
    }

    /// A file.
    pub fn file(path: &str) -> Self {
        ObjectRef::new(ObjectKind::File, None, path)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.parent {
            write!(f, "{parent}")?;
        }
        f.write_str(&self.name)
    }
}

/// What a rule found: facts and words, before the service gives it a key, a place and SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What it is about.
    pub object: ObjectRef,
    /// One sentence: what is the case and what follows from it.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// How that was learnt.
    pub evidence_level: EvidenceLevel,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do.
    pub remedy: Option<Remedy>,
    /// Where it stands, for findings about files.
    pub location: Option<Location>,
    /// Findings with the same cause are shown together; empty when the finding is its own cause.
    pub cause: String,
    /// How many places this finding stands for: above 1 for a finding reported once as a convention.
    pub count: u64,
    /// Whether it threatens the data or the service as a whole and caps the score.
    pub critical: bool,
}
