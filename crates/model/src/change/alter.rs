//! The clauses of `ALTER TABLE`, which most changes carry.

use super::{AlterClauses, Change};

impl Change {
    /// The clauses of the `ALTER TABLE` that the change is an action of.
    pub fn alter(&self) -> Option<&AlterClauses> {
        match self {
            Change::RenameTable { alter, .. }
            | Change::AddColumn { alter, .. }
            | Change::DropColumn { alter, .. }
            | Change::RenameColumn { alter, .. }
            | Change::AlterColumnType { alter, .. }
            | Change::ModifyColumn { alter, .. }
            | Change::SetNotNull { alter, .. }
            | Change::SetDefault { alter, .. }
            | Change::SetIdentity { alter, .. }
            | Change::AlterIdentity { alter, .. }
            | Change::SetExpression { alter, .. }
            | Change::DropExpression { alter, .. }
            | Change::SetStatisticsTarget { alter, .. }
            | Change::SetStorage { alter, .. }
            | Change::SetCompression { alter, .. }
            | Change::SetColumnOptions { alter, .. }
            | Change::AddPrimaryKey { alter, .. }
            | Change::AddUnique { alter, .. }
            | Change::AddCheck { alter, .. }
            | Change::AddNotNull { alter, .. }
            | Change::AddForeignKey { alter, .. }
            | Change::AddExclusion { alter, .. }
            | Change::DropConstraint { alter, .. }
            | Change::AlterConstraint { alter, .. }
            | Change::RenameConstraint { alter, .. }
            | Change::ValidateConstraint { alter, .. }
            | Change::SetIndexVisible { alter, .. }
            | Change::AttachPartition { alter, .. }
            | Change::DetachPartition { alter, .. }
            | Change::SetInherit { alter, .. }
            | Change::SetRowSecurity { alter, .. }
            | Change::SetReplicaIdentity { alter, .. }
            | Change::SetTableOptions { alter, .. }
            | Change::SetLogged { alter, .. }
            | Change::SetTablespace { alter, .. }
            | Change::SetAccessMethod { alter, .. }
            | Change::SetCluster { alter, .. }
            | Change::SetOfType { alter, .. }
            | Change::SetForeignOptions { alter, .. }
            | Change::RebuildTable { alter, .. }
            | Change::OrderTable { alter, .. }
            | Change::AlterPartitions { alter, .. }
            | Change::SetOwner { alter, .. }
            | Change::SetSchema { alter, .. }
            | Change::SetTriggerEnabled { alter, .. }
            | Change::SetRuleEnabled { alter, .. } => Some(alter),
            _ => None,
        }
    }

    /// The clauses of the `ALTER TABLE` that the change is an action of, to change.
    pub fn alter_mut(&mut self) -> Option<&mut AlterClauses> {
        match self {
            Change::RenameTable { alter, .. }
            | Change::AddColumn { alter, .. }
            | Change::DropColumn { alter, .. }
            | Change::RenameColumn { alter, .. }
            | Change::AlterColumnType { alter, .. }
            | Change::ModifyColumn { alter, .. }
            | Change::SetNotNull { alter, .. }
            | Change::SetDefault { alter, .. }
            | Change::SetIdentity { alter, .. }
            | Change::AlterIdentity { alter, .. }
            | Change::SetExpression { alter, .. }
            | Change::DropExpression { alter, .. }
            | Change::SetStatisticsTarget { alter, .. }
            | Change::SetStorage { alter, .. }
            | Change::SetCompression { alter, .. }
            | Change::SetColumnOptions { alter, .. }
            | Change::AddPrimaryKey { alter, .. }
            | Change::AddUnique { alter, .. }
            | Change::AddCheck { alter, .. }
            | Change::AddNotNull { alter, .. }
            | Change::AddForeignKey { alter, .. }
            | Change::AddExclusion { alter, .. }
            | Change::DropConstraint { alter, .. }
            | Change::AlterConstraint { alter, .. }
            | Change::RenameConstraint { alter, .. }
            | Change::ValidateConstraint { alter, .. }
            | Change::SetIndexVisible { alter, .. }
            | Change::AttachPartition { alter, .. }
            | Change::DetachPartition { alter, .. }
            | Change::SetInherit { alter, .. }
            | Change::SetRowSecurity { alter, .. }
            | Change::SetReplicaIdentity { alter, .. }
            | Change::SetTableOptions { alter, .. }
            | Change::SetLogged { alter, .. }
            | Change::SetTablespace { alter, .. }
            | Change::SetAccessMethod { alter, .. }
            | Change::SetCluster { alter, .. }
            | Change::SetOfType { alter, .. }
            | Change::SetForeignOptions { alter, .. }
            | Change::RebuildTable { alter, .. }
            | Change::OrderTable { alter, .. }
            | Change::AlterPartitions { alter, .. }
            | Change::SetOwner { alter, .. }
            | Change::SetSchema { alter, .. }
            | Change::SetTriggerEnabled { alter, .. }
            | Change::SetRuleEnabled { alter, .. } => Some(alter),
            _ => None,
        }
    }
}
