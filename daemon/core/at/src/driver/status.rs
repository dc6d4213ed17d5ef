//! Asking how the modem stands with the network.

use jibu_types::Timestamp;

use super::api::{Event, Registration, Signal};
use super::modem::{Modem, SHORTEST_INTERVAL};
use super::task::{Answer, Step, Task};
use crate::parameters;

/// The circuit-switched network first; a modem that has only LTE says so to the
/// others.
const REGISTRATIONS: [(&str, &str); 3] =
    [("AT+CREG?", "+CREG:"), ("AT+CEREG?", "+CEREG:"), ("AT+CGREG?", "+CGREG:")];

#[derive(Debug, Clone, Copy)]
enum Stage {
    Registration(usize),
    Signal,
}

/// Asks for registration and signal.
pub(super) struct Status {
    stage: Stage,
    registration: Option<Registration>,
}

impl Status {
    pub(super) fn new() -> Self {
        Status { stage: Stage::Registration(0), registration: None }
    }
}

impl Task for Status {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, now: Timestamp) -> Step {
        match (self.stage, answer) {
            (Stage::Registration(at), Some(answer)) => {
                let lines = answer.lines.iter().filter(|_| answer.result.is_ok());
                let told = lines.filter_map(|line| Modem::registration_of(&line.text)).next_back();
                let registered = told.is_some_and(Registration::is_registered);
                self.registration = if registered { told } else { self.registration.or(told) };
                self.stage = if registered || at + 1 >= REGISTRATIONS.len() {
                    if let Some(registration) = self.registration {
                        modem.set_registration(registration);
                    }
                    Stage::Signal
                } else {
                    Stage::Registration(at + 1)
                };
            }
            (Stage::Signal, Some(answer)) => {
                if let Some(line) = answer.line() {
                    let rssi: Option<i16> = parameters::number(&parameters::of(line), 0);
                    let dbm = rssi.filter(|rssi| (0..=31).contains(rssi)).map(|r| 2 * r - 113);
                    modem.tell(Event::Signal(Signal { dbm }));
                }
                modem.status_at = now + modem.config.signal_interval.max(SHORTEST_INTERVAL);
                return Step::Done;
            }
            (_, None) => {}
        }
        match self.stage {
            Stage::Registration(at) => {
                let (line, prefix) = REGISTRATIONS[at.min(REGISTRATIONS.len() - 1)];
                Step::Ask(modem.lines(line, prefix))
            }
            Stage::Signal => Step::Ask(modem.proof("AT+CSQ", "+CSQ:")),
        }
    }
}
