//! The trial of a plan on a scratch file of SQLite.
