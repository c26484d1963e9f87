//! Tables that require each other in a circle, so that none of them can get its first row.

use std::collections::BTreeSet;

use dbwright_model::catalog::{ForeignKey, Table};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::Context;
use crate::reference::Guess;

/// Whether the parent must be there before the child is inserted.
pub fn must_exist(table: &Table, foreign_key: &ForeignKey) -> bool {
    let not_null = |name: &Name| {
        table.column(name.as_str()).is_some_and(|column| column.not_null && column.generated.is_none())
    };
    foreign_key.enforced && !foreign_key.deferrable && foreign_key.columns.iter().all(not_null)
}

/// Whether the foreign key, together with those that are there and those that are guessed, would make tables require each
/// other in a circle, so that none of them could get its first row.
pub fn is_closed(context: &Context<'_>, guess: &Guess<'_>, guesses: &[Guess<'_>]) -> bool {
    if !guess.column.not_null || guess.parent.name == guess.table.name {
        return false;
    }
    let mut reached = BTreeSet::from([&guess.parent.name]);
    let mut pending = vec![guess.parent];
    while let Some(table) = pending.pop() {
        let declared = table
            .foreign_keys
            .iter()
            .filter(|key| must_exist(table, key))
            .filter_map(|key| context.table(&key.references));
        let guessed = guesses
            .iter()
            .filter(|other| other.table.name == table.name && other.column.not_null)
            .map(|other| other.parent);
        for next in declared.chain(guessed) {
            if next.name == guess.table.name {
                return true;
            }
            if reached.insert(&next.name) {
                pending.push(next);
            }
        }
    }
    false
}

/// What to do about a guessed key that closes a circle where no key can be deferred.
pub fn let_be_null(guess: &Guess<'_>) -> Remedy {
    Remedy::manual(format!(
        "Let `{}.{}` be null, or another column of the circle, before the foreign key is declared: tables that require each other could not get their first rows.",
        guess.table.name, guess.column.name
    ))
}

/// The remedy with the words that say why its key is deferred.
pub fn deferred(remedy: Remedy) -> Remedy {
    let summary = format!(
        "{} Make it `DEFERRABLE INITIALLY DEFERRED`: tables that require each other could not get their first rows otherwise.",
        remedy.summary
    );
    Remedy { summary: summary.into(), ..remedy }
}
