//! Routines, triggers, policies, extensions, rules, extended statistics and publications.

use dbwright_model::catalog::{
    ExtendedStatistics, Extension, Function, FunctionKind, Policy, Publication, PublishedTable, Rule,
    Trigger, Volatility,
};
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

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
        columns: row.texts("columns")?.into_iter().map(Name::new).collect(),
        when: row.opt_text("definition")?.and_then(condition),
        for_each_row: bits & 1 != 0,
        function: Some(qualified(row, "function_schema", "function")?),
        enabled: row.text("enabled")? != "D",
        ..Trigger::default()
    });
    Ok(())
}

/// The condition in the definition of a trigger, which the server prints between `WHEN (` and `) EXECUTE`.
fn condition(definition: &str) -> Option<Expression> {
    let (_, rest) = definition.split_once(" WHEN (")?;
    let end = rest.rfind(") EXECUTE ")?;
    Some(Expression::text(&rest[..end]))
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

pub(super) fn rule(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let event = match row.text("event")? {
        "1" => "SELECT",
        "2" => "UPDATE",
        "3" => "INSERT",
        _ => "DELETE",
    };
    draft.rules.push(Rule {
        name: Name::new(row.text("name")?),
        table: qualified(row, "schema", "relation")?,
        event: event.into(),
        instead: row.bool("instead")?,
        definition: row.opt_text("definition")?.unwrap_or("").trim().trim_end_matches(';').to_owned(),
        enabled: row.text("enabled")? != "D",
    });
    Ok(())
}

pub(super) fn extended_statistics(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let names = |column| -> Result<Vec<Name>, DecodeError> {
        Ok(row.texts(column)?.into_iter().map(Name::new).collect())
    };
    let mut kinds: Vec<Name> = row
        .texts("kinds")?
        .into_iter()
        .filter_map(|kind| match kind {
            "d" => Some("ndistinct"),
            "f" => Some("dependencies"),
            "m" => Some("mcv"),
            _ => None,
        })
        .map(Name::new)
        .collect();
    kinds.sort();
    if kinds.len() == 3 {
        // All of them is what an unsaid list means.
        kinds.clear();
    }
    draft.extended_statistics.push(ExtendedStatistics {
        name: qualified(row, "schema", "name")?,
        table: qualified(row, "table_schema", "relation")?,
        kinds,
        columns: names("columns")?,
        expressions: row.texts("expressions")?.into_iter().map(Expression::text).collect(),
        target: row.opt_int("target")?.and_then(|target| i32::try_from(target).ok()),
    });
    Ok(())
}

pub(super) fn publication(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let name = Name::new(row.text("name")?);
    let at = match draft.publications.iter().position(|publication| publication.name == name) {
        Some(at) => at,
        None => {
            draft.publications.push(bare_publication(row, name)?);
            draft.publications.len() - 1
        }
    };
    if let (Some(schema), Some(relation)) = (row.opt_text("schema")?, row.opt_text("relation")?) {
        draft.publications[at].tables.push(PublishedTable {
            table: QualifiedName::new(schema, relation),
            columns: row.texts("columns")?.into_iter().map(Name::new).collect(),
            filter: row.opt_text("filter")?.map(Expression::text),
            only: false,
        });
    }
    Ok(())
}

/// A publication without its tables.
fn bare_publication(row: &Row, name: Name) -> Result<Publication, DecodeError> {
    let mut options = Vec::new();
    let operations = [
        ("insert", row.bool("inserts")?),
        ("update", row.bool("updates")?),
        ("delete", row.bool("deletes")?),
        ("truncate", row.bool("truncates")?),
    ];
    if operations.iter().any(|(_, published)| !published) {
        let published: Vec<&str> =
            operations.iter().filter(|(_, published)| *published).map(|(word, _)| *word).collect();
        options.push((Name::new("publish"), published.join(", ")));
    }
    if row.bool("via_root")? {
        options.push((Name::new("publish_via_partition_root"), "true".to_owned()));
    }
    Ok(Publication {
        name,
        all_tables: row.bool("all_tables")?,
        schemas: row.texts("schemas")?.into_iter().map(Name::new).collect(),
        tables: Vec::new(),
        updates_or_deletes: row.bool("updates")? || row.bool("deletes")?,
        options,
    })
}
