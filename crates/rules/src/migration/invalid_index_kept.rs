use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "a failed build leaves no index behind there"),
    when: "an index is built concurrently with `IF NOT EXISTS`",
    then: "A build that fails leaves an invalid index of this name; the next run finds it there and takes it for built.",
    instead: "Drop what a failed build has left with `DROP INDEX CONCURRENTLY IF EXISTS`, then build without `IF NOT EXISTS`.",
    source: "measured on PostgreSQL 13 to 18: a second run with IF NOT EXISTS keeps the invalid index",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateIndex { table, index, concurrently: true, if_not_exists: true, .. } = change else {
            return Verdict::Other;
        };
        let name = judged.full_name(table);
        let there = judged.statement.table(table);
        let there = there.and_then(|table| table.indexes.iter().find(|other| other.name == index.name));
        if judged.is_new(table) || there.is_some_and(|there| there.valid) {
            return Verdict::Fine;
        }
        let built_after_drop = judged.chain.statements[..judged.position].iter().rev().any(|earlier| {
            earlier.changes.iter().any(
                |change| matches!(change, Change::DropIndex { index: dropped, .. } if dropped.name == index.name),
            )
        });
        if built_after_drop {
            return Verdict::Fine;
        }
        let message = match there {
            Some(_) => format!("`{}` is there and invalid, and `IF NOT EXISTS` keeps it so.", index.name),
            None => format!(
                "When the build of `{}` fails, its invalid index is kept by the next run.",
                index.name
            ),
        };
        let found = judged.found(ObjectRef::index(&name, &index.name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
