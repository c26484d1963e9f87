//! Changes in a few words, as they are typed on a command line: "add column phone varchar(20) to users".
//!
//! A wish is brought into the form of a statement, which is then parsed as any other. Statements themselves are wishes too.

use dbwright_model::change::{AlterClauses, Change};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};

mod lacking;

/// One wish of each kind, as examples.
pub const EXAMPLES: &[&str] = &[
    "add column phone varchar(20) to users",
    "drop column phone from users",
    "rename column phone to mobile on users",
    "rename table users to people",
    "change type of users.id to bigint",
    "set users.phone not null",
    "set default of users.active to true",
    "add foreign key on orders(customer_id) to customers(id)",
    "add unique on users(email)",
    "add index on orders(created_at)",
    "add check on orders (total >= 0)",
    "add primary key on events(id)",
    "add value 'archived' to order_status",
    "drop constraint orders_total_check from orders",
    "drop index orders_created_at_idx",
    "drop table carts",
];

/// The changes that words ask for. An error says what was understood, as a lower-case fragment.
pub fn changes(dialect: Dialect, text: &str) -> Result<Vec<Change>, String> {
    let text = text.trim().trim_end_matches(';').trim();
    if text.is_empty() {
        return Err("no words were given".to_owned());
    }
    let words = Words::of(text);
    match understand(dialect, &words) {
        Ok(Some(Wish::Statement(sql))) => read(dialect, &sql),
        Ok(Some(Wish::Change(change))) => Ok(vec![*change]),
        Ok(None) => read(dialect, text),
        // What looks like a wish may be a statement after all.
        Err(missing) => parsed(dialect, text).map_err(|_| missing),
    }
}

/// The changes of statements, or of one that the dialect does not have.
fn read(dialect: Dialect, sql: &str) -> Result<Vec<Change>, String> {
    parsed(dialect, sql).or_else(|refusal| match dialect {
        Dialect::Sqlite => lacking::change(sql).map(|change| vec![change]).ok_or(refusal),
        _ => Err(refusal),
    })
}

/// The changes of statements, all of which must be understood.
fn parsed(dialect: Dialect, sql: &str) -> Result<Vec<Change>, String> {
    let statements = crate::split(dialect, sql);
    let changes: Vec<Change> =
        statements.iter().flat_map(|statement| crate::parse_statement(dialect, statement.text)).collect();
    for change in &changes {
        if let Change::Opaque { because, .. } = change {
            return Err(format!("`{sql}` is not understood: {because}"));
        }
    }
    if changes.is_empty() {
        return Err(format!("`{sql}` says nothing"));
    }
    Ok(changes)
}

enum Wish {
    Statement(String),
    /// A change that the dialect has no statement for.
    Change(Box<Change>),
}

/// A text cut at blanks; what stands in quotes or parentheses stays together.
struct Words<'a> {
    list: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let (mut list, mut start, mut depth) = (Vec::new(), None, 0usize);
        let mut quote: Option<char> = None;
        for (at, c) in text.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"' | '`') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') => depth = depth.saturating_sub(1),
                (None, c) if c.is_whitespace() && depth == 0 => {
                    if let Some(start) = start.take() {
                        list.push(&text[start..at]);
                    }
                    continue;
                }
                _ => {}
            }
            start.get_or_insert(at);
        }
        list.extend(start.map(|start| &text[start..]));
        Words { list }
    }

    fn is(&self, at: usize, wanted: &str) -> bool {
        self.list.get(at).is_some_and(|word| word.eq_ignore_ascii_case(wanted))
    }

    /// How many words the text begins with, articles left out, when it begins with these.
    fn begins(&self, wanted: &[&str]) -> Option<usize> {
        let mut at = 0;
        for word in wanted {
            while self.is(at, "the") || self.is(at, "a") || self.is(at, "an") {
                at += 1;
            }
            if !self.is(at, word) {
                return None;
            }
            at += 1;
        }
        Some(at)
    }

    /// The last place of one of some words from a place on.
    fn last(&self, from: usize, wanted: &[&str]) -> Option<usize> {
        (from..self.list.len()).rev().find(|at| wanted.iter().any(|word| self.is(*at, word)))
    }

    /// The first place of one of some words from a place on.
    fn first(&self, from: usize, wanted: &[&str]) -> Option<usize> {
        (from..self.list.len()).find(|at| wanted.iter().any(|word| self.is(*at, word)))
    }

    fn join(&self, from: usize, to: usize) -> String {
        self.list.get(from..to.min(self.list.len())).unwrap_or_default().join(" ")
    }

    fn rest(&self, from: usize) -> String {
        self.join(from, self.list.len())
    }
}

/// Brings words into the form of a statement; `None` when they begin like none of the wishes.
fn understand(dialect: Dialect, words: &Words<'_>) -> Result<Option<Wish>, String> {
    let statement = |sql: String| Ok(Some(Wish::Statement(sql)));
    let any = |forms: &[&[&str]]| forms.iter().find_map(|form| words.begins(form));
    if let Some(at) = any(&[&["add", "foreign", "key"], &["create", "foreign", "key"], &["add", "fk"]]) {
        return foreign_key(words, at).map(|sql| Some(Wish::Statement(sql)));
    }
    if let Some(at) = any(&[&["add", "primary", "key"]]) {
        let (table, columns) =
            place(words, at, "the table and its columns: `add primary key on events(id)`")?;
        return statement(format!("ALTER TABLE {table} ADD PRIMARY KEY {columns}"));
    }
    if let Some(at) = any(&[&["add", "unique", "index"], &["create", "unique", "index"]])
        && let Ok((table, columns)) = place(words, at, "")
    {
        return index(dialect, "UNIQUE ", &table, &columns);
    }
    if let Some(at) = any(&[&["add", "index"], &["create", "index"]])
        && (words.is(at, "on") || words.begins(&["add"]).is_some())
    {
        let (table, columns) =
            place(words, at, "the table and its columns: `add index on orders(created_at)`")?;
        return index(dialect, "", &table, &columns);
    }
    if let Some(at) = any(&[&["add", "unique", "constraint"], &["add", "unique", "key"], &["add", "unique"]])
    {
        let (table, columns) = place(words, at, "the table and its columns: `add unique on users(email)`")?;
        return statement(format!("ALTER TABLE {table} ADD UNIQUE {columns}"));
    }
    if let Some(at) = any(&[&["add", "check", "constraint"], &["add", "check"]]) {
        return check(words, at).map(|sql| Some(Wish::Statement(sql)));
    }
    if let Some(at) = any(&[&["add", "value"], &["add", "enum", "value"]]) {
        let to = words.first(at + 1, &["to", "in"]).ok_or("the type is missing: `add value 'x' to mood`")?;
        let skip = usize::from(words.is(to + 1, "enum") || words.is(to + 1, "type"));
        let name = words.list.get(to + 1 + skip).ok_or("the type is missing: `add value 'x' to mood`")?;
        let value = words.list.get(at).copied().unwrap_or_default().trim_matches('\'');
        let rest = words.rest(to + 2 + skip);
        return statement(format!("ALTER TYPE {name} ADD VALUE '{value}' {rest}"));
    }
    if let Some(at) = any(&[&["add", "column"], &["add"]])
        && !words.is(at, "constraint")
    {
        return add_column(words, at).map(|sql| Some(Wish::Statement(sql)));
    }
    if let Some(at) = any(&[&["rename", "column"]]) {
        return rename_column(words, at).map(|sql| Some(Wish::Statement(sql)));
    }
    if let Some(at) = any(&[&["rename", "table"], &["rename"]]) {
        let said = "the old and the new name: `rename table users to people`";
        let (Some(old), true, Some(new)) =
            (words.list.get(at), words.is(at + 1, "to"), words.list.get(at + 2))
        else {
            return Err(format!("a renaming needs {said}"));
        };
        if at == 1 && old.contains('.') && words.list.len() == 4 {
            return rename_column(words, at).map(|sql| Some(Wish::Statement(sql)));
        }
        return statement(format!("ALTER TABLE {old} RENAME TO {new}"));
    }
    if let Some(at) = any(&[
        &["change", "type", "of", "column"],
        &["change", "type", "of"],
        &["change", "column", "type", "of"],
        &["change", "column"],
        &["set", "type", "of"],
        &["change"],
    ]) {
        return change_type(dialect, words, at);
    }
    if let Some(at) = any(&[&["drop", "column"], &["remove", "column"]]) {
        let (table, column) = column_of(words, at, "`drop column phone from users`")?.0;
        return statement(format!("ALTER TABLE {table} DROP COLUMN {column}"));
    }
    if let Some(at) = any(&[&["drop", "constraint"], &["remove", "constraint"]]) {
        let (table, name) = column_of(words, at, "`drop constraint orders_total_check from orders`")?.0;
        return statement(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
    }
    if let Some(at) = any(&[&["drop", "not", "null", "on"], &["drop", "not", "null", "of"]]) {
        let (table, column) = column_of(words, at, "`drop not null on users.phone`")?.0;
        return not_null(dialect, &table, &column, false);
    }
    if let Some(at) = any(&[&["drop", "default", "of"], &["drop", "default", "on"]]) {
        let (table, column) = column_of(words, at, "`drop default of users.active`")?.0;
        return statement(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"));
    }
    if let Some(at) = any(&[&["set", "default", "of"], &["set", "default", "on"]]) {
        let ((table, column), after) = column_of(words, at, "`set default of users.active to true`")?;
        let skip = usize::from(words.is(after, "to") || words.is(after, "="));
        let value = words.rest(after + skip);
        if value.is_empty() {
            return Err("the value is missing: `set default of users.active to true`".to_owned());
        }
        return statement(format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}"));
    }
    if let Some(at) = any(&[&["set", "default"]])
        && let Some(on) = words.last(at, &["on", "of", "for"])
        && on > at
    {
        // Of two such words in a row the first one parts the value from the column: `set default 0 on c of t`.
        let on = words
            .first(at, &["on", "of", "for"])
            .filter(|first| first + 2 == on && *first > at)
            .unwrap_or(on);
        let ((table, column), after) = column_of(words, on + 1, "`set default of users.active to true`")?;
        if after == words.list.len() {
            let value = words.join(at, on);
            return statement(format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}"));
        }
    }
    if let Some(at) = any(&[&["set", "not", "null", "on"], &["set", "not", "null", "of"]]) {
        let (table, column) = column_of(words, at, "`set not null on users.phone`")?.0;
        return not_null(dialect, &table, &column, true);
    }
    if let Some(at) = any(&[&["set", "column"], &["make", "column"], &["set"], &["make"]])
        && let Some(not) = words.first(at, &["not", "required", "nullable", "optional"])
    {
        let is_set = words.is(not, "required") || words.is(not, "not") && words.is(not + 1, "null");
        let mut named = Words { list: words.list[at..not].to_vec() };
        named.list.extend(words.list.iter().skip(not + if words.is(not, "not") { 2 } else { 1 }));
        let (table, column) = column_of(&named, 0, "`set users.phone not null`")?.0;
        return not_null(dialect, &table, &column, is_set);
    }
    Ok(None)
}

/// `on table(columns)`, with or without blanks.
fn place(words: &Words<'_>, at: usize, missing: &str) -> Result<(String, String), String> {
    let on = words.first(at, &["on", "to", "of", "for"]).map_or(at, |on| on + 1);
    let text = words.rest(on);
    let missing = || format!("what is missing is {missing}");
    if let Some((table, column)) = dotted(&text) {
        return Ok((table.to_owned(), format!("({column})")));
    }
    let open = text.find('(').ok_or_else(missing)?;
    let table = text[..open].trim();
    if table.is_empty() || table.contains(' ') {
        return Err(missing());
    }
    Ok((table.to_owned(), text[open..].to_owned()))
}

/// The table and the column of `table.column`, when nothing else is said.
fn dotted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if text.contains(['(', ' ']) {
        return None;
    }
    text.rsplit_once('.').filter(|(table, column)| !table.is_empty() && !column.is_empty())
}

fn index(dialect: Dialect, unique: &str, table: &str, columns: &str) -> Result<Option<Wish>, String> {
    let name = match dialect {
        Dialect::Postgres => String::new(),
        // Here a name must be said.
        _ => {
            let bare = table.rsplit('.').next().unwrap_or(table);
            let parts: String = columns.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
            let parts: Vec<&str> = parts.split('_').filter(|part| !part.is_empty()).collect();
            format!("{}_{}_idx ", bare.trim_matches(['"', '`']), parts.join("_"))
        }
    };
    Ok(Some(Wish::Statement(format!("CREATE {unique}INDEX {name}ON {table} {columns}"))))
}

fn foreign_key(words: &Words<'_>, at: usize) -> Result<String, String> {
    let missing = || {
        "a foreign key needs both ends: `add foreign key on orders(customer_id) to customers(id)`".to_owned()
    };
    let text = words.rest(at);
    let text = ["on ", "from "]
        .iter()
        .find_map(|head| {
            text.get(..head.len())
                .filter(|begin| begin.eq_ignore_ascii_case(head))
                .map(|_| &text[head.len()..])
        })
        .unwrap_or(&text)
        .to_owned();
    let middle = Words::of(&text);
    let to = middle.first(0, &["to", "references"]).ok_or_else(missing)?;
    let (child, parent) = (middle.join(0, to), middle.rest(to + 1));
    if let Some((table, column)) = dotted(&child).filter(|_| !parent.is_empty()) {
        return Ok(format!("ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {parent}"));
    }
    let open = child.find('(').ok_or_else(missing)?;
    if parent.is_empty() || child[..open].trim().is_empty() {
        return Err(missing());
    }
    Ok(format!("ALTER TABLE {} ADD FOREIGN KEY {} REFERENCES {parent}", child[..open].trim(), &child[open..]))
}

fn check(words: &Words<'_>, at: usize) -> Result<String, String> {
    let missing = || "a check needs a table and a condition: `add check on orders (total >= 0)`".to_owned();
    // `add check (total >= 0) on orders`, or the table first.
    if words.list.get(at).is_some_and(|word| word.starts_with('('))
        && let Some(on) = words.last(at, &["on", "to", "of"])
        && words.list.len() == on + 2
    {
        return Ok(format!("ALTER TABLE {} ADD CHECK {}", words.list[on + 1], enclosed(&words.join(at, on))));
    }
    let on = at + usize::from(words.is(at, "on") || words.is(at, "to"));
    // The same without parentheses: `add check total >= 0 to orders`.
    if on == at
        && let Some(to) = words.last(at, &["on", "to"])
        && to > at + 1
        && words.list.len() == to + 2
        && !words.list[to + 1].contains('(')
    {
        return Ok(format!("ALTER TABLE {} ADD CHECK {}", words.list[to + 1], enclosed(&words.join(at, to))));
    }
    let text = words.rest(on);
    let cut = text.find(['(', ':', ' ']).ok_or_else(missing)?;
    let condition = text[cut..].trim().trim_start_matches(':').trim();
    if cut == 0 || condition.is_empty() {
        return Err(missing());
    }
    let condition = enclosed(condition);
    Ok(format!("ALTER TABLE {} ADD CHECK {condition}", text[..cut].trim()))
}

/// A condition in one pair of parentheses.
fn enclosed(condition: &str) -> String {
    let is_one =
        condition.starts_with('(') && condition.ends_with(')') && Words::of(condition).list.len() == 1;
    if is_one { condition.to_owned() } else { format!("({condition})") }
}

fn add_column(words: &Words<'_>, at: usize) -> Result<String, String> {
    let missing =
        || "a column needs a name, a type and a table: `add column phone varchar(20) to users`".to_owned();
    let first = words.list.get(at).ok_or_else(missing)?;
    if let Some((table, column)) = first.rsplit_once('.')
        && words.list.len() > at + 1
        && !table.contains('(')
    {
        return Ok(format!("ALTER TABLE {table} ADD COLUMN {column} {}", words.rest(at + 1)));
    }
    let to = words.last(at + 2, &["to", "on", "in"]).ok_or_else(missing)?;
    let skip = usize::from(words.is(to + 1, "table"));
    if words.list.len() != to + 2 + skip {
        return Err(missing());
    }
    Ok(format!("ALTER TABLE {} ADD COLUMN {}", words.list[to + 1 + skip], words.join(at, to)))
}

fn rename_column(words: &Words<'_>, at: usize) -> Result<String, String> {
    let missing =
        || "a renaming needs a table and both names: `rename column phone to mobile on users`".to_owned();
    let ((table, old), after) = match words.first(at, &["to"]) {
        Some(to) => {
            let mut named = Words { list: words.list[at..to].to_vec() };
            named.list.extend(words.list.iter().skip(to + 2));
            (column_of(&named, 0, "`rename column phone to mobile on users`")?.0, to)
        }
        None => return Err(missing()),
    };
    let new = words.list.get(after + 1).ok_or_else(missing)?;
    Ok(format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}"))
}

fn change_type(dialect: Dialect, words: &Words<'_>, at: usize) -> Result<Option<Wish>, String> {
    let example = "`change type of users.id to bigint`";
    let ((table, column), after) = column_of(words, at, example)?;
    let skip = ["type", "to"].iter().fold(after, |at, word| at + usize::from(words.is(at, word)));
    let wanted = words.rest(skip);
    if wanted.is_empty() {
        return Err(format!("the new type is missing: {example}"));
    }
    if dialect == Dialect::Postgres {
        return Ok(Some(Wish::Statement(format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {wanted}"))));
    }
    Ok(Some(Wish::Change(Box::new(Change::AlterColumnType {
        table: name_of(dialect, &table),
        column: name_of(dialect, &column).name,
        to: crate::data_type(dialect, &wanted),
        collation: None,
        using: None,
        alter: AlterClauses::default(),
    }))))
}

fn not_null(dialect: Dialect, table: &str, column: &str, not_null: bool) -> Result<Option<Wish>, String> {
    Ok(Some(Wish::Change(Box::new(Change::SetNotNull {
        table: name_of(dialect, table),
        column: name_of(dialect, column).name,
        not_null,
        alter: AlterClauses::default(),
    }))))
}

/// A name as the dialect reads it: quotes off, folded where it folds.
fn name_of(dialect: Dialect, text: &str) -> QualifiedName {
    let part = |text: &str| {
        let bare = text.trim_matches(['"', '`']);
        let folds = dialect == Dialect::Postgres && bare.len() == text.len();
        Name::from(if folds { bare.to_ascii_lowercase() } else { bare.to_owned() })
    };
    match text.rsplit_once('.') {
        Some((schema, name)) => QualifiedName { schema: part(schema), name: part(name) },
        None => QualifiedName::bare(part(text)),
    }
}

/// `table.column`, `column on table` or `column of table`, and where the words go on.
fn column_of(words: &Words<'_>, at: usize, example: &str) -> Result<((String, String), usize), String> {
    let missing = || format!("the table and the column are missing: {example}");
    let first = words.list.get(at).ok_or_else(missing)?;
    let second = ["on", "of", "from", "in"].iter().any(|word| words.is(at + 1, word));
    if second {
        let skip = usize::from(words.is(at + 2, "table"));
        let table = words.list.get(at + 2 + skip).ok_or_else(missing)?;
        return Ok((((*table).to_owned(), (*first).to_owned()), at + 3 + skip));
    }
    let (table, column) = first.rsplit_once('.').ok_or_else(missing)?;
    Ok(((table.to_owned(), column.to_owned()), at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wish: &str, sql: &str) {
        let expected: Vec<Change> = crate::split(Dialect::Postgres, sql)
            .into_iter()
            .flat_map(|statement| crate::parse_statement(Dialect::Postgres, statement.text))
            .collect();
        assert!(
            !expected.is_empty() && !expected.iter().any(|change| matches!(change, Change::Opaque { .. }))
        );
        assert_eq!(changes(Dialect::Postgres, wish), Ok(expected), "{wish}");
    }

    #[test]
    fn words_ask_for_what_a_statement_says() {
        check(EXAMPLES[0], "alter table users add column phone varchar(20)");
        check(
            "add a column phone text default 'to be' to table shop.users",
            "alter table shop.users add column phone text default 'to be'",
        );
        check("Add users.phone text", "alter table users add column phone text");
        check("drop column phone from users", "alter table users drop column phone");
        check("drop column users.phone", "alter table users drop column phone");
        check("rename column a to b on t", "alter table t rename column a to b");
        check("rename column t.a to b", "alter table t rename column a to b");
        check("rename table a to b", "alter table a rename to b");
        check("change type of t.a to bigint", "alter table t alter column a type bigint");
        check(
            "change the type of a on t to numeric(10, 2) using a::numeric",
            "alter table t alter column a type numeric(10, 2) using a::numeric",
        );
        check("set t.a not null", "alter table t alter column a set not null");
        check("make column a of t not null", "alter table t alter column a set not null");
        check("make a on t nullable", "alter table t alter column a drop not null");
        check("set not null on t.\"A\"", "alter table t alter column \"A\" set not null");
        check("drop not null on t.a", "alter table t alter column a drop not null");
        check("set default of t.a to now()", "alter table t alter column a set default now()");
        check("drop default of t.a", "alter table t alter column a drop default");
        check(
            "add foreign key on child(a, b) to parent(x, y) on delete cascade",
            "alter table child add foreign key (a, b) references parent(x, y) on delete cascade",
        );
        check(
            "add foreign key child (a) references parent",
            "alter table child add foreign key (a) references parent",
        );
        check("add unique on t(a, b)", "alter table t add unique (a, b)");
        check("add index on t (lower(a), b desc)", "create index on t (lower(a), b desc)");
        check("add unique index on t(a) where b", "create unique index on t (a) where b");
        check("add check on t (a > 0)", "alter table t add check (a > 0)");
        check("add check on t: a > 0 and b < 1", "alter table t add check (a > 0 and b < 1)");
        check("add check (a > 0) on t", "alter table t add check (a > 0)");
        check("add check qty > 0 to order_items", "alter table order_items add check (qty > 0)");
        check("add check (qty > 0) and b to t", "alter table t add check ((qty > 0) and b)");
        check("add check on t (a > 0) or (b > 0)", "alter table t add check ((a > 0) or (b > 0))");
        check("set default 0 on t.c", "alter table t alter column c set default 0");
        check("set default 'on it' for c of t", "alter table t alter column c set default 'on it'");
        check("add unique on payments.ref", "alter table payments add unique (ref)");
        check("add index on shop.payments.ref", "create index on shop.payments (ref)");
        check(
            "add foreign key on reviews.product_id to products",
            "alter table reviews add foreign key (product_id) references products",
        );
        check(
            "add foreign key on reviews.product_id to products(id)",
            "alter table reviews add foreign key (product_id) references products(id)",
        );
        check("add primary key on t(a)", "alter table t add primary key (a)");
        check("add value 'it''s' to mood before 'sad'", "alter type mood add value 'it''s' before 'sad'");
        check("drop constraint c from t", "alter table t drop constraint c");
        check("drop table t", "drop table t");
        check("drop index i", "drop index i");
    }

    #[test]
    fn statements_are_wishes_too() {
        check(
            "alter table t add a int; create index i on t (a);",
            "alter table t add a int; create index i on t (a)",
        );
        check("create index concurrently i on t (a)", "create index concurrently i on t (a)");
        check("create table t (a int)", "create table t (a int)");
    }

    #[test]
    fn every_example_is_understood_in_every_dialect() {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            for example in EXAMPLES {
                let only_postgres = example.contains("add value")
                    || dialect == Dialect::Mysql && example.contains("drop index");
                let found = changes(dialect, example);
                assert!(
                    found.is_ok() || only_postgres && dialect != Dialect::Postgres,
                    "{example}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let check = |wish: &str, word: &str| {
            let refusal = changes(Dialect::Postgres, wish).expect_err(wish);
            assert!(refusal.contains(word), "{wish}: {refusal}");
        };
        check("add column phone to users", "a column needs");
        check("add column phone varchar(20)", "a table");
        check("add foreign key on orders(customer_id)", "both ends");
        check("add unique users", "the table and its columns");
        check("rename column a to b", "the table and the column");
        check("change type of t.a", "the new type");
        check("make it fast", "not understood");
        check("", "no words");
    }
}
