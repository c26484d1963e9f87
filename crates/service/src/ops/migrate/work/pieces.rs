//! Statements that are written piece by piece, and changes of tables that the server is told how to carry out.

use dbwright_model::applied::Applied;
use dbwright_model::engine::Dialect;

use super::super::steps::Step;
use super::super::{backfill, online};
use super::{Job, Work, count};
use crate::error::ServiceError;

impl Work<'_> {
    /// Runs a marked `UPDATE` piece by piece. How far it is stands in a table of its own, so that going on with the file
    /// goes on with the pieces.
    pub(super) async fn pieces(
        &mut self,
        job: &Job<'_>,
        step: &Step,
        row: &mut Applied,
    ) -> Result<(), ServiceError> {
        self.record(row, &job.states[0]).await?;
        for position in &step.sends {
            let statement = &job.statements[*position];
            let Some(asked) = &statement.backfill else { continue };
            let name = format!("{} statement {}", row.version, position + 1);
            let goes_on = || false;
            let place = |error: ServiceError| ServiceError {
                message: format!("`{}`, line {}: {}", job.file, statement.line, error.message),
                ..error
            };
            let work =
                backfill::of_statement(&statement.sql, asked, name, &self.consent, self.world, &goes_on);
            for note in work.await.map_err(place)? {
                self.tell(note);
            }
        }
        row.statements_done = count(step.covers.end);
        row.statement_before = None;
        self.record(row, &job.states[0]).await
    }

    /// Finds out how the server would change a table of MySQL or MariaDB, so that the next statement tells it to do so and in
    /// no other way.
    pub(super) async fn tell_how(&mut self, job: &Job<'_>, position: usize) -> Result<(), ServiceError> {
        self.exactly = None;
        if self.engine.dialect() != Dialect::Mysql {
            return Ok(());
        }
        let statement = &job.statements[position];
        let catalog = Some(self.folder.catalog());
        let way =
            online::way(&self.consent, &statement.sql, self.engine, catalog, self.manner.allow_copy).await;
        match way {
            Ok(online::Way::AsWritten) => Ok(()),
            Ok(online::Way::Exactly(sql)) => {
                self.exactly = Some(sql);
                Ok(())
            }
            Err(error) => Err(ServiceError {
                message: format!("`{}`, line {}: {}", job.file, statement.line, error.message),
                ..error
            }),
        }
    }
}
