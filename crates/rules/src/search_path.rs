//! What a routine's own `search_path` says.

use dbwright_model::catalog::Function;

/// The schemas on the path that a routine sets for itself, unquoted; `None` when it sets none. An empty list is a path
/// without schemas, on which only `pg_catalog` is found.
pub fn of(function: &Function) -> Option<Vec<String>> {
    let (_, value) = function.settings.iter().find(|(name, _)| *name == "search_path")?;
    if value == "DEFAULT" {
        return None;
    }
    Some(
        value
            .split(',')
            .map(|schema| schema.trim().trim_matches(['"', '\'']).to_owned())
            .filter(|schema| !schema.is_empty())
            .collect(),
    )
}

/// Whether a body's names were settled when it was made, as in `BEGIN ATOMIC`. The server keeps no text of such bodies.
pub fn is_bound_at_creation(body: &str) -> bool {
    let start: String = body.trim_start().chars().take(12).collect::<String>().to_ascii_lowercase();
    body.trim().is_empty() || start.starts_with("begin atomic") || start.starts_with("return ")
}
