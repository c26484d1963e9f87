//! What `dbwright_sql::effects` foretells of each case of MariaDB is what was observed.
//!
//! Only the tables of `base.sql` are compared, and an algorithm only where the server was asked for one. A refusal that
//! depends on the rows is foretold as a demand. What differs stands with its reason in
//! `fixtures/truth/mariadb/differences.tsv`.

use dbwright_model::effect::RelationEffect;
use dbwright_model::engine::{Engine, Version};
use dbwright_sql::effects::Circumstances;
use proof_truth::foretell::{self, Foretold};
use proof_truth::{Case, Cell, mariadb};

/// Errors that the rows are to blame for.
const OF_ROWS: &[&str] = &["1062", "1265", "1292", "1452", "4025"];

#[test]
fn effects_are_what_was_observed() {
    let version = mariadb::VERSIONS[0];
    let circumstances = Circumstances {
        version: Some(Version::new(version / 100, version % 100, 0)),
        utc: Some(true),
        ..Circumstances::default()
    };
    let tally =
        foretell::compare(Engine::Mariadb, &mariadb::ENGINE, &circumstances, &|case, cell, foretold, _| {
            disagreement(case, cell, foretold)
        });
    tally.check("mariadb");
}

fn disagreement(case: &Case, cell: &Cell, foretold: &Foretold) -> Option<String> {
    let effects = &foretold.effects;
    let told = foretell::as_cell(effects);
    let complaint = || Some(format!("{}\n    observed {cell}\n    foretold {told}", case.statement));
    let (transaction, relations, losses) = match cell {
        Cell::Refused { code } => {
            let understood = match OF_ROWS.contains(&code.as_str()) {
                true => !effects.demands.is_empty() || effects.refused.is_some(),
                false => effects.refused.is_some() || (code == "1064" && foretold.opaque),
            };
            return if understood { None } else { complaint() };
        }
        Cell::Done { transaction, relations, losses } => (transaction, relations, losses),
    };
    let compared = |relations: &[RelationEffect]| {
        foretell::by_name(relations, &|effect| {
            let table = effect.relation.name.as_str();
            let observed = relations_of(cell).iter().find(|one| one.relation.name == effect.relation.name);
            let algorithm = observed.and_then(|one| one.algorithm).and(effect.algorithm);
            matches!(table, "t" | "parent" | "child")
                .then(|| format!("{:?} {:?} {algorithm:?}", effect.lock, effect.cost))
        })
    };
    let same = effects.refused.is_none()
        && compared(relations) == compared(&effects.relations)
        && *losses == effects.losses
        && foretell::same_transaction(*transaction, effects);
    if same { None } else { complaint() }
}

fn relations_of(cell: &Cell) -> &[RelationEffect] {
    match cell {
        Cell::Done { relations, .. } => relations,
        Cell::Refused { .. } => &[],
    }
}
