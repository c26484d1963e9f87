//! One cell of the matrix: what a statement did on one version, as text and back.

use std::fmt;

use dbwright_model::effect::{Algorithm, Cost, Lock, Loss, LossKind, RelationEffect, TransactionUse};
use dbwright_model::name::QualifiedName;

/// What was observed of one statement on one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The server refused it.
    Refused {
        /// The server's code: an SQLSTATE, or the number of MySQL and SQLite.
        code: String,
    },
    /// The server carried it out.
    Done {
        /// How it got along with a transaction.
        transaction: TransactionUse,
        /// The relations that it touched, by name.
        relations: Vec<RelationEffect>,
        /// What was gone or broken afterwards, by name.
        losses: Vec<Loss>,
    },
}

impl Cell {
    /// A cell of a statement that was carried out; sorts the relations.
    pub fn done(transaction: TransactionUse, mut relations: Vec<RelationEffect>) -> Cell {
        relations.sort();
        Cell::Done { transaction, relations, losses: Vec::new() }
    }

    /// The same with what was gone or broken afterwards.
    pub fn losing(self, mut lost: Vec<Loss>) -> Cell {
        lost.sort();
        match self {
            Cell::Done { transaction, relations, .. } => Cell::Done { transaction, relations, losses: lost },
            refused @ Cell::Refused { .. } => refused,
        }
    }

    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Result<Cell, String> {
        if let Some(code) = text.strip_prefix("error ") {
            return Ok(Cell::Refused { code: code.to_owned() });
        }
        let (transaction, rest) = if let Some(rest) = text.strip_prefix("outside; ") {
            (TransactionUse::Outside, rest)
        } else if let Some(rest) = text.strip_prefix("commits; ") {
            (TransactionUse::Commits, rest)
        } else {
            (TransactionUse::Inside, text)
        };
        if rest == "nothing" {
            return Ok(Cell::done(transaction, Vec::new()));
        }
        let mut relations = Vec::new();
        let mut losses = Vec::new();
        for part in rest.split(" | ") {
            match parse_loss(part) {
                Some(loss) => losses.push(loss),
                None => relations.push(parse_relation(part)?),
            }
        }
        Ok(Cell::done(transaction, relations).losing(losses))
    }
}

fn parse_loss(text: &str) -> Option<Loss> {
    let (name, word) = text.split_once(": ")?;
    Some(Loss { relation: parse_name(name), kind: LossKind::parse(word)? })
}

fn parse_name(name: &str) -> QualifiedName {
    match name.split_once('.') {
        Some((schema, name)) => QualifiedName::new(schema, name),
        None => QualifiedName::bare(name),
    }
}

fn parse_relation(text: &str) -> Result<RelationEffect, String> {
    let (name, words) = text.split_once(": ").ok_or_else(|| format!("`{text}` has no `: `"))?;
    let relation = parse_name(name);
    let mut words = words.split(", ");
    let lock = words.next().and_then(Lock::parse).ok_or_else(|| format!("`{text}` names no lock"))?;
    let mut effect = RelationEffect { relation, lock, cost: Cost::Brief, algorithm: None };
    for word in words {
        let algorithm = word
            .strip_prefix("ALGORITHM=")
            .and_then(|word| Algorithm::ALL.into_iter().find(|one| one.as_str() == word));
        match (algorithm, Cost::parse(word)) {
            (Some(_), _) => effect.algorithm = algorithm,
            (None, Some(cost)) => effect.cost = cost,
            (None, None) => return Err(format!("`{word}` in `{text}` is neither work nor algorithm")),
        }
    }
    Ok(effect)
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transaction, relations, losses) = match self {
            Cell::Refused { code } => return write!(f, "error {code}"),
            Cell::Done { transaction, relations, losses } => (transaction, relations, losses),
        };
        f.write_str(match transaction {
            TransactionUse::Inside => "",
            TransactionUse::Outside => "outside; ",
            TransactionUse::Commits => "commits; ",
        })?;
        if relations.is_empty() && losses.is_empty() {
            return f.write_str("nothing");
        }
        for (index, effect) in relations.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{}: {}", effect.relation, effect.lock.as_str())?;
            if let Some(algorithm) = effect.algorithm {
                write!(f, ", ALGORITHM={}", algorithm.as_str())?;
            }
            if effect.cost > Cost::Brief {
                write!(f, ", {}", effect.cost.as_str())?;
            }
        }
        for (index, loss) in losses.iter().enumerate() {
            let separator = if index > 0 || !relations.is_empty() { " | " } else { "" };
            write!(f, "{separator}{}: {}", loss.relation, loss.kind.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_back_as_written() {
        for text in [
            "nothing",
            "outside; nothing",
            "error 42601",
            "public.orders: ACCESS EXCLUSIVE, rewrite | public.customers: SHARE ROW EXCLUSIVE, scan",
            "outside; public.Order Lines: SHARE UPDATE EXCLUSIVE, index build",
            "commits; t: LOCK=SHARED, ALGORITHM=COPY, rewrite",
            "t: rows lost",
        ] {
            let mut shown = Cell::parse(text).expect("a cell").to_string();
            if text.contains(" | ") {
                // Relations are sorted by name.
                let (left, right) = shown.split_once(" | ").expect("two relations");
                shown = format!("{right} | {left}");
            }
            assert_eq!(shown, text);
        }
        for text in ["", "t", "t: WEAK", "t: SHARE, slow"] {
            assert!(Cell::parse(text).is_err(), "{text}");
        }
    }
}
