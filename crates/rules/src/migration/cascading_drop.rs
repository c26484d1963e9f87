use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "CASCADE does nothing there, or is not known"),
    when: "something is dropped with `CASCADE`",
    then: "Everything that depends on it is dropped as well, columns with their values included, whatever it is by then.",
    instead: "Drop what depends on it by name, then drop it without `CASCADE`.",
    source: "PostgreSQL manual, \"Dependency Tracking\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        // Of functions and sequences not everything that hangs on them is known.
        let (object, what, all_known) = match change {
            Change::DropTable { name, cascade: true, .. } => {
                (ObjectRef::table(&judged.full_name(name)), name.to_string(), true)
            }
            Change::DropView { name, cascade: true, .. } => {
                (ObjectRef::view(&judged.full_name(name)), name.to_string(), true)
            }
            Change::DropType { name, cascade: true, .. } => {
                (ObjectRef::user_type(name), name.to_string(), true)
            }
            Change::DropColumn { table, column, cascade: true, .. } => {
                (ObjectRef::column(&judged.full_name(table), column), format!("{table}.{column}"), true)
            }
            Change::DropConstraint {
                table,
                constraint: DroppedConstraint::Named(name),
                cascade: true,
                ..
            } => {
                let table = judged.full_name(table);
                (ObjectRef::constraint(&table, name.as_str()), name.to_string(), true)
            }
            Change::DropSchema { name, cascade: true, .. } => {
                (ObjectRef::schema(name), name.to_string(), true)
            }
            Change::DropFunction { name, cascade: true, .. } => {
                (ObjectRef::function(name, ""), name.to_string(), false)
            }
            Change::DropSequence { name, cascade: true, .. } => {
                (ObjectRef::sequence(name), name.to_string(), false)
            }
            _ => return Verdict::Other,
        };
        let taken = &judged.statement.around.dependants;
        let named = match change {
            Change::DropTable { name, .. }
            | Change::DropView { name, .. }
            | Change::DropType { name, .. }
            | Change::DropSequence { name, .. } => Some(name),
            Change::DropColumn { table, .. } | Change::DropConstraint { table, .. } => Some(table),
            _ => None,
        };
        let nothing = named.is_some_and(|name| judged.is_new(name) || judged.is_absent(name));
        if (nothing || (all_known && judged.chain.starts_known)) && taken.is_empty() {
            return Verdict::Fine;
        }
        let message = if taken.is_empty() {
            format!("Dropping `{what}` with `CASCADE` takes everything that depends on it.")
        } else {
            let first: Vec<&str> = taken.iter().take(3).map(String::as_str).collect();
            let more = taken.len() - first.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("Dropping `{what}` with `CASCADE` takes {}{rest} along.", first.join(", "))
        };
        let found = judged.found(object, message);
        let found = if taken.is_empty() { found } else { found.evidence("taken along", taken.join(", ")) };
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
