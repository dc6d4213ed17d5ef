//! `jibud check --modem`: a line for each thing that a modem needs, ok or what to do.

use anyhow::Context;
use jibu_modem::{Errand, Examination, Registration, SendError, examine};
use jibu_spool::MessageId;
use jibu_types::PhoneNumber;

use super::Line;
use crate::clock::now;
use crate::config::{Config, Modem};
use crate::sms;

/// The text of the test message.
const TEST: &str = "Jibu: a test message. No answer is needed.";
/// Below this the network comes and goes.
const WEAK_DBM: i16 = -105;

/// Opens the modem as the daemon would, and looks at everything. A message is sent
/// only to a number that was named.
pub(super) fn look_at(
    modem: &Modem,
    config: &Config,
    send_to: Option<&PhoneNumber>,
) -> anyhow::Result<Vec<Line>> {
    let pdu = send_to.map(|number| {
        let seed = MessageId(now().unix_ms());
        let pdus = sms::pdus(&config.sms, seed, number, &[TEST.to_owned()])?;
        pdus.into_iter().next().context("the test message is empty")
    });
    let errand = Errand {
        code: modem.airtime.as_ref().map(|airtime| airtime.code.clone()),
        pdu: pdu.transpose()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(examine(modem.driver.clone(), errand));
    runtime.shutdown_background();
    Ok(lines(&seen, modem))
}

fn lines(seen: &Examination, modem: &Modem) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = |what: &str, found: Result<String, String>| {
        lines.push(Line::of(format!("modem {}: {what}", modem.driver.name), found));
    };
    line("port", port(seen, modem));
    let Some(_) = &seen.port else { return lines };
    if let Some(identity) = seen.identity.as_ref().filter(|id| **id != Default::default()) {
        let made = format!("{} {}", identity.manufacturer, identity.model);
        let rest = format!("firmware {}, IMEI …{}", identity.revision, identity.imei_tail);
        line("make", Ok(format!("{}, {rest}", made.trim())));
    }
    match (seen.fault, seen.is_ready) {
        (Some(fault), _) => line("SIM", Err(fault.to_string())),
        (None, true) => line("SIM", Ok("ready".into())),
        (None, false) => {
            line("SIM", Err("the modem does not become ready: switch it off and on".into()));
        }
    }
    if !seen.is_ready {
        return lines;
    }
    line("signal", signal(seen.signal));
    line("network", network(seen.registration));
    line("service centre", service_centre(seen.has_service_centre));
    line("storage", storage(seen));
    if let (Some(reply), Some(airtime)) = (&seen.reply, &modem.airtime) {
        let code = &airtime.code;
        line(
            "airtime",
            match reply {
                None => Err(format!("the network says nothing to {code}: is it the right code?")),
                Some(text) => match airtime.pattern.read(text) {
                    Some(balance) if balance < airtime.low => {
                        Err(format!("{balance} left, which is low: buy airtime"))
                    }
                    Some(balance) => Ok(format!("{balance} left")),
                    None => Err(format!(
                        "the pattern finds no balance in what the network says: correct \
                     modem.airtime.pattern; it says \"{}\"",
                        text.replace('\n', " ")
                    )),
                },
            },
        );
    }
    if let Some(sent) = &seen.sent {
        line(
            "test message",
            match sent {
                Ok(_) => Ok("the network took it: look at the phone".into()),
                Err(SendError::TimedOut) => {
                    Err("the network did not answer: look at signal and airtime, and try again"
                        .into())
                }
                Err(error) => Err(error.to_string()),
            },
        );
    }
    lines
}

fn port(seen: &Examination, modem: &Modem) -> Result<String, String> {
    let elsewhere = match seen.elsewhere.as_slice() {
        [] => String::new(),
        [one] => format!("; a modem answers on {}: put that into modem.port", one.display()),
        more => {
            let list: Vec<String> = more.iter().map(|path| path.display().to_string()).collect();
            format!("; modems answer on {}: put one into modem.port", list.join(" and "))
        }
    };
    match (&seen.lost, &seen.port) {
        (Some(reason), _) => Err(format!("{reason}{elsewhere}")),
        (None, None) => Err(format!("{} does not open", modem.driver.port.display())),
        (None, Some(port)) if !elsewhere.is_empty() => {
            Err(format!("nothing answers on {}{elsewhere}", port.display()))
        }
        (None, Some(port)) => Ok(port.display().to_string()),
    }
}

fn signal(signal: Option<Option<i16>>) -> Result<String, String> {
    match signal.flatten() {
        Some(dbm) if dbm > WEAK_DBM => Ok(format!("{dbm} dBm")),
        Some(dbm) => Err(format!("{dbm} dBm is weak: a higher place or a better antenna helps")),
        None => Err("the modem hears no network: look at the antenna and its plug".into()),
    }
}

fn network(registration: Option<Registration>) -> Result<String, String> {
    match registration {
        Some(Registration::Home) => Ok("registered, home network".into()),
        Some(Registration::Roaming) => {
            Ok("registered, roaming: messages may cost more than at home".into())
        }
        Some(Registration::Denied) => Err("the network refuses the SIM: is it activated, paid, \
                                           registered to a person, and of this country?"
            .into()),
        Some(Registration::Searching) => {
            Err("looking for a network: look at the antenna, or wait a minute".into())
        }
        Some(Registration::Idle) => {
            Err("not registered and not looking: is the radio off (AT+CFUN?), the SIM blocked?"
                .into())
        }
        Some(Registration::Unknown) | None => {
            Err("the modem does not say where it stands with the network".into())
        }
    }
}

fn service_centre(is_set: Option<bool>) -> Result<String, String> {
    match is_set {
        Some(true) => Ok("set".into()),
        Some(false) => Err("none is set on the SIM, so nothing can be sent: put the SIM in a \
                            phone and enter the operator's message centre number there"
            .into()),
        None => Ok("the modem does not say".into()),
    }
}

fn storage(seen: &Examination) -> Result<String, String> {
    let evidence = match seen.keeps_parts {
        true => "",
        false => "; no copies are kept, so a power cut may send a part twice",
    };
    match seen.storage {
        Some((name, used, capacity)) if used >= capacity => Err(format!(
            "{name} is full ({used} of {capacity}), so nothing can come: start the daemon, which \
             answers and erases"
        )),
        Some((name, used, capacity)) => Ok(format!("{name}, {used} of {capacity} used{evidence}")),
        None => Ok(format!("the modem does not say{evidence}")),
    }
}

#[cfg(test)]
mod tests {
    use jibu_modem::{Fault, Identity, StorageName};
    use jibu_ussd::{AirtimeConfig, Balance, BalancePattern};

    use super::*;

    fn modem() -> Modem {
        Modem {
            driver: jibu_modem::Config::new("gsm", "/dev/ttyUSB0"),
            number: None,
            prefixes: Vec::new(),
            serves_ussd: false,
            airtime: Some(AirtimeConfig {
                code: "*100#".into(),
                pattern: BalancePattern::parse("MK {balance}").unwrap(),
                every: std::time::Duration::from_secs(3600),
                low: Balance(10_000),
            }),
        }
    }

    fn well() -> Examination {
        Examination {
            port: Some("/dev/ttyUSB0".into()),
            identity: Some(Identity { model: "SIM800L".into(), ..Identity::default() }),
            is_ready: true,
            registration: Some(Registration::Home),
            signal: Some(Some(-77)),
            storage: Some((StorageName::SM, 3, 30)),
            has_service_centre: Some(true),
            keeps_parts: true,
            reply: Some(Some("MK 1,234.50 left".into())),
            sent: Some(Ok(Some(7))),
            ..Examination::default()
        }
    }

    fn faults(seen: &Examination) -> Vec<String> {
        let lines = lines(seen, &modem()).into_iter();
        lines.filter(|line| !line.ok).map(|line| line.says).collect()
    }

    #[test]
    fn a_modem_that_works_has_a_line_for_everything() {
        let lines = lines(&well(), &modem());
        assert!(lines.iter().all(|line| line.ok), "{lines:?}");
        let whats: Vec<&str> =
            lines.iter().map(|line| line.what.strip_prefix("modem gsm: ").unwrap()).collect();
        assert_eq!(
            whats,
            [
                "port",
                "make",
                "SIM",
                "signal",
                "network",
                "service centre",
                "storage",
                "airtime",
                "test message"
            ]
        );
        assert_eq!(lines[7].says, "1234.50 left");
    }

    #[test]
    fn each_fault_says_what_to_do() {
        let one = |change: &dyn Fn(&mut Examination)| {
            let mut seen = well();
            change(&mut seen);
            let faults = faults(&seen);
            assert_eq!(faults.len(), 1, "{faults:?}");
            faults[0].clone()
        };
        let lost = one(&|seen| {
            *seen = Examination {
                lost: Some("there is no /dev/ttyUSB0".into()),
                elsewhere: vec!["/dev/ttyUSB2".into()],
                ..Examination::default()
            };
        });
        assert!(lost.contains("put that into modem.port"), "{lost}");
        let pin = one(&|seen| (seen.is_ready, seen.fault) = (false, Some(Fault::PinMissing)));
        assert!(pin.contains("set `pin`"), "{pin}");
        assert!(one(&|seen| seen.signal = Some(None)).contains("antenna"));
        assert!(one(&|seen| seen.signal = Some(Some(-109))).contains("weak"));
        assert!(one(&|s| s.registration = Some(Registration::Denied)).contains("activated"));
        assert!(one(&|seen| seen.has_service_centre = Some(false)).contains("message centre"));
        assert!(one(&|s| s.storage = Some((StorageName::SM, 30, 30))).contains("full"));
        assert!(one(&|seen| seen.reply = Some(None)).contains("right code"));
        assert!(one(&|s| s.reply = Some(Some("Try later".into()))).contains("Try later"));
        assert!(one(&|s| s.reply = Some(Some("MK 5".into()))).contains("buy airtime"));
        assert!(one(&|s| s.sent = Some(Err(SendError::TimedOut))).contains("try again"));
    }
}
