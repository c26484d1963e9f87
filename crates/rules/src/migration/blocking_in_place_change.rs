use dbwright_model::change::Change;
use dbwright_model::effect::{Algorithm, RelationEffect};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::mysql_family("rules of their own tell there what a change keeps others from"),
    when: "a change that the storage engine makes by itself keeps writers out of a table in use all the same",
    then: "Writes to the table wait until the work is done, which takes longer the more rows there are.",
    instead: "Let gh-ost or pt-online-schema-change make the change beside the work, or make it while nobody writes.",
    remedy: Applicability::Manual,
    source: "measured on MariaDB 10.11; MySQL manual, \"Online DDL Operations\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let changes = &judged.statement.changes;
        if changes.iter().all(|change| matches!(change, Change::Data { .. })) {
            continue;
        }
        findings.examined(1);
        // The parents of a key that is verified wait with the table itself.
        let mut felt = judged.statement.felt();
        if felt.any(|effect| effect.algorithm == Some(Algorithm::Copy)) {
            continue;
        }
        let Some(effect) = judged.statement.blocking().next() else { continue };
        let name = &effect.relation;
        let message = format!(
            "{} keeps writers out of `{name}` {}.",
            what(&judged, name),
            lint::meanwhile(effect.cost)
        );
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        findings.add(found.remedy(Remedy::manual(instead(&judged, effect))));
    }
}

/// The begin of a sentence: what keeps writers out.
fn what(judged: &Judged<'_>, table: &QualifiedName) -> String {
    let known = judged.statement.table(table);
    let named = judged.statement.changes.iter().find_map(|change| match change {
        Change::CreateIndex { index, .. } if matches!(index.method.as_str(), "fulltext" | "spatial") => {
            Some(format!("The {} index `{}`", index.method.as_str().to_uppercase(), index.name))
        }
        Change::AddColumn { column, .. } if column.auto_increment => {
            Some(format!("The new `AUTO_INCREMENT` column `{}`", column.name))
        }
        Change::Vacuum { .. } => Some("`OPTIMIZE TABLE`".to_owned()),
        Change::AlterPartitions { partitions, .. } => Some(format!("`{}`", partitions.action)),
        Change::SetTableOptions { options, .. } => options
            .iter()
            .find(|(name, _)| *name == "system_versioning")
            .map(|_| "The end of the history".to_owned()),
        _ => None,
    });
    let full_text = known.is_some_and(|table| table.indexes.iter().any(|index| index.method == "fulltext"));
    named.unwrap_or_else(|| match full_text {
        true => format!("`{}`, on a table with a FULLTEXT index,", lint::verb(judged.statement)),
        false => format!("`{}`", lint::verb(judged.statement)),
    })
}

fn instead(judged: &Judged<'_>, effect: &RelationEffect) -> &'static str {
    let optimizes = judged.statement.changes.iter().any(|change| matches!(change, Change::Vacuum { .. }));
    let partitions =
        judged.statement.changes.iter().any(|change| matches!(change, Change::AlterPartitions { .. }));
    match effect.algorithm {
        None if optimizes => "Write `ALTER TABLE ... FORCE, ALGORITHM=INPLACE, LOCK=NONE` instead.",
        None if partitions => "Work on one small partition at a time, while nobody writes to it.",
        _ => RULE.instead,
    }
}
