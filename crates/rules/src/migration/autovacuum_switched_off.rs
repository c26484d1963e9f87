use dbwright_model::change::{AlterClauses, Change};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "it has no autovacuum"),
    when: "autovacuum is switched off for a table",
    then: "Dead rows pile up, statistics grow old, and the table is vacuumed in the end to save it from wraparound, at a bad time.",
    instead: "Leave it on; give the table its own thresholds where it runs too often or too seldom.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, \"Routine Vacuuming\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, options) = match change {
            Change::SetTableOptions { table, options, .. } => (table, options),
            Change::CreateTable { table, .. } => (&table.name, &table.options),
            _ => return Verdict::Other,
        };
        if !options.iter().any(switches_off) {
            return if options.iter().any(|(name, _)| is_switch(name)) {
                Verdict::Fine
            } else {
                Verdict::Other
            };
        }
        // For a load it is switched off and on again.
        let on_again = judged.later_in_file().any(|later| {
            later.changes.iter().any(|change| match change {
                Change::SetTableOptions { table: other, options, .. } => {
                    other.name == table.name
                        && options.iter().any(|option| is_switch(&option.0) && !switches_off(option))
                }
                _ => false,
            })
        });
        if on_again {
            return Verdict::Fine;
        }
        let name: QualifiedName = judged.full_name(table);
        let message = format!("Nobody vacuums or analyses `{name}` any more.");
        let found = judged.found(ObjectRef::table(&name), message);
        let on = Change::SetTableOptions {
            table: name,
            options: vec![(Name::new("autovacuum_enabled"), String::new())],
            alter: AlterClauses::default(),
        };
        Verdict::Found(found.remedy(match change {
            // A new table is made without the option.
            Change::CreateTable { .. } => Remedy::manual(RULE.instead),
            _ => Remedy::review(RULE.instead, vec![on]),
        }))
    });
}

fn is_switch(name: &Name) -> bool {
    name.eq_ignore_case("autovacuum_enabled")
}

fn switches_off((name, value): &(Name, String)) -> bool {
    let value = value.trim_matches('\'').to_ascii_lowercase();
    is_switch(name) && matches!(value.as_str(), "false" | "off" | "no" | "0" | "f" | "n")
}
