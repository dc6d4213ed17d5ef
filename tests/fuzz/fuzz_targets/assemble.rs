#![no_main]

#[path = "../bodies/assemble.rs"]
mod assemble;

libfuzzer_sys::fuzz_target!(|data: &[u8]| assemble::check(data));
