//! Against the simulated modem, whose codec is not ours: USSD in every make's
//! form, and what a technician is told of each fault.

// What fails here fails the test; helpers beside the tests are no exception.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::Duration;

use jibu_modem::{
    Command, Config, Errand, Event, Fault, Handle, Mode, Pin, Registration, SendError, StorageName,
    examine, spawn,
};
use jibu_modem_sim::{Client, Options, Profile, Server, ServerHandle};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
    _server: ServerHandle,
    control: Client,
}

impl Bench {
    fn new(profile: &str, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(Profile::load(profile).unwrap(), 1);
        options.time_scale = 0.02;
        change(&mut options);
        let (link, socket) = (folder.path().join("modem"), folder.path().join("control"));
        let server = Server::bind(options, &link, &socket).unwrap().spawn().unwrap();
        let control = Client::connect(&socket, Duration::from_secs(10)).unwrap();
        Bench { folder, _server: server, control }
    }

    fn config(&self) -> Config {
        let mut config = Config::new("test", self.folder.path().join("modem"));
        config.search_in = Vec::new();
        config
    }

    fn ask(&mut self, request: Value) -> Value {
        self.control.request(&request).unwrap()
    }
}

async fn event<T>(modem: &mut Handle, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let searching = async {
        while let Some(event) = modem.events.recv().await {
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
        panic!("the modem's task has ended");
    };
    tokio::time::timeout(Duration::from_secs(30), searching).await.expect("it happens soon")
}

const PAGES: [&str; 4] = [
    "Jibu\n1.English\n2.Kiswahili\n0.Back",
    "Été: 5 € \"net\" @ [1]\n9.Suite 0.Retour",
    "ውሃውን ለአንድ ደቂቃ በደንብ ያፍሉ።\n9.More",
    "ដាំទឹកឱ្យពុះ\n0.Back",
];

#[tokio::test]
async fn codes_and_sessions_work_with_every_make_whatever_its_form() {
    for profile in ["generic", "sim800l", "sim7600", "ec25", "huawei"] {
        for odd in [false, true] {
            let mut bench = Bench::new(profile, |options| {
                // A scheme that is none of the text's, and the reply before OK.
                let quirks = &mut options.profile.quirks;
                quirks.ussd_coding = odd.then_some(15);
                quirks.ussd_before_ok = odd;
            });
            let mut modem = spawn(Config { ussd: true, ..bench.config() });
            let knows = |event: &Event| match event {
                Event::Ready { ussd, .. } => Some(*ussd),
                _ => None,
            };
            assert!(event(&mut modem, knows).await, "{profile}");
            let said = |event: &Event| match event {
                Event::Ussd(ussd) => Some((ussd.mode, ussd.text.clone())),
                _ => None,
            };
            modem.commands.send(Command::Ussd { text: "*100#".into() }).await.unwrap();
            let (mode, text) = event(&mut modem, said).await;
            assert_eq!(mode, Mode::Done);
            assert!(text.unwrap().starts_with("Your balance is MK 1,234.50."), "{profile}");

            for (at, page) in PAGES.iter().enumerate() {
                for entry in ["*384*77#", "how long?", "ውሃ ማፍላት እንዴት"] {
                    bench.ask(json!({ "op": "ussd", "m": 1, "text": entry }));
                    let heard = event(&mut modem, said).await;
                    assert_eq!(heard, (Mode::ActionNeeded, Some(entry.into())), "{profile} {odd}");
                }
                modem.commands.send(Command::Ussd { text: (*page).into() }).await.unwrap();
                let shown = loop {
                    let said = bench.ask(json!({ "op": "ussd_said" }));
                    if let Some(shown) = said["said"].get(at) {
                        break shown.clone();
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                };
                assert_eq!(shown["text"], *page, "{profile}");
                assert_eq!(shown["fits"], true);
            }
            bench.ask(json!({ "op": "ussd", "m": 5 }));
            assert_eq!(event(&mut modem, said).await, (Mode::TimedOut, None));
        }
    }
}

#[tokio::test]
async fn a_modem_without_ussd_says_so() {
    let bench = Bench::new("minimal", |_| {});
    let mut modem = spawn(Config { ussd: true, ..bench.config() });
    let knows = |event: &Event| match event {
        Event::Ready { ussd, .. } => Some(*ussd),
        _ => None,
    };
    assert!(!event(&mut modem, knows).await);
}

fn errand() -> Errand {
    // "Hi" to +265991234567.
    let pdu = [0, 0x11, 0, 0x0C, 0x91, 0x62, 0x95, 0x19, 0x32, 0x54, 0x76, 0, 0, 0xA7, 2, 0xC8];
    let pdu = [pdu.as_slice(), &[0x34]].concat();
    Errand { code: Some("*100#".into()), pdu: Some(pdu) }
}

#[tokio::test]
async fn a_modem_that_works_is_seen_whole() {
    for profile in ["generic", "sim800l", "sim7600", "ec25", "huawei"] {
        let mut bench = Bench::new(profile, |_| {});
        let seen = examine(bench.config(), errand()).await;
        assert!(seen.is_ready && seen.fault.is_none() && seen.lost.is_none(), "{seen:?}");
        assert_eq!(seen.port, Some(bench.config().port));
        assert!(!seen.identity.unwrap().model.is_empty());
        assert_eq!(seen.registration, Some(Registration::Home));
        assert_eq!(seen.signal, Some(Some(-77)));
        assert_eq!(seen.has_service_centre, Some(true));
        assert!(seen.storage.is_some() && seen.keeps_parts);
        assert!(seen.reply.unwrap().unwrap().contains("1,234.50"), "{profile}");
        assert!(matches!(seen.sent, Some(Ok(Some(_)))), "{profile}: {:?}", seen.sent);
        let sent = bench.ask(json!({ "op": "sent" }));
        assert_eq!(sent["messages"][0]["text"], "Hi");
        let stored = bench.ask(json!({ "op": "storage" })).to_string();
        assert!(!stored.contains("STO"), "no copy is left: {stored}");
    }
}

#[tokio::test]
async fn every_fault_of_the_sim_and_the_network_is_named() {
    let pin = |options: &mut Options| options.pin = Some("4711".into());
    let seen = |bench: &Bench| examine(bench.config(), Errand::default());

    let bench = Bench::new("sim800l", pin);
    let found = seen(&bench).await;
    assert_eq!(found.fault, Some(Fault::PinMissing));
    assert_eq!(found.identity.unwrap().model, "SIMCOM_SIM800L", "known all the same");
    let wrong = Config { pin: Pin::parse("1234").ok(), ..bench.config() };
    assert_eq!(examine(wrong, Errand::default()).await.fault, Some(Fault::PinRefused));
    let right = Config { pin: Pin::parse("4711").ok(), ..bench.config() };
    let again = examine(right, Errand::default()).await;
    assert!(matches!(again.fault, Some(Fault::PinTriesSpent { .. })) || again.is_ready);

    let mut bench = Bench::new("generic", |_| {});
    bench.ask(json!({ "op": "set", "sim_present": false }));
    assert_eq!(seen(&bench).await.fault, Some(Fault::SimMissing));

    let mut bench = Bench::new("generic", |_| {});
    bench.ask(json!({ "op": "set", "registration": 3, "signal": 99 }));
    let found = seen(&bench).await;
    assert_eq!((found.registration, found.signal), (Some(Registration::Denied), Some(None)));

    let mut bench = Bench::new("minimal", |_| {});
    bench.ask(json!({ "op": "set", "service_centre": "" }));
    for text in ["1", "2", "3", "4", "5", "6"] {
        let deliver =
            json!({ "op": "deliver", "from": "+265990000001", "text": text, "delay_ms": 0 });
        bench.ask(deliver);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let found = seen(&bench).await;
    assert_eq!(found.has_service_centre, Some(false));
    assert_eq!(found.storage, Some((StorageName::SM, 5, 5)));
    assert!(!found.keeps_parts);

    let mut bench = Bench::new("generic", |_| {});
    bench.ask(json!({ "op": "set", "refuse_with": 38 }));
    let sent = examine(bench.config(), errand()).await.sent;
    assert!(matches!(sent, Some(Err(SendError::Refused(_)))), "{sent:?}");
}

#[tokio::test]
async fn a_port_of_no_use_is_explained_and_another_one_is_found() {
    let bench = Bench::new("generic", |_| {});
    let mut config = bench.config();
    config.port = PathBuf::from("/no/such/port");
    let ports = bench.folder.path().join("ports");
    std::fs::create_dir(&ports).unwrap();
    std::os::unix::fs::symlink(bench.folder.path().join("modem"), ports.join("usb-Modem")).unwrap();
    config.search_in = vec![ports.clone()];
    let seen = examine(config, Errand::default()).await;
    assert!(seen.lost.unwrap().contains("is the modem plugged in"));
    assert_eq!(seen.elsewhere, [ports.join("usb-Modem")]);

    let path = bench.config().port;
    // The examination lets go of it in a moment.
    let _other = loop {
        match serialport::new(path.to_str().unwrap(), 115_200).open() {
            Ok(port) => break port,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let seen = examine(bench.config(), Errand::default()).await;
    assert!(seen.lost.unwrap().contains("another program uses"));
}
