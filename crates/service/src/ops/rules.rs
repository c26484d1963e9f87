//! `rules`: what can be checked.

use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Applicability;
use dbwright_model::score::Dimension;
use dbwright_rules::{Applies, OptionSpec, OptionValue, Status};
use schemars::JsonSchema;
use serde::Serialize;

/// One rule in a listing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleSummary {
    /// Its id.
    pub id: &'static str,
    /// The level of its findings.
    pub level: Level,
    /// The dimension it counts in.
    pub dimension: Dimension,
    /// Its weight in the dimension.
    pub weight: u32,
    /// Whether it runs only when asked for.
    pub preview: bool,
    /// When it finds something.
    pub when: &'static str,
    /// Engines it applies to.
    pub engines: Vec<Engine>,
    /// How far the most automatic remedy of its findings may be applied.
    pub remedy: Applicability,
    /// Facts it needs.
    pub needs: Vec<String>,
    /// Its options, as they can be set in `dbwright.toml`.
    pub options: Vec<OptionSummary>,
}

/// One option of a rule in a listing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OptionSummary {
    /// Its name.
    pub name: &'static str,
    /// Its value when nobody says otherwise: a number, a switch, or a list of words.
    pub default: serde_json::Value,
    /// What it means, with its unit.
    pub help: &'static str,
}

/// Lists every rule.
pub fn rules() -> Vec<RuleSummary> {
    dbwright_rules::ALL
        .iter()
        .map(|entry| RuleSummary {
            id: entry.id,
            level: entry.rule.level,
            dimension: entry.rule.dimension,
            weight: entry.rule.weight,
            preview: entry.rule.status == Status::Preview,
            when: entry.rule.when,
            engines: Engine::ALL
                .into_iter()
                .filter(|engine| entry.rule.engines.of(*engine) == Applies::Yes)
                .collect(),
            remedy: entry.rule.remedy,
            needs: entry.rule.needs.iter().copied().map(Fact::describe).map(str::to_owned).collect(),
            options: entry.rule.options.iter().map(summary).collect(),
        })
        .collect()
}

fn summary(option: &OptionSpec) -> OptionSummary {
    let default = match option.default {
        // Whole numbers without a point, as people write them.
        OptionValue::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => (number as i64).into(),
        OptionValue::Number(number) => number.into(),
        OptionValue::Flag(flag) => flag.into(),
        OptionValue::Words(words) => words.into(),
    };
    OptionSummary { name: option.name, default, help: option.help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_listed_with_its_default() {
        let listed = rules();
        let of = |id: &str| {
            let rule = listed.iter().find(|rule| rule.id == id).expect("there is such a rule");
            serde_json::to_value(&rule.options).expect("options are data")
        };
        assert_eq!(
            of("health/deadlocks"),
            serde_json::json!([{ "name": "per_day", "default": 10, "help": "deadlocks per day on average" }])
        );
        assert_eq!(of("settings/pending-restart"), serde_json::json!([]));
        let options: usize = listed.iter().map(|rule| rule.options.len()).sum();
        assert_eq!(options, dbwright_rules::ALL.iter().map(|entry| entry.rule.options.len()).sum::<usize>());
    }
}
