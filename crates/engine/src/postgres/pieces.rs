//! Asking again in pieces what one statement over many objects could not tell, so that one object hides nothing of the others.

use std::collections::BTreeSet;
use std::time::Instant;

use dbwright_model::facts::Fact;
use dbwright_model::name::QualifiedName;
use dbwright_model::observed::Observed;

use super::ReadSession;
use super::draft::Draft;
use super::statements::Statement;
use super::wire::Trouble;
use crate::row::Row;

/// What a statement asks of one object.
pub(super) struct Member {
    /// The object.
    pub object: QualifiedName,
    /// The selection that asks it.
    pub sql: String,
}

/// The one statement that asks all of them; `None` when there is nothing to ask.
pub(super) fn joint(members: &[Member]) -> Option<String> {
    let texts: Vec<&str> = members.iter().map(|member| member.sql.as_str()).collect();
    (!texts.is_empty()).then(|| texts.join("\nunion all "))
}

/// Into how many pieces the members of a statement that failed are cut. Few enough that one bad object among hundreds costs few
/// statements, and enough that an object that is locked is waited for three times at most.
const PIECES: usize = 16;

impl ReadSession {
    /// Asks the members of a statement that failed as a whole, and tells how its fact came to be known: where some answered, the
    /// fact is known and the draft notes which did not.
    pub(super) async fn ask_in_pieces(
        &mut self,
        statement: &Statement,
        fact: Fact,
        members: &[Member],
        until: Instant,
        draft: &mut Draft,
    ) -> Observed<()> {
        let mut waiting: Vec<&[Member]> = cut(members);
        let mut silent: Vec<(&QualifiedName, Observed<()>)> = Vec::new();
        let mut answered = false;
        while let Some(piece) = waiting.pop() {
            let mut rows: Vec<Row> = Vec::new();
            let outcome = match joint(piece) {
                Some(sql) if Instant::now() < until => {
                    let mut keep = |row: &Row| {
                        rows.push(row.clone());
                        Ok(())
                    };
                    self.wire.ask(statement.name, &sql, &mut keep).await
                }
                _ => {
                    let late =
                        Observed::Failed("the time for asking object by object was used up".to_owned());
                    silent.extend(piece.iter().map(|member| (&member.object, late.clone())));
                    continue;
                }
            };
            let outcome = outcome.and_then(|()| {
                rows.iter().try_for_each(|row| (statement.decode)(row, draft)).map_err(Trouble::Decode)
            });
            match outcome {
                Ok(()) => answered = true,
                Err(Trouble::Server(_)) if piece.len() > 1 => waiting.extend(cut(piece)),
                trouble => {
                    let observed = self.observed(trouble);
                    silent.extend(piece.iter().map(|member| (&member.object, observed.clone())));
                }
            }
        }
        let Some((object, observed)) = silent.first() else { return Observed::Known(()) };
        if !answered {
            return observed.clone();
        }
        let because = observed.because().unwrap_or_default();
        let objects: BTreeSet<&QualifiedName> = silent.iter().map(|(object, _)| *object).collect();
        let further = match objects.len() - 1 {
            0 => String::new(),
            further => format!(" (and {further} more)"),
        };
        draft.in_part.insert(fact, format!("`{object}`{further}: {because}"));
        Observed::Known(())
    }
}

/// Pieces in the order in which they are taken from the end.
fn cut(members: &[Member]) -> Vec<&[Member]> {
    members.chunks(members.len().div_ceil(PIECES).max(1)).rev().collect()
}
