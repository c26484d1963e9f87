//! Migration files as a chain: parsed, put into transactions, folded one statement after the other, and each statement
//! asked what it does to the state it finds.
//!
//! A statement that the server refuses changes nothing, so it is not folded. What comes after it is still judged, as if it
//! had been left out: whoever mends it wants to know of the rest too. But nobody knows what the mended one makes, so from
//! there on what is not known is no longer taken to be absent; and the rest of its transaction, or of its file where it
//! stands in none, which the server would not come to, rests on an assumption that its statements name.

mod earlier;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use dbwright_model::catalog::{Function, Table, Volatility};
use dbwright_model::chain::{Chain, ChainFile, ChainStatement, Wrap};
use dbwright_model::change::{Change, DataKind, TransactionControl};
use dbwright_model::effect::{Cost, Effects, TransactionUse};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::finding::{EvidenceLevel, Location};
use dbwright_model::name::{Name, QualifiedName};

use self::earlier::Earlier;
use crate::effects::{self, Circumstances};
use crate::fold::Folder;
use crate::split::{StatementKind, split};
use crate::suppress::{self, CommentSuppression};
use crate::surroundings;

/// A migration file with its text.
#[derive(Clone, Debug, Default)]
pub struct MigrationFile {
    /// What is known of it.
    pub file: ChainFile,
    /// Its text.
    pub text: String,
}

/// Where a chain starts and how it is looked at.
#[derive(Debug)]
pub struct Start {
    /// The state before the first statement.
    pub before: Folder,
    /// Whether that state is the whole truth: a live or recorded catalog, or an empty database by the user's word.
    pub known: bool,
    /// The server.
    pub circumstances: Circumstances,
    /// Whether the judged files are applied together, so that what an earlier one makes is new to a later one.
    pub together: bool,
    /// The edited ones of the files as they were before, when they may have been applied: what they made then is in use.
    pub earlier: Vec<MigrationFile>,
}

/// What a chain of files tells.
pub struct ReadChain {
    /// The chain.
    pub chain: Chain,
    /// The state after its last statement.
    pub after: Folder,
    /// Suppressions in comments, each with the statement it stands before.
    pub suppressions: Vec<CommentSuppression>,
}

/// Longest statement that is kept whole, in bytes; of longer ones the beginning is kept.
const LONGEST_KEPT: usize = 16 * 1024;

/// Files from which on parsing is done by threads of its own.
const FEW_FILES: usize = 32;

/// Threads that parse.
const WORKERS: usize = 2;

/// Files that a thread hands over at once: waking the other one for each costs more than parsing it.
const PART: usize = 8;

/// Parts that a thread may be ahead by.
const AHEAD: usize = 2;

/// Tables of one statement that are kept as it finds them.
const MOST_TABLES: usize = 8;

/// A statement as it is executed: whole, and in its transaction.
#[derive(Clone, Debug)]
pub struct Scripted<'a> {
    /// Position of its file among the files.
    pub file: usize,
    /// Line of its first word, from 1.
    pub line: u32,
    /// Its text without the terminator.
    pub text: &'a str,
    /// What it changes, in order; empty when its end was not found.
    pub changes: Vec<Change>,
    /// The transaction it runs in, counted as in [`ChainStatement::transaction`].
    pub transaction: Option<u32>,
}

/// The statements of files in the order in which they are executed. Those of judged files are the statements of the chain
/// that [`read`] gives, one by one.
pub fn script<'a>(
    engine: Engine,
    circumstances: &Circumstances,
    files: &'a [MigrationFile],
) -> Vec<Scripted<'a>> {
    let mut reader = Reader::new(from_nothing(engine, *circumstances), files);
    let mut script = Vec::new();
    for (position, file) in files.iter().enumerate() {
        let statements = parse(reader.dialect, file);
        reader.begin(file, &statements);
        for statement in statements {
            let control = control_of(&statement.changes);
            reader.open_by(control);
            script.push(Scripted {
                file: position,
                line: statement.location.line,
                text: statement.text,
                transaction: reader.session.transaction,
                changes: statement.changes,
            });
            reader.close_by(control);
        }
    }
    script
}

/// Reads files in their order.
pub fn read(start: Start, files: &[MigrationFile]) -> ReadChain {
    let mut reader = Reader::new(start, files);
    let dialect = reader.dialect;
    let workers = if files.len() < FEW_FILES { 0 } else { WORKERS };
    let parts: Vec<&[MigrationFile]> = files.chunks(PART).collect();
    // Parsing takes longest and needs nothing of what came before, so that it goes ahead.
    std::thread::scope(|scope| {
        let ahead: Vec<Receiver<Vec<Vec<Parsed<'_>>>>> = (0..workers)
            .filter_map(|worker| {
                let (sender, receiver) = sync_channel(AHEAD);
                let mine = parts.iter().skip(worker).step_by(workers);
                let parse = move || {
                    // Nobody listens any more when the one who folds has failed.
                    let _ = mine.map(|part| parse_all(dialect, part)).try_for_each(|part| sender.send(part));
                };
                std::thread::Builder::new().spawn_scoped(scope, parse).ok().map(|_| receiver)
            })
            .collect();
        for (number, part) in parts.iter().enumerate() {
            let parsed = match ahead.len() == workers && workers > 0 {
                true => ahead[number % workers].recv().ok(),
                false => None,
            };
            let parsed = parsed.unwrap_or_else(|| parse_all(dialect, part));
            for (place, (file, statements)) in part.iter().zip(parsed).enumerate() {
                reader.file(number * PART + place, file, statements);
            }
        }
    });
    ReadChain { chain: reader.chain, after: reader.folder, suppressions: reader.suppressions }
}

struct Reader {
    dialect: Dialect,
    folder: Folder,
    /// An empty database.
    nothing: Folder,
    circumstances: Circumstances,
    together: bool,
    chain: Chain,
    suppressions: Vec<CommentSuppression>,
    /// Relations, indexes and types that the judged statements made.
    created: BTreeSet<QualifiedName>,
    /// Tables as a recorded statement found them last.
    kept: HashMap<QualifiedName, Arc<Table>>,
    earlier: Earlier,
    session: Session,
    /// Transactions opened so far.
    transactions: u32,
    /// The statement that is refused and ends the certainty of what comes after it.
    refused: Option<Refused>,
}

/// A statement that the server refuses.
struct Refused {
    file: usize,
    line: u32,
    transaction: Option<u32>,
}

/// What lasts from one statement to the next.
#[derive(Default)]
struct Session {
    settings: Vec<(Name, String)>,
    local: Vec<(Name, String)>,
    transaction: Option<u32>,
    /// Whether the file itself opened the transaction.
    explicit: bool,
}

struct Parsed<'a> {
    text: &'a str,
    comments: &'a str,
    location: Location,
    changes: Vec<Change>,
    not_analysed: Option<String>,
}

fn control_of(changes: &[Change]) -> Option<TransactionControl> {
    changes.iter().find_map(|change| match change {
        Change::Transaction { control, .. } => Some(*control),
        _ => None,
    })
}

fn parse_all(dialect: Dialect, files: &[MigrationFile]) -> Vec<Vec<Parsed<'_>>> {
    files.iter().map(|file| parse(dialect, file)).collect()
}

fn parse(dialect: Dialect, file: &MigrationFile) -> Vec<Parsed<'_>> {
    let mut statements = Vec::new();
    for statement in split(dialect, &file.text) {
        let (changes, not_analysed) = match statement.kind {
            StatementKind::ClientCommand | StatementKind::CopyData => continue,
            StatementKind::Unterminated => {
                (Vec::new(), Some("a quote or comment is never closed".to_owned()))
            }
            StatementKind::Sql => {
                let changes = crate::parse_statement(dialect, statement.text);
                let opaque = changes.iter().find_map(|change| match change {
                    Change::Opaque { because, .. } => Some(because.clone()),
                    Change::Procedural { kind, .. } => Some(kind.not_analysed().to_owned()),
                    _ => None,
                });
                (changes, opaque)
            }
        };
        statements.push(Parsed {
            text: statement.text,
            comments: statement.leading_comments,
            location: Location {
                file: file.file.name.clone(),
                line: statement.line,
                column: statement.column,
            },
            changes,
            not_analysed,
        });
    }
    statements
}

impl Reader {
    fn new(start: Start, files: &[MigrationFile]) -> Self {
        let Start { before, known, circumstances, together, earlier } = start;
        Reader {
            earlier: Earlier::of(before.engine(), &earlier),
            dialect: before.engine().dialect(),
            nothing: Folder::new(before.engine()).for_version(circumstances.version),
            folder: before.for_version(circumstances.version),
            circumstances,
            together,
            chain: Chain {
                files: files.iter().map(|file| file.file.clone()).collect(),
                starts_known: known,
                ..Chain::default()
            },
            suppressions: Vec::new(),
            created: BTreeSet::new(),
            kept: HashMap::new(),
            session: Session::default(),
            transactions: 0,
            refused: None,
        }
    }

    fn file(&mut self, position: usize, file: &MigrationFile, statements: Vec<Parsed<'_>>) {
        self.begin(file, &statements);
        for statement in statements {
            self.statement(position, file.file.judged, statement);
        }
    }

    /// Opens the transaction that its tool opens for a file.
    fn begin(&mut self, file: &MigrationFile, statements: &[Parsed<'_>]) {
        self.session = Session::default();
        if !self.together {
            self.created.clear();
        }
        let wrapped = match file.file.wrap {
            Wrap::Transaction => true,
            // The other servers make no transaction of what comes as one text, but one tool does that for SQLite.
            Wrap::OneQuery => {
                let tool = file.file.tool.as_ref().map(Name::as_str);
                let together = self.dialect == Dialect::Postgres
                    || (self.dialect == Dialect::Sqlite && tool == Some("golang-migrate"));
                together && statements.len() > 1
            }
            Wrap::None => false,
            Wrap::Auto => !statements.iter().any(|statement| {
                statement.changes.iter().any(|change| matches!(change, Change::Transaction { .. }))
                    || self.runs_outside(&statement.changes)
            }),
        };
        if wrapped {
            self.open(false);
        }
    }

    fn open_by(&mut self, control: Option<TransactionControl>) {
        if control == Some(TransactionControl::Begin) && self.session.transaction.is_none() {
            self.open(true);
        }
    }

    fn close_by(&mut self, control: Option<TransactionControl>) {
        if matches!(control, Some(TransactionControl::Commit | TransactionControl::Rollback)) {
            self.close();
        }
    }

    /// Whether a server refuses a statement inside a transaction, which no catalog is needed for.
    fn runs_outside(&self, changes: &[Change]) -> bool {
        effects::of_statement(&self.nothing, &self.circumstances, changes).transaction
            == TransactionUse::Outside
    }

    fn open(&mut self, explicit: bool) {
        self.transactions += 1;
        self.session.transaction = Some(self.transactions);
        self.session.explicit = explicit;
    }

    fn close(&mut self) {
        self.session.transaction = None;
        self.session.explicit = false;
        self.session.local.clear();
    }

    fn statement(&mut self, file: usize, judged: bool, parsed: Parsed<'_>) {
        self.note_suppressions(&parsed);
        let control = control_of(&parsed.changes);
        self.open_by(control);
        let refused = judged && self.record(file, &parsed);
        self.close_by(control);
        if refused {
            let (line, transaction) = (parsed.location.line, self.session.transaction);
            self.refused.get_or_insert(Refused { file, line, transaction });
            self.keep(parsed.changes);
            return;
        }
        for change in &parsed.changes {
            self.note_setting(change);
            if judged {
                self.note_created(change);
            }
            self.folder.apply(change);
        }
        if judged {
            self.keep(parsed.changes);
        }
    }

    /// Keeps the changes of the statement that was recorded last.
    fn keep(&mut self, changes: Vec<Change>) {
        if let Some(recorded) = self.chain.statements.last_mut() {
            recorded.changes = changes;
        }
    }

    /// The server as the statements before have set it up.
    fn circumstances(&self) -> Circumstances {
        let settings = self.session.local.iter().chain(&self.session.settings);
        let zone = settings.filter(|(name, _)| name.eq_ignore_case("timezone")).map(|(_, zone)| zone).next();
        Circumstances {
            utc: zone.map(|zone| effects::is_utc(zone)).or(self.circumstances.utc),
            known: self.chain.starts_known && self.refused.is_none(),
            ..self.circumstances
        }
    }

    /// Adds a statement with what it does to the state it finds. Whether the server refuses it.
    fn record(&mut self, file: usize, parsed: &Parsed<'_>) -> bool {
        let mut effects = effects::of_statement(&self.folder, &self.circumstances(), &parsed.changes);
        let not_analysed = parsed.not_analysed.clone().or_else(|| self.unseen(&parsed.changes));
        if let Some(because) = &not_analysed {
            effects.assumed.push(because.clone());
        }
        let transaction = self.session.transaction;
        let not_reached = |refused: &&Refused| match refused.transaction {
            Some(_) => refused.transaction == transaction,
            None => refused.file == file,
        };
        if let Some(refused) = self.refused.as_ref().filter(not_reached) {
            effects.assumed.push(format!("the statement in line {} fails and is mended first", refused.line));
        }
        let is_refused = effects.refused.is_some();
        if is_refused {
            // The server refuses before it looks at rows; it waits for its locks all the same.
            effects.relations.iter_mut().for_each(|effect| effect.cost = Cost::Brief);
            effects.demands.clear();
            effects.losses.clear();
        }
        let is_known = |name: &QualifiedName| {
            self.folder.table(name).is_some()
                || self.folder.view(name).is_some()
                || self.folder.sequence(name).is_some()
                || self.folder.index(None, name).is_some()
        };
        let all_known = effects.relations.iter().all(|effect| is_known(&effect.relation));
        let sure = effects.assumed.is_empty() && all_known;
        let named = || parsed.changes.iter().flat_map(surroundings::named);
        let touched = effects.relations.iter().map(|effect| effect.relation.clone());
        let touched: BTreeSet<QualifiedName> =
            touched.chain(named().map(|name| self.folder.full_name(name))).collect();
        let (made_before, touched): (Vec<_>, Vec<_>) =
            touched.into_iter().partition(|name| self.earlier.holds(parsed, name));
        let new_relations = touched.into_iter().filter(|name| self.created.contains(name)).collect();
        let tables = self.touched_tables(&effects, &parsed.changes);
        let mut settings = self.session.settings.clone();
        for (name, value) in &self.session.local {
            set(&mut settings, name, Some(value));
        }
        let kept =
            (0..=LONGEST_KEPT.min(parsed.text.len())).rev().find(|end| parsed.text.is_char_boundary(*end));
        self.chain.statements.push(ChainStatement {
            file,
            location: parsed.location.clone(),
            sql: parsed.text[..kept.unwrap_or(0)].to_owned(),
            // They are moved in when they have been applied.
            changes: Vec::new(),
            not_analysed,
            transaction: self.session.transaction,
            effects,
            evidence_level: if sure { EvidenceLevel::Catalog } else { EvidenceLevel::Text },
            new_relations,
            made_before,
            tables,
            settings,
            around: surroundings::of(&self.folder, &parsed.changes),
            ..ChainStatement::default()
        });
        is_refused
    }

    /// Why a statement that was read does more than its text says: it runs a function that may do anything, or drops what
    /// nobody has named.
    fn unseen(&self, changes: &[Change]) -> Option<String> {
        changes.iter().find_map(|change| match change {
            Change::DropOwned { .. } => {
                Some("it drops whatever the role owns, tables with their rows".to_owned())
            }
            Change::Data { clauses, .. } if self.dialect == Dialect::Postgres => {
                let runs = |called: &&QualifiedName| {
                    let schema = Some(&called.schema).filter(|schema| !schema.is_empty());
                    self.folder.functions(schema, called.name.as_str()).any(|function| {
                        function.extension.is_none()
                            && function.volatility == Volatility::Volatile
                            && !only_reads(function)
                    })
                };
                let called = clauses.calls.iter().find(runs)?;
                Some(format!("a called function, `{called}`, may do anything"))
            }
            _ => None,
        })
    }

    /// The tables in the effects; in SQLite, where a table is dropped or renamed in the course of its rebuild, also the
    /// tables that statements name, and those that refer to them.
    fn touched_tables(&mut self, effects: &Effects, changes: &[Change]) -> Vec<Arc<Table>> {
        let mut kept = std::mem::take(&mut self.kept);
        let mut share = |table: &Table| match kept.get(&table.name) {
            Some(known) if **known == *table => Arc::clone(known),
            _ => {
                let table = Arc::new(table.clone());
                kept.insert(table.name.clone(), Arc::clone(&table));
                table
            }
        };
        let tables = self.found_tables(effects, changes).into_iter().map(&mut share).collect();
        self.kept = kept;
        tables
    }

    fn found_tables(&self, effects: &Effects, changes: &[Change]) -> Vec<&Table> {
        let named = changes.iter().flat_map(surroundings::named).filter_map(|name| self.folder.table(name));
        let felt = effects.relations.iter().filter_map(|effect| self.folder.table(&effect.relation));
        let felt = felt.filter(|table| !table.is_partition()).take(MOST_TABLES);
        let mut tables: Vec<&Table> = Vec::new();
        for table in named.chain(felt) {
            if !tables.iter().any(|known| known.name == table.name) {
                tables.push(table);
            }
        }
        if self.dialect != Dialect::Sqlite {
            return tables;
        }
        for change in changes {
            let (name, referring) = match change {
                Change::DropTable { name, .. } | Change::RenameTable { table: name, .. } => (name, true),
                Change::CreateIndex { table: name, .. } => (name, false),
                _ => continue,
            };
            let full = self.folder.full_name(name);
            let children = self.folder.referencing(&full).map(|(child, _)| child).filter(|_| referring);
            for table in self.folder.table(&full).into_iter().chain(children) {
                if tables.len() < MOST_TABLES && !tables.iter().any(|other| other.name == table.name) {
                    tables.push(table);
                }
            }
        }
        tables
    }

    fn note_suppressions(&mut self, parsed: &Parsed<'_>) {
        if parsed.comments.is_empty() {
            return;
        }
        self.suppressions.extend(suppress::read(parsed.comments).into_iter().map(|suppression| {
            CommentSuppression { location: Some(parsed.location.clone()), ..suppression }
        }));
    }

    /// `SET LOCAL` outside of a transaction has no effect.
    fn note_setting(&mut self, change: &Change) {
        let Change::SetSessionSetting { name, value, local } = change else { return };
        if !local {
            set(&mut self.session.settings, name, value.as_ref());
        } else if self.session.transaction.is_some() {
            set(&mut self.session.local, name, value.as_ref());
        }
    }

    fn note_created(&mut self, change: &Change) {
        let name = match change {
            Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. } => &table.name,
            Change::CreateTableAs { name, .. } => name,
            Change::CreateView { view, .. } => &view.name,
            Change::CreateSequence { sequence, .. } => &sequence.name,
            Change::CreateType { user_type } => &user_type.name,
            Change::CreateIndex { table, index, .. } => {
                let index = self.folder.full_name(table).sibling(&index.name);
                if self.folder.index(None, &index).is_none() {
                    self.created.insert(index);
                }
                return;
            }
            Change::RenameTable { table, to, .. } => {
                if self.created.remove(&self.folder.full_name(table)) {
                    self.created.insert(self.folder.full_name(to));
                }
                return;
            }
            Change::Data { kind: DataKind::Copy, .. } => return,
            _ => return,
        };
        let full = self.folder.full_name(name);
        // `IF NOT EXISTS` of something that is there makes nothing.
        if self.folder.table(&full).is_none() && self.folder.view(&full).is_none() {
            self.created.insert(full);
        }
    }
}

fn set(settings: &mut Vec<(Name, String)>, name: &Name, value: Option<&String>) {
    settings.retain(|(other, _)| !other.eq_ignore_case(name.as_str()));
    if let Some(value) = value {
        settings.push((name.clone(), value.clone()));
        settings.sort();
    }
}

/// Whether a function is one in SQL of which the text is a query that calls no function, or such as only compute.
fn only_reads(function: &Function) -> bool {
    if function.language != *"sql" {
        return false;
    }
    let mut statements = split(Dialect::Postgres, &function.body).into_iter();
    let steady = |called: &QualifiedName| {
        let known = crate::postgres::effects::built_in_functions().get(called.name.as_str());
        called.schema.is_empty() && known.is_some_and(|volatility| *volatility != Volatility::Volatile)
    };
    statements.all(|statement| {
        crate::parse_statement(Dialect::Postgres, statement.text).iter().all(|change| {
            matches!(change, Change::Data { kind: DataKind::Select, clauses, .. }
                if clauses.also.is_empty() && clauses.calls.iter().all(steady))
        })
    })
}

/// The start of a chain of which nothing is known but the engine.
pub fn from_nothing(engine: Engine, circumstances: Circumstances) -> Start {
    Start { before: Folder::new(engine), known: false, circumstances, together: false, earlier: Vec::new() }
}
