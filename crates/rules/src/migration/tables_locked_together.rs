use std::collections::BTreeMap;

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
    let mut held: BTreeMap<u32, Vec<&QualifiedName>> = BTreeMap::new();
    let mut told: Vec<u32> = Vec::new();
    for judged in lint::statements(context) {
        let Some(transaction) = judged.statement.transaction else { continue };
        let tables: Vec<&QualifiedName> = judged
            .statement
            .felt()
            .filter(|effect| effect.lock.blocks() >= Blocks::Writes)
            .map(|effect| &effect.relation)
            .collect();
        if tables.is_empty() {
            continue;
        }
        findings.examined(1);
        let held = held.entry(transaction).or_default();
        let next = tables.iter().copied().find(|table| !held.contains(table));
        let bounded = judged.statement.setting("lock_timeout").is_some_and(|value| !is_zero(value));
        if let Some((first, next)) = held.first().copied().zip(next)
            && !bounded
            && !told.contains(&transaction)
        {
            told.push(transaction);
            let message = format!("The transaction waits for `{next}` while it keeps others from `{first}`.");
            let locked: Vec<String> = held.iter().map(ToString::to_string).collect();
            let found =
                judged.found(ObjectRef::table(next), message).evidence("locked before", locked.join(", "));
            findings.add(found.remedy(Remedy::manual(RULE.instead)));
        }
        for table in tables {
            if !held.contains(&table) {
                held.push(table);
            }
        }
    }
}

/// Zero, with or without a unit, means to wait for ever.
fn is_zero(value: &str) -> bool {
    let digits = value.trim_matches(|c: char| c == '\'' || c.is_whitespace());
    digits.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace()).parse() == Ok(0.0)
}
