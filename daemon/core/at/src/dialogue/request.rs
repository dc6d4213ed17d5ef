//! A command and what belongs to its answer.

use std::time::Duration;

/// Which lines are the answer to a command; all others are unsolicited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A final result only.
    Nothing,
    /// Lines beginning so, such as `+CSQ:`.
    Lines(&'static str),
    /// The same, and `OK` without such a line is somebody else's: a late answer
    /// to a command that was sent before.
    Proof(&'static str),
    /// Lines beginning so, each followed by a line with a PDU.
    Pdus(&'static str),
    /// Any line that looks like free text, with or without this beginning.
    Text(&'static str),
}

/// A command to a modem.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) line: String,
    pub(crate) expect: Expect,
    pub(crate) timeout: Duration,
    pub(crate) payload: Option<Payload>,
    secret: bool,
}

/// What is written after the prompt.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) hex: String,
    pub(crate) timeout: Duration,
}

impl Request {
    fn new(line: impl Into<String>, expect: Expect, timeout: Duration) -> Self {
        Request { line: line.into(), expect, timeout, payload: None, secret: false }
    }

    /// A command that is answered by a final result only.
    pub fn plain(line: impl Into<String>, timeout: Duration) -> Self {
        Request::new(line, Expect::Nothing, timeout)
    }

    /// A command that is answered by lines beginning with `prefix`, if any.
    pub fn lines(line: impl Into<String>, prefix: &'static str, timeout: Duration) -> Self {
        Request::new(line, Expect::Lines(prefix), timeout)
    }

    /// A command whose success must show a line beginning with `prefix`. An `OK`
    /// without one is taken for a late answer to an earlier command.
    pub fn proof(line: impl Into<String>, prefix: &'static str, timeout: Duration) -> Self {
        Request::new(line, Expect::Proof(prefix), timeout)
    }

    /// A command that is answered by pairs of a line beginning with `prefix` and a PDU.
    pub fn pdus(line: impl Into<String>, prefix: &'static str, timeout: Duration) -> Self {
        Request::new(line, Expect::Pdus(prefix), timeout)
    }

    /// A command that is answered by free text, which may begin with `prefix`.
    pub fn text(line: impl Into<String>, prefix: &'static str, timeout: Duration) -> Self {
        Request::new(line, Expect::Text(prefix), timeout)
    }

    /// Adds a PDU, to be written in hex after the prompt, and how long the modem
    /// may take from then on.
    #[must_use]
    pub fn with_pdu(mut self, pdu: &[u8], timeout: Duration) -> Self {
        self.payload = Some(Payload { hex: hex::encode_upper(pdu), timeout });
        self
    }

    /// Keeps the command line out of `Debug`: it holds a PIN.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.line.split('=').next().unwrap_or_default();
        f.write_str(if self.secret { name } else { &self.line })
    }
}
