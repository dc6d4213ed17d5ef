#![no_main]

#[path = "../bodies/smpp.rs"]
mod smpp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| smpp::check(data));
