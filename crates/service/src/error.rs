//! What an operation could not do, in words for its user.

use dbwright_engine::session::{SessionError, SessionErrorKind};

/// A failed operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// What failed, on what, and why; no secrets.
    pub message: String,
    /// What to do next, in the imperative.
    pub hints: Vec<String>,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is written wrongly.
    Usage,
    /// The configuration is written wrongly.
    Config,
    /// A server or file cannot be reached.
    Connection,
    /// A server or file refuses.
    Permission,
    /// Something is missing that the operation needs.
    Unsupported,
    /// The user or a limit stopped it.
    Cancelled,
    /// A bug.
    Internal,
}

impl ErrorKind {
    /// Its word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::Config => "config",
            ErrorKind::Connection => "connection",
            ErrorKind::Permission => "permission",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Internal => "internal",
        }
    }
}

impl ServiceError {
    /// An error without hints.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        ServiceError { kind, message: message.into(), hints: Vec::new() }
    }

    /// The same error with one more thing to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Why a file cannot be used, without the numbers of the system.
pub fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it is not permitted".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

impl From<SessionError> for ServiceError {
    fn from(error: SessionError) -> Self {
        let kind = match error.kind {
            SessionErrorKind::Usage => ErrorKind::Usage,
            SessionErrorKind::Connection => ErrorKind::Connection,
            SessionErrorKind::Authentication => ErrorKind::Permission,
            SessionErrorKind::Unsupported => ErrorKind::Unsupported,
            SessionErrorKind::Cancelled => ErrorKind::Cancelled,
            SessionErrorKind::Internal => ErrorKind::Internal,
        };
        ServiceError { kind, message: error.message, hints: error.hint.into_iter().collect() }
    }
}
