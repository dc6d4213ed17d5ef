//! USSD on one modem: sessions that the network begins, and the SIM's airtime.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jibu_modem::{Command, Event, Mode, Ussd};
use jibu_types::Timestamp;
use jibu_ussd::{Airtime, AirtimeConfig, AirtimeInput, AirtimeOutput};
use tokio::sync::mpsc::Sender as ModemSender;

use crate::config::Modem;
use crate::spooling::Told;
use crate::vitals::Vitals;

/// After so long without a word the network has ended a session, whether it said
/// so or not: who comes then is somebody else, whose number nobody tells.
const FORGOTTEN: Duration = Duration::from_secs(180);

/// What the sessions hear of a modem.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FromModem {
    /// Somebody dialled or entered something.
    Entry(String),
    /// The session is over.
    Dropped,
}

/// See the [module](self) documentation.
pub(super) struct OnModem {
    name: String,
    commands: ModemSender<Command>,
    serves: bool,
    is_ready: bool,
    asks: Option<AirtimeConfig>,
    /// Once the modem was ready.
    airtime: Option<Airtime>,
    /// When something was last heard in a session.
    in_session: Option<Timestamp>,
    /// Somebody waits for a page.
    owes_page: bool,
    vitals: Arc<Vitals>,
    told: Sender<Told>,
}

impl OnModem {
    pub(super) fn new(
        modem: &Modem,
        commands: ModemSender<Command>,
        vitals: Arc<Vitals>,
        told: Sender<Told>,
    ) -> Self {
        OnModem {
            name: modem.driver.name.clone(),
            commands,
            serves: modem.serves_ussd,
            is_ready: false,
            asks: modem.airtime.clone(),
            airtime: None,
            in_session: None,
            owes_page: false,
            vitals,
            told,
        }
    }

    /// Takes in what the modem tells.
    pub(super) fn says(&mut self, event: Event, now: Timestamp) -> Vec<FromModem> {
        let heard = match event {
            Event::Ready { ussd, .. } => {
                self.ready(ussd, now);
                Vec::new()
            }
            Event::Lost { .. } => {
                self.is_ready = false;
                self.no_reply(now);
                self.drop_session()
            }
            Event::UssdFailed { error } => {
                tracing::warn!(modem = self.name, %error, "nothing was said by USSD");
                match self.is_asking() {
                    true => {
                        self.no_reply(now);
                        Vec::new()
                    }
                    false => self.drop_session(),
                }
            }
            Event::Ussd(ussd) if self.is_asking() => {
                self.replied(ussd, now);
                Vec::new()
            }
            Event::Ussd(Ussd { mode: Mode::ActionNeeded, text, .. }) if self.serves => {
                let mut heard = match self.in_session {
                    Some(last) if now.since(last) >= FORGOTTEN => self.drop_session(),
                    _ => Vec::new(),
                };
                self.in_session = Some(now);
                self.owes_page = true;
                heard.push(FromModem::Entry(text.unwrap_or_default()));
                heard
            }
            Event::Ussd(Ussd { mode: Mode::ActionNeeded, .. }) => {
                self.command(Command::EndUssd);
                Vec::new()
            }
            Event::Ussd(_) => self.drop_session(),
            _ => Vec::new(),
        };
        self.drain(now);
        heard
    }

    /// Shows a page to whoever waits; an empty one is the end.
    pub(super) fn show(&mut self, page: String, now: Timestamp) {
        if !std::mem::take(&mut self.owes_page) {
            return;
        }
        match page.is_empty() {
            true => {
                self.in_session = None;
                self.command(Command::EndUssd);
            }
            false => {
                self.in_session = Some(now);
                self.command(Command::Ussd { text: page });
            }
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if let Some(airtime) = self.airtime.as_mut().filter(|_| self.is_ready) {
            airtime.handle(AirtimeInput::Tick, now);
        }
        self.drain(now);
    }

    /// When to come back.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.airtime.as_ref().filter(|_| self.is_ready).map(Airtime::deadline)
    }

    fn ready(&mut self, knows_ussd: bool, now: Timestamp) {
        self.is_ready = knows_ussd;
        if !knows_ussd {
            tracing::warn!(modem = self.name, "the modem knows no USSD (AT+CUSD)");
            if self.asks.is_some() {
                self.vitals.airtime_fault(&self.name, "the modem knows no USSD (AT+CUSD)");
            }
            return;
        }
        let asks = self.asks.take().map(|config| Airtime::new(config, now));
        self.airtime = self.airtime.take().or(asks);
        self.tick(now);
    }

    fn is_asking(&self) -> bool {
        self.airtime.as_ref().is_some_and(Airtime::is_waiting)
    }

    fn replied(&mut self, ussd: Ussd, now: Timestamp) {
        // A menu in place of a balance waits for a choice that nobody makes.
        if ussd.mode == Mode::ActionNeeded {
            self.command(Command::EndUssd);
        }
        match (ussd.text, &mut self.airtime) {
            (Some(text), Some(airtime)) => airtime.handle(AirtimeInput::Reply(text), now),
            _ => self.no_reply(now),
        }
    }

    fn no_reply(&mut self, now: Timestamp) {
        if let Some(airtime) = &mut self.airtime {
            airtime.handle(AirtimeInput::NoReply, now);
        }
    }

    fn drop_session(&mut self) -> Vec<FromModem> {
        self.owes_page = false;
        self.in_session.take().map(|_| FromModem::Dropped).into_iter().collect()
    }

    fn drain(&mut self, now: Timestamp) {
        while let Some(output) = self.airtime.as_mut().and_then(Airtime::poll) {
            match output {
                AirtimeOutput::Dial(code) => {
                    let busy = self.in_session.is_some_and(|last| now.since(last) < FORGOTTEN);
                    match busy || !self.is_ready {
                        true => self.no_reply(now),
                        false => self.command(Command::Ussd { text: code }),
                    }
                }
                AirtimeOutput::Read { balance, is_low } => {
                    self.vitals.airtime_read(&self.name, balance, is_low);
                    match is_low {
                        true => tracing::warn!(modem = self.name, %balance, "airtime is low"),
                        false => tracing::info!(modem = self.name, %balance, "airtime"),
                    }
                    let details = serde_json::json!({
                        "modem": self.name,
                        "balance": balance.to_string(),
                        "low": is_low,
                    });
                    // The spool thread ends with the daemon only.
                    let _ = self.told.send(Told::Record { event: "airtime read", details });
                }
                AirtimeOutput::Unreadable => {
                    let fault = "the reply does not read as modem.airtime.pattern says";
                    tracing::warn!(modem = self.name, fault, "no airtime balance");
                    self.vitals.airtime_fault(&self.name, fault);
                }
            }
        }
    }

    fn command(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::error!(modem = self.name, "the modem takes no commands");
        }
    }
}

#[cfg(test)]
mod tests {
    use jibu_modem::{Identity, SendError};
    use jibu_ussd::{Balance, BalancePattern};
    use tokio::sync::mpsc::Receiver;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn ready() -> Event {
        Event::Ready {
            session: 1,
            identity: Identity::default(),
            stored: Vec::new(),
            keeps_parts: true,
            announces: true,
            reports: true,
            has_service_centre: Some(true),
            ussd: true,
        }
    }

    fn line(line: &str) -> Event {
        Event::Ussd(jibu_gsm::ussd::parse_line(line).unwrap())
    }

    fn modem(serves: bool, asks: bool) -> (OnModem, Receiver<Command>, Arc<Vitals>) {
        let (commands, given) = tokio::sync::mpsc::channel(16);
        // Nobody listens to the audit trail here.
        let (told, _) = std::sync::mpsc::channel();
        let vitals = Arc::new(Vitals::new(["gsm".to_owned()]));
        let airtime = AirtimeConfig {
            code: "*137#".into(),
            pattern: BalancePattern::parse("MK {balance}").unwrap(),
            every: Duration::from_secs(3600),
            low: Balance(10_000),
        };
        let modem = Modem {
            driver: jibu_modem::Config::new("gsm", "/dev/null"),
            number: None,
            prefixes: Vec::new(),
            serves_ussd: serves,
            airtime: asks.then_some(airtime),
        };
        (OnModem::new(&modem, commands, Arc::clone(&vitals), told), given, vitals)
    }

    fn given(commands: &mut Receiver<Command>) -> Vec<Command> {
        std::iter::from_fn(|| commands.try_recv().ok()).collect()
    }

    fn said(text: &str) -> Command {
        Command::Ussd { text: text.into() }
    }

    #[test]
    fn airtime_is_asked_for_and_low_airtime_makes_the_box_unwell() {
        let (mut modem, mut commands, vitals) = modem(false, true);
        assert_eq!(modem.deadline(), None, "not before the modem is ready");
        modem.says(ready(), at(0));
        assert_eq!(given(&mut commands), [said("*137#")]);
        assert_eq!(modem.says(line("+CUSD: 1,\"MK 99.95 left. 1.Borrow\",15"), at(5)), []);
        assert_eq!(given(&mut commands), [Command::EndUssd], "nobody chooses from the menu");
        let health = vitals.health();
        assert!(!health.ok && health.parts["airtime gsm"].contains("99.95 left"), "{health:?}");
        let metrics = vitals.metrics();
        assert!(metrics.contains("jibu_modem_airtime{modem=\"gsm\"} 99.95"), "{metrics}");
        assert!(metrics.contains("jibu_modem_airtime_low{modem=\"gsm\"} 1"), "{metrics}");
        modem.tick(at(3605));
        assert_eq!(given(&mut commands), [said("*137#")]);
        modem.says(line("+CUSD: 0,\"MK 500\",15"), at(3610));
        assert_eq!(vitals.health().parts["airtime gsm"], "ok");
    }

    #[test]
    fn a_session_is_answered_page_by_page_until_the_network_ends_it() {
        let (mut modem, mut commands, _) = modem(true, false);
        modem.says(ready(), at(0));
        let entry = |text: &str| FromModem::Entry(text.into());
        assert_eq!(modem.says(line("+CUSD: 1,\"*384#\",15"), at(1)), [entry("*384#")]);
        modem.show("Jibu".into(), at(2));
        modem.show("Jibu".into(), at(2));
        assert_eq!(given(&mut commands), [said("Jibu")], "one page an entry");
        assert_eq!(modem.says(line("+CUSD: 1,\"1\",15"), at(9)), [entry("1")]);
        modem.show(String::new(), at(10));
        assert_eq!(given(&mut commands), [Command::EndUssd]);
        modem.says(line("+CUSD: 1,\"1\",15"), at(20));
        assert_eq!(modem.says(line("+CUSD: 5"), at(21)), [FromModem::Dropped]);
        assert_eq!(modem.says(line("+CUSD: 2"), at(22)), []);
    }

    /// Nobody's page is shown to the next caller.
    #[test]
    fn after_a_long_silence_somebody_else_is_there() {
        let (mut modem, _commands, _) = modem(true, false);
        modem.says(ready(), at(0));
        modem.says(line("+CUSD: 1,\"a\",15"), at(1));
        modem.show("page".into(), at(2));
        let heard = modem.says(line("+CUSD: 1,\"b\",15"), at(2 + 180));
        assert_eq!(heard, [FromModem::Dropped, FromModem::Entry("b".into())]);
    }

    #[test]
    fn airtime_waits_while_somebody_is_served_and_failures_are_tried_later() {
        let (mut modem, mut commands, _) = modem(true, true);
        modem.says(ready(), at(0));
        modem.says(Event::UssdFailed { error: SendError::TimedOut }, at(20));
        given(&mut commands);
        let again = modem.deadline().unwrap();
        assert_eq!(again, at(20 + 300));
        modem.says(line("+CUSD: 1,\"a\",15"), again - Duration::from_secs(5));
        modem.show("page".into(), again);
        given(&mut commands);
        modem.tick(again);
        assert_eq!(given(&mut commands), []);
        assert!(modem.deadline().unwrap() > again);
    }

    #[test]
    fn an_operators_menu_is_not_answered_where_sessions_are_not_served() {
        let (mut modem, mut commands, _) = modem(false, true);
        modem.says(ready(), at(0));
        modem.says(line("+CUSD: 0,\"MK 500\",15"), at(5));
        given(&mut commands);
        assert_eq!(modem.says(line("+CUSD: 1,\"Win! 1.Yes\",15"), at(60)), []);
        assert_eq!(given(&mut commands), [Command::EndUssd]);
    }
}
