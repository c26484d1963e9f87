//! Tracing on SQLite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::sqlite::observe::Observation;
use dbwright_engine::sqlite::twin::Twin;
use dbwright_engine::write::Consent;
use dbwright_model::effect::Effects;
use dbwright_model::name::QualifiedName;

use super::{Failure, Outcome, Shape, Step, Traced};
use crate::error::ServiceError;

/// A session on two files.
pub(super) struct Session {
    path: PathBuf,
    twin: Twin,
    /// Tables that were there at the mark; `None` before the first.
    marked: Option<std::collections::BTreeSet<String>>,
}

impl Session {
    pub(super) fn open(path: PathBuf, temporary: &Path) -> Result<Self, ServiceError> {
        let twin = Twin::open(&Consent::for_scratch(&Dsn::Sqlite(path.clone()), temporary)?)?;
        Ok(Session { path, twin, marked: None })
    }

    pub(super) fn dsn(&self) -> Dsn {
        Dsn::Sqlite(self.path.clone())
    }

    /// Settings of a session that a file may have changed go back to what they were.
    pub(super) fn reopen(&mut self) -> Result<(), Failure> {
        let defaults =
            "PRAGMA foreign_keys = on; PRAGMA legacy_alter_table = off; PRAGMA writable_schema = off";
        self.twin.set(defaults, super::STATEMENT_LIMIT).map_err(Failure::of_sqlite)
    }

    pub(super) fn mark(&mut self) -> Result<(), String> {
        self.marked = Some(self.twin.tables()?);
        self.twin.meet()
    }

    /// Runs a statement that makes something before the migrations.
    pub(super) fn set_up(&mut self, sql: &str, limit: Duration) -> Result<(), Failure> {
        self.twin.pass(sql, limit).map_err(Failure::of_sqlite)
    }

    /// Opens a transaction.
    pub(super) fn begin(&mut self, limit: Duration) -> Result<(), Failure> {
        self.twin.run("begin", limit).map_err(Failure::of_sqlite)
    }

    /// Ends the transaction, if one is open.
    pub(super) fn commit(&mut self, limit: Duration) -> Result<(), Failure> {
        if !self.twin.in_transaction() {
            return Ok(());
        }
        let outcome = self.twin.run("commit", limit).map_err(Failure::of_sqlite);
        if outcome.is_err() {
            // What cannot be committed stays open otherwise.
            self.twin.run("rollback", limit).map_err(Failure::of_sqlite)?;
        }
        self.meet();
        outcome
    }

    /// Brings both files together again after a statement that only one of them took.
    fn meet(&mut self) {
        if self.marked.is_some() && self.twin.is_apart() && !self.twin.in_transaction() {
            // If that fails, later statements are not observed and say so.
            let _ = self.twin.meet();
        }
    }

    pub(super) fn pass(&mut self, step: &Step<'_>, limit: Duration) -> Result<(), Failure> {
        self.twin.pass(step.sql, limit).map_err(Failure::of_sqlite)
    }

    pub(super) fn watch(
        &mut self,
        step: &Step<'_>,
        shape: Shape,
        limit: Duration,
        traced: &mut Traced,
    ) -> Outcome {
        let is_pragma =
            step.sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("pragma"));
        if matches!(shape, Shape::Control | Shape::Setting) || is_pragma {
            let outcome = match is_pragma {
                true => self.twin.set(step.sql, limit),
                false => self.twin.run(step.sql, limit),
            };
            self.meet();
            return match outcome {
                Ok(()) => Outcome::Seen,
                Err(message) => Outcome::Failed(Failure::of_sqlite(message)),
            };
        }
        if let Err(message) = self.twin.run(step.sql, limit) {
            return Outcome::Failed(Failure::of_sqlite(message));
        }
        let outcome = match self.twin.observe(step.sql, limit) {
            Ok(Observation { error: Some(because), .. }) | Err(because) => {
                Outcome::Unseen(format!("by itself, over made-up rows, it fails: {because}"))
            }
            Ok(seen) => {
                traced.effects = self.merge(step.foretold, &seen, shape);
                let new = |name: &QualifiedName| {
                    self.marked.as_ref().is_some_and(|marked| !marked.contains(name.name.as_str()))
                };
                let relations = traced.effects.relations.iter().map(|effect| effect.relation.clone());
                traced.made = relations.filter(new).collect();
                Outcome::Seen
            }
        };
        self.meet();
        outcome
    }

    /// What was observed, and of what was foretold only what could not be.
    fn merge(&self, foretold: &Effects, seen: &Observation, shape: Shape) -> Effects {
        let mut effects = Effects {
            relations: seen.relations.clone(),
            transaction: seen.transaction,
            demands: foretold.demands.clone(),
            losses: seen.losses.clone(),
            ..Effects::default()
        };
        for effect in &mut effects.relations {
            let thin = self.twin.thin().contains(effect.relation.name.as_str());
            let made =
                self.marked.as_ref().is_some_and(|marked| !marked.contains(effect.relation.name.as_str()));
            let Some(before) = foretold.of(&effect.relation) else { continue };
            // Too few rows show no work, and made-up ones do not say which rows a condition meets.
            if thin || made {
                effect.cost = effect.cost.max(before.cost);
            }
            if shape == Shape::Rows {
                effect.cost = before.cost;
            }
        }
        effects
    }
}
