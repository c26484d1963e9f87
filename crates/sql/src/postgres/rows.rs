//! Statements of PostgreSQL about rows, and those that run programs, as changes.

use dbwright_model::change::{Change, DataClauses, DataKind, ProceduralKind};
use dbwright_model::name::{Name, QualifiedName};

use super::query;
use super::syntax::{
    K, Node, Parsed, child, children, expr_child, has, literal_text, name, name_in, qualified, qualified_in,
    qualify,
};

/// An `INSERT ... VALUES` without the rows behind its first one, where all rows are constants: they say nothing about the
/// schema, and trees of them take longest of all that migrations hold. Any other text as it is.
pub(super) fn with_first_row(text: &str) -> &str {
    first_row_end(text).map_or(text, |end| &text[..end])
}

fn first_row_end(text: &str) -> Option<usize> {
    const INSERT: &[u8] = b"insert";
    const VALUES: &[u8] = b"values";
    let bytes = text.as_bytes();
    bytes.get(..INSERT.len()).filter(|word| word.eq_ignore_ascii_case(INSERT))?;
    // No quote and no comment, so that the word is what it seems.
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" \t\r\n_.,()".contains(byte);
    let plain = bytes.iter().position(|byte| !is_plain(byte)).unwrap_or(bytes.len());
    let word = bytes[..plain].windows(VALUES.len()).position(|word| word.eq_ignore_ascii_case(VALUES))?;
    let mut at = word + VALUES.len();
    let mut first = None;
    loop {
        at = row_end(bytes, at)?;
        let end = *first.get_or_insert(at);
        at = blanks_end(bytes, at);
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(_) => return None,
            None => return Some(end),
        }
    }
}

/// Where a row of constants ends.
fn row_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = blanks_end(bytes, from);
    if bytes.get(at) != Some(&b'(') {
        return None;
    }
    loop {
        at = blanks_end(bytes, constant_end(bytes, blanks_end(bytes, at + 1))?);
        match bytes.get(at)? {
            b',' => {}
            b')' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn blanks_end(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Where a constant ends that needs no parser: a text without a prefix, a number, or one of four words.
fn constant_end(bytes: &[u8], from: usize) -> Option<usize> {
    let run =
        |from: usize, is_in: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|b| is_in(b)).count();
    match bytes.get(from)? {
        b'\'' => {
            let mut at = from + 1;
            loop {
                at += memchr::memchr(b'\'', &bytes[at..])? + 1;
                // A doubled quote is one of the text.
                if bytes.get(at) != Some(&b'\'') {
                    return Some(at);
                }
                at += 1;
            }
        }
        b'-' | b'0'..=b'9' => {
            let digits = from + usize::from(bytes[from] == b'-');
            let whole = run(digits, u8::is_ascii_digit);
            let end = match bytes.get(whole) {
                Some(b'.') => run(whole + 1, u8::is_ascii_digit),
                _ => whole,
            };
            (whole > digits).then_some(end)
        }
        _ => {
            let end = run(from, u8::is_ascii_alphabetic);
            let words: [&[u8]; 4] = [b"null", b"true", b"false", b"default"];
            words.iter().any(|word| bytes[from..end].eq_ignore_ascii_case(word)).then_some(end)
        }
    }
}

/// A statement that reads or writes rows.
pub(super) fn data(kind: DataKind, node: &Node) -> Vec<Change> {
    let table = match kind {
        DataKind::Insert => qualified_in(node, K::RELATION_NAME_REF),
        DataKind::Select => query::first_table(node),
        _ => query::target(node),
    };
    let filtered = match kind {
        DataKind::Insert => false,
        DataKind::Merge => true,
        _ => has(node, K::WHERE_CLAUSE) || has(node, K::WHERE_CURRENT_OF),
    };
    let clauses = clauses(node, table.as_ref());
    vec![Change::Data { kind, table, filtered, clauses }]
}

/// What a statement touches beside its first table.
fn clauses(node: &Node, table: Option<&QualifiedName>) -> DataClauses {
    let mut found = DataClauses {
        only: child(node, K::RELATION_NAME)
            .or_else(|| child(node, K::TABLE_RELATION_NAME))
            .is_some_and(|relation| has(&relation, K::ONLY_KW)),
        columns: written(node),
        unchanged: unchanged(node),
        filter: child(node, K::WHERE_CLAUSE).map(|filter| names(&filter)).unwrap_or_default(),
        ..DataClauses::default()
    };
    let members: Vec<Name> =
        node.descendants().filter(|inner| inner.kind() == K::CTE_NAME).map(|member| name(&member)).collect();
    for inner in node.descendants().skip(1) {
        match inner.kind() {
            K::RELATION_FROM_ITEM => {
                let Some(source) = qualified_in(&inner, K::RELATION_NAME_REF) else { continue };
                let is_member = source.schema.is_empty() && members.contains(&source.name);
                if !is_member && !found.reads.contains(&source) {
                    found.reads.push(source);
                }
            }
            K::INSERT | K::UPDATE | K::DELETE | K::MERGE => {
                let target = query::target(&inner).or_else(|| qualified_in(&inner, K::RELATION_NAME_REF));
                if let Some(target) = target
                    && table != Some(&target)
                    && !found.also.contains(&target)
                {
                    found.also.push(target);
                }
            }
            K::CALL_EXPR => {
                let parts: Vec<Name> = expr_child(&inner)
                    .iter()
                    .flat_map(Node::descendants)
                    .filter(|node| node.kind() == K::NAME_REF)
                    .map(|node| name(&node))
                    .collect();
                let called = qualify(parts);
                if !called.name.is_empty() && !found.calls.contains(&called) {
                    found.calls.push(called);
                }
            }
            K::LIMIT_CLAUSE | K::FETCH_CLAUSE => found.limited = true,
            K::LOCKING_CLAUSE => found.locks_rows = true,
            _ => {}
        }
    }
    if node.kind() != K::MERGE && matches!(node.kind(), K::SELECT | K::SELECT_INTO) {
        // What a query reads first stands in `table` already.
        found.reads.retain(|source| Some(source) != table);
    }
    found
}

/// The columns that a statement names as those that it writes.
fn written(node: &Node) -> Vec<Name> {
    let list = match node.kind() {
        K::UPDATE => child(node, K::SET_CLAUSE),
        K::COPY => child(node, K::COPY_TABLE),
        _ => child(node, K::COLUMN_TARGET_LIST),
    };
    let columns = list.iter().flat_map(Node::descendants).filter(|node| node.kind() == K::COLUMN_NAME_REF);
    columns.map(|column| name(&column)).collect()
}

/// The columns that `UPDATE` sets to themselves.
fn unchanged(node: &Node) -> Vec<Name> {
    let single = node
        .children()
        .filter(|child| child.kind() == K::SET_CLAUSE)
        .flat_map(|clause| clause.descendants().collect::<Vec<_>>())
        .filter(|inner| inner.kind() == K::SET_SINGLE_COLUMN);
    single
        .filter_map(|column| {
            let target = name_in(&child(&column, K::COLUMN_TARGET)?, K::COLUMN_NAME_REF)?;
            let value = child(&column, K::SET_EXPR)
                .and_then(|value| expr_child(&value))
                .or_else(|| expr_child(&column))?;
            (value.kind() == K::NAME_REF && name(&value) == target).then_some(target)
        })
        .collect()
}

/// The names in a tree, each once.
fn names(node: &Node) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    for inner in node.descendants().filter(|inner| inner.kind() == K::NAME_REF) {
        let name = name(&inner);
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// `EXPLAIN`, which runs the statement only with `ANALYZE`.
pub(super) fn explain(node: &Node) -> Vec<Change> {
    let runs = node.descendants().any(|inner| {
        inner.kind() == K::EXPLAIN_ANALYZE
            || (inner.kind() == K::EXPLAIN_OPTION
                && child(&inner, K::EXPLAIN_OPTION_NAME)
                    .is_some_and(|option| option.text().to_string().trim().eq_ignore_ascii_case("analyze"))
                && !child(&inner, K::EXPLAIN_OPTION_VALUE).is_some_and(|value| {
                    matches!(
                        value.text().to_string().trim().to_ascii_lowercase().as_str(),
                        "false" | "off" | "0"
                    )
                }))
    });
    let explained = node.descendants().skip(1).find_map(|inner| {
        Some(match inner.kind() {
            K::INSERT => data(DataKind::Insert, &inner),
            K::UPDATE => data(DataKind::Update, &inner),
            K::DELETE => data(DataKind::Delete, &inner),
            K::MERGE => data(DataKind::Merge, &inner),
            _ => return None,
        })
    });
    match explained {
        Some(changes) if runs => changes,
        Some(changes) => {
            changes.into_iter().map(|change| Change::Explain { statement: Box::new(change) }).collect()
        }
        None => vec![Change::Nothing],
    }
}

pub(super) fn copy(node: &Node) -> Vec<Change> {
    let table = child(node, K::COPY_TABLE).and_then(|table| qualified_in(&table, K::TABLE_NAME_REF));
    let kind = if has(node, K::COPY_FROM) { DataKind::Copy } else { DataKind::Select };
    let clauses = clauses(node, table.as_ref());
    vec![Change::Data { kind, table, filtered: has(node, K::WHERE_CLAUSE), clauses }]
}

/// `TRUNCATE` of all its tables in one change: a foreign key between them does not hinder it.
pub(super) fn truncate(node: &Node) -> Vec<Change> {
    let relations: Vec<Node> = child(node, K::TABLE_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::TABLE_RELATION_NAME))
        .collect();
    let mut tables = relations.iter().filter_map(|relation| qualified_in(relation, K::TABLE_NAME_REF));
    let table = tables.next();
    let clauses = DataClauses {
        also: tables.collect(),
        cascade: has(node, K::CASCADE),
        restart_identity: has(node, K::RESTART_IDENTITY),
        only: relations.first().is_some_and(|relation| has(relation, K::ONLY_KW)),
        ..DataClauses::default()
    };
    vec![Change::Data { kind: DataKind::Truncate, table, filtered: false, clauses }]
}

/// `DO`, `CALL`, `EXECUTE` and `PREPARE`.
pub(super) fn procedural(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let text = parsed.text_of(node).trim_end_matches(';').trim_end();
    vec![match node.kind() {
        K::DO => Change::Procedural {
            kind: ProceduralKind::Do,
            name: None,
            body: child(node, K::LITERAL).map(|body| literal_text(&body)).unwrap_or_default(),
        },
        K::CALL => Change::Procedural {
            kind: ProceduralKind::Call,
            name: child(node, K::PROCEDURE_NAME_REF).map(|name| qualified(&name)),
            body: text.to_owned(),
        },
        K::PREPARE => Change::Prepare {
            name: name_in(node, K::PREPARED_STATEMENT).unwrap_or_default(),
            statement: text.to_owned(),
        },
        _ => Change::Procedural {
            kind: ProceduralKind::Execute,
            name: name_in(node, K::PREPARED_STATEMENT_REF).map(QualifiedName::bare),
            body: text.to_owned(),
        },
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_constants_behind_the_first_are_left_out() {
        let check = |text: &str, expected: &str| assert_eq!(with_first_row(text), expected);
        check(
            "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'it''s (');",
            "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'it''s (');",
        );
        check("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'it''s (')", "INSERT INTO t (a, b) VALUES (1, 'x')");
        check(
            "insert into s.t values\n(-1.50 , NULL)\n, (default, true) ",
            "insert into s.t values\n(-1.50 , NULL)",
        );
        for whole in [
            "INSERT INTO t VALUES (1), (now())",
            "INSERT INTO t VALUES (1), (2) ON CONFLICT DO NOTHING",
            "INSERT INTO t VALUES (1), (2) RETURNING a",
            "INSERT INTO t VALUES (1), (E'a\\'b')",
            "INSERT INTO t VALUES (1), ('a'::text)",
            "INSERT INTO t VALUES (1), (2 -- two\n)",
            "INSERT INTO t VALUES (1), (1e3)",
            "INSERT INTO t VALUES (1), (",
            "INSERT INTO t VALUES (1), ()",
            "INSERT INTO t VALUES (1), ('a",
            "INSERT INTO t VALUES (1), (- 1)",
            "INSERT INTO t /* VALUES (1), (2)",
            "INSERT INTO t SELECT a FROM (VALUES (1), (2)) v (a)",
            "SELECT 1",
            "insert",
        ] {
            check(whole, whole);
        }
    }

    #[test]
    fn left_out_rows_change_nothing_of_what_is_read() {
        let one = super::super::parse::statement("INSERT INTO s.t (a, b) VALUES (1, 'x')");
        let rows = vec!["(1, 'x')"; 20_000].join(", ");
        assert_eq!(super::super::parse::statement(&format!("INSERT INTO s.t (a, b) VALUES {rows}")), one);
    }
}
