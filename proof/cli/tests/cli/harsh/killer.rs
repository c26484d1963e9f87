//! Stands between the runner and its server, reads along, and kills the runner at statements that it has not killed it at
//! before: once before the server has seen the statement, and once when the server has it and the runner waits.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How clients speak to a server.
#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's.
    Mysql,
}

/// The listener.
pub struct Killer {
    socket: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The process to kill.
    process: Option<u32>,
    killed: bool,
    /// Statements met, each in its surroundings, with the number of kills at it.
    met: BTreeMap<String, usize>,
    stride: usize,
}

#[derive(PartialEq)]
enum Action {
    Pass,
    KillBefore,
    KillInside,
}

impl Killer {
    /// Listens in a folder and passes everything on to a server's socket. Of `stride` statements one is attacked.
    pub fn start(protocol: Protocol, server: &Path, folder: &Path, stride: usize) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let socket = folder.join(".s.PGSQL.5432");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let state =
            Arc::new(Mutex::new(State { process: None, killed: false, met: BTreeMap::new(), stride }));
        let (shared, server) = (state.clone(), server.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(upstream) = UnixStream::connect(&server) else { continue };
                let shared = shared.clone();
                std::thread::spawn(move || connection(protocol, client, upstream, &shared));
            }
        });
        Killer { socket, state }
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Names the process to kill next.
    pub fn aim(&self, process: u32) {
        let mut state = self.state.lock().expect("no thread panics");
        state.process = Some(process);
        state.killed = false;
    }

    /// Whether the process that was aimed at was killed.
    pub fn has_killed(&self) -> bool {
        let mut state = self.state.lock().expect("no thread panics");
        state.process = None;
        state.killed
    }
}

impl State {
    /// What becomes of a statement in its surroundings.
    fn judge(&mut self, key: String) -> Action {
        if self.killed || self.process.is_none() {
            return Action::Pass;
        }
        let number = self.met.len();
        let kills = self.met.entry(key).or_insert(if number.is_multiple_of(self.stride) { 0 } else { 2 });
        *kills += 1;
        match *kills {
            1 => Action::KillBefore,
            2 => Action::KillInside,
            _ => Action::Pass,
        }
    }

    fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            let process = i32::try_from(process).expect("processes have small numbers");
            // SAFETY: the child is waited for only after its end, so the number is its own.
            unsafe { libc::kill(process, libc::SIGKILL) };
            self.killed = true;
        }
    }
}

fn connection(protocol: Protocol, client: UnixStream, upstream: UnixStream, state: &Mutex<State>) {
    let (mut answers, mut back) =
        (upstream.try_clone().expect("a copy"), client.try_clone().expect("a copy"));
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(std::net::Shutdown::Both);
    });
    let _ = requests(protocol, client, &upstream, state);
    let _ = upstream.shutdown(std::net::Shutdown::Both);
}

/// Passes requests on until one of them is the last.
fn requests(
    protocol: Protocol,
    mut client: UnixStream,
    mut upstream: &UnixStream,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut last = String::new();
    let mut first = protocol == Protocol::Postgres;
    loop {
        let message = match protocol {
            Protocol::Postgres => postgres_message(&mut client, std::mem::take(&mut first))?,
            Protocol::Mysql => mysql_message(&mut client)?,
        };
        let action = match statement(protocol, &message) {
            Some(text) => {
                let text = timeless(&text);
                let key = if text.starts_with("select") { text.clone() } else { format!("{last} -> {text}") };
                let action = state.lock().expect("no thread panics").judge(key);
                let frames = ["begin", "commit", "rollback", "start transaction", "select", "set "];
                if !frames.iter().any(|frame| text.starts_with(frame)) {
                    last = text;
                }
                action
            }
            None => Action::Pass,
        };
        if action == Action::KillBefore {
            state.lock().expect("no thread panics").kill();
            return Ok(());
        }
        upstream.write_all(&message)?;
        if action == Action::KillInside {
            state.lock().expect("no thread panics").kill();
        }
    }
}

fn postgres_message(client: &mut UnixStream, first: bool) -> std::io::Result<Vec<u8>> {
    // The first message has no letter.
    let mut message = vec![0; if first { 4 } else { 5 }];
    client.read_exact(&mut message)?;
    let length = &message[message.len() - 4..];
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    let mut body = vec![0; length - 4];
    client.read_exact(&mut body)?;
    message.extend(body);
    Ok(message)
}

fn mysql_message(client: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 4];
    client.read_exact(&mut message)?;
    let length = u32::from_le_bytes([message[0], message[1], message[2], 0]) as usize;
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    message.extend(body);
    Ok(message)
}

/// The statement that a message asks for.
fn statement(protocol: Protocol, message: &[u8]) -> Option<String> {
    let text = match protocol {
        Protocol::Postgres if message[0] == b'Q' => &message[5..message.len() - 1],
        // A command begins a new exchange; 3 asks for a statement.
        Protocol::Mysql if message[3] == 0 && message.get(4) == Some(&3) => &message[5..],
        _ => return None,
    };
    Some(String::from_utf8_lossy(text).into_owned())
}

/// A statement without what differs from run to run: times, and the numbers of processes.
fn timeless(text: &str) -> String {
    if !text.contains("dbwright_migrations") {
        return text.chars().filter(|c| !c.is_ascii_digit() || text.len() < 400).collect();
    }
    let Some((_, values)) = text.split_once("values (") else { return text.to_owned() };
    // The version, the state and the statements that are done.
    let fields: Vec<&str> = values.split(", ").collect();
    let fields = [0, 5, 6, 7].map(|i| fields.get(i).copied().unwrap_or_default());
    format!("row {}", fields.join(" "))
}
