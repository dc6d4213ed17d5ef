//! The shell around the simulator: a pseudo-terminal, a control socket, and
//! the one clock.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::control::{Request, failure};
use crate::pty::{Port, Read};
use crate::simulator::{ClientId, Input, Options, Output, Simulator};

/// How often a closed port is looked at: opening it wakes nobody.
const CLOSED_PORT: Duration = Duration::from_millis(5);
/// The longest request line.
const REQUEST_ROOM: usize = 4 * 1024 * 1024;

/// Why the simulator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The pseudo-terminal or its link.
    #[error("the port {0} cannot be made")]
    Port(PathBuf, #[source] io::Error),
    /// The control socket.
    #[error("the control socket {0} cannot be opened")]
    Control(PathBuf, #[source] io::Error),
    /// Waiting for something to happen.
    #[error("waiting for the port and the control socket failed")]
    Wait(#[source] io::Error),
}

/// A simulator on a pseudo-terminal.
pub struct Server {
    simulator: Simulator,
    started: Instant,
    link: PathBuf,
    port: Option<Port>,
    /// Whether the simulator was told that the host has the port open.
    open: bool,
    listener: UnixListener,
    control: PathBuf,
    clients: Vec<Connection>,
    next_client: ClientId,
}

struct Connection {
    id: ClientId,
    stream: UnixStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// Requests without an answer yet.
    unanswered: usize,
    /// The client will say no more.
    ended: bool,
    broken: bool,
}

impl Server {
    /// Makes the port and the control socket.
    ///
    /// # Errors
    /// When either cannot be made, e.g. because a file stands in its place.
    pub fn bind(options: Options, link: &Path, control: &Path) -> Result<Self, ServerError> {
        let port = Port::create(link).map_err(|error| ServerError::Port(link.to_owned(), error))?;
        let in_control = |error| ServerError::Control(control.to_owned(), error);
        let listener = listen(control).map_err(in_control)?;
        listener.set_nonblocking(true).map_err(in_control)?;
        Ok(Server {
            simulator: Simulator::new(options),
            started: Instant::now(),
            link: link.to_owned(),
            port: Some(port),
            open: false,
            listener,
            control: control.to_owned(),
            clients: Vec::new(),
            next_client: 1,
        })
    }

    /// Runs until `stop` becomes readable or a client says `quit`.
    ///
    /// # Errors
    /// When the port is lost for good or polling fails.
    pub fn run(mut self, stop: impl AsFd) -> Result<(), ServerError> {
        loop {
            if self.drain()? {
                return Ok(());
            }
            if self.wait(stop.as_fd())? {
                return Ok(());
            }
            self.accept();
            self.serve_clients();
            self.serve_port()?;
            self.simulator.handle(Input::Tick, self.started.elapsed());
        }
    }

    /// Runs on a thread of its own.
    ///
    /// # Errors
    /// When no thread or pipe can be made.
    pub fn spawn(self) -> io::Result<ServerHandle> {
        let (stop, stopped) = UnixStream::pair()?;
        let thread = std::thread::Builder::new()
            .name("modem-sim".to_owned())
            .spawn(move || self.run(OwnedFd::from(stopped)))?;
        Ok(ServerHandle { stop: Some(stop), thread: Some(thread) })
    }

    /// Does what the simulator wants done. Says whether it wants to end.
    fn drain(&mut self) -> Result<bool, ServerError> {
        let mut quits = false;
        while let Some(output) = self.simulator.poll() {
            match output {
                Output::Bytes(bytes) => {
                    if let Some(port) = &mut self.port {
                        port.write(&bytes);
                    }
                }
                Output::Answer(client, answer) => self.answer(client, &answer),
                Output::Unplug => {
                    self.port = None;
                    self.tell_closed();
                }
                Output::Plug => {
                    if self.port.is_none() {
                        let port = Port::create(&self.link)
                            .map_err(|error| ServerError::Port(self.link.clone(), error))?;
                        self.port = Some(port);
                    }
                }
                Output::Quit => quits = true,
            }
        }
        for client in &mut self.clients {
            client.write();
        }
        Ok(quits)
    }

    /// Sleeps until something happens. Says whether it was the wish to stop.
    fn wait(&mut self, stop: impl AsFd) -> Result<bool, ServerError> {
        let mut timeout = match self.simulator.deadline() {
            Some(at) => at.saturating_sub(self.started.elapsed()),
            None => Duration::from_secs(3_600),
        };
        let mut fds = vec![
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        match &self.port {
            Some(port) if self.open => {
                let wants_room =
                    if port.has_pending() { PollFlags::OUT } else { PollFlags::empty() };
                fds.push(PollFd::from_borrowed_fd(port.fd(), PollFlags::IN | wants_room));
            }
            Some(_) => timeout = timeout.min(CLOSED_PORT),
            None => {}
        }
        for client in &self.clients {
            let reads = if client.ended { PollFlags::empty() } else { PollFlags::IN };
            let writes =
                if client.outgoing.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            fds.push(PollFd::new(&client.stream, reads | writes));
        }
        let timeout = Timespec::try_from(timeout)
            .map_err(|_| ServerError::Wait(io::Error::from(io::ErrorKind::InvalidInput)))?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(ServerError::Wait(error.into())),
        }
        Ok(fds.first().is_some_and(|fd| !fd.revents().is_empty()))
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                self.clients.push(Connection {
                    id: self.next_client,
                    stream,
                    incoming: Vec::new(),
                    outgoing: Vec::new(),
                    unanswered: 0,
                    ended: false,
                    broken: false,
                });
                self.next_client += 1;
            }
        }
    }

    fn serve_clients(&mut self) {
        let mut requests = Vec::new();
        for client in &mut self.clients {
            for line in client.read() {
                client.unanswered += 1;
                requests.push((client.id, Request::parse(&line)));
            }
        }
        for (client, request) in requests {
            match request {
                Ok(request) => {
                    let input = Input::Request(client, request);
                    self.simulator.handle(input, self.started.elapsed());
                }
                Err(answer) => self.answer(client, &answer),
            }
        }
        let gone = |client: &Connection| {
            let finished = client.ended && client.unanswered == 0 && client.outgoing.is_empty();
            client.broken || finished
        };
        for client in self.clients.iter().filter(|client| gone(client)) {
            self.simulator.forget(client.id);
        }
        self.clients.retain(|client| !gone(client));
    }

    fn answer(&mut self, client: ClientId, answer: &Value) {
        if let Some(client) = self.clients.iter_mut().find(|c| c.id == client) {
            client.unanswered = client.unanswered.saturating_sub(1);
            client.outgoing.extend(format!("{answer}\n").into_bytes());
            client.write();
        }
    }

    fn serve_port(&mut self) -> Result<(), ServerError> {
        let Some(port) = &mut self.port else { return Ok(()) };
        if !self.open {
            if !port.is_open() {
                return Ok(());
            }
            self.open = true;
            self.simulator.handle(Input::Opened, self.started.elapsed());
        }
        port.write(&[]);
        let mut buffer = [0; 4_096];
        loop {
            match port.read(&mut buffer) {
                Read::Bytes(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    self.simulator.handle(Input::Bytes(bytes), self.started.elapsed());
                }
                Read::Nothing => return Ok(()),
                Read::Closed => {
                    port.reopenable()
                        .map_err(|error| ServerError::Port(self.link.clone(), error))?;
                    self.tell_closed();
                    return Ok(());
                }
            }
        }
    }

    fn tell_closed(&mut self) {
        if self.open {
            self.open = false;
            self.simulator.handle(Input::Closed, self.started.elapsed());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.control);
    }
}

impl Connection {
    /// Complete lines that the client wrote.
    fn read(&mut self) -> Vec<String> {
        let mut buffer = [0; 4_096];
        while !self.ended {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.incoming.extend(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.ended = true;
                    self.broken = true;
                }
            }
        }
        let mut lines = Vec::new();
        while let Some(end) = self.incoming.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.incoming.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() {
                lines.push(line);
            }
        }
        if self.incoming.len() > REQUEST_ROOM {
            self.incoming.clear();
            self.ended = true;
            self.outgoing.extend(format!("{}\n", failure("the request is too long")).into_bytes());
        }
        lines
    }

    fn write(&mut self) {
        while !self.outgoing.is_empty() && !self.broken {
            match self.stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.broken = true,
            }
        }
    }
}

/// A simulator that runs on its own thread and ends when this is dropped.
pub struct ServerHandle {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
}

impl ServerHandle {
    /// Ends it and waits for that.
    ///
    /// # Errors
    /// What made it end before.
    pub fn stop(mut self) -> Result<(), ServerError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), ServerError> {
        drop(self.stop.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            _ => Ok(()),
        }
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// A socket at a path; one that a dead simulator left there is replaced.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if UnixStream::connect(path).is_ok() {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        result => result,
    }
}
