//! Tracing on PostgreSQL.

use dbwright_engine::dsn::Dsn;
use dbwright_engine::postgres::observe::{Observation, ObservedError, Observer};
use dbwright_engine::scratch::ScratchError;
use dbwright_engine::scratch::postgres::PostgresServer;
use dbwright_model::effect::{Effects, Lock, TransactionUse};

use super::{Failure, Outcome, Shape, Step, Traced};
use crate::error::{ErrorKind, ServiceError};
use crate::roles;

/// A session on one database.
pub(super) struct Session<'a> {
    server: &'a PostgresServer,
    database: String,
    observer: Observer<'a>,
}

/// The savepoint before each statement that may fail.
const SAVEPOINT: &str = "dbwright_trace";

/// The code of a `COMMIT` inside of a program that was called in a transaction.
const COMMITS: &str = "2D000";

impl<'a> Session<'a> {
    pub(super) async fn open(server: &'a PostgresServer, database: &str) -> Result<Self, ServiceError> {
        let internal = |error: ScratchError| ServiceError::new(ErrorKind::Internal, error.to_string());
        server.create_database(database).await.map_err(internal)?;
        let observer = Observer::open(server, database).await.map_err(internal)?;
        Ok(Session { server, database: database.to_owned(), observer })
    }

    pub(super) fn dsn(&self) -> Dsn {
        self.server.dsn(&self.database)
    }

    pub(super) async fn reopen(&mut self) -> Result<(), Failure> {
        let marked = self.observer.marked();
        let scratch = |error: ScratchError| Failure::of_scratch(error.message);
        self.observer = Observer::open(self.server, &self.database).await.map_err(scratch)?;
        self.observer.mark_as(marked);
        Ok(())
    }

    pub(super) async fn mark(&mut self) -> Result<(), String> {
        self.observer.mark().await.map_err(|error| error.message)
    }

    pub(super) async fn set_up(&mut self, sql: &str) -> Result<(), Failure> {
        match self.observer.script(sql).await {
            Err(error) if self.has_made_role(&error).await => Ok(self.observer.script(sql).await?),
            outcome => Ok(outcome?),
        }
    }

    /// Runs a statement; in a transaction one that fails leaves the rest of it alone.
    pub(super) async fn pass(&mut self, step: &Step<'_>, shape: Shape) -> Result<(), Failure> {
        match self.pass_once(step, shape).await {
            Err(error) if self.has_made_role(&error).await => Ok(self.pass_once(step, shape).await?),
            outcome => Ok(outcome?),
        }
    }

    async fn pass_once(&mut self, step: &Step<'_>, shape: Shape) -> Result<(), ObservedError> {
        if shape == Shape::Control || step.transaction.is_none() {
            return self.observer.script(step.sql).await;
        }
        self.observer.script(&format!("savepoint {SAVEPOINT}")).await?;
        let outcome = self.observer.script(step.sql).await;
        self.after_savepoint(outcome.is_ok()).await?;
        outcome
    }

    async fn after_savepoint(&mut self, passed: bool) -> Result<(), ObservedError> {
        let release = format!("release savepoint {SAVEPOINT}");
        match passed {
            true => self.observer.script(&release).await,
            false => self.observer.script(&format!("rollback to savepoint {SAVEPOINT}; {release}")).await,
        }
    }

    /// Whether a role that was missing is there now, so that the statement is worth another try.
    async fn has_made_role(&self, error: &ObservedError) -> bool {
        error.sqlstate == "42704" && roles::make_missing(self.server, &error.message).await
    }

    pub(super) async fn watch(&mut self, step: &Step<'_>, shape: Shape, traced: &mut Traced) -> Outcome {
        if matches!(shape, Shape::Control | Shape::Setting) {
            return match self.pass(step, shape).await {
                Ok(()) => Outcome::Seen,
                Err(failure) => Outcome::Failed(failure),
            };
        }
        let mut seen = self.observe(step).await;
        if let Ok(Observation { error: Some(error), .. }) = &seen
            && self.has_made_role(error).await
        {
            seen = self.observe(step).await;
        }
        match seen {
            Err(because) => Outcome::Unseen(because),
            Ok(Observation { error: Some(error), .. }) => Outcome::Failed(error.into()),
            Ok(observation) => {
                traced.effects = merge(step.foretold, &observation, shape);
                traced.made = observation.made;
                Outcome::Seen
            }
        }
    }

    async fn observe(&mut self, step: &Step<'_>) -> Result<Observation, String> {
        let broken = |error: ObservedError| error.message;
        let scratch = |error: ScratchError| error.message;
        if step.transaction.is_some() {
            self.observer.script(&format!("savepoint {SAVEPOINT}")).await.map_err(broken)?;
            let seen = self.observer.observe_next(step.sql).await.map_err(scratch);
            let passed = matches!(&seen, Ok(Observation { error: None, .. }));
            // A statement that could not be observed was carried out all the same.
            let keep = passed || seen.is_err();
            self.after_savepoint(keep).await.map_err(broken)?;
            return seen;
        }
        self.observer.script("begin").await.map_err(broken)?;
        let seen = self.observer.observe_next(step.sql).await.map_err(scratch);
        let outside = |error: &ObservedError| error.is_only_outside() || error.sqlstate == COMMITS;
        match &seen {
            Ok(Observation { error: Some(error), .. }) => {
                let again = outside(error);
                self.observer.script("rollback").await.map_err(broken)?;
                if !again {
                    return seen;
                }
                // A wait for the sessions that hold locks is no wait that the target knows.
                let patient = "set lock_timeout = 0; set statement_timeout = 0";
                self.observer.script(patient).await.map_err(broken)?;
                self.observer.observe_outside(step.sql).await.map_err(scratch)
            }
            _ => match self.observer.script("commit").await {
                Ok(()) => seen,
                Err(error) => Ok(Observation { error: Some(error), ..Observation::default() }),
            },
        }
    }
}

/// What was observed, and of what was foretold only what could not be.
fn merge(foretold: &Effects, seen: &Observation, shape: Shape) -> Effects {
    let mut effects =
        Effects { demands: foretold.demands.clone(), losses: foretold.losses.clone(), ..Effects::default() };
    effects.transaction = seen.transaction;
    if seen.transaction == TransactionUse::Inside && foretold.transaction == TransactionUse::Commits {
        effects.transaction = TransactionUse::Commits;
    }
    for effect in &seen.relations {
        let before = foretold.relations.iter().find(|other| other.relation.may_mean(&effect.relation));
        let unweighed = seen.unweighed.contains(&effect.relation);
        let cost = match before {
            // How rows are found depends on how many there are, and here there are next to none.
            Some(before) if shape == Shape::Rows => before.cost,
            Some(before) if unweighed => before.cost.max(effect.cost),
            _ => effect.cost,
        };
        let held =
            |lock: Lock| seen.held.iter().any(|(name, held)| *name == effect.relation && *held == lock);
        // Where nothing was locked anew, a lock from before is no lock of the statement's own.
        let lock = match before {
            Some(before) if held(effect.lock) && held(before.lock) => before.lock,
            _ => effect.lock,
        };
        effects.add(&effect.relation, lock, cost);
    }
    for effect in &foretold.relations {
        // A lock that the transaction holds already does not show when it is taken again.
        let held =
            seen.held.iter().find(|(name, lock)| effect.relation.may_mean(name) && *lock == effect.lock);
        if let Some((name, lock)) = held {
            let cost = if shape == Shape::Rows { effect.cost } else { Default::default() };
            effects.add(name, *lock, cost);
        }
    }
    effects
}
