//! Throw-away servers for proofs and tests.
//!
//! A scratch server lives in a private directory, listens on a socket only, trades durability for speed, and is gone
//! when it is dropped and also when this process is killed. Nothing here reads the environment: [`Places`] says where
//! to look.

pub mod postgres;
pub mod mariadb;

use std::path::{Path, PathBuf};

/// Where server binaries are looked for, and where scratch servers keep their data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Directories in the order in which they are searched: one that holds binaries, an installation with a `bin`
    /// directory, or a directory of such installations.
    pub directories: Vec<PathBuf>,
    /// Where data directories are made. The path must be short, since sockets live below it.
    pub temporary: PathBuf,
}

impl Places {
    /// The places where distributions put servers. The working directory is none of them: what lies in a folder that was
    /// only looked at must not be executed.
    pub fn usual() -> Self {
        let directories = [
            "/usr/lib/postgresql",
            "/usr/local/pgsql",
            "/usr/local/mysql",
            "/opt/homebrew/opt",
            "/usr/pgsql",
            "/usr/local/bin",
            "/usr/bin",
            "/usr/sbin",
            "/usr/libexec",
            "/usr/local/sbin",
        ];
        Places { directories: directories.map(PathBuf::from).to_vec(), temporary: usual_temporary() }
    }

    /// The usual places after `.cache/servers` of a folder, where `scripts/install-test-servers` puts servers, or of one above
    /// it: for tests, which name the folder of their own sources.
    pub fn for_tests(sources: &Path) -> Self {
        Places::usual().with_first(sources.ancestors().map(|above| above.join(".cache/servers")))
    }

    /// The same with directories that are searched first.
    pub fn with_first(mut self, first: impl IntoIterator<Item = PathBuf>) -> Self {
        let usual = std::mem::take(&mut self.directories);
        self.directories = first.into_iter().chain(usual).collect();
        self
    }

    /// The same with the directories of a list such as `PATH` at the end.
    pub fn with_search_path(mut self, path: &str) -> Self {
        self.directories.extend(path.split(':').filter(|part| !part.is_empty()).map(PathBuf::from));
        self
    }

    /// Every directory that may hold binaries: each place, its `bin`, and the `bin` of each directory in it.
    fn binary_directories(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for place in &self.directories {
            found.push(place.clone());
            found.push(place.join("bin"));
            let mut inside: Vec<PathBuf> = match std::fs::read_dir(place) {
                Ok(entries) if !is_plain_binary_directory(place) => {
                    entries.flatten().map(|entry| entry.path().join("bin")).collect()
                }
                _ => Vec::new(),
            };
            inside.sort();
            found.append(&mut inside);
        }
        found.retain(|directory| directory.is_dir());
        found
    }
}

/// A directory in memory when there is one with room, since making a data directory on disk takes ten times as long.
pub fn usual_temporary() -> PathBuf {
    const ROOM: u64 = 4 << 30;
    let memory = Path::new("/dev/shm");
    let disk = PathBuf::from("/tmp");
    let Ok(path) = std::ffi::CString::new(memory.as_os_str().as_encoded_bytes()) else { return disk };
    // SAFETY: all-zero bytes are a valid value of this plain structure.
    let mut room: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends in zero, and the structure outlives the call.
    let answered = unsafe { libc::statvfs(path.as_ptr(), &raw mut room) } == 0;
    // The fields' types differ between systems.
    let [blocks, size] = [room.f_bavail as u64, room.f_frsize as u64];
    let free = blocks.saturating_mul(size);
    if answered && free > ROOM { memory.to_path_buf() } else { disk }
}

/// Directories such as `/usr/bin` hold thousands of files and no installations.
fn is_plain_binary_directory(place: &Path) -> bool {
    place.file_name().is_some_and(|name| name == "bin" || name == "sbin" || name == "libexec")
}

/// A scratch server that could not be started or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScratchError {
    /// What failed and the server's own last words.
    pub message: String,
}

impl ScratchError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ScratchError { message: message.into() }
    }
}

/// Runs a task on a thread that lives as long as this process.
///
/// The kernel ends a scratch server with the thread that started it, so it must not be a thread that ends by itself.
fn on_lasting_thread<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    use std::sync::{OnceLock, mpsc};
    type Task = Box<dyn FnOnce() + Send>;
    static TASKS: OnceLock<mpsc::Sender<Task>> = OnceLock::new();
    let tasks = TASKS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Task>();
        let worker = move || receiver.into_iter().for_each(|task: Task| task());
        // Without the thread the sender fails, and starting a server reports it.
        let _ = std::thread::Builder::new().name("scratch-servers".into()).spawn(worker);
        sender
    });
    let (answer, answered) = mpsc::channel();
    tasks
        .send(Box::new(move || {
            let _ = answer.send(task());
        }))
        .ok()?;
    answered.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_executed_from_the_working_directory_unless_it_is_named() {
        let here = std::env::current_dir().expect("tests have one");
        let usual = Places::usual();
        assert!(usual.directories.iter().all(|place| !place.ends_with(".cache/servers")), "{usual:?}");
        assert!(usual.directories.iter().all(|place| !place.starts_with(&here)), "{usual:?}");
        let named = Places::for_tests(&here);
        assert_eq!(named.directories.first(), Some(&here.join(".cache/servers")));
    }
}
