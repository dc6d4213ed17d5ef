use proptest::prelude::*;

use super::*;

/// What a modem may say, to be chosen from at random.
const FRAGMENTS: &[&str] = &[
    "\r\n",
    "OK\r\n",
    "ERROR\r\n",
    "+CMS ERROR: 500\r\n",
    "+CME ERROR: 14\r\n",
    "> ",
    "+CMGL: 1,0,,3\r\n",
    "+CMGL: 2,3,,3\r\n",
    "00112233\r\n",
    "+CMGR: 1,,3\r\n",
    "+CDS: 3\r\n",
    "+CMT: ,3\r\n",
    "+CMTI: \"SM\",1\r\n",
    "+CDSI: \"SR\",65536\r\n",
    "AT+CSQ\r",
    "+CMGW: 3\r\n",
    "+CMSS: 300\r\n",
    "+CSQ: 1,1\r\n",
    "+CMEE: 1\r\n",
    "+CREG: 1,1\r\n",
    "+CPIN: READY\r\n",
    "+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\")\r\n",
    "+CPMS: 1,30,1,30,1,30\r\n",
    "RDY\r\n",
    "+CNMI: (0-3),(0-3),(0,2),(0-2),(0,1)\r\n",
    "+CPIN: SIM PIN\r\n",
    "+CPINR: SIM PIN,3,3\r\n",
];

#[derive(Debug, Clone)]
enum Move {
    Say(usize),
    Garbage(Vec<u8>),
    Pass(i64),
    Open,
    Close,
    Send,
    Resume,
    Erase,
    Forget,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        20 => (0..FRAGMENTS.len()).prop_map(Move::Say),
        2 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Move::Garbage),
        6 => (0i64..20_000).prop_map(Move::Pass),
        1 => Just(Move::Open),
        1 => Just(Move::Close),
        2 => Just(Move::Send),
        1 => Just(Move::Resume),
        1 => Just(Move::Erase),
        1 => Just(Move::Forget),
    ];
    prop::collection::vec(one, 0..150)
}

proptest! {
    /// Whatever a modem says and when, nothing panics, every step ends, and each
    /// send is answered at most once.
    #[test]
    fn a_mad_modem_is_survived(moves in moves()) {
        let slot = Slot { storage: StorageName::SM, index: 1 };
        let held = Held::Stored { slot, fingerprint: crate::slot::fingerprint(&[0, 0x11, 0x22, 0x33]) };
        let mut driver = Driver::new(Config { pin: Pin::parse("1234").ok(), ..Config::default() });
        let (mut now, mut id, mut session) = (Timestamp::default(), 0, 0);
        let mut answered = std::collections::BTreeSet::new();
        driver.handle(Input::Opened, now);
        for next in moves {
            match next {
                Move::Say(at) => driver.handle(Input::Bytes(FRAGMENTS[at].as_bytes()), now),
                Move::Garbage(bytes) => driver.handle(Input::Bytes(&bytes), now),
                Move::Pass(ms) => {
                    now = now + Duration::from_millis(ms.unsigned_abs());
                    driver.handle(Input::Tick, now);
                }
                Move::Open => driver.handle(Input::Opened, now),
                Move::Close => driver.handle(Input::Closed, now),
                Move::Send => {
                    id += 1;
                    let pdu = vec![0, 0xAA, 0xBB];
                    driver.handle(Input::Command(Command::Send { id, session, pdu }), now);
                }
                Move::Resume => {
                    id += 1;
                    driver.handle(Input::Command(Command::Resume { id, session, slot }), now);
                }
                Move::Erase => driver.handle(Input::Command(Command::Erase { held }), now),
                Move::Forget => driver.handle(Input::Command(Command::Forget { slot }), now),
            }
            while let Some(output) = driver.poll() {
                match output {
                    Output::Event(Event::Ready(ready)) => session = ready.session,
                    Output::Event(
                        Event::Sent { id, .. }
                        | Event::SendFailed { id, .. }
                        | Event::SendUnknown { id },
                    ) => prop_assert!(answered.insert(id), "{id} is answered twice"),
                    _ => {}
                }
            }
        }
    }

    /// A modem that answers as usual, with noise before its answers, becomes ready.
    #[test]
    fn noise_does_not_keep_a_modem_from_becoming_ready(
        noise in prop::collection::vec((0i64..1000, 0usize..4), 0..40),
    ) {
        let lines = ["+CMTI: \"SM\",1", "^RSSI:20", "+CDS: 3 / 00112233", "RING"];
        let mut times = noise;
        times.sort_unstable();
        let mut script = String::new();
        for (at, line) in times {
            script += &format!("{at}ms < {}\n", lines[line]);
        }
        script += "20s .";
        let told = play(Setting::default(), &script);
        prop_assert!(told.contains("= ready 1"), "{told}");
    }
}
