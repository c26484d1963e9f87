//! Where output goes, and whether it is coloured.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use dbwright_render::visible_block;
use dbwright_service::consent::Word;
use dbwright_service::{ErrorKind, ServiceError};
use owo_colors::OwoColorize;

use super::{ColorChoice, FAILED, Global};

/// The terminal, or what stands in for it.
#[derive(Clone, Copy)]
pub struct Screen {
    /// Whether standard output takes colours.
    pub color: bool,
    /// Whether standard error takes colours.
    pub error_color: bool,
    /// Whether progress is shown.
    pub progress: bool,
    /// Whether people read standard output as it is written.
    pub terminal: bool,
    /// Columns to fill.
    pub width: usize,
}

/// Narrower terminals are written to as if they had this many columns.
const NARROWEST: usize = 40;
/// Lines longer than this are hard to read.
const WIDEST: usize = 120;
/// Bytes that are written to standard output at once.
const PIECE: usize = 64 * 1024;
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
            color: wants(io::stdout().is_terminal()),
            error_color: wants(io::stderr().is_terminal()),
            progress: !global.quiet && io::stderr().is_terminal(),
            terminal: io::stdout().is_terminal(),
            width: width.clamp(NARROWEST, WIDEST),
        }
    }

    /// Shows what is about to happen and asks; `None` where nobody can be asked.
    pub fn ask(&self, about: &str, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let mut screen = io::stderr().lock();
        let gap = if about.is_empty() { "" } else { "\n" };
        write!(screen, "{}{gap}{question} [y/N] ", visible_block(about))
            .and_then(|()| screen.flush())
            .ok()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// The user's word for a change: `--yes`, or the answer to a question about what is shown. `None` when it is no.
    pub fn word(&self, yes: bool, about: &str, question: &str) -> Result<Option<Word>, ServiceError> {
        if yes {
            return Ok(Some(Word::Flag));
        }
        match self.ask(about, question) {
            Some(true) => Ok(Some(Word::Answer)),
            Some(false) => {
                self.remark("Nothing was changed.");
                Ok(None)
            }
            None => Err(ServiceError::new(
                ErrorKind::Usage,
                "nobody is there to be asked, so nothing was changed",
            )
            .hint("look at what would be done, and add `--yes` to do it")),
        }
    }

    /// Writes a text for people to standard output. What a server or a file says in it cannot move the cursor.
    pub fn say(&self, text: &str) -> Result<(), ServiceError> {
        self.print(&visible_block(text))
    }

    /// The same as a line on standard error, beside what the command prints.
    pub fn remark(&self, line: &str) {
        eprintln!("{}", visible_block(line));
    }

    /// Writes to standard output as it is, which is for programs, or painted of texts that are [`visible_block`]. A reader
    /// that went away is no error.
    pub fn print(&self, text: &str) -> Result<(), ServiceError> {
        self.stream(|out| out.write_all(text.as_bytes()))
    }

    /// Writes to standard output piece by piece. A reader that went away is no error.
    pub fn stream(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), ServiceError> {
        // Standard output itself is flushed at the end of every line.
        let mut out = io::BufWriter::with_capacity(PIECE, io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(ServiceError::new(ErrorKind::Internal, format!("cannot write: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes to a file, whole or not at all, or to standard output when no file is named.
    pub fn write(&self, text: &str, file: Option<&Path>) -> Result<(), ServiceError> {
        let Some(path) = file else { return self.print(text) };
        let cannot = |error: io::Error| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder_exists = folder.is_none_or(Path::is_dir);
            let because = match error.kind() {
                io::ErrorKind::NotFound if folder_exists => "its folder takes no new files".to_owned(),
                io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
                io::ErrorKind::PermissionDenied => "writing there is not permitted".to_owned(),
                io::ErrorKind::NotADirectory => "its folder is a file".to_owned(),
                io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
                _ => error.to_string(),
            };
            ServiceError::new(ErrorKind::Permission, format!("cannot write `{}`: {because}", path.display()))
        };
        // A link stays a link: what it leads to is replaced.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        if let Ok(metadata) = std::fs::metadata(path)
            && !metadata.is_file()
        {
            // Devices and pipes are written to; replacing them would take them away from everybody.
            let written = std::fs::OpenOptions::new().write(true).open(path);
            return match written.and_then(|mut file| file.write_all(text.as_bytes())) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(cannot(error)),
                _ => Ok(()),
            };
        }
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
        let mut text = String::new();
        let message = visible_block(&error.message);
        if self.error_color {
            text.push_str(&format!("{} {message}\n", "error:".red().bold()));
        } else {
            text.push_str(&format!("error: {message}\n"));
        }
        for hint in &error.hints {
            let hint = visible_block(hint);
            if self.error_color {
                text.push_str(&format!("{} {hint}\n", " hint:".cyan().bold()));
            } else {
                text.push_str(&format!(" hint: {hint}\n"));
            }
        }
        // With nobody left to read it, the exit code still tells.
        let _ = io::stderr().write_all(text.as_bytes());
        ExitCode::from(FAILED)
    }
}
