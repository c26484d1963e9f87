//! The engine that a file seems to be written for, by marks that no other engine would take.

use dbwright_model::chain::Looks;
use dbwright_model::engine::{Dialect, Engine};

/// Bytes at the beginning of a file in which marks are looked for.
const HEAD: usize = 64 * 1024;

/// How much a mark tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Only one engine takes it.
    Sure,
    /// Another might take it too, at least as the name of a type or a column: two of these count as one that is sure.
    Likely,
}

use Weight::{Likely, Sure};

/// Words in lower case that tell of an engine, each with those that stand before it.
const MARKS: &[(Engine, &[&str], Weight)] = &[
    (Engine::Postgres, &["bigserial"], Sure),
    (Engine::Postgres, &["smallserial"], Sure),
    (Engine::Postgres, &["index", "concurrently"], Sure),
    (Engine::Postgres, &["language", "plpgsql"], Sure),
    (Engine::Postgres, &["create", "extension"], Sure),
    (Engine::Postgres, &["row", "level", "security"], Sure),
    (Engine::Postgres, &["timestamptz"], Likely),
    (Engine::Postgres, &["jsonb"], Likely),
    (Engine::Postgres, &["bytea"], Likely),
    (Engine::Postgres, &["using", "gin"], Likely),
    (Engine::Postgres, &["using", "gist"], Likely),
    (Engine::Mysql, &["engine", "=", "innodb"], Sure),
    (Engine::Mysql, &["engine", "=", "myisam"], Sure),
    (Engine::Mysql, &["engine", "=", "aria"], Sure),
    (Engine::Mysql, &["null", "auto_increment"], Sure),
    (Engine::Mysql, &["auto_increment", "primary", "key"], Sure),
    (Engine::Mysql, &["on", "update", "current_timestamp"], Sure),
    (Engine::Mysql, &["auto_increment"], Likely),
    (Engine::Mysql, &["unsigned"], Likely),
    (Engine::Mysql, &["`"], Likely),
    (Engine::Sqlite, &["primary", "key", "autoincrement"], Sure),
    (Engine::Sqlite, &["without", "rowid"], Sure),
    (Engine::Sqlite, &["pragma", "foreign_keys"], Sure),
];

/// The engine that a text is written for, as far as its marks agree. `sure` is false when the marks could be names that
/// SQLite, which takes any type, would take too.
pub fn like(text: &str) -> Option<Looks> {
    let words = words(crate::names::clip(text, HEAD));
    let mut found: Vec<&(Engine, &[&str], Weight)> = Vec::new();
    for at in 0..words.len() {
        let begins = |mark: &[&str]| {
            mark.len() <= words.len() - at
                && mark.iter().zip(&words[at..]).all(|(mark, word)| word.eq_ignore_ascii_case(mark))
        };
        for mark in MARKS {
            // The length alone parts most words from most marks.
            if mark.1[0].len() == words[at].len()
                && begins(mark.1)
                && !found.iter().any(|one| one.1 == mark.1)
            {
                found.push(mark);
            }
        }
    }
    found.sort_by_key(|mark| MARKS.iter().position(|other| other.1 == mark.1));
    let (engine, _, _) = found.first()?;
    if found.iter().any(|(other, _, _)| other != engine) {
        return None;
    }
    let sure = found.iter().find(|(_, _, weight)| *weight == Sure);
    if sure.is_none() && found.len() < 2 {
        return None;
    }
    let (_, mark, _) = sure.unwrap_or(&found[0]);
    let mark = match *mark {
        ["`"] => "names in backquotes".to_owned(),
        words => format!("`{}`", words.join(" ").to_ascii_uppercase()),
    };
    Some(Looks { engine: *engine, mark, sure: sure.is_some() })
}

/// The same where it is not the dialect that the text is read in.
pub fn unlike(dialect: Dialect, text: &str) -> Option<Looks> {
    like(text).filter(|looks| looks.engine.dialect() != dialect && (looks.sure || dialect != Dialect::Sqlite))
}

/// The words of a text, with equal signs and the backquotes that begin a name. Comments and quoted texts are
/// left out.
fn words(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    let end_of = |from: usize, close: &str| {
        text.get(from..)
            .and_then(|rest| rest.find(close))
            .map_or(bytes.len(), |found| from + found + close.len())
    };
    while at < bytes.len() {
        let rest = &bytes[at..];
        at = match rest[0] {
            b'-' if rest.starts_with(b"--") => end_of(at, "\n"),
            b'#' => end_of(at, "\n"),
            b'/' if rest.starts_with(b"/*") => end_of(at + 2, "*/"),
            quote @ (b'\'' | b'"') => end_of(at + 1, if quote == b'"' { "\"" } else { "'" }),
            b'`' => {
                words.push("`");
                end_of(at + 1, "`")
            }
            b'$' => match text[at + 1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
                Some(tag) if bytes[at + 1 + tag] == b'$' => {
                    let quote = &text[at..at + tag + 2];
                    end_of(at + quote.len(), quote)
                }
                _ => at + 1,
            },
            b'=' => {
                words.push("=");
                at + 1
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length =
                    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                words.push(&text[at..at + length]);
                at + length
            }
            byte => {
                // Commas and parentheses part what would otherwise seem to stand together.
                if byte.is_ascii_punctuation() && words.last().is_some_and(|last| !last.is_empty()) {
                    words.push("");
                }
                at + 1
            }
        };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(Engine, bool)>) {
        assert_eq!(like(text).map(|looks| (looks.engine, looks.sure)), expected, "{text}");
    }

    #[test]
    fn a_file_looks_like_the_engine_that_its_marks_name() {
        check("create table t (id bigserial, at timestamptz);", Some((Engine::Postgres, true)));
        check("create table t (a jsonb, at timestamptz);", Some((Engine::Postgres, false)));
        check(
            "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT) ENGINE=InnoDB",
            Some((Engine::Mysql, true)),
        );
        check("create table `t` (a int unsigned)", Some((Engine::Mysql, false)));
        check("create table t (id integer primary key autoincrement)", Some((Engine::Sqlite, true)));
        check("create index concurrently i on t (a)", Some((Engine::Postgres, true)));
        // One name that another engine might take says nothing, nor do comments and texts.
        check("create table t (jsonb int)", None);
        check("create table t (a int); -- bigserial, engine=innodb", None);
        check("insert into t values ('bigserial', \"engine=innodb\"); /* pragma foreign_keys */", None);
        check("do $x$ begin execute 'create table t (id bigserial)'; end $x$", None);
        check("create table t (auto_increment boolean)", None);
        check("create table t (a int)", None);
        // MySQL with names as PostgreSQL has them.
        check("create table `t` (`jsonb` json, timestamptz datetime, bytea blob) engine = innodb", None);
        check("DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\nDELIMITER ;", None);
        check("", None);
        check("'é", None);
        check("$é$ `", None);
    }

    #[test]
    fn any_type_is_one_of_sqlite() {
        let types = "create table t (a jsonb, at timestamptz)";
        assert_eq!(unlike(Dialect::Sqlite, types), None);
        assert!(unlike(Dialect::Mysql, types).is_some());
        assert_eq!(unlike(Dialect::Postgres, types), None);
        assert!(unlike(Dialect::Sqlite, "create table t (a int) engine=innodb").is_some());
    }
}
