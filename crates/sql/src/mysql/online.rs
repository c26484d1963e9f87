//! `ALGORITHM` and `LOCK` clauses put into statements, and statements moved to another database, for asking a server
//! how it would carry out a change.

use dbwright_model::effect::{Algorithm, Lock};
use dbwright_model::name::{Name, QualifiedName};

use super::lex::{Cursor, Kind, Token, without_comments};
use super::quote;

/// A statement that changes one table and lets one say how.
///
/// `ALTER TABLE`, `CREATE INDEX` and `DROP INDEX` are such statements. Those that change partitions one by one, and
/// `DISCARD` and `IMPORT TABLESPACE`, take no clause in any version and are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineStatement {
    /// The table as written: without a database its schema is [`Name::DEFAULT`].
    pub table: QualifiedName,
    /// Tables that the statement refers to as parents, as written.
    pub parents: Vec<QualifiedName>,
    text: String,
    /// Texts of databases in front of names of tables, with the dot.
    qualifiers: Vec<(usize, usize)>,
    algorithm: Option<(usize, usize)>,
    lock: Option<(usize, usize)>,
    /// Where clauses are inserted that the statement does not have yet.
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In `ALTER TABLE`, in front of the changes.
    List {
        /// The byte at which the first change begins.
        at: usize,
        /// Whether a comma follows: none stands before partitions.
        comma: bool,
    },
    /// At the end of `CREATE INDEX`.
    End,
}

impl OnlineStatement {
    /// Reads a statement; `None` for one that takes no clause and for one that is not understood.
    pub fn read(statement: &str) -> Option<Self> {
        let text = without_comments(statement).trim().trim_end_matches(';').trim_end().to_owned();
        let text = drop_index_as_alter(&text).unwrap_or(text);
        let mut cursor = Cursor::new(&text);
        if cursor.eat("alter") { alter_table(&mut cursor) } else { create_index(&mut cursor) }
    }

    /// Whether the statement itself says how it is to be carried out.
    pub fn has_clause(&self) -> bool {
        self.algorithm.is_some() || self.lock.is_some()
    }

    /// The changes of an `ALTER TABLE` as written, without what stands in front of them; `None` for other statements.
    pub fn changes(&self) -> Option<&str> {
        match self.place {
            Place::List { at, .. } => self.text.get(at..),
            Place::End => None,
        }
    }

    /// The statement with this algorithm and lock in place of its own, on the tables of another database when one is
    /// given. A lock is only written when one is given: MySQL refuses one beside `INSTANT`.
    ///
    /// An `ALTER ONLINE TABLE`, MariaDB's older spelling of `LOCK=NONE`, loses that word, and a `DROP INDEX` is
    /// written as `ALTER TABLE`, since MariaDB's form takes no clause.
    pub fn write(&self, database: Option<&Name>, how: Option<(Algorithm, Option<Lock>)>) -> String {
        let mut edits: Vec<(usize, usize, String)> = Vec::new();
        if let Some(database) = database {
            let qualifier = format!("{}.", quote::identifier(database.as_str()));
            edits.extend(self.qualifiers.iter().map(|(start, end)| (*start, *end, qualifier.clone())));
        }
        if let Some((algorithm, lock)) = how {
            let algorithm = algorithm.as_str();
            let lock = match lock {
                Some(Lock::MysqlNone) => Some("NONE"),
                Some(Lock::MysqlShared) => Some("SHARED"),
                Some(Lock::MysqlExclusive) => Some("EXCLUSIVE"),
                // Locks of other engines have no word here.
                _ => None,
            };
            let mut missing = Vec::new();
            match self.algorithm {
                Some((start, end)) => edits.push((start, end, algorithm.to_owned())),
                None => missing.push(format!("ALGORITHM={algorithm}")),
            }
            match (self.lock, lock) {
                (Some((start, end)), lock) => {
                    edits.push((start, end, lock.unwrap_or("DEFAULT").to_owned()));
                }
                (None, Some(lock)) => missing.push(format!("LOCK={lock}")),
                (None, None) => {}
            }
            match self.place {
                _ if missing.is_empty() => {}
                Place::List { at, comma } => {
                    let comma = if comma { "," } else { "" };
                    edits.push((at, at, format!("{}{comma} ", missing.join(", "))));
                }
                Place::End => {
                    let end = self.text.len();
                    edits.push((end, end, format!(" {}", missing.join(" "))));
                }
            }
        }
        edits.sort();
        let mut written = self.text.clone();
        for (start, end, replacement) in edits.into_iter().rev() {
            written.replace_range(start..end, &replacement);
        }
        written
    }
}

/// MariaDB takes no clause behind `DROP INDEX i ON t`, though both servers take it for the same words in `ALTER TABLE`.
fn drop_index_as_alter(text: &str) -> Option<String> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat("drop index") {
        return None;
    }
    let guard = if cursor.eat("if exists") { "IF EXISTS " } else { "" };
    let index = cursor.name().ok()?;
    cursor.expect("on").ok()?;
    let start = cursor.offset();
    cursor.qualified().ok()?;
    let table = &text[start..cursor.offset_behind()];
    let rest = cursor.rest();
    // `WAIT 5` stands behind the table's name in both forms, clauses behind a comma in one.
    let (wait, clauses) = match rest.to_ascii_lowercase() {
        lower if lower.starts_with("wait") || lower.starts_with("nowait") => {
            (format!("{rest} "), String::new())
        }
        _ if rest.is_empty() => (String::new(), String::new()),
        _ => (String::new(), format!(", {}", comma_between_clauses(rest))),
    };
    let index = quote::identifier(index.as_str());
    Some(format!("ALTER TABLE {table} {wait}DROP INDEX {guard}{index}{clauses}"))
}

/// `ALGORITHM=INPLACE LOCK=NONE` as items of a list.
fn comma_between_clauses(text: &str) -> String {
    let mut cursor = Cursor::new(text);
    let mut items = Vec::new();
    while !cursor.done() {
        let start = cursor.offset();
        cursor.advance();
        cursor.eat_symbol('=');
        cursor.advance();
        items.push(&text[start..cursor.offset_behind()]);
    }
    items.join(", ")
}

fn alter_table(cursor: &mut Cursor<'_>) -> Option<OnlineStatement> {
    let mut words = Vec::new();
    // Each may stand once, in this order; `ONLINE` is a lock of its own.
    let online = cursor.offset();
    if cursor.eat("online") {
        words.push((online, cursor.offset()));
    }
    cursor.eat("ignore");
    cursor.expect("table").ok()?;
    cursor.eat("if exists");
    let (table, qualifier) = table_name(cursor)?;
    if cursor.eat("wait") {
        cursor.integer()?;
    } else {
        cursor.eat("nowait");
    }
    if cursor.done() || changes_partitions(cursor) {
        return None;
    }
    let comma = !cursor.at("partition by") && !cursor.at("remove partitioning");
    let at = cursor.offset();
    let mut found = OnlineStatement {
        table,
        parents: Vec::new(),
        text: cursor.text.to_owned(),
        qualifiers: qualifier.into_iter().collect(),
        algorithm: None,
        lock: None,
        place: Place::List { at, comma },
    };
    while !cursor.done() {
        item(cursor, &mut found);
    }
    if let Some((start, end)) = words.first().copied() {
        found.without(start, end);
    }
    Some(found)
}

fn create_index(cursor: &mut Cursor<'_>) -> Option<OnlineStatement> {
    cursor.expect("create").ok()?;
    cursor.eat("or replace");
    cursor.eat_any(&["online", "offline"]);
    cursor.eat_any(&["unique", "fulltext", "spatial", "vector"]);
    cursor.expect("index").ok()?;
    cursor.eat("if not exists");
    cursor.name().ok()?;
    if cursor.eat_any(&["using", "type"]) {
        cursor.advance();
    }
    cursor.expect("on").ok()?;
    let (table, qualifier) = table_name(cursor)?;
    let mut found = OnlineStatement {
        table,
        parents: Vec::new(),
        text: cursor.text.to_owned(),
        qualifiers: qualifier.into_iter().collect(),
        algorithm: None,
        lock: None,
        place: Place::End,
    };
    while !cursor.done() {
        item(cursor, &mut found);
    }
    Some(found)
}

impl OnlineStatement {
    /// Takes a piece of the text in front of everything else out.
    fn without(&mut self, start: usize, end: usize) {
        self.text.replace_range(start..end, "");
        let by = end - start;
        let spans = self.qualifiers.iter_mut().chain(&mut self.algorithm).chain(&mut self.lock);
        for span in spans {
            *span = (span.0 - by, span.1 - by);
        }
        if let Place::List { at, .. } = &mut self.place {
            *at -= by;
        }
    }
}

/// Passes one token, or the few that say something about the statement as a whole.
fn item(cursor: &mut Cursor<'_>, found: &mut OnlineStatement) {
    let before = cursor.mark();
    let is_clause = |ahead: Option<&Token>| {
        ahead.is_some_and(|token| matches!(token.kind, Kind::Symbol('=') | Kind::Word))
    };
    if (cursor.at("algorithm") || cursor.at("lock")) && is_clause(cursor.peek(1)) {
        let is_lock = cursor.at("lock");
        cursor.advance();
        cursor.eat_symbol('=');
        let start = cursor.offset();
        let known = ["default", "instant", "nocopy", "inplace", "copy", "none", "shared", "exclusive"];
        if cursor.eat_any(&known) {
            let span = Some((start, cursor.offset_behind()));
            // The last one counts, for the server too.
            if is_lock {
                found.lock = span
            } else {
                found.algorithm = span
            }
            return;
        }
        cursor.reset(before);
    } else if cursor.eat("references") {
        if let Some((parent, qualifier)) = table_name(cursor) {
            found.parents.push(parent);
            found.qualifiers.extend(qualifier);
            return;
        }
        cursor.reset(before);
    } else if cursor.at("rename")
        && !["column", "index", "key"].iter().any(|word| cursor.word(1).eq_ignore_ascii_case(word))
    {
        cursor.advance();
        let _ = cursor.eat_any(&["to", "as"]) || cursor.eat_symbol('=');
        if let Some((_, qualifier)) = table_name(cursor) {
            found.qualifiers.extend(qualifier);
            return;
        }
        cursor.reset(before);
    }
    cursor.advance();
}

/// A table's name, and where the database in front of it stands.
fn table_name(cursor: &mut Cursor<'_>) -> Option<(QualifiedName, Option<(usize, usize)>)> {
    let start = cursor.offset();
    let name = cursor.qualified().ok()?;
    let length = cursor.text[start..cursor.offset_behind()].len();
    let end = start + length;
    let last = super::lex::tokens(&cursor.text[start..end]).last().map(|token| start + token.start)?;
    Some((name, (last > start).then_some((start, last))))
}

/// Whether the statement handles partitions one by one, or files of the table.
fn changes_partitions(cursor: &Cursor<'_>) -> bool {
    const VERBS: [&str; 12] = [
        "add",
        "drop",
        "coalesce",
        "reorganize",
        "exchange",
        "truncate",
        "analyze",
        "check",
        "optimize",
        "rebuild",
        "repair",
        "convert",
    ];
    let first = cursor.word(0);
    let is = |ahead: usize, word: &str| cursor.word(ahead).eq_ignore_ascii_case(word);
    let verb = VERBS.iter().any(|verb| first.eq_ignore_ascii_case(verb));
    let convert_table = is(0, "convert") && is(1, "table");
    let guarded =
        is(1, "if") && (is(2, "exists") && is(3, "partition") || is(3, "exists") && is(4, "partition"));
    let files = (is(0, "discard") || is(0, "import")) && (is(1, "tablespace") || is(1, "partition"));
    verb && (is(1, "partition") || guarded) || convert_table || files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, expected: &str) {
        let how = Some((Algorithm::InPlace, Some(Lock::MysqlNone)));
        let written = OnlineStatement::read(statement).map(|read| read.write(Some(&Name::new("probe")), how));
        assert_eq!(written.as_deref().unwrap_or("takes none"), expected, "{statement}");
    }

    #[test]
    fn clauses_stand_where_the_grammar_wants_them() {
        check("ALTER TABLE t ADD a int;", "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE, ADD a int");
        check(
            "alter table if exists `a`.`t` wait 5 add a int -- last",
            "alter table if exists probe.`t` wait 5 ALGORITHM=INPLACE, LOCK=NONE, add a int",
        );
        check(
            "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2",
            "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE PARTITION BY HASH (id) PARTITIONS 2",
        );
        check(
            "ALTER TABLE t REMOVE PARTITIONING",
            "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE REMOVE PARTITIONING",
        );
        check(
            "CREATE UNIQUE INDEX i ON a.t (b)",
            "CREATE UNIQUE INDEX i ON probe.t (b) ALGORITHM=INPLACE LOCK=NONE",
        );
        check("DROP INDEX i ON t", "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE, DROP INDEX i");
    }

    #[test]
    fn a_clause_of_the_statements_own_is_replaced() {
        check(
            "ALTER TABLE t ADD a int, ALGORITHM=COPY",
            "ALTER TABLE t LOCK=NONE, ADD a int, ALGORITHM=INPLACE",
        );
        check(
            "ALTER TABLE t LOCK DEFAULT, FORCE, ALGORITHM = COPY",
            "ALTER TABLE t LOCK NONE, FORCE, ALGORITHM = INPLACE",
        );
        check("CREATE INDEX i ON t (a) LOCK=SHARED", "CREATE INDEX i ON t (a) LOCK=NONE ALGORITHM=INPLACE");
        check(
            "DROP INDEX i ON t ALGORITHM=COPY LOCK=SHARED",
            "ALTER TABLE t DROP INDEX i, ALGORITHM=INPLACE, LOCK=NONE",
        );
        check(
            "ALTER ONLINE TABLE a.t ADD b int",
            "ALTER TABLE probe.t ALGORITHM=INPLACE, LOCK=NONE, ADD b int",
        );
        check(
            "ALTER TABLE t ADD `algorithm` int, ADD `lock` int",
            "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE, ADD `algorithm` int, ADD `lock` int",
        );
    }

    #[test]
    fn every_table_named_moves_to_the_other_database() {
        check(
            "ALTER TABLE a.t ADD FOREIGN KEY (p) REFERENCES a.parent (id), RENAME TO b.u",
            "ALTER TABLE probe.t ALGORITHM=INPLACE, LOCK=NONE, ADD FOREIGN KEY (p) REFERENCES probe.parent (id), \
             RENAME TO probe.u",
        );
        check(
            "ALTER TABLE t RENAME COLUMN a TO b",
            "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE, RENAME COLUMN a TO b",
        );
    }

    #[test]
    fn what_takes_no_clause_is_left_alone() {
        for statement in [
            "ALTER TABLE t DROP PARTITION p0",
            "ALTER TABLE t ADD PARTITION IF NOT EXISTS (PARTITION p1 VALUES LESS THAN (9))",
            "ALTER TABLE t TRUNCATE PARTITION ALL",
            "ALTER TABLE t DISCARD TABLESPACE",
            "ALTER TABLE t",
            "ALTER VIEW v AS SELECT 1",
            "RENAME TABLE t TO u",
            "TRUNCATE TABLE t",
            "CREATE TABLE t (a int)",
            "DROP INDEX",
            "",
        ] {
            check(statement, "takes none");
        }
    }
}
