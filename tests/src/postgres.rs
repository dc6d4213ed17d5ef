//! Debian's PostgreSQL, started in a temporary folder for as long as it is used.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::Context;
use tempfile::TempDir;

use crate::run;

/// An empty database of a server that all of this program's share.
pub struct Postgres {
    cluster: Arc<Cluster>,
    database: String,
}

/// A server that listens on a socket in its own folder.
struct Cluster {
    programs: PathBuf,
    folder: TempDir,
}

/// The running server, while somebody holds it.
static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static DATABASES: AtomicUsize = AtomicUsize::new(0);

impl Postgres {
    /// A database of its own.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let cluster = {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            match running.upgrade() {
                Some(cluster) => cluster,
                None => {
                    let started = Arc::new(Cluster::start()?);
                    *running = Arc::downgrade(&started);
                    started
                }
            }
        };
        let database = format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let socket = cluster.folder.path();
        run(cluster.program("createdb").arg("-h").arg(socket).args(["-U", "jibu", &database]))?;
        Ok(Postgres { cluster, database })
    }

    /// What stands in `hub.toml` as `[state] postgres`.
    pub fn words(&self) -> String {
        format!("host={} user=jibu dbname={}", self.cluster.folder.path().display(), self.database)
    }
}

impl Cluster {
    fn start() -> anyhow::Result<Self> {
        let server = Cluster { programs: newest_programs()?, folder: TempDir::new()? };
        if is_root() {
            // PostgreSQL refuses to run as root.
            run(Command::new("chown").arg("nobody").arg(server.folder.path()))?;
        }
        let data = server.data();
        run(server.program("initdb").args(["-D", &data, "-U", "jibu", "-A", "trust"]).args([
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]))?;
        let socket = server.folder.path().display();
        let options =
            format!("-k {socket} -c listen_addresses='' -c fsync=off -c max_connections=200");
        let log = format!("{socket}/log");
        run(server
            .program("pg_ctl")
            .args(["-D", &data, "-o", &options, "-l", &log, "-w", "start"]))?;
        Ok(server)
    }

    fn data(&self) -> String {
        format!("{}/data", self.folder.path().display())
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "nobody", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let mut stop = self.program("pg_ctl");
        // The folder is removed next: what cannot be stopped ends by itself.
        let _ = stop.args(["-D", &data, "-m", "immediate", "-w", "stop"]).output();
    }
}

fn newest_programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        Some((number, version.path().join("bin")))
    });
    let newest = found.filter(|(_, programs)| programs.join("initdb").exists()).max();
    newest.map(|(_, programs)| programs).context(
        "PostgreSQL is not installed: `apt-get install postgresql` (cargo xtask test does it)",
    )
}

pub(crate) fn is_root() -> bool {
    fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}
