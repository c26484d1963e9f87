//! A chain of changes folded into the catalog that a server would hold after them.
