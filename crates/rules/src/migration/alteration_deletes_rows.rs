use dbwright_model::change::Change;
use dbwright_model::effect::LossKind;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 8,
    needs: &[Fact::Migrations],
    engines: Engines::mysql_family(
        "no change of a definition deletes rows there but those that rules of their own tell",
    ),
    when: "a change of a table's definition deletes rows of it",
    then: "The rows are gone when the statement ends, and no rollback brings them back.",
    instead: "Copy the rows into a table of their own first, and delete them with a statement that says which.",
    remedy: Applicability::Manual,
    source: "measured on MariaDB 10.11; MySQL manual, \"ALTER TABLE Partition Operations\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let Some(how) = judged.statement.changes.iter().find_map(how) else { continue };
        findings.examined(1);
        let lost = judged
            .statement
            .effects
            .losses
            .iter()
            .find(|loss| loss.kind == LossKind::Rows && !judged.statement.is_new(&loss.relation));
        let Some(loss) = lost else { continue };
        let name = &loss.relation;
        let message = format!("{how} of `{name}`, and nothing undoes it.");
        let found = judged.found(ObjectRef::table(name), message);
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}

/// Which rows a change deletes: the begin of a sentence.
fn how(change: &Change) -> Option<String> {
    match change {
        Change::AddUnique { alter, .. } | Change::AddPrimaryKey { alter, .. } if alter.ignore => {
            Some("`IGNORE` deletes all but one of the rows that agree in the new key".to_owned())
        }
        Change::AlterPartitions { partitions, .. }
            if matches!(partitions.action.as_str(), "DROP PARTITION" | "TRUNCATE PARTITION") =>
        {
            let names: Vec<String> =
                partitions.partitions.iter().map(|partition| format!("`{partition}`")).collect();
            let which = if names.is_empty() { "every partition".to_owned() } else { names.join(", ") };
            Some(format!("`{}` deletes all rows in {which}", partitions.action))
        }
        Change::SetTableOptions { options, .. }
            if options.iter().any(|(name, value)| *name == "system_versioning" && value != "yes") =>
        {
            Some("`DROP SYSTEM VERSIONING` deletes the history".to_owned())
        }
        _ => None,
    }
}
