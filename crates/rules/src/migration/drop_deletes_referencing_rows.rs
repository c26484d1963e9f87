use dbwright_model::catalog::ReferentialAction;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 9,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Sqlite, "a table that others refer to is not dropped there"),
    when: "a table is dropped or rebuilt while foreign keys that refer to it may be in force",
    then: "SQLite deletes the rows of the dropped table one by one, and their `ON DELETE` actions with them.",
    instead: "Switch foreign keys off before the transaction with `PRAGMA foreign_keys = OFF`, and check them before the commit.",
    remedy: Applicability::Manual,
    source: "SQLite documentation, DROP TABLE; measured on 3.40: a rebuild emptied the referring table",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropTable { name, .. } = change else { return Verdict::Other };
        if foreign_keys_are_off(&judged) {
            return Verdict::Fine;
        }
        let rebuilt = judged.rebuilt(name);
        let goes_too = |child: &QualifiedName| {
            judged.later_in_file().flat_map(|later| &later.changes).any(
                |change| matches!(change, Change::DropTable { name, .. } if lint::same_relation(name, child)),
            )
        };
        let children = judged.statement.tables.iter().filter(|table| {
            !lint::same_relation(&table.name, name)
                && judged.is_in_use(&table.name)
                && (rebuilt || !goes_too(&table.name))
        });
        let children: Vec<_> = children
            .flat_map(|table| {
                let keys = table.foreign_keys.iter().filter(|key| lint::same_relation(&key.references, name));
                keys.map(move |key| (table, key.on_delete))
            })
            .collect();
        let acts = |action: ReferentialAction| {
            !matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict)
        };
        let first = children
            .iter()
            .find(|(_, action)| acts(*action))
            .or_else(|| children.first().filter(|_| rebuilt));
        let Some((child, action)) = first else { return Verdict::Fine };
        let verb = if rebuilt { "Rebuilding" } else { "Dropping" };
        let (level, what) = match action {
            ReferentialAction::Cascade => {
                (Level::Error, format!("deletes every row of `{}` that refers to it", child.name))
            }
            ReferentialAction::SetNull | ReferentialAction::SetDefault => {
                (Level::Error, format!("takes the reference out of every row of `{}`", child.name))
            }
            ReferentialAction::NoAction | ReferentialAction::Restrict => {
                (Level::Warning, format!("fails when a row of `{}` refers to it", child.name))
            }
        };
        let message = format!("{verb} `{name}` {what} where foreign keys are enforced.");
        Verdict::Found(
            judged
                .found(ObjectRef::table(name), message)
                .level(level)
                .remedy(Remedy::manual_sql(RULE.instead, [String::from("PRAGMA foreign_keys = OFF")])),
        )
    });
}

/// Whether the file has switched foreign keys off, which counts only outside of a transaction.
fn foreign_keys_are_off(judged: &Judged<'_>) -> bool {
    let mut off = false;
    for earlier in judged.earlier_in_file().filter(|earlier| earlier.transaction.is_none()) {
        for change in &earlier.changes {
            if let Change::SetServerSetting { name, value } = change
                && name.eq_ignore_case("foreign_keys")
            {
                off = ["off", "0", "false", "no"].iter().any(|word| value.eq_ignore_ascii_case(word));
            }
        }
    }
    off
}
