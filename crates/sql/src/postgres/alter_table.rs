//! `ALTER TABLE` of PostgreSQL, one change per action.

use dbwright_model::catalog::ReplicaIdentity;
use dbwright_model::change::{
    AlterClauses, Change, ColumnPosition, ConstraintChanges, DroppedConstraint, Firing, ObjectKind,
    SequenceChanges,
};
use dbwright_model::name::{Name, QualifiedName};

use super::create_table::{
    bound, collation, column, constraint, constraint_change, default, generated_when, options, user_type,
};
use super::expression::parsed_expression;
use super::object::sequence_changes;
use super::parse::{opaque, role_name};
use super::query;
use super::syntax::{
    K, Node, Parsed, child, expr_child, has, last_token, name, name_in, qualified, qualified_in, segments,
    type_child,
};
use super::types;

pub(super) fn alter_table(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(table) = query::target(node) else { return vec![opaque(node, "no table is named")] };
    let kind =
        if node.kind() == K::ALTER_FOREIGN_TABLE { ObjectKind::ForeignTable } else { ObjectKind::Table };
    let mut changes = Vec::new();
    for part in node.children() {
        if matches!(part.kind(), K::TABLE_RELATION_NAME | K::RELATION_NAME | K::IF_EXISTS) {
            continue;
        }
        action(parsed, &table, &kind, &part, &mut changes);
    }
    if changes.is_empty() {
        changes.push(opaque(node, "no action is understood"));
    }
    with_clauses(node, changes)
}

/// `ONLY` and `IF EXISTS` of the statement at every change that it makes.
fn with_clauses(node: &Node, mut changes: Vec<Change>) -> Vec<Change> {
    let relation = child(node, K::TABLE_RELATION_NAME).or_else(|| child(node, K::RELATION_NAME));
    let clauses = AlterClauses {
        only: relation.is_some_and(|relation| has(&relation, K::ONLY_KW)),
        if_exists: has(node, K::IF_EXISTS),
        ..AlterClauses::default()
    };
    for alter in changes.iter_mut().filter_map(Change::alter_mut) {
        alter.clone_from(&clauses);
    }
    changes
}

/// The head of an `ALTER TABLE` up to the table's name, and its actions one by one as statements of their own: so that
/// one that is not understood does not hide those after it.
pub(super) fn single_actions(parsed: &Parsed<'_>, node: &Node) -> Vec<String> {
    let Some(relation) = child(node, K::TABLE_RELATION_NAME) else { return Vec::new() };
    let Some(end) = last_token(&relation).map(|token| usize::from(token.text_range().end())) else {
        return Vec::new();
    };
    let (head, rest) = parsed.text.split_at(end);
    let actions = top_level_parts(rest.trim_end().trim_end_matches(';'));
    if actions.len() < 2 {
        return Vec::new();
    }
    actions.into_iter().map(|action| format!("{head} {}", action.trim())).collect()
}

/// The parts of a text between commas outside of parentheses and quotes.
fn top_level_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut quote: Option<char> = None;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

pub(super) fn alter_materialized_view(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(view) = qualified_in(node, K::VIEW_REF) else { return vec![opaque(node, "no view is named")] };
    let if_exists = has(node, K::IF_EXISTS);
    let mut changes = Vec::new();
    for part in node.children() {
        match part.kind() {
            K::VIEW_REF | K::IF_EXISTS | K::DEPENDS_ON_EXTENSION | K::NO_DEPENDS_ON_EXTENSION => {}
            K::VIEW_RENAME_TO => changes.push(match qualified_in(&part, K::VIEW) {
                Some(to) => Change::RenameObject {
                    kind: ObjectKind::MaterializedView,
                    object: view.clone(),
                    table: None,
                    to: to.name,
                },
                None => opaque(node, "no new name is given"),
            }),
            K::SET_OPTIONS | K::RESET_OPTIONS => changes.push(Change::SetViewOptions {
                name: view.clone(),
                options: set_or_reset(parsed, &part),
                materialized: true,
                if_exists,
            }),
            _ => action(parsed, &view, &ObjectKind::MaterializedView, &part, &mut changes),
        }
    }
    if changes.is_empty() {
        changes.push(Change::Nothing);
    }
    with_clauses(node, changes)
}

/// The options of a `SET (...)`, or those of a `RESET (...)` without their values.
pub(super) fn set_or_reset(parsed: &Parsed<'_>, node: &Node) -> Vec<(Name, String)> {
    let mut found = options(parsed, node);
    if node.kind() == K::RESET_OPTIONS {
        found.iter_mut().for_each(|(_, value)| value.clear());
    }
    found
}

/// Lowers one action of `ALTER TABLE`.
fn action(
    parsed: &Parsed<'_>,
    table: &QualifiedName,
    kind: &ObjectKind,
    node: &Node,
    changes: &mut Vec<Change>,
) {
    let table = table.clone();
    let unknown =
        |because: &str| Change::Opaque { because: because.to_owned(), touches: vec![table.clone()] };
    if let Some(message) = parsed.error_in(node) {
        changes.push(unknown(message));
        return;
    }
    let alter = AlterClauses::default();
    let cascade = has(node, K::CASCADE);
    let if_exists = has(node, K::IF_EXISTS);
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
                alter,
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
            alter,
        }),
        K::DROP_CONSTRAINT => {
            last_segment(node, K::CONSTRAINT_NAME_REF).map(|constraint| Change::DropConstraint {
                table: table.clone(),
                constraint: DroppedConstraint::Named(constraint),
                if_exists,
                cascade,
                alter,
            })
        }
        K::ALTER_CONSTRAINT => {
            last_segment(node, K::CONSTRAINT_NAME_REF).map(|constraint| Change::AlterConstraint {
                table: table.clone(),
                constraint,
                changes: constraint_changes(node),
                alter,
            })
        }
        K::RENAME_COLUMN => name_in(node, K::COLUMN_NAME_REF)
            .zip(name_in(node, K::COLUMN_NAME))
            .map(|(column, to)| Change::RenameColumn { table: table.clone(), column, to, alter }),
        K::RENAME_CONSTRAINT => last_segment(node, K::CONSTRAINT_NAME_REF)
            .zip(name_in(node, K::CONSTRAINT_NAME))
            .map(|(constraint, to)| Change::RenameConstraint { table: table.clone(), constraint, to, alter }),
        K::TABLE_RENAME_TO => qualified_in(node, K::TABLE_NAME).map(|to| Change::RenameTable {
            to: table.sibling(to.name),
            table: table.clone(),
            alter,
        }),
        K::VALIDATE_CONSTRAINT => last_segment(node, K::CONSTRAINT_NAME_REF)
            .map(|constraint| Change::ValidateConstraint { table: table.clone(), constraint, alter }),
        K::OWNER_TO => child(node, K::ROLE_REF).map(|role| Change::SetOwner {
            kind: kind.clone(),
            object: table.clone(),
            owner: role_name(&role),
            alter,
        }),
        K::SET_SCHEMA => name_in(node, K::SCHEMA_REF).map(|schema| Change::SetSchema {
            kind: kind.clone(),
            object: table.clone(),
            schema,
            alter,
        }),
        K::ATTACH_PARTITION => {
            qualified_in(node, K::TABLE_NAME_REF).zip(bound(parsed, node)).map(|(partition, bound)| {
                Change::AttachPartition { table: table.clone(), partition, bound, alter }
            })
        }
        K::DETACH_PARTITION => {
            qualified_in(node, K::TABLE_NAME_REF).map(|partition| Change::DetachPartition {
                table: table.clone(),
                partition,
                concurrently: has(node, K::DETACH_CONCURRENTLY),
                finalize: has(node, K::DETACH_FINALIZE),
                alter,
            })
        }
        K::INHERIT_TABLE | K::NO_INHERIT_TABLE => {
            qualified_in(node, K::TABLE_NAME_REF).map(|parent| Change::SetInherit {
                table: table.clone(),
                parent,
                inherit: node.kind() == K::INHERIT_TABLE,
                alter,
            })
        }
        K::OF_TYPE => user_type(parsed, node).map(|of_type| Change::SetOfType {
            table: table.clone(),
            of_type: Some(of_type),
            alter,
        }),
        K::NOT_OF => Some(Change::SetOfType { table: table.clone(), of_type: None, alter }),
        K::ENABLE_RLS | K::DISABLE_RLS => Some(Change::SetRowSecurity {
            table: table.clone(),
            enabled: Some(node.kind() == K::ENABLE_RLS),
            forced: None,
            alter,
        }),
        K::FORCE_RLS | K::NO_FORCE_RLS => Some(Change::SetRowSecurity {
            table: table.clone(),
            enabled: None,
            forced: Some(node.kind() == K::FORCE_RLS),
            alter,
        }),
        K::REPLICA_IDENTITY => {
            Some(Change::SetReplicaIdentity { table: table.clone(), identity: replica_identity(node), alter })
        }
        K::ENABLE_TRIGGER | K::ENABLE_ALWAYS_TRIGGER | K::ENABLE_REPLICA_TRIGGER | K::DISABLE_TRIGGER => {
            Some(Change::SetTriggerEnabled {
                table: table.clone(),
                trigger: child(node, K::TRIGGER_REF).map(|trigger| name(&trigger)),
                enabled: node.kind() != K::DISABLE_TRIGGER,
                firing: firing(node),
                user: has(node, K::USER),
                alter,
            })
        }
        K::ENABLE_RULE | K::DISABLE_RULE | K::ENABLE_ALWAYS_RULE | K::ENABLE_REPLICA_RULE => {
            name_in(node, K::RULE_REF).map(|rule| Change::SetRuleEnabled {
                table: table.clone(),
                rule,
                enabled: node.kind() != K::DISABLE_RULE,
                firing: firing(node),
                alter,
            })
        }
        K::SET_OPTIONS | K::RESET_OPTIONS => {
            Some(Change::SetTableOptions { table: table.clone(), options: set_or_reset(parsed, node), alter })
        }
        K::SET_LOGGED | K::SET_UNLOGGED => Some(Change::SetLogged {
            table: table.clone(),
            kind: kind.clone(),
            logged: node.kind() == K::SET_LOGGED,
            alter,
        }),
        K::SET_TABLESPACE => name_in(node, K::TABLESPACE_REF).map(|tablespace| Change::SetTablespace {
            object: table.clone(),
            kind: kind.clone(),
            tablespace,
            alter,
        }),
        K::SET_ACCESS_METHOD => Some(Change::SetAccessMethod {
            table: table.clone(),
            method: name_in(node, K::ACCESS_METHOD_REF),
            alter,
        }),
        K::CLUSTER_ON => last_segment(node, K::INDEX_REF).map(|index| Change::SetCluster {
            table: table.clone(),
            index: Some(index),
            alter,
        }),
        K::SET_WITHOUT_CLUSTER => Some(Change::SetCluster { table: table.clone(), index: None, alter }),
        K::ALTER_OPTION_LIST => Some(Change::SetForeignOptions { table: table.clone(), column: None, alter }),
        // No supported server keeps such rows.
        K::SET_WITHOUT_OIDS => Some(Change::Nothing),
        _ => None,
    };
    changes.push(change.unwrap_or_else(|| unknown("this action of ALTER TABLE is not analysed")));
}

fn firing(node: &Node) -> Firing {
    match node.kind() {
        K::ENABLE_REPLICA_TRIGGER | K::ENABLE_REPLICA_RULE => Firing::Replica,
        K::ENABLE_ALWAYS_TRIGGER | K::ENABLE_ALWAYS_RULE => Firing::Always,
        _ => Firing::Origin,
    }
}

fn constraint_changes(node: &Node) -> ConstraintChanges {
    let said = |yes, no| if has(node, yes) { Some(true) } else { has(node, no).then_some(false) };
    ConstraintChanges {
        deferrable: said(K::DEFERRABLE_CONSTRAINT_OPTION, K::NOT_DEFERRABLE_CONSTRAINT_OPTION),
        initially_deferred: said(
            K::INITIALLY_DEFERRED_CONSTRAINT_OPTION,
            K::INITIALLY_IMMEDIATE_CONSTRAINT_OPTION,
        ),
        enforced: said(K::ENFORCED, K::NOT_ENFORCED),
        inherit: said(K::INHERIT, K::NO_INHERIT),
    }
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
    let alter = AlterClauses::default();
    let option = node.children().find(|child| child.kind() != K::COLUMN_NAME_REF)?;
    let if_exists = has(&option, K::IF_EXISTS);
    Some(match option.kind() {
        K::SET_TYPE => Change::AlterColumnType {
            table,
            column,
            to: types::data_type(parsed.text_of(&type_child(&option)?)),
            collation: child(&option, K::COLLATE).and_then(|collate| collation(&collate)),
            using: child(&option, K::USING_EXPR)
                .and_then(|using| expr_child(&using))
                .map(|using| parsed_expression(parsed, &using)),
            alter,
        },
        K::SET_NOT_NULL => Change::SetNotNull { table, column, not_null: true, alter },
        K::DROP_NOT_NULL => Change::SetNotNull { table, column, not_null: false, alter },
        K::SET_DEFAULT => Change::SetDefault { table, column, default: default(parsed, &option), alter },
        K::DROP_DEFAULT => Change::SetDefault { table, column, default: None, alter },
        K::ADD_GENERATED => Change::SetIdentity {
            table,
            column,
            identity: Some(generated_when(&option)),
            options: child(&option, K::SEQUENCE_OPTION_LIST)
                .map(|list| sequence_changes(parsed, &list))
                .unwrap_or_default(),
            if_exists: false,
            alter,
        },
        K::SET_GENERATED | K::SET_SEQUENCE_OPTION | K::RESTART | K::SET_GENERATED_OPTIONS => {
            let mut identity = None;
            let mut options = SequenceChanges::default();
            let parts: Vec<Node> = match option.kind() {
                K::SET_GENERATED_OPTIONS => option.children().collect(),
                _ => vec![option],
            };
            for part in &parts {
                match part.kind() {
                    K::SET_GENERATED => identity = Some(generated_when(part)),
                    K::RESTART => {
                        options.restart = true;
                        options.restart_with = expr_child(part)
                            .and_then(|value| parsed.text_of(&value).replace(' ', "").parse().ok());
                    }
                    _ => merge(&mut options, sequence_changes(parsed, part)),
                }
            }
            Change::AlterIdentity { table, column, identity, options, alter }
        }
        K::DROP_IDENTITY => Change::SetIdentity {
            table,
            column,
            identity: None,
            options: SequenceChanges::default(),
            if_exists,
            alter,
        },
        K::DROP_EXPRESSION => Change::DropExpression { table, column, if_exists, alter },
        K::SET_EXPRESSION => Change::SetExpression {
            table,
            column,
            expression: parsed_expression(parsed, &expr_child(&option)?),
            alter,
        },
        K::SET_STATISTICS => {
            Change::SetStatisticsTarget { table, column, target: statistics_target(parsed, &option), alter }
        }
        K::SET_STORAGE => Change::SetStorage {
            table,
            column,
            storage: lower_text(parsed, &option, K::STORAGE_MODE)?,
            alter,
        },
        K::SET_COMPRESSION => Change::SetCompression {
            table,
            column,
            compression: lower_text(parsed, &option, K::COMPRESSION_METHOD_NAME)?,
            alter,
        },
        K::SET_OPTIONS | K::RESET_OPTIONS => {
            Change::SetColumnOptions { table, column, options: set_or_reset(parsed, &option), alter }
        }
        K::SET_OPTIONS_LIST | K::ALTER_OPTION_LIST => {
            Change::SetForeignOptions { table, column: Some(column), alter }
        }
        _ => return None,
    })
}

/// The target of a `SET STATISTICS`; `None` for the default.
pub(super) fn statistics_target(parsed: &Parsed<'_>, node: &Node) -> Option<i32> {
    let text: String = parsed.text_of(&expr_child(node)?).split_whitespace().collect();
    text.parse().ok().filter(|target| *target >= 0)
}

fn lower_text(parsed: &Parsed<'_>, node: &Node, kind: K) -> Option<Name> {
    child(node, kind).map(|child| Name::from(parsed.text_of(&child).to_ascii_lowercase()))
}

/// Adds the clauses that were said later.
fn merge(into: &mut SequenceChanges, more: SequenceChanges) {
    let SequenceChanges {
        data_type,
        increment,
        min,
        max,
        cycle,
        owned_by,
        rename,
        start,
        restart_with,
        restart,
        no_min,
        no_max,
        cache,
        name,
    } = more;
    into.data_type = data_type.or(into.data_type.take());
    into.increment = increment.or(into.increment);
    into.min = min.or(into.min);
    into.max = max.or(into.max);
    into.cycle = cycle.or(into.cycle);
    into.owned_by = owned_by.or(into.owned_by.take());
    into.rename = rename.or(into.rename.take());
    into.start = start.or(into.start);
    into.restart_with = restart_with.or(into.restart_with);
    into.restart |= restart;
    into.no_min |= no_min;
    into.no_max |= no_max;
    into.cache = cache.or(into.cache);
    into.name = name.or(into.name.take());
}
