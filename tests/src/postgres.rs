//! Debian's PostgreSQL, started in a temporary folder for as long as tests use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

/// An empty database of a server that all tests of this program share.
pub(crate) struct Server {
    cluster: Arc<Cluster>,
    database: String,
}

/// A server that listens on a socket in its own folder.
struct Cluster {
    programs: PathBuf,
    folder: TempDir,
}

/// The running server, while a test holds it.
static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static DATABASES: AtomicUsize = AtomicUsize::new(0);

impl Server {
    pub(crate) fn start() -> Self {
        let cluster = {
            let mut running = RUNNING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            running.upgrade().unwrap_or_else(|| {
                let started = Arc::new(Cluster::start());
                *running = Arc::downgrade(&started);
                started
            })
        };
        let database = format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut client =
            postgres::Client::connect(&cluster.words("postgres"), postgres::NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE {database}")).unwrap();
        Server { cluster, database }
    }

    /// What stands in `hub.toml` as `[state] postgres`.
    pub(crate) fn words(&self) -> String {
        self.cluster.words(&self.database)
    }
}

impl Cluster {
    fn start() -> Self {
        let programs = newest_programs();
        let folder = TempDir::new().unwrap();
        let server = Cluster { programs, folder };
        if is_root() {
            // PostgreSQL refuses to run as root.
            run(Command::new("chown").arg("nobody").arg(server.folder.path()));
        }
        let data = server.data();
        run(server.program("initdb").args(["-D", &data, "-U", "jibu", "-A", "trust"]).args([
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]));
        let socket = server.folder.path().display();
        let options =
            format!("-k {socket} -c listen_addresses='' -c fsync=off -c max_connections=200");
        let log = format!("{socket}/log");
        run(server
            .program("pg_ctl")
            .args(["-D", &data, "-o", &options, "-l", &log, "-w", "start"]));
        server
    }

    fn words(&self, database: &str) -> String {
        format!("host={} user=jibu dbname={database}", self.folder.path().display())
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

fn newest_programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .collect();
    found.sort();
    let (_, programs) = found.pop().expect(
        "PostgreSQL is not installed: `apt-get install postgresql` (cargo xtask test does it)",
    );
    programs
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}

fn run(command: &mut Command) {
    let Output { status, stderr, stdout } = command.output().unwrap();
    let said = [stdout, stderr].concat();
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&said));
}
