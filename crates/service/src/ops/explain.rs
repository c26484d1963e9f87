//! `explain`: everything dbwright knows about one rule.

use dbwright_model::engine::Engine;
use dbwright_model::remedy::Applicability;
use dbwright_rules::{Applies, Entry, OptionValue, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::no_such_rule;
use crate::error::{ErrorKind, ServiceError};

/// Which rule to explain.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
pub struct ExplainRequest {
    /// The rule's id, such as `schema/table-without-primary-key`
    pub rule: String,
}

/// The text of a rule with its record in front, as Markdown.
pub fn explain(request: &ExplainRequest) -> Result<String, ServiceError> {
    let entry = dbwright_rules::find(&request.rule)
        .ok_or_else(|| ServiceError::new(ErrorKind::Usage, no_such_rule(&request.rule)))?;
    Ok(text(entry))
}

/// The text of a rule, markers of its tests taken out.
pub fn text(entry: &Entry) -> String {
    let rule = entry.rule;
    let (title, body) = entry.text.split_once('\n').unwrap_or((entry.text, ""));
    let mut text =
        format!("{title}\n\n`{}` · {} · {} (weight {})", entry.id, rule.level, rule.dimension, rule.weight);
    text.push_str(match rule.remedy {
        Applicability::Manual => " · mended by hand",
        Applicability::Review => " · mended by statements to be reviewed",
        Applicability::Safe => " · mended by safe statements",
    });
    if rule.status == Status::Preview {
        text.push_str(" · preview");
    }
    text.push_str(&format!("\n\nThis rule fires when {}. {} {}\n", rule.when, rule.then, rule.instead));
    if let Some(words) = rule.in_prisma {
        text.push_str(&format!("\nIn a Prisma schema: {words}.\n"));
    }
    for engine in Engine::ALL {
        if let Applies::No(because) = rule.engines.of(engine) {
            text.push_str(&format!("\nNot for {engine}: {because}.\n"));
        }
    }
    if !rule.options.is_empty() {
        text.push_str("\n## Options\n");
        for option in rule.options {
            let default = match option.default {
                OptionValue::Number(number) => number.to_string(),
                OptionValue::Flag(flag) => flag.to_string(),
                OptionValue::Words(words) => format!("{words:?}"),
            };
            text.push_str(&format!("- `{}` (default {default}): {}\n", option.name, option.help));
        }
    }
    text.push_str(&without_test_fences(body));
    if !rule.source.is_empty() {
        text.push_str(&format!("\nSource: {}.\n", rule.source));
    }
    text
}

/// Fences of facts are for tests only.
fn without_test_fences(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut hidden = false;
    let mut after_fence = false;
    for line in body.split_inclusive('\n') {
        if line.starts_with("```facts") {
            hidden = true;
            after_fence = true;
            // What would announce an example stands for itself.
            text.truncate(text.trim_end().len());
            if text.ends_with(':') {
                text.pop();
                text.push('.');
            }
            text.push_str("\n\n");
        }
        let blank = after_fence && line.trim().is_empty();
        if !hidden && !blank {
            text.push_str(line);
            after_fence = false;
        }
        if hidden && line.trim_end() == "```" {
            hidden = false;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_sentence_announces_an_example_that_is_not_shown() {
        for entry in dbwright_rules::ALL {
            let text = super::text(entry);
            let lines: Vec<&str> = text.lines().collect();
            for three in lines.windows(3) {
                let announced =
                    three[0].ends_with(':') && three[1].is_empty() && !three[2].starts_with("```");
                assert!(!announced && *three != ["", "", ""], "{}: {three:?}", entry.id);
                assert!(
                    !three[0].is_empty() || !three[1].is_empty(),
                    "{}: two blank lines before {:?}",
                    entry.id,
                    three[2]
                );
            }
        }
    }
}
