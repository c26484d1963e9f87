//! `dbwright completions`.

use clap_complete::Shell;
use dbwright_service::ServiceError;

use super::CLEAN;
use super::output::Screen;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: Shell,
}

/// Runs the command.
pub fn run(arguments: &CompletionsArguments, screen: &Screen) -> Result<u8, ServiceError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command(), "dbwright", &mut script);
    screen.print(&String::from_utf8_lossy(&script))?;
    Ok(CLEAN)
}
