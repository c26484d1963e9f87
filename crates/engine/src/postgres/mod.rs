//! The wire side of postgres.

use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{DataQuestion, Fact, Facts};

use crate::session::{Limits, Progress, SessionError};

/// A session that cannot write.
pub struct ReadSession;

impl ReadSession {
    /// Opens a reading session.
    pub async fn open(_dsn: &crate::dsn::ServerDsn, _limits: &Limits) -> Result<Self, SessionError> {
        unimplemented!()
    }

    /// The server's engine and version.
    pub fn server(&self) -> (Engine, Version) {
        unimplemented!()
    }

    /// Reads the facts of the plan.
    pub async fn collect(&mut self, _plan: &[Fact], _progress: &dyn Progress) -> Result<Facts, SessionError> {
        unimplemented!()
    }

    /// Asks questions about rows.
    pub async fn ask(&mut self, _questions: &[DataQuestion], _facts: &mut Facts) -> Result<(), SessionError> {
        unimplemented!()
    }

    /// Ends the session.
    pub async fn close(self) {}
}
