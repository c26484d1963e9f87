use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Sqlite, "tables are altered in place there"),
    when: "a rebuild renames the old table out of the way although others refer to it",
    then: "Their foreign keys follow the old table, and point to nothing once it is dropped.",
    instead: "Make the new table under another name, fill it, drop the old one, and rename the new one last.",
    remedy: Applicability::Manual,
    source: "SQLite documentation, ALTER TABLE; measured on 3.40",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::RenameTable { table, to, .. } = change else { return Verdict::Other };
        let made_anew = judged.later_in_file().flat_map(|later| &later.changes).any(
            |change| matches!(change, Change::CreateTable { table: new, .. } if lint::same_relation(&new.name, table)),
        );
        let legacy = judged.earlier_in_file().flat_map(|earlier| &earlier.changes).any(|change| {
            matches!(change, Change::SetServerSetting { name, value }
                if name.eq_ignore_case("legacy_alter_table") && !matches!(value.as_str(), "0" | "off" | "OFF"))
        });
        if !made_anew || legacy || !judged.is_in_use(table) {
            return Verdict::Fine;
        }
        let child = judged.statement.tables.iter().find(|child| {
            !lint::same_relation(&child.name, table)
                && child.foreign_keys.iter().any(|key| lint::same_relation(&key.references, table))
        });
        let Some(child) = child else { return Verdict::Fine };
        let message = format!(
            "The foreign key of `{}` follows `{table}` to its new name `{}`, away from the table that takes its place.",
            child.name, to.name
        );
        Verdict::Found(judged.found(ObjectRef::table(table), message).remedy(Remedy::manual(RULE.instead)))
    });
}
