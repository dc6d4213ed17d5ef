#![no_main]

#[path = "../bodies/alphabets.rs"]
mod alphabets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| alphabets::check(data));
