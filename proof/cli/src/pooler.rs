//! A pooler that gives every transaction of PostgreSQL whichever server is free, the one used last first.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A loopback port that pools two servers.
pub struct Pooler {
    port: u16,
}

type Pool = Arc<Mutex<Vec<UnixStream>>>;

impl Pooler {
    /// Starts one before a server's socket, as its superuser.
    pub fn start(socket: &Path, database: &str) -> Self {
        let mut parameters = Vec::new();
        for (name, value) in [("user", "postgres"), ("database", database)] {
            for word in [name, value] {
                parameters.extend_from_slice(word.as_bytes());
                parameters.push(0);
            }
        }
        parameters.push(0);
        let mut greeting = Vec::new();
        let mut servers = Vec::new();
        for _ in 0..3 {
            let mut server = UnixStream::connect(socket).expect("the server listens");
            let length = u32::try_from(parameters.len() + 8).expect("a short message");
            let mut hello = length.to_be_bytes().to_vec();
            hello.extend_from_slice(&196_608_u32.to_be_bytes());
            hello.extend_from_slice(&parameters);
            server.write_all(&hello).expect("it reads");
            greeting = until_ready(&mut server).expect("it greets").0;
            servers.push(server);
        }
        let pool: Pool = Arc::new(Mutex::new(servers));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (pool, greeting) = (pool.clone(), greeting.clone());
                std::thread::spawn(move || serve(client, &pool, &greeting));
            }
        });
        Pooler { port }
    }

    /// A target as users write it.
    pub fn target(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }
}

fn serve(mut client: TcpStream, pool: &Pool, greeting: &[u8]) -> Option<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length).ok()?;
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut startup).ok()?;
    if startup.windows(8).any(|word| word == b"options\0") {
        let message = b"SERROR\0C08P01\0Munsupported startup parameter: options\0\0";
        let mut refusal = vec![b'E'];
        refusal.extend_from_slice(&u32::try_from(message.len() + 4).ok()?.to_be_bytes());
        refusal.extend_from_slice(message);
        client.write_all(&refusal).ok()?;
        return None;
    }
    client.write_all(greeting).ok()?;
    loop {
        let mut message = message(&mut client)?;
        if message[0] == b'X' {
            return None;
        }
        let mut server = loop {
            if let Some(server) = pool.lock().ok()?.pop() {
                break server;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        loop {
            server.write_all(&message).ok()?;
            if matches!(message[0], b'Q' | b'S') {
                let (answer, status) = until_ready(&mut server)?;
                client.write_all(&answer).ok()?;
                if status == b'I' {
                    break;
                }
            }
            message = self::message(&mut client)?;
        }
        pool.lock().ok()?.push(server);
    }
}

/// One message with its first byte.
fn message(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut message = head.to_vec();
    message.resize(length + 1, 0);
    from.read_exact(&mut message[5..]).ok()?;
    Some(message)
}

/// Everything up to the word that the server is ready, and in which state of a transaction.
fn until_ready(server: &mut UnixStream) -> Option<(Vec<u8>, u8)> {
    let mut all = Vec::new();
    loop {
        let message = message(server)?;
        all.extend_from_slice(&message);
        if message[0] == b'Z' {
            return Some((all, message[5]));
        }
    }
}
