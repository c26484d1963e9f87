//! `dbwright rules`.

use dbwright_service::ops::rules;
use dbwright_service::{ErrorKind, ServiceError};

use super::CLEAN;
use super::output::Screen;

/// Arguments of `rules`.
#[derive(Debug, clap::Args)]
pub struct RulesArguments {
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(arguments: &RulesArguments, screen: &Screen) -> Result<u8, ServiceError> {
    let rules = rules::rules();
    if arguments.json {
        let text = serde_json::to_string_pretty(&rules).map_err(|error| {
            ServiceError::new(ErrorKind::Internal, format!("cannot write the rules: {error}"))
        })?;
        screen.print(&format!("{text}\n"))?;
        return Ok(CLEAN);
    }
    let id_width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in &rules {
        let preview = if rule.preview { " (preview)" } else { "" };
        let level = rule.level.to_string();
        text.push_str(&format!("{:id_width$}  {level:7}  {}{preview}\n", rule.id, rule.when));
    }
    screen.print(&text)?;
    Ok(CLEAN)
}
