//! +CUSD strings that go over several lines (TS 27.007 §7.15): a menu has a line
//! for each choice, and modems print the line ends as they are.

use std::time::Duration;

use jibu_types::Timestamp;

const PREFIX: &str = "+CUSD:";

/// A modem prints a string in one piece; what does not go on by then was cut short.
const GOES_ON_WITHIN: Duration = Duration::from_secs(1);

/// Twice the longest string that the network can send, in hex.
const LONGEST: usize = 2048;

/// Lines that are never part of a string, however broken that is.
const NEVER_INSIDE: &[&str] = &["+CMTI:", "+CDSI:", "+CMT:", "+CDS:", PREFIX];

/// A line whose string has not come to its end.
#[derive(Debug)]
pub(super) struct OpenString {
    pub(super) text: String,
    since: Timestamp,
}

impl OpenString {
    /// A line that begins a string and does not end it.
    pub(super) fn begins(line: &str, now: Timestamp) -> Option<Self> {
        let open = OpenString { text: line.to_owned(), since: now };
        (line.starts_with(PREFIX) && !open.is_complete()).then_some(open)
    }

    /// Another line of it. A mark at the start of a line was taken for a prompt.
    pub(super) fn goes_on(&mut self, line: &str, now: Timestamp) {
        if !self.text.ends_with("\n>") {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.since = now;
    }

    /// Whether the string has its closing mark, and the coding scheme if any.
    /// Marks inside a text are not escaped.
    pub(super) fn is_complete(&self) -> bool {
        let Some((_, string)) = self.text.split_once('"') else { return true };
        let Some((_, after)) = string.rsplit_once('"') else {
            return self.text.len() > LONGEST;
        };
        let coding = after.trim().strip_prefix(',').unwrap_or(after.trim()).trim();
        coding.bytes().all(|byte| byte.is_ascii_digit()) || self.text.len() > LONGEST
    }

    /// When it is taken as it is.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.since + GOES_ON_WITHIN
    }
}

/// Whether a line cannot be part of a string.
pub(super) fn ends_a_string(line: &str) -> bool {
    NEVER_INSIDE.iter().any(|prefix| line.starts_with(prefix))
}
