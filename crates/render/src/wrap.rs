//! Markdown laid out anew for the width of a terminal.

use textwrap::{WordSeparator, WordSplitter, WrapAlgorithm};

/// Fills paragraphs and entries of lists to a width; headings, tables and code stay as they are.
pub fn markdown(text: &str, width: usize) -> String {
    let mut page =
        Page { out: String::with_capacity(text.len()), paragraph: String::new(), hanging: 0, width };
    let mut fenced = false;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        if fence || fenced || line.trim().is_empty() || line.starts_with(['#', '|', '<', '>']) {
            page.end_paragraph();
            page.out.push_str(line.trim_end());
            page.out.push('\n');
            fenced ^= fence;
            continue;
        }
        if let Some(hanging) = entry(line) {
            page.end_paragraph();
            page.hanging = hanging;
        } else if !page.paragraph.is_empty() {
            page.paragraph.push(' ');
        }
        page.paragraph.push_str(if page.paragraph.is_empty() { line.trim_end() } else { line.trim() });
    }
    page.end_paragraph();
    page.out
}

struct Page {
    out: String,
    /// The lines of the paragraph so far, joined.
    paragraph: String,
    /// Columns by which its later lines stand further in.
    hanging: usize,
    width: usize,
}

impl Page {
    fn end_paragraph(&mut self) {
        if self.paragraph.is_empty() {
            return;
        }
        let indent = " ".repeat(self.hanging);
        let options = textwrap::Options::new(self.width)
            .subsequent_indent(&indent)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit)
            .break_words(false);
        for line in textwrap::wrap(&self.paragraph, options) {
            self.out.push_str(&line);
            self.out.push('\n');
        }
        self.paragraph.clear();
        self.hanging = 0;
    }
}

/// Columns before the text of a list's entry, when a line begins one.
fn entry(line: &str) -> Option<usize> {
    let inner = line.trim_start();
    let before = line.len() - inner.len();
    let number = inner.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match number {
        0 if inner.starts_with("- ") || inner.starts_with("* ") => 2,
        1..=3 if inner[number..].starts_with(". ") => number + 2,
        _ => return None,
    };
    Some(before + mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_filled_and_the_rest_stays() {
        let check = |text: &str, expected: &str| assert_eq!(markdown(text, 20), expected, "{text}");
        check("# A heading that is longer than that\n", "# A heading that is longer than that\n");
        check(
            "one two three four five\nsix seven\n\neight\n",
            "one two three four\nfive six seven\n\neight\n",
        );
        check("- one two three four five\n  six\n- seven\n", "- one two three four\n  five six\n- seven\n");
        check("10. one two three four\n", "10. one two three\n    four\n");
        check(
            "a\n```sql\nselect a, b, c from t where d\n```\nb\n",
            "a\n```sql\nselect a, b, c from t where d\n```\nb\n",
        );
        check("| a | b | c | d | e | f |\n", "| a | b | c | d | e | f |\n");
    }
}
