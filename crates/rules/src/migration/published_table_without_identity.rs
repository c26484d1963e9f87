use dbwright_model::catalog::{ReplicaIdentity, Table};
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "its replication needs no identity of rows"),
    when: "a published table loses what names its rows to subscribers",
    then: "Every update and delete of the table fails from then on.",
    instead: "Set the replica identity to a unique index over columns that are not null before the primary key goes.",
    source: "PostgreSQL manual, \"Publication\"; ALTER TABLE, REPLICA IDENTITY",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, what) = match change {
            Change::SetReplicaIdentity { table, identity: ReplicaIdentity::Nothing, .. } => {
                (table, "gets no replica identity")
            }
            Change::DropConstraint { table, constraint, .. } => {
                let Some(known) = judged.statement.table(table) else { return Verdict::Other };
                if !is_identity(known, constraint) || gets_identity(judged, table) {
                    return Verdict::Fine;
                }
                (table, "loses the primary key that names its rows")
            }
            _ => return Verdict::Other,
        };
        let publications = judged.statement.around.publications.iter();
        let Some(publication) = publications.clone().find(|publication| publication.updates_or_deletes)
        else {
            return Verdict::Fine;
        };
        let name = judged.full_name(table);
        let message = format!(
            "`{name}` {what} while `{}` publishes it, so that its updates and deletes fail.",
            publication.name
        );
        let found = judged.found(ObjectRef::table(&name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}

fn is_identity(table: &Table, constraint: &DroppedConstraint) -> bool {
    let Some(key) = &table.primary_key else { return false };
    let dropped = match constraint {
        DroppedConstraint::PrimaryKey => true,
        DroppedConstraint::Named(name) => key.name.as_ref() == Some(name),
    };
    dropped && table.replica_identity == ReplicaIdentity::Default
}

/// Whether the same statement or transaction gives the table a new key or identity.
fn gets_identity(judged: Judged<'_>, table: &QualifiedName) -> bool {
    let gives = |change: &Change| match change {
        Change::AddPrimaryKey { table: other, .. } => other.name == table.name,
        Change::SetReplicaIdentity { table: other, identity, .. } => {
            other.name == table.name && *identity != ReplicaIdentity::Nothing
        }
        _ => false,
    };
    let later = judged.later_in_transaction().flat_map(|later| &later.changes);
    judged.statement.changes.iter().chain(later).any(gives)
}
