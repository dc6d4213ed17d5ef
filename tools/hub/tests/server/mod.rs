//! Debian's PostgreSQL, started in a temporary folder for as long as a test
//! lasts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A server that listens on a socket in its own folder, with one empty database.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let programs = newest_programs();
        let folder = TempDir::new().unwrap();
        let server = Server { programs, folder };
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
        let options = format!("-k {socket} -c listen_addresses='' -c fsync=off");
        let log = format!("{socket}/log");
        run(server
            .program("pg_ctl")
            .args(["-D", &data, "-o", &options, "-l", &log, "-w", "start"]));
        server
    }

    /// What stands in `hub.toml` as `[state] postgres`.
    pub(crate) fn words(&self) -> String {
        format!("host={} user=jibu dbname=postgres", self.folder.path().display())
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

impl Drop for Server {
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
