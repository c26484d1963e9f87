//! What rules over migrations share: which statements are looked at, and how an effect is put into words.

use dbwright_model::catalog::{Column, Table};
use dbwright_model::chain::{Chain, ChainStatement};
use dbwright_model::change::{Change, DataKind};
use dbwright_model::effect::{Blocks, Cost, RelationEffect, TransactionUse};
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{EvidenceLevel, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};

use crate::lexicon::reserved::is_reserved;
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
#[expect(clippy::large_enum_variant, reason = "a verdict is looked at and gone")]
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

    /// The full name of a table that others use, and what is done to it or, where it holds no rows itself, to a table
    /// below it: only if others are kept from writing for longer the more rows there are.
    pub fn blocking_tree(&self, table: &QualifiedName) -> Option<(&'a QualifiedName, &'a RelationEffect)> {
        let own = self.effect(table)?;
        let blocking = match own.blocks_in_proportion_to_size() {
            true => own,
            false => self.statement.blocking().next()?,
        };
        Some((&own.relation, blocking))
    }

    /// Whether the statement consists of this one change, so that everything it does is done for it.
    pub fn alone(&self) -> bool {
        self.statement.changes.len() == 1
    }

    /// Whether the statement says one of these words, given in lower case: clauses that its changes do not keep, so that
    /// a statement written from them would lose them.
    pub fn says(&self, words: &[&str]) -> bool {
        let text = self.statement.sql.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        words.iter().any(|words| text.contains(words))
    }

    /// The column as the statement itself adds it, if it does.
    pub fn adds_column(&self, table: &QualifiedName, column: &Name) -> Option<&'a Column> {
        added(&self.statement.changes, table, column)
    }

    /// The column as the migrations add it, in this statement or before it.
    pub fn new_column(&self, table: &QualifiedName, column: &Name) -> Option<&'a Column> {
        self.adds_column(table, column).or_else(|| added(changes(self.earlier()), table, column))
    }

    /// Whether `CREATE TABLE` makes the table: with `IF NOT EXISTS` one that is there is left alone, and its parents are
    /// not locked.
    pub fn makes(&self, table: &Table, if_not_exists: bool) -> bool {
        let locked = |name: &QualifiedName| {
            self.statement.effects.relations.iter().any(|effect| same(&effect.relation, name))
        };
        let mut parents = table.foreign_keys.iter().map(|key| &key.references);
        !if_not_exists || parents.all(|parent| same(parent, &table.name) || locked(parent))
    }

    /// Whether the migrations have written to rows of a table before the statement.
    pub fn wrote(&self, table: &QualifiedName) -> bool {
        changes(self.earlier()).any(|change| {
            matches!(change, Change::Data { kind, table: Some(other), .. }
                if *kind != DataKind::Select && same(other, table))
        })
    }

    /// The statements that come after it, of all files.
    pub fn later(&self) -> &'a [ChainStatement] {
        self.chain.statements.get(self.position + 1..).unwrap_or_default()
    }

    /// The statements that come before it, of all files.
    pub fn earlier(&self) -> &'a [ChainStatement] {
        self.chain.statements.get(..self.position).unwrap_or_default()
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

/// Whether two names mean one table; a schema may be left out.
pub fn same(a: &QualifiedName, b: &QualifiedName) -> bool {
    a.name == b.name && (a.schema == b.schema || a.schema.is_empty() || b.schema.is_empty())
}

fn added<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    table: &QualifiedName,
    column: &Name,
) -> Option<&'a Column> {
    changes.into_iter().find_map(|change| match change {
        Change::AddColumn { table: owner, column: added, .. }
            if same(owner, table) && added.name == *column =>
        {
            Some(added.as_ref())
        }
        _ => None,
    })
}

/// Every change of some statements, in order.
pub fn changes(statements: &[ChainStatement]) -> impl Iterator<Item = &Change> {
    statements.iter().flat_map(|statement| &statement.changes)
}

/// A name as a query that is shown as evidence spells it.
pub fn spelled(context: &Context<'_>, name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !is_reserved(context.engine(), name);
    match context.engine().dialect() {
        _ if plain => name.to_owned(),
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The same of a table.
pub fn spelled_table(context: &Context<'_>, table: &QualifiedName) -> String {
    if table.schema.is_empty() {
        return spelled(context, table.name.as_str());
    }
    format!("{}.{}", spelled(context, table.schema.as_str()), spelled(context, table.name.as_str()))
}

/// The same of columns, joined by commas.
pub fn spelled_columns(context: &Context<'_>, columns: &[Name]) -> String {
    let names: Vec<String> = columns.iter().map(|column| spelled(context, column.as_str())).collect();
    names.join(", ")
}

/// A name made of a table, columns and a word, as the server would choose it, if the server would not cut it off.
pub fn constraint_name(table: &QualifiedName, columns: &[Name], word: &str) -> Option<Name> {
    let parts = [table.name.as_str()].into_iter().chain(columns.iter().map(Name::as_str)).chain([word]);
    let name = parts.collect::<Vec<_>>().join("_");
    (name.len() < 64).then(|| Name::from(name))
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
