//! The file as it is written.

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) site: Site,
    #[serde(default)]
    pub(super) hub: super::hub::Raw,
    #[serde(default)]
    pub(super) sms: Sms,
    #[serde(default)]
    pub(super) web: Web,
    #[serde(default)]
    pub(super) ussd: Ussd,
    #[serde(default)]
    pub(super) modem: Vec<Modem>,
    #[serde(default)]
    pub(super) smpp: Vec<super::smpp::Raw>,
    #[serde(default)]
    pub(super) log: Log,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    #[serde(default = "jibu")]
    pub(super) name: String,
    pub(super) data: PathBuf,
    pub(super) models: PathBuf,
    pub(super) languages: Vec<String>,
    pub(super) emergency_number: Option<String>,
    pub(super) person_number: Option<String>,
    #[serde(default)]
    pub(super) lamp: Vec<String>,
}

fn jibu() -> String {
    "Jibu".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sms {
    pub(super) max_parts: usize,
    pub(super) gather_wait_minutes: u32,
    pub(super) fail_over_minutes: u32,
    pub(super) answers_per_day: u32,
    pub(super) answers_per_day_and_modem: Option<u32>,
    pub(super) answers_per_day_in_all: Option<u32>,
    pub(super) quiet_hours: Option<String>,
    pub(super) status_reports: bool,
    pub(super) national_shifts: bool,
    pub(super) transliterate: Vec<String>,
}

impl Default for Sms {
    fn default() -> Self {
        Sms {
            max_parts: 2,
            gather_wait_minutes: 10,
            fail_over_minutes: 5,
            answers_per_day: 50,
            answers_per_day_and_modem: None,
            answers_per_day_in_all: None,
            quiet_hours: None,
            status_reports: true,
            national_shifts: false,
            transliterate: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Web {
    pub(super) listen: String,
    pub(super) ussd: Gateway,
}

impl Default for Web {
    fn default() -> Self {
        Web { listen: "127.0.0.1:8080".into(), ussd: Gateway::default() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ussd {
    pub(super) topics: bool,
    pub(super) by_sms: bool,
    pub(super) page_characters: usize,
    pub(super) page_characters_ucs2: usize,
}

impl Default for Ussd {
    fn default() -> Self {
        Ussd { topics: true, by_sms: true, page_characters: 182, page_characters_ucs2: 70 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Airtime {
    pub(super) code: String,
    pub(super) pattern: String,
    #[serde(default = "twelve")]
    pub(super) every_hours: u32,
    pub(super) low: f64,
}

fn twelve() -> u32 {
    12
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gateway {
    pub(super) secret: Option<String>,
    pub(super) addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Modem {
    pub(super) name: String,
    pub(super) port: PathBuf,
    pub(super) imei: Option<String>,
    #[serde(default)]
    pub(super) power_key: Vec<String>,
    #[serde(default = "baud_rate")]
    pub(super) baud_rate: u32,
    pub(super) pin: Option<String>,
    #[serde(default = "storage")]
    pub(super) send_via: String,
    pub(super) storage: Option<String>,
    pub(super) number: Option<String>,
    #[serde(default)]
    pub(super) prefixes: Vec<String>,
    #[serde(default)]
    pub(super) ussd: bool,
    #[serde(default = "auto")]
    pub(super) ussd_form: String,
    pub(super) airtime: Option<Airtime>,
}

fn auto() -> String {
    "auto".into()
}

fn baud_rate() -> u32 {
    115_200
}

fn storage() -> String {
    "storage".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Log { filter: "info,tract_onnx=error,tract_linalg=warn".into() }
    }
}
