//! What differs between makes of modems, as data.
//!
//! The profiles that come with the simulator stand in `profiles/*.toml`; a
//! path to a file of one's own works too.

use std::path::Path;

use serde::Deserialize;

use crate::store::Memory;

const BUILT_IN: [(&str, &str); 6] = [
    ("generic", include_str!("../profiles/generic.toml")),
    ("sim800l", include_str!("../profiles/sim800l.toml")),
    ("sim7600", include_str!("../profiles/sim7600.toml")),
    ("ec25", include_str!("../profiles/ec25.toml")),
    ("huawei", include_str!("../profiles/huawei.toml")),
    ("minimal", include_str!("../profiles/minimal.toml")),
];

/// A make of modem.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it was loaded as.
    #[serde(skip)]
    pub name: String,
    /// One line for people.
    pub description: String,
    /// How it is connected.
    pub bus: Bus,
    /// The speed of its line; 0 where bytes take no time worth simulating.
    pub baud: u32,
    /// How many bytes of output it keeps while nobody has its port open.
    #[serde(default)]
    pub unread_bytes: usize,
    /// Mean time between lines that it prints unasked; 0 for never.
    #[serde(default)]
    pub chatter_ms: u64,
    /// What it says of itself.
    pub identity: Identity,
    /// Settings after power on.
    pub defaults: Defaults,
    /// Where messages are kept.
    pub storage: Storage,
    /// What +CNMI accepts.
    pub indications: Indications,
    /// How long things take.
    pub timing: Timing,
    /// Where it departs from the standard.
    #[serde(default)]
    pub quirks: Quirks,
    /// What it prints while it starts.
    pub boot: Boot,
    /// What it prints unasked.
    #[serde(default)]
    pub noise: Chatter,
}

/// How the modem is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bus {
    /// Its port stays while it restarts.
    Uart,
    /// Its port goes away while it restarts.
    Usb,
}

/// What the modem says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// +CGMI
    pub manufacturer: String,
    /// +CGMM
    pub model: String,
    /// +CGMR
    pub revision: String,
    /// What stands before the revision in the reply to +CGMR.
    #[serde(default)]
    pub revision_prefix: String,
    /// The lines of ATI.
    pub information: Vec<String>,
    /// +GCAP
    pub capabilities: String,
    /// +CGSM
    pub imei: String,
    /// +CIMI
    pub imsi: String,
    /// +CCID
    pub iccid: String,
}

/// Settings after power on.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// ATE
    pub echo: bool,
    /// +CMEE
    pub errors: u8,
}

/// Where messages are kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The index of the first place: 0 or 1.
    pub first_index: usize,
    /// What +CPMS accepts.
    pub memories: Vec<Memory>,
    /// The three memories after power on.
    pub preferred: [Memory; 3],
    /// Places on the SIM.
    pub sm: usize,
    /// Places in the module.
    pub me: usize,
    /// Places for status reports.
    pub sr: usize,
    /// Whether +CMGL and +CMGR have a mode that leaves the status alone.
    #[serde(default)]
    pub peek: bool,
    /// What it prints when a message finds no place.
    #[serde(default)]
    pub full_line: Option<String>,
}

/// The values that +CNMI accepts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indications {
    /// `<mode>`
    pub modes: Vec<u8>,
    /// `<mt>`
    pub messages: Vec<u8>,
    /// `<bm>`
    pub broadcasts: Vec<u8>,
    /// `<ds>`
    pub reports: Vec<u8>,
}

/// How long things take: `[least, most]` in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Any command that needs no network.
    pub command_ms: [u64; 2],
    /// Handing a message to the network.
    pub send_ms: [u64; 2],
    /// A USSD answer.
    pub ussd_ms: [u64; 2],
    /// From reset to the first answer.
    pub boot_ms: u64,
}

/// Where a make departs from the standard.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Whether +CMEE=2 turns +CMS ERROR into words too.
    pub verbose_message_errors: bool,
    /// How USSD text travels.
    pub ussd: UssdForm,
    /// The coding scheme that every +CUSD line shows, whatever the string is in.
    pub ussd_coding: Option<u8>,
    /// Whether what the network says to a USSD code comes before the `OK`.
    pub ussd_before_ok: bool,
    /// Commands that are refused as unknown.
    pub unsupported: Vec<String>,
}

/// How USSD text travels over the AT interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UssdForm {
    /// As text in the set character set; UCS-2 as hexadecimal.
    #[default]
    Plain,
    /// Packed septets in hexadecimal, both ways.
    Packed,
}

/// What a modem prints while it starts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    /// The lines, spread over the time that starting takes.
    pub lines: Vec<String>,
}

/// What a modem prints unasked.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chatter {
    /// The lines to choose from.
    pub lines: Vec<String>,
}

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a known name nor a path.
    #[error("there is no profile {0:?}; known are {1}, or a path to a .toml file")]
    Unknown(String, String),
    /// The file cannot be read.
    #[error("the profile {0} cannot be read")]
    Read(String, #[source] std::io::Error),
    /// The file is no profile.
    #[error("the profile {0} is not understood")]
    Parse(String, #[source] Box<toml::de::Error>),
}

impl Profile {
    /// The profiles that come with the simulator: name and description.
    pub fn known() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A profile by its name, or by the path of a TOML file.
    ///
    /// # Errors
    /// When there is none, or it is not understood.
    pub fn load(name: &str) -> Result<Self, ProfileError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text);
        }
        if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
            let known = Self::known().collect::<Vec<_>>().join(", ");
            return Err(ProfileError::Unknown(name.to_owned(), known));
        }
        let text = std::fs::read_to_string(name)
            .map_err(|error| ProfileError::Read(name.to_owned(), error))?;
        Self::parse(name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        let profile: Profile = toml::from_str(text)
            .map_err(|error| ProfileError::Parse(name.to_owned(), Box::new(error)))?;
        Ok(Profile { name: name.to_owned(), ..profile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_understood_and_prefers_memories_that_it_has() {
        for name in Profile::known() {
            let profile = Profile::load(name).expect(name);
            for memory in profile.storage.preferred {
                assert!(profile.storage.memories.contains(&memory), "{name}: {memory}");
            }
            assert!(profile.storage.sm > 0, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = Profile::load("nokia").expect_err("there is none").to_string();
        assert!(error.contains("sim800l"), "{error}");
    }
}
