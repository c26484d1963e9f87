//! Migrations as a chain of statements, each with the state that it finds and what it does.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::{Extension, Function, Publication, Sequence, Table, UserType, View};
use crate::change::Change;
use crate::effect::{Effects, RelationEffect};
use crate::engine::Engine;
use crate::finding::{EvidenceLevel, Location};
use crate::name::{Name, QualifiedName};

/// Statements in the order in which they are run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// The files, in the order in which they are applied.
    pub files: Vec<ChainFile>,
    /// The statements of all files.
    pub statements: Vec<ChainStatement>,
    /// Whether the state before the first statement is known: an empty database or a catalog.
    #[serde(default)]
    pub starts_known: bool,
    /// What the history of a database says of the files; `None` when none was compared with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// How the files stand to the history that a migration tool keeps in a database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The tool.
    pub tool: String,
    /// Its table.
    pub table: QualifiedName,
    /// Versions that were applied and that no file has, the oldest first.
    #[serde(default)]
    pub without_file: Vec<String>,
    /// Files that are no longer what was applied, in their order; of most tools that is not known, and none is named.
    #[serde(default)]
    pub edited: Vec<String>,
}

/// One file of a chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChainFile {
    /// Its name as the user knows it.
    pub name: String,
    /// The tool that it is written for; `None` for a plain file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Name>,
    /// How its statements are put into transactions.
    #[serde(default)]
    pub wrap: Wrap,
    /// Whether it is judged. Files that were applied before are folded only.
    #[serde(default = "yes")]
    pub judged: bool,
    /// Whether a way back is written for it: an undo file or section; `None` where the tool knows no such thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_undo: Option<bool>,
    /// Whether the database has had it; `None` when no database was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<bool>,
    /// The other engine that it seems to be written for; `None` where nothing speaks against the one it is read as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<Looks>,
    /// Set where it is a part that is not run, since its tool runs it on other engines only. It has no statements then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}

/// A part of a file that its tool runs on other engines only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its first line, from 1.
    pub line: u32,
    /// What it is and what it is for, as a fragment: "the changeset `a:1` is for `mysql` only".
    pub because: String,
}

/// What a text seems to be written for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    /// The engine, one for each dialect.
    pub engine: Engine,
    /// What tells, as it is shown: `` `ENGINE = INNODB` ``.
    pub mark: String,
    /// Whether no other engine takes that.
    pub sure: bool,
}

/// How the statements of a file are put into transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrap {
    /// One transaction, unless a statement cannot run in one: then each statement stands by itself.
    #[default]
    Auto,
    /// The tool opens one transaction for the file, whatever is in it.
    Transaction,
    /// The tool sends the whole file as one query text: several statements share the transaction that the server makes
    /// of them, a single one stands by itself.
    OneQuery,
    /// Each statement stands by itself, unless the file opens a transaction.
    None,
}

/// One statement of a chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChainStatement {
    /// Position of its file in [`Chain::files`].
    pub file: usize,
    /// Where it begins.
    pub location: Location,
    /// Its text without the terminator.
    pub sql: String,
    /// What it changes, in order.
    pub changes: Vec<Change>,
    /// Why it, or a part of it, was not analysed, as a lower-case fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_analysed: Option<String>,
    /// The transaction it runs in, counted through the chain; `None` when it stands by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u32>,
    /// What it does.
    pub effects: Effects,
    /// What `effects` rests on.
    pub evidence_level: EvidenceLevel,
    /// Relations and types in `effects`, or named by the statement, that the judged migrations made themselves, so that
    /// nobody waits for them and they hold no rows but their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_relations: Vec<QualifiedName>,
    /// Relations like these that were made already by what the judged files held before they were edited, so that others
    /// use them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_before: Vec<QualifiedName>,
    /// The tables that the statement names and those in `effects` as it finds them, where they are known; in SQLite also
    /// those that refer to a table that it drops or renames.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "shared")]
    pub tables: Vec<Arc<Table>>,
    /// Settings of the session in force, by name: those the chain itself has set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(Name, String)>,
    /// Why the server that it was tried on refused it, in the server's words, where every server would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Why it was not traced although that was asked for, as a lower-case fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_traced: Option<String>,
    /// What else it finds.
    #[serde(default, skip_serializing_if = "Surroundings::is_empty")]
    pub around: Surroundings,
}

/// What a statement finds beside tables: what it names, what depends on that, who else gets it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Surroundings {
    /// Views that it names.
    pub views: Vec<View>,
    /// Sequences that it names.
    pub sequences: Vec<Sequence>,
    /// Types that it names.
    pub types: Vec<UserType>,
    /// Functions of the name of one that it makes, whatever their arguments.
    pub functions: Vec<Function>,
    /// Publications of the tables that it names.
    pub publications: Vec<Publication>,
    /// Extensions that it drops.
    pub extensions: Vec<Extension>,
    /// The number of policies of the table whose row security it sets.
    pub policies: usize,
    /// The columns that the query of a view that it makes gives; empty where they are not known.
    pub view_columns: Vec<Name>,
    /// The default partition of the table that it attaches to or detaches from.
    pub default_partition: Option<QualifiedName>,
    /// Views of MySQL that read a table or column that it drops or renames, which the server lets happen.
    pub readers: Vec<QualifiedName>,
    /// What depends on the objects that it drops or on the function that it replaces: fragments such as "view `v`".
    pub dependants: Vec<String>,
}

impl Surroundings {
    fn is_empty(&self) -> bool {
        *self == Surroundings::default()
    }
}

impl Chain {
    /// The statements of files that are judged, with their positions.
    pub fn judged(&self) -> impl Iterator<Item = (usize, &ChainStatement)> {
        self.statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| self.files.get(statement.file).is_none_or(|file| file.judged))
    }

    /// The file of a statement.
    pub fn file_of(&self, statement: &ChainStatement) -> Option<&ChainFile> {
        self.files.get(statement.file)
    }

    /// The other statements that run in the same transaction and come before the statement at a position. Statements of
    /// a transaction, and of a file, stand beside each other, so that only they are looked at.
    pub fn earlier_in_transaction(&self, position: usize) -> impl Iterator<Item = &ChainStatement> {
        let transaction = self.statements.get(position).and_then(|statement| statement.transaction);
        let before = &self.statements[..position.min(self.statements.len())];
        let begin = match transaction {
            Some(_) => {
                before.iter().rposition(|other| other.transaction != transaction).map_or(0, |at| at + 1)
            }
            None => before.len(),
        };
        before[begin..].iter()
    }

    /// The other statements of the same file that come before the statement at a position.
    pub fn earlier_in_file(&self, position: usize) -> &[ChainStatement] {
        let before = &self.statements[..position.min(self.statements.len())];
        let Some(file) = self.statements.get(position).map(|statement| statement.file) else { return &[] };
        let begin = before.iter().rposition(|other| other.file != file).map_or(0, |at| at + 1);
        &before[begin..]
    }
}

impl ChainStatement {
    /// Whether a relation was made by the judged migrations themselves.
    pub fn is_new(&self, relation: &QualifiedName) -> bool {
        self.new_relations.contains(relation)
    }

    /// Effects on relations that others use.
    pub fn felt(&self) -> impl Iterator<Item = &RelationEffect> {
        self.effects.relations.iter().filter(|effect| !self.is_new(&effect.relation))
    }

    /// Effects on relations that others use and whose blocking grows with their size.
    pub fn blocking(&self) -> impl Iterator<Item = &RelationEffect> {
        self.felt().filter(|effect| effect.blocks_in_proportion_to_size())
    }

    /// A touched table as the statement finds it; the schema may be left out.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.iter().map(Arc::as_ref).find(|table| name.may_mean(&table.name))
    }

    /// A setting of the session that the chain has set before this statement, names compared without regard to case.
    pub fn setting(&self, name: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(other, _)| other.eq_ignore_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn yes() -> bool {
    true
}

/// Tables that several statements find unchanged are kept once.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::catalog::Table;

    pub fn serialize<S: Serializer>(tables: &[Arc<Table>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tables.iter().map(Arc::as_ref))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<Table>>, D::Error> {
        Ok(Vec::<Table>::deserialize(deserializer)?.into_iter().map(Arc::new).collect())
    }
}
