//! Initialisation: from a modem that answers to one that receives and sends.

use std::time::Duration;

use jibu_types::Timestamp;

use super::api::{Charset, Event, Fault, Identity, Ready, SendVia};
use super::modem::{Modem, PinState, StorageUse};
use super::sim;
use super::status::Status;
use super::storage::Storages;
use super::sweep::Sweep;
use super::task::{Answer, Failure, Step, Task};
use crate::dialogue::{Line, Request};
use crate::{ModemError, parameters};

/// How long a modem that is still starting is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a SIM that is still starting is asked again before a technician is told.
const PATIENCE: u32 = 60;

/// How often an error is taken for a slow start before it is believed: some modems
/// answer anything until their message service is up.
const DISBELIEF: u32 = 10;

/// What stays unanswered this often is taken for refused: makers leave out much.
const SILENCES_BELIEVED: u32 = 2;

/// So many digits in a row may be a phone number; dates have eight.
const PHONE_NUMBER: usize = 9;

/// Somebody must come and do something, and may have done it by then.
const UNTIL_MENDED: Duration = Duration::from_secs(30);

/// How +CNMI may be set, best first: announcements in both directions with the
/// buffer flushed or not; the third value after the comma is about cell
/// broadcasts, the fourth about status reports (TS 27.005 §3.4.1).
const STORED_REPORTS: &[&str] = &["2,1,0,2,0", "2,1,0,2,1", "1,1,0,2,0", "1,1,0,2,1"];
const DIRECT_REPORTS: &[&str] =
    &["2,1,0,1,0", "2,1,0,1,1", "2,1,0,1", "1,1,0,1,0", "1,1,0,1,1", "3,1,0,1,0"];
const NO_REPORTS: &[&str] = &["2,1,0,0,0", "2,1,0,0,1", "1,1,0,0,0", "1,1,0,0,1", "2,1", "1,1"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    EchoOff,
    ErrorCodes,
    Manufacturer,
    ModelName,
    Revision,
    Serial,
    Sim,
    PinTries(usize),
    EnterPin,
    PduMode,
    Service,
    Storages,
    Capacity,
    Choose,
    Current,
    MayWrite,
    MaySendStored,
    MayAnnounce,
    Announce(usize),
    RegistrationReports,
    ServiceCentre,
    UssdLines,
    Charset,
    Network,
    Backlog,
    Ready,
}

/// Where the procedure goes on.
enum Flow {
    To(Stage),
    After(Duration, Stage),
}

/// The initialisation.
pub(super) struct Setup {
    stage: Stage,
    /// Time-outs, and errors that may pass, at this stage.
    silences: u32,
    refusals: u32,
    /// What the modem said to +CPIN? so far: some makes end that answer without OK.
    unfinished: Option<Line>,
    identity: Identity,
    storages: Storages,
    announcements: Vec<&'static str>,
}

impl Setup {
    pub(super) fn new() -> Self {
        Setup {
            stage: Stage::EchoOff,
            silences: 0,
            refusals: 0,
            unfinished: None,
            identity: Identity::default(),
            storages: Storages::default(),
            announcements: Vec::new(),
        }
    }

    fn take(&mut self, modem: &mut Modem, answer: &Answer) -> Flow {
        let error = answer.error();
        if let Some(error) = error
            && let Some(flow) = self.wait_for_it(modem, error)
        {
            return flow;
        }
        match self.stage {
            Stage::EchoOff => {
                modem.is_echo_off = error.is_none();
                Flow::To(Stage::ErrorCodes)
            }
            Stage::ErrorCodes => Flow::To(Stage::Manufacturer),
            Stage::Manufacturer => {
                self.identity.manufacturer = words(answer, "+CGMI:");
                Flow::To(Stage::ModelName)
            }
            Stage::ModelName => {
                self.identity.model = words(answer, "+CGMM:");
                Flow::To(Stage::Revision)
            }
            Stage::Revision => {
                self.identity.revision = words(answer, "+CGMR:");
                Flow::To(Stage::Serial)
            }
            Stage::Serial => {
                let serial = words(answer, "+CGSN:");
                let tail = serial.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
                self.identity.imei_tail = serial.get(tail..).unwrap_or_default().to_owned();
                modem.is(std::mem::take(&mut self.identity));
                Flow::To(Stage::Sim)
            }
            Stage::Sim => match sim::state(answer) {
                Ok(sim::State::Ready) => {
                    if modem.pin == PinState::Tried {
                        modem.pin = PinState::Accepted;
                    }
                    Flow::To(Stage::PduMode)
                }
                Ok(sim::State::WantsPin) => match sim::may_enter_pin(modem) {
                    Ok(()) => Flow::To(Stage::PinTries(0)),
                    Err(fault) => self.blocked(modem, fault),
                },
                Err(fault) => self.blocked(modem, fault),
            },
            Stage::PinTries(at) => match sim::tries_left(answer) {
                Some(tries) if tries < sim::ALL_TRIES => {
                    self.blocked(modem, Fault::PinTriesSpent { tries })
                }
                None if at + 1 < sim::TRIES.len() => Flow::To(Stage::PinTries(at + 1)),
                _ => Flow::To(Stage::EnterPin),
            },
            Stage::EnterPin => match error {
                None => {
                    modem.pin = PinState::Accepted;
                    Flow::After(PAUSE, Stage::Sim)
                }
                Some(_) => {
                    modem.pin = PinState::Refused;
                    self.blocked(modem, Fault::PinRefused)
                }
            },
            Stage::PduMode => match error {
                None => Flow::To(Stage::Service),
                Some(_) => {
                    modem.set_fault(Fault::NoPduMode);
                    Flow::After(UNTIL_MENDED, Stage::Sim)
                }
            },
            Stage::Service => {
                let service: Option<u8> =
                    answer.line().and_then(|line| parameters::number(&parameters::of(line), 0));
                modem.acknowledges = service == Some(1);
                Flow::To(Stage::Storages)
            }
            Stage::Storages => {
                let offered = answer.line().unwrap_or_default();
                self.storages = Storages::offered(offered, modem.config.storage);
                Flow::To(if self.storages.is_empty() { Stage::Current } else { Stage::Capacity })
            }
            Stage::Capacity => {
                self.storages.measured(answer);
                if !self.storages.all_measured() {
                    Flow::To(Stage::Capacity)
                } else if self.storages.is_empty() {
                    Flow::To(Stage::Current)
                } else if error.is_none() && self.storages.last_is_best() {
                    self.chosen(modem, answer)
                } else {
                    Flow::To(Stage::Choose)
                }
            }
            Stage::Choose if error.is_some() => {
                // It could choose before, and what it wrote then is out of sight now.
                modem.is_evidence_read = false;
                Flow::To(Stage::Current)
            }
            Stage::Choose => self.chosen(modem, answer),
            Stage::Current => {
                Storages::take_current(modem, answer.line());
                Flow::To(Stage::MayWrite)
            }
            Stage::MayWrite if error.is_none() => Flow::To(Stage::MaySendStored),
            Stage::MayWrite | Stage::MaySendStored => {
                modem.stores_before_sending = error.is_none();
                Flow::To(Stage::MayAnnounce)
            }
            Stage::MayAnnounce => {
                self.announcements = announcements(modem, answer.line());
                Flow::To(Stage::Announce(0))
            }
            Stage::Announce(at) => {
                let choice = self.announcements.get(at);
                modem.announces = error.is_none();
                modem.reports =
                    error.is_none() && choice.is_some_and(|choice| !NO_REPORTS.contains(choice));
                let more = error.is_some() && at + 1 < self.announcements.len();
                Flow::To(if more { Stage::Announce(at + 1) } else { Stage::RegistrationReports })
            }
            Stage::RegistrationReports => Flow::To(Stage::ServiceCentre),
            Stage::ServiceCentre => {
                let number = answer.line().map(|line| parameters::of(line).first().copied());
                modem.has_service_centre = number.map(|n| n.is_some_and(|n| !n.is_empty()));
                Flow::To(Stage::UssdLines)
            }
            Stage::UssdLines => {
                modem.charset = error.is_none().then_some(Charset::Plain);
                Flow::To(if error.is_none() { Stage::Charset } else { Stage::Network })
            }
            Stage::Charset => {
                if error.is_none() {
                    modem.charset = Some(Charset::Ucs2);
                }
                Flow::To(Stage::Network)
            }
            Stage::Network | Stage::Backlog | Stage::Ready => Flow::To(self.stage),
        }
    }

    fn chosen(&mut self, modem: &mut Modem, answer: &Answer) -> Flow {
        self.storages.choose(modem);
        modem.note_usage(answer.line().unwrap_or_default());
        Flow::To(Stage::MayWrite)
    }

    /// Errors that a starting modem gives are waited out.
    fn wait_for_it(&mut self, modem: &mut Modem, error: ModemError) -> Option<Flow> {
        let stubborn = matches!(
            self.stage,
            Stage::PduMode
                | Stage::Storages
                | Stage::Capacity
                | Stage::Choose
                | Stage::MayWrite
                | Stage::MaySendStored
        );
        let disbelieved = stubborn && !error.is_unsupported() && self.refusals < DISBELIEF;
        if !error.is_not_ready_yet() && !disbelieved {
            return None;
        }
        if self.stage == Stage::EnterPin {
            modem.pin = PinState::Untried;
        }
        self.refusals += 1;
        if self.refusals.is_multiple_of(PATIENCE) {
            modem.set_fault(Fault::NotReady(error));
        }
        Some(Flow::After(PAUSE, self.stage))
    }

    fn blocked(&mut self, modem: &mut Modem, fault: Fault) -> Flow {
        // A SIM that was put in a moment ago is missing at first.
        let passing = matches!(fault, Fault::SimMissing | Fault::NotReady(_));
        if passing && self.refusals < DISBELIEF {
            self.refusals += 1;
            return Flow::After(PAUSE, Stage::Sim);
        }
        modem.set_fault(fault);
        Flow::After(UNTIL_MENDED, Stage::Sim)
    }

    fn ask(&mut self, modem: &mut Modem) -> Step {
        self.unfinished = None;
        Step::Ask(match self.stage {
            Stage::EchoOff => modem.plain("ATE0"),
            Stage::ErrorCodes => modem.plain("AT+CMEE=1"),
            Stage::Manufacturer => modem.text("AT+CGMI", "+CGMI:"),
            Stage::ModelName => modem.text("AT+CGMM", "+CGMM:"),
            Stage::Revision => modem.text("AT+CGMR", "+CGMR:"),
            Stage::Serial => modem.text("AT+CGSN", "+CGSN:"),
            Stage::Sim => modem.proof("AT+CPIN?", "+CPIN:"),
            Stage::PinTries(at) => {
                let (line, prefix) = sim::TRIES[at.min(sim::TRIES.len() - 1)];
                modem.lines(line, prefix)
            }
            Stage::EnterPin => {
                modem.pin = PinState::Tried;
                let pin = modem.config.pin.as_ref().map_or("", |pin| pin.reveal());
                Request::plain(format!("AT+CPIN=\"{pin}\""), modem.patience()).secret()
            }
            Stage::PduMode => modem.plain("AT+CMGF=0"),
            Stage::Service => modem.lines("AT+CSMS?", "+CSMS:"),
            Stage::Storages => modem.lines("AT+CPMS=?", "+CPMS:"),
            Stage::Capacity | Stage::Choose => {
                Request::lines(self.storages.command(), "+CPMS:", modem.patience())
            }
            Stage::Current => modem.lines("AT+CPMS?", "+CPMS:"),
            Stage::MayWrite => {
                let wanted =
                    modem.config.via == SendVia::Storage && modem.storage == StorageUse::Usable;
                modem.stores_before_sending = false;
                if !wanted {
                    self.go(Stage::MayAnnounce);
                    return self.ask(modem);
                }
                modem.lines("AT+CMGW=?", "+CMGW:")
            }
            Stage::MaySendStored => modem.lines("AT+CMSS=?", "+CMSS:"),
            Stage::MayAnnounce => modem.lines("AT+CNMI=?", "+CNMI:"),
            Stage::Announce(at) => {
                let choice = self.announcements.get(at).copied().unwrap_or("2,1");
                modem.plain(format!("AT+CNMI={choice}"))
            }
            Stage::RegistrationReports => modem.plain("AT+CREG=1"),
            Stage::ServiceCentre => modem.lines("AT+CSCA?", "+CSCA:"),
            Stage::UssdLines => {
                modem.charset = None;
                if !modem.config.ussd {
                    self.go(Stage::Network);
                    return self.ask(modem);
                }
                modem.plain("AT+CUSD=1")
            }
            // No line ends, marks or missing letters inside strings then.
            Stage::Charset => modem.plain("AT+CSCS=\"UCS2\""),
            Stage::Network => {
                self.go(Stage::Backlog);
                return Step::Run(Box::new(Status::new()));
            }
            Stage::Backlog => {
                self.go(Stage::Ready);
                return Step::Run(Box::new(Sweep::new(modem)));
            }
            Stage::Ready => {
                self.announce_ready(modem);
                return Step::Done;
            }
        })
    }

    /// What is never answered counts as refused, and what the modem says to +CPIN?
    /// counts without its OK.
    fn presumed(&mut self) -> Answer {
        match self.unfinished.take() {
            Some(line) => Answer { result: Ok(()), lines: vec![line] },
            None => Answer { result: Err(Failure::Refused(ModemError::Plain)), lines: Vec::new() },
        }
    }

    fn announce_ready(&self, modem: &mut Modem) {
        modem.settle_doubt();
        modem.session = modem.session.wrapping_add(1);
        modem.is_ready = true;
        modem.fault = None;
        let ready = Ready {
            session: modem.session,
            identity: modem.identity.clone(),
            stored: modem.stored(),
            keeps_parts: modem.stores_before_sending
                && modem.marks_sent != Some(false)
                && modem.is_evidence_read,
            announces: modem.announces,
            reports: modem.reports,
            has_service_centre: modem.has_service_centre,
            ussd: modem.charset,
        };
        modem.tell(Event::Ready(ready));
    }

    fn go(&mut self, stage: Stage) {
        if stage != self.stage {
            self.stage = stage;
            self.silences = 0;
            self.refusals = 0;
        }
    }
}

impl Task for Setup {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, _now: Timestamp) -> Step {
        let skipped = self.silences >= SILENCES_BELIEVED;
        let answer = answer.or_else(|| skipped.then(|| self.presumed()));
        if let Some(answer) = answer {
            self.silences = 0;
            match self.take(modem, &answer) {
                Flow::To(stage) => self.go(stage),
                Flow::After(pause, stage) => {
                    self.go(stage);
                    return Step::Wait(pause);
                }
            }
        }
        self.ask(modem)
    }

    fn line(&mut self, _modem: &mut Modem, line: Line) -> Option<Line> {
        if self.stage == Stage::Sim {
            self.unfinished = Some(line.clone());
        }
        Some(line)
    }

    fn timed_out(&mut self, _pdu_written: bool) -> bool {
        self.silences += 1;
        match self.stage {
            // Whether the PIN was taken is asked, never tried.
            Stage::EnterPin => {
                self.go(Stage::Sim);
                false
            }
            Stage::Sim if self.unfinished.is_none() => false,
            Stage::PduMode => false,
            _ => self.silences >= SILENCES_BELIEVED,
        }
    }
}

/// The first line of an answer in free text, without its prefix and quotes. A
/// stray line may hold somebody's number, and this is shown and logged.
fn words(answer: &Answer, prefix: &str) -> String {
    let first = answer.lines.first().map(|line: &Line| line.text.as_str()).unwrap_or_default();
    let text = first.strip_prefix(prefix).unwrap_or(first).trim().trim_matches('"');
    let digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    if digits >= Some(PHONE_NUMBER) && prefix != "+CGSN:" {
        return String::new();
    }
    text.chars().take(64).collect()
}

fn announcements(modem: &Modem, offered: Option<&str>) -> Vec<&'static str> {
    let fields = offered.map(parameters::of).unwrap_or_default();
    let reports = fields.get(3).copied().unwrap_or_default();
    let readable = modem.readable.contains(&crate::StorageName::SR);
    let direct = reports.is_empty() || parameters::admits(reports, 1);
    let stored = parameters::admits(reports, 2) && (readable || !direct);
    let lists = [(stored, STORED_REPORTS), (direct, DIRECT_REPORTS), (true, NO_REPORTS)];
    lists.iter().filter(|(wanted, _)| *wanted).flat_map(|(_, list)| list.iter().copied()).collect()
}
