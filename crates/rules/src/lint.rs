//! What rules over migrations share: which statements are looked at, and how an effect is put into words.

use dbwright_model::chain::{Chain, ChainStatement};
use dbwright_model::change::Change;
use dbwright_model::effect::{Blocks, Cost, RelationEffect, TransactionUse};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{EvidenceLevel, ObjectRef};
use dbwright_model::name::QualifiedName;

use crate::quantity;
use crate::{Context, Findings, Found};

/// A statement that is judged, with what a rule asks about it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The chain it is in.
    pub chain: &'a Chain,
    /// Its position in the chain.
    pub position: usize,
    /// The statement.
    pub statement: &'a ChainStatement,
}

/// The statements that are judged, in order.
pub fn statements<'a>(context: &Context<'a>) -> impl Iterator<Item = Judged<'a>> {
    let chain = context.migrations();
    chain.judged().map(move |(position, statement)| Judged { chain, position, statement })
}

/// What a rule says of a change.
#[derive(Debug)]
pub enum Verdict {
    /// It is not of the kind that the rule looks at.
    Other,
    /// It was looked at and is fine.
    Fine,
    /// It is not.
    Found(Found),
}

/// Shows every change of every judged statement to a rule.
pub fn each<'a>(
    context: &Context<'a>,
    findings: &mut Findings,
    mut judge: impl FnMut(Judged<'a>, &'a Change) -> Verdict,
) {
    for judged in statements(context) {
        for change in &judged.statement.changes {
            match judge(judged, change) {
                Verdict::Other => {}
                Verdict::Fine => findings.examined(1),
                Verdict::Found(found) => {
                    findings.examined(1);
                    findings.add(found);
                }
            }
        }
    }
}

impl<'a> Judged<'a> {
    /// What the statement does to a relation that others use; nothing when the migrations made it themselves. The
    /// schema may be left out.
    pub fn effect(&self, relation: &QualifiedName) -> Option<&'a RelationEffect> {
        self.statement.felt().find(|effect| {
            effect.relation.name == relation.name
                && (relation.schema.is_empty() || effect.relation.schema == relation.schema)
        })
    }

    /// The same, if others are kept from writing for longer the larger the relation is.
    pub fn blocking(&self, relation: &QualifiedName) -> Option<&'a RelationEffect> {
        self.effect(relation).filter(|effect| effect.blocks_in_proportion_to_size())
    }

    /// Whether the statement has its place inside a transaction that other statements share or a tool opens.
    pub fn in_transaction(&self) -> bool {
        self.statement.transaction.is_some()
    }

    /// Whether the server takes the statement inside a transaction.
    pub fn must_stand_alone(&self) -> bool {
        self.statement.effects.transaction == TransactionUse::Outside
    }

    /// A finding about an object at this statement.
    pub fn found(&self, object: ObjectRef, message: impl Into<String>) -> Found {
        let found = Found::at(object, message).located(self.statement.location.clone());
        match self.statement.evidence_level {
            EvidenceLevel::Text => found.from_text(),
            EvidenceLevel::Catalog => found,
            EvidenceLevel::Traced => found.traced(),
        }
    }

    /// A finding about an effect: its lock, its work and, where the size is known, how long that takes.
    pub fn felt(
        &self,
        context: &Context<'_>,
        effect: &RelationEffect,
        object: ObjectRef,
        message: impl Into<String>,
    ) -> Found {
        let mut found =
            self.found(object, message).evidence("lock", lock(effect)).evidence("work", effect.cost.as_str());
        if let Some(algorithm) = effect.algorithm {
            found = found.evidence("algorithm", algorithm.as_str());
        }
        if let Some(statistics) = context.statistics_of(&effect.relation) {
            found = found.evidence_if("rows", statistics.rows.map(quantity::grouped));
            if let Some(bytes) = statistics.table_bytes {
                found = found.evidence("size", quantity::size(bytes));
                if let Some((least, most)) = effect.cost.expected_seconds(bytes) {
                    found = found.evidence("expected", span(least, most));
                }
            }
        }
        if let Some(assumed) = self.statement.effects.assumed.first() {
            found = found.evidence("assumed", assumed);
        }
        found
    }
}

/// A length of time that is known only roughly: `2 s to 9 s`.
fn span(least: f64, most: f64) -> String {
    if most < 1.0 {
        "under a second".to_owned()
    } else {
        format!("{} to {}", quantity::time(least), quantity::time(most))
    }
}

/// A lock with what it blocks: `ACCESS EXCLUSIVE, blocks reads and writes`.
pub fn lock(effect: &RelationEffect) -> String {
    format!("{}, {}", effect.lock.as_str(), blocked(effect.lock.blocks()))
}

/// What a lock keeps others from.
pub fn blocked(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Nothing => "blocks nothing an application does",
        Blocks::SchemaChanges => "blocks schema changes and maintenance",
        Blocks::Writes => "blocks writes",
        Blocks::ReadsAndWrites => "blocks reads and writes",
    }
}

/// What waits, for a message: `reads and writes of`.
pub fn waiting(effect: &RelationEffect) -> &'static str {
    match effect.lock.blocks() {
        Blocks::ReadsAndWrites => "reads and writes",
        Blocks::Writes => "writes",
        Blocks::SchemaChanges => "schema changes",
        Blocks::Nothing => "nothing",
    }
}

/// What is done meanwhile, for a message: `while every row is rewritten`.
pub fn meanwhile(cost: Cost) -> &'static str {
    match cost {
        Cost::Brief => "for an instant",
        Cost::Scan => "while every row is read",
        Cost::IndexBuild => "while an index is built",
        Cost::Rewrite => "while the whole table is rewritten",
    }
}

/// The facts that a rule over effects wants beside the migrations.
pub const WANTS: &[Fact] = &[Fact::TableStatistics];
