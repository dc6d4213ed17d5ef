//! RFC 4648 §6 base32 in lower case without padding, with a checksum: how keys
//! are written where a person may have to read them out or type them.

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Bytes of checksum: with 32 bytes of key they fill 56 letters exactly.
const CHECK_BYTES: usize = 3;

/// `prefix` and 32 bytes with their checksum as letters.
pub(crate) fn write(prefix: &str, key: &[u8; 32]) -> String {
    format!("{prefix}{}", encode(&[key.as_slice(), &check(prefix, key)].concat()))
}

/// The 32 bytes, when `text` begins with `prefix`, holds 56 letters more and
/// its checksum fits. Case does not matter.
pub(crate) fn read(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let text = text.trim().to_ascii_lowercase();
    let bytes = decode(text.strip_prefix(prefix)?)?;
    let (key, sum) = bytes.split_at_checked(32)?;
    let key: [u8; 32] = key.try_into().ok()?;
    (sum == check(prefix, &key)).then_some(key)
}

/// Letters for bytes, the first bits of each first; the last letter is filled
/// up with zeros.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut width) = (0u32, 0);
    let mut push = |value: u32| text.push(char::from(ALPHABET[(value & 31) as usize]));
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        width += 8;
        while width >= 5 {
            width -= 5;
            push(bits >> width);
        }
        bits &= (1 << width) - 1;
    }
    if width > 0 {
        push(bits << (5 - width));
    }
    text
}

/// The bytes of lower-case letters that fill them exactly.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut width) = (0u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|a| *a == letter)?;
        bits = bits << 5 | value as u32;
        width += 5;
        if width >= 8 {
            width -= 8;
            bytes.push((bits >> width) as u8);
            bits &= (1 << width) - 1;
        }
    }
    (width == 0).then_some(bytes)
}

fn check(prefix: &str, key: &[u8; 32]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prefix.as_bytes()).update(key);
    let mut sum = [0; CHECK_BYTES];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let key = std::array::from_fn(|i| (i * 37) as u8);
        let text = write("hub-", &key);
        assert_eq!(text.len(), 4 + 56);
        assert_eq!(read("hub-", &text), Some(key));
        assert_eq!(read("hub-", &format!(" {} \n", text.to_uppercase())), Some(key));
        assert_eq!(read("site-", &text), None);
    }

    #[test]
    fn a_mistyped_letter_is_noticed() {
        let text = write("hub-", &[9; 32]);
        for place in 4..text.len() {
            let mut typed = text.clone().into_bytes();
            typed[place] = if typed[place] == b'x' { b'y' } else { b'x' };
            assert_eq!(read("hub-", &String::from_utf8(typed).unwrap()), None, "letter {place}");
        }
        assert_eq!(read("hub-", &text[..text.len() - 1]), None);
        assert_eq!(read("hub-", &format!("{text}a")), None);
        assert_eq!(read("hub-", "hub-"), None);
    }
}
