use serde::{Deserialize, Serialize};

/// The way by which a person asks and is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Short messages: paid by the part, read on any phone.
    Sms,
    /// An interactive session of short pages (TS 22.090).
    Ussd,
    /// The web page on the box's own network or touch screen.
    Kiosk,
}

impl Channel {
    /// The name used on command lines, in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Ussd => "ussd",
            Channel::Kiosk => "kiosk",
        }
    }
}

impl std::str::FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sms" => Ok(Channel::Sms),
            "ussd" => Ok(Channel::Ussd),
            "kiosk" => Ok(Channel::Kiosk),
            other => Err(format!("channel \"{other}\" is none of sms, ussd, kiosk")),
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
