#![no_main]

#[path = "../bodies/pdu.rs"]
mod pdu;

libfuzzer_sys::fuzz_target!(|data: &[u8]| pdu::check(data));
