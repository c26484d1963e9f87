//! Where output goes, and whether it is coloured.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use dbwright_service::{ErrorKind, ServiceError};
use owo_colors::OwoColorize;

use super::{ColorChoice, FAILED, Global};

/// The terminal, or what stands in for it.
pub struct Screen {
    /// Whether standard output takes colours.
    pub color: bool,
    /// Whether standard error takes colours.
    pub error_color: bool,
    /// Whether progress is shown.
    pub progress: bool,
    /// Columns to fill.
    pub width: usize,
}

/// Narrower terminals are written to as if they had this many columns.
const NARROWEST: usize = 60;
/// Lines longer than this are hard to read.
const WIDEST: usize = 120;
/// Columns when nobody tells.
const USUAL: usize = 100;

impl Screen {
    /// Looks at the terminal and the environment.
    pub fn new(global: &Global) -> Self {
        let no_color = super::environment("NO_COLOR").is_some();
        let dumb = super::environment("TERM").is_some_and(|term| term == "dumb");
        let wants = |is_terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !no_color && !dumb,
        };
        let width = terminal_size::terminal_size().map_or(USUAL, |(width, _)| usize::from(width.0));
        Screen {
            color: wants(std::io::stdout().is_terminal()),
            error_color: wants(std::io::stderr().is_terminal()),
            progress: !global.quiet && std::io::stderr().is_terminal(),
            width: width.clamp(NARROWEST, WIDEST),
        }
    }

    /// Writes to standard output. A reader that went away is no error.
    pub fn print(&self, text: &str) -> Result<(), ServiceError> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(ServiceError::new(ErrorKind::Internal, format!("cannot write: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes to a file, whole or not at all, or to standard output when no file is named.
    pub fn write(&self, text: &str, file: Option<&Path>) -> Result<(), ServiceError> {
        let Some(path) = file else { return self.print(text) };
        let cannot = |error: std::io::Error| {
            ServiceError::new(ErrorKind::Permission, format!("cannot write {}: {error}", path.display()))
        };
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
        if written.is_err() {
            // Nothing half-written stays behind; that it could not be removed changes nothing for the user.
            let _ = std::fs::remove_file(&part);
        }
        written.map_err(cannot)
    }

    /// Says what went wrong and what to do about it.
    pub fn fail(&self, error: &ServiceError) -> ExitCode {
        if self.error_color {
            eprintln!("{} {}", "error:".red().bold(), error.message);
        } else {
            eprintln!("error: {}", error.message);
        }
        for hint in &error.hints {
            if self.error_color {
                eprintln!("{} {hint}", " hint:".cyan().bold());
            } else {
                eprintln!(" hint: {hint}");
            }
        }
        ExitCode::from(FAILED)
    }
}
