//! Throw-away servers for proofs and tests.
