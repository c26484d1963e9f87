use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::chain::ChainStatement;
use dbwright_model::change::Change;
use dbwright_model::effect::Blocks;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    engines: Engines::only(
        Engine::Postgres,
        "a transaction does not keep the locks of several schema changes there",
    ),
    when: "one transaction locks several tables one after the other, and no `lock_timeout` bounds the waiting",
    then: "The first table stays locked while the transaction waits for the next, and may end in a deadlock.",
    instead: "Change one table per transaction, or set a `lock_timeout` and try the whole transaction again.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, \"Explicit Locking\"; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut transactions: BTreeMap<u32, Held<'_>> = BTreeMap::new();
    for judged in lint::statements(context) {
        let Some(transaction) = judged.statement.transaction else { continue };
        let locked = judged.statement.felt().filter(|effect| effect.lock.blocks() >= Blocks::Writes);
        let locked: Vec<&QualifiedName> = locked.map(|effect| &effect.relation).collect();
        let tables: Vec<&QualifiedName> =
            locked.iter().copied().filter(|relation| is_table(judged.statement, relation)).collect();
        let held = transactions.entry(transaction).or_default();
        if !tables.is_empty() {
            findings.examined(1);
        }
        let next = tables.iter().copied().find(|table| {
            let renamed = held.renamed.iter().any(|name| lint::same_relation(name, table));
            !held.relations.contains(table) && !renamed
        });
        let bounded = judged.statement.setting("lock_timeout").is_some_and(|value| !is_zero(value));
        if let Some((first, next)) = held.tables.first().zip(next)
            && !bounded
            && !held.told
        {
            let message = format!("The transaction waits for `{next}` while it keeps others from `{first}`.");
            let before: Vec<String> = held.tables.iter().map(ToString::to_string).collect();
            let found =
                judged.found(ObjectRef::table(next), message).evidence("locked before", before.join(", "));
            findings.add(found.remedy(Remedy::manual(RULE.instead)));
            held.told = true;
        }
        // A table is the same one under its new name.
        let renamed = judged.statement.changes.iter().filter_map(|change| match change {
            Change::RenameTable { to, .. } => Some(to),
            _ => None,
        });
        held.renamed.extend(renamed);
        held.tables.extend(tables);
        held.relations.extend(locked);
    }
}

/// What a transaction has locked so far.
#[derive(Default)]
struct Held<'a> {
    tables: BTreeSet<&'a QualifiedName>,
    /// Tables, and the partitions, indexes and sequences that were locked with them.
    relations: BTreeSet<&'a QualifiedName>,
    /// Names that tables were given.
    renamed: Vec<&'a QualifiedName>,
    told: bool,
}

/// Whether a relation is a table of its own, no sequence, index, view or partition, as far as that is known.
fn is_table(statement: &ChainStatement, relation: &QualifiedName) -> bool {
    let other = |change: &Change| {
        matches!(
            change,
            Change::AlterSequence { .. }
                | Change::DropSequence { .. }
                | Change::DropIndex { .. }
                | Change::RenameIndex { .. }
                | Change::Reindex { .. }
                | Change::AttachIndex { .. }
                | Change::DropView { .. }
                | Change::CreateView { .. }
                | Change::RefreshView { .. }
        )
    };
    let known = statement.tables.iter().any(|table| table.name == *relation);
    known || (statement.tables.is_empty() && !statement.changes.iter().any(other))
}

/// Zero, with or without a unit, means to wait for ever.
fn is_zero(value: &str) -> bool {
    let digits = value.trim_matches(|c: char| c == '\'' || c.is_whitespace());
    digits.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace()).parse() == Ok(0.0)
}
