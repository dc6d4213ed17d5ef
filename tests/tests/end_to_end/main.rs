//! The real programs together: SMS in, answer out; bad input; cuts of power;
//! the kiosk in a browser; a USSD gateway. `cargo xtask test --skip end-to-end` leaves them out.

#![allow(clippy::unwrap_used, reason = "a stage that falls down should fall loudly")]
#![allow(clippy::print_stdout, reason = "a seeded run says its seed")]

mod e2e_answers;
mod e2e_bad_input;
mod e2e_check;
mod e2e_hub;
mod e2e_kiosk;
mod e2e_power;
mod e2e_sms;
mod e2e_sync;
mod e2e_ussd;
mod e2e_ussd_modem;

use std::path::PathBuf;
use std::time::Duration;

use jibu_tests::{Stage, root};

/// As long as an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A few documents of the starter collection: quick to embed.
fn documents() -> PathBuf {
    root().join("tools/hub/starter/health/en")
}

/// A stage whose site has the documents and waits for its modem.
fn stage() -> Stage {
    let stage = Stage::new(None).unwrap();
    let bundle = stage.bundle("health", &documents()).unwrap();
    stage.configure("").unwrap();
    stage.import(&bundle).unwrap();
    stage
}
