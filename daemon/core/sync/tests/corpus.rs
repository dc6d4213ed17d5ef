//! The inputs that the fuzzer's target is given (`tests/fuzz/corpus`), as an
//! ordinary test.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its inputs from files")]

#[path = "../../../../tests/fuzz/bodies/bundle.rs"]
mod bundle;
#[path = "../../../../tests/fuzz/replay.rs"]
mod replay;
#[path = "../../../../tests/fuzz/bodies/wire.rs"]
mod wire;

#[test]
fn saved_inputs_pass_their_target() {
    replay::replay("bundle", bundle::check);
    replay::replay("wire", wire::check);
}
