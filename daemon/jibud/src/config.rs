//! `jibu.toml`: read once, turned into checked values or refused by key.

mod hub;
mod raw;
mod smpp;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jibu_modem::{Hook, Pin, RequestForm, SendVia, StorageName};
use jibu_spool::QuietHours;
use jibu_sync::PublicKey;
use jibu_types::{Language, PhoneNumber};
use jibu_ussd::{AirtimeConfig, Balance, BalancePattern};
use jibu_web::ussd::{Access, AccessError};

pub use hub::{Address, Link};
pub use smpp::Smpp;

/// The whole configuration, checked. `jibu.example.toml` documents every key.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it came from.
    pub file: PathBuf,
    /// What the box is called in its own messages.
    pub name: String,
    /// Where `state.db` and `content.db` live.
    pub data: PathBuf,
    /// Where the models' `manifest.toml` lies.
    pub models: PathBuf,
    /// The languages to answer in, the default one first.
    pub languages: Vec<Language>,
    /// What people call in an emergency.
    pub emergency_number: Option<PhoneNumber>,
    /// Whom people call who want a person rather than a machine.
    pub person_number: Option<PhoneNumber>,
    /// Whose versions are accepted.
    pub hub_key: Option<PublicKey>,
    /// The link to the hub; none where everything comes on sticks.
    pub link: Option<Link>,
    /// Where the enrolment's files lie.
    pub credentials: PathBuf,
    /// How short messages are written and kept.
    pub sms: Sms,
    /// Where the web pages are served; none for no web server.
    pub listen: Option<SocketAddr>,
    /// Which USSD gateways may call; none where no secret is agreed.
    pub gateway: Option<Access>,
    /// How USSD sessions are held, whichever way they come.
    pub ussd: Ussd,
    /// The modems.
    pub modems: Vec<Modem>,
    /// The operators' SMSCs.
    pub smpp: Vec<Smpp>,
    /// What shows whether the box is well.
    pub lamp: Option<Hook>,
    /// What is logged, in `tracing`'s filter form.
    pub log: String,
}

/// How short messages are written and kept.
#[derive(Debug, Clone)]
pub struct Sms {
    /// The most parts of one answer before MORE.
    pub max_parts: usize,
    /// How long missing parts of a long message are waited for.
    pub gather_wait: Duration,
    /// How long a modem may be away before another one sends its parts.
    pub fail_over_after: Duration,
    /// Answers to one sender within 24 hours.
    pub answers_per_day: u32,
    /// Answers through one modem within 24 hours.
    pub answers_per_day_and_modem: u32,
    /// Answers to everybody within 24 hours.
    pub answers_per_day_in_all: u32,
    /// When late answers wait for the morning.
    pub quiet: Option<QuietHours>,
    /// Whether the network is asked to tell what arrived.
    pub status_reports: bool,
    /// Whether texts may use the national shift tables that old phones lack.
    pub national_shifts: bool,
    /// The languages whose letters may lose their marks where that saves a message.
    pub transliterate: Vec<Language>,
}

/// How languages are named.
const LANGUAGES: &str = "[\"sw\", \"en\"]";

/// How USSD sessions are held.
#[derive(Debug, Clone, Copy)]
pub struct Ussd {
    /// Whether a menu of what the documents speak of comes before the question.
    pub topics: bool,
    /// Whether a caller may have the answer by SMS.
    pub by_sms: bool,
    /// Septets of a page in the GSM 7-bit alphabet.
    pub page_characters: usize,
    /// UTF-16 units of a page in any other alphabet.
    pub page_characters_ucs2: usize,
}

/// One modem.
#[derive(Debug, Clone)]
pub struct Modem {
    /// Its driver's configuration.
    pub driver: jibu_modem::Config,
    /// Its own number, which is never answered.
    pub number: Option<PhoneNumber>,
    /// Answers to numbers that begin so leave by it, whichever modem was asked;
    /// digits in international form.
    pub prefixes: Vec<String>,
    /// Whether USSD sessions that the network begins are answered.
    pub serves_ussd: bool,
    /// How the SIM's airtime is asked for.
    pub airtime: Option<AirtimeConfig>,
}

/// What TOML has against a text; a line that may hold a PIN, a secret or a password is named
/// and not shown.
fn said(error: &toml::de::Error, text: &str) -> String {
    const SILENT: [&str; 3] = ["pin", "secret", "password"];
    let at = error.span().map(|span| text.get(..span.start).unwrap_or(text));
    let number = at.map(|before| before.matches('\n').count());
    let line = number.and_then(|number| text.lines().nth(number)).unwrap_or_default();
    if SILENT.iter().any(|key| line.contains(key)) {
        let number = number.map_or(0, |number| number + 1);
        return format!("line {number}, which is not shown, is no TOML or not a text in quotes");
    }
    error.to_string().trim_end().replace('\n', "\n  ")
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no file where one was looked for.
    #[error(
        "there is no configuration at {looked}: copy daemon/jibud/jibu.example.toml there, or \
         name a file with --config"
    )]
    Missing {
        /// The places.
        looked: String,
    },
    /// The file cannot be read.
    #[error("{file} cannot be read: see that it is a file, in UTF-8, and may be read")]
    Read {
        /// Which.
        file: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file is no TOML, or has a key that is not known.
    #[error("{file} is refused: {what}")]
    Form {
        /// Which.
        file: String,
        /// Line, key and what was expected.
        what: String,
    },
    /// A value makes no sense.
    #[error("{file}: {key} = {value} is refused: {why} (an example: {key} = {example})")]
    Value {
        /// Which file.
        file: String,
        /// The key with its table, `site.languages`.
        key: &'static str,
        /// The value as it stands there.
        value: String,
        /// What is wrong.
        why: String,
        /// What would do.
        example: &'static str,
    },
}

/// Where the configuration is looked for when no file is named.
const PLACES: [&str; 2] = ["jibu.toml", "/etc/jibu/jibu.toml"];

impl Config {
    /// Reads the named file, or the first of the usual ones that is there.
    ///
    /// # Errors
    /// When there is none, or what stands in it is refused.
    pub fn load(named: Option<&Path>) -> Result<Config, ConfigError> {
        let file = match named {
            Some(file) => file.to_owned(),
            None => PLACES
                .iter()
                .map(PathBuf::from)
                .find(|file| file.exists())
                .ok_or_else(|| ConfigError::Missing { looked: PLACES.join(" or ") })?,
        };
        let text = std::fs::read_to_string(&file).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => {
                ConfigError::Missing { looked: file.display().to_string() }
            }
            _ => ConfigError::Read { file: file.display().to_string(), cause },
        })?;
        Config::parse(&text, &file)
    }

    /// Checks a configuration's text. Relative paths in it count from the file's folder.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown key, or a value makes no sense.
    pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
        let name = file.display().to_string();
        let raw: raw::File = toml::from_str(text)
            .map_err(|error| ConfigError::Form { file: name.clone(), what: said(&error, text) })?;
        Check { file: &name, folder: file.parent().unwrap_or(Path::new("")) }.file(raw, file)
    }

    /// The language for somebody of whom nothing is known.
    pub fn default_language(&self) -> Language {
        self.languages.first().copied().unwrap_or(Language::EN)
    }

    /// What a message that answers no SMS leaves by: the first modem, else the
    /// first SMSC.
    pub fn first_sender(&self) -> Option<&str> {
        let modems = self.modems.iter().map(|modem| modem.driver.name.as_str());
        modems.chain(self.smpp.iter().map(|smpp| smpp.link.name.as_str())).next()
    }

    /// The file of the spool, the audit trail and the floors.
    pub fn state_db(&self) -> PathBuf {
        self.data.join("state.db")
    }

    /// The file of the passages and their vectors.
    pub fn content_db(&self) -> PathBuf {
        self.data.join("content.db")
    }
}

/// Turns raw values into checked ones.
struct Check<'a> {
    file: &'a str,
    folder: &'a Path,
}

impl Check<'_> {
    fn refuse(
        &self,
        key: &'static str,
        value: impl std::fmt::Display,
        why: impl std::fmt::Display,
        example: &'static str,
    ) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key,
            value: value.to_string(),
            why: why.to_string(),
            example,
        }
    }

    fn file(&self, raw: raw::File, file: &Path) -> Result<Config, ConfigError> {
        let raw::File { site, hub, sms, web, ussd, modem, smpp, log } = raw;
        let languages = self.languages("site.languages", &site.languages)?;
        if languages.is_empty() {
            let why = "at least one language is wanted";
            return Err(self.refuse("site.languages", "[]", why, LANGUAGES));
        }
        let (hub_key, link) = self.hub(&hub)?;
        let data = self.folder.join(site.data);
        let listen = match web.listen.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| {
                let why = "an address and a port are wanted";
                self.refuse("web.listen", quoted(text), why, "\"127.0.0.1:8080\"")
            })?),
        };
        let gateway = self.gateway(web.ussd, listen)?;
        let modems: Vec<Modem> =
            modem.into_iter().map(|raw| self.modem(raw)).collect::<Result<_, _>>()?;
        let smpp: Vec<Smpp> = smpp
            .into_iter()
            .map(|raw| self.smpp(raw, sms.national_shifts))
            .collect::<Result<_, _>>()?;
        let mut names = BTreeSet::new();
        let of_modems = modems.iter().map(|modem| ("modem.name", &modem.driver.name));
        let of_smpp = smpp.iter().map(|smpp| ("smpp.name", &smpp.link.name));
        for (key, name) in of_modems.chain(of_smpp) {
            if !names.insert(name) {
                let why = "another modem or SMSC has this name";
                return Err(self.refuse(key, quoted(name), why, "\"airtel\""));
            }
        }
        Ok(Config {
            file: file.to_owned(),
            name: site.name,
            credentials: match hub.credentials {
                Some(folder) => self.folder.join(folder),
                None => data.join("credentials"),
            },
            data,
            models: self.folder.join(site.models),
            languages,
            emergency_number: self.number(
                "site.emergency_number",
                site.emergency_number.as_deref(),
                "\"112\"",
            )?,
            person_number: self.number(
                "site.person_number",
                site.person_number.as_deref(),
                "\"+265991234567\"",
            )?,
            hub_key,
            link,
            sms: self.sms(&sms)?,
            listen,
            gateway,
            ussd: self.ussd(&ussd)?,
            modems,
            smpp,
            lamp: Hook::new(site.lamp),
            log: log.filter,
        })
    }

    fn languages(&self, key: &'static str, names: &[String]) -> Result<Vec<Language>, ConfigError> {
        let mut languages = Vec::new();
        for name in names {
            let language = Language::parse(name)
                .map_err(|error| self.refuse(key, quoted(name), error, LANGUAGES))?;
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        Ok(languages)
    }

    fn sms(&self, raw: &raw::Sms) -> Result<Sms, ConfigError> {
        if !(1..=10).contains(&raw.max_parts) {
            let why = "1 to 10 parts are possible";
            return Err(self.refuse("sms.max_parts", raw.max_parts, why, "2"));
        }
        if raw.gather_wait_minutes == 0 {
            let why = "parts of one message come seconds apart at best";
            return Err(self.refuse("sms.gather_wait_minutes", 0, why, "10"));
        }
        Ok(Sms {
            max_parts: raw.max_parts,
            gather_wait: Duration::from_secs(60 * u64::from(raw.gather_wait_minutes)),
            fail_over_after: Duration::from_secs(60 * u64::from(raw.fail_over_minutes)),
            answers_per_day: raw.answers_per_day,
            answers_per_day_and_modem: self
                .quota("sms.answers_per_day_and_modem", raw.answers_per_day_and_modem)?,
            answers_per_day_in_all: self
                .quota("sms.answers_per_day_in_all", raw.answers_per_day_in_all)?,
            quiet: self.quiet_hours(raw.quiet_hours.as_deref())?,
            status_reports: raw.status_reports,
            national_shifts: raw.national_shifts,
            transliterate: self.languages("sms.transliterate", &raw.transliterate)?,
        })
    }

    /// No limit where none is said.
    fn quota(&self, key: &'static str, most: Option<u32>) -> Result<u32, ConfigError> {
        match most {
            Some(0) => Err(self.refuse(key, 0, "nobody would be answered", "500")),
            Some(most) => Ok(most),
            None => Ok(u32::MAX),
        }
    }

    fn quiet_hours(&self, text: Option<&str>) -> Result<Option<QuietHours>, ConfigError> {
        let refuse = |text: &str, why: &str| {
            Err(self.refuse("sms.quiet_hours", quoted(text), why, "\"21:00-06:00 +02:00\""))
        };
        let Some(text) = text else { return Ok(None) };
        match quiet_hours(text) {
            None => refuse(text, "two times of the day and the difference from UTC are wanted"),
            Some(quiet) if quiet.from_minute == quiet.to_minute => {
                refuse(text, "they end when they begin")
            }
            quiet => Ok(quiet),
        }
    }

    /// The secret is not repeated when it is refused.
    fn gateway(
        &self,
        raw: raw::Gateway,
        listen: Option<SocketAddr>,
    ) -> Result<Option<Access>, ConfigError> {
        const KEY: &str = "web.ussd.secret";
        const EXAMPLE: &str = "\"what `openssl rand -hex 16` prints\"";
        let raw::Gateway { secret, addresses } = raw;
        let Some(secret) = secret else {
            if addresses.is_empty() {
                return Ok(None);
            }
            let why = "addresses alone let nobody in";
            return Err(self.refuse(KEY, "(none)", why, EXAMPLE));
        };
        if listen.is_none() {
            let why = "gateways call the web server, which is off";
            return Err(self.refuse("web.listen", "\"\"", why, "\"127.0.0.1:8080\""));
        }
        let access = Access::new(secret.trim(), &addresses).map_err(|error| match error {
            AccessError::Secret => self.refuse(KEY, "\"…\"", error, EXAMPLE),
            AccessError::Network(_) => {
                let value = format!("{addresses:?}");
                self.refuse("web.ussd.addresses", value, error, "[\"196.0.2.0/24\"]")
            }
        });
        access.map(Some)
    }

    fn ussd(&self, raw: &raw::Ussd) -> Result<Ussd, ConfigError> {
        let page = |key, characters, most, example| {
            let why = format!("a page holds 60 to {most} characters");
            match (60..=most).contains(&characters) {
                true => Ok(characters),
                false => Err(self.refuse(key, characters, why, example)),
            }
        };
        let ucs2 = raw.page_characters_ucs2;
        Ok(Ussd {
            topics: raw.topics,
            by_sms: raw.by_sms,
            page_characters: page("ussd.page_characters", raw.page_characters, 182, "182")?,
            page_characters_ucs2: page("ussd.page_characters_ucs2", ucs2, 80, "70")?,
        })
    }

    fn airtime(&self, raw: &raw::Airtime) -> Result<AirtimeConfig, ConfigError> {
        let is_code = !raw.code.is_empty()
            && raw.code.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'));
        if !is_code {
            let why = "a code is written with digits, * and #";
            let value = quoted(&raw.code);
            return Err(self.refuse("modem.airtime.code", value, why, "\"*137#\""));
        }
        let pattern = BalancePattern::parse(&raw.pattern).map_err(|error| {
            let example = "\"balance is MWK {balance}\"";
            self.refuse("modem.airtime.pattern", quoted(&raw.pattern), error, example)
        })?;
        if !(1..=24 * 30).contains(&raw.every_hours) {
            let why = "an hour to a month is possible";
            return Err(self.refuse("modem.airtime.every_hours", raw.every_hours, why, "12"));
        }
        if !(0.0..1e12).contains(&raw.low) {
            let why = "an amount in the currency's unit is wanted";
            return Err(self.refuse("modem.airtime.low", raw.low, why, "500"));
        }
        Ok(AirtimeConfig {
            code: raw.code.clone(),
            pattern,
            every: Duration::from_secs(60 * 60 * u64::from(raw.every_hours)),
            // Far inside the range, and no fraction is left.
            low: Balance((raw.low * 100.0).round() as i64),
        })
    }

    fn modem(&self, raw: raw::Modem) -> Result<Modem, ConfigError> {
        let mut driver = jibu_modem::Config::new(raw.name, self.folder.join(raw.port));
        driver.baud_rate = raw.baud_rate;
        if let Some(imei) = raw.imei {
            // An IMEI follows a person's purchase, so it is not repeated.
            if imei.len() != 15 || !imei.bytes().all(|byte| byte.is_ascii_digit()) {
                let why = "fifteen digits are wanted; jibud check --modem shows the last two";
                return Err(self.refuse("modem.imei", "\"…\"", why, "\"490154203237518\""));
            }
            driver.imei = Some(imei);
        }
        driver.power_key = Hook::new(raw.power_key).map(|hook| Arc::new(hook) as _);
        if let Some(pin) = raw.pin {
            // The PIN itself is not repeated.
            driver.pin = Some(
                Pin::parse(&pin)
                    .map_err(|error| self.refuse("modem.pin", "\"…\"", error, "\"1234\""))?,
            );
        }
        driver.via = match raw.send_via.as_str() {
            "storage" => SendVia::Storage,
            "direct" => SendVia::Direct,
            other => {
                let why = "\"storage\" and \"direct\" are possible";
                return Err(self.refuse("modem.send_via", quoted(other), why, "\"storage\""));
            }
        };
        if let Some(storage) = raw.storage {
            driver.storage = Some(StorageName::parse(&storage).map_err(|error| {
                self.refuse("modem.storage", quoted(&storage), error, "\"SM\"")
            })?);
        }
        let airtime = raw.airtime.as_ref().map(|raw| self.airtime(raw)).transpose()?;
        driver.ussd = raw.ussd || airtime.is_some();
        driver.ussd_form = match raw.ussd_form.as_str() {
            "auto" => None,
            "text" => Some(RequestForm::Plain),
            "packed" => Some(RequestForm::PackedHex),
            "ucs2" => Some(RequestForm::Ucs2Hex),
            other => {
                let why = "\"auto\", \"text\", \"packed\" and \"ucs2\" are possible";
                return Err(self.refuse("modem.ussd_form", quoted(other), why, "\"auto\""));
            }
        };
        let number = self.number("modem.number", raw.number.as_deref(), "\"+265991234567\"")?;
        let prefixes = self.prefixes("modem.prefixes", &raw.prefixes)?;
        Ok(Modem { driver, number, prefixes, serves_ussd: raw.ussd, airtime })
    }

    /// The digits of prefixes.
    fn prefixes(&self, key: &'static str, raw: &[String]) -> Result<Vec<String>, ConfigError> {
        let prefixes = raw.iter().map(|prefix| {
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            let is_prefix = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            is_prefix.then(|| digits.to_owned()).ok_or_else(|| {
                let why = "\"+\" and the first digits of a number are wanted";
                self.refuse(key, quoted(prefix), why, "[\"+26599\", \"+26598\"]")
            })
        });
        prefixes.collect()
    }

    /// A number is not repeated when it is refused.
    fn number(
        &self,
        key: &'static str,
        text: Option<&str>,
        example: &'static str,
    ) -> Result<Option<PhoneNumber>, ConfigError> {
        let parsed = text.map(PhoneNumber::parse).transpose();
        parsed.map_err(|error| self.refuse(key, "\"…\"", error, example))
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// Reads `21:00-06:00 +02:00`.
fn quiet_hours(text: &str) -> Option<QuietHours> {
    let (hours, offset) = text.trim().split_once(' ')?;
    let (from, to) = hours.split_once('-')?;
    let offset = offset.trim_start();
    let sign = match offset.chars().next()? {
        '+' => 1,
        '-' | '−' => -1,
        _ => return None,
    };
    let minutes = minute_of_day(offset.trim_start_matches(['+', '-', '−']))?;
    Some(QuietHours {
        from_minute: minute_of_day(from)?,
        to_minute: minute_of_day(to)?,
        utc_offset_minutes: sign * i16::try_from(minutes).ok()?,
    })
}

/// Reads `21:00`.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str, below: u16| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| is_number && *number < below)
    };
    Some(60 * number(hour, 24)? + number(minute, 60)?)
}

#[cfg(test)]
mod tests;
