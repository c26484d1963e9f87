//! What rules over migrations share: which statements are looked at, and how an effect is put into words.

mod telling;
mod tree;

use dbwright_model::catalog::{Column, Table};
use dbwright_model::chain::{Chain, ChainFile, ChainStatement, Standing};
use dbwright_model::change::{Change, DataClauses};
use dbwright_model::effect::{Blocks, RelationEffect, TransactionUse};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{EvidenceLevel, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};

pub use self::telling::{blocked, expected, lock, meanwhile, on_standbys, waiting};
use crate::lexicon::reserved::is_reserved;
use crate::quantity;
use crate::traffic;
pub use crate::words::verb;
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

/// How the files stand to what a database has applied. Where nobody compared the two, the rule is told not to apply.
pub fn standing<'a>(context: &Context<'a>, findings: &mut Findings) -> Option<&'a Standing> {
    let standing = context.migrations().standing.as_ref();
    if standing.is_none() {
        findings.not_applicable("no history of a database was compared with the files");
    }
    standing
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
        self.statement.felt().find(|effect| relation.may_mean(&effect.relation))
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
            self.statement.effects.relations.iter().any(|effect| effect.relation.may_be(name))
        };
        let mut parents = table.foreign_keys.iter().map(|key| &key.references);
        !if_not_exists || parents.all(|parent| parent.may_be(&table.name) || locked(parent))
    }

    /// The new definition that the statement gives a column (MySQL's `MODIFY`).
    pub fn modified(&self, table: &QualifiedName, column: &Name) -> Option<&'a Column> {
        self.statement.changes.iter().find_map(|change| match change {
            Change::ModifyColumn { table: owner, column: other, to, .. }
                if owner.may_be(table) && other.eq_ignore_case(column.as_str()) =>
            {
                Some(to.as_ref())
            }
            _ => None,
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

    /// Whether the migrations made a relation, index or type that the statement names; the schema may be left out.
    pub fn is_new(&self, name: &QualifiedName) -> bool {
        self.statement.new_relations.iter().any(|new| new.may_be(name))
    }

    /// Whether a relation or type that the statement names is known not to be there.
    pub fn is_absent(&self, name: &QualifiedName) -> bool {
        let around = &self.statement.around;
        self.chain.starts_known
            && self.statement.table(name).is_none()
            && !around.views.iter().any(|view| view.name.may_be(name))
            && !around.sequences.iter().any(|sequence| sequence.name.may_be(name))
            && !around.types.iter().any(|user_type| user_type.name.may_be(name))
    }

    /// A relation by the full name under which the statement finds it, where it is known.
    pub fn full_name(&self, name: &QualifiedName) -> QualifiedName {
        let known = self.statement.tables.iter().map(|table| &table.name);
        let felt = self.statement.effects.relations.iter().map(|effect| &effect.relation);
        let views = self.statement.around.views.iter().map(|view| &view.name);
        known.chain(views).chain(felt).find(|other| other.may_be(name)).unwrap_or(name).clone()
    }

    /// The statements after this one in the same transaction.
    pub fn later_in_transaction(&self) -> impl Iterator<Item = &'a ChainStatement> + use<'a> {
        let transaction = self.statement.transaction;
        let later = self.later().iter();
        later.take_while(move |other| transaction.is_some() && other.transaction == transaction)
    }

    /// The statements after this one in the same file.
    pub fn later_in_file(&self) -> impl Iterator<Item = &'a ChainStatement> + use<'a> {
        let file = self.statement.file;
        self.later().iter().take_while(move |other| other.file == file)
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
            // What was observed are the effects; what else a rule says of a statement rests on the catalog.
            EvidenceLevel::Catalog | EvidenceLevel::Traced => found,
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
        if self.statement.evidence_level == EvidenceLevel::Traced {
            found = found.traced();
        }
        if let Some(algorithm) = effect.algorithm {
            found = found.evidence("algorithm", algorithm.as_str());
        }
        let traffic = context.traffic_of(&effect.relation);
        let waiting = traffic.and_then(|traffic| traffic.waiting(effect.lock.blocks()));
        found = found.evidence_if("statements that wait", waiting.map(traffic::per_second));
        // The work on partitions and heirs is done one after the other under locks that all stay.
        let mut targets = self.statement.changes.iter().filter_map(tree::tree_of);
        let below = match targets.next().filter(|first| targets.all(|other| other == *first)) {
            Some(table) => self.work_below(table, effect),
            None => Vec::new(),
        };
        let relations = if below.is_empty() { vec![&effect.relation] } else { below };
        let known: Vec<_> = relations.iter().filter_map(|relation| context.statistics_of(relation)).collect();
        if !known.is_empty() && known.len() == relations.len() {
            let rows: Option<u64> = known.iter().map(|statistics| statistics.rows).sum();
            let bytes: Option<u64> = known.iter().map(|statistics| statistics.table_bytes).sum();
            found = found.evidence_if("rows", rows.map(quantity::grouped));
            if let Some(bytes) = bytes {
                found = found.evidence("size", quantity::size(bytes));
                found = found.evidence_if("expected", expected(effect, bytes));
            }
            found = found.evidence_if("tables", (known.len() > 1).then_some(known.len()));
        }
        if let Some(assumed) = self.statement.effects.assumed.first() {
            found = found.evidence("assumed", assumed);
        }
        found
    }
}

/// Whether a default gives every row one and the same value that is not null.
pub fn is_constant(default: Option<&Expression>) -> bool {
    let tree = default.and_then(|default| default.tree.as_deref());
    tree.is_some_and(
        |tree| matches!(tree.without_casts(), Expr::Literal(literal) if *literal != Literal::Null),
    )
}

fn added<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    table: &QualifiedName,
    column: &Name,
) -> Option<&'a Column> {
    changes.into_iter().find_map(|change| match change {
        Change::AddColumn { table: owner, column: added, .. }
            if owner.may_be(table) && added.name == *column =>
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

/// The same of statements that something else picks.
pub fn changes_of<'a>(
    statements: impl Iterator<Item = &'a ChainStatement>,
) -> impl Iterator<Item = &'a Change> {
    statements.flat_map(|statement| &statement.changes)
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

/// The facts that a rule over effects wants beside the migrations.
pub const WANTS: &[Fact] = &[Fact::TableStatistics, Fact::Workload];

/// The judged statements of one file.
#[derive(Clone, Debug)]
pub struct JudgedFile<'a> {
    /// The file.
    pub file: &'a ChainFile,
    /// Its statements, in order.
    pub statements: Vec<Judged<'a>>,
}

/// The files that are judged, in order, those without statements included.
pub fn files<'a>(context: &Context<'a>) -> Vec<JudgedFile<'a>> {
    let chain = context.migrations();
    let mut files: Vec<JudgedFile<'a>> =
        chain.files.iter().map(|file| JudgedFile { file, statements: Vec::new() }).collect();
    for judged in statements(context) {
        if let Some(file) = files.get_mut(judged.statement.file) {
            file.statements.push(judged);
        }
    }
    files.retain(|file| file.file.judged);
    files
}

/// Whether a change is of the schema, as opposed to rows, settings and transactions.
pub fn changes_schema(change: &Change) -> bool {
    !matches!(
        change,
        Change::Data { .. }
            | Change::Transaction { .. }
            | Change::SetSessionSetting { .. }
            | Change::SetServerSetting { .. }
            | Change::SetConstraints { .. }
            | Change::LockTable { .. }
            | Change::Analyze { .. }
            | Change::Vacuum { .. }
            | Change::Procedural { .. }
            | Change::Prepare { .. }
            | Change::AttachDatabase { .. }
            | Change::DetachDatabase { .. }
            | Change::Explain { .. }
            | Change::DiscardAll
            | Change::AdvanceSequence { .. }
            | Change::Nothing
            | Change::Opaque { .. }
    )
}

/// Whether two names can mean the same relation: a schema that is left out fits every schema. Case does not count.
pub fn same_relation(one: &QualifiedName, other: &QualifiedName) -> bool {
    one.name.eq_ignore_case(other.name.as_str())
        && (one.schema.is_empty()
            || other.schema.is_empty()
            || one.schema.eq_ignore_case(other.schema.as_str()))
}

/// Whether a word stands in a text, letters compared without regard to case.
pub fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part.eq_ignore_ascii_case(word))
}

/// A PostgreSQL length of time in milliseconds: `5s`, `500`, `2 min`. `None` for the server's default and for what is no
/// length of time.
pub fn milliseconds(text: &str) -> Option<f64> {
    let text = text.trim().trim_matches('\'').trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let factor = match text[end..].trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    Some(number * factor)
}

/// A limit of time that holds for a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Nobody has set one.
    Unset,
    /// The migration itself switches it off.
    Off,
    /// So many milliseconds.
    Milliseconds(f64),
}

impl<'a> Judged<'a> {
    /// The limit of a PostgreSQL setting in force at the statement: what the migration has set, else what the server says.
    pub fn limit(&self, context: &Context<'_>, name: &str) -> Limit {
        match self.statement.setting(name).and_then(milliseconds) {
            Some(0.0) => Limit::Off,
            Some(number) => Limit::Milliseconds(number),
            None => server_limit(context, name),
        }
    }

    /// Whether the relation was there before the file: the judged migrations did not make it.
    pub fn is_in_use(&self, relation: &QualifiedName) -> bool {
        let new = self.statement.new_relations.iter().any(|name| same_relation(name, relation));
        let before = self.statement.made_before.iter().any(|name| same_relation(name, relation));
        !new && (before || !self.made_in_file(relation))
    }

    /// Whether the file itself has made the relation before this statement.
    fn made_in_file(&self, relation: &QualifiedName) -> bool {
        self.earlier_in_file().flat_map(|other| &other.changes).any(|change| match change {
            Change::CreateTable { table, if_not_exists: false }
            | Change::CreateTableLike { table, if_not_exists: false, .. } => {
                same_relation(&table.name, relation)
            }
            Change::CreateTableAs { name, if_not_exists: false, .. } => same_relation(name, relation),
            _ => false,
        })
    }

    /// The statements of the same file before this one.
    pub fn earlier_in_file(&self) -> impl Iterator<Item = &'a ChainStatement> + use<'a> {
        self.chain.earlier_in_file(self.position).iter()
    }

    /// The strongest of the effects on relations in use that keep others from writing at least.
    pub fn locks_out(&self) -> Option<&'a RelationEffect> {
        let effects = self.statement.felt().filter(|effect| effect.lock.blocks() >= Blocks::Writes);
        effects.reduce(|best, effect| if effect.lock > best.lock { effect } else { best })
    }

    /// Whether the statement is one of PostgreSQL's `CONCURRENTLY`.
    pub fn is_concurrent(&self) -> bool {
        self.statement.changes.iter().any(|change| {
            matches!(
                change,
                Change::CreateIndex { concurrently: true, .. }
                    | Change::DropIndex { concurrently: true, .. }
                    | Change::Reindex { concurrently: true, .. }
                    | Change::ReindexAll { concurrently: true, .. }
                    | Change::DetachPartition { concurrently: true, .. }
                    | Change::RefreshView { concurrently: true, .. }
            )
        })
    }
}

/// What a server says of a limit, where its settings are known.
fn server_limit(context: &Context<'_>, name: &str) -> Limit {
    let settings = context.facts_if_known(Fact::Settings).settings.known();
    match settings.and_then(|settings| settings.integer(name)) {
        Some(number) if number > 0 => Limit::Milliseconds(number as f64),
        _ => Limit::Unset,
    }
}

/// Whether MySQL or MariaDB puts another value in the place of one that a column does not take: the migration, or else the
/// server, has a `sql_mode` that is not strict.
pub fn is_loose(context: &Context<'_>, judged: &Judged<'_>) -> bool {
    if context.engine().dialect() != Dialect::Mysql {
        return false;
    }
    let strict = |mode: &str| {
        let mode = mode.to_ascii_lowercase();
        // One that is reckoned from another is not known.
        mode.contains("strict_") || mode.contains("traditional") || mode.contains('@')
    };
    let settings = context.facts_if_known(Fact::Settings).settings.known();
    let mode =
        judged.statement.setting("sql_mode").or_else(|| settings.and_then(|known| known.get("sql_mode")));
    mode.is_some_and(|mode| !strict(mode))
}

/// The facts that a rule over limits of time wants beside the migrations.
pub const WANTS_LIMITS: &[Fact] = &[Fact::TableStatistics, Fact::Workload, Fact::Settings];

/// Whether a change says `IF EXISTS`, `IF NOT EXISTS` or `OR REPLACE`, so that it may be made twice; `None` for one that
/// knows no such words.
pub fn guarded(change: &Change) -> Option<bool> {
    use Change::*;
    match change {
        CreateSchema { if_not_exists: guard, .. }
        | CreateTable { if_not_exists: guard, .. }
        | CreateTableLike { if_not_exists: guard, .. }
        | CreateTableAs { if_not_exists: guard, .. }
        | CreateIndex { if_not_exists: guard, .. }
        | CreateSequence { if_not_exists: guard, .. }
        | AddColumn { if_not_exists: guard, .. }
        | AddEnumValue { if_not_exists: guard, .. }
        | CreateExtension { if_not_exists: guard, .. }
        | DropSchema { if_exists: guard, .. }
        | DropTable { if_exists: guard, .. }
        | DropColumn { if_exists: guard, .. }
        | DropConstraint { if_exists: guard, .. }
        | DropIndex { if_exists: guard, .. }
        | DropView { if_exists: guard, .. }
        | DropSequence { if_exists: guard, .. }
        | DropType { if_exists: guard, .. }
        | DropFunction { if_exists: guard, .. }
        | DropTrigger { if_exists: guard, .. } => Some(*guard),
        CreateView { or_replace, if_not_exists, .. } => Some(*or_replace || *if_not_exists),
        CreateFunction { or_replace, .. } | CreateTrigger { or_replace, .. } => Some(*or_replace),
        _ => None,
    }
}

/// Whether a statement about rows chooses them by key: `WHERE id = 7`.
pub fn picks_by_key(statement: &ChainStatement, table: &QualifiedName, clauses: &DataClauses) -> bool {
    let Some(column) = &clauses.first_equal else { return false };
    match statement.table(table).and_then(|table| table.primary_key.as_ref()) {
        Some(key) => matches!(key.columns.as_slice(), [only] if only.eq_ignore_case(column.as_str())),
        None => column.eq_ignore_case("id"),
    }
}

impl Judged<'_> {
    /// Whether dropping a table is a step of its rebuild (SQLite): another takes its name behind it, or it gave its own
    /// name to another before.
    pub fn rebuilt(&self, dropped: &QualifiedName) -> bool {
        let takes_name = self
            .later_in_file()
            .flat_map(|later| &later.changes)
            .any(|change| matches!(change, Change::RenameTable { to, .. } if same_relation(to, dropped)));
        let renamed =
            self.earlier_in_file().flat_map(|earlier| &earlier.changes).find_map(|change| match change {
                Change::RenameTable { table, to, .. } if same_relation(to, dropped) => Some(table),
                _ => None,
            });
        takes_name || renamed.is_some_and(|old| self.made_in_file(old))
    }
}
