//! `ALTER TABLE` of PostgreSQL, one change per action.

use dbwright_model::catalog::ReplicaIdentity;
use dbwright_model::change::{Change, ColumnPosition, DroppedConstraint};
use dbwright_model::name::{Name, QualifiedName};

use super::create_table::{
    bound, collation, column, constraint, constraint_change, default, generated_when, options,
};
use super::expression::parsed_expression;
use super::parse::{opaque, role_name};
use super::query;
use super::syntax::{
    K, Node, Parsed, child, expr_child, has, name, name_in, qualified, qualified_in, segments, type_child,
};
use super::types;

pub(super) fn alter_table(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(table) = query::target(node) else { return vec![opaque(node, "no table is named")] };
    let mut changes = Vec::new();
    for part in node.children() {
        if matches!(part.kind(), K::TABLE_RELATION_NAME | K::IF_EXISTS) {
            continue;
        }
        action(parsed, &table, &part, &mut changes);
    }
    if changes.is_empty() {
        changes.push(opaque(node, "no action is understood"));
    }
    changes
}

pub(super) fn alter_materialized_view(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(view) = qualified_in(node, K::VIEW_REF) else { return vec![opaque(node, "no view is named")] };
    let mut changes = Vec::new();
    for part in node.children() {
        match part.kind() {
            K::VIEW_REF | K::IF_EXISTS | K::DEPENDS_ON_EXTENSION | K::NO_DEPENDS_ON_EXTENSION => {}
            K::VIEW_RENAME_TO => changes.push(match qualified_in(&part, K::VIEW) {
                Some(to) => Change::RenameTable { table: view.clone(), to: view.sibling(to.name) },
                None => opaque(node, "no new name is given"),
            }),
            K::SET_OPTIONS => {
                changes.push(Change::SetViewOptions { name: view.clone(), options: options(parsed, &part) });
            }
            _ => action(parsed, &view, &part, &mut changes),
        }
    }
    if changes.is_empty() {
        changes.push(Change::Nothing);
    }
    changes
}

/// Lowers one action of `ALTER TABLE`.
fn action(parsed: &Parsed<'_>, table: &QualifiedName, node: &Node, changes: &mut Vec<Change>) {
    let table = table.clone();
    let unknown =
        |because: &str| Change::Opaque { because: because.to_owned(), touches: vec![table.clone()] };
    if let Some(message) = parsed.error_in(node) {
        changes.push(unknown(message));
        return;
    }
    let cascade = has(node, K::CASCADE);
    let if_exists = has(node, K::IF_EXISTS);
    let set_option = |key: &str, value: String| Change::SetTableOptions {
        table: table.clone(),
        options: vec![(Name::new(key), value)],
    };
    let change = match node.kind() {
        K::ADD_COLUMN => {
            let Some((column, constraints)) = column(parsed, node) else {
                changes.push(unknown("no column is named"));
                return;
            };
            changes.push(Change::AddColumn {
                table: table.clone(),
                column: Box::new(column),
                position: ColumnPosition::Last,
                if_not_exists: has(node, K::IF_NOT_EXISTS),
            });
            changes.extend(constraints.into_iter().map(|constraint| constraint_change(&table, constraint)));
            return;
        }
        K::ADD_CONSTRAINT => node
            .children()
            .find_map(|inner| constraint(parsed, &inner, None))
            .map(|constraint| constraint_change(&table, constraint)),
        K::ALTER_COLUMN => alter_column(parsed, &table, node),
        K::DROP_COLUMN => name_in(node, K::COLUMN_NAME_REF).map(|column| Change::DropColumn {
            table: table.clone(),
            column,
            if_exists,
            cascade,
        }),
        K::DROP_CONSTRAINT => {
            last_segment(node, K::CONSTRAINT_NAME_REF).map(|constraint| Change::DropConstraint {
                table: table.clone(),
                constraint: DroppedConstraint::Named(constraint),
                if_exists,
                cascade,
            })
        }
        K::RENAME_COLUMN => name_in(node, K::COLUMN_NAME_REF)
            .zip(name_in(node, K::COLUMN_NAME))
            .map(|(column, to)| Change::RenameColumn { table: table.clone(), column, to }),
        K::RENAME_CONSTRAINT => last_segment(node, K::CONSTRAINT_NAME_REF)
            .zip(name_in(node, K::CONSTRAINT_NAME))
            .map(|(constraint, to)| Change::RenameConstraint { table: table.clone(), constraint, to }),
        K::TABLE_RENAME_TO => qualified_in(node, K::TABLE_NAME)
            .map(|to| Change::RenameTable { to: table.sibling(to.name), table: table.clone() }),
        K::VALIDATE_CONSTRAINT => last_segment(node, K::CONSTRAINT_NAME_REF)
            .map(|constraint| Change::ValidateConstraint { table: table.clone(), constraint }),
        K::OWNER_TO => child(node, K::ROLE_REF)
            .map(|role| Change::SetOwner { object: table.clone(), owner: role_name(&role) }),
        K::SET_SCHEMA => {
            name_in(node, K::SCHEMA_REF).map(|schema| Change::SetSchema { object: table.clone(), schema })
        }
        K::ATTACH_PARTITION => qualified_in(node, K::TABLE_NAME_REF)
            .zip(bound(parsed, node))
            .map(|(partition, bound)| Change::AttachPartition { table: table.clone(), partition, bound }),
        K::DETACH_PARTITION => {
            qualified_in(node, K::TABLE_NAME_REF).map(|partition| Change::DetachPartition {
                table: table.clone(),
                partition,
                concurrently: has(node, K::DETACH_CONCURRENTLY),
            })
        }
        K::INHERIT_TABLE | K::NO_INHERIT_TABLE => qualified_in(node, K::TABLE_NAME_REF).map(|parent| {
            Change::SetInherit { table: table.clone(), parent, inherit: node.kind() == K::INHERIT_TABLE }
        }),
        K::ENABLE_RLS | K::DISABLE_RLS => Some(Change::SetRowSecurity {
            table: table.clone(),
            enabled: Some(node.kind() == K::ENABLE_RLS),
            forced: None,
        }),
        K::FORCE_RLS | K::NO_FORCE_RLS => Some(Change::SetRowSecurity {
            table: table.clone(),
            enabled: None,
            forced: Some(node.kind() == K::FORCE_RLS),
        }),
        K::REPLICA_IDENTITY => {
            Some(Change::SetReplicaIdentity { table: table.clone(), identity: replica_identity(node) })
        }
        K::ENABLE_TRIGGER | K::ENABLE_ALWAYS_TRIGGER | K::ENABLE_REPLICA_TRIGGER | K::DISABLE_TRIGGER => {
            let target = child(node, K::TRIGGER_REF);
            Some(Change::SetTriggerEnabled {
                table: table.clone(),
                trigger: target.map(|trigger| name(&trigger)),
                enabled: node.kind() != K::DISABLE_TRIGGER,
            })
        }
        K::SET_OPTIONS => {
            Some(Change::SetTableOptions { table: table.clone(), options: options(parsed, node) })
        }
        K::RESET_OPTIONS => Some(Change::SetTableOptions {
            table: table.clone(),
            options: options(parsed, node).into_iter().map(|(key, _)| (key, String::new())).collect(),
        }),
        K::SET_LOGGED => Some(set_option("logged", "true".to_owned())),
        K::SET_UNLOGGED => Some(set_option("logged", "false".to_owned())),
        K::SET_TABLESPACE => {
            name_in(node, K::TABLESPACE_REF).map(|space| set_option("tablespace", space.to_string()))
        }
        K::SET_ACCESS_METHOD => {
            let method =
                name_in(node, K::ACCESS_METHOD_REF).map_or_else(String::new, |name| name.to_string());
            Some(set_option("access_method", method))
        }
        K::CLUSTER_ON => {
            last_segment(node, K::INDEX_REF).map(|index| set_option("cluster", index.to_string()))
        }
        K::SET_WITHOUT_CLUSTER => Some(set_option("cluster", String::new())),
        K::SET_WITHOUT_OIDS
        | K::ENABLE_RULE
        | K::DISABLE_RULE
        | K::ENABLE_ALWAYS_RULE
        | K::ENABLE_REPLICA_RULE
        | K::ALTER_OPTION_LIST => Some(Change::Nothing),
        _ => None,
    };
    changes.push(change.unwrap_or_else(|| unknown("this action of ALTER TABLE is not analysed")));
}

fn last_segment(node: &Node, kind: K) -> Option<Name> {
    segments(&child(node, kind)?).pop()
}

fn replica_identity(node: &Node) -> ReplicaIdentity {
    if has(node, K::REPLICA_IDENTITY_FULL) {
        return ReplicaIdentity::Full;
    }
    if has(node, K::REPLICA_IDENTITY_NOTHING) {
        return ReplicaIdentity::Nothing;
    }
    child(node, K::USING_INDEX_NAME)
        .and_then(|using| child(&using, K::INDEX_REF))
        .map_or(ReplicaIdentity::Default, |index| ReplicaIdentity::Index(qualified(&index).name))
}

fn alter_column(parsed: &Parsed<'_>, table: &QualifiedName, node: &Node) -> Option<Change> {
    let column = name_in(node, K::COLUMN_NAME_REF)?;
    let table = table.clone();
    let option = node.children().find(|child| child.kind() != K::COLUMN_NAME_REF)?;
    Some(match option.kind() {
        K::SET_TYPE => Change::AlterColumnType {
            table,
            column,
            to: types::data_type(parsed.text_of(&type_child(&option)?)),
            collation: child(&option, K::COLLATE).and_then(|collate| collation(&collate)),
            using: child(&option, K::USING_EXPR)
                .and_then(|using| expr_child(&using))
                .map(|using| parsed_expression(parsed, &using)),
        },
        K::SET_NOT_NULL => Change::SetNotNull { table, column, not_null: true },
        K::DROP_NOT_NULL => Change::SetNotNull { table, column, not_null: false },
        K::SET_DEFAULT => Change::SetDefault { table, column, default: default(parsed, &option) },
        K::DROP_DEFAULT => Change::SetDefault { table, column, default: None },
        K::ADD_GENERATED => Change::SetIdentity { table, column, identity: Some(generated_when(&option)) },
        K::SET_GENERATED => Change::SetIdentity { table, column, identity: Some(generated_when(&option)) },
        K::SET_GENERATED_OPTIONS => match child(&option, K::SET_GENERATED) {
            Some(set) => Change::SetIdentity { table, column, identity: Some(generated_when(&set)) },
            None => Change::Nothing,
        },
        K::DROP_IDENTITY => Change::SetIdentity { table, column, identity: None },
        K::DROP_EXPRESSION => Change::DropExpression { table, column },
        K::SET_STATISTICS
        | K::SET_STORAGE
        | K::SET_COMPRESSION
        | K::SET_OPTIONS
        | K::RESET_OPTIONS
        | K::SET_OPTIONS_LIST
        | K::SET_SEQUENCE_OPTION
        | K::RESTART => Change::Nothing,
        _ => return None,
    })
}
