//! The parser's complaints in words: it speaks of tokens, its users of what they wrote.

/// What is wrong and where, as a lower-case fragment.
pub(super) fn complaint(text: &str, at: usize, message: &str) -> String {
    let near = near(text, at);
    if message.starts_with("expected command") {
        return match text.get(..at).is_none_or(|before| before.trim().is_empty()) {
            true => format!("no statement begins with `{near}`"),
            false => format!("`{near}` is not understood"),
        };
    }
    let words: Vec<String> = message.split(' ').map(word).collect();
    let (line, column) = place(text, at);
    let place = if text.trim_end().contains('\n') {
        format!("in its line {line}, column {column}")
    } else {
        format!("in column {column}")
    };
    match near.is_empty() {
        true => format!("{} at its end", words.join(" ")),
        false => format!("{} {place}, before `{near}`", words.join(" ")),
    }
}

/// `R_PAREN` becomes `)` and `CREATE_KW` becomes `CREATE`, between backticks.
fn word(token: &str) -> String {
    let (token, comma) = match token.strip_suffix(',') {
        Some(token) => (token, ","),
        None => (token, ""),
    };
    let is_token = token.len() > 1 && token.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if !is_token {
        return format!("{token}{comma}");
    }
    let plain = match token {
        "L_PAREN" => "`(`",
        "R_PAREN" => "`)`",
        "L_BRACK" => "`[`",
        "R_BRACK" => "`]`",
        "COMMA" => "`,`",
        "DOT" => "`.`",
        "SEMICOLON" => "`;`",
        "COLON" => "`:`",
        "EQ" => "`=`",
        "STAR" => "`*`",
        "IDENT" => "a name",
        "STRING" => "a text",
        "INT_NUMBER" | "FLOAT_NUMBER" => "a number",
        "EOF" => "the end",
        other => return format!("`{}`{comma}", other.trim_end_matches("_KW").replace('_', " ")),
    };
    format!("{plain}{comma}")
}

/// Line and column, from 1, in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The first words at a place.
fn near(text: &str, at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let words: Vec<&str> = rest.split_whitespace().take(3).collect();
    words.join(" ").trim_end_matches(';').chars().filter(|c| *c != '`').take(40).collect()
}

#[cfg(test)]
mod tests {
    fn check(text: &str, expected: &str) {
        let changes = crate::parse_statement(dbwright_model::engine::Dialect::Postgres, text);
        let because = changes.iter().find_map(|change| match change {
            dbwright_model::change::Change::Opaque { because, .. } => Some(because.as_str()),
            _ => None,
        });
        assert_eq!(because, Some(expected), "{text}");
    }

    #[test]
    fn complaints_speak_of_what_was_written() {
        check("CREATE TABEL t (id int)", "no statement begins with `CREATE TABEL t`");
        check("create table t (id int primary key", "expected `)` at its end");
        check(
            "create table t (\n  id int primary key,,\n  a int\n)",
            "unexpected comma in its line 2, column 22, before `, a int`",
        );
        check("alter table t blah", "`blah` is not understood");
    }
}
