//! Changes of the record alone: shown first, then written together while no runner is at work.

use dbwright_engine::apply::{ApplySession, host_name};
use dbwright_engine::guard::Waiting;
use dbwright_engine::write::Consent;
use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::migration::Migration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hold::failed;
use super::situation::Situation;
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// Changes that were shown, with the record that they were made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes, in the order in which they are written.
    pub list: Vec<RecordChange>,
    pub(super) table: String,
    pub(super) rows: Vec<Applied>,
}

/// A change of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordChange {
    /// The version.
    pub version: String,
    /// What is done and why, as a full sentence.
    pub says: String,
    /// The row as it will be; absent when it goes.
    #[serde(skip)]
    pub(super) row: Option<Applied>,
}

impl Changes {
    /// No changes yet of a situation's record.
    pub(super) fn of(situation: &Situation) -> Self {
        Changes { list: Vec::new(), table: situation.table.clone(), rows: situation.rows.clone() }
    }

    pub(super) fn write(&mut self, row: Applied, says: String) {
        self.list.push(RecordChange { version: row.version.clone(), says, row: Some(row) });
    }

    pub(super) fn forget(&mut self, version: &str, says: String) {
        self.list.push(RecordChange { version: version.to_owned(), says, row: None });
    }
}

/// The row of a migration that was not run here.
pub(super) fn row(migration: &Migration, kind: AppliedKind, world: &World<'_>) -> Applied {
    let statements = u32::try_from(migration.up.len()).unwrap_or(u32::MAX);
    Applied {
        version: migration.version.clone(),
        description: migration.description.clone(),
        file: migration.file.clone(),
        checksum: migration.checksum.clone(),
        content: migration.content.clone(),
        kind,
        state: AppliedState::Applied,
        statements_done: statements,
        statements,
        program: format!("dbwright {}", world.version),
        host: host_name(),
        process: std::process::id(),
        finished_at: Some(world.now),
        ..Applied::default()
    }
}

/// Writes changes in one transaction. Nothing is written when the record is not the one that the changes were made for, or
/// when a runner is at work.
pub async fn carry_out(changes: &Changes, consent: &Consent) -> Result<(), ServiceError> {
    if changes.list.is_empty() {
        return Ok(());
    }
    let mut session = ApplySession::open(consent).await?;
    let (table, there) = session.find_history(&changes.table).await.map_err(failed)?;
    let Some(_guard) = Waiting::new(consent, &changes.table).try_take().await? else {
        return Err(ServiceError::new(
            ErrorKind::Unsupported,
            "another dbwright is running migrations on this database",
        )
        .hint("wait until it has ended, and look at `dbwright migrate status` again"));
    };
    let account = session.account().to_owned();
    if !there {
        session.create_history(&table).await.map_err(failed)?;
    }
    session.begin().await.map_err(failed)?;
    if session.history(&table).await.map_err(failed)? != changes.rows {
        session.rollback().await.map_err(failed)?;
        return Err(ServiceError::new(ErrorKind::Unsupported, "the record has changed since it was read")
            .hint("run the command again and look at what it shows"));
    }
    for change in &changes.list {
        let written = match &change.row {
            Some(row) => {
                let mut row = row.clone();
                if row.applied_by.is_empty() {
                    row.applied_by.clone_from(&account);
                }
                session.record(&table, &row).await
            }
            None => session.forget(&table, &change.version).await,
        };
        if let Err(error) = written {
            session.rollback().await.map_err(failed)?;
            return Err(failed(error));
        }
    }
    session.commit().await.map_err(failed)?;
    session.close().await;
    Ok(())
}
