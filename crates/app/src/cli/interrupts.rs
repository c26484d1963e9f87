//! Interrupts from the keyboard and from whoever ends processes: the work stops, cleans up, and says so.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dbwright_service::{ErrorKind, ServiceError};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::FAILED;
use super::output::Screen;

/// Whether a signal came.
static HEARD: AtomicBool = AtomicBool::new(false);

/// Whether the work should come to an end: for work that finishes what it has begun.
pub fn heard() -> bool {
    HEARD.load(Ordering::SeqCst)
}

/// Signals that are listened for from the moment this is made.
pub struct Interrupts {
    told: oneshot::Receiver<()>,
}

impl Interrupts {
    /// Begins to listen. Work that does not stop within `patience` of the first signal, or before the second, is left
    /// where it is and the process ends.
    pub fn listen(runtime: &Runtime, patience: Duration, screen: Screen) -> io::Result<Self> {
        let _inside = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (tell, told) = oneshot::channel();
        // The command runs on the main thread, which may be deep in something that cannot be stopped, such as reading
        // a large file. This task runs on another.
        runtime.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            HEARD.store(true, Ordering::SeqCst);
            // Without a receiver the work is done already.
            let _ = tell.send(());
            tokio::select! {
                () = tokio::time::sleep(patience) => {}
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            screen.fail(&interrupted());
            std::process::exit(i32::from(FAILED));
        });
        Ok(Interrupts { told })
    }

    /// Runs work until it is done or interrupted.
    pub async fn stop(
        self,
        work: impl Future<Output = Result<u8, ServiceError>>,
    ) -> Result<u8, ServiceError> {
        let result = tokio::select! {
            biased;
            Ok(()) = self.told => Err(interrupted()),
            result = work => result,
        };
        match result {
            // A terminal interrupts the programs that we started too; what they could not do is then not the point.
            Err(_) if heard() => Err(interrupted()),
            result => result,
        }
    }
}

fn interrupted() -> ServiceError {
    ServiceError::new(ErrorKind::Cancelled, "interrupted")
}
