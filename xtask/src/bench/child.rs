//! Runs a program and measures what it took.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// Time of the processor, the system's part included.
    pub processor: Duration,
    /// Most memory that was resident at once, in bytes.
    pub peak: u64,
    /// Exit code.
    pub code: i32,
}

/// Runs a program to its end; its output is thrown away.
pub fn measure(command: &mut Command) -> anyhow::Result<Usage> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let process = libc::pid_t::try_from(child.id()).context("a process number")?;
    let mut status = 0;
    // SAFETY: all-zero bytes are a valid value of this plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child is ours and nobody has waited for it; both places outlive the call.
    let waited = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
    let wall = begin.elapsed();
    if waited != process {
        bail!("cannot wait for {command:?}: {}", io::Error::last_os_error());
    }
    if !libc::WIFEXITED(status) {
        bail!("{command:?} ended with signal {}", libc::WTERMSIG(status));
    }
    let time = |part: libc::timeval| {
        Duration::from_micros(u64::try_from(part.tv_sec * 1_000_000 + part.tv_usec).unwrap_or(0))
    };
    Ok(Usage {
        wall,
        processor: time(usage.ru_utime) + time(usage.ru_stime),
        peak: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
        code: libc::WEXITSTATUS(status),
    })
}

/// The quickest of some runs; a program that ends with another code than these has failed.
pub fn best(runs: usize, codes: &[i32], mut command: impl FnMut() -> Command) -> anyhow::Result<Usage> {
    let mut quickest: Option<Usage> = None;
    for _ in 0..runs.max(1) {
        let mut command = command();
        let usage = measure(&mut command)?;
        if !codes.contains(&usage.code) {
            bail!("{command:?} ended with code {}", usage.code);
        }
        if quickest.is_none_or(|quickest| usage.wall < quickest.wall) {
            quickest = Some(usage);
        }
    }
    quickest.context("nothing ran")
}
