#![no_main]

#[path = "../bodies/at.rs"]
mod at;

libfuzzer_sys::fuzz_target!(|data: &[u8]| at::check(data));
