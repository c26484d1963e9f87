//! `rules`: what can be checked.

use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Applicability;
use dbwright_model::score::Dimension;
use dbwright_rules::{Applies, Status};
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
        })
        .collect()
}
