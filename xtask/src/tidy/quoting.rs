//! Names in statements that rules show to be run by hand are quoted: they are copied and run.

use crate::tree::Tree;

/// What may stand around a name.
const QUOTING: &[&str] = &["quoted(", "quoted_name(", ".replace("];

/// Looks at every statement that a rule writes by itself.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with("crates/rules/src/")) {
        let text = file.text();
        for (at, marker) in text.match_indices("manual_sql(") {
            let arguments = arguments(&text[at + marker.len()..]);
            for bare in bare_names(arguments) {
                let line = text[..at].matches('\n').count() + 1;
                let path = &file.path;
                complaints.push(format!("{path}:{line}: `{bare}` stands in a statement without quotes"));
            }
        }
    }
    complaints
}

/// The text up to the bracket that closes what was open before it.
fn arguments(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The arguments of `format!` that are names and are not quoted.
fn bare_names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, marker) in text.match_indices("format!(") {
        let inside = arguments(&text[at + marker.len()..]);
        // The first argument is the statement; a quote in it is written as `\"`.
        let Some(statement) = inside.trim_start().strip_prefix('"') else { continue };
        let mut escaped = false;
        let end = statement.char_indices().find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let rest = end.map_or("", |(end, _)| &statement[end + 1..]);
        let names = rest.split(',').map(str::trim).filter(|argument| {
            let is_name = argument.ends_with(".name") || argument.contains(".name.");
            is_name && !QUOTING.iter().any(|quoting| argument.contains(quoting))
        });
        found.extend(names);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(bare_names(arguments(text)), expected, "{text}");
    }

    #[test]
    fn a_name_without_quotes_is_found() {
        check(
            r#"RULE.instead, [format!("ALTER TABLE {} SET LOGGED", table.name)]), table.name"#,
            &["table.name"],
        );
        check(r#"x, [format!("A {}", role.name.as_str())])"#, &["role.name.as_str()"]);
        check(r#"x, [format!("A \"{}\" {}", quoted(role.name.as_str()), session.id)])"#, &[]);
        check(r#"x, [format!("A {}", quoted_name(&table.name))])"#, &[]);
        check(r#"x, [format!("A '{}'", slot.name.as_str().replace('a', "b"))])"#, &[]);
    }
}
