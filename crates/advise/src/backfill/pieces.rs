//! The statements of pieces: where the next one ends, writing it, and what is left.

use dbwright_model::engine::Dialect;

use super::key::KeyColumn;

/// A place in the order of the key: one text per column of it.
pub type Place = Vec<String>;

/// A statement with the texts that are bound to its placeholders, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The statement: `$1` (PostgreSQL), `?` (MySQL), `?1` (SQLite) are its placeholders.
    pub sql: String,
    /// The texts.
    pub values: Vec<String>,
}

/// A change of many rows that is cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The dialect of its statements.
    pub dialect: Dialect,
    /// The table, quoted.
    pub table: String,
    /// The key that orders the pieces; never empty.
    pub key: Vec<KeyColumn>,
    /// Which rows still need it.
    pub filter: String,
    /// The `UPDATE` up to the closing parenthesis around the filter, which ends it.
    pub statement: String,
}

/// Rows that are counted at most when those are counted that still need the change.
pub const COUNTED: u64 = 1_000;

impl Shape {
    /// A change of these assignments to the rows of a table that satisfy a filter.
    pub fn new(dialect: Dialect, table: &str, key: Vec<KeyColumn>, set: &str, filter: &str) -> Self {
        Shape {
            dialect,
            table: table.to_owned(),
            key,
            filter: filter.to_owned(),
            // A comment at the end of either text ends with its line.
            statement: format!("update {table} set {set}\nwhere ({filter}\n)"),
        }
    }

    /// The same of a statement that was written by somebody; `None` when it does not end with `WHERE (filter)`, so
    /// that nothing can be added to it safely.
    pub fn of_statement(
        dialect: Dialect,
        table: &str,
        key: Vec<KeyColumn>,
        statement: &str,
        filter: &str,
    ) -> Option<Self> {
        let statement = statement.trim_end();
        let before = statement.strip_suffix(')')?.trim_end().strip_suffix(filter.trim())?.trim_end();
        let before = before.strip_suffix('(')?.trim_end();
        let word = before.len().checked_sub("where".len())?;
        let is_where = before.get(word..)?.eq_ignore_ascii_case("where");
        let stands_alone = before[..word].ends_with(|before: char| before.is_whitespace() || before == ')');
        (is_where && stands_alone).then(|| Shape {
            dialect,
            table: table.to_owned(),
            key,
            filter: filter.trim().to_owned(),
            statement: statement.to_owned(),
        })
    }

    /// Asks for the key of the `rows`-th row after a place that still needs the change, and for how many rows lie
    /// between, among the next `passes` rows. The columns of the answer are those of the key and the number, as text; no
    /// row when there are fewer.
    pub fn end_by_rows(&self, after: Option<&Place>, rows: u32, passes: u32) -> Bound {
        let mut bound = Binder::new(self.dialect);
        let near = self.near(after, passes, &mut bound);
        let aliases = self.aliases().join(", ");
        let counted = format!(
            "select {aliases}, dbwright_hit, row_number() over (order by {aliases}) as dbwright_number from ({near}) as near_rows"
        );
        bound.finish(format!(
            "select {}, {} from (select {aliases}, dbwright_number from ({counted}) as counted_rows \
             where dbwright_hit order by {aliases} limit 1 offset {}) as reached_row",
            self.read_aliases(),
            self.number("dbwright_number"),
            rows.saturating_sub(1)
        ))
    }

    /// Asks for the key of the `passes`-th row after a place, whether it needs the change or not.
    pub fn end_by_passes(&self, after: Option<&Place>, passes: u32) -> Bound {
        let mut bound = Binder::new(self.dialect);
        let place = self.beyond(after, &mut bound).map(|place| format!(" where {place}")).unwrap_or_default();
        bound.finish(format!(
            "select {} from (select {} from {}{place} order by {} limit 1 offset {}) as reached_row",
            self.read_aliases(),
            self.aliased(),
            self.table,
            self.names().join(", "),
            passes.saturating_sub(1)
        ))
    }

    /// Writes the rows after one place up to another, which is included.
    pub fn write(&self, after: Option<&Place>, until: Option<&Place>) -> Bound {
        let mut bound = Binder::new(self.dialect);
        let mut sql = self.statement.clone();
        for condition in
            [self.beyond(after, &mut bound), self.within(until, &mut bound)].into_iter().flatten()
        {
            sql.push_str("\nand ");
            sql.push_str(&condition);
        }
        bound.finish(sql)
    }

    /// Asks, in the transaction of a piece that was written, for the keys of a few rows of it that still satisfy the filter:
    /// the next time they would be written again. In PostgreSQL only rows are asked for that this transaction has written;
    /// elsewhere those of others may be among them.
    pub fn still(&self, after: Option<&Place>, until: Option<&Place>) -> Bound {
        let mut bound = Binder::new(self.dialect);
        let mut conditions = format!("({}\n)", self.filter);
        for condition in
            [self.beyond(after, &mut bound), self.within(until, &mut bound)].into_iter().flatten()
        {
            conditions.push_str(" and ");
            conditions.push_str(&condition);
        }
        if self.dialect == Dialect::Postgres {
            conditions.push_str(" and xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid");
        }
        bound.finish(format!(
            "select {} from (select {} from {} where {conditions} order by {} limit 5) as sample_rows",
            self.read_aliases(),
            self.aliased(),
            self.table,
            self.names().join(", ")
        ))
    }

    /// Counts the rows that still need the change, up to one more than [`COUNTED`].
    pub fn left(&self) -> Bound {
        Binder::new(self.dialect).finish(format!(
            "select {} from (select 1 as one from {} where ({}\n) limit {}) as rest",
            self.number("count(*)"),
            self.table,
            self.filter,
            COUNTED + 1
        ))
    }

    /// The keys of a few rows that still need the change.
    pub fn samples(&self) -> Bound {
        Binder::new(self.dialect).finish(format!(
            "select {} from (select {} from {} where ({}\n) order by {} limit 5) as sample_rows",
            self.read_aliases(),
            self.aliased(),
            self.table,
            self.filter,
            self.names().join(", ")
        ))
    }

    /// The next rows after a place with their keys and whether each needs the change.
    fn near(&self, after: Option<&Place>, passes: u32, bound: &mut Binder) -> String {
        let place = self.beyond(after, bound).map(|place| format!(" where {place}")).unwrap_or_default();
        format!(
            "select {}, ({}\n) as dbwright_hit from {}{place} order by {} limit {passes}",
            self.aliased(),
            self.filter,
            self.table,
            self.names().join(", ")
        )
    }

    fn names(&self) -> Vec<&str> {
        self.key.iter().map(|column| column.quoted.as_str()).collect()
    }

    fn aliases(&self) -> Vec<String> {
        (1..=self.key.len()).map(|number| format!("dbwright_{number}")).collect()
    }

    /// The columns of the key under their aliases. Rows are put in order where the key is read as what it is, never where
    /// it is read as text: a cast column keeps its name in PostgreSQL, and `ORDER BY` means the text then.
    fn aliased(&self) -> String {
        let columns = self.key.iter().zip(self.aliases());
        columns.map(|(column, alias)| format!("{} as {alias}", column.quoted)).collect::<Vec<_>>().join(", ")
    }

    fn read_aliases(&self) -> String {
        let read: Vec<String> =
            self.key.iter().zip(self.aliases()).map(|(column, alias)| column.read(&alias)).collect();
        read.join(", ")
    }

    /// A number as text.
    fn number(&self, expression: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("({expression})::text"),
            Dialect::Mysql => format!("cast({expression} as char)"),
            Dialect::Sqlite => format!("cast({expression} as text)"),
        }
    }

    /// The condition that holds for rows after a place.
    fn beyond(&self, after: Option<&Place>, bound: &mut Binder) -> Option<String> {
        after.map(|place| self.compare(place, ">", ">", bound))
    }

    /// The condition that holds for rows up to a place.
    fn within(&self, until: Option<&Place>, bound: &mut Binder) -> Option<String> {
        until.map(|place| self.compare(place, "<", "<=", bound))
    }

    /// Compares the key with a place. PostgreSQL and SQLite find a range of an index by comparing rows; MySQL does so
    /// only by comparing columns, with the first one alone in front.
    fn compare(&self, place: &Place, strictly: &str, last: &str, bound: &mut Binder) -> String {
        let pairs: Vec<(&KeyColumn, &String)> = self.key.iter().zip(place).collect();
        match (pairs.as_slice(), self.dialect) {
            ([(column, value)], _) => format!("{} {last} {}", column.quoted, bound.of(column, value)),
            (pairs, Dialect::Mysql) => {
                let Some((first, value)) = pairs.first() else { return "true".to_owned() };
                let outer = format!("{} {strictly}= {}", first.quoted, bound.of(first, value));
                format!("{outer} and {}", expanded(pairs, strictly, last, bound))
            }
            (pairs, _) => {
                let values: Vec<String> =
                    pairs.iter().map(|(column, value)| bound.of(column, value)).collect();
                format!("({}) {last} ({})", self.names().join(", "), values.join(", "))
            }
        }
    }
}

/// `(a > 1 or a = 1 and (b > 2 or ...))`.
fn expanded(pairs: &[(&KeyColumn, &String)], strictly: &str, last: &str, bound: &mut Binder) -> String {
    match pairs {
        [] => "true".to_owned(),
        [(column, value)] => format!("{} {last} {}", column.quoted, bound.of(column, value)),
        [(column, value), rest @ ..] => {
            let name = &column.quoted;
            let (beyond, at) = (bound.of(column, value), bound.of(column, value));
            let rest = expanded(rest, strictly, last, bound);
            format!("({name} {strictly} {beyond} or ({name} = {at} and {rest}))")
        }
    }
}

/// Gives out placeholders in the order in which they stand in the text.
struct Binder {
    dialect: Dialect,
    values: Vec<String>,
}

impl Binder {
    fn new(dialect: Dialect) -> Self {
        Binder { dialect, values: Vec::new() }
    }

    fn of(&mut self, column: &KeyColumn, value: &str) -> String {
        self.values.push(value.to_owned());
        let placeholder = match self.dialect {
            Dialect::Postgres => format!("${}", self.values.len()),
            Dialect::Mysql => "?".to_owned(),
            Dialect::Sqlite => format!("?{}", self.values.len()),
        };
        column.bound(&placeholder)
    }

    fn finish(self, sql: String) -> Bound {
        Bound { sql, values: self.values }
    }
}

#[cfg(test)]
mod tests {
    use dbwright_model::name::Name;

    use super::super::key::Carried;
    use super::*;

    fn shape(dialect: Dialect, columns: &[&str]) -> Shape {
        let carried = match dialect {
            Dialect::Postgres => Carried::Postgres("bigint".to_owned()),
            Dialect::Mysql => Carried::Cast("signed".to_owned()),
            Dialect::Sqlite => Carried::Sqlite,
        };
        let key = columns.iter().map(|name| KeyColumn {
            name: Name::new(name),
            quoted: (*name).to_owned(),
            carried: carried.clone(),
        });
        Shape::new(dialect, "t", key.collect(), "c = d", "c is null")
    }

    fn place(values: &[&str]) -> Place {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn check(bound: &Bound, sql: &str, values: &[&str]) {
        assert_eq!(bound.sql.split_whitespace().collect::<Vec<_>>().join(" "), sql);
        assert_eq!(bound.values, values);
        assert_eq!(bound.sql.matches(['$', '?']).count(), bound.values.len(), "{}", bound.sql);
    }

    #[test]
    fn a_piece_is_a_range_of_the_key() {
        check(
            &shape(Dialect::Postgres, &["id"]).write(Some(&place(&["7"])), Some(&place(&["9"]))),
            "update t set c = d where (c is null ) and id > $1::bigint and id <= $2::bigint",
            &["7", "9"],
        );
        check(
            &shape(Dialect::Postgres, &["a", "b"]).write(Some(&place(&["7", "x"])), None),
            "update t set c = d where (c is null ) and (a, b) > ($1::bigint, $2::bigint)",
            &["7", "x"],
        );
        check(
            &shape(Dialect::Postgres, &["a", "b"]).write(None, Some(&place(&["7", "x"]))),
            "update t set c = d where (c is null ) and (a, b) <= ($1::bigint, $2::bigint)",
            &["7", "x"],
        );
    }

    #[test]
    fn mysql_gets_comparisons_of_columns_that_it_finds_a_range_by() {
        check(
            &shape(Dialect::Mysql, &["a", "b"]).write(Some(&place(&["1", "2"])), Some(&place(&["3", "4"]))),
            "update t set c = d where (c is null ) \
             and a >= cast(? as signed) and (a > cast(? as signed) or (a = cast(? as signed) and b > cast(? as signed))) \
             and a <= cast(? as signed) and (a < cast(? as signed) or (a = cast(? as signed) and b <= cast(? as signed)))",
            &["1", "1", "1", "2", "3", "3", "3", "4"],
        );
    }

    #[test]
    fn the_end_of_a_piece_is_looked_for_within_bounds() {
        check(
            &shape(Dialect::Postgres, &["id"]).end_by_rows(Some(&place(&["7"])), 10, 100),
            "select dbwright_1::text, (dbwright_number)::text from (select dbwright_1, dbwright_number from \
             (select dbwright_1, dbwright_hit, row_number() over (order by dbwright_1) as dbwright_number from \
             (select id as dbwright_1, (c is null ) as dbwright_hit from t where id > $1::bigint order by id limit 100) \
             as near_rows) as counted_rows where dbwright_hit order by dbwright_1 limit 1 offset 9) as reached_row",
            &["7"],
        );
        check(
            &shape(Dialect::Mysql, &["id"]).end_by_passes(None, 100),
            "select cast(dbwright_1 as char) from (select id as dbwright_1 from t order by id limit 1 offset 99) as reached_row",
            &[],
        );
    }

    #[test]
    fn a_statement_of_a_file_must_end_with_its_filter() {
        let of = |statement: &str| {
            Shape::of_statement(Dialect::Postgres, "t", Vec::new(), statement, "a is null").is_some()
        };
        assert!(of("update t set a = b where (a is null)"));
        assert!(of("UPDATE t SET a = f(b)\nWHERE ( a is null )\n"));
        assert!(!of("update t set a = b where a is null"));
        assert!(!of("update t set a = b where x or (a is null)"));
        assert!(!of("update t set a = b where (a is null) or (a is null)"));
        assert!(!of("update t set a = b where (a is null) -- all of them"));
        assert!(!of("update t set a = nowhere (a is null)"));
    }

    #[test]
    fn a_comment_in_a_filter_swallows_nothing() {
        let mut shape = shape(Dialect::Postgres, &["id"]);
        shape.filter = "c is null -- old rows".to_owned();
        assert!(shape.left().sql.contains("-- old rows\n)"));
    }
}
