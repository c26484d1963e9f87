//! What a statement is called in a sentence.

use dbwright_model::chain::ChainStatement;

/// Words that a name, a body or a clause may follow at once.
const ALONE: &[&str] =
    &["ANALYZE", "CALL", "CLUSTER", "COPY", "DO", "EXECUTE", "MERGE", "SELECT", "UPDATE", "WITH"];

/// Words that stand between others and a name, where they are said.
const BEFORE_NAMES: &[&str] = &["TABLE", "INTO", "FULL", "INDEX", "SCHEMA", "DATABASE", "SYSTEM", "DATA"];

/// The words that a statement begins with, upper case: `ALTER TABLE`, `TRUNCATE`. The second one only where it is a word of
/// the language and no name.
pub fn verb(statement: &ChainStatement) -> String {
    let end = |c: char| !c.is_ascii_alphabetic() && c != '_';
    let mut words = statement.sql.split_whitespace().map(|word| word.split(end).next().unwrap_or_default());
    let first = words.next().unwrap_or_default().to_ascii_uppercase();
    let second = words.next().unwrap_or_default().to_ascii_uppercase();
    let named = matches!(
        first.as_str(),
        "TRUNCATE" | "LOCK" | "VACUUM" | "REINDEX" | "OPTIMIZE" | "REPLACE" | "LOAD"
    );
    let is_name = ALONE.contains(&first.as_str()) || (named && !BEFORE_NAMES.contains(&second.as_str()));
    if second.is_empty() || is_name { first } else { format!("{first} {second}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_part_of_what_a_statement_is_called() {
        let check = |sql: &str, expected: &str| {
            let statement = ChainStatement { sql: sql.to_owned(), ..ChainStatement::default() };
            assert_eq!(verb(&statement), expected, "{sql}");
        };
        check("alter table t add a int", "ALTER TABLE");
        check("TRUNCATE reviews", "TRUNCATE");
        check("truncate table reviews", "TRUNCATE TABLE");
        check("UPDATE orders SET a = 1", "UPDATE");
        check("DELETE FROM t", "DELETE FROM");
        check("DO $$ BEGIN END $$", "DO");
        check("VACUUM (FULL) t", "VACUUM");
        check("VACUUM FULL t", "VACUUM FULL");
        check("CREATE INDEX i ON t (a)", "CREATE INDEX");
        check("WITH d AS (SELECT 1) SELECT 1", "WITH");
        check("COMMIT", "COMMIT");
        check("", "");
    }
}
