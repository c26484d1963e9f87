//! A way to a server that breaks when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A loopback port behind which the socket of a server lies.
pub struct Proxy {
    port: u16,
    passed: Arc<AtomicUsize>,
}

impl Proxy {
    /// Passes on what comes, and cuts every connection once the server has answered `cut` bytes over it.
    pub fn start(socket: &Path, cut: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let passed = Arc::new(AtomicUsize::new(0));
        let (socket, counter) = (socket.to_path_buf(), passed.clone());
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (socket, counter) = (socket.clone(), counter.clone());
                std::thread::spawn(move || pass(client, socket, cut, &counter));
            }
        });
        Proxy { port, passed }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that the server answered over all connections.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

fn pass(mut client: TcpStream, socket: PathBuf, cut: usize, counter: &AtomicUsize) {
    let Ok(mut server) = UnixStream::connect(socket) else { return };
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else { return };
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut left = cut;
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = left.min(buffer.len());
        let Ok(count) = server.read(&mut buffer[..room]) else { break };
        if count == 0 || client.write_all(&buffer[..count]).is_err() {
            break;
        }
        left -= count;
        counter.fetch_add(count, Ordering::SeqCst);
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
