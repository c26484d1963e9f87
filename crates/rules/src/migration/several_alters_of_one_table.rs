use dbwright_model::change::Change;
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::rule::Status;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    status: Status::Preview,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    engines: Engines::servers("one statement makes one change there"),
    when: "several `ALTER TABLE` of one table in use follow each other in a file and could be one",
    then: "The lock is waited for, and the rows are worked through, once for each of them.",
    instead: "Write the actions into one `ALTER TABLE`, separated by commas.",
    remedy: Applicability::Manual,
    source: "manuals of the engines: ALTER TABLE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let mut told: Vec<&QualifiedName> = Vec::new();
        for pair in file.statements.windows(2) {
            let [first, second] = pair else { continue };
            let (Some(one), Some(other)) = (alone(context, first), alone(context, second)) else { continue };
            findings.examined(1);
            if first.statement.transaction != second.statement.transaction
                || !lint::same_relation(one, other)
                || !second.is_in_use(other)
                || told.contains(&other)
            {
                continue;
            }
            told.push(other);
            let message = format!(
                "This `ALTER TABLE` of `{other}` and the one in line {} could be one.",
                first.statement.location.line
            );
            findings.add(second.found(ObjectRef::table(other), message).remedy(Remedy::manual(RULE.instead)));
        }
    }
}

/// The table of an `ALTER TABLE` whose actions may stand beside others.
fn alone<'a>(context: &Context<'_>, judged: &Judged<'a>) -> Option<&'a QualifiedName> {
    let family = context.engine().dialect() == Dialect::Mysql;
    let changes = &judged.statement.changes;
    let combines = changes.iter().all(|change| match change {
        Change::RenameTable { .. } | Change::RenameColumn { .. } | Change::RenameConstraint { .. } => family,
        // To be done after the commit of what it validates.
        Change::ValidateConstraint { .. } => false,
        Change::AttachPartition { .. }
        | Change::DetachPartition { .. }
        | Change::AlterPartitions { .. }
        | Change::SetSchema { .. } => false,
        change => change.alter().is_some(),
    });
    let is_alter = lint::verb(judged.statement) == "ALTER TABLE";
    changes.iter().find_map(Change::target).filter(|_| combines && is_alter)
}
