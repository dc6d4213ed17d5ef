//! The SIM card's lock, registration, the operator and USSD.

use super::{Argument, Charset, Command, Form, card_error, list, setting};
use crate::codec::alphabet::{self, Shifts};
use crate::modem::{Card, CardState, Effect, Failure, Modem, Reply};
use crate::profile::UssdForm;

pub(super) fn execute(modem: &mut Modem, command: &Command) -> Option<Reply> {
    let form = &command.form;
    Some(match command.name.as_str() {
        "+CPIN" => pin(modem, form),
        "+CLCK" => lock(modem, form),
        "+CPWD" => change_password(modem, form),
        "+CIMI" => match card_error(modem) {
            Some((code, _)) if !matches!(modem.card.state, CardState::Ready) => {
                Reply::Failed(Failure::Cme(code))
            }
            _ => Reply::line(modem.profile.identity.imsi.clone()),
        },
        "+CCID" | "+ICCID" | "+QCCID" | "+CICCID" => match modem.card.state {
            CardState::Absent => Reply::Failed(Failure::Cme(10)),
            _ => Reply::line(format!("{}: {}", command.name, modem.profile.identity.iccid)),
        },
        "+CNUM" => Reply::OK,
        "+CREG" => {
            let state = modem.registration;
            registration(form, "+CREG", &mut modem.settings.registration_lines, state)
        }
        "+CGREG" => {
            let state = modem.registration;
            registration(form, "+CGREG", &mut modem.settings.packet_lines, state)
        }
        "+CEREG" => {
            let state = modem.registration;
            registration(form, "+CEREG", &mut modem.settings.lte_lines, state)
        }
        "+CGATT" => match form {
            Form::Read => Reply::line("+CGATT: 0"),
            Form::Test => Reply::line("+CGATT: (0-1)"),
            _ => Reply::OK,
        },
        "+COPS" => operator(modem, form),
        "+CSQ" => match form {
            Form::Test => Reply::line("+CSQ: (0-31,99),(0-7,99)"),
            _ => {
                let unknown = modem.settings.function != 1;
                let signal = if unknown { 99 } else { modem.network.signal };
                Reply::line(format!("+CSQ: {signal},{}", modem.network.bit_errors))
            }
        },
        "+CUSD" => ussd(modem, form),
        "+CLIP" => setting(form, "+CLIP", &mut modem.settings.caller_lines, &[0, 1]),
        "+CRC" => setting(form, "+CRC", &mut modem.settings.ring_lines, &[0, 1]),
        "+COLP" | "+CCWA" | "+CMOD" | "+CVHU" | "+CSSN" => match form {
            Form::Set(_) => Reply::OK,
            Form::Test => Reply::line(format!("{}: (0,1)", command.name)),
            _ => Reply::line(format!("{}: 0", command.name)),
        },
        "+CLCC" => Reply::OK,
        _ => return None,
    })
}

fn pin(modem: &mut Modem, form: &Form) -> Reply {
    match form {
        Form::Test => Reply::OK,
        Form::Read => match modem.card.state {
            CardState::Ready => Reply::line("+CPIN: READY"),
            CardState::Pin(_) => Reply::line("+CPIN: SIM PIN"),
            CardState::Puk(_) => Reply::line("+CPIN: SIM PUK"),
            CardState::Blocked => Reply::Failed(Failure::Cme(13)),
            CardState::Absent => Reply::Failed(Failure::Cme(10)),
        },
        Form::Execute => Reply::Failed(Failure::Cme(50)),
        Form::Set(arguments) => {
            let words: Vec<&str> = arguments.iter().map(|a| a.text.as_str()).collect();
            let result = match (modem.card.state, words.as_slice()) {
                (CardState::Pin(left), [pin]) => try_pin(&mut modem.card, pin, left),
                (CardState::Puk(left), [puk, pin]) => try_puk(&mut modem.card, puk, pin, left),
                (CardState::Puk(_), _) => Err(12),
                (CardState::Absent, _) => Err(10),
                _ => Err(3),
            };
            match result {
                Ok(()) => {
                    modem.effects.push(Effect::Unlocked);
                    Reply::OK
                }
                Err(code) => Reply::Failed(Failure::Cme(code)),
            }
        }
    }
}

fn try_pin(card: &mut Card, pin: &str, left: u8) -> Result<(), u16> {
    if pin == card.pin {
        card.state = CardState::Ready;
        return Ok(());
    }
    card.state = match left {
        0 | 1 => CardState::Puk(10),
        _ => CardState::Pin(left - 1),
    };
    Err(16)
}

fn try_puk(card: &mut Card, puk: &str, pin: &str, left: u8) -> Result<(), u16> {
    if puk == card.puk && is_pin(pin) {
        card.pin = pin.to_owned();
        card.state = CardState::Ready;
        return Ok(());
    }
    card.state = match left {
        0 | 1 => CardState::Blocked,
        _ => CardState::Puk(left - 1),
    };
    Err(16)
}

fn is_pin(text: &str) -> bool {
    (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn lock(modem: &mut Modem, form: &Form) -> Reply {
    let Form::Set(arguments) = form else {
        return Reply::line("+CLCK: (\"SC\",\"PN\")");
    };
    let word = |place: usize| arguments.get(place).map_or("", |a| a.text.as_str());
    match (word(0), word(1)) {
        ("SC", "2") => Reply::line(format!("+CLCK: {}", u8::from(modem.card.locked_at_start))),
        ("SC", mode @ ("0" | "1")) => match modem.card.state {
            CardState::Ready if word(2) == modem.card.pin => {
                modem.card.locked_at_start = mode == "1";
                Reply::OK
            }
            CardState::Ready => Reply::Failed(Failure::Cme(16)),
            _ => Reply::Failed(Failure::Cme(11)),
        },
        (_, "2") => Reply::line("+CLCK: 0"),
        _ => Reply::Failed(Failure::Cme(4)),
    }
}

fn change_password(modem: &mut Modem, form: &Form) -> Reply {
    let words: Vec<&str> = match form {
        Form::Set(arguments) => arguments.iter().map(|a| a.text.as_str()).collect(),
        _ => return Reply::line("+CPWD: (\"SC\",8)"),
    };
    match words.as_slice() {
        ["SC", old, new] if *old == modem.card.pin && is_pin(new) => {
            modem.card.pin = (*new).to_owned();
            Reply::OK
        }
        ["SC", _, _] => Reply::Failed(Failure::Cme(16)),
        _ => Reply::Failed(Failure::Cme(50)),
    }
}

fn registration(form: &Form, name: &str, lines: &mut u8, state: u8) -> Reply {
    match form {
        Form::Read => Reply::line(match *lines {
            2 => format!("{name}: 2,{state},\"00C3\",\"0000A1B2\""),
            lines => format!("{name}: {lines},{state}"),
        }),
        other => setting(other, name, lines, &[0, 1, 2]),
    }
}

fn operator(modem: &mut Modem, form: &Form) -> Reply {
    let network = &modem.network;
    match form {
        Form::Test => Reply::line(format!(
            "+COPS: (2,\"{0}\",\"{0}\",\"{1}\"),,(0-4),(0-2)",
            network.operator, network.operator_code
        )),
        Form::Read => match modem.registration {
            1 | 5 => {
                let format = modem.settings.operator_format;
                let name = if format == 2 { &network.operator_code } else { &network.operator };
                let name = modem.settings.charset.write(name);
                let head = format!("+COPS: {},{format},\"", modem.settings.operator_mode);
                Reply::line([head.as_bytes(), &name, b"\""].concat())
            }
            _ => Reply::line(format!("+COPS: {}", modem.settings.operator_mode)),
        },
        Form::Set(arguments) => {
            let number = |place: usize| arguments.get(place).and_then(Argument::number::<u8>);
            match (number(0), number(1)) {
                (Some(3), Some(format @ 0..=2)) => modem.settings.operator_format = format,
                (Some(2), _) => {
                    modem.settings.operator_mode = 2;
                    modem.registration = 0;
                }
                (Some(mode @ (0 | 1 | 4)), _) => {
                    modem.settings.operator_mode = mode;
                    modem.effects.push(Effect::RadioOn);
                }
                _ => return Reply::Failed(Failure::Cme(50)),
            }
            Reply::OK
        }
        Form::Execute => Reply::Failed(Failure::Cme(50)),
    }
}

fn ussd(modem: &mut Modem, form: &Form) -> Reply {
    let lines = modem.settings.ussd_lines;
    let arguments = match form {
        Form::Read => return Reply::line(format!("+CUSD: {lines}")),
        Form::Test => return Reply::line(format!("+CUSD: {}", list(&[0, 1, 2]))),
        Form::Execute => return Reply::Failed(Failure::Error),
        Form::Set(arguments) => arguments,
    };
    let Some(mode @ 0..=2) = arguments.first().and_then(Argument::number::<u8>) else {
        return Reply::Failed(Failure::Cme(50));
    };
    if mode == 2 {
        modem.effects.push(Effect::UssdEnd);
        return Reply::OK;
    }
    modem.settings.ussd_lines = mode;
    let Some(code) = arguments.get(1) else { return Reply::OK };
    let coding = arguments.get(2).and_then(Argument::number::<u8>).unwrap_or(15);
    let text = match (modem.profile.quirks.ussd, coding) {
        (_, 72) => super::charset::from_ucs2_hex(code.text.as_bytes()),
        (UssdForm::Packed, _) => from_packed(&code.text),
        (UssdForm::Plain, _) => match modem.settings.charset {
            // Some hosts write the code plainly whatever the set character set.
            Charset::Ucs2 | Charset::Hex if !code.text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Some(code.text.clone())
            }
            charset => charset.read(code.text.as_bytes()),
        },
    };
    match text {
        _ if !matches!(modem.registration, 1 | 5) => Reply::Failed(Failure::Cme(30)),
        None => Reply::Failed(Failure::Cme(50)),
        Some(text) => {
            modem.effects.push(Effect::Ussd(text, coding));
            Reply::OK
        }
    }
}

/// The text of packed septets in hexadecimal. Seven characters leave room for
/// an eighth, which senders fill with a carriage return (TS 23.038 §6.1.2.3).
fn from_packed(text: &str) -> Option<String> {
    let octets = hex::decode(text).ok()?;
    let septets = alphabet::unpack(&octets, 0, octets.len() * 8 / 7)?;
    let text = alphabet::decode(&septets, Shifts::default());
    Some(text.trim_end_matches(['@', '\r']).to_owned())
}

/// `"text",dcs` of a +CUSD line.
pub(crate) fn ussd_text(modem: &Modem, text: &str) -> Vec<u8> {
    let septets = alphabet::encode(text);
    let (body, coding) = match (septets, modem.profile.quirks.ussd) {
        (Some(mut septets), UssdForm::Packed) => {
            // Seven bits to spare would read as another character, so they
            // hold a carriage return (TS 23.038 §6.1.2.3.1).
            if septets.len() % 8 == 7 {
                septets.push(0x0d);
            }
            (hex::encode_upper(alphabet::pack(&septets, 0)).into_bytes(), 15)
        }
        (Some(_), UssdForm::Plain) => (modem.settings.charset.write(text), 15),
        (None, _) => (Charset::Ucs2.write(text), 72),
    };
    let coding = modem.profile.quirks.ussd_coding.unwrap_or(coding);
    [b"\"".as_slice(), &body, format!("\",{coding}").as_bytes()].concat()
}
