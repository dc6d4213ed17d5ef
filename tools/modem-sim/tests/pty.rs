//! The simulator on a real pseudo-terminal, with hosts that come and go.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jibu_modem_sim::{Client, Options, Profile, Server, ServerHandle};
use rustix::fs::OFlags;
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    folder: TempDir,
    server: Option<ServerHandle>,
    control: Client,
}

impl Bench {
    fn new(profile: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let options = Options {
            time_scale: 0.01,
            ..Options::new(Profile::load(profile).expect("built in"), 1)
        };
        let (link, socket) = (folder.path().join("modem"), folder.path().join("control"));
        let server = Server::bind(options, &link, &socket).expect("a port and a socket");
        let server = server.spawn().expect("a thread");
        let control = Client::connect(&socket, PATIENCE).expect("the simulator is up");
        Bench { folder, server: Some(server), control }
    }

    fn link(&self) -> PathBuf {
        self.folder.path().join("modem")
    }

    fn state(&mut self) -> Value {
        self.control.request(&json!({ "op": "state" })).expect("the state")
    }

    fn wait_for_host(&mut self, host: &str) {
        let started = Instant::now();
        while self.state()["host"] != host {
            assert!(started.elapsed() < PATIENCE, "the host never was {host}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn open(link: &Path) -> File {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).expect("flags fit");
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(link).expect("the port")
}

/// Writes a line and reads until the expected end.
fn dialogue(port: &mut File, line: &str, end: &str) -> String {
    port.write_all(line.as_bytes()).expect("the port takes it");
    let started = Instant::now();
    let mut seen = String::new();
    while !seen.ends_with(end) {
        assert!(started.elapsed() < PATIENCE, "{line:?} was answered with {seen:?}");
        let mut buffer = [0; 512];
        match port.read(&mut buffer) {
            Ok(count) => seen += &String::from_utf8_lossy(&buffer[..count]),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    seen
}

#[test]
fn replies_are_framed_as_v250_says() {
    let bench = Bench::new("generic");
    let mut port = open(&bench.link());
    assert_eq!(dialogue(&mut port, "AT\r", "OK\r\n"), "AT\r\r\nOK\r\n");
    assert_eq!(dialogue(&mut port, "ATE0\r", "OK\r\n"), "ATE0\r\r\nOK\r\n");
    assert_eq!(dialogue(&mut port, "AT+CSQ\r", "OK\r\n"), "\r\n+CSQ: 18,0\r\n\r\nOK\r\n");
    assert_eq!(dialogue(&mut port, "ATV0+CSQ\r", "0\r"), "+CSQ: 18,0\r\n0\r");
    assert_eq!(dialogue(&mut port, "ATV1\r", "OK\r\n"), "\r\nOK\r\n");
    assert_eq!(dialogue(&mut port, "AT+CMGS=17\r", "> "), "\r\n> ");
}

#[test]
fn the_modem_outlives_its_hosts() {
    let mut bench = Bench::new("generic");
    for round in 0..5 {
        let mut port = open(&bench.link());
        if round == 0 {
            dialogue(&mut port, "ATE0\r", "OK\r\n");
            dialogue(&mut port, "AT+CNMI=2,1,0,0\r", "OK\r\n");
        }
        bench.wait_for_host("open");
        // A marker that only the modem's own memory can give back.
        let read = dialogue(&mut port, "AT+CNMI?\r", "OK\r\n");
        assert_eq!(read, "\r\n+CNMI: 2,1,0,0,0\r\n\r\nOK\r\n", "round {round}");
        drop(port);
        bench.wait_for_host("closed");
    }
    bench.control.deliver("+265991234567", "while nobody listens").expect("accepted");
    let started = Instant::now();
    loop {
        let storage = bench.control.request(&json!({ "op": "storage" })).expect("the storage");
        if storage["memories"][0]["used"] == 1 {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "the message never came");
    }
    let mut port = open(&bench.link());
    let list = dialogue(&mut port, "AT+CMGL=4\r", "OK\r\n");
    // The indication that nobody read sits in front, as in a small buffer.
    assert!(list.starts_with("\r\n+CMTI: \"SM\",1\r\n"), "{list:?}");
    assert!(list.contains("+CMGL: 1,0,,"), "{list:?}");
}

#[test]
fn a_host_that_died_with_the_port_in_exclusive_mode_shuts_nobody_out() {
    let mut bench = Bench::new("generic");
    let mut port = open(&bench.link());
    rustix::termios::ioctl_tiocexcl(&port).expect("a terminal");
    dialogue(&mut port, "ATE0\r", "OK\r\n");
    drop(port);
    bench.wait_for_host("closed");
    let mut port = open(&bench.link());
    assert_eq!(dialogue(&mut port, "AT\r", "OK\r\n"), "\r\nOK\r\n");
}

#[test]
fn a_usb_modem_leaves_the_bus_when_it_restarts() {
    let mut bench = Bench::new("ec25");
    let mut port = open(&bench.link());
    dialogue(&mut port, "ATE0\r", "OK\r\n");
    bench.control.request(&json!({ "op": "unplug", "ms": 100 })).expect("accepted");
    let started = Instant::now();
    while port.write(b"AT\r").is_ok() {
        assert!(started.elapsed() < PATIENCE, "the port is still there");
    }
    let started = Instant::now();
    while !bench.link().exists() {
        assert!(started.elapsed() < PATIENCE, "the port never came back");
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut port = open(&bench.link());
    assert_eq!(dialogue(&mut port, "AT\r", "OK\r\n"), "\r\nOK\r\n");
}

#[test]
fn the_link_and_the_socket_go_with_the_simulator() {
    let mut bench = Bench::new("generic");
    let (link, socket) = (bench.link(), bench.folder.path().join("control"));
    assert!(link.is_symlink() && socket.exists());
    bench.server.take().expect("it runs").stop().expect("it ends well");
    assert!(!link.is_symlink() && !socket.exists());
}

#[test]
fn a_file_in_the_place_of_the_link_is_left_alone() {
    let folder = TempDir::new().expect("a temporary folder");
    let link = folder.path().join("precious");
    std::fs::write(&link, "data").expect("a file");
    let options = Options::new(Profile::load("generic").expect("built in"), 1);
    let error = Server::bind(options, &link, &folder.path().join("control")).err();
    assert!(error.is_some());
    assert_eq!(std::fs::read_to_string(&link).expect("still there"), "data");
}

#[test]
fn bad_requests_are_answered_and_the_next_one_is_served() {
    let mut bench = Bench::new("generic");
    for (request, hint) in [
        (json!({ "op": "dance" }), "dance"),
        (json!({ "op": "deliver", "from": "", "text": "x" }), "from"),
        (json!({ "op": "deliver", "from": "+1", "text": "x", "time": "noon" }), "time"),
        (json!({ "op": "deliver", "from": "+1", "text": "x", "order": [2] }), "part 2"),
        (json!({ "op": "deliver", "from": "+1", "text": "x", "bits": 12 }), "bits"),
        (json!({ "op": "deliver_pdu", "pdu": "0G" }), "pdu"),
        (json!({ "op": "noise", "urc": 2 }), "urc"),
        (json!({ "op": "noise", "level": "loud" }), "loud"),
        (json!({ "op": "set", "time_scale": -1 }), "time_scale"),
    ] {
        let error = bench.control.request(&request).expect_err("it is refused").to_string();
        assert!(error.contains(hint), "{request}: {error}");
    }
    assert_eq!(bench.state()["power"], "on");
}
