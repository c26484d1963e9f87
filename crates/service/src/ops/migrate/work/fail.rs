//! What is said and written down when a statement was not done.

use dbwright_engine::apply::ApplyError;
use dbwright_model::applied::{Applied, AppliedState, Blocker};

use super::{Job, Work};
use crate::error::{ErrorKind, ServiceError};

impl Work<'_> {
    /// Writes down that a file came only so far, and says why.
    pub(super) async fn give_up(
        &mut self,
        job: &Job<'_>,
        position: usize,
        error: &ApplyError,
        row: &Applied,
    ) -> ServiceError {
        let refusal = self.refusal(job, position, error);
        if matches!(error, ApplyError::ConnectionLost(_)) {
            return refusal;
        }
        // The way back keeps its own word, so that nobody takes a half undone migration for a half done one.
        let state = match &job.states[0] {
            AppliedState::Undoing => AppliedState::Undoing,
            _ => AppliedState::Failed,
        };
        let row =
            Applied { error: Some(refusal.message.clone()), finished_at: Some(self.now()), ..row.clone() };
        let began = row.statements_done > 0 || state == AppliedState::Failed;
        if began && let Err(error) = self.record(&row, &state).await {
            return refusal.hint(format!("this could not be written into the history: {}", error.message));
        }
        let _ = self.hold.worker.reset().await;
        refusal
    }

    /// Where and why a statement was not done.
    pub(super) fn refusal(&self, job: &Job<'_>, position: usize, error: &ApplyError) -> ServiceError {
        let statement = job.statements.get(position);
        let mut line = statement.map_or(1, |statement| statement.line);
        if let (ApplyError::Refused(refusal), Some(statement)) = (error, statement)
            && let Some(at) = refusal.position
        {
            let before = statement.sql.chars().take(at.saturating_sub(1) as usize);
            line += u32::try_from(before.filter(|c| *c == '\n').count()).unwrap_or(0);
        }
        let place = format!("`{}`, line {line}", job.file);
        let again = "run the same command again: it goes on where it stopped";
        let (kind, made) = match error {
            ApplyError::LockNotAvailable(message) => {
                let tries = job.retries.attempts + 1;
                let waits: Vec<String> = self.blockers.iter().map(describe).collect();
                let waited = if waits.is_empty() {
                    String::new()
                } else {
                    format!("; it waited for {}", waits.join(", "))
                };
                (
                    ErrorKind::Connection,
                    format!("{place}: a lock was not had in {tries} tries: {message}{waited}"),
                )
            }
            ApplyError::Cancelled(message) => (ErrorKind::Cancelled, format!("{place}: {message}")),
            ApplyError::ConnectionLost(message) => (ErrorKind::Connection, format!("{place}: {message}")),
            other => (ErrorKind::Unsupported, format!("{place}: {other}")),
        };
        let made = ServiceError::new(kind, made);
        match error {
            ApplyError::Refused(refusal) => match &refusal.hint {
                Some(hint) => made.hint(hint.clone()),
                None => made,
            },
            ApplyError::TimedOut(_) => made.hint("raise `statement_timeout` in its `-- dbwright:` line"),
            _ => made.hint(again),
        }
    }
}

/// A session that others wait for, in a fragment.
pub(super) fn describe(blocker: &Blocker) -> String {
    let age = match blocker.transaction_seconds {
        Some(seconds) => format!(", its transaction {seconds} s old"),
        None => String::new(),
    };
    let application = match blocker.application.as_str() {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    let query = match blocker.query.split_whitespace().collect::<Vec<_>>().join(" ") {
        query if query.is_empty() => query,
        query => format!(": {}", dbwright_sql::names::clip(&query, 80)),
    };
    format!("session {} of `{}`{application}, {}{age}{query}", blocker.process, blocker.user, blocker.state)
}
