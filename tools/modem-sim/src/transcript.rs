//! The AT dialogue as it went over the line.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::sent::millis;

/// How many lines are kept; older ones are dropped and counted.
const KEPT: usize = 50_000;

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Side {
    /// The host.
    #[serde(rename = ">")]
    Host,
    /// The modem.
    #[serde(rename = "<")]
    Modem,
    /// Neither: something happened to the line or the modem.
    #[serde(rename = "#")]
    Event,
}

/// One line of the dialogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When.
    pub at_ms: u64,
    /// Who.
    pub side: Side,
    /// What, without line ends.
    pub text: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.side {
            Side::Host => '>',
            Side::Modem => '<',
            Side::Event => '#',
        };
        write!(f, "{:>8}ms {sign} {}", self.at_ms, self.text)
    }
}

/// The latest lines of the dialogue.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    entries: VecDeque<Entry>,
    dropped: usize,
}

impl Transcript {
    pub(crate) fn push(&mut self, at: Duration, side: Side, bytes: &[u8]) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(Entry { at_ms: millis(at), side, text: readable(bytes) });
    }

    /// The lines from the `since`-th on, counted from the start.
    pub fn since(&self, since: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().skip(since.saturating_sub(self.dropped))
    }

    /// How many lines there have been.
    pub fn total(&self) -> usize {
        self.dropped + self.entries.len()
    }
}

/// Printable text; other bytes as `\xNN`, Ctrl-Z and ESC by name.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            0x1a => text.push_str("<Ctrl-Z>"),
            0x1b => text.push_str("<ESC>"),
            0x20..=0x7e => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text
}
