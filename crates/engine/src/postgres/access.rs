//! Roles, granted rights, client authentication, user mappings and publications.

use dbwright_model::access::{Grant, GrantObject, HbaRule, Membership, PasswordStorage, Role, UserMapping};
use dbwright_model::name::Name;

use super::catalog::{options, qualified};
use super::draft::Draft;
use crate::row::{DecodeError, Row, Value};

fn names(row: &Row, column: &str) -> Result<Vec<Name>, DecodeError> {
    Ok(row.texts(column)?.into_iter().map(Name::new).collect())
}

pub(super) fn role(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let flags = |column: &str| -> Result<Vec<bool>, DecodeError> {
        Ok(match row.value(column)? {
            Value::List(flags) => flags.iter().map(|flag| *flag == Value::Bool(true)).collect(),
            _ => Vec::new(),
        })
    };
    let (inherits, admin) = (flags("member_inherits")?, flags("member_admin")?);
    let mut member_of: Vec<Membership> = Vec::new();
    for (at, role) in row.texts("member_of")?.into_iter().enumerate() {
        let (inherits, admin) = (inherits.get(at) == Some(&true), admin.get(at) == Some(&true));
        // One role may be granted by several grantors; the strongest grant counts.
        match member_of.last_mut().filter(|last| last.role == *role) {
            Some(last) => {
                last.inherits |= inherits;
                last.admin |= admin;
            }
            None => member_of.push(Membership { role: Name::new(role), inherits, admin }),
        }
    }
    draft.roles.push(Role {
        name: Name::new(row.text("name")?),
        login: row.bool("login")?,
        superuser: row.bool("superuser")?,
        create_role: row.bool("create_role")?,
        create_database: row.bool("create_database")?,
        replication: row.bool("replication")?,
        bypass_row_security: row.bool("bypass_row_security")?,
        connection_limit: row.opt_int("connection_limit")?.and_then(|limit| u32::try_from(limit).ok()),
        valid_until: row.opt_text("valid_until")?.map(str::to_owned),
        password: match row.opt_text("password")? {
            Some("none") => PasswordStorage::None,
            Some("strong") => PasswordStorage::Strong,
            Some("weak") => PasswordStorage::Weak,
            _ => PasswordStorage::Unknown,
        },
        member_of,
        settings: options(row, "settings")?,
    });
    Ok(())
}

pub(super) fn privilege(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let object_kind = match row.text("kind")? {
        "database" => GrantObject::Database,
        "schema" => GrantObject::Schema,
        "table" => GrantObject::Table,
        "column" => GrantObject::Column,
        "sequence" => GrantObject::Sequence,
        "function" => GrantObject::Function,
        "default_r" => GrantObject::DefaultTable,
        "default_f" => GrantObject::DefaultFunction,
        kind if kind.starts_with("default_") => GrantObject::DefaultOther,
        _ => GrantObject::Other,
    };
    draft.privileges.grants.push(Grant {
        object_kind,
        object: qualified(row, "schema", "name")?,
        grantee: Name::new(row.text("grantee")?),
        privilege: Name::new(row.text("privilege")?),
        grantable: row.bool("grantable")?,
    });
    Ok(())
}

pub(super) fn hba_rule(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let opt_name = |column| -> Result<Option<Name>, DecodeError> { Ok(row.opt_text(column)?.map(Name::new)) };
    draft.hba.rules.push(HbaRule {
        line: row.opt_int("line")?.and_then(|line| u32::try_from(line).ok()).unwrap_or(0),
        file: row.opt_text("file")?.map(str::to_owned),
        // A line in error has none of these.
        connection: opt_name("connection")?.unwrap_or_default(),
        databases: names(row, "databases")?,
        users: names(row, "users")?,
        address: opt_name("address")?,
        netmask: opt_name("netmask")?,
        method: opt_name("method")?.unwrap_or_default(),
        options: names(row, "options")?,
        error: row.opt_text("error")?.map(str::to_owned),
    });
    Ok(())
}

pub(super) fn user_mapping(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    draft.user_mappings.push(UserMapping {
        server: Name::new(row.text("server")?),
        user: Name::new(row.opt_text("user")?.unwrap_or("")),
        options: match row.bool("readable")? {
            true => Some(names(row, "options")?),
            false => None,
        },
    });
    Ok(())
}
