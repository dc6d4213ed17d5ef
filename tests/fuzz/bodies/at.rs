//! What a modem's serial line may carry: the AT dialogue.

use std::time::Duration;

use jibu_at::dialogue::{Dialogue, Input, Output, Request};
use jibu_types::Timestamp;

/// The bytes mean the same in one piece and in many, and a request ends.
pub(crate) fn check(data: &[u8]) {
    let [choice, bytes @ ..] = data else { return };
    let whole = said(*choice, [bytes]);
    let pieces = said(*choice, bytes.chunks(1 + usize::from(choice % 7)));
    assert_eq!(whole, pieces);
}

fn said<'a>(choice: u8, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Output> {
    let now = Timestamp::from_unix_seconds(1_795_000_000);
    let mut dialogue = Dialogue::new();
    let mut outputs = Vec::new();
    dialogue.handle(Input::Ask(request(choice)), now);
    outputs.extend(std::iter::from_fn(|| dialogue.poll()));
    for piece in pieces {
        dialogue.handle(Input::Bytes(piece), now);
        outputs.extend(std::iter::from_fn(|| dialogue.poll()));
    }
    if let Some(deadline) = dialogue.deadline() {
        dialogue.handle(Input::Tick, deadline);
        outputs.extend(std::iter::from_fn(|| dialogue.poll()));
    }
    assert!(!dialogue.is_busy(), "a request outlives its deadline");
    outputs
}

fn request(choice: u8) -> Request {
    let timeout = Duration::from_secs(5);
    match choice / 7 % 6 {
        0 => Request::plain("AT+CMGF=0", timeout),
        1 => Request::lines("AT+CSQ", "+CSQ:", timeout),
        2 => Request::proof("AT+CPIN?", "+CPIN:", timeout),
        3 => Request::pdus("AT+CMGL=4", "+CMGL:", timeout),
        4 => Request::text("AT+CGMM", "+CGMM:", timeout),
        _ => Request::lines("AT+CMGS=13", "+CMGS:", timeout).with_pdu(&[0, 1, 2], timeout),
    }
}
