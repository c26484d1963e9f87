//! `dbwright`: the database engineer in one binary.

mod cli;

use std::process::ExitCode;

/// Threads that parse and one that folds hand memory to each other, for which the allocator of the C library has each
/// wait for the others.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds after which memory that was freed goes back to the system. The allocator's own choice, a second, is as long
/// as most commands run, so that they would give nothing back.
const PURGE_DELAY: std::ffi::c_long = 10;
/// `mi_option_purge_delay` of `mimalloc.h`, which the bindings have no name for.
const PURGE_DELAY_OPTION: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    // SAFETY: it sets a number, and no other thread has been started that could read it.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY_OPTION, PURGE_DELAY) };
    cli::run()
}
