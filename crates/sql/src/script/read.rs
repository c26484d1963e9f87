//! Reads migration files of dbwright and of other tools for running.
//!
//! Nothing is guessed on the way to a server: what a client or a tool would have to fill in first is a problem of the
//! migration, and the runner refuses it.

mod backfill;
mod header;

use std::collections::BTreeMap;

use dbwright_model::chain::Wrap;
use dbwright_model::change::{Change, TransactionControl};
use dbwright_model::effect::TransactionUse;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::migration::{Down, Migration, Problem, Statement};
use dbwright_model::plan::TransactionMode;
use sha2::{Digest, Sha256};

use crate::chain::MigrationFile;
use crate::effects::{self, Circumstances};
use crate::files::SourceFile;
use crate::fold::Folder;
use crate::parse_statement;
use crate::split::{StatementKind, split};
use crate::tools::{self, Around, Unversioned};

pub use header::transaction;

/// Reads files into migrations, in the order of the files; a file of several transactions gives several. Files that undo
/// others (`2_a.down.sql`) become the way back of those and may stand anywhere among them.
pub fn read(dialect: Dialect, files: &[SourceFile], around: &Around) -> Vec<Migration> {
    let unversioned = around.unversioned();
    let (undo, files): (Vec<&SourceFile>, Vec<&SourceFile>) =
        files.iter().partition(|file| tools::is_undo(&file.name, unversioned));
    let undo: BTreeMap<String, &SourceFile> =
        undo.into_iter().map(|file| (undo_key(&file.name), file)).collect();
    let originals: BTreeMap<&str, &SourceFile> =
        files.iter().map(|file| (file.name.as_str(), *file)).collect();
    let files = files.into_iter().cloned().collect();
    let mut migrations: Vec<Migration> = Vec::new();
    for part in tools::as_written(dialect, files, around) {
        if part.file.left_out.is_some() {
            continue;
        }
        let Some(original) = originals.get(part.file.name.as_str()) else { continue };
        let way_back = undo.get(&undo_key(&original.name)).copied();
        let mut migration = migration(dialect, &part, original, way_back);
        if unversioned == Unversioned::LikelyMigrations && tools::is_undo(&original.name, Unversioned::Undo) {
            let because = "a file with `U` is a migration to refinery and undoes another to Flyway, and nothing says \
                           which tool this is: put `refinery.toml` or `flyway.toml` beside it, or name it with `V`";
            migration.problems.insert(0, Problem { line: 1, column: 1, because: because.to_owned() });
        }
        migrations.push(migration);
    }
    migrations
}

fn migration(
    dialect: Dialect,
    part: &MigrationFile,
    original: &SourceFile,
    way_back: Option<&SourceFile>,
) -> Migration {
    let whole = &original.text;
    let (version, description, repeatable) = version_of(&original.name);
    let marks = header::marks(whole);
    let mut problems = marks.problems;
    if let Some(problem) = placeholder(dialect, &part.text) {
        problems.push(problem);
    }
    let mut up = statements(dialect, &part.text, &mut problems);
    if marks.foreign_keys_off {
        strip_switches(&mut up);
    }
    let spanned = strip_span(&mut up);
    let transaction = match (marks.transaction, part.file.wrap) {
        (Some(mode), _) => mode,
        _ if spanned => TransactionMode::OneTransaction,
        (None, Wrap::Transaction) => TransactionMode::OneTransaction,
        (None, Wrap::None) => TransactionMode::NoTransaction,
        // A file that asks for no transaction gets none here, whatever the server made of it for its own tool.
        (None, Wrap::OneQuery) if tools::hands_on_whole(&part.file) => TransactionMode::NoTransaction,
        (None, Wrap::Auto | Wrap::OneQuery) => {
            let apart = up.iter().any(|statement| statement.runs_outside || statement.control.is_some());
            if apart { TransactionMode::NoTransaction } else { TransactionMode::OneTransaction }
        }
    };
    if transaction == TransactionMode::OneTransaction {
        for statement in up.iter().filter(|statement| statement.control.is_some()) {
            problems.push(Problem {
                line: statement.statement.line,
                column: 1,
                because: "it begins or ends a transaction inside of the one that the whole file runs in"
                    .to_owned(),
            });
        }
    }
    let content = content(dialect, &up);
    let mut up: Vec<Statement> = up.into_iter().map(|read| read.statement).collect();
    // What the first lines say, the runner sets by itself, so that it may shorten a wait where many locks are taken.
    up.retain(|statement| {
        let setting = timeout_setting(dialect, &statement.sql);
        !(setting == Some(Timeout::Lock) && marks.lock_timeout.is_some()
            || setting == Some(Timeout::Statement) && marks.statement_timeout.is_some())
    });
    let down = match way_back {
        Some(file) => plain_down(dialect, &file.text, &mut problems),
        None => match header::section(whole, header::DOWN) {
            Some(text) => header::down(&text, |text| {
                let mut read = undo_read(dialect, text, &mut problems);
                if marks.foreign_keys_off {
                    strip_switches(&mut read);
                }
                strip_span(&mut read);
                read.into_iter().map(|read| read.statement).collect()
            }),
            None => match tools::undo_part(whole) {
                Some(text) => plain_down(dialect, &text, &mut problems),
                None => liquibase_rollback(dialect, part, &mut problems),
            },
        },
    };
    problems.sort_by_key(|problem| (problem.line, problem.column));
    let check =
        |mark| header::section(whole, mark).map(|text| header::checks(dialect, &text)).unwrap_or_default();
    let (version, hashed) = match change_set(part) {
        Some(id) => (format!("{version}:{id}"), part.text.trim_start_matches('\n')),
        None => (version, whole.as_str()),
    };
    Migration {
        version,
        description,
        file: original.name.clone(),
        header: marks.header,
        transaction,
        lock_timeout: marks.lock_timeout,
        statement_timeout: marks.statement_timeout,
        retries: marks.retries,
        foreign_keys_off: marks.foreign_keys_off,
        pre_checks: check(header::PRE_CHECK),
        up,
        down,
        verify: check(header::VERIFY),
        repeatable,
        checksum: checksum(hashed),
        content,
        problems,
    }
}

/// The version, the description and whether the file is run anew whenever it changes, from the name of a file.
pub fn version_of(path: &str) -> (String, String, bool) {
    let mut parts = path.rsplit(['/', '\\']);
    let base = parts.next().unwrap_or(path);
    // Diesel and Prisma name the folder and not the file.
    let name = match base {
        "up.sql" | "migration.sql" => parts.next().unwrap_or(base),
        _ => base,
    };
    let stem = name.strip_suffix(".sql").or_else(|| name.strip_suffix(".SQL")).unwrap_or(name);
    let stem = stem.strip_suffix(".up").unwrap_or(stem);
    let words = |text: &str| text.trim_matches(['_', '-', '.', ' ']).replace(['_', '-'], " ");
    if let Some(rest) = stem.strip_prefix("R__") {
        return (stem.to_owned(), words(rest), true);
    }
    let flyway = stem.strip_prefix(['V', 'v', 'U']).and_then(|rest| rest.split_once("__"));
    if let Some((version, rest)) = flyway
        && version.starts_with(|c: char| c.is_ascii_digit())
    {
        return (version.replace('_', "."), words(rest), false);
    }
    let diesel = base == "up.sql";
    let is_version = |c: char| c.is_ascii_digit() || diesel && c == '-';
    let end = stem.find(|c: char| !is_version(c)).unwrap_or(stem.len());
    let version: String = stem[..end].chars().filter(char::is_ascii_digit).collect();
    if version.is_empty() {
        return (stem.to_owned(), words(stem), false);
    }
    (version, words(&stem[end..]), false)
}

/// What a file and the file that undoes it have in common.
fn undo_key(path: &str) -> String {
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let folder = &path[..path.len() - base.len()];
    let lower = base.to_ascii_lowercase();
    if matches!(lower.as_str(), "up.sql" | "down.sql") {
        return folder.to_owned();
    }
    if let Some((version, _)) = lower.strip_prefix(['u', 'v']).and_then(|rest| rest.split_once("__"))
        && version.starts_with(|c: char| c.is_ascii_digit())
    {
        return format!("{folder}{version}");
    }
    let endings = [".up.sql", ".down.sql", ".undo.sql", "_up.sql", "_down.sql", ".sql"];
    let stem = endings.iter().find_map(|ending| lower.strip_suffix(ending)).unwrap_or(&lower);
    format!("{folder}{stem}")
}

/// SHA-256 of statements, comments and the number of blanks left out of account.
fn content(dialect: Dialect, statements: &[Read]) -> String {
    let mut text = String::new();
    for read in statements {
        text.push_str(&tools::plain(dialect, &read.statement.sql));
        text.push_str(";\n");
    }
    checksum(&text)
}

/// SHA-256 of a text in lower-case hexadecimal digits; a byte order mark and the kind of line ends make no difference.
fn checksum(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A statement and what a runner must know of it.
struct Read {
    statement: Statement,
    control: Option<TransactionControl>,
    runs_outside: bool,
}

/// The statements of a text; what is none is a problem.
fn statements(dialect: Dialect, text: &str, problems: &mut Vec<Problem>) -> Vec<Read> {
    let mut found = Vec::new();
    let nothing = Folder::new(engine(dialect));
    for statement in split(dialect, text) {
        let mut refuse = |because: &str| {
            problems.push(Problem {
                line: statement.line,
                column: statement.column,
                because: because.to_owned(),
            });
        };
        match statement.kind {
            StatementKind::ClientCommand if is_delimiter(statement.text) => continue,
            StatementKind::ClientCommand => {
                refuse("it is a command for a client, which no server understands")
            }
            StatementKind::CopyData => refuse("rows of `COPY ... FROM stdin` are sent by a client only"),
            StatementKind::Unterminated => refuse("a quote or comment is never closed"),
            StatementKind::Sql => {
                let changes = parse_statement(dialect, statement.text);
                let control = changes.iter().find_map(|change| match change {
                    Change::Transaction { control, .. } => Some(*control),
                    _ => None,
                });
                let backfill = match backfill::read(statement.leading_comments, statement.text) {
                    Ok(backfill) => backfill,
                    Err(because) => {
                        refuse(&because);
                        None
                    }
                };
                let effects = effects::of_statement(&nothing, &Circumstances::default(), &changes);
                found.push(Read {
                    statement: Statement { sql: statement.text.to_owned(), line: statement.line, backfill },
                    control,
                    runs_outside: effects.transaction == TransactionUse::Outside,
                });
            }
        }
    }
    found
}

fn engine(dialect: Dialect) -> Engine {
    match dialect {
        Dialect::Postgres => Engine::Postgres,
        Dialect::Mysql => Engine::Mysql,
        Dialect::Sqlite => Engine::Sqlite,
    }
}

/// MySQL's clients only change how they cut the file.
fn is_delimiter(text: &str) -> bool {
    text.split_ascii_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("delimiter"))
}

/// Takes `BEGIN` and `COMMIT` away when they span everything, but for settings before.
fn strip_span(statements: &mut Vec<Read>) -> bool {
    let controls: Vec<usize> = (0..statements.len()).filter(|i| ends_or_begins(&statements[*i])).collect();
    let [begin, commit] = controls[..] else { return false };
    let spans = begin == 0
        && commit + 1 == statements.len()
        && statements[begin].control == Some(TransactionControl::Begin)
        && statements[commit].control == Some(TransactionControl::Commit);
    if spans {
        statements.pop();
        statements.remove(0);
    }
    spans
}

fn ends_or_begins(read: &Read) -> bool {
    use TransactionControl::{Begin, Commit, Rollback};
    matches!(read.control, Some(Begin | Commit | Rollback))
}

/// Takes the switches of foreign keys at both ends away, which the runner makes itself.
fn strip_switches(statements: &mut Vec<Read>) {
    let switches = |read: &Read| {
        let lower = read.statement.sql.to_ascii_lowercase();
        lower.strip_prefix("pragma").is_some_and(|rest| rest.trim_start().starts_with("foreign_keys"))
    };
    statements.pop_if(|last| switches(last));
    if statements.first().is_some_and(switches) {
        statements.remove(0);
    }
}

fn undo_statements(dialect: Dialect, text: &str, problems: &mut Vec<Problem>) -> Vec<Statement> {
    let mut read = undo_read(dialect, text, problems);
    strip_span(&mut read);
    read.into_iter().map(|read| read.statement).collect()
}

fn undo_read(dialect: Dialect, text: &str, problems: &mut Vec<Problem>) -> Vec<Read> {
    if let Some(problem) = placeholder(dialect, text) {
        problems.push(problem);
    }
    statements(dialect, text, problems)
}

/// The way back as another tool writes it. An empty one says nothing.
fn plain_down(dialect: Dialect, text: &str, problems: &mut Vec<Problem>) -> Down {
    let statements = undo_statements(dialect, text, problems);
    if statements.is_empty() { Down::Missing } else { Down::Statements(statements) }
}

/// The author and id of a Liquibase changeset, which together name it within its file.
fn change_set(part: &MigrationFile) -> Option<&str> {
    let first = part.text.trim_start_matches('\n').lines().next()?;
    let rest = first.trim_start_matches('-').trim_start();
    let rest = rest.get(..10).filter(|word| word.eq_ignore_ascii_case("changeset ")).map(|_| &rest[10..])?;
    part.file.tool.as_ref().filter(|tool| tool.as_str() == "Liquibase")?;
    rest.split_ascii_whitespace().next()
}

/// `--rollback` lines of a changeset.
fn liquibase_rollback(dialect: Dialect, part: &MigrationFile, problems: &mut Vec<Problem>) -> Down {
    let Some(_) = change_set(part) else { return Down::Missing };
    let mut text = String::new();
    for line in part.text.lines() {
        let rest = line.trim_start().trim_start_matches('-').trim_start();
        let is_rollback = line.trim_start().starts_with("--") && rest.starts_with("rollback ");
        text.push_str(if is_rollback { &rest["rollback ".len()..] } else { "" });
        text.push('\n');
    }
    if matches!(text.trim().trim_end_matches(';').to_ascii_lowercase().as_str(), "empty" | "not required") {
        return Down::Statements(Vec::new());
    }
    plain_down(dialect, &text, problems)
}

/// The first place where a tool would have to fill something in.
fn placeholder(dialect: Dialect, text: &str) -> Option<Problem> {
    let filled = tools::fill(dialect, text.to_owned());
    if filled == text {
        return None;
    }
    let lines = text.lines().zip(filled.lines()).zip(1u32..);
    let ((written, filled), line) = lines.into_iter().find(|((written, filled), _)| written != filled)?;
    let same = written.chars().zip(filled.chars()).take_while(|(a, b)| a == b).count();
    Some(Problem {
        line,
        column: u32::try_from(same + 1).unwrap_or(u32::MAX),
        because: "a placeholder stands there that only its tool can fill in".to_owned(),
    })
}

#[derive(PartialEq)]
enum Timeout {
    Lock,
    Statement,
}

/// Whether a statement only sets one of the two timeouts that the first lines of a file may tell.
fn timeout_setting(dialect: Dialect, sql: &str) -> Option<Timeout> {
    if dialect == Dialect::Sqlite {
        return None;
    }
    let lower = sql.to_ascii_lowercase();
    let mut words =
        lower.split(|c: char| c.is_ascii_whitespace() || c == '=').filter(|word| !word.is_empty());
    words.next().filter(|word| *word == "set")?;
    let name = match words.next()? {
        "local" | "session" => words.next()?,
        name => name,
    };
    match name {
        "lock_timeout" | "lock_wait_timeout" => Some(Timeout::Lock),
        "statement_timeout" | "max_statement_time" | "max_execution_time" => Some(Timeout::Statement),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
