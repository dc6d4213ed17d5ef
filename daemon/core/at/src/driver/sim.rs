//! The SIM and its PIN. Three wrong PINs lock a SIM, so one is tried at most.

use super::api::Fault;
use super::modem::{Modem, PinState};
use super::task::Answer;
use crate::{ModemError, parameters};

/// How many tries a SIM gives.
pub(super) const ALL_TRIES: u8 = 3;

/// How to ask for the tries left: the standard's way (TS 27.007 §8.65), SIMCom's,
/// Quectel's.
pub(super) const TRIES: [(&str, &str); 3] =
    [("AT+CPINR", "+CPINR:"), ("AT+SPIC", "+SPIC:"), ("AT+QPINC=\"SC\"", "+QPINC:")];

/// What the SIM waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    WantsPin,
}

/// Reads the answer to +CPIN?.
pub(super) fn state(answer: &Answer) -> Result<State, Fault> {
    if let Some(error) = answer.error() {
        return match error {
            ModemError::Cme(11) | ModemError::Cms(311) => Ok(State::WantsPin),
            // PIN2 and PUK2 guard other things.
            ModemError::Cme(17 | 18) | ModemError::Cms(317 | 318) => Ok(State::Ready),
            ModemError::Cme(12) | ModemError::Cms(316) => Err(Fault::PukWanted),
            ModemError::Cme(5) | ModemError::Cms(312) => Err(Fault::NetworkLocked),
            ModemError::Cme(13 | 15) | ModemError::Cms(313 | 315) => Err(Fault::SimFailed),
            ModemError::Cme(10) | ModemError::Cms(310) | ModemError::Plain => {
                Err(Fault::SimMissing)
            }
            other => Err(Fault::NotReady(other)),
        };
    }
    // An unsolicited +CPIN may stand before the answer.
    let last = answer.lines.last().map(|line| line.text.as_str()).unwrap_or_default();
    match parameters::of(last).first().copied().unwrap_or_default() {
        "READY" | "SIM PIN2" | "SIM PUK2" => Ok(State::Ready),
        "SIM PIN" => Ok(State::WantsPin),
        "SIM PUK" => Err(Fault::PukWanted),
        code if code.starts_with("PH-") => Err(Fault::NetworkLocked),
        _ => Err(Fault::SimMissing),
    }
}

/// Whether the configured PIN may be entered.
pub(super) fn may_enter_pin(modem: &Modem) -> Result<(), Fault> {
    match (&modem.config.pin, modem.pin) {
        (None, _) => Err(Fault::PinMissing),
        (Some(_), PinState::Untried | PinState::Accepted) => Ok(()),
        // Tried, and still wanted: it was wrong.
        (Some(_), PinState::Tried | PinState::Refused) => Err(Fault::PinRefused),
    }
}

/// Reads the answer to one of [`TRIES`].
pub(super) fn tries_left(answer: &Answer) -> Option<u8> {
    answer.result.ok()?;
    answer.lines.iter().find_map(|line| {
        let fields = parameters::of(&line.text);
        match fields.first().copied()? {
            "SIM PIN" | "SC" => parameters::number(&fields, 1),
            first => first.parse().ok(),
        }
    })
}
