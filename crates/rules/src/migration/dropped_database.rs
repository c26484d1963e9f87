use dbwright_model::change::{Change, ObjectKind};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 9,
    needs: &[Fact::Migrations],
    engines: Engines::ALL.except(Engine::Sqlite, "a database is a file, and no statement drops it"),
    when: "a whole database is dropped",
    then: "Every table in it is gone, with its rows, and nothing brings it back but a backup.",
    instead: "Leave it out of the migration; rename the database or take away the right to connect, and drop it by hand when a backup was restored.",
    source: "manuals of the engines, DROP DATABASE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mysql = context.engine().dialect() == Dialect::Mysql;
    lint::each(context, findings, |judged, change| {
        let name = match change {
            Change::DropObject { kind: ObjectKind::Database, name, .. } => &name.name,
            Change::DropSchema { name, .. } if mysql => name,
            _ => return Verdict::Other,
        };
        let made = |change: &Change| match change {
            Change::CreateObject { kind: ObjectKind::Database, name: made, .. } => made.name == *name,
            // With `IF NOT EXISTS` it may have been there.
            Change::CreateSchema { name: made, if_not_exists: false } => mysql && made == name,
            _ => false,
        };
        if judged.earlier_in_file().flat_map(|earlier| &earlier.changes).any(made) {
            return Verdict::Fine;
        }
        let message = format!("Dropping the database `{name}` deletes every table in it.");
        let object = ObjectRef::database(&Name::from(name.as_str()));
        Verdict::Found(judged.found(object, message).remedy(Remedy::manual(RULE.instead)))
    });
}
