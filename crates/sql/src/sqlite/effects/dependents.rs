//! What triggers and views say of tables and columns, read word by word.

use dbwright_model::name::Name;
use dbwright_model::reads;

use super::super::lexer::{Token, tokens};
use crate::fold::Folder;

/// The words between `BEGIN` and the end of a trigger.
fn body<'a>(definition: &'a str) -> Vec<Token<'a>> {
    let all = tokens(definition).unwrap_or_default();
    match all.iter().position(|token| token.is("begin")) {
        Some(begin) => all[begin + 1..].to_vec(),
        None => Vec::new(),
    }
}

fn is_name(token: &Token<'_>, name: &Name) -> bool {
    token.name().is_some_and(|found| name.eq_ignore_case(&found))
}

/// Whether a text names something.
pub(super) fn says(text: &str, name: &Name) -> bool {
    tokens(text).unwrap_or_default().iter().any(|token| is_name(token, name))
}

/// Whether a trigger reads a column of its own row: `NEW.c` or `OLD.c`.
pub(super) fn reads_row(definition: &str, column: &Name) -> bool {
    let all = tokens(definition).unwrap_or_default();
    all.windows(3).any(|three| {
        (three[0].is("new") || three[0].is("old")) && three[1].is_symbol('.') && is_name(&three[2], column)
    })
}

/// Whether the statements of a trigger name a table and, where one is given, a column.
pub(super) fn writes(definition: &str, table: &Name, column: Option<&Name>) -> bool {
    let words = body(definition);
    let named = |name: &Name| words.iter().any(|token| is_name(token, name));
    named(table) && column.is_none_or(named)
}

/// The first view or trigger that reads or writes a table that is not there.
pub(super) fn broken(before: &Folder) -> Option<String> {
    let exists = |name: &dbwright_model::name::QualifiedName| {
        before.table(name).is_some() || before.view(name).is_some()
    };
    for view in &before.catalog().views {
        let read = view.query.as_deref().map(reads::relations).unwrap_or_default();
        if read.iter().any(|name| !exists(name)) {
            return Some(format!("the view `{}`", view.name));
        }
    }
    for trigger in before.catalog().triggers.known().into_iter().flatten() {
        let words = body(&trigger.body);
        let target = |pair: &[Token<'_>]| {
            let leads = ["update", "into", "from"].iter().any(|word| pair[0].is(word));
            let name = pair[1].name().filter(|_| leads && !pair[1].is("or"))?;
            Some(dbwright_model::name::QualifiedName::bare(name))
        };
        if words.windows(2).filter_map(target).any(|name| !exists(&name)) {
            return Some(format!("the trigger `{}`", trigger.name));
        }
    }
    None
}
