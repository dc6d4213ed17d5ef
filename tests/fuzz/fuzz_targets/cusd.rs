#![no_main]

#[path = "../bodies/cusd.rs"]
mod cusd;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cusd::check(data));
