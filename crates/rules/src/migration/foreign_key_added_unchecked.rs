use dbwright_model::change::Change;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    engines: Engines::mysql_family("a key is verified, or marked as not valid, there"),
    when: "a foreign key is added to a table in use while `foreign_key_checks` is off",
    then: "Rows without a parent stay, and nothing ever tells: the server has no way to verify the key later.",
    instead: "Look for rows without a parent right after the key was added, and mend them.",
    remedy: Applicability::Manual,
    source: "measured on MariaDB 10.11; MySQL manual, foreign_key_checks",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddForeignKey { table, foreign_key, .. } = change else { return Verdict::Other };
        let off = judged
            .statement
            .setting("foreign_key_checks")
            .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "0" | "off" | "false"));
        let Some(effect) = judged.effect(table).filter(|_| off) else { return Verdict::Fine };
        // A column that is as new as the key holds nothing.
        let is_empty = |name: &Name| judged.new_column(table, name).is_some_and(|new| new.default.is_none());
        if foreign_key.columns.iter().all(is_empty) {
            return Verdict::Fine;
        }
        let name = &effect.relation;
        let message = format!(
            "No row of `{name}` is looked up in `{}`, now or later, because `foreign_key_checks` is off.",
            foreign_key.references
        );
        let spelled: Vec<String> = foreign_key
            .columns
            .iter()
            .map(|column| format!("child.{} IS NOT NULL", lint::spelled(context, column.as_str())))
            .collect();
        let known =
            judged.statement.table(&foreign_key.references).and_then(|parent| parent.primary_key.as_ref());
        let target: &[Name] = match foreign_key.referenced_columns.as_slice() {
            [] => known.map_or(&[][..], |key| key.columns.as_slice()),
            named => named,
        };
        let equal: Vec<String> = foreign_key
            .columns
            .iter()
            .zip(target)
            .map(|(own, other)| {
                let spell = |name: &Name| lint::spelled(context, name.as_str());
                format!("parent.{} = child.{}", spell(other), spell(own))
            })
            .collect();
        let query = (!equal.is_empty()).then(|| {
            format!(
                "SELECT count(*) FROM {} AS child WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
                lint::spelled_table(context, name),
                spelled.join(" AND "),
                lint::spelled_table(context, &foreign_key.references),
                equal.join(" AND ")
            )
        });
        let object = ObjectRef::columns(name, &foreign_key.columns);
        let found = judged.found(object, message).evidence("columns", join(&foreign_key.columns));
        Verdict::Found(found.evidence_if("query", query).remedy(Remedy::manual(RULE.instead)))
    });
}
