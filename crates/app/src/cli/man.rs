//! `dbwright man`.

use std::path::PathBuf;

use dbwright_service::{ErrorKind, ServiceError};

use super::CLEAN;
use super::output::Screen;

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct ManArguments {
    /// Write one page per command to this folder
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &ManArguments, screen: &Screen) -> Result<u8, ServiceError> {
    let cannot = |error: std::io::Error| {
        ServiceError::new(ErrorKind::Permission, format!("cannot write the manual: {error}"))
    };
    if let Some(folder) = &arguments.folder {
        std::fs::create_dir_all(folder).map_err(cannot)?;
        clap_mangen::generate_to(super::command(), folder).map_err(cannot)?;
        return Ok(CLEAN);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(super::command()).render(&mut page).map_err(cannot)?;
    screen.print(&String::from_utf8_lossy(&page))?;
    Ok(CLEAN)
}
