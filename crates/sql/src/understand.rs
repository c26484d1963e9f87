//! Reads the texts that a live catalog carries: types, expressions, view definitions, and what only SQLite's own
//! statements tell.
