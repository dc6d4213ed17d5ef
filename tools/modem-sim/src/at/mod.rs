//! The AT commands that the modem knows (V.250, TS 27.007, TS 27.005).
//!
//! Each area has its module; a command that none of them knows is `ERROR`.

mod charset;
mod device;
mod messages;
mod settings;
mod subscriber;
mod syntax;
mod text_mode;

pub use charset::Charset;
pub use messages::Submission;
pub(crate) use subscriber::ussd_text;
pub use syntax::{Argument, Command, Form, parse};
pub(crate) use text_mode::direct_lines;

use crate::modem::{CardState, Failure, Line, Modem, Reply};

/// The reply to one command. Takes effect at once.
pub fn execute(modem: &mut Modem, command: &Command) -> Reply {
    let refused = modem.profile.quirks.unsupported.contains(&command.name);
    if refused {
        return Reply::Failed(Failure::Error);
    }
    [device::execute, subscriber::execute, settings::execute, messages::execute]
        .iter()
        .find_map(|area| area(modem, command))
        .unwrap_or(Reply::Failed(Failure::Error))
}

pub use messages::{enter, transmit};

/// Result codes as the settings want them (V.250 §5.7, TS 27.007 §9.1).
pub fn failure_words(modem: &Modem, failure: Failure) -> Option<Line> {
    let settings = &modem.settings;
    if settings.quiet {
        return None;
    }
    let words = match failure {
        Failure::Cme(code) if settings.errors == 1 => format!("+CME ERROR: {code}"),
        Failure::Cme(code) if settings.errors == 2 => {
            format!("+CME ERROR: {}", equipment_error(code))
        }
        Failure::Cms(code)
            if settings.errors == 2 && modem.profile.quirks.verbose_message_errors =>
        {
            format!("+CMS ERROR: {}", message_error(code))
        }
        Failure::Cms(code) => format!("+CMS ERROR: {code}"),
        _ if settings.verbose => "ERROR".to_owned(),
        _ => "4".to_owned(),
    };
    Some(words.into_bytes())
}

/// What stands in the way of using the SIM, as +CME or +CMS numbers.
fn card_error(modem: &Modem) -> Option<(u16, u16)> {
    match modem.card.state {
        CardState::Absent => Some((10, 310)),
        CardState::Blocked => Some((13, 313)),
        CardState::Pin(_) => Some((11, 311)),
        CardState::Puk(_) => Some((12, 316)),
        CardState::Ready if !modem.messages_ready => Some((14, 314)),
        CardState::Ready => None,
    }
}

/// The number of a set command's only parameter when it is one of `allowed`.
fn one_of(arguments: &[Argument], allowed: &[u8]) -> Option<u8> {
    match arguments {
        [only] => only.number().filter(|value| allowed.contains(value)),
        _ => None,
    }
}

/// Reads, tests and sets a setting that is a small number and does nothing else.
fn setting(form: &Form, name: &str, value: &mut u8, allowed: &[u8]) -> Reply {
    match form {
        Form::Read => Reply::line(format!("{name}: {value}")),
        Form::Test => Reply::line(format!("{name}: {}", list(allowed))),
        Form::Set(arguments) => match one_of(arguments, allowed) {
            Some(number) => {
                *value = number;
                Reply::OK
            }
            None => Reply::Failed(Failure::Error),
        },
        Form::Execute => Reply::Failed(Failure::Error),
    }
}

/// `(0-2)` or `(0,2)`, as test commands list values.
fn list(values: &[u8]) -> String {
    match values {
        [first, .., last] if usize::from(last.saturating_sub(*first)) + 1 == values.len() => {
            format!("({first}-{last})")
        }
        _ => format!("({})", values.iter().map(u8::to_string).collect::<Vec<_>>().join(",")),
    }
}

fn equipment_error(code: u16) -> String {
    let words = match code {
        3 => "operation not allowed",
        4 => "operation not supported",
        10 => "SIM not inserted",
        11 => "SIM PIN required",
        12 => "SIM PUK required",
        13 => "SIM failure",
        14 => "SIM busy",
        16 => "incorrect password",
        20 => "memory full",
        21 => "invalid index",
        30 => "no network service",
        50 => "incorrect parameters",
        100 => "unknown",
        other => return other.to_string(),
    };
    words.to_owned()
}

fn message_error(code: u16) -> String {
    let words = match code {
        301 => "SMS service of ME reserved",
        302 => "operation not allowed",
        303 => "operation not supported",
        304 => "invalid PDU mode parameter",
        305 => "invalid text mode parameter",
        310 => "SIM not inserted",
        311 => "SIM PIN necessary",
        313 => "SIM failure",
        314 => "SIM busy",
        316 => "SIM PUK required",
        320 => "memory failure",
        321 => "invalid memory index",
        322 => "memory full",
        330 => "SMSC address unknown",
        331 => "no network service",
        332 => "network timeout",
        340 => "no +CNMA acknowledgement expected",
        500 => "unknown error",
        other => return other.to_string(),
    };
    words.to_owned()
}
