//! A modem's power, which the board switches and AT commands cannot.

use std::fmt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a hook may take: a power key is held for a second or two.
const PATIENCE: Duration = Duration::from_secs(30);

/// What cuts a modem's power, or presses its power key. The board knows how.
pub trait PowerKey: fmt::Debug + Send + Sync {
    /// Does it, and comes back when the power is on again. May take seconds.
    ///
    /// # Errors
    /// A sentence for the technician.
    fn press(&self) -> Result<(), String>;
}

/// A program that does it, such as `gpioset` with a line of the board's chip, or
/// `uhubctl` with a port of the USB hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The program and its arguments.
    command: Vec<String>,
}

impl Hook {
    /// A hook; none where no program is named.
    pub fn new(command: Vec<String>) -> Option<Self> {
        command.first().is_some_and(|program| !program.is_empty()).then_some(Hook { command })
    }

    /// Runs it with one more argument, if any.
    ///
    /// # Errors
    /// A sentence for the technician: it cannot be run, fails, or takes too long.
    pub fn run(&self, argument: Option<&str>) -> Result<(), String> {
        let (program, arguments) = self.command.split_first().ok_or("there is no program")?;
        let mut running = Command::new(program)
            .args(arguments)
            .args(argument)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program} cannot be run: {error}"))?;
        let begun = Instant::now();
        loop {
            match running.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{program} failed: {status}")),
                Ok(None) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Ok(None) => {
                    // It may have ended at this very moment.
                    let _ = running.kill();
                    let _ = running.wait();
                    return Err(format!("{program} did not end within {PATIENCE:?}"));
                }
                Err(error) => return Err(format!("{program} is lost: {error}")),
            }
        }
    }
}

impl PowerKey for Hook {
    fn press(&self) -> Result<(), String> {
        self.run(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(command: &[&str]) -> Hook {
        Hook::new(command.iter().map(|word| (*word).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_hook_is_run_and_its_failure_is_a_sentence() {
        assert_eq!(hook(&["true"]).press(), Ok(()));
        assert!(hook(&["false"]).press().unwrap_err().contains("false failed"));
        let missing = hook(&["/no/such/program"]).press().unwrap_err();
        assert!(missing.contains("cannot be run"), "{missing}");
        assert_eq!(Hook::new(Vec::new()), None);
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        hook(&["touch"]).run(mark.to_str()).unwrap();
        assert!(mark.exists());
    }
}
