//! `[[smpp]]`: operators' SMSCs.

use std::path::PathBuf;
use std::time::Duration;

use jibu_smpp::{Bind, DefaultAlphabet, Password, Tls};
use jibu_types::PhoneNumber;
use serde::Deserialize;

use super::{Check, ConfigError, quoted};

/// One SMSC.
#[derive(Debug, Clone)]
pub struct Smpp {
    /// The link's configuration.
    pub link: jibu_smpp::Config,
    /// Our number there, which is never answered; none where it is a name.
    pub number: Option<PhoneNumber>,
    /// As a modem's.
    pub prefixes: Vec<String>,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    name: String,
    host: String,
    #[serde(default = "port")]
    port: u16,
    tls_authority: Option<PathBuf>,
    system_id: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    system_type: String,
    #[serde(default = "transceiver")]
    bind: String,
    #[serde(default)]
    source: String,
    source_ton: Option<u8>,
    source_npi: Option<u8>,
    #[serde(default)]
    address_range: String,
    #[serde(default = "gsm7")]
    alphabet: String,
    #[serde(default = "thirty")]
    enquire_seconds: u32,
    #[serde(default)]
    prefixes: Vec<String>,
}

fn port() -> u16 {
    2775
}

fn transceiver() -> String {
    "transceiver".into()
}

fn gsm7() -> String {
    "gsm7".into()
}

fn thirty() -> u32 {
    30
}

impl Check<'_> {
    pub(super) fn smpp(&self, raw: Raw, national_shifts: bool) -> Result<Smpp, ConfigError> {
        let mut link = jibu_smpp::Config::new(raw.name, raw.host, raw.port);
        if link.host.is_empty() {
            let why = "a name or an address is wanted";
            return Err(self.refuse("smpp.host", "\"\"", why, "\"smsc.example.org\""));
        }
        link.system_id = self.wire_text("smpp.system_id", raw.system_id, 15, "\"jibu\"")?;
        if link.system_id.is_empty() {
            let why = "the operator gives one";
            return Err(self.refuse("smpp.system_id", "\"\"", why, "\"jibu\""));
        }
        link.system_type = self.wire_text("smpp.system_type", raw.system_type, 12, "\"SMPP\"")?;
        link.address_range =
            self.wire_text("smpp.address_range", raw.address_range, 40, "\"^50131$\"")?;
        link.password = self.password(raw.password, raw.password_file)?;
        link.tls = raw.tls_authority.map(|file| self.authority(file)).transpose()?;
        link.bind = match raw.bind.as_str() {
            "transceiver" => Bind::Transceiver,
            "pair" => Bind::Pair,
            other => {
                let why = "\"transceiver\" and \"pair\" are possible";
                return Err(self.refuse("smpp.bind", quoted(other), why, "\"transceiver\""));
            }
        };
        link.alphabet = match raw.alphabet.as_str() {
            "gsm7" => DefaultAlphabet::Gsm7,
            "latin1" => DefaultAlphabet::Latin1,
            "ascii" => DefaultAlphabet::Ascii,
            other => {
                let why = "\"gsm7\", \"latin1\" and \"ascii\" are possible";
                return Err(self.refuse("smpp.alphabet", quoted(other), why, "\"gsm7\""));
            }
        };
        if national_shifts && link.alphabet != DefaultAlphabet::Gsm7 {
            let why = "sms.national_shifts needs an SMSC that takes the GSM alphabet as it is";
            return Err(self.refuse("smpp.alphabet", quoted(&raw.alphabet), why, "\"gsm7\""));
        }
        if !(5..=600).contains(&raw.enquire_seconds) {
            let why = "5 seconds to 10 minutes are possible";
            return Err(self.refuse("smpp.enquire_seconds", raw.enquire_seconds, why, "30"));
        }
        link.enquire_every = Duration::from_secs(u64::from(raw.enquire_seconds));
        let number = self.source(&mut link, &raw.source, raw.source_ton, raw.source_npi)?;
        let prefixes = self.prefixes("smpp.prefixes", &raw.prefixes)?;
        Ok(Smpp { link, number, prefixes })
    }

    /// What answers come from, with the type and plan that its form suggests.
    fn source(
        &self,
        link: &mut jibu_smpp::Config,
        source: &str,
        ton: Option<u8>,
        npi: Option<u8>,
    ) -> Result<Option<PhoneNumber>, ConfigError> {
        const KEY: &str = "smpp.source";
        let digits = source.strip_prefix('+').unwrap_or(source);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let (longest, usual) = match (source.starts_with('+'), is_number) {
            _ if source.is_empty() => (0, (0, 0)),
            (true, true) => (20, (1, 1)),
            (_, true) => (20, (0, 1)),
            (_, false) => (11, (5, 0)),
        };
        // A number is not repeated.
        if !source.is_ascii() || digits.len() > longest {
            let why = "a number has 20 digits at most, a name 11 characters";
            return Err(self.refuse(KEY, "\"…\"", why, "\"50131\""));
        }
        for (key, value) in [("smpp.source_ton", ton), ("smpp.source_npi", npi)] {
            if let Some(value) = value.filter(|value| *value > 31) {
                return Err(self.refuse(key, value, "0 to 31 are possible", "1"));
            }
        }
        link.source = digits.to_owned();
        link.source_type = (ton.unwrap_or(usual.0), npi.unwrap_or(usual.1));
        Ok(PhoneNumber::parse(source).ok().filter(|_| is_number))
    }

    fn password(
        &self,
        inline: Option<String>,
        file: Option<PathBuf>,
    ) -> Result<Password, ConfigError> {
        let (key, text) = match (inline, file) {
            (Some(text), None) => ("smpp.password", text),
            (None, Some(file)) => {
                const KEY: &str = "smpp.password_file";
                let file = self.folder.join(file);
                let text = std::fs::read_to_string(&file).map_err(|error| {
                    let shown = quoted(&file.display().to_string());
                    self.refuse(KEY, shown, error, "\"/etc/jibu/smpp-password\"")
                })?;
                (KEY, text.trim_end_matches(['\r', '\n']).to_owned())
            }
            _ => {
                let why = "either this or smpp.password_file is wanted";
                return Err(self.refuse("smpp.password", "\"…\"", why, "\"…\""));
            }
        };
        // The password itself is not repeated.
        Password::parse(&text).map_err(|error| self.refuse(key, "\"…\"", error, "\"…\""))
    }

    fn authority(&self, file: PathBuf) -> Result<Tls, ConfigError> {
        let file = self.folder.join(file);
        let refuse = |why: &dyn std::fmt::Display| {
            const EXAMPLE: &str = "\"/etc/ssl/certs/ca-certificates.crt\"";
            let shown = quoted(&file.display().to_string());
            self.refuse("smpp.tls_authority", shown, why, EXAMPLE)
        };
        let pem = std::fs::read(&file).map_err(|error| refuse(&error))?;
        Tls::from_pem(&pem).map_err(|error| refuse(&error))
    }

    fn wire_text(
        &self,
        key: &'static str,
        text: String,
        longest: usize,
        example: &'static str,
    ) -> Result<String, ConfigError> {
        let fits = text.len() <= longest && text.bytes().all(|byte| (32..127).contains(&byte));
        match fits {
            true => Ok(text),
            false => {
                let why = format!("{longest} printable ASCII characters at most are possible");
                Err(self.refuse(key, quoted(&text), why, example))
            }
        }
    }
}
