//! `dbwright score`.

use std::path::{Path, PathBuf};

use dbwright_model::report::Report;
use dbwright_model::score::CheckState;
use dbwright_service::ops::score;
use dbwright_service::{ErrorKind, ServiceError};

use super::CLEAN;
use super::output::Screen;

/// Arguments of `score`.
#[derive(Debug, clap::Args)]
pub struct ScoreArguments {
    /// What to tell of a score.
    #[command(subcommand)]
    pub command: ScoreCommand,
}

/// What to tell of a score.
#[derive(Debug, clap::Subcommand)]
pub enum ScoreCommand {
    /// Say which check gave or cost how much, the dearest losses first
    Explain {
        /// A report that `audit --format json` wrote
        report: PathBuf,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what changed between two reports
    Diff {
        /// The earlier report
        before: PathBuf,
        /// The later report
        after: PathBuf,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(arguments: &ScoreArguments, screen: &Screen) -> Result<u8, ServiceError> {
    let (text, json) = match &arguments.command {
        ScoreCommand::Explain { report, json } => (explain(&read(report)?, *json)?, *json),
        ScoreCommand::Diff { before, after, json } => (diff(&read(before)?, &read(after)?, *json)?, *json),
    };
    if json {
        screen.print(&text)?
    } else {
        screen.say(&text)?
    }
    Ok(CLEAN)
}

fn read(path: &Path) -> Result<Report, ServiceError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ServiceError::new(
            ErrorKind::Usage,
            format!("cannot read `{}`: {}", path.display(), dbwright_service::error::why(&error)),
        )
    })?;
    serde_json::from_str(&text).map_err(|error| {
        ServiceError::new(ErrorKind::Usage, format!("`{}` is not a report: {error}", path.display()))
            .hint("make one with `dbwright audit TARGET --format json --output FILE`")
    })
}

fn no_score() -> ServiceError {
    ServiceError::new(ErrorKind::Usage, "the report holds no score")
        .hint("`dbwright audit` reckons one, `dbwright review` does not")
}

fn json(value: &impl serde::Serialize) -> Result<String, ServiceError> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| ServiceError::new(ErrorKind::Internal, format!("cannot write: {error}")))
}

fn explain(report: &Report, as_json: bool) -> Result<String, ServiceError> {
    let score = report.score.as_ref().ok_or_else(no_score)?;
    let list = score::explain(score);
    if as_json {
        return json(&list);
    }
    let mut text = format!("{}\n\n", score.headline());
    for cap in &score.caps {
        text.push_str(&format!("at most {}: {} ({})\n", cap.limit, cap.because, cap.rule));
    }
    text.push_str("points  of     state     check\n");
    for line in &list {
        let findings = match line.findings {
            0 => None,
            1 => Some("1 finding".to_owned()),
            n => Some(format!("{n} findings")),
        };
        let why: Vec<String> = findings.into_iter().chain(line.because.clone()).collect();
        let why = if why.is_empty() { String::new() } else { format!("  {}", why.join("; ")) };
        text.push_str(&format!(
            "{:6.2}  {:5.2}  {:8}  {}{why}\n",
            line.points,
            line.possible,
            state(line.state),
            line.rule
        ));
    }
    Ok(text)
}

fn state(state: CheckState) -> &'static str {
    match state {
        CheckState::Pass => "pass",
        CheckState::Partial => "partial",
        CheckState::Fail => "fail",
        CheckState::Unknown => "unknown",
        CheckState::NotApplicable => "n/a",
        CheckState::Waived => "waived",
    }
}

fn diff(before: &Report, after: &Report, as_json: bool) -> Result<String, ServiceError> {
    let diff = score::diff(before, after).ok_or_else(no_score)?;
    if as_json {
        return json(&diff);
    }
    let mut text = String::new();
    if (before.target.engine, &before.target.name) != (after.target.engine, &after.target.name) {
        text.push_str(&format!(
            "The reports are about two targets: {} ({}) and {} ({}).\n",
            before.target.name, before.target.engine, after.target.name, after.target.engine
        ));
    }
    text.push_str(&format!(
        "proven {} -> {}, possible {} -> {}\n",
        diff.proven.0, diff.proven.1, diff.ceiling.0, diff.ceiling.1
    ));
    for (old, new) in &diff.checks {
        let name = old.as_ref().or(new.as_ref()).map_or("", |check| check.rule.as_str());
        let of = |check: &Option<dbwright_model::score::CheckResult>| {
            check
                .as_ref()
                .map_or("absent".to_owned(), |check| format!("{} {:.2}", state(check.state), check.credit))
        };
        text.push_str(&format!("  {name}: {} -> {}\n", of(old), of(new)));
    }
    for key in &diff.appeared {
        text.push_str(&format!("+ {key}\n"));
    }
    for key in &diff.disappeared {
        text.push_str(&format!("- {key}\n"));
    }
    Ok(text)
}
