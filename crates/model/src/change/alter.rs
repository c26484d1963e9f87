//! Which relation a change is made to, and the clauses of the `ALTER TABLE` that most changes are actions of.

use super::{AlterClauses, Change, DataKind};
use crate::name::QualifiedName;

/// What an action of `ALTER TABLE` names and the clauses around it, to be read or to be changed: the one list of actions.
macro_rules! action {
    ($change:expr) => {
        match $change {
            Change::RenameTable { table, alter, .. }
            | Change::AddColumn { table, alter, .. }
            | Change::DropColumn { table, alter, .. }
            | Change::RenameColumn { table, alter, .. }
            | Change::AlterColumnType { table, alter, .. }
            | Change::ModifyColumn { table, alter, .. }
            | Change::SetNotNull { table, alter, .. }
            | Change::SetDefault { table, alter, .. }
            | Change::SetIdentity { table, alter, .. }
            | Change::AlterIdentity { table, alter, .. }
            | Change::SetExpression { table, alter, .. }
            | Change::DropExpression { table, alter, .. }
            | Change::SetStatisticsTarget { table, alter, .. }
            | Change::SetStorage { table, alter, .. }
            | Change::SetCompression { table, alter, .. }
            | Change::SetColumnOptions { table, alter, .. }
            | Change::AddPrimaryKey { table, alter, .. }
            | Change::AddUnique { table, alter, .. }
            | Change::AddCheck { table, alter, .. }
            | Change::AddNotNull { table, alter, .. }
            | Change::AddForeignKey { table, alter, .. }
            | Change::AddExclusion { table, alter, .. }
            | Change::DropConstraint { table, alter, .. }
            | Change::AlterConstraint { table, alter, .. }
            | Change::RenameConstraint { table, alter, .. }
            | Change::ValidateConstraint { table, alter, .. }
            | Change::SetIndexVisible { table, alter, .. }
            | Change::AttachPartition { table, alter, .. }
            | Change::DetachPartition { table, alter, .. }
            | Change::SetInherit { table, alter, .. }
            | Change::SetRowSecurity { table, alter, .. }
            | Change::SetReplicaIdentity { table, alter, .. }
            | Change::SetTableOptions { table, alter, .. }
            | Change::SetLogged { table, alter, .. }
            | Change::SetAccessMethod { table, alter, .. }
            | Change::SetCluster { table, alter, .. }
            | Change::SetOfType { table, alter, .. }
            | Change::SetForeignOptions { table, alter, .. }
            | Change::RebuildTable { table, alter, .. }
            | Change::OrderTable { table, alter, .. }
            | Change::AlterPartitions { table, alter, .. }
            | Change::SetTriggerEnabled { table, alter, .. }
            | Change::SetRuleEnabled { table, alter, .. } => Some((table, alter)),
            Change::SetTablespace { object, alter, .. }
            | Change::SetOwner { object, alter, .. }
            | Change::SetSchema { object, alter, .. } => Some((object, alter)),
            _ => None,
        }
    };
}

impl Change {
    /// The clauses of the `ALTER TABLE` that the change is an action of.
    pub fn alter(&self) -> Option<&AlterClauses> {
        action!(self).map(|(_, alter)| alter)
    }

    /// The clauses of the `ALTER TABLE` that the change is an action of, to change.
    pub fn alter_mut(&mut self) -> Option<&mut AlterClauses> {
        action!(self).map(|(_, alter)| alter)
    }

    /// The relation that an `ALTER TABLE` names, of which the change is an action: for `OWNER TO` and `SET SCHEMA`, which
    /// other objects know too, only where it is one that takes locks of tables.
    pub fn altered(&self) -> Option<&QualifiedName> {
        match self {
            Change::SetOwner { kind, .. } | Change::SetSchema { kind, .. } if !kind.is_relation() => None,
            _ => action!(self).map(|(relation, _)| relation),
        }
    }

    /// The table, or other relation, that the change is made to and that must be there before it: what is altered, dropped
    /// or emptied, and the table of an index or trigger. An index that is named without its table tells none, and neither
    /// does what leaves the table itself as it is: whom it belongs to, where it stands, what it follows.
    pub fn target(&self) -> Option<&QualifiedName> {
        match self {
            Change::DropTable { name, .. } => Some(name),
            Change::CreateIndex { table, .. }
            | Change::DropIndex { table: Some(table), .. }
            | Change::RenameIndex { table: Some(table), .. }
            | Change::Data { kind: DataKind::Truncate, table: Some(table), .. } => Some(table),
            Change::CreateTrigger { trigger, .. } => Some(&trigger.table),
            Change::SetOwner { .. }
            | Change::SetSchema { .. }
            | Change::SetTablespace { .. }
            | Change::SetOfType { .. }
            | Change::SetForeignOptions { .. }
            | Change::SetRuleEnabled { .. } => None,
            _ => self.altered(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::ObjectKind;
    use crate::name::Name;

    #[test]
    fn an_owner_is_an_action_on_a_table_only_of_a_relation() {
        let owner = |kind: ObjectKind| Change::SetOwner {
            object: QualifiedName::bare("t"),
            owner: Name::new("a"),
            alter: AlterClauses::default(),
            kind,
        };
        let relation = owner(ObjectKind::MaterializedView);
        assert_eq!(relation.altered(), Some(&QualifiedName::bare("t")));
        assert_eq!(relation.target(), None);
        assert_eq!(owner(ObjectKind::Function).altered(), None);
        let mut other = owner(ObjectKind::Function);
        other.alter_mut().expect("it has clauses").if_exists = true;
        assert!(other.alter().is_some_and(|alter| alter.if_exists));
    }

    #[test]
    fn what_is_no_action_of_alter_table_may_have_a_target() {
        let table = QualifiedName::bare("t");
        let drop = Change::DropTable { name: table.clone(), if_exists: false, cascade: false };
        assert_eq!((drop.altered(), drop.target()), (None, Some(&table)));
        let analyze = Change::Analyze { table: Some(table) };
        assert_eq!((analyze.altered(), analyze.target()), (None, None));
    }
}
