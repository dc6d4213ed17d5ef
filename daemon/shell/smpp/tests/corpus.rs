//! The saved inputs of the fuzz target run as an ordinary test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken promise should fail loudly")]

#[path = "../../../../tests/fuzz/replay.rs"]
mod replay;
#[path = "../../../../tests/fuzz/bodies/smpp.rs"]
mod smpp;

#[test]
fn streams_of_an_smsc() {
    replay::replay("smpp", smpp::check);
}
