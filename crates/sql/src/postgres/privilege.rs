//! `GRANT`, `REVOKE` and `ALTER DEFAULT PRIVILEGES` of PostgreSQL.

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};

use super::object::{argument_types, function_with_arguments};
use super::parse::{opaque, role_name, upper_words};
use super::syntax::{K, Node, Parsed, child, children, first_token, has, name, qualified};

/// `GRANT` and `REVOKE`: one change per privilege, object and grantee.
pub(super) fn grant(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(objects) = child(node, K::ON_PRIVILEGE_OBJECTS_CLAUSE).and_then(|on| on.children().next())
    else {
        return membership(parsed, node);
    };
    let (kind, objects) = objects_of(parsed, &objects);
    let granted = node.kind() == K::GRANT;
    let option_only = has(node, K::GRANT_OPTION_FOR);
    let grantable =
        granted && child(node, K::GRANT_WITH_CLAUSE).is_some_and(|with| has(&with, K::GRANT_OPTION));
    let grantees = roles(node);
    let mut changes = Vec::new();
    for (privilege, columns) in privileges(node, kind) {
        for object in &objects {
            let mut targets = Vec::new();
            if columns.is_empty() {
                targets.push((kind, object.clone()));
            }
            for column in &columns {
                targets.push((GrantObject::Column, object.sibling(format!("{}.{column}", object.name))));
            }
            for (object_kind, object) in targets {
                for grantee in &grantees {
                    changes.push(Change::SetGrant {
                        cascade: has(node, K::CASCADE),
                        for_role: None,
                        grant: Grant {
                            object_kind,
                            object: object.clone(),
                            grantee: grantee.clone(),
                            privilege: privilege.clone(),
                            grantable,
                        },
                        granted: granted || option_only,
                    });
                }
            }
        }
    }
    if changes.is_empty() {
        changes.push(opaque(node, "the rights are not understood"));
    }
    changes
}

/// `GRANT role TO member`: membership of one role in another is no right on an object.
fn membership(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let granted = node.kind() == K::GRANT;
    let with = child(node, K::GRANT_WITH_CLAUSE).map(|with| parsed.text_of(&with).to_ascii_lowercase());
    let admin = with.is_some_and(|with| {
        with.contains("admin") && !with.contains("admin false") && !with.contains("admin off")
    });
    let members = roles(node);
    let mut changes = Vec::new();
    for command in
        child(node, K::REVOKE_COMMAND_LIST).iter().flat_map(|list| children(list, K::REVOKE_COMMAND))
    {
        let role = role_name(&command);
        for member in members.iter().filter(|_| !role.is_empty()) {
            changes.push(Change::SetMembership {
                role: role.clone(),
                member: member.clone(),
                granted,
                admin,
            });
        }
    }
    if changes.is_empty() {
        changes.push(Change::Nothing);
    }
    changes
}

pub(super) fn default_privileges(node: &Node) -> Vec<Change> {
    let Some(action) =
        child(node, K::GRANT_DEFAULT_PRIVILEGES).or_else(|| child(node, K::REVOKE_DEFAULT_PRIVILEGES))
    else {
        return vec![opaque(node, "the default rights are not understood")];
    };
    let (kind, expanded) = if has(&action, K::PRIVILEGE_TARGET_TABLES) {
        (GrantObject::DefaultTable, GrantObject::Table)
    } else if has(&action, K::PRIVILEGE_TARGET_FUNCTIONS) || has(&action, K::PRIVILEGE_TARGET_ROUTINES) {
        (GrantObject::DefaultFunction, GrantObject::Function)
    } else if has(&action, K::PRIVILEGE_TARGET_SEQUENCES) {
        (GrantObject::DefaultOther, GrantObject::Sequence)
    } else if has(&action, K::PRIVILEGE_TARGET_SCHEMAS) {
        (GrantObject::DefaultOther, GrantObject::Schema)
    } else {
        (GrantObject::DefaultOther, GrantObject::Other)
    };
    let mut schemas: Vec<Name> = child(node, K::IN_SCHEMAS)
        .iter()
        .flat_map(|list| children(list, K::SCHEMA_REF))
        .map(|schema| name(&schema))
        .collect();
    if schemas.is_empty() {
        schemas.push(Name::DEFAULT);
    }
    let granted = action.kind() == K::GRANT_DEFAULT_PRIVILEGES;
    let option_only = has(&action, K::GRANT_OPTION_FOR);
    let grantable =
        granted && child(&action, K::GRANT_WITH_CLAUSE).is_some_and(|with| has(&with, K::GRANT_OPTION));
    let mut owners: Vec<Option<Name>> = child(node, K::FOR_ROLES)
        .and_then(|clause| child(&clause, K::ROLE_REF_LIST))
        .iter()
        .flat_map(|list| children(list, K::ROLE_REF))
        .map(|role| Some(role_name(&role)))
        .collect();
    if owners.is_empty() {
        owners.push(None);
    }
    let mut changes = Vec::new();
    for (owner, (privilege, _)) in owners
        .iter()
        .flat_map(|owner| privileges(&action, expanded).into_iter().map(move |privilege| (owner, privilege)))
    {
        for schema in &schemas {
            for grantee in roles(&action) {
                changes.push(Change::SetGrant {
                    cascade: has(&action, K::CASCADE),
                    for_role: owner.clone(),
                    grant: Grant {
                        object_kind: kind,
                        object: QualifiedName { schema: schema.clone(), name: Name::DEFAULT },
                        grantee,
                        privilege: privilege.clone(),
                        grantable,
                    },
                    granted: granted || option_only,
                });
            }
        }
    }
    changes
}

/// The roles that a statement grants to or revokes from.
fn roles(node: &Node) -> Vec<Name> {
    child(node, K::ROLE_REF_LIST)
        .iter()
        .flat_map(|list| children(list, K::ROLE_REF))
        .map(|role| role_name(&role))
        .collect()
}

/// The privileges of a statement in upper case, each with the columns it is limited to.
fn privileges(node: &Node, kind: GrantObject) -> Vec<(Name, Vec<Name>)> {
    let columns = |node: &Node| -> Vec<Name> {
        child(node, K::COLUMN_REF_LIST)
            .iter()
            .flat_map(|list| children(list, K::COLUMN_NAME_REF))
            .map(|column| name(&column))
            .collect()
    };
    if let Some(all) = child(node, K::ALL_PRIVILEGES) {
        let limited = columns(&all);
        let kind = if limited.is_empty() { kind } else { GrantObject::Column };
        return every_privilege(kind)
            .iter()
            .map(|privilege| (Name::new(privilege), limited.clone()))
            .collect();
    }
    child(node, K::REVOKE_COMMAND_LIST)
        .iter()
        .flat_map(|list| children(list, K::REVOKE_COMMAND))
        .map(|command| {
            let mut words = upper_words(&command);
            if words.is_empty() {
                words =
                    first_token(&command).map(|token| token.text().to_ascii_uppercase()).unwrap_or_default();
            }
            if words == "TEMP" {
                words = "TEMPORARY".to_owned();
            }
            (Name::from(words), columns(&command))
        })
        .collect()
}

/// What `ALL` means for a kind of object on every supported version.
fn every_privilege(kind: GrantObject) -> &'static [&'static str] {
    match kind {
        GrantObject::Table | GrantObject::DefaultTable => {
            &["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
        }
        GrantObject::Column => &["SELECT", "INSERT", "UPDATE", "REFERENCES"],
        GrantObject::Sequence => &["USAGE", "SELECT", "UPDATE"],
        GrantObject::Function | GrantObject::DefaultFunction => &["EXECUTE"],
        GrantObject::Schema => &["USAGE", "CREATE"],
        GrantObject::Database => &["CREATE", "CONNECT", "TEMPORARY"],
        _ => &["USAGE"],
    }
}

/// The objects of a statement. All objects of a schema are the name `*` in it.
fn objects_of(parsed: &Parsed<'_>, node: &Node) -> (GrantObject, Vec<QualifiedName>) {
    let in_schemas = |kind| {
        let all = children(node, K::SCHEMA_REF)
            .map(|schema| QualifiedName { schema: name(&schema), name: Name::new("*") })
            .collect();
        (kind, all)
    };
    let bare = |kind, reference| {
        (kind, children(node, reference).map(|object| QualifiedName::bare(name(&object))).collect())
    };
    let named =
        |kind, reference| (kind, children(node, reference).map(|object| qualified(&object)).collect());
    match node.kind() {
        K::PRIVILEGE_DEFAULT | K::PRIVILEGE_TABLE => named(GrantObject::Table, K::RELATION_NAME_REF),
        K::PRIVILEGE_ALL_TABLES_IN_SCHEMA => in_schemas(GrantObject::Table),
        K::PRIVILEGE_SEQUENCE => named(GrantObject::Sequence, K::SEQUENCE_REF),
        K::PRIVILEGE_ALL_SEQUENCES_IN_SCHEMA => in_schemas(GrantObject::Sequence),
        K::PRIVILEGE_SCHEMA => bare(GrantObject::Schema, K::SCHEMA_REF),
        K::PRIVILEGE_DATABASE => bare(GrantObject::Database, K::DATABASE_REF),
        K::PRIVILEGE_ALL_FUNCTIONS_IN_SCHEMA
        | K::PRIVILEGE_ALL_PROCEDURES_IN_SCHEMA
        | K::PRIVILEGE_ALL_ROUTINES_IN_SCHEMA => in_schemas(GrantObject::Function),
        K::PRIVILEGE_FUNCTION | K::PRIVILEGE_PROCEDURE | K::PRIVILEGE_ROUTINE => {
            let signatures = node
                .descendants()
                .filter(|node| matches!(node.kind(), K::FUNCTION_SIG | K::PROCEDURE_SIG | K::ROUTINE_SIG))
                .filter_map(|signature| {
                    let name = qualified(&signature.children().next()?);
                    let arguments =
                        child(&signature, K::PARAM_LIST).map(|list| argument_types(parsed, &list));
                    Some(function_with_arguments(&name, arguments.as_deref()))
                })
                .collect();
            (GrantObject::Function, signatures)
        }
        _ => (
            GrantObject::Other,
            node.children().map(|object| qualified(&object)).filter(|name| !name.name.is_empty()).collect(),
        ),
    }
}
