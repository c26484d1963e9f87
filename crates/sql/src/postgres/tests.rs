//! Tests of the PostgreSQL text side.
