//! The wire side of MySQL and MariaDB: a session that the server itself keeps from writing, and the facts it reads.

mod wire;
pub(crate) mod connect;
mod catalog;
mod statistics;
mod activity;
mod questions;
mod sight;
mod history;
mod collect;
pub(crate) mod pressure;
pub mod probe;
pub mod observe;
pub(crate) mod apply;

use std::time::Instant;

use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{DataAnswer, DataQuestion, Fact, FactSource, Facts, Origin};
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;

use crate::session::{Limits, Progress, SessionError};
use wire::Asker;

/// A session that cannot write.
pub struct ReadSession {
    asker: Box<Asker>,
    engine: Engine,
    version: Version,
    version_text: String,
    account: String,
    target: String,
    limits: Limits,
    sight: Option<sight::Sight>,
}

impl ReadSession {
    /// Opens a reading session.
    pub async fn open(dsn: &crate::dsn::ServerDsn, limits: &Limits) -> Result<Self, SessionError> {
        connect::open(dsn, limits).await
    }

    /// The server's engine and version.
    pub fn server(&self) -> (Engine, Version) {
        (self.engine, self.version)
    }

    /// Reads the facts of the plan.
    pub async fn collect(&mut self, plan: &[Fact], progress: &dyn Progress) -> Result<Facts, SessionError> {
        self.asker.deadline = Instant::now() + self.limits.total;
        let mut facts = Facts::none(self.source().await);
        let sections = plan.iter().any(|fact| collect::is_section(*fact));
        let wanted: Vec<Fact> = Fact::ALL
            .into_iter()
            .filter(|fact| plan.contains(fact) || (*fact == Fact::Catalog && sections))
            .collect();
        for (index, fact) in wanted.iter().enumerate() {
            progress.fact(*fact, index, wanted.len());
            collect::fact(self, *fact, &mut facts).await;
        }
        Ok(facts)
    }

    /// Asks questions about rows.
    pub async fn ask(&mut self, questions: &[DataQuestion], facts: &mut Facts) -> Result<(), SessionError> {
        let mut answers = match std::mem::take(&mut facts.data) {
            Observed::Known(answers) => answers,
            _ => Vec::new(),
        };
        for question in questions {
            let answer = questions::answer(&mut self.asker, question).await;
            answers.retain(|known| known.question != *question);
            answers.push(DataAnswer { question: question.clone(), answer });
        }
        answers.sort_by(|a, b| a.question.cmp(&b.question));
        facts.data = Observed::Known(answers);
        Ok(())
    }

    /// Ends the session.
    pub async fn close(self) {
        // A server that does not take the farewell loses the connection all the same.
        let _ = self.asker.conn.disconnect().await;
    }

    async fn source(&mut self) -> FactSource {
        FactSource {
            origin: Origin::Live,
            engine: self.engine,
            version: Some(self.version),
            version_text: self.version_text.clone(),
            target: self.target.clone(),
            database: Name::new(&self.asker.database),
            role: Some(Name::new(&self.account)),
            superuser: collect::is_superuser(&mut self.asker, &self.account).await,
            collected_at: collect::now(&mut self.asker).await,
            skipped: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
