//! Snapshot files: facts written down, to be judged elsewhere or later.

use std::path::Path;

use dbwright_model::facts::{Facts, Origin};
use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, ServiceError};

/// The word by which a snapshot is known.
const KIND: &str = "dbwright snapshot";

/// Version of the form.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Outgoing<'a> {
    kind: &'static str,
    format: u32,
    facts: &'a Facts,
}

#[derive(Deserialize)]
struct Head {
    kind: String,
    format: u32,
}

#[derive(Deserialize)]
struct Incoming {
    facts: Facts,
}

/// The text of a snapshot.
pub fn write(facts: &Facts) -> Result<String, ServiceError> {
    serde_json::to_string_pretty(&Outgoing { kind: KIND, format: FORMAT, facts })
        .map(|text| text + "\n")
        .map_err(|error| {
            ServiceError::new(ErrorKind::Internal, format!("cannot write the snapshot: {error}"))
        })
}

/// Reads a snapshot file.
pub fn read(path: &Path) -> Result<Facts, ServiceError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ServiceError::new(ErrorKind::Connection, format!("cannot read `{}`: {error}", path.display()))
    })?;
    if is_report(&text) {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!("`{}` is a report, not a snapshot", path.display()),
        )
        .hint("`dbwright score explain FILE` tells what its score is made of"));
    }
    parse(&text).map_err(|because| {
        ServiceError::new(ErrorKind::Usage, format!("`{}` is not a snapshot: {because}", path.display()))
            .hint("make one with `dbwright snapshot TARGET --output FILE`")
    })
}

fn is_report(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Report {
        #[serde(rename = "dbwright")]
        _dbwright: String,
        #[serde(rename = "findings")]
        _findings: Vec<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Report>(text).is_ok()
}

/// Reads the text of a snapshot.
pub fn parse(text: &str) -> Result<Facts, String> {
    let head: Head = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if head.kind != KIND {
        return Err(format!("it calls itself `{}`", head.kind));
    }
    if head.format > FORMAT {
        return Err(format!(
            "its format {} is newer than this dbwright, which reads up to {FORMAT}",
            head.format
        ));
    }
    let mut facts = serde_json::from_str::<Incoming>(text).map_err(|error| error.to_string())?.facts;
    facts.source.origin = Origin::Snapshot;
    Ok(facts)
}
