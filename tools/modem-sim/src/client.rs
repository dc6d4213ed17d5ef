//! The other end of the control socket, for tests and demonstrations.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A connection to a simulator.
pub struct Client {
    reader: BufReader<UnixStream>,
}

/// Why a request got no answer of use.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket.
    #[error("the simulator cannot be reached")]
    Socket(#[from] io::Error),
    /// The simulator went away, or its answer was no JSON.
    #[error("the simulator's answer was not understood")]
    Answer(#[from] serde_json::Error),
    /// The simulator's own words.
    #[error("the simulator refused: {0}")]
    Refused(String),
}

impl Client {
    /// Connects, waiting up to `patience` for the simulator to come up.
    ///
    /// # Errors
    /// When it does not.
    pub fn connect(socket: &Path, patience: Duration) -> Result<Self, ClientError> {
        let started = Instant::now();
        loop {
            match UnixStream::connect(socket) {
                Ok(stream) => return Ok(Client { reader: BufReader::new(stream) }),
                Err(error) if started.elapsed() >= patience => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When the answer has an `error`, or none comes.
    pub fn request(&mut self, request: &Value) -> Result<Value, ClientError> {
        self.reader.get_mut().write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        match answer.get("error") {
            Some(error) => Err(ClientError::Refused(error.as_str().unwrap_or("?").to_owned())),
            None => Ok(answer),
        }
    }

    /// A text to the mobile.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn deliver(&mut self, from: &str, text: &str) -> Result<Value, ClientError> {
        self.request(&json!({ "op": "deliver", "from": from, "text": text }))
    }

    /// The sent messages once `count` complete ones are there.
    ///
    /// # Errors
    /// As [`Client::request`]; `Refused("timeout")` when they do not come.
    pub fn wait_sent(&mut self, count: usize, timeout: Duration) -> Result<Value, ClientError> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.request(&json!({ "op": "wait_sent", "count": count, "timeout_ms": timeout_ms }))
    }
}
