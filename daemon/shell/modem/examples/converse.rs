//! One message out, one message in, with whatever modem is on a port:
//! `cargo run -p jibu-modem --example converse -- PORT NUMBER TEXT`.
//!
//! Prints a line for each thing that the modem told, without what people wrote,
//! and ends when the message is sent and another one was received and erased, or
//! with status 1 after 30 seconds without that. `tests/third-party` runs it against
//! modems that others recorded.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::time::Duration;

use jibu_gsm::{Address, SubmitOptions, submit_parts};
use jibu_modem::{Command, Config, Event, spawn};
use jibu_types::PhoneNumber;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(port), Some(number), Some(text)) = (words.next(), words.next(), words.next()) else {
        eprintln!("converse PORT NUMBER TEXT");
        return ExitCode::from(2);
    };
    let Ok(number) = PhoneNumber::parse(&number) else {
        eprintln!("{number:?} is no number (an example: +265991234567)");
        return ExitCode::from(2);
    };
    let parts = submit_parts(&Address::from(&number), &text, &SubmitOptions::default());
    let Some(part) = parts.ok().and_then(|parts| parts.into_iter().next()) else {
        eprintln!("the text cannot be encoded");
        return ExitCode::from(2);
    };
    match tokio::time::timeout(PATIENCE, converse(port, part.pdu)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => {
            eprintln!("not done after {} s", PATIENCE.as_secs());
            ExitCode::FAILURE
        }
    }
}

async fn converse(port: String, pdu: Vec<u8>) {
    let mut config = Config::new("recorded", port);
    // Only this port is meant.
    config.search_in = Vec::new();
    let mut modem = spawn(config);
    let (mut is_sent, mut is_received) = (false, false);
    while let Some(event) = modem.events.recv().await {
        println!("{event:?}");
        let command = match event {
            Event::Ready { session, .. } if !is_sent => {
                Command::Send { id: 1, session, pdu: pdu.clone() }
            }
            Event::Incoming { held, .. } => Command::Erase { held },
            Event::Sent { slot, .. } => {
                is_sent = true;
                match slot {
                    Some(slot) => Command::Forget { slot },
                    None => Command::Status,
                }
            }
            Event::Erased { .. } => {
                is_received = true;
                Command::Status
            }
            _ => continue,
        };
        if is_sent && is_received || modem.commands.send(command).await.is_err() {
            return;
        }
    }
}
