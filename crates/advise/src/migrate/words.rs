//! Words in texts of SQL that nobody parsed.

/// Whether a word stands in a text by itself.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_part)
            && !text[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_word_stands_by_itself() {
        assert!(has_word("a > 0", "a"));
        assert!(has_word("lower(t.name)", "name"));
        assert!(!has_word("amount > 0", "a"));
        assert!(!has_word("old_name = 1", "name"));
    }
}
