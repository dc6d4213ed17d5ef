//! One door to every decoder of this crate, for fuzzing: a fuzzer cannot sign
//! or hash its way through a bundle to reach what lies inside.

use crate::enrol::Grant;
use crate::pack::{unpack, unpack_on};
use crate::{
    Hash, HubKey, MAX_RAW_BYTES, Packing, SignedRoot, bundle, command, manifest, root, segment,
};

/// Lets the decoder that the first byte chooses read the rest. Whatever the
/// bytes, it returns, and in bounded memory.
#[doc(hidden)]
pub fn fuzz_decoders(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let key = HubKey::from_random([1; 32]);
    match choice % 9 {
        0 => {
            if let Ok(bundle) = bundle::read(&sealed(bytes), &key.public()) {
                bundle.passages().for_each(drop);
            }
        }
        1 => drop(SignedRoot::verify(bytes, &key.public())),
        2 => drop(root::Root::from_payload(bytes)),
        3 => drop(manifest::decode(bytes)),
        4 => drop(segment::decode(bytes)),
        5 => drop(segment::decode_golden(bytes)),
        6 => {
            // Behind a seal or a signature.
            drop(Grant::decode(5, bytes));
            drop(command::decode(bytes));
        }
        7 => drop(unpack_on(b"a base", bytes, Hash::of(b""), MAX_RAW_BYTES)),
        _ => drop(unpack(Packing::Zstd, bytes, Hash::of(b""), MAX_RAW_BYTES, None)),
    }
}

/// The bytes as a bundle's header and content with the length and checksum
/// that fit them.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    let total = (file.len() + 32) as u64;
    if let Some(length) = file.get_mut(12..20) {
        length.copy_from_slice(&total.to_be_bytes());
    }
    let checksum = Hash::of(&file);
    file.extend(checksum.as_bytes());
    file
}
