//! The pseudo-terminal that stands in for the modem's port.
//!
//! The modem holds the master side alone, so it notices when the host opens and
//! closes the other, and a host that comes back finds the modem as it left it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, QueueSelector};

/// Output that the host is slow to read waits up to this; a real port loses
/// what comes beyond.
const PENDING_ROOM: usize = 256 * 1024;

/// A port behind a link.
pub(crate) struct Port {
    link: PathBuf,
    master: OwnedFd,
    slave: PathBuf,
    pending: Vec<u8>,
}

/// What reading the port gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// The host closed the port.
    Closed,
}

impl Port {
    /// A new pseudo-terminal, with `link` pointing to it. A link that stands
    /// there already is replaced; a file is not.
    pub(crate) fn create(link: &Path) -> io::Result<Self> {
        if let Ok(metadata) = fs::symlink_metadata(link)
            && !metadata.file_type().is_symlink()
        {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is no link stands there",
            ));
        }
        let (master, slave) = open_pair()?;
        let port = Port { link: link.to_owned(), master, slave, pending: Vec::new() };
        port.point_link()?;
        port.tidy()?;
        Ok(port)
    }

    /// The master side, for polling.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// Whether the host has the port open, or left bytes before it closed it.
    pub(crate) fn is_open(&self) -> bool {
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        let zero = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut fds, Some(&zero)).is_err() {
            return false;
        }
        let events = fds[0].revents();
        !events.contains(PollFlags::HUP) || events.contains(PollFlags::IN)
    }

    /// Whether output waits for the host to read.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Reads what the host wrote.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Read {
        match rustix::io::read(&self.master, buffer) {
            Ok(0) => Read::Closed,
            Ok(count) => Read::Bytes(count),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Read::Nothing,
            // EIO: nobody has the other side open any more.
            Err(_) => Read::Closed,
        }
    }

    /// Writes to the host as far as it reads; the rest waits.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let room = PENDING_ROOM.saturating_sub(self.pending.len());
        self.pending.extend(bytes.iter().take(room));
        while !self.pending.is_empty() {
            match rustix::io::write(&self.master, &self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    /// After the host closed the port: nothing that it did not read, and none
    /// of its settings, reaches the next one.
    pub(crate) fn reopenable(&mut self) -> io::Result<()> {
        self.pending.clear();
        if self.tidy().is_ok() {
            return Ok(());
        }
        // The host left the terminal marked as exclusive (TIOCEXCL), which a
        // real port forgets when it is closed. A new one takes its place.
        let (master, slave) = open_pair()?;
        self.master = master;
        self.slave = slave;
        self.point_link()?;
        self.tidy()
    }

    /// Opens the host's side for a moment, to drop what is unread and to make
    /// it raw: echo there would send the modem's words back to the modem.
    fn tidy(&self) -> io::Result<()> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&self.slave, flags, Mode::empty())?;
        let mut attributes = rustix::termios::tcgetattr(&slave)?;
        attributes.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &attributes)?;
        rustix::termios::tcflush(&slave, QueueSelector::IFlush)?;
        Ok(())
    }

    /// Points the link here in one step, so that a host never finds it missing.
    fn point_link(&self) -> io::Result<()> {
        let mut beside = self.link.clone().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        let beside = PathBuf::from(beside);
        let _ = fs::remove_file(&beside);
        std::os::unix::fs::symlink(&self.slave, &beside)?;
        fs::rename(&beside, &self.link)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if fs::read_link(&self.link).is_ok_and(|target| target == self.slave) {
            let _ = fs::remove_file(&self.link);
        }
    }
}

fn open_pair() -> io::Result<(OwnedFd, PathBuf)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    rustix::io::ioctl_fionbio(&master, true)?;
    let slave = name.into_string().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok((master, PathBuf::from(slave)))
}
