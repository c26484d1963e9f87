//! Suppressions written in comments: `dbwright:ignore RULE[, RULE] [until=YYYY-MM-DD] reason`.

use dbwright_model::catalog::Catalog;
use dbwright_model::finding::Location;
use jiff::civil::Date;

/// A suppression that stands in a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentSuppression {
    /// Rule ids, or `*` for all.
    pub rules: Vec<String>,
    /// The object it stands before or on; `None` when it stands before nothing.
    pub object: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day it holds.
    pub until: Option<Date>,
    /// Why it does not hold at all: how it is written wrongly, as a lower-case fragment.
    pub fault: Option<String>,
    /// Where it stands, for comments of files.
    pub location: Option<Location>,
}

const MARKER: &str = "dbwright:ignore";
/// What the reason begins with where a plan accepts what its own step does. It is written before anybody knows how the file
/// is looked at, so that it may find nothing to accept.
pub const PLANNED: &str = "planned:";

/// The comment by which a plan accepts what rules find in a statement of its own.
pub fn planned(rules: &[&str], because: &str) -> String {
    format!("{MARKER} {} {PLANNED} {because}", rules.join(", "))
}

/// The suppressions in a comment's text.
pub fn read(comment: &str) -> Vec<CommentSuppression> {
    comment.lines().filter_map(read_line).collect()
}

fn read_line(line: &str) -> Option<CommentSuppression> {
    let at = line.find(MARKER)?;
    let rest = line[at + MARKER.len()..].trim_end_matches("*/").trim();
    let mut rules = Vec::new();
    let mut until = None;
    let mut fault = None;
    let mut reason = Vec::new();
    for word in rest.split_whitespace() {
        if let Some(date) = word.strip_prefix("until=") {
            match date.parse() {
                Ok(date) => until = Some(date),
                Err(_) => fault = Some(format!("`until={date}` is not a date like 2030-01-31")),
            }
        } else if reason.is_empty() && is_rule(word.trim_end_matches([',', ':'])) {
            rules.extend(
                word.split(',')
                    .map(|rule| rule.trim_end_matches(':'))
                    .filter(|rule| !rule.is_empty())
                    .map(str::to_owned),
            );
        } else {
            reason.push(word);
        }
    }
    if rules.is_empty() {
        return None;
    }
    if reason.is_empty() {
        fault.get_or_insert_with(|| "it has no reason".to_owned());
    }
    Some(CommentSuppression { rules, object: None, reason: reason.join(" "), until, fault, location: None })
}

fn is_rule(word: &str) -> bool {
    word == "*" || word.split(',').all(|part| part.contains('/') && !part.starts_with('/'))
}

/// Suppressions written in comments that the database itself keeps on its objects.
pub fn in_catalog(catalog: &Catalog) -> Vec<CommentSuppression> {
    let mut found = Vec::new();
    let mut add = |object: String, comment: Option<&String>| {
        for suppression in comment.map(|comment| read(comment)).unwrap_or_default() {
            found.push(CommentSuppression { object: Some(object.clone()), ..suppression });
        }
    };
    for table in &catalog.tables {
        add(table.name.to_string(), table.comment.as_ref());
        for column in &table.columns {
            add(format!("{}.{}", table.name, column.name), column.comment.as_ref());
        }
        for index in &table.indexes {
            add(format!("{} index {}", table.name, index.name), index.comment.as_ref());
        }
    }
    for view in &catalog.views {
        add(view.name.to_string(), view.comment.as_ref());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(comment: &str, rules: &[&str], until: Option<&str>, reason: &str) {
        let found = read(comment);
        assert_eq!(found.len(), 1, "{comment}");
        assert_eq!(found[0].rules, rules);
        assert_eq!(found[0].until.map(|date| date.to_string()).as_deref(), until);
        assert_eq!(found[0].fault, None, "{comment}");
        assert_eq!(found[0].reason, reason);
    }

    #[test]
    fn rules_date_and_reason_are_read() {
        check("-- dbwright:ignore schema/a because of b", &["schema/a"], None, "because of b");
        check(
            "/* dbwright:ignore schema/a,index/b until=2030-01-31 legacy */",
            &["schema/a", "index/b"],
            Some("2030-01-31"),
            "legacy",
        );
        check(
            "-- dbwright:ignore schema/a, index/b until=2030-01-31 old",
            &["schema/a", "index/b"],
            Some("2030-01-31"),
            "old",
        );
        check("-- dbwright:ignore * generated", &["*"], None, "generated");
        assert!(read("-- nothing to see").is_empty());
        assert!(read("-- dbwright:ignore without a rule").is_empty());
    }

    #[test]
    fn what_has_no_reason_or_no_real_date_does_not_hold() {
        let fault = |comment: &str| read(comment)[0].fault.clone().unwrap_or_default();
        assert_eq!(fault("-- dbwright:ignore schema/a"), "it has no reason");
        assert_eq!(fault("/* dbwright:ignore schema/a until=2030-01-31 */"), "it has no reason");
        for date in ["31.12.2025", "2025-02-31", "", "tomorrow"] {
            let fault = fault(&format!("-- dbwright:ignore schema/a until={date} legacy"));
            assert_eq!(fault, format!("`until={date}` is not a date like 2030-01-31"));
        }
    }
}
