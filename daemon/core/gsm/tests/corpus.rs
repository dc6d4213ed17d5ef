//! The inputs that the fuzzer's targets are given (`tests/fuzz/corpus`), as an
//! ordinary test: each goes through the body of its target.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its inputs from files")]

#[path = "../../../../tests/fuzz/bodies/alphabets.rs"]
mod alphabets;
#[path = "../../../../tests/fuzz/bodies/assemble.rs"]
mod assemble;
#[path = "../../../../tests/fuzz/bodies/cusd.rs"]
mod cusd;
#[path = "../../../../tests/fuzz/bodies/describe.rs"]
mod describe;
#[path = "../../../../tests/fuzz/bodies/pdu.rs"]
mod pdu;

#[path = "../../../../tests/fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn saved_inputs_pass_their_targets() {
    replay("alphabets", alphabets::check);
    replay("assemble", assemble::check);
    replay("cusd", cusd::check);
    replay("describe", describe::check);
    replay("pdu", pdu::check);
}
