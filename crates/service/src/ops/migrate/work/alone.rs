//! Statements that no transaction holds: said before, looked for afterwards.

use dbwright_engine::apply::ApplyError;
use dbwright_model::applied::Applied;
use dbwright_model::change::Change;
use dbwright_model::effect::TransactionUse;
use dbwright_model::name::QualifiedName;
use dbwright_sql::effects::{self, Circumstances};

use super::super::expect::Expectation;
use super::super::hold::failed;
use super::super::steps::{Parsed, Step, Way};
use super::{Job, Work, count};
use crate::error::{ErrorKind, ServiceError};

impl Work<'_> {
    /// Runs a statement by itself. Its row says before what is about to happen.
    pub(super) async fn alone(
        &mut self,
        job: &Job<'_>,
        parsed: &[Parsed],
        step: &Step,
        row: &mut Applied,
    ) -> Result<(), ServiceError> {
        let position = step.covers.start;
        let changes = &parsed[position].changes;
        let effects = effects::of_statement(&self.folder, &Circumstances::default(), changes);
        let outside = effects.transaction == TransactionUse::Outside;
        let mut attempt = 0;
        loop {
            self.tell_how(job, position).await?;
            self.drop_broken(changes).await?;
            let mut expected = Expectation::of(&self.folder, changes);
            expected.unknown = step.way == Way::Unknown;
            expected.before = self.hold.worker.fingerprint(&expected.names()).await.map_err(failed)?;
            row.statement_before = serde_json::to_string(&expected).ok();
            self.record(row, &job.states[0]).await?;
            // A build without a transaction waits for others through waits for locks: a limit would end it half done.
            if outside {
                self.hold.worker.limits(Some(0), Some(0)).await.map_err(failed)?;
            } else {
                let limit = self.share(job, std::slice::from_ref(changes));
                self.limit(job, limit).await?;
            }
            let error = match self.send(job, position).await {
                Ok(()) => break,
                Err(error) => error,
            };
            if matches!(error, ApplyError::ConnectionLost(_)) {
                return Err(self.refusal(job, position, &error));
            }
            // The server said that it is not done; a build may have left an invalid index.
            row.statement_before = None;
            self.drop_broken(changes).await?;
            if matches!(error, ApplyError::LockNotAvailable(_)) && attempt < job.retries.attempts {
                self.wait(job, attempt).await;
                attempt += 1;
                continue;
            }
            return Err(self.give_up(job, position, &error, row).await);
        }
        row.statement_before = None;
        row.statements_done = count(step.covers.end);
        self.record(row, &job.states[0]).await
    }

    /// Whether the statement that a stopped process was at is done. Nothing runs any more: its session is gone.
    pub(super) async fn was_done(
        &mut self,
        job: &Job<'_>,
        parsed: &[Parsed],
        step: &Step,
        text: &str,
    ) -> Result<bool, ServiceError> {
        let position = step.covers.start;
        let line = job.statements[position].line;
        let changes = &parsed[position].changes;
        let stopped = |because: String| {
            ServiceError::new(
                ErrorKind::Unsupported,
                format!(
                    "`{}`, line {line}: a process was stopped at this statement, and whether it was done cannot be told: {because}",
                    job.file
                ),
            )
            .hint("look whether it was done, then run `dbwright migrate repair --statement done` or `--statement redo`")
        };
        let Ok(expected) = serde_json::from_str::<Expectation>(text) else {
            return Err(stopped("the history holds a text of another version of dbwright".to_owned()));
        };
        if self.drop_broken(changes).await? || self.half_dropped(changes).await? {
            return Ok(false);
        }
        let now = self.hold.worker.fingerprint(&expected.names()).await.map_err(failed)?;
        if now == expected.before {
            if expected.unknown {
                return Err(stopped("it may have written rows".to_owned()));
            }
            return Ok(false);
        }
        let differences = expected.missing_in(self.folder.catalog());
        if !differences.is_empty() {
            return Err(stopped(format!(
                "the catalog is neither what it was before nor what it should be after it ({})",
                differences.join("; ")
            )));
        }
        let note =
            format!("`{}`, line {line}: the statement was done before the process was stopped.", job.file);
        self.tell(note);
        Ok(true)
    }

    /// Drops invalid indexes that an earlier try of a statement left behind. Whether there were any.
    async fn drop_broken(&mut self, changes: &[Change]) -> Result<bool, ServiceError> {
        let of_this = |index: &QualifiedName| {
            changes.iter().any(|change| match change {
                Change::CreateIndex { table, index: made, .. } => table.sibling(&made.name).may_mean(index),
                Change::Reindex { concurrently: true, .. }
                | Change::ReindexAll { concurrently: true, .. } => {
                    let name = index.name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
                    name.ends_with("_ccnew") || name.ends_with("_ccold")
                }
                _ => false,
            })
        };
        let builds = |change: &Change| {
            matches!(
                change,
                Change::CreateIndex { concurrently: true, .. }
                    | Change::Reindex { .. }
                    | Change::ReindexAll { .. }
            )
        };
        if !changes.iter().any(builds) {
            return Ok(false);
        }
        let broken = self.hold.worker.invalid_indexes().await.map_err(failed)?;
        let broken: Vec<QualifiedName> = broken.into_iter().filter(of_this).collect();
        if broken.is_empty() {
            return Ok(false);
        }
        // Dropping waits for old transactions too, which a limit would end half done.
        self.hold.worker.limits(Some(0), Some(0)).await.map_err(failed)?;
        for index in &broken {
            let dialect = self.engine.dialect();
            let quote = |name: &str| dbwright_sql::quote_identifier(dialect, name);
            let name = format!("{}.{}", quote(index.schema.as_str()), quote(index.name.as_str()));
            let sql = format!("drop index concurrently if exists {name}");
            self.hold.worker.execute(&sql).await.map_err(failed)?;
            self.tell(format!("The invalid index `{index}`, which an earlier try left behind, was dropped."));
        }
        Ok(true)
    }

    /// Whether an index that a statement drops is there and invalid: its dropping was stopped in the middle.
    async fn half_dropped(&mut self, changes: &[Change]) -> Result<bool, ServiceError> {
        let drops = |change: &Change| matches!(change, Change::DropIndex { concurrently: true, .. });
        if !changes.iter().any(drops) {
            return Ok(false);
        }
        let broken = self.hold.worker.invalid_indexes().await.map_err(failed)?;
        Ok(broken.iter().any(|broken| {
            changes
                .iter()
                .any(|change| matches!(change, Change::DropIndex { index, .. } if index.name == broken.name))
        }))
    }
}
