//! The settings of the message service (TS 27.005 §3.2, §3.3, §3.4.1).

use super::{Argument, Charset, Command, Form, card_error, list, one_of, setting};
use crate::modem::{Effect, Failure, Modem, Reply};

pub(super) fn execute(modem: &mut Modem, command: &Command) -> Option<Reply> {
    let form = &command.form;
    Some(match command.name.as_str() {
        "+CMGF" => match form {
            Form::Read => Reply::line(format!("+CMGF: {}", u8::from(modem.settings.text_mode))),
            Form::Test => Reply::line("+CMGF: (0,1)"),
            Form::Execute => {
                modem.settings.text_mode = false;
                Reply::OK
            }
            Form::Set(arguments) => match one_of(arguments, &[0, 1]) {
                Some(mode) => {
                    modem.settings.text_mode = mode == 1;
                    Reply::OK
                }
                None => Reply::Failed(Failure::Cms(303)),
            },
        },
        "+CSDH" => match form {
            Form::Set(arguments) => match one_of(arguments, &[0, 1]) {
                Some(value) => {
                    modem.settings.show_header = value == 1;
                    Reply::OK
                }
                None => Reply::Failed(Failure::Cms(305)),
            },
            Form::Test => Reply::line("+CSDH: (0,1)"),
            _ => Reply::line(format!("+CSDH: {}", u8::from(modem.settings.show_header))),
        },
        "+CMMS" => setting(form, "+CMMS", &mut modem.settings.more_messages, &[0, 1, 2]),
        "+CSMS" => match form {
            Form::Read => Reply::line(format!("+CSMS: {},1,1,1", modem.settings.service)),
            Form::Test => Reply::line("+CSMS: (0,1)"),
            Form::Set(arguments) => match one_of(arguments, &[0, 1]) {
                Some(service) => {
                    modem.settings.service = service;
                    Reply::line("+CSMS: 1,1,1")
                }
                None => Reply::Failed(Failure::Cms(303)),
            },
            Form::Execute => Reply::Failed(Failure::Cms(303)),
        },
        "+CSCS" => charset(modem, form),
        "+CSCA" => service_centre(modem, form),
        "+CSMP" => parameters(modem, form),
        "+CNMI" => indications(modem, form),
        "+CPMS" => memories(modem, form),
        // Cell broadcast and settings storage: accepted and without effect.
        "+CSCB" => match form {
            Form::Read => Reply::line("+CSCB: 0,\"\",\"\""),
            Form::Test => Reply::line("+CSCB: (0,1)"),
            _ => Reply::OK,
        },
        "+CSAS" | "+CRES" => Reply::OK,
        _ => return None,
    })
}

fn charset(modem: &mut Modem, form: &Form) -> Reply {
    match form {
        Form::Read => Reply::line(format!("+CSCS: \"{}\"", modem.settings.charset.name())),
        Form::Test => {
            let names = Charset::ALL.map(|charset| format!("\"{}\"", charset.name()));
            Reply::line(format!("+CSCS: ({})", names.join(",")))
        }
        Form::Set(arguments) => {
            let wanted = arguments.first().map_or("", |a| a.text.as_str());
            match Charset::ALL.iter().find(|c| c.name().eq_ignore_ascii_case(wanted)) {
                Some(charset) => {
                    modem.settings.charset = *charset;
                    Reply::OK
                }
                None => Reply::Failed(Failure::Cme(50)),
            }
        }
        Form::Execute => Reply::Failed(Failure::Error),
    }
}

fn service_centre(modem: &mut Modem, form: &Form) -> Reply {
    if let Some((_, code)) = card_error(modem) {
        return Reply::Failed(Failure::Cms(code));
    }
    match form {
        Form::Test => Reply::OK,
        Form::Read => {
            let kind = if modem.service_centre.starts_with('+') { 145 } else { 129 };
            let number = modem.settings.charset.write(&modem.service_centre);
            let tail = format!("\",{kind}");
            Reply::line([b"+CSCA: \"".as_slice(), &number, tail.as_bytes()].concat())
        }
        Form::Set(arguments) => {
            let written = arguments.first().map_or("", |a| a.text.as_str());
            // Hosts write the number plainly in UCS2 too, and modems accept it.
            let number = modem
                .settings
                .charset
                .read(written.as_bytes())
                .filter(|number| {
                    crate::codec::Address::new(number).is_ok_and(|a| !a.is_alphanumeric())
                })
                .unwrap_or_else(|| written.to_owned());
            let kind = arguments.get(1).and_then(Argument::number::<u8>);
            let plus = if kind == Some(145) && !number.starts_with('+') { "+" } else { "" };
            let number = format!("{plus}{number}");
            match crate::codec::Address::new(&number) {
                Ok(address) if !address.is_alphanumeric() => {
                    modem.service_centre = number;
                    Reply::OK
                }
                _ if number.is_empty() => {
                    modem.service_centre = number;
                    Reply::OK
                }
                _ => Reply::Failed(Failure::Cms(304)),
            }
        }
        Form::Execute => Reply::Failed(Failure::Error),
    }
}

fn parameters(modem: &mut Modem, form: &Form) -> Reply {
    let [first, validity, protocol, coding] = modem.settings.parameters;
    match form {
        Form::Read => Reply::line(format!("+CSMP: {first},{validity},{protocol},{coding}")),
        Form::Test => Reply::OK,
        Form::Execute => Reply::Failed(Failure::Cms(305)),
        Form::Set(arguments) => {
            if arguments.len() > 4 {
                return Reply::Failed(Failure::Cms(305));
            }
            let mut values = modem.settings.parameters;
            for (value, argument) in values.iter_mut().zip(arguments) {
                if argument.is_empty() {
                    continue;
                }
                match argument.number() {
                    Some(number) => *value = number,
                    None => return Reply::Failed(Failure::Cms(305)),
                }
            }
            modem.settings.parameters = values;
            Reply::OK
        }
    }
}

fn indications(modem: &mut Modem, form: &Form) -> Reply {
    let known = &modem.profile.indications;
    let buffers = [0, 1];
    let allowed: [&[u8]; 5] =
        [&known.modes, &known.messages, &known.broadcasts, &known.reports, &buffers];
    match form {
        Form::Test => Reply::line(format!("+CNMI: {}", allowed.map(list).join(","))),
        Form::Read => {
            let values = modem.settings.indications.map(|value| value.to_string());
            Reply::line(format!("+CNMI: {}", values.join(",")))
        }
        // Without values: back to the default (TS 27.005 §3.4.1).
        Form::Execute => {
            modem.settings.indications = [0; 5];
            Reply::OK
        }
        Form::Set(arguments) => {
            if arguments.len() > 5 {
                return Reply::Failed(Failure::Cms(303));
            }
            let mut values = modem.settings.indications;
            for ((value, argument), allowed) in values.iter_mut().zip(arguments).zip(allowed) {
                if argument.is_empty() {
                    continue;
                }
                match argument.number().filter(|number| allowed.contains(number)) {
                    Some(number) => *value = number,
                    None => return Reply::Failed(Failure::Cms(303)),
                }
            }
            modem.settings.indications = values;
            if values[0] != 0 {
                modem.effects.push(Effect::Flush);
            }
            Reply::OK
        }
    }
}

fn memories(modem: &mut Modem, form: &Form) -> Reply {
    let names = || {
        let all = modem.profile.storage.memories.iter().map(|memory| format!("\"{memory}\""));
        format!("({})", all.collect::<Vec<_>>().join(","))
    };
    let sizes = |modem: &Modem, named: bool| {
        let each = modem.settings.memories.map(|memory| {
            let (used, capacity) = (modem.store.used(memory), modem.store.capacity(memory));
            if named {
                format!("\"{memory}\",{used},{capacity}")
            } else {
                format!("{used},{capacity}")
            }
        });
        format!("+CPMS: {}", each.join(","))
    };
    if *form != Form::Test
        && let Some((_, code)) = card_error(modem)
    {
        return Reply::Failed(Failure::Cms(code));
    }
    match form {
        Form::Test => Reply::line(format!("+CPMS: {0},{0},{0}", names())),
        Form::Read => Reply::line(sizes(modem, true)),
        Form::Execute => Reply::Failed(Failure::Cms(302)),
        Form::Set(arguments) => {
            if arguments.is_empty() || arguments.len() > 3 {
                return Reply::Failed(Failure::Cms(302));
            }
            let mut wanted = modem.settings.memories;
            for (memory, argument) in wanted.iter_mut().zip(arguments) {
                match argument.text.parse() {
                    Ok(named) if modem.profile.storage.memories.contains(&named) => *memory = named,
                    _ => return Reply::Failed(Failure::Cms(302)),
                }
            }
            let has_room = wanted[2] != modem.settings.memories[2];
            modem.settings.memories = wanted;
            if has_room {
                modem.effects.push(Effect::Room);
            }
            Reply::line(sizes(modem, false))
        }
    }
}
