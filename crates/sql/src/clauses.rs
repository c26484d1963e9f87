//! Clauses that decide how many rows a statement reaches, read off its words: the same for every dialect.
//!
//! What cannot be told for certain is left as the parser of the dialect gave it.

use dbwright_model::change::{Change, DataKind, PartOf};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};

/// Bytes in which a query that fills a table begins.
const BEGINS_WITHIN: usize = 4096;

/// Makes the changes of a statement say what its clauses tell of the rows that it reaches.
pub(crate) fn refine(dialect: Dialect, text: &str, changes: &mut [Change]) {
    for change in changes {
        match change {
            Change::CreateTableAs { name, query, part_of, .. } => {
                if let Some(Source::Part(part)) = source(dialect, &tokens(dialect, query), name) {
                    *part_of = Some(part);
                }
            }
            Change::Data { kind, table, filtered, clauses } => {
                let with = begins_with_word(text, "with");
                if *kind == DataKind::Merge && !with {
                    clauses.joined = merged(dialect, &tokens(dialect, text));
                }
                let fills = *kind == DataKind::Insert && !with && has_select(text);
                let changes_rows = matches!(kind, DataKind::Update | DataKind::Delete);
                if !(with || fills || (changes_rows && *filtered)) {
                    continue;
                }
                let tokens = tokens(dialect, text);
                if with && !clauses.limited {
                    clauses.whole = whole_members(dialect, &tokens);
                }
                if let (true, Some(target)) = (fills, table.as_ref()) {
                    match source(dialect, &tokens, target) {
                        Some(Source::Part(part)) => clauses.part_of = Some(part),
                        Some(Source::Whole(table)) => clauses.all_of = Some(table),
                        None => {}
                    }
                }
                if changes_rows && *filtered {
                    let verb = if *kind == DataKind::Update { "update" } else { "delete" };
                    let Some(begin) = tokens.iter().position(|token| token.depth == 0 && token.is(verb))
                    else {
                        continue;
                    };
                    let statement = &tokens[begin..];
                    let limited = statement.iter().any(|token| token.depth == 0 && token.is("limit"));
                    let condition = condition(statement, 0).unwrap_or_default();
                    if holds_always(condition) && !limited {
                        *filtered = false;
                        clauses.filter.clear();
                        continue;
                    }
                    if !with && !limited {
                        clauses.joined = joined(dialect, statement);
                    }
                    if !limited {
                        clauses.only_null = only_null(dialect, condition);
                        clauses.only_present = only_present(dialect, condition);
                    }
                    clauses.first_equal = first_equal(dialect, condition);
                }
            }
            _ => {}
        }
    }
}

fn begins_with_word(text: &str, word: &str) -> bool {
    let text = text.trim_start();
    text.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
}

fn has_select(text: &str) -> bool {
    let bytes = &text.as_bytes()[..text.len().min(BEGINS_WITHIN)];
    bytes.windows(6).any(|word| word.eq_ignore_ascii_case(b"select"))
}

/// A word, constant or sign, with the number of parentheses that are open around it; a parenthesis itself stands in those
/// around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    depth: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    fn is_constant(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit() || c == '\'')
    }

    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '"' | '`'))
    }
}

fn tokens(dialect: Dialect, text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    let mut found = Vec::new();
    while at < bytes.len() {
        let begin = at;
        match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if bytes[at..].starts_with(b"--") => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'#' if dialect == Dialect::Mysql => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
                continue;
            }
            quote @ (b'\'' | b'"' | b'`') => {
                let escapes = quote == b'\''
                    && (dialect == Dialect::Mysql
                        || matches!(begin.checked_sub(1).map(|i| bytes[i]), Some(b'e' | b'E')));
                at = quoted_end(bytes, at, quote, escapes);
            }
            b'$' if dialect == Dialect::Postgres => at = dollar_end(text, at),
            b'(' => {
                found.push(Token { text: "(", depth });
                depth += 1;
                at += 1;
                continue;
            }
            b')' => {
                depth = depth.saturating_sub(1);
                found.push(Token { text: ")", depth });
                at += 1;
                continue;
            }
            _ => {
                let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let rest = &text[at..];
                let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let sign = rest.chars().next().map_or(1, char::len_utf8);
                at += if word > 0 { word } else { sign };
            }
        }
        found.push(Token { text: &text[begin..at], depth });
    }
    if found.last().is_some_and(|last| last.text == ";") {
        found.pop();
    }
    found
}

fn quoted_end(bytes: &[u8], from: usize, quote: u8, escapes: bool) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        if escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    bytes.len()
}

fn dollar_end(text: &str, from: usize) -> usize {
    let rest = &text[from + 1..];
    let tag = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if !rest[tag..].starts_with('$') {
        return from + 1 + tag;
    }
    let mark = &text[from..from + tag + 2];
    let body = from + mark.len();
    text[body..].find(mark).map_or(text.len(), |end| body + end + mark.len())
}

/// The name that tokens begin with, and how many tokens it takes.
fn name(dialect: Dialect, tokens: &[Token<'_>]) -> Option<(QualifiedName, usize)> {
    let part = |token: &Token<'_>| {
        let text = token.text;
        let quoted = text.starts_with(['"', '`']);
        match quoted {
            true => Name::from(text.trim_matches(['"', '`'])),
            false if dialect == Dialect::Postgres => Name::from(text.to_lowercase()),
            false => Name::from(text),
        }
    };
    let first = tokens.first().filter(|token| token.is_name())?;
    match tokens {
        [_, dot, last, ..] if dot.text == "." && last.is_name() => {
            Some((QualifiedName { schema: part(first), name: part(last) }, 3))
        }
        _ => Some((QualifiedName::bare(part(first)), 1)),
    }
}

const ENDS: &[&str] =
    &["returning", "order", "limit", "group", "having", "window", "fetch", "offset", "for", "on"];

/// The tokens of the `WHERE` that stands in so many parentheses.
fn condition<'a, 'b>(tokens: &'a [Token<'b>], depth: usize) -> Option<&'a [Token<'b>]> {
    let begin = tokens.iter().position(|token| token.depth == depth && token.is("where"))? + 1;
    let rest = &tokens[begin..];
    let ends = |token: &Token<'_>| {
        token.depth < depth || (token.depth == depth && ENDS.iter().any(|word| token.is(word)))
    };
    Some(&rest[..rest.iter().position(ends).unwrap_or(rest.len())])
}

/// Whether a condition is true whatever a row holds: constants joined by `AND`.
fn holds_always(condition: &[Token<'_>]) -> bool {
    let Some(depth) = condition.first().map(|token| token.depth) else { return false };
    let mut terms = condition.split(|token| token.depth == depth && token.is("and"));
    terms.all(|term| match term {
        [only] => {
            only.is("true")
                || (only.text.bytes().all(|b| b.is_ascii_digit()) && !only.text.trim_matches('0').is_empty())
        }
        [not, no] => not.is("not") && no.is("false"),
        [left, equal, right] if equal.text == "=" => left.is_constant() && left.text == right.text,
        [open, inner @ .., close] if open.text == "(" && close.text == ")" => {
            inner.iter().all(|token| token.depth > depth) && holds_always(inner)
        }
        _ => false,
    })
}

/// The column that tokens begin with, whatever qualifies it, and the tokens behind it.
fn column<'a, 'b>(dialect: Dialect, tokens: &'a [Token<'b>]) -> Option<(Name, &'a [Token<'b>])> {
    let (column, used) = name(dialect, tokens)?;
    match &tokens[used..] {
        [dot, last, rest @ ..] if dot.text == "." && last.is_name() => {
            Some((name(dialect, &[*last])?.0.name, rest))
        }
        rest => Some((column.name, rest)),
    }
}

/// The column of `a IS NULL`, if a condition is nothing but that.
fn only_null(dialect: Dialect, condition: &[Token<'_>]) -> Option<Name> {
    match column(dialect, condition)? {
        (column, [is, null]) if is.is("is") && null.is("null") => Some(column),
        _ => None,
    }
}

/// The column of `a IS NOT NULL` or `a = a`, if a condition is nothing but that.
fn only_present(dialect: Dialect, condition: &[Token<'_>]) -> Option<Name> {
    match column(dialect, condition)? {
        (column, [is, not, null]) if is.is("is") && not.is("not") && null.is("null") => Some(column),
        (compared, [equal, other @ ..]) if equal.text == "=" => match column(dialect, other)? {
            (same, []) if same == compared && qualifier(dialect, condition) == qualifier(dialect, other) => {
                Some(compared)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What qualifies the column that tokens begin with.
fn qualifier(dialect: Dialect, tokens: &[Token<'_>]) -> Option<Name> {
    match tokens {
        [first, dot, _, ..] if dot.text == "." => name(dialect, &[*first]).map(|(name, _)| name.name),
        _ => None,
    }
}

/// The column that a condition begins to compare by `=` or `IN` with something that no query gives.
fn first_equal(dialect: Dialect, condition: &[Token<'_>]) -> Option<Name> {
    let (column, rest) = column(dialect, condition)?;
    let compared = match rest {
        [equal, ..] if equal.text == "=" => true,
        [within, open, ..] => within.is("in") && open.text == "(",
        _ => false,
    };
    (compared && !rest.iter().any(|token| token.is("select"))).then_some(column)
}

/// The tables that members of `WITH` update or delete from without a condition.
fn whole_members(dialect: Dialect, tokens: &[Token<'_>]) -> Vec<QualifiedName> {
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [open, verb] = pair else { continue };
        let behind = at.checked_sub(1).map(|at| tokens[at]);
        let member = behind.is_some_and(|before| before.is("as") || before.is("materialized"));
        if open.text != "(" || !member || !(verb.is("update") || verb.is("delete")) {
            continue;
        }
        let depth = verb.depth;
        let body = &tokens[at + 1..];
        let body = &body[..body.iter().position(|token| token.depth < depth).unwrap_or(body.len())];
        let limited = body.iter().any(|token| token.is("limit") || token.is("fetch"));
        let all = match condition(body, depth) {
            Some(condition) => holds_always(condition),
            // Rows that find no partner are left alone.
            None => !body.iter().any(|token| token.depth == depth && (token.is("using") || token.is("join"))),
        };
        let joins = verb.is("update") && body.iter().any(|token| token.depth == depth && token.is("from"));
        if limited || !all || joins {
            continue;
        }
        let skipped = body[1..].iter().take_while(|token| token.is("from") || token.is("only")).count();
        if let Some((table, _)) = name(dialect, &body[1 + skipped..])
            && !found.contains(&table)
        {
            found.push(table);
        }
    }
    found
}

/// The one table that a statement joins to its own, where each term of its condition compares a column of the one with a
/// column of the other.
fn joined(dialect: Dialect, statement: &[Token<'_>]) -> Option<QualifiedName> {
    let top: Vec<Token<'_>> = statement.iter().copied().filter(|token| token.depth == 0).collect();
    let condition = condition(statement, 0)?;
    if dialect != Dialect::Postgres || top.iter().any(|token| token.is("join")) {
        return None;
    }
    let source = if top.first()?.is("update") { "from" } else { "using" };
    let target = 1 + top[1..].iter().take_while(|token| token.is("from") || token.is("only")).count();
    let (own, _) = reference(dialect, &top[target..])?;
    let begin = top.iter().position(|token| token.is(source))? + 1;
    let end = top.iter().position(|token| token.is("where"))?;
    let (other, used) = reference(dialect, top.get(begin..end)?)?;
    // Anything more is another table, a query, or a sample.
    if begin + used != end
        || statement.iter().any(|token| token.depth == 0 && token.text == "(" && source == "using")
    {
        return None;
    }
    let (table, _) = name(dialect, &top[begin..])?;
    only_joins(dialect, condition, &own, &other).then_some(table)
}

/// Whether each term of a condition compares a column of the one table with a column of the other.
fn only_joins(dialect: Dialect, condition: &[Token<'_>], own: &Name, other: &Name) -> bool {
    let Some(depth) = condition.first().map(|token| token.depth) else { return false };
    let mut terms = condition.split(|token| token.depth == depth && token.is("and"));
    terms.all(|term| match term {
        [_, dot, _, equal, right @ ..]
            if dot.text == "."
                && equal.text == "="
                && matches!(right, [_, point, _] if point.text == ".") =>
        {
            let (a, b) = (qualifier(dialect, term), qualifier(dialect, right));
            let (own, other) = (Some(own), Some(other));
            (a.as_ref() == own && b.as_ref() == other) || (a.as_ref() == other && b.as_ref() == own)
        }
        [open, inner @ .., close] if open.text == "(" && close.text == ")" => {
            inner.iter().all(|token| token.depth > depth) && only_joins(dialect, inner, own, other)
        }
        _ => false,
    })
}

/// The table that a `MERGE` joins to its own, where every row that finds its partner is changed.
fn merged(dialect: Dialect, statement: &[Token<'_>]) -> Option<QualifiedName> {
    let at = |word: &str| statement.iter().position(|token| token.depth == 0 && token.is(word));
    let (using, on, when) = (at("using")?, at("on")?, at("when")?);
    let is_filler = |token: &&Token<'_>| token.is("into") || token.is("only");
    let behind = |begin: usize| begin + statement[begin..].iter().take_while(is_filler).count();
    let (target, source) = (behind(1), behind(using + 1));
    let (own, used) = reference(dialect, statement.get(target..using)?)?;
    let (other, taken) = reference(dialect, statement.get(source..on)?)?;
    if target + used != using || source + taken != on {
        return None;
    }
    let mut actions = statement[when..].split(|token| token.depth == 0 && token.is("when"));
    let changes_all = actions.any(|action| match action {
        [matched, then, verb, ..] => {
            matched.is("matched") && then.is("then") && (verb.is("update") || verb.is("delete"))
        }
        _ => false,
    });
    let (table, _) = name(dialect, &statement[source..])?;
    (changes_all && only_joins(dialect, statement.get(on + 1..when)?, &own, &other)).then_some(table)
}

/// The name by which a table with or without an alias is called, and how many tokens it takes.
fn reference(dialect: Dialect, tokens: &[Token<'_>]) -> Option<(Name, usize)> {
    let (table, mut used) = name(dialect, tokens)?;
    if tokens.get(used).is_some_and(|token| token.is("as")) {
        used += 1;
    }
    let keyword = |token: &Token<'_>| {
        ["set", "using", "where", "from", "on", "order", "limit", "group", "join"]
            .iter()
            .any(|word| token.is(word))
    };
    match tokens.get(used).filter(|token| token.is_name() && !keyword(token)) {
        Some(alias) => Some((name(dialect, &[*alias])?.0.name, used + 1)),
        None => Some((table.name, used)),
    }
}

/// The table that a query reads first.
enum Source {
    /// A clause leaves some of its rows out.
    Part(PartOf),
    /// Each of its rows gives a row.
    Whole(QualifiedName),
}

/// The table that the query of a statement which fills `target` reads; `None` where it cannot be told how much of it.
fn source(dialect: Dialect, tokens: &[Token<'_>], target: &QualifiedName) -> Option<Source> {
    let select = tokens.iter().position(|token| token.is("select"))?;
    // What a common table leaves out is not followed.
    if tokens[..select].iter().any(|token| token.is("with") || token.is("values")) {
        return None;
    }
    let depth = tokens[select].depth;
    let rest = &tokens[select + 1..];
    let rest = &rest[..rest.iter().position(|token| token.depth < depth).unwrap_or(rest.len())];
    let top = || rest.iter().filter(move |token| token.depth == depth);
    if top().any(|token| token.is("union") || token.is("intersect") || token.is("except")) {
        return None;
    }
    let from = rest.iter().position(|token| token.depth == depth && token.is("from"))? + 1;
    let only = usize::from(rest.get(from).is_some_and(|token| token.is("only")));
    let (table, _) = name(dialect, &rest[from + only..])?;
    // A copy that asks what it has already goes on with one that was begun.
    let says_target = condition(rest, depth)
        .is_some_and(|condition| condition.iter().any(|token| token.is(target.name.as_str())));
    let filters = condition(rest, depth).is_some_and(|condition| !holds_always(condition));
    let inner_join = rest.iter().enumerate().skip(from).any(|(at, token)| {
        let before = |by: usize| at.checked_sub(by).and_then(|at| rest.get(at));
        let keeps = |token: Option<&Token<'_>>| {
            token.is_some_and(|token| ["left", "full", "cross"].iter().any(|word| token.is(word)))
        };
        let outer = before(1).is_some_and(|token| token.is("outer"));
        token.depth == depth && token.is("join") && !keeps(before(if outer { 2 } else { 1 }))
    });
    let by = if filters && !says_target {
        "WHERE"
    } else if top().any(|token| token.is("limit") || token.is("fetch")) {
        "LIMIT"
    } else if inner_join {
        "JOIN"
    } else if rest.first().is_some_and(|token| token.is("distinct")) {
        "DISTINCT"
    } else if top().any(|token| token.is("group")) {
        "GROUP BY"
    } else if gives_every_row(dialect, &tokens[..select], rest, from + only) {
        return Some(Source::Whole(table));
    } else {
        return None;
    };
    Some(Source::Part(PartOf { table, by: by.to_owned() }))
}

/// Whether a query is no more than a list and a table, where `from` is the place of the table behind `SELECT`, and what
/// stands before the query discards no row.
fn gives_every_row(dialect: Dialect, before: &[Token<'_>], query: &[Token<'_>], from: usize) -> bool {
    let Some((_, used)) = reference(dialect, &query[from..]) else { return false };
    let behind = &query[from + used..];
    let plain = match behind.first() {
        None => true,
        Some(first) if first.is("order") => true,
        Some(first) => first.is("where") && condition(behind, first.depth).is_some_and(holds_always),
    };
    // `IGNORE`, `OR IGNORE` and `ON CONFLICT` leave rows out.
    let discards = before.iter().any(|token| token.is("ignore") || token.is("or"))
        || behind.iter().any(|token| token.is("on") || token.is("limit") || token.is("offset"));
    let sums =
        query.windows(2).any(|pair| pair[1].text == "(" && AGGREGATES.iter().any(|name| pair[0].is(name)));
    plain && !discards && !sums
}

/// Functions that make one row of many.
const AGGREGATES: &[&str] = &[
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "group_concat",
    "json_agg",
    "json_arrayagg",
    "json_group_array",
    "json_group_object",
    "json_object_agg",
    "json_objectagg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "string_agg",
    "sum",
    "total",
];

#[cfg(test)]
mod tests;
