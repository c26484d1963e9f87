//! What `dbwright_sql::effects` foretells of each case of SQLite is what was observed.
//!
//! Work and lost rows are not compared for tables without rows, nor the work of statements about some rows. A refusal
//! that depends on the rows is foretold as a demand, a syntax error as a statement that is not understood. What differs
//! stands with its reason in `fixtures/truth/sqlite/differences.tsv`.

use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, Loss, LossKind, RelationEffect};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::QualifiedName;
use dbwright_sql::effects::Circumstances;
use dbwright_sql::fold::Folder;
use proof_truth::foretell::{self, Foretold};
use proof_truth::{Case, Cell, sqlite};

#[test]
fn effects_are_what_was_observed() {
    let version = sqlite::VERSIONS[0];
    let circumstances = Circumstances {
        version: Some(Version::new(version / 100, version % 100, 0)),
        utc: Some(true),
        ..Circumstances::default()
    };
    foretell::compare(Engine::Sqlite, &sqlite::ENGINE, &circumstances, &disagreement).check("sqlite");
}

fn disagreement(case: &Case, cell: &Cell, foretold: &Foretold, before: &Folder) -> Option<String> {
    let effects = &foretold.effects;
    let told = foretell::as_cell(effects);
    let complaint = || Some(format!("{}\n    observed {cell}\n    foretold {told}", case.statement));
    let (transaction, relations, losses) = match cell {
        Cell::Refused { code } => {
            let syntax = code.contains("syntax error") && foretold.opaque;
            let understood = effects.refused.is_some() || !effects.demands.is_empty() || syntax;
            return if understood { None } else { complaint() };
        }
        Cell::Done { transaction, relations, losses } => (transaction, relations, losses),
    };
    let of_rows = is_about_some_rows(case);
    let compared = |relations: &[RelationEffect]| {
        foretell::by_name(relations, &|effect| {
            let known = before.table(&effect.relation).is_some();
            let cost = if of_rows || !has_rows(case, &effect.relation) { Cost::Brief } else { effect.cost };
            known.then(|| format!("{:?} {cost:?}", effect.lock))
        })
    };
    let lost = |losses: &[Loss]| -> Vec<Loss> {
        let counts = |loss: &&Loss| loss.kind != LossKind::Rows || has_rows(case, &loss.relation);
        losses.iter().filter(counts).cloned().collect()
    };
    let same = effects.refused.is_none()
        && compared(relations) == compared(&effects.relations)
        && lost(losses) == lost(&effects.losses)
        && foretell::same_transaction(*transaction, effects);
    if same { None } else { complaint() }
}

/// Whether the measured statement is about rows that a condition or a list of values picks.
fn is_about_some_rows(case: &Case) -> bool {
    let changes = dbwright_sql::parse_statement(Dialect::Sqlite, &case.statement);
    matches!(changes.as_slice(), [Change::Data { filtered: true, .. }])
}

/// Whether the base or the setup gives the table so many rows that work on them shows.
fn has_rows(case: &Case, table: &QualifiedName) -> bool {
    let name = table.name.as_str();
    let filled = format!("insert into {name} select");
    matches!(name, "t" | "parent" | "child") || case.setup.iter().any(|sql| sql.starts_with(&filled))
}
