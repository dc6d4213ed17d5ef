//! What the device says of itself, and V.250's basic commands.

use super::{Command, Form, one_of, setting};
use crate::modem::{Effect, Failure, Modem, Reply, Settings};

pub(super) fn execute(modem: &mut Modem, command: &Command) -> Option<Reply> {
    let identity = &modem.profile.identity;
    let settings = &mut modem.settings;
    let is_test = command.form == Form::Test;
    Some(match command.name.as_str() {
        "E" | "Q" | "V" => {
            let value = match &command.form {
                Form::Execute => 0,
                Form::Set(arguments) => match one_of(arguments, &[0, 1]) {
                    Some(value) => value,
                    None => return Some(Reply::Failed(Failure::Error)),
                },
                _ => return Some(Reply::Failed(Failure::Error)),
            };
            match command.name.as_str() {
                "E" => settings.echo = value == 1,
                "Q" => settings.quiet = value == 1,
                _ => settings.verbose = value == 1,
            }
            Reply::OK
        }
        "Z" | "&F" => {
            // The radio and the registration are no part of the profile that
            // these restore.
            let (function, operator_mode) = (settings.function, settings.operator_mode);
            modem.settings = Settings { function, operator_mode, ..Settings::new(&modem.profile) };
            Reply::OK
        }
        "I" => Reply::Done(identity.information.iter().map(|l| l.clone().into_bytes()).collect()),
        "H" | "X" | "L" | "M" | "&C" | "&D" | "&S" | "&K" | "&W" | "&V" | "S0" | "S3" | "S4"
        | "S5" | "S7" => match command.form {
            Form::Read => Reply::line(match command.name.as_str() {
                "S3" => "013",
                "S4" => "010",
                "S5" => "008",
                _ => "000",
            }),
            _ => Reply::OK,
        },
        // Nobody answers a call here.
        "D" => Reply::Failed(Failure::Cme(30)),
        "+CGMI" | "+GMI" | "+CGMM" | "+GMM" | "+CGMR" | "+GMR" | "+CGSN" | "+GSN" | "+CIMI"
        | "+CCID" | "+ICCID" | "+QCCID" | "+CICCID"
            if is_test =>
        {
            Reply::OK
        }
        "+CGMI" | "+GMI" => Reply::line(identity.manufacturer.clone()),
        "+CGMM" | "+GMM" => Reply::line(identity.model.clone()),
        "+CGMR" | "+GMR" => {
            Reply::line(format!("{}{}", identity.revision_prefix, identity.revision))
        }
        "+CGSN" | "+GSN" => Reply::line(identity.imei.clone()),
        "+GCAP" => Reply::line(format!("+GCAP: {}", identity.capabilities)),
        "+IPR" => match command.form {
            Form::Read => Reply::line(format!("+IPR: {}", modem.profile.baud)),
            Form::Test => Reply::line("+IPR: (),(0,9600,19200,38400,57600,115200)"),
            _ => Reply::OK,
        },
        "+IFC" => match command.form {
            Form::Read => Reply::line("+IFC: 0,0"),
            Form::Test => Reply::line("+IFC: (0-2),(0-2)"),
            _ => Reply::OK,
        },
        "+CMEE" => setting(&command.form, "+CMEE", &mut settings.errors, &[0, 1, 2]),
        "+CBC" => match command.form {
            Form::Test => Reply::line("+CBC: (0-2),(0-100),(voltage)"),
            _ => Reply::line("+CBC: 0,87,4012"),
        },
        "+CCLK" => match command.form {
            Form::Read => Reply::line(format!("+CCLK: \"{}\"", modem.network.time(modem.now))),
            // The network's time is the only clock here.
            _ => Reply::OK,
        },
        "+CTZU" => setting(&command.form, "+CTZU", &mut settings.zone[0], &[0, 1, 3]),
        "+CTZR" => setting(&command.form, "+CTZR", &mut settings.zone[1], &[0, 1, 2]),
        "+CFUN" => match &command.form {
            Form::Read => Reply::line(format!("+CFUN: {}", settings.function)),
            Form::Test => Reply::line("+CFUN: (0,1,4),(0,1)"),
            Form::Set(arguments) => {
                let mut numbers = arguments.iter().map(|a| a.number::<u8>());
                match (numbers.next().flatten(), numbers.next().flatten()) {
                    (Some(0 | 1 | 4), Some(1)) => {
                        modem.effects.push(Effect::Reset);
                        Reply::OK
                    }
                    (Some(function @ (0 | 1 | 4)), None | Some(0)) => {
                        let was = settings.function;
                        settings.function = function;
                        if function == 1 && was != 1 {
                            modem.effects.push(Effect::RadioOn);
                        } else if function != 1 {
                            modem.registration = 0;
                        }
                        Reply::OK
                    }
                    _ => Reply::Failed(Failure::Cme(50)),
                }
            }
            Form::Execute => Reply::Failed(Failure::Cme(50)),
        },
        "+CPAS" => Reply::line("+CPAS: 0"),
        _ => return None,
    })
}
