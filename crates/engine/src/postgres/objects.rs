//! Routines, triggers, policies and extensions.

use dbwright_model::catalog::{Extension, Function, FunctionKind, Policy, Trigger, Volatility};
use dbwright_model::expression::Expression;
use dbwright_model::name::Name;

use super::catalog::{options, qualified};
use super::draft::Draft;
use crate::row::{DecodeError, Row};

pub(super) fn function(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    draft.functions.push(Function {
        name: qualified(row, "schema", "name")?,
        arguments: row.text("arguments")?.to_owned(),
        returns: row.opt_text("returns")?.unwrap_or("").to_owned(),
        kind: match row.text("kind")? {
            "p" => FunctionKind::Procedure,
            "a" => FunctionKind::Aggregate,
            "w" => FunctionKind::Window,
            _ => FunctionKind::Function,
        },
        language: Name::new(row.text("language")?),
        volatility: match row.text("volatility")? {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        security_definer: row.bool("security_definer")?,
        leakproof: row.bool("leakproof")?,
        settings: options(row, "settings")?,
        body: row.opt_text("body")?.unwrap_or("").to_owned(),
        owner: row.opt_text("owner")?.map(Name::new),
        extension: row.opt_text("extension")?.map(Name::new),
    });
    Ok(())
}

pub(super) fn trigger(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let bits = row.int("bits")?;
    let timing = match bits {
        bits if bits & 64 != 0 => "INSTEAD OF",
        bits if bits & 2 != 0 => "BEFORE",
        _ => "AFTER",
    };
    let events = [(8, "DELETE"), (4, "INSERT"), (32, "TRUNCATE"), (16, "UPDATE")];
    draft.triggers.push(Trigger {
        name: Name::new(row.text("name")?),
        table: qualified(row, "schema", "relation")?,
        timing: timing.into(),
        events: events.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, event)| Name::new(event)).collect(),
        for_each_row: bits & 1 != 0,
        function: Some(qualified(row, "function_schema", "function")?),
        enabled: row.text("enabled")? != "D",
        ..Trigger::default()
    });
    Ok(())
}

pub(super) fn policy(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let command = match row.text("command")? {
        "r" => "SELECT",
        "a" => "INSERT",
        "w" => "UPDATE",
        "d" => "DELETE",
        _ => "ALL",
    };
    draft.policies.push(Policy {
        name: Name::new(row.text("name")?),
        table: qualified(row, "schema", "relation")?,
        permissive: row.bool("permissive")?,
        command: command.into(),
        roles: row.texts("roles")?.into_iter().map(Name::new).collect(),
        using: row.opt_text("using")?.map(Expression::text),
        check: row.opt_text("check")?.map(Expression::text),
    });
    Ok(())
}

pub(super) fn extension(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    draft.extensions.push(Extension {
        name: Name::new(row.text("name")?),
        schema: Name::new(row.text("schema")?),
        version: row.opt_text("version")?.map(Name::new),
        available: row.opt_text("available")?.map(Name::new),
    });
    Ok(())
}
