//! `dbwright.toml`: the target, options of rules, suppressions, and what is declared about backups.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dbwright_engine::redact::redacted;
use dbwright_model::backup::RestoreProof;
use dbwright_model::finding::Level;
use dbwright_rules::Options;
use dbwright_rules::rule::{ChosenValue, OptionValue};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::error::{ErrorKind, ServiceError};
use crate::target::is_connection_string;

/// The name of the file.
pub const FILE_NAME: &str = "dbwright.toml";

/// The settings of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Where it was read from; `None` for the defaults.
    pub path: Option<PathBuf>,
    /// The target, when none is named on the command line.
    pub target: Option<String>,
    /// The folder of migrations, for the migration dimension.
    pub migrations: Option<PathBuf>,
    /// The table in which the runner keeps what it has applied, where it is not the usual one.
    pub history_table: Option<String>,
    /// Lowest level that is reported.
    pub level: Option<Level>,
    /// Lowest level that makes the command fail.
    pub fail_on: Option<Level>,
    /// Rules that are not run.
    pub skip: Vec<String>,
    /// Preview rules that are run.
    pub preview: Vec<String>,
    /// Options of rules.
    pub options: Options,
    /// Accepted findings.
    pub suppressions: Vec<Suppression>,
    /// Proofs of restore that the team declares.
    pub restore_proofs: Vec<RestoreProof>,
}

/// A finding that its owner accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The finding's stable key.
    #[serde(default)]
    pub key: Option<String>,
    /// A rule id; `*` stands for any text.
    #[serde(default)]
    pub rule: Option<String>,
    /// An object; `*` stands for any text.
    #[serde(default)]
    pub object: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`.
    #[serde(default)]
    pub until: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    target: Option<String>,
    migrations: Option<PathBuf>,
    history_table: Option<String>,
    level: Option<Level>,
    fail_on: Option<Level>,
    #[serde(default)]
    skip: Vec<String>,
    #[serde(default)]
    preview: Vec<String>,
    #[serde(default)]
    rules: BTreeMap<String, BTreeMap<String, toml::Value>>,
    #[serde(default)]
    suppress: Vec<Suppression>,
    #[serde(default)]
    backup: RawBackup,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBackup {
    #[serde(default)]
    restored: Vec<RawProof>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProof {
    on: String,
    #[serde(default = "yes")]
    ok: bool,
}

fn yes() -> bool {
    true
}

impl Config {
    /// Reads the file at `path`, or the first `dbwright.toml` in `directory` and the folders above it. No file gives the
    /// defaults. What it says of the past must be past `now`.
    pub fn load(path: Option<&Path>, directory: &Path, now: Timestamp) -> Result<Config, ServiceError> {
        let path = match path {
            Some(path) => directory.join(path),
            None => {
                match directory.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file()) {
                    Some(path) => path,
                    None => return Ok(Config::default()),
                }
            }
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            ServiceError::new(
                ErrorKind::Config,
                format!("cannot read `{}`: {}", path.display(), crate::error::why(&error)),
            )
        })?;
        let not_understood = |because: String| {
            ServiceError::new(ErrorKind::Config, format!("`{}` is not understood: {because}", path.display()))
        };
        let mut config = Config::parse(&text).map_err(not_understood)?;
        config.not_of_the_future(now).map_err(not_understood)?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        config.migrations = config.migrations.map(|migrations| folder.join(migrations));
        // What a file names lies beside it, wherever the command was given.
        if let Some(target) = config.target.as_mut().filter(|_| folder != directory)
            && !is_connection_string(target)
        {
            *target = folder.join(&*target).to_string_lossy().into_owned();
        }
        config.path = Some(path);
        Ok(config)
    }

    /// Refuses a restore on a day that has not come yet anywhere: it would count as a proof for years.
    fn not_of_the_future(&self, now: Timestamp) -> Result<(), String> {
        /// The easternmost clocks are this far ahead.
        const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(14);
        let latest = now.saturating_add(AHEAD).unwrap_or(now);
        let future = |proof: &&RestoreProof| proof.finished.is_some_and(|on| on > latest);
        match self.restore_proofs.iter().find(future).and_then(|proof| proof.finished) {
            Some(on) => {
                let day = on.to_zoned(jiff::tz::TimeZone::UTC).date();
                Err(format!(
                    "`on = \"{day}\"` under `[[backup.restored]]` is in the future: write the day on which a backup was restored"
                ))
            }
            None => Ok(()),
        }
    }

    /// Reads the text of a configuration file.
    pub fn parse(text: &str) -> Result<Config, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| place(text, &error))?;
        let mut options = Options::default();
        for (rule, values) in &raw.rules {
            let entry = dbwright_rules::find(rule).ok_or_else(|| no_such_rule(rule))?;
            for (name, value) in values {
                let spec = entry
                    .rule
                    .options
                    .iter()
                    .find(|spec| spec.name == name)
                    .ok_or_else(|| format!("rule `{rule}` has no option `{name}`"))?;
                let chosen = chosen_value(&spec.default, value).ok_or_else(|| {
                    format!("option `{name}` of rule `{rule}` has another type: {}", spec.help)
                })?;
                options.values.entry(rule.clone()).or_default().insert(name.clone(), chosen);
            }
        }
        for suppression in &raw.suppress {
            if suppression.reason.trim().is_empty() {
                return Err("a suppression needs a reason".to_owned());
            }
            if suppression.key.is_none() && suppression.rule.is_none() {
                return Err("a suppression needs a `key` or a `rule`".to_owned());
            }
            if let Some(rule) = &suppression.rule
                && !dbwright_rules::ALL.iter().any(|entry| names(rule, entry.id))
            {
                return Err(no_such_rule(rule));
            }
            if let Some(until) = &suppression.until {
                until
                    .parse::<Date>()
                    .map_err(|_| format!("`until = \"{until}\"` is not a date like 2030-01-31"))?;
            }
        }
        let restore_proofs = raw
            .backup
            .restored
            .iter()
            .map(|proof| {
                let date: Date = proof
                    .on
                    .parse()
                    .map_err(|_| format!("`on = \"{}\"` is not a date like 2026-01-31", proof.on))?;
                let at = date
                    .at(0, 0, 0, 0)
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .map_err(|error| error.to_string())?;
                Ok(RestoreProof { finished: Some(at.timestamp()), ok: proof.ok })
            })
            .collect::<Result<_, String>>()?;
        Ok(Config {
            path: None,
            target: raw.target,
            migrations: raw.migrations,
            history_table: raw.history_table,
            level: raw.level,
            fail_on: raw.fail_on,
            skip: raw.skip,
            preview: raw.preview,
            options,
            suppressions: raw.suppress,
            restore_proofs,
        })
    }
}

/// What is wrong and in which line. The line itself is not shown, since a target may hold a password.
fn place(text: &str, error: &toml::de::Error) -> String {
    let message = redacted(error.message());
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }
}

/// Whether a word of a user names a rule: its id, its family, or a pattern with `*`.
pub(crate) fn names(pattern: &str, id: &str) -> bool {
    crate::cook::matches(pattern, id) || id.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'))
}

/// The words for a rule that does not exist, with the nearest that does: by its whole id, by its name alone, or by its
/// family.
pub fn no_such_rule(id: &str) -> String {
    let family = |id: &'static str| id.split('/').next().unwrap_or_default();
    if dbwright_rules::ALL.iter().any(|entry| family(entry.id) == id) {
        return format!("`{id}` is a family of rules and no rule; `dbwright rules` lists what is in it");
    }
    let near = dbwright_rules::ALL
        .iter()
        .flat_map(|entry| {
            let name = entry.id.split('/').next_back().unwrap_or_default();
            [
                (distance(id, entry.id), entry.id),
                (distance(id, name), entry.id),
                (distance(id, family(entry.id)), family(entry.id)),
            ]
        })
        .min();
    match near {
        Some((edits, near)) if edits <= id.len() / 2 => {
            format!("there is no rule `{id}`; the nearest is `{near}`")
        }
        _ => format!("there is no rule `{id}`; `dbwright rules` lists them"),
    }
}

/// Edits between two texts (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn chosen_value(default: &OptionValue, value: &toml::Value) -> Option<ChosenValue> {
    match (default, value) {
        (OptionValue::Number(_), toml::Value::Integer(number)) => Some(ChosenValue::Number(*number as f64)),
        (OptionValue::Number(_), toml::Value::Float(number)) => Some(ChosenValue::Number(*number)),
        (OptionValue::Flag(_), toml::Value::Boolean(flag)) => Some(ChosenValue::Flag(*flag)),
        (OptionValue::Words(_), toml::Value::Array(words)) => words
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(ChosenValue::Words),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_needs_a_reason_and_a_real_date() {
        assert!(Config::parse("[[suppress]]\nrule = \"schema/float-money\"\nreason = \" \"").is_err());
        assert!(Config::parse("[[suppress]]\nreason = \"because\"").is_err());
        assert!(
            Config::parse(
                "[[suppress]]\nrule = \"schema/float-money\"\nreason = \"r\"\nuntil = \"2030-02-31\""
            )
            .is_err()
        );
        let config = Config::parse(
            "[[suppress]]\nrule = \"schema/float-money\"\nreason = \"r\"\nuntil = \"2030-02-28\"",
        );
        assert_eq!(config.expect("it is valid").suppressions.len(), 1);
    }

    #[test]
    fn unknown_words_are_refused_with_the_nearest_rule() {
        assert!(Config::parse("colour = true").is_err());
        let error = Config::parse("[rules.\"schema/table-without-primary-keys\"]\nx = 1").unwrap_err();
        assert!(error.contains("`schema/table-without-primary-key`"), "{error}");
    }

    #[test]
    fn the_documentation_shows_every_key_as_it_is() {
        let text = include_str!("../../../docs/configuration.md");
        let fence =
            text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a fence");
        let config = Config::parse(fence).expect("what is documented is valid");
        assert!(config.target.is_some() && config.migrations.is_some());
        assert!(config.history_table.is_some());
        assert!(config.level.is_some() && config.fail_on.is_some());
        assert!(!config.skip.is_empty() && !config.preview.is_empty());
        assert!(!config.options.values.is_empty() && !config.restore_proofs.is_empty());
        assert_eq!(config.suppressions.len(), 2);
        for field in ["key", "rule", "object", "reason", "until", "on", "ok"] {
            assert!(fence.lines().any(|line| line.starts_with(&format!("{field} = "))), "{field}");
        }
    }

    #[test]
    fn families_are_accepted_and_typing_errors_are_named() {
        let with = |rule: &str| Config::parse(&format!("[[suppress]]\nrule = \"{rule}\"\nreason = \"r\""));
        assert!(with("schema").is_ok() && with("schema/*").is_ok() && with("*").is_ok());
        let error = with("schema/flaot-money").unwrap_err();
        assert!(error.contains("`schema/float-money`"), "{error}");
        assert!(no_such_rule("float-money").contains("`schema/float-money`"));
        assert!(no_such_rule("schem").contains("`schema`"));
        assert!(no_such_rule("schema").contains("is a family of rules"));
    }

    #[test]
    fn a_declared_restore_is_a_date() {
        let config = Config::parse("[[backup.restored]]\non = \"2026-11-01\"").expect("it is valid");
        assert!(config.restore_proofs[0].ok);
        assert!(Config::parse("[[backup.restored]]\non = \"yesterday\"").is_err());
    }
}
