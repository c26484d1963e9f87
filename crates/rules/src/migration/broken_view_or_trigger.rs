use dbwright_model::change::Change;
use dbwright_model::effect::LossKind;
use dbwright_model::engine::{Dialect, Engine};
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
    engines: Engines::ALL
        .except(Engine::Postgres, "what is in use there is not dropped, and a rename is followed"),
    when: "something is dropped or renamed that a view or a trigger goes on to name",
    then: "The server lets it happen, and from then on the view cannot be read, or every write that fires the trigger fails.",
    instead: "Make the view or trigger anew in the same migration, without what is gone.",
    remedy: Applicability::Manual,
    source: "measured on SQLite 3.54; MySQL manual, CREATE VIEW, \"invalid views\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        if !judged.statement.changes.iter().any(takes_away) {
            continue;
        }
        findings.examined(1);
        let verb = lint::verb(judged.statement);
        for (relation, kind) in broken(context, &judged) {
            let (object, message) = match kind {
                LossKind::Unreadable => (
                    ObjectRef::view(relation),
                    format!(
                        "The view `{relation}` cannot be read after `{verb}`, which takes away what it names."
                    ),
                ),
                _ => (
                    ObjectRef::table(relation),
                    format!(
                        "Every write to `{relation}` that needs it fails after `{verb}`, which takes away what a trigger or foreign key names."
                    ),
                ),
            };
            findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
        }
    }
}

fn takes_away(change: &Change) -> bool {
    match change {
        Change::DropTable { .. }
        | Change::DropColumn { .. }
        | Change::RenameTable { .. }
        | Change::RenameColumn { .. } => true,
        Change::ModifyColumn { column, to, .. } => !to.name.eq_ignore_case(column.as_str()),
        _ => false,
    }
}

/// What is broken afterwards and not mended in the same file.
fn broken<'a>(context: &Context<'_>, judged: &Judged<'a>) -> Vec<(&'a QualifiedName, LossKind)> {
    let statement = judged.statement;
    // A rebuild gives the name back, or the next statement is refused.
    let rebuilt = statement.changes.iter().any(|change| match change {
        Change::DropTable { name, .. } => judged.rebuilt(name),
        _ => false,
    });
    let moved = statement.changes.iter().any(|change| match change {
        Change::RenameTable { table, .. } => is_made_again(judged, table),
        Change::DropTable { name, .. } => is_made_again(judged, name),
        _ => false,
    });
    if rebuilt || moved {
        return Vec::new();
    }
    let broken: Vec<(&QualifiedName, LossKind)> = match context.engine().dialect() {
        Dialect::Mysql => statement.around.readers.iter().map(|view| (view, LossKind::Unreadable)).collect(),
        _ => statement
            .effects
            .losses
            .iter()
            .filter(|loss| matches!(loss.kind, LossKind::Unreadable | LossKind::Unwritable))
            .map(|loss| (&loss.relation, loss.kind))
            .collect(),
    };
    broken.into_iter().filter(|(relation, kind)| !is_mended(judged, relation, *kind)).collect()
}

/// Whether a table of the name is there again before the file ends.
fn is_made_again(judged: &Judged<'_>, name: &QualifiedName) -> bool {
    lint::changes_of(judged.later_in_file()).chain(&judged.statement.changes).any(|change| match change {
        Change::RenameTable { to, .. } => lint::same_relation(to, name),
        Change::CreateTable { table, .. } => lint::same_relation(&table.name, name),
        Change::CreateView { view, .. } => lint::same_relation(&view.name, name),
        _ => false,
    })
}

fn is_mended(judged: &Judged<'_>, relation: &QualifiedName, kind: LossKind) -> bool {
    lint::changes_of(judged.later_in_file()).any(|change| match change {
        Change::CreateView { view, .. } => lint::same_relation(&view.name, relation),
        Change::DropView { name, .. } | Change::DropTable { name, .. } => lint::same_relation(name, relation),
        Change::DropTrigger { .. } => kind == LossKind::Unwritable,
        _ => false,
    })
}
