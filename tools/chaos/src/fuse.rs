//! When the power goes: at a moment of the clock, or so many steps of the box later.

/// Between which steps of the box the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// At a random instant.
    Anywhere,
    /// Before a save was committed.
    BeforeCommit,
    /// After a save was committed, before anything that follows from it.
    AfterCommit,
    /// Before a command was handed to a modem.
    BeforeCommand,
    /// In the middle of the bytes of a command.
    InCommand,
    /// After a modem told something, before the spool heard it.
    BeforeEvent,
}

impl Moment {
    /// All of them, as the table lists them.
    pub const ALL: [Moment; 6] = [
        Moment::Anywhere,
        Moment::BeforeCommit,
        Moment::AfterCommit,
        Moment::BeforeCommand,
        Moment::InCommand,
        Moment::BeforeEvent,
    ];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Moment::Anywhere => "at any instant",
            Moment::BeforeCommit => "before a commit",
            Moment::AfterCommit => "between a commit and what follows",
            Moment::BeforeCommand => "before a command to the modem",
            Moment::InCommand => "in the middle of a command's bytes",
            Moment::BeforeEvent => "between the modem's word and the spool",
        }
    }
}

/// The power is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PowerCut(pub(crate) Moment);

/// Burns down by one at each step that it sees.
#[derive(Debug, Default)]
pub(crate) struct Fuse(Option<u32>);

impl Fuse {
    pub(crate) fn light(&mut self, steps: u32) {
        self.0 = Some(steps);
    }

    pub(crate) fn is_lit(&self) -> bool {
        self.0.is_some()
    }

    /// A step is about to be taken.
    ///
    /// # Errors
    /// When the power goes instead.
    pub(crate) fn pass(&mut self, moment: Moment) -> Result<(), PowerCut> {
        match &mut self.0 {
            None => Ok(()),
            Some(0) => {
                self.0 = None;
                Err(PowerCut(moment))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}
