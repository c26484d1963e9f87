//! The wire side of the engines: connecting, collecting facts, scratch servers.
//!
//! Everything that talks to a server is here, and nothing here judges. Each engine has one folder with the same file
//! names. A fact is one `.sql` file under `sql/<engine>/` and a decoder of the same stem.

pub mod dsn;
pub mod redact;
pub mod row;
pub mod session;
pub mod pressure;
pub mod write;
pub mod apply;
mod lock;
pub mod bound;
pub mod guard;
pub mod cassette;
pub mod scratch;
mod dates;
mod questions;
pub mod postgres;
pub mod mysql;
pub mod sqlite;
