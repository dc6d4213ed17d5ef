//! What a hub or a USB stick may hold: bundles, roots, manifests, segments.

/// The first byte chooses the decoder; whatever the rest, it returns.
pub(crate) fn check(data: &[u8]) {
    jibu_sync::fuzz_decoders(data);
}
