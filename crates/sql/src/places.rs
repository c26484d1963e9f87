//! Where in the files each object was written, so that findings about it can name a line.

use std::collections::BTreeMap;

use dbwright_model::catalog::{Index, Table};
use dbwright_model::change::Change;
use dbwright_model::finding::{Location, ObjectKind, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};

use crate::split::Statement;

/// Places of objects by kind and names, schemas left out: a file seldom says them.
#[derive(Clone, Debug, Default)]
pub struct Places {
    tables: BTreeMap<Name, Location>,
    columns: BTreeMap<(Name, Name), Location>,
    constraints: BTreeMap<(Name, Name), Location>,
    indexes: BTreeMap<Name, Location>,
    others: BTreeMap<Name, Location>,
    prisma: Option<crate::prisma::Words>,
}

impl Places {
    /// Notes what a statement of a file creates or changes.
    pub fn note(&mut self, file: &str, statement: &Statement<'_>, changes: &[Change]) {
        let start = Location { file: file.to_owned(), line: statement.line, column: statement.column };
        for change in changes {
            match change {
                Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. } => {
                    self.tables.entry(table.name.name.clone()).or_insert_with(|| start.clone());
                    self.note_items(&start, statement.text, table);
                }
                Change::AddColumn { table, column, .. } => {
                    self.columns.insert((table.name.clone(), column.name.clone()), start.clone());
                }
                Change::ModifyColumn { table, to, .. } => {
                    self.columns.insert((table.name.clone(), to.name.clone()), start.clone());
                }
                Change::AlterColumnType { table, column, .. }
                | Change::SetDefault { table, column, .. }
                | Change::SetNotNull { table, column, .. } => {
                    self.columns.insert((table.name.clone(), column.clone()), start.clone());
                }
                Change::AddPrimaryKey { table, key, .. } | Change::AddUnique { table, key, .. } => {
                    self.note_constraint(table, key.name.as_ref(), &key.columns, &start);
                }
                Change::AddForeignKey { table, foreign_key, .. } => {
                    self.note_constraint(table, foreign_key.name.as_ref(), &foreign_key.columns, &start);
                }
                Change::AddCheck { table, check, .. } => {
                    self.note_constraint(table, check.name.as_ref(), &[], &start);
                }
                Change::CreateIndex { index, .. } => {
                    self.indexes.insert(index.name.clone(), start.clone());
                }
                Change::CreateView { view, .. } => {
                    self.tables.insert(view.name.name.clone(), start.clone());
                }
                Change::CreateSequence { sequence, .. } => {
                    self.others.insert(sequence.name.name.clone(), start.clone());
                }
                Change::CreateType { user_type } => {
                    self.others.insert(user_type.name.name.clone(), start.clone());
                }
                Change::CreateFunction { function, .. } => {
                    self.others.insert(function.name.name.clone(), start.clone());
                }
                Change::CreateTrigger { trigger, .. } => {
                    self.constraints
                        .insert((trigger.table.name.clone(), trigger.name.clone()), start.clone());
                }
                Change::CreatePolicy { policy } => {
                    self.constraints.insert((policy.table.name.clone(), policy.name.clone()), start.clone());
                }
                Change::CreateExtension { extension, .. } => {
                    self.others.insert(extension.name.clone(), start.clone());
                }
                Change::CreateSchema { name, .. } => {
                    self.others.insert(name.clone(), start.clone());
                }
                Change::RenameTable { table, to, .. } => {
                    if let Some(place) = self.tables.get(&table.name).cloned() {
                        self.tables.insert(to.name.clone(), place);
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes the places of a schema that is no SQL.
    pub fn note_prisma(&mut self, lowered: &crate::prisma::Lowered) {
        self.tables.extend(lowered.tables.iter().cloned());
        for (table, column, place) in &lowered.columns {
            self.columns.insert((table.clone(), column.clone()), place.clone());
        }
        self.indexes.extend(lowered.indexes.iter().cloned());
        self.prisma = crate::prisma::Words::of(lowered);
    }

    /// The words of the Prisma schema, where objects were written in one.
    pub fn prisma(&self) -> Option<&crate::prisma::Words> {
        self.prisma.as_ref()
    }

    fn note_constraint(
        &mut self,
        table: &QualifiedName,
        name: Option<&Name>,
        columns: &[Name],
        place: &Location,
    ) {
        if let Some(name) = name {
            self.constraints.insert((table.name.clone(), name.clone()), place.clone());
        }
        // A key that was added later is found where it was added, not where its columns stand.
        if columns.len() > 1 {
            let joined = Name::from(dbwright_model::name::join(columns));
            self.columns.insert((table.name.clone(), joined), place.clone());
        }
    }

    /// Columns, constraints and indexes written inside `CREATE TABLE ( ... )`.
    fn note_items(&mut self, start: &Location, text: &str, table: &Table) {
        let name = &table.name.name;
        for item in items(text) {
            let place = Location {
                file: start.file.clone(),
                line: start.line + item.line,
                column: if item.line == 0 { start.column + item.column - 1 } else { item.column },
            };
            let first = item.words.first().map_or("", String::as_str);
            if let Some(column) = table.columns.iter().find(|column| column.name.eq_ignore_case(first)) {
                self.columns.insert((name.clone(), column.name.clone()), place);
                continue;
            }
            for word in &item.words {
                if let Some(Index { name: index, .. }) =
                    table.indexes.iter().find(|index| index.name.eq_ignore_case(word))
                {
                    self.indexes.insert(index.clone(), place.clone());
                }
            }
            if first.eq_ignore_ascii_case("constraint")
                && let Some(constraint) = item.words.get(1)
            {
                self.constraints.insert((name.clone(), Name::new(constraint)), place.clone());
            }
            let columns = item.first_list.join(", ");
            self.columns.entry((name.clone(), Name::from(columns))).or_insert(place);
        }
    }

    /// The place of a finding's object, or of the table that it belongs to.
    pub fn find(&self, object: &ObjectRef) -> Option<&Location> {
        let own = match (&object.parent, object.kind) {
            (Some(parent), ObjectKind::Column) => {
                let columns = object.name.trim_start_matches('.').trim_matches(['(', ')']);
                self.columns.get(&(parent.name.clone(), Name::new(columns))).or_else(|| {
                    let first = columns.split(", ").next().unwrap_or_default();
                    self.columns.get(&(parent.name.clone(), Name::new(first)))
                })
            }
            (Some(_), ObjectKind::Index) => {
                self.indexes.get(&Name::new(object.name.trim_start_matches(" index ")))
            }
            (Some(parent), ObjectKind::Constraint | ObjectKind::Trigger | ObjectKind::Policy) => {
                let name = object.name.trim_start().split_once(' ').map_or("", |(_, name)| name);
                self.constraints.get(&(parent.name.clone(), Name::new(name)))
            }
            _ => None,
        };
        own.or_else(|| {
            let parent = object.parent.as_ref()?;
            self.tables.get(&parent.name).or_else(|| self.others.get(&parent.name))
        })
        .or_else(|| {
            let name = object.name.rsplit(' ').next().unwrap_or_default();
            if object.parent.is_none() { self.others.get(&Name::new(name)) } else { None }
        })
    }
}

/// One comma-separated item between the outermost parentheses.
struct Item {
    /// Lines below the statement's first.
    line: u32,
    /// Column in characters, from 1.
    column: u32,
    /// Its words outside of inner parentheses, unquoted.
    words: Vec<String>,
    /// The words of its first inner list.
    first_list: Vec<String>,
}

/// Cuts the outermost parentheses of a `CREATE TABLE` into items.
fn items(text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut depth = 0u32;
    let mut lists_seen = 0u32;
    let mut awaiting = false;
    let (mut line, mut column) = (0u32, 1u32);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let (token_line, token_column) = (line, column);
        if c == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
        let word = match c {
            '(' => {
                depth += 1;
                if depth == 1 {
                    awaiting = true;
                }
                if depth == 2 {
                    lists_seen += 1;
                }
                continue;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return items;
                }
                continue;
            }
            ',' if depth == 1 => {
                awaiting = true;
                lists_seen = 0;
                continue;
            }
            '-' if text[at..].starts_with("--") => {
                while chars.peek().is_some_and(|(_, c)| *c != '\n') {
                    chars.next();
                }
                continue;
            }
            '/' if text[at..].starts_with("/*") => {
                let end = text[at + 2..].find("*/").map_or(text.len(), |end| at + 2 + end + 2);
                while let Some((_, c)) = chars.next_if(|(at, _)| *at < end) {
                    if c == '\n' {
                        line += 1;
                        column = 1;
                    } else {
                        column += 1;
                    }
                }
                continue;
            }
            '\'' | '"' | '`' | '[' => {
                let close = if c == '[' { ']' } else { c };
                let mut word = String::new();
                while let Some((_, c)) = chars.next() {
                    if c == '\n' {
                        line += 1;
                        column = 1;
                    } else {
                        column += 1;
                    }
                    if c == close {
                        if c != ']' && chars.peek().is_some_and(|(_, next)| *next == close) {
                            chars.next();
                            column += 1;
                        } else {
                            break;
                        }
                    }
                    word.push(c);
                }
                word
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some((_, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() || *c == '_' || *c == '$')
                {
                    word.push(c);
                    column += 1;
                }
                word
            }
            _ => continue,
        };
        if depth == 1 {
            if awaiting {
                awaiting = false;
                items.push(Item {
                    line: token_line,
                    column: token_column,
                    words: Vec::new(),
                    first_list: Vec::new(),
                });
            }
            if let Some(item) = items.last_mut() {
                item.words.push(word);
            }
        } else if depth == 2
            && lists_seen == 1
            && let Some(item) = items.last_mut()
        {
            item.first_list.push(word);
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, u32)]) {
        let found: Vec<(String, u32)> =
            items(text).iter().map(|item| (item.words.join(" "), item.line)).collect();
        let expected: Vec<(String, u32)> =
            expected.iter().map(|(words, line)| ((*words).to_owned(), *line)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn items_are_cut_at_the_outermost_commas() {
        check(
            "create table t (\n  a int default (1, 2), -- the a, really\n  \"b c\" text,\n  primary key (a, b)\n)",
            &[("a int default", 1), ("b c text", 2), ("primary key", 3)],
        );
    }
}
