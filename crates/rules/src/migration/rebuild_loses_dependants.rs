use dbwright_model::catalog::{Index, Table};
use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    raised_by: &[Fact::Catalog, Fact::Triggers],
    engines: Engines::only(Engine::Sqlite, "tables are altered in place there"),
    when: "a table is rebuilt, and its indexes, its triggers or the counter of its `AUTOINCREMENT` are not made again",
    then: "Queries get slow, rules are no longer kept, or numbers of deleted rows are given anew, and nothing is reported.",
    instead: "Make indexes and triggers again behind the rebuild, and copy the row of the table in `sqlite_sequence`.",
    remedy: Applicability::Manual,
    source: "SQLite documentation, ALTER TABLE; measured on 3.40",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let catalog = context.facts_if_known(Fact::Catalog).catalog.known();
    if catalog.is_some_and(|catalog| catalog.triggers.known().is_none()) {
        findings.unknown("the triggers could not be read");
    }
    lint::each(context, findings, |judged, change| {
        let Change::DropTable { name, .. } = change else { return Verdict::Other };
        if !judged.rebuilt(name) {
            return Verdict::Other;
        }
        let Some(old) = judged.statement.table(name) else { return Verdict::Fine };
        let mut lost: Vec<String> = old
            .indexes
            .iter()
            .filter(|index| index.backs.is_none() && !makes_index(&judged, index))
            .map(|index| format!("the index `{}`", index.name))
            .collect();
        lost.extend(lost_triggers(context, &judged, old));
        if loses_counter(&judged, old) {
            lost.push("the highest number of its `AUTOINCREMENT`".to_owned());
        }
        let Some((last, others)) = lost.split_last() else { return Verdict::Fine };
        let list = match others {
            [] => last.clone(),
            others => format!("{} and {last}", others.join(", ")),
        };
        let message = format!("With the old `{name}` goes {list}, and the file does not make it again.");
        Verdict::Found(judged.found(ObjectRef::table(name), message).remedy(Remedy::manual(RULE.instead)))
    });
}

fn in_file<'a>(judged: &Judged<'a>) -> impl Iterator<Item = &'a Change> {
    judged.earlier_in_file().chain(judged.later_in_file()).flat_map(|statement| &statement.changes)
}

/// Whether the file makes an index of the same name, or of the same columns.
fn makes_index(judged: &Judged<'_>, lost: &Index) -> bool {
    in_file(judged).any(|change| match change {
        Change::CreateIndex { index, .. } => {
            index.name.eq_ignore_case(lost.name.as_str())
                || (index.parts == lost.parts && index.unique == lost.unique)
        }
        // Somebody meant to drop it.
        Change::DropIndex { index, .. } => index.name.eq_ignore_case(lost.name.as_str()),
        _ => false,
    })
}

fn lost_triggers(context: &Context<'_>, judged: &Judged<'_>, old: &Table) -> Vec<String> {
    let catalog = context.facts_if_known(Fact::Catalog).catalog.known();
    let triggers =
        catalog.and_then(|catalog| catalog.triggers.known()).map(Vec::as_slice).unwrap_or_default();
    let lost = triggers.iter().filter(|trigger| {
        lint::same_relation(&trigger.table, &old.name)
            && !in_file(judged).any(|change| match change {
                Change::CreateTrigger { trigger: new, .. } => new.name.eq_ignore_case(trigger.name.as_str()),
                Change::DropTrigger { name, .. } => name.eq_ignore_case(trigger.name.as_str()),
                _ => false,
            })
    });
    lost.map(|trigger| format!("the trigger `{}`", trigger.name)).collect()
}

fn loses_counter(judged: &Judged<'_>, old: &Table) -> bool {
    let sets_counter = |change: &Change| {
        matches!(change, Change::Data { kind: DataKind::Insert | DataKind::Update, table: Some(table), .. }
            if table.name.eq_ignore_case("sqlite_sequence"))
    };
    old.columns.iter().any(|column| column.auto_increment) && !in_file(judged).any(sets_counter)
}
