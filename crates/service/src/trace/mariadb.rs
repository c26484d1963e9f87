//! Tracing on MariaDB.
//!
//! A statement that takes `ALGORITHM` and `LOCK` is asked for the strictest that the server accepts, which carries it out.
//! Of any other the lock on the first table that it is foretold to lock is observed, and which tables were built anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dbwright_engine::dsn::Dsn;
use dbwright_engine::mysql::observe::{Observer, Refusal};
use dbwright_engine::mysql::probe::{Clause, ProbeError, ProbeResult};
use dbwright_engine::scratch::mariadb::MariadbServer;
use dbwright_engine::write::Consent;
use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, Effects, Lock, TransactionUse};
use dbwright_model::name::QualifiedName;
use dbwright_sql::mysql::online::OnlineStatement;

use super::{Failure, Outcome, Shape, Step, Traced};
use crate::error::{ErrorKind, ServiceError};

/// A session on one database.
pub(super) struct Session<'a> {
    server: &'a MariadbServer,
    database: String,
    temporary: PathBuf,
    observer: Observer,
    /// Whether the server tells about locks.
    tells: bool,
    /// Tables that were there at the mark; `None` before the first.
    marked: Option<BTreeSet<String>>,
}

async fn observer(
    server: &MariadbServer,
    database: &str,
    temporary: &Path,
) -> Result<Observer, ServiceError> {
    let dsn = server.server_dsn(database);
    let consent = Consent::for_scratch(&Dsn::Mysql(dsn.clone()), temporary)?;
    Ok(Observer::open(&dsn, &consent).await?)
}

impl<'a> Session<'a> {
    pub(super) async fn open(
        server: &'a MariadbServer,
        database: &str,
        temporary: &Path,
    ) -> Result<Self, ServiceError> {
        let mut lobby = observer(server, "", temporary).await?;
        let tells = lobby.install().await.is_ok() || lobby.tells_locks().await;
        let create = format!("CREATE DATABASE `{}` CHARACTER SET utf8mb4", database.replace('`', "``"));
        lobby
            .run(&create)
            .await
            .map_err(|refusal| ServiceError::new(ErrorKind::Internal, refusal.to_string()))?;
        Ok(Session {
            server,
            database: database.to_owned(),
            temporary: temporary.to_owned(),
            observer: observer(server, database, temporary).await?,
            tells,
            marked: None,
        })
    }

    pub(super) fn dsn(&self) -> Dsn {
        self.server.dsn(&self.database)
    }

    pub(super) async fn reopen(&mut self) -> Result<(), Failure> {
        let opened = observer(self.server, &self.database, &self.temporary).await;
        self.observer = opened.map_err(|error| Failure::of_scratch(error.message))?;
        Ok(())
    }

    pub(super) async fn mark(&mut self) -> Result<(), String> {
        self.marked = Some(self.tables().await.map_err(|refusal| refusal.message)?);
        Ok(())
    }

    async fn tables(&mut self) -> Result<BTreeSet<String>, Refusal> {
        Ok(self.observer.rows().await?.into_keys().collect())
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        Ok(self.observer.run(sql).await?)
    }

    pub(super) async fn watch(&mut self, step: &Step<'_>, shape: Shape, traced: &mut Traced) -> Outcome {
        let outcome = match shape {
            Shape::Control | Shape::Setting => self.run(step.sql).await.map(|()| step.foretold.clone()),
            _ => match OnlineStatement::read(step.sql).filter(|online| !online.has_clause()) {
                Some(online) => self.ask(step, &online).await,
                None => self.plain(step, shape).await,
            },
        };
        match outcome {
            Err(failure) => Outcome::Failed(failure),
            Ok(effects) => {
                let new = |name: &QualifiedName| {
                    self.marked.as_ref().is_some_and(|marked| !marked.contains(name.name.as_str()))
                };
                let relations = effects.relations.iter().map(|effect| effect.relation.clone());
                traced.made = relations.filter(new).collect();
                traced.effects = effects;
                Outcome::Seen
            }
        }
    }

    /// Carries out a statement with the strictest clause that the server accepts.
    async fn ask(&mut self, step: &Step<'_>, online: &OnlineStatement) -> Result<Effects, Failure> {
        let write =
            |clause: Option<Clause>| online.write(None, clause.map(|clause| (clause.algorithm, clause.lock)));
        let result = match self.observer.ask(&write).await {
            Ok(result) => result,
            Err(ProbeError::Statement { code, message }) => return Err(Refusal { code, message }.into()),
            Err(error) => return Err(Refusal { code: 0, message: error.to_string() }.into()),
        };
        let mut effects = Effects { refused: None, assumed: Vec::new(), ..step.foretold.clone() };
        let ProbeResult { algorithm, lock, cost, .. } = result;
        let name = &online.table.name;
        let position = effects.relations.iter().position(|effect| effect.relation.name == *name);
        let before = position.map(|position| effects.relations.remove(position));
        let relation = before.as_ref().map_or(&online.table, |effect| &effect.relation);
        let cost = cost.or(before.as_ref().map(|effect| effect.cost)).unwrap_or_default();
        effects.add_by(relation, lock, cost, algorithm);
        Ok(effects)
    }

    /// Carries out a statement as it is.
    async fn plain(&mut self, step: &Step<'_>, shape: Shape) -> Result<Effects, Failure> {
        let mut effects = Effects { refused: None, assumed: Vec::new(), ..step.foretold.clone() };
        let there = self.tables().await?;
        let storage = self.observer.storage().await;
        let is_locked = |effect: &&dbwright_model::effect::RelationEffect| {
            effect.lock >= Lock::MysqlShared && there.contains(effect.relation.name.as_str())
        };
        let watched = step.foretold.relations.iter().find(is_locked).map(|effect| effect.relation.clone());
        // A transaction of our own holds the table for others already, and then nothing waits.
        // What says itself how it is carried out waits for others at its end, whatever it lets them do before.
        let online = OnlineStatement::read(step.sql);
        let alone = step.transaction.is_none() && online.is_none();
        let watched = watched.filter(|_| self.tells && alone && shape != Shape::Rows);
        match watched {
            Some(table) => {
                let lock = self.observer.locks(table.name.as_str(), step.sql).await?;
                if let Some(effect) = effects.relations.iter_mut().find(|effect| effect.relation == table) {
                    effect.lock = lock.unwrap_or(Lock::MysqlNone);
                }
            }
            None => self.observer.run(step.sql).await?,
        }
        let (Some(before), Some(after)) = (storage, self.observer.storage().await) else {
            return Ok(effects);
        };
        let work = before.work_by_table(&after);
        if let Some(online) = &online {
            let name = &online.table.name;
            let own = effects.relations.iter_mut().find(|effect| effect.relation.name == *name);
            if let Some(effect) = own {
                effect.cost = work.get(name.as_str()).copied().unwrap_or_default();
            }
        }
        let unread = |change: &Change| matches!(change, Change::Procedural { .. } | Change::Opaque { .. });
        if step.changes.is_empty() || step.changes.iter().any(unread) {
            for (table, cost) in work {
                effects.add(&QualifiedName::bare(&table), Lock::MysqlShared, cost);
                if cost > Cost::Brief {
                    let seen = format!("only that `{table}` was worked on was seen, not with which lock");
                    effects.assumed.push(seen);
                }
            }
            effects.transaction = TransactionUse::Commits;
        }
        Ok(effects)
    }
}
