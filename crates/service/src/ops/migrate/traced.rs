//! `migrate lint --trace`: the chain is executed on a scratch server, and what is seen takes the place of what was
//! foretold.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::catalog::Catalog;
use dbwright_model::chain::{Chain, ChainStatement};
use dbwright_model::change::Change;
use dbwright_model::effect::TransactionUse;
use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::Fact;
use dbwright_model::finding::EvidenceLevel;
use dbwright_model::name::QualifiedName;
use dbwright_model::report::ReportTrace;
use dbwright_sql::chain::{self, MigrationFile};
use dbwright_sql::effects::Circumstances;

use crate::error::ServiceError;
use crate::trace::{Bench, Failure, Fault, Outcome, Step, Traced, Tracer};
use crate::world::World;

/// What has to be known of a database for its schema to be built.
pub(super) const FACTS: [Fact; 6] =
    [Fact::Catalog, Fact::Functions, Fact::Triggers, Fact::Policies, Fact::Extensions, Fact::Publications];

/// What is traced.
pub(super) struct Subject<'a> {
    /// The files of the chain.
    pub files: &'a [MigrationFile],
    /// What is there before the first file, where it is known.
    pub catalog: Option<&'a Catalog>,
    /// The engine of the target.
    pub engine: Engine,
    /// Its version, where it is known.
    pub version: Option<Version>,
    /// The name of its database; may be empty.
    pub database: &'a str,
    /// Whether the judged files are applied together, so that what an earlier one makes is new to a later one.
    pub together: bool,
    /// What was read only in part, with the reasons.
    pub in_part: &'a BTreeMap<Fact, String>,
    /// Files with places that a tool fills in, and that hold a made-up word here.
    pub unfilled: &'a BTreeSet<String>,
}

/// Executes every statement and observes the judged ones.
pub(super) async fn trace(
    chain: &mut Chain,
    subject: &Subject<'_>,
    world: &World<'_>,
) -> Result<ReportTrace, ServiceError> {
    let bench = Bench::start(subject.engine, subject.version, world)?;
    let tracer = bench.tracer(Some(subject.database)).await?;
    let mut run = Run {
        tracer,
        complete: chain.starts_known,
        faithful: true,
        doubtful: BTreeSet::new(),
        missing: Vec::new(),
        engine: subject.engine,
        unfilled: false,
    };
    if let Some(catalog) = subject.catalog {
        world.progress.step("building the schema on the scratch server", 0, 0);
        for (_, because) in subject.in_part.iter().filter(|(fact, _)| FACTS.contains(fact)) {
            run.complete = false;
            run.missing.push(format!("what could not be read: {because}"));
        }
        run.build(catalog, bench.version()).await;
    }
    run.files(chain, subject, world).await;
    let statements = chain.judged().count() as u64;
    let traced = |statement: &ChainStatement| statement.evidence_level == EvidenceLevel::Traced;
    Ok(ReportTrace {
        server: bench.server(),
        instead_of: bench.instead_of().map(|version| match subject.engine {
            // Minor versions are of no account there.
            Engine::Postgres if version.major >= 10 => version.major.to_string(),
            _ => version.to_string(),
        }),
        traced: chain.judged().filter(|(_, statement)| traced(statement)).count() as u64,
        statements,
        missing: run.missing,
    })
}

struct Run<'a> {
    tracer: Tracer<'a>,
    /// Whether everything is there that is on the target.
    complete: bool,
    /// Whether every judged statement was carried out so far: if not, what later ones find is not what they would find.
    faithful: bool,
    /// Relations of which something is missing.
    doubtful: BTreeSet<QualifiedName>,
    missing: Vec<String>,
    engine: Engine,
    /// Whether the file of the statement has places that are not filled in.
    unfilled: bool,
}

impl Run<'_> {
    async fn build(&mut self, catalog: &Catalog, version: Version) {
        let sections = [
            ("functions", catalog.functions.because(), catalog.functions.is_unsupported()),
            ("triggers", catalog.triggers.because(), catalog.triggers.is_unsupported()),
            ("policies", catalog.policies.because(), catalog.policies.is_unsupported()),
            ("extensions", catalog.extensions.because(), catalog.extensions.is_unsupported()),
            ("publications", catalog.publications.because(), catalog.publications.is_unsupported()),
        ];
        for (section, because, unsupported) in sections {
            // Other engines know no such thing, or the functions that they know are part of the program.
            let without = unsupported && self.engine != Engine::Postgres;
            if let (Some(because), false) = (because, without) {
                self.complete = false;
                self.missing.push(format!("{section}: {because}"));
            }
        }
        for doubt in &catalog.doubts {
            self.complete = false;
            self.doubtful.extend(doubt.object.clone());
            let object = doubt.object.as_ref().map_or("the catalog".to_owned(), |name| format!("`{name}`"));
            self.missing.push(format!("{object}: {}", doubt.because));
        }
        for unmade in self.tracer.build(catalog, version).await {
            self.complete = false;
            self.doubtful.extend(unmade.relation);
            self.missing.push(format!("{}: {}", unmade.object, unmade.because));
        }
    }

    async fn files(&mut self, chain: &mut Chain, subject: &Subject<'_>, world: &World<'_>) {
        let circumstances = Circumstances { version: subject.version, ..Circumstances::default() };
        let script = chain::script(subject.engine, &circumstances, subject.files);
        let mut file = None;
        let mut marked = false;
        // The judged statement that comes next in the chain.
        let mut next = 0;
        for (position, one) in script.iter().enumerate() {
            let Some(source) = subject.files.get(one.file) else { continue };
            let what = format!("tracing {}:{}", source.file.name, one.line);
            world.progress.step(&what, position as u64, script.len() as u64);
            let judged = source.file.judged;
            if file != Some(one.file) {
                let ended = self.tracer.new_session().await;
                self.note_commit(chain, next, ended);
                if judged && !(subject.together && marked) {
                    self.tracer.mark().await;
                    marked = true;
                }
                file = Some(one.file);
            }
            if !judged {
                let foretold = Default::default();
                let step = step(one, &foretold);
                if let Err(failure) = self.tracer.pass(&step).await {
                    self.complete = false;
                    self.missing.push(format!("{}:{}: {}", source.file.name, one.line, failure.message));
                }
                continue;
            }
            let Some(statement) = chain.statements.get(next) else { return };
            let foretold = statement.effects.clone();
            let traced = self.tracer.watch(&step(one, &foretold)).await;
            self.unfilled = subject.unfilled.contains(&source.file.name);
            if let Some(failure) = traced.commit_failed.clone() {
                self.note_commit(chain, next, Err(failure));
            }
            self.apply(&mut chain.statements[next], traced);
            next += 1;
        }
        let ended = self.tracer.settle().await;
        self.note_commit(chain, next, ended);
    }

    /// A transaction that the tool ends fails with its last statement.
    fn note_commit(&mut self, chain: &mut Chain, next: usize, ended: Result<(), Failure>) {
        let Err(failure) = ended else { return };
        let last = next.checked_sub(1).and_then(|last| chain.statements.get_mut(last));
        let Some(last) = last else { return };
        if self.faithful && failure.is_certain(self.complete) && last.failed.is_none() {
            last.failed = Some(format!("the transaction cannot be committed: {}", failure.message));
        }
        self.faithful = false;
    }

    fn apply(&mut self, statement: &mut ChainStatement, traced: Traced) {
        match traced.outcome {
            Outcome::Seen => self.seen(statement, traced),
            Outcome::Unseen(because) => statement.not_traced = Some(because),
            Outcome::Untried(because) => {
                statement.not_traced = Some(because);
                self.lacks(statement);
            }
            Outcome::Failed(failure) => {
                self.failed(statement, &failure);
                self.lacks(statement);
            }
        }
    }

    /// Notes that a statement was not carried out, so that later ones find something else than they would.
    fn lacks(&mut self, statement: &ChainStatement) {
        let only_missed = |change: &Change| {
            matches!(
                change,
                Change::CreateExtension { .. }
                    | Change::CreateFunction { .. }
                    | Change::Comment { .. }
                    | Change::SetGrant { .. }
                    | Change::SetOwner { .. }
            )
        };
        self.complete = false;
        // What is missing makes nothing fail but what asks for it.
        self.faithful &= !statement.changes.is_empty() && statement.changes.iter().all(only_missed);
    }

    fn seen(&self, statement: &mut ChainStatement, traced: Traced) {
        let relations = traced.effects.relations.iter().chain(&statement.effects.relations);
        let doubtful = relations.map(|effect| &effect.relation).find(|name| self.doubtful.contains(name));
        if let Some(name) = doubtful {
            statement.not_traced = Some(format!(
                "something of `{name}` is missing on the scratch server, so what was seen is not all"
            ));
            // What was seen is true all the same.
            statement.effects.include(traced.effects);
        } else {
            statement.effects = traced.effects;
            statement.evidence_level = EvidenceLevel::Traced;
            statement.not_analysed = None;
        }
        for name in traced.made {
            if !statement.new_relations.contains(&name) {
                statement.new_relations.push(name);
            }
        }
        statement.new_relations.sort();
    }

    fn failed(&self, statement: &mut ChainStatement, failure: &Failure) {
        let message = &failure.message;
        if failure.fault == Fault::InTransaction && self.engine == Engine::Postgres {
            // That it stands in the wrong place is told by a rule of its own.
            statement.effects.transaction = TransactionUse::Outside;
            statement.not_traced = Some(format!("it does not run there: {message}"));
        } else if self.unfilled {
            statement.not_traced =
                Some(format!("a tool fills in places of the file, and without that: {message}"));
        } else if self.faithful && failure.is_certain(self.complete) {
            statement.failed = Some(message.clone());
            statement.not_traced = Some(format!("it fails: {message}"));
        } else {
            let after = if self.faithful { "" } else { ", after an earlier statement was not carried out" };
            statement.not_traced = Some(format!("the scratch server refused it{after}: {message}"));
        }
    }
}

fn step<'a>(one: &'a chain::Scripted<'_>, foretold: &'a dbwright_model::effect::Effects) -> Step<'a> {
    Step { sql: one.text, changes: &one.changes, foretold, transaction: one.transaction }
}
