//! What a column without a foreign key probably refers to, judged by names, types and the foreign keys that exist.
//!
//! A guess is never more than a guess: who reports one says so, and asks the rows where that is allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbwright_model::catalog::{Column, Table, TableKind};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::{Name, QualifiedName};

use crate::lexicon::plural::{is_plural, singular};
use crate::lexicon::{role, words};

/// A column and the key that it probably refers to.
#[derive(Clone, Debug)]
pub struct Guess<'a> {
    /// The table with the column.
    pub table: &'a Table,
    /// The column.
    pub column: &'a Column,
    /// The table that is probably referred to.
    pub parent: &'a Table,
    /// The column of it that is referred to: its key, or what foreign keys of the same name refer to.
    pub parent_column: &'a Column,
    /// What the guess rests on.
    pub why: Why,
}

/// What a guess rests on, the strongest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Columns of the same name elsewhere have a foreign key to the same table.
    SameNameElsewhere,
    /// The column is named after the parent's key.
    KeyName,
    /// The column is named after the parent table: `customer_id` and `customers`.
    TableName,
    /// The column's name ends like the parent table's: `billing_address_id` and `addresses`.
    EndOfName,
    /// The table's name ends like the column's: `stage_id` and `pipeline_stages`.
    EndOfTableName,
    /// The column names a person in a role, and one table holds people.
    Role,
    /// The column names another row of its own table: `parent_id`.
    SameTable,
}

impl Why {
    /// Whether names of table and key agree in full, so that few would read them otherwise.
    pub fn is_strong(&self) -> bool {
        matches!(self, Why::SameNameElsewhere | Why::KeyName | Why::TableName | Why::EndOfName)
    }

    /// The reason in words, for evidence.
    pub fn describe(&self) -> &'static str {
        match self {
            Why::SameNameElsewhere => "columns of the same name elsewhere have this foreign key",
            Why::KeyName => "the column is named after the key",
            Why::TableName => "the column is named after the table",
            Why::EndOfName => "the column's name ends with the table's",
            Why::EndOfTableName => "the table's name ends with the column's",
            Why::Role => "the column names a person in a role",
            Why::SameTable => "the column names another row of the same table",
        }
    }
}

/// Names of keys that say nothing of their table, sorted.
const GENERIC_KEYS: &[&str] = &[
    "code", "email", "guid", "hash", "id", "key", "name", "number", "oid", "pk", "position", "rowid", "slug",
    "title", "token", "type", "uid", "uuid", "value", "version", "year",
];

/// Words at the end of a column that say that it holds a key, sorted.
const KEY_WORDS: &[&str] = &["fk", "guid", "id", "key", "no", "number", "ref", "uid", "uuid"];

/// Nouns that are names of tables now and then, but in a column of numbers mostly count or order, sorted.
const MEASURES: &[&str] = &[
    "age", "amount", "attempt", "balance", "bit", "class", "count", "day", "discount", "duration", "floor",
    "grade", "hour", "index", "level", "line", "minute", "month", "number", "order", "page", "point",
    "position", "price", "priority", "quantity", "rank", "rating", "revision", "score", "sequence", "size",
    "state", "status", "step", "stock", "total", "type", "version", "view", "vote", "week", "weight", "year",
];

/// Positions of parents by a text.
type Index = HashMap<String, Vec<usize>>;

/// A table that can be referred to by one column.
struct Parent<'a> {
    table: &'a Table,
    key: &'a Column,
    stem: Vec<String>,
}

/// The words of a table's name in the singular.
pub fn stem(name: &Name) -> Vec<String> {
    words(name.as_str()).iter().map(|word| singular(word)).collect()
}

/// Columns that probably refer to a table and have no foreign key, in the order of tables and columns.
pub fn guesses<'a>(tables: &[&'a Table]) -> Vec<Guess<'a>> {
    let names = Names::new(tables);
    let mut guesses = Vec::new();
    for table in tables {
        for column in &table.columns {
            guesses.extend(names.guess(table, column));
        }
    }
    guesses
}

/// Tables by their names and keys, for looking up what a column may be named after.
pub struct Names<'a> {
    parents: Vec<Parent<'a>>,
    by_stem: HashMap<String, Vec<usize>>,
    by_squashed: HashMap<String, Vec<usize>>,
    by_end: HashMap<String, Vec<usize>>,
    by_key: HashMap<String, Vec<usize>>,
    by_table: HashMap<&'a QualifiedName, usize>,
    by_name: BTreeMap<&'a str, Vec<(&'a Table, &'a Column)>>,
    people: Option<&'a Table>,
    prefix: Option<String>,
}

impl<'a> Names<'a> {
    /// Reads the names of tables.
    pub fn new(tables: &[&'a Table]) -> Self {
        let prefix = common_prefix(tables);
        let parents: Vec<Parent<'a>> = tables
            .iter()
            .filter_map(|table| {
                let mut stem = stem(&table.name.name);
                if prefix.is_some() && stem.len() > 1 && stem.first() == prefix.as_ref() {
                    stem.remove(0);
                }
                Some(Parent { table, key: single_key(table)?, stem })
            })
            .collect();
        let (mut by_stem, mut by_squashed, mut by_end, mut by_key): (Index, Index, Index, Index) =
            Default::default();
        let mut by_table = HashMap::new();
        for (at, parent) in parents.iter().enumerate() {
            by_table.insert(&parent.table.name, at);
            by_stem.entry(parent.stem.join(" ")).or_default().push(at);
            by_squashed.entry(parent.stem.concat()).or_default().push(at);
            by_key.entry(parent.key.name.as_str().to_ascii_lowercase()).or_default().push(at);
            for start in 1..parent.stem.len() {
                by_end.entry(parent.stem[start..].join(" ")).or_default().push(at);
            }
        }
        let mut by_name: BTreeMap<&str, Vec<(&Table, &Column)>> = BTreeMap::new();
        let mut roles: BTreeMap<&QualifiedName, (&Table, usize)> = BTreeMap::new();
        for table in tables {
            for foreign_key in &table.foreign_keys {
                let [column] = foreign_key.columns.as_slice() else { continue };
                let Some(parent) = by_table.get(&foreign_key.references).map(|at| &parents[*at]) else {
                    continue;
                };
                if parent.table.name == table.name {
                    continue;
                }
                let target = match foreign_key.referenced_columns.as_slice() {
                    [] => Some(parent.key),
                    [only] => parent.table.column(only.as_str()),
                    _ => None,
                };
                let targets = by_name.entry(column.as_str()).or_default();
                // A second target is enough to know that the name alone does not tell.
                if let Some(target) = target
                    && targets.len() < 2
                    && targets.iter().all(|(table, known)| {
                        (&table.name, &known.name) != (&parent.table.name, &target.name)
                    })
                {
                    targets.push((parent.table, target));
                }
                let name = base(&words(column.as_str())).0.to_vec();
                // A column named after the table tells no role: `protocol_mapper_id` and `protocol_mappers`.
                let plain = name.iter().map(|word| singular(word)).eq(parent.stem.iter().cloned());
                if role::is_person(&name) && !plain {
                    roles.entry(&parent.table.name).or_insert((parent.table, 0)).1 += 1;
                }
            }
        }
        // Foreign keys of people in a role tell which table holds people, if they agree.
        let all: usize = roles.values().map(|(_, count)| count).sum();
        let people = roles.values().find(|(_, count)| *count * 10 >= all * 9).map(|(table, _)| *table);
        Names { parents, by_stem, by_squashed, by_end, by_key, by_table, by_name, people, prefix }
    }

    fn guess(&self, table: &'a Table, column: &'a Column) -> Option<Guess<'a>> {
        if has_foreign_key(table, &column.name) || column.generated.is_some() || column.data_type.array {
            return None;
        }
        let own_key = single_key(table).is_some_and(|key| key.name == column.name);
        let mut name = words(column.name.as_str());
        if let [word] = name.as_slice()
            && let Some(split) = self.split(table, word)
        {
            name = split;
        }
        if name.is_empty() || (own_key && name.len() == 1) || is_polymorphic(table, column) {
            return None;
        }
        let own = self.parent(&table.name);
        let found = self.find(table, column, &name, own_key, own)?;
        let (parent, why) = found;
        let parent_column = match self.by_name.get(column.name.as_str()).map(Vec::as_slice) {
            Some([(_, target)]) if why == Why::SameNameElsewhere => target,
            _ => parent.key,
        };
        // The key of a table refers to another table only when its name says so in full.
        let itself = parent.table.name == table.name;
        if own_key && (itself || !why.is_strong()) {
            return None;
        }
        // `item_id` in `items` beside the key is a number from elsewhere, and so is `tag_id` in `change_tags`.
        if itself && matches!(why, Why::TableName | Why::KeyName | Why::EndOfTableName) {
            return None;
        }
        Some(Guess { table, column, parent: parent.table, parent_column, why })
    }

    fn find<'b>(
        &'b self,
        table: &Table,
        column: &Column,
        name: &[String],
        own_key: bool,
        own: Option<&'b Parent<'a>>,
    ) -> Option<(&'b Parent<'a>, Why)> {
        let fits = |parent: &&Parent<'a>| same_family(&column.data_type, &parent.key.data_type);
        if let Some([(target, key)]) = self.by_name.get(column.name.as_str()).map(Vec::as_slice) {
            let parent = self.parent(&target.name).filter(|_| same_family(&column.data_type, &key.data_type));
            if let Some(parent) = parent.filter(|parent| parent.table.name != table.name) {
                return Some((parent, Why::SameNameElsewhere));
            }
        }
        let (base, key_word) = base(name);
        if key_word.is_none() && !is_code(name) {
            return self.bare(table, column, name, own);
        }
        if base.is_empty() {
            return None;
        }
        if base.iter().any(|word| role::is_elsewhere(word)) {
            return self.named(table, base).filter(fits).map(|parent| (parent, Why::TableName));
        }
        if !own_key
            && role::is_same_table(base)
            && let Some(own) = own.filter(fits).filter(|_| self.named(table, base).is_none())
        {
            return Some((own, Why::SameTable));
        }
        if let Some(found) = self.by_table_name(table, column, name, base) {
            return Some(found);
        }
        if key_word.is_some() && role::is_person(base) {
            return self.person(table, base, own).filter(fits).map(|parent| (parent, Why::Role));
        }
        None
    }

    /// The words of names written in one, such as `channelid`, where a table or a person bears the first part.
    fn split(&self, table: &Table, word: &str) -> Option<Vec<String>> {
        let base = word.strip_suffix("id").filter(|base| base.len() > 2)?;
        let split = vec![base.to_owned(), "id".to_owned()];
        let says =
            self.named(table, &split[..1]).is_some() || role::is_listed_person(base) || base == "parent";
        says.then_some(split)
    }

    /// Columns such as `customer`, `created_by`, `reports_to`: no word says that they hold a key.
    fn bare<'b>(
        &'b self,
        table: &Table,
        column: &Column,
        name: &[String],
        own: Option<&'b Parent<'a>>,
    ) -> Option<(&'b Parent<'a>, Why)> {
        let exact = |parent: &&Parent<'a>| same_type(&column.data_type, &parent.key.data_type);
        let kind = column.data_type.kind;
        let is_key = kind.is_integer() || kind == TypeKind::Uuid;
        if let Some(parent) = self.key_named(table, column).filter(exact) {
            return Some((parent, Why::KeyName));
        }
        if is_key && role::is_same_table(name) {
            return own.filter(exact).map(|parent| (parent, Why::SameTable));
        }
        if is_key && role::is_person(name) && (name.len() > 1 || kind == TypeKind::Uuid) {
            return self.person(table, name, own).filter(exact).map(|parent| (parent, Why::Role));
        }
        let measure = name.last().is_some_and(|last| MEASURES.binary_search(&last.as_str()).is_ok());
        let counts = measure || name.last().is_some_and(|last| is_plural(last) == Some(true));
        let short_code = kind.is_text() && column.data_type.length.is_some_and(|length| length <= 10);
        if (is_key && (!counts || kind == TypeKind::Uuid)) || short_code {
            let parent = self.named(table, name).filter(exact)?;
            return Some((parent, Why::EndOfTableName));
        }
        None
    }

    fn by_table_name(
        &self,
        table: &Table,
        column: &Column,
        name: &[String],
        base: &[String],
    ) -> Option<(&Parent<'a>, Why)> {
        let fits = |parent: &&Parent<'a>| same_family(&column.data_type, &parent.key.data_type);
        if let Some(parent) = self.own_part(table, base).filter(fits) {
            return Some((parent, Why::TableName));
        }
        if is_code(name) {
            // `currency_code` and a table `currencies` with a key `code`, or a table `currency_codes`.
            let of_codes = |parent: &&Parent<'a>| {
                same_type(&column.data_type, &parent.key.data_type)
                    && is_code(&words(parent.key.name.as_str()))
            };
            return self
                .named(table, name)
                .filter(of_codes)
                .or_else(|| {
                    (0..base.len()).find_map(|start| self.named(table, &base[start..])).filter(of_codes)
                })
                .map(|parent| (parent, Why::TableName))
                .or_else(|| {
                    self.key_named(table, column).filter(of_codes).map(|parent| (parent, Why::KeyName))
                });
        }
        // A number, unlike an id, names a row only if the key is called that too.
        let last = name.last().map(String::as_str);
        let fits = |parent: &&Parent<'a>| {
            fits(parent)
                && (!matches!(last, Some("number" | "no" | "key" | "ref"))
                    || words(parent.key.name.as_str()).last().map(String::as_str) == last)
        };
        if let Some(parent) = self.named(table, base).filter(fits) {
            return Some((parent, Why::TableName));
        }
        if let Some(parent) = self.key_named(table, column).filter(fits) {
            return Some((parent, Why::KeyName));
        }
        for start in 0..base.len() {
            let rest = &base[start..];
            if let Some(parent) = self.named(table, rest).filter(fits) {
                return Some((parent, if start == 0 { Why::TableName } else { Why::EndOfName }));
            }
            if let Some(parent) = self.ending_with(table, rest).filter(fits) {
                return Some((parent, Why::EndOfTableName));
            }
        }
        None
    }

    /// The table of which the column's table and the column's name together make the name: `ticket_categories` for
    /// `tickets.category_id`, unless it joins the two.
    fn own_part(&self, table: &Table, base: &[String]) -> Option<&Parent<'a>> {
        let mut wanted = self.stem_of(table);
        wanted.extend(base.iter().map(|word| singular(word)));
        let owner = self.stem_of(table);
        let parent = self.only(table, self.by_stem.get(&wanted.join(" ")))?;
        let joins = parent.table.columns.iter().any(|column| {
            let name = words(column.name.as_str());
            let (words, key_word) = self::base(&name);
            key_word.is_some() && words.iter().map(|word| singular(word)).eq(owner.iter().cloned())
        });
        (!joins).then_some(parent)
    }

    fn stem_of(&self, table: &Table) -> Vec<String> {
        let mut stem = stem(&table.name.name);
        if self.prefix.is_some() && stem.len() > 1 && stem.first() == self.prefix.as_ref() {
            stem.remove(0);
        }
        stem
    }

    /// The table whose key has the very name of the column, if that name says something and is used once.
    fn key_named(&self, table: &Table, column: &Column) -> Option<&Parent<'a>> {
        let name = column.name.as_str().to_ascii_lowercase();
        if GENERIC_KEYS.binary_search(&name.as_str()).is_ok() {
            return None;
        }
        let holders: Vec<&Parent<'a>> =
            self.at(self.by_key.get(&name)).filter(|parent| parent.table.name != table.name).collect();
        let base = words(&name);
        let (base, _) = self::base(&base);
        let named: Vec<&&Parent<'a>> = holders
            .iter()
            .filter(|parent| parent.stem == base || parent.stem.concat() == base.concat())
            .collect();
        match (holders.as_slice(), named.as_slice()) {
            (_, [parent]) => Some(parent),
            // A key that is itself a foreign key is borrowed from the table that it refers to.
            ([parent], _) if !has_foreign_key(parent.table, &parent.key.name) => Some(parent),
            _ => None,
        }
    }

    /// The table of a name, in the singular on both sides.
    fn named(&self, table: &Table, base: &[String]) -> Option<&Parent<'a>> {
        let wanted: Vec<String> = base.iter().map(|word| singular(word)).collect();
        self.only(table, self.by_stem.get(&wanted.join(" ")))
            .or_else(|| self.only(table, self.by_squashed.get(&wanted.concat())))
    }

    /// The one table whose name ends with these words; of several, the one that begins like the column's table.
    fn ending_with(&self, table: &Table, base: &[String]) -> Option<&Parent<'a>> {
        let wanted: Vec<String> = base.iter().map(|word| singular(word)).collect();
        let ends = self.by_end.get(&wanted.join(" "))?;
        let near = self.stem_of(table);
        let alike: Vec<usize> =
            ends.iter().copied().filter(|at| self.parents[*at].stem.first() == near.first()).collect();
        self.only(table, Some(&alike)).or_else(|| self.only(table, Some(ends)))
    }

    fn parent(&self, name: &QualifiedName) -> Option<&Parent<'a>> {
        self.by_table.get(name).map(|at| &self.parents[*at])
    }

    fn at<'b>(&'b self, places: Option<&'b Vec<usize>>) -> impl Iterator<Item = &'b Parent<'a>> {
        places.into_iter().flatten().map(|at| &self.parents[*at])
    }

    /// The only one of the parents; of several, the only one in the table's schema.
    fn only<'b>(&'b self, table: &Table, places: Option<&Vec<usize>>) -> Option<&'b Parent<'a>> {
        let places = places?;
        if let [at] = places.as_slice() {
            return Some(&self.parents[*at]);
        }
        let is_near = |at: &&usize| self.parents[**at].table.name.schema == table.name.schema;
        let mut near = places.iter().filter(is_near);
        match (near.next(), near.next()) {
            (Some(at), None) => Some(&self.parents[*at]),
            _ => None,
        }
    }

    /// The table that a column is named after in full: `customers` for `customer_id`.
    pub fn named_after(&self, table: &Table, column: &Name) -> Option<&'a Table> {
        let name = words(column.as_str());
        let (base, Some(_)) = base(&name) else { return None };
        self.named(table, base).map(|parent| parent.table)
    }

    /// The table of people that a role speaks of.
    fn person<'b>(
        &'b self,
        table: &Table,
        role: &[String],
        own: Option<&'b Parent<'a>>,
    ) -> Option<&'b Parent<'a>> {
        let list = if role::is_worker(role) { role::WORKERS } else { role::ACCOUNTS };
        let is_people = |parent: &Parent<'a>| {
            list.iter().any(|words| parent.stem.iter().map(String::as_str).eq(words.split(' ')))
        };
        if let Some(people) = self.people.filter(|_| !role::is_worker(role)) {
            return self.parent(&people.name);
        }
        // Whoever leads people is one of them.
        if let Some(own) = own.filter(|own| is_people(own) && role::is_worker(role)) {
            return Some(own);
        }
        list.iter().find_map(|words| {
            self.only(table, self.by_stem.get(*words)).or_else(|| self.only(table, self.by_end.get(*words)))
        })
    }
}

/// The first word of nearly all table names, such as `tbl` or the name of the application.
fn common_prefix(tables: &[&Table]) -> Option<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for table in tables {
        let mut words = words(table.name.name.as_str());
        if words.len() > 1 {
            *count.entry(words.swap_remove(0)).or_default() += 1;
        }
    }
    let (word, times) = count.into_iter().max_by_key(|(_, times)| *times)?;
    (tables.len() >= 5 && times * 10 >= tables.len() * 7).then(|| singular(&word))
}

/// The column that names rows of a table by itself.
pub fn single_key(table: &Table) -> Option<&Column> {
    let by_key = |columns: &[Name]| match columns {
        [only] => table.column(only.as_str()),
        _ => None,
    };
    match &table.primary_key {
        Some(key) => by_key(&key.columns),
        None => table.uniques.iter().find_map(|key| by_key(&key.columns)).filter(|column| column.not_null),
    }
}

/// Whether a foreign key covers the column.
pub fn has_foreign_key(table: &Table, column: &Name) -> bool {
    table.foreign_keys.iter().any(|foreign_key| foreign_key.columns.contains(column))
}

/// The column `x_type` that says which table `x_id` refers to in each row, if there is one.
pub fn discriminator<'a>(table: &'a Table, column: &Column) -> Option<&'a Column> {
    let name = words(column.name.as_str());
    let (base, Some(_)) = base(&name) else { return None };
    if base.is_empty() {
        return None;
    }
    table.columns.iter().find(|other| {
        let kind = other.data_type.kind;
        let says = kind.is_text() || matches!(kind, TypeKind::Enum | TypeKind::Other | TypeKind::Domain);
        let name = words(other.name.as_str());
        says && name.len() == base.len() + 1
            && name.starts_with(base)
            && matches!(name[base.len()].as_str(), "type" | "table" | "class" | "kind" | "model")
    })
}

fn is_polymorphic(table: &Table, column: &Column) -> bool {
    discriminator(table, column).is_some()
}

/// The words of a column without the one that says that it holds a key, and that one.
pub fn base(name: &[String]) -> (&[String], Option<&str>) {
    match name.split_last() {
        Some((last, rest)) if KEY_WORDS.binary_search(&last.as_str()).is_ok() => (rest, Some(last)),
        Some((last, rest)) if last == "code" => (rest, None),
        _ => (name, None),
    }
}

fn is_code(name: &[String]) -> bool {
    name.last().is_some_and(|last| last == "code")
}

/// Whether two columns can hold the same values without a cast: widths and signs may differ.
pub fn same_family(a: &DataType, b: &DataType) -> bool {
    let text = |data_type: &DataType| data_type.kind.is_text();
    a.array == b.array
        && (same_type(a, b) || (a.kind.is_integer() && b.kind.is_integer()) || (text(a) && text(b)))
}

/// Whether two columns are of one type.
pub fn same_type(a: &DataType, b: &DataType) -> bool {
    (a.kind, a.length, a.array, a.unsigned, &a.user_type)
        == (b.kind, b.length, b.array, b.unsigned, &b.user_type)
}

/// Tables between which foreign keys are possible: neither inheritance children nor, where the engine forbids it,
/// partitioned ones.
pub fn can_refer(table: &Table, mysql_family: bool) -> bool {
    let partitioned = matches!(table.kind, TableKind::Partitioned { .. });
    let other_engine = table.storage_engine.as_ref().is_some_and(|engine| !engine.eq_ignore_case("innodb"));
    table.inherits.is_empty() && !(mysql_family && partitioned) && !other_engine
}

/// The names of tables that a set of guesses speaks of, for tests and evidence.
pub fn pairs(guesses: &[Guess<'_>]) -> BTreeSet<(String, String, String)> {
    guesses
        .iter()
        .map(|guess| {
            (guess.table.name.to_string(), guess.column.name.to_string(), guess.parent.name.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(GENERIC_KEYS.is_sorted());
        assert!(KEY_WORDS.is_sorted());
        assert!(MEASURES.is_sorted());
    }
}
