//! A modem behind a real serial line: a pseudo-terminal with a small peer.

// What fails here fails the test; helpers beside the tests are no exception.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jibu_modem::{Command, Config, Event, Handle, Held, Hook, Registration, spawn};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use tempfile::TempDir;

/// A modem with one stored message, which it shows until it is deleted, and an
/// outgoing copy that it keeps after sending.
struct Peer {
    /// Held open, so that the line stays up between two hosts.
    _line: OwnedFd,
    master: File,
    stop: Arc<AtomicBool>,
    answering: Option<JoinHandle<()>>,
}

impl Peer {
    /// Appears under `link`, as a modem that was plugged in.
    fn plug_in(link: &Path) -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let line = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let mut settings = rustix::termios::tcgetattr(&line).unwrap();
        settings.make_raw();
        let now = rustix::termios::OptionalActions::Now;
        rustix::termios::tcsetattr(&line, now, &settings).unwrap();
        let _ = std::fs::remove_file(link);
        std::os::unix::fs::symlink(name.to_str().unwrap(), link).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let stop = Arc::default();
        Peer { _line: line, master: File::from(master), stop, answering: None }
    }

    /// Answers in a thread of its own.
    fn answer(&mut self) {
        let (mut master, stop) = (self.master.try_clone().unwrap(), Arc::clone(&self.stop));
        self.answering = Some(std::thread::spawn(move || {
            let (mut line, mut byte, mut stored, mut sent) = (Vec::new(), [0], true, false);
            while !stop.load(Ordering::SeqCst) {
                match master.read(&mut byte) {
                    Ok(1) => line.extend(byte),
                    _ => std::thread::sleep(Duration::from_millis(1)),
                }
                if !matches!(line.last(), Some(b'\r' | 0x1A | 0x1B)) {
                    continue;
                }
                let command = String::from_utf8_lossy(&line).trim().to_owned();
                line.clear();
                let answer = answer_to(&command, &mut stored, &mut sent);
                // In two pieces, as serial lines do.
                let (first, rest) = answer.split_at(answer.len() / 2);
                let _ = master.write_all(first.as_bytes());
                std::thread::sleep(Duration::from_millis(2));
                let _ = master.write_all(rest.as_bytes());
            }
        }));
    }

    /// Goes away, as a modem that is pulled out.
    fn hang_up(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(answering) = self.answering.take() {
            answering.join().unwrap();
        }
    }

    fn say(&self, text: &str) {
        (&self.master).write_all(text.as_bytes()).unwrap();
    }
}

fn answer_to(command: &str, stored: &mut bool, sent: &mut bool) -> String {
    let lines = match command {
        "\u{1b}" => return String::new(),
        "AT+CMEE?" => "+CMEE: 0\r\n",
        "AT+CGSN" => "490154203237518\r\n",
        "AT+CPIN?" => "+CPIN: READY\r\n",
        "AT+CREG?" => "+CREG: 1,5\r\n",
        "AT+CSQ" => "+CSQ: 31,99\r\n",
        "AT+CPMS=?" => "+CPMS: (\"SM\"),(\"SM\"),(\"SM\")\r\n",
        "AT+CPMS=\"SM\"" | "AT+CPMS=\"SM\",\"SM\",\"SM\"" => "+CPMS: 1,10,1,10,1,10\r\n",
        "AT+CMGL=4" if *stored && *sent => {
            "+CMGL: 1,1,,3\r\n00112233\r\n+CMGL: 2,3,,3\r\n00AABBCC\r\n"
        }
        "AT+CMGL=4" if *stored => "+CMGL: 1,1,,3\r\n00112233\r\n",
        "AT+CMGR=2" => "+CMGR: 3,,3\r\n00AABBCC\r\n",
        "AT+CMGD=1" => {
            *stored = false;
            ""
        }
        "AT+CMGW=3" => return "\r\n> ".to_owned(),
        "AT+CMSS=2" => {
            *sent = true;
            "+CMSS: 9\r\n"
        }
        pdu if pdu.ends_with('\u{1a}') => "+CMGW: 2\r\n",
        _ => "",
    };
    format!("\r\n{lines}\r\nOK\r\n")
}

struct Bench {
    _folder: TempDir,
    link: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Bench { link: folder.path().join("modem"), _folder: folder }
    }

    fn spawn(&self) -> Handle {
        spawn(Config::new("test", &self.link))
    }
}

/// The first event that is asked for; others are passed over.
async fn wait_for<T>(handle: &mut Handle, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let searching = async {
        while let Some(event) = handle.events.recv().await {
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
        panic!("the modem's task has ended");
    };
    tokio::time::timeout(Duration::from_secs(30), searching).await.expect("it happens soon")
}

async fn ready(handle: &mut Handle) -> (u32, usize) {
    wait_for(handle, |event| match event {
        Event::Ready { session, stored, .. } => Some((*session, stored.len())),
        _ => None,
    })
    .await
}

async fn lost(handle: &mut Handle) -> String {
    wait_for(handle, |event| match event {
        Event::Lost { reason, .. } => Some(reason.clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_message_comes_is_erased_and_another_is_sent() {
    let bench = Bench::new();
    let mut peer = Peer::plug_in(&bench.link);
    peer.answer();
    let mut handle = bench.spawn();

    let registration = wait_for(&mut handle, |event| match event {
        Event::Registration(registration) => Some(*registration),
        _ => None,
    });
    assert_eq!(registration.await, Registration::Roaming);
    let held = wait_for(&mut handle, |event| match event {
        Event::Incoming { held, pdu } if pdu.0 == [0, 0x11, 0x22, 0x33] => Some(*held),
        _ => None,
    })
    .await;
    let (session, _) = ready(&mut handle).await;

    handle.commands.send(Command::Erase { held }).await.unwrap();
    let erased = wait_for(&mut handle, |event| match event {
        Event::Erased { held } => Some(*held),
        _ => None,
    });
    assert_eq!(erased.await, held);

    let pdu = vec![0, 0xAA, 0xBB, 0xCC];
    handle.commands.send(Command::Send { id: 7, session, pdu }).await.unwrap();
    let reference = wait_for(&mut handle, |event| match event {
        Event::Sent { id: 7, reference, .. } => Some(*reference),
        _ => None,
    });
    assert_eq!(reference.await, Some(9));

    peer.say("\r\n+CDS: 3\r\n00060102\r\n");
    let held = wait_for(&mut handle, |event| match event {
        Event::Incoming { held, .. } => Some(*held),
        _ => None,
    });
    assert!(matches!(held.await, Held::Direct { .. }));
}

#[tokio::test]
async fn a_modem_that_is_pulled_out_is_found_again() {
    let bench = Bench::new();
    let mut peer = Peer::plug_in(&bench.link);
    peer.answer();
    let mut handle = bench.spawn();
    let (first, stored) = ready(&mut handle).await;
    assert_eq!(stored, 0);
    let pdu = vec![0, 0xAA, 0xBB, 0xCC];
    handle.commands.send(Command::Send { id: 7, session: first, pdu }).await.unwrap();
    wait_for(&mut handle, |event| matches!(event, Event::Sent { .. }).then_some(())).await;

    let mut other = Peer::plug_in(&bench.link);
    peer.hang_up();
    lost(&mut handle).await;
    other.answer();
    let (second, _) = ready(&mut handle).await;
    assert_eq!(second, first + 1);
}

#[tokio::test]
async fn a_port_that_is_not_there_is_waited_for() {
    let bench = Bench::new();
    let mut handle = bench.spawn();
    let reason = lost(&mut handle).await;
    assert!(reason.contains("is the modem plugged in"), "{reason}");

    let mut peer = Peer::plug_in(&bench.link);
    peer.answer();
    ready(&mut handle).await;
}

#[tokio::test]
async fn a_port_that_another_program_uses_is_named_as_such() {
    let bench = Bench::new();
    let _peer = Peer::plug_in(&bench.link);
    let _other = serialport::new(bench.link.to_str().unwrap(), 115_200).open().unwrap();
    let mut handle = bench.spawn();
    let reason = lost(&mut handle).await;
    assert!(reason.contains("another program uses"), "{reason}");
}

#[tokio::test]
async fn what_is_no_serial_port_is_refused_in_words() {
    let bench = Bench::new();
    std::fs::write(&bench.link, "not a modem").unwrap();
    let mut handle = bench.spawn();
    let reason = lost(&mut handle).await;
    assert!(reason.contains("cannot be opened"), "{reason}");
}

#[tokio::test]
async fn a_listener_that_does_not_listen_does_not_block_commands() {
    let bench = Bench::new();
    let mut peer = Peer::plug_in(&bench.link);
    peer.answer();
    let mut handle = bench.spawn();
    let (session, _) = ready(&mut handle).await;
    for id in 0..400 {
        let pdu = vec![0, 0xAA, 0xBB, 0xCC];
        let command = handle.commands.send(Command::Send { id, session, pdu });
        tokio::time::timeout(Duration::from_secs(10), command).await.expect("no jam").unwrap();
    }
    let mut answered = 0;
    while answered < 400 {
        let one = wait_for(&mut handle, |event| {
            matches!(event, Event::Sent { .. } | Event::SendFailed { .. }).then_some(())
        });
        one.await;
        answered += 1;
    }
}

#[tokio::test]
async fn dropping_the_handle_gives_the_port_back() {
    let bench = Bench::new();
    let mut peer = Peer::plug_in(&bench.link);
    peer.answer();
    let mut handle = bench.spawn();
    ready(&mut handle).await;
    drop(handle);
    let path = bench.link.to_str().unwrap().to_owned();
    for _ in 0..100 {
        if serialport::new(&path, 115_200).open().is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the port is still in use");
}

#[tokio::test]
async fn a_modem_is_found_by_its_imei_when_its_port_has_another_name() {
    let bench = Bench::new();
    let ports = bench.link.parent().unwrap().join("ports");
    std::fs::create_dir(&ports).unwrap();
    // One port that says nothing, one with the modem.
    let _silent = Peer::plug_in(&ports.join("ttyUSB0"));
    let mut peer = Peer::plug_in(&ports.join("ttyUSB7"));
    peer.answer();
    let mut config = Config::new("test", &bench.link);
    config.imei = Some("490154203237518".into());
    config.search_in = vec![ports];
    let mut handle = spawn(config.clone());
    ready(&mut handle).await;
    drop(handle);

    config.imei = Some("490154203237599".into());
    let mut handle = spawn(config);
    let reason = lost(&mut handle).await;
    assert!(reason.contains("on no other port"), "{reason}");
}

#[tokio::test]
async fn a_silent_modem_has_its_power_cut_and_that_is_told() {
    let bench = Bench::new();
    let _silent = Peer::plug_in(&bench.link);
    let mark = bench.link.with_file_name("pressed");
    let command = vec!["touch".to_owned(), mark.to_str().unwrap().to_owned()];
    let mut config = Config::new("test", &bench.link);
    config.power_key = Hook::new(command).map(|hook| Arc::new(hook) as _);
    config.silence_before_reset = Duration::from_secs(3);
    let mut handle = spawn(config);
    let restarting = |event: &Event| matches!(event, Event::Restarting).then_some(());
    wait_for(&mut handle, restarting).await;
    let cut = |event: &Event| match event {
        Event::PowerCut(result) => Some(result.clone()),
        _ => None,
    };
    assert_eq!(wait_for(&mut handle, cut).await, Ok(()));
    assert!(mark.exists());
}
