//! Things that go wrong: on request, or by chance.

use serde::{Deserialize, Serialize};

/// What goes wrong with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// `ERROR`
    Error,
    /// `+CMS ERROR: code`
    CmsError,
    /// `+CME ERROR: code`
    CmeError,
    /// The modem stops for `ms`, or until it is reset when that is 0.
    Hang,
    /// The command takes `ms` longer; the rest of the modem goes on.
    Delay,
    /// The command is done and nothing is said.
    DropReply,
    /// The reply breaks off in the middle.
    Partial,
    /// Some bytes of the reply arrive as others.
    Garble,
    /// The modem restarts.
    Reset,
    /// The port goes away for `ms` and comes back; the modem stays on.
    Unplug,
}

/// A fault that waits for its command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The beginning of the commands that it strikes, e.g. `+CMGS`; empty for
    /// all.
    #[serde(default)]
    pub when: String,
    /// How many commands it strikes.
    #[serde(default = "one")]
    pub count: u32,
    /// How many matching commands pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Whether the command takes effect all the same.
    #[serde(default)]
    pub after: bool,
    /// Whether +CMGS and +CMGW are struck before the prompt, not at the end.
    #[serde(default)]
    pub prompt: bool,
    /// The number of an error; 500 when none is given.
    #[serde(default = "unknown_error")]
    pub code: u16,
    /// The time for `hang`, `delay` and `unplug`.
    #[serde(default)]
    pub ms: u64,
}

fn one() -> u32 {
    1
}

fn unknown_error() -> u16 {
    500
}

impl Fault {
    /// A fault of a kind that strikes the next command, whatever it is.
    pub fn new(kind: FaultKind) -> Self {
        Fault {
            kind,
            when: String::new(),
            count: 1,
            skip: 0,
            after: false,
            prompt: false,
            code: 500,
            ms: 0,
        }
    }

    /// Whether it strikes this command now; counts it either way.
    pub(crate) fn strikes(&mut self, command: &str, at_prompt: bool) -> bool {
        let matches = self.count > 0
            && self.prompt == at_prompt
            && command
                .get(..self.when.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(&self.when));
        if !matches {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.count -= 1;
        true
    }
}

/// What goes wrong by chance. Probabilities are between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Noise {
    /// Of an unsolicited line at a line border of a reply.
    pub urc: f64,
    /// Mean time between unsolicited lines outside replies; 0 for none.
    pub urc_every_ms: u64,
    /// Of an error instead of a command's effect.
    pub error: f64,
    /// Of an error although the command took effect.
    pub false_error: f64,
    /// Of a reply that never comes although the command took effect.
    pub drop_reply: f64,
    /// Of a reply that breaks off.
    pub partial: f64,
    /// Of bytes that arrive as others.
    pub garble: f64,
    /// Of a hang of `hang_ms`.
    pub hang: f64,
    /// How long a hang lasts; 0 until a reset.
    pub hang_ms: u64,
    /// Of a restart.
    pub reset: f64,
    /// Of echo coming back on.
    pub echo: f64,
    /// Of a piece of output arriving in two.
    pub split: f64,
    /// The unsolicited lines; the profile's when empty.
    pub lines: Vec<String>,
}

impl Default for Noise {
    fn default() -> Self {
        Noise {
            urc: 0.0,
            urc_every_ms: 0,
            error: 0.0,
            false_error: 0.0,
            drop_reply: 0.0,
            partial: 0.0,
            garble: 0.0,
            hang: 0.0,
            hang_ms: 5_000,
            reset: 0.0,
            echo: 0.0,
            split: 0.0,
            lines: Vec::new(),
        }
    }
}

impl Noise {
    /// What a healthy modem in the field does: unsolicited lines anywhere and
    /// output in pieces.
    pub fn light() -> Self {
        Noise { urc: 0.05, urc_every_ms: 5_000, split: 0.2, ..Noise::default() }
    }

    /// What a bad one does: the above, and errors, lost replies, hangs, resets.
    pub fn heavy() -> Self {
        Noise {
            urc: 0.2,
            urc_every_ms: 1_000,
            error: 0.05,
            false_error: 0.01,
            drop_reply: 0.02,
            partial: 0.01,
            garble: 0.01,
            hang: 0.005,
            hang_ms: 8_000,
            reset: 0.003,
            echo: 0.02,
            split: 0.5,
            lines: Vec::new(),
        }
    }

    /// By name: `off`, `light` or `heavy`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Noise::default()),
            "light" => Some(Noise::light()),
            "heavy" => Some(Noise::heavy()),
            _ => None,
        }
    }

    /// The first probability that is none, by name.
    pub(crate) fn bad_probability(&self) -> Option<&'static str> {
        [
            ("urc", self.urc),
            ("error", self.error),
            ("false_error", self.false_error),
            ("drop_reply", self.drop_reply),
            ("partial", self.partial),
            ("garble", self.garble),
            ("hang", self.hang),
            ("reset", self.reset),
            ("echo", self.echo),
            ("split", self.split),
        ]
        .iter()
        .find(|(_, p)| !(0.0..=1.0).contains(p))
        .map(|(name, _)| *name)
    }

    /// A fault for the next command, by chance.
    pub(crate) fn roll(&self, rng: &mut fastrand::Rng) -> Option<Fault> {
        let after = |kind| Fault { after: true, ..Fault::new(kind) };
        let choices = [
            (self.error, Fault { code: 500, ..Fault::new(FaultKind::CmsError) }),
            (self.false_error, Fault { code: 332, ..after(FaultKind::CmsError) }),
            (self.drop_reply, after(FaultKind::DropReply)),
            (self.partial, after(FaultKind::Partial)),
            (self.garble, after(FaultKind::Garble)),
            (self.hang, Fault { ms: self.hang_ms, ..Fault::new(FaultKind::Hang) }),
            (self.reset, Fault { after: rng.bool(), ..Fault::new(FaultKind::Reset) }),
        ];
        choices.into_iter().find(|(p, _)| *p > 0.0 && rng.f64() < *p).map(|(_, fault)| fault)
    }
}
