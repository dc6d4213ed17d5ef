//! A report as a table in Markdown.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::fuse::Moment;
use crate::people::Kind;
use crate::sky::Sky;
use crate::world::Report;

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = &self.verdict;
        writeln!(f, "| | |\n|---|---:|")?;
        let mut row = |name: &str, value: &dyn Display| writeln!(f, "| {name} | {value} |");
        row("messages", &self.kinds.values().sum::<u64>())?;
        for kind in Kind::ALL {
            if let Some(count) = self.kinds.get(&kind) {
                row(&format!("— {}", kind.as_str()), count)?;
            }
        }
        row("due one answer", &verdict.due)?;
        row("answered exactly once", &verdict.once)?;
        row("**lost**", &verdict.lost.len())?;
        row("**answered twice**", &verdict.doubled.len())?;
        row("parts of unknown fate: sent by +CMGS, no word after", &verdict.unknown)?;
        row("parts sent by +CMGS and refused in words all the same", &verdict.denied)?;
        row("— messages of which such a part went twice", &verdict.doubled_unknown)?;
        row("must not be answered", &verdict.never)?;
        row("— answered all the same", &verdict.wrongly.len())?;
        row("machines that answer answers", &verdict.loops)?;
        row(
            "— answers that they got; the most that one got",
            &format_args!("{}; {}", verdict.loop_answers, verdict.loop_worst),
        )?;
        row("parts of nobody's", &verdict.stray)?;
        row(
            "left on the modems: received, copies",
            &format_args!("{}, {}", self.left_received, self.left_copies),
        )?;
        row("cuts of power", &self.cuts.values().sum::<u64>())?;
        for moment in Moment::ALL {
            if let Some(count) = self.cuts.get(&moment) {
                row(&format!("— {}", moment.as_str()), count)?;
            }
        }
        row("spells of trouble", &self.skies.values().sum::<u64>())?;
        for sky in Sky::all() {
            if let Some(count) = self.skies.get(&sky) {
                row(&format!("— {}", sky.as_str()), count)?;
            }
        }
        row("parts on the air", &self.on_air)?;
        row("saves", &self.saves)?;
        row("sendings refused or timed out", &self.refused)?;
        row("stored parts sent on", &self.resumed)?;
        row("initialisations of modems", &self.sessions)?;
        row("power keys pressed", &self.power_keys)?;
        row("restarts of its own", &self.restarts)?;
        row("longest wait for an answer", &Span(verdict.slowest))?;
        row("virtual time", &Span(self.lasted))
    }
}

/// Hours and minutes.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_secs() / 60;
        write!(f, "{} h {:02} min", minutes / 60, minutes % 60)
    }
}
