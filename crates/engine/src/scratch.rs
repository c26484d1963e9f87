//! Throw-away servers for proofs and tests.
pub mod mariadb;
