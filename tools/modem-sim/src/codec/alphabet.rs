//! The GSM 7 bit alphabet (TS 23.038 §6.2.1): characters, shifts and packing.

use super::national;

const ESCAPE: u8 = 0x1b;

/// The default alphabet, code by code; 0x1b is the escape.
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// Which national tables a message's header asked for (TS 23.040 §9.2.3.24.15);
/// 0 is the default table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shifts {
    /// The language whose table replaces the default alphabet.
    pub locking: u8,
    /// The language whose table replaces the extension table.
    pub single: u8,
}

/// The text that a row of septets spells.
///
/// A code without a character is shown as §6.2.1 asks: after an escape, as the
/// character of the unshifted table; otherwise as a space.
pub fn decode(septets: &[u8], shifts: Shifts) -> String {
    let locking = national::locking(shifts.locking);
    let single = national::single(shifts.single).unwrap_or(national::EXTENSION);
    let plain = |code: u8| match locking {
        Some(table) => national::look_up(table, code).unwrap_or(' '),
        None => DEFAULT.get(usize::from(code)).copied().unwrap_or(' '),
    };
    let mut text = String::with_capacity(septets.len());
    let mut rest = septets.iter().copied();
    while let Some(code) = rest.next() {
        if code != ESCAPE {
            text.push(plain(code));
            continue;
        }
        match rest.next() {
            // Its other half is in the next part of the message.
            None => {}
            // A second escape is reserved for another table; none exists.
            Some(ESCAPE) => text.push(' '),
            Some(shifted) => {
                text.push(national::look_up(single, shifted).unwrap_or_else(|| plain(shifted)));
            }
        }
    }
    text
}

/// The septets of one character: one, two with the escape, or none when the
/// default alphabet lacks it.
pub fn septets_of(character: char) -> Option<Vec<u8>> {
    if character != '\u{1b}'
        && let Some(code) = DEFAULT.iter().position(|c| *c == character)
    {
        return Some(vec![u8::try_from(code).ok()?]);
    }
    (0..128)
        .find(|code| national::look_up(national::EXTENSION, *code) == Some(character))
        .map(|code| vec![ESCAPE, code])
}

/// The septets of a text, or `None` when the default alphabet cannot spell it.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(septets_of).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
}

/// Packs septets into octets after `fill` zero bits (TS 23.038 §6.1.2.1).
pub fn pack(septets: &[u8], fill: usize) -> Vec<u8> {
    let mut octets = vec![0_u8; (fill + septets.len() * 7).div_ceil(8)];
    for (index, septet) in septets.iter().enumerate() {
        for bit in 0..7 {
            let position = fill + index * 7 + bit;
            if septet >> bit & 1 == 1
                && let Some(octet) = octets.get_mut(position / 8)
            {
                *octet |= 1 << (position % 8);
            }
        }
    }
    octets
}

/// Unpacks `count` septets after `fill` bits; `None` when the octets end early.
pub fn unpack(octets: &[u8], fill: usize, count: usize) -> Option<Vec<u8>> {
    (0..count)
        .map(|index| {
            (0..7).try_fold(0_u8, |septet, bit| {
                let position = fill + index * 7 + bit;
                let octet = octets.get(position / 8)?;
                Some(septet | (octet >> (position % 8) & 1) << bit)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_packs_as_in_every_textbook() {
        let septets = encode("hellohello").expect("plain letters");
        assert_eq!(hex::encode_upper(pack(&septets, 0)), "E8329BFD4697D9EC37");
    }

    #[test]
    fn what_is_packed_is_unpacked_at_every_fill() {
        let septets: Vec<u8> = (0..128).collect();
        for fill in 0..7 {
            for count in 0..128 {
                let packed = pack(&septets[..count], fill);
                assert_eq!(unpack(&packed, fill, count).as_deref(), Some(&septets[..count]));
                assert_eq!(unpack(&packed, fill, count + 2), None, "fill {fill}, count {count}");
            }
        }
    }

    #[test]
    fn every_character_of_the_default_alphabet_comes_back() {
        let text: String =
            DEFAULT.iter().filter(|c| **c != '\u{1b}').chain(&['€', '[', '\u{c}']).collect();
        let septets = encode(&text).expect("all of them are in the alphabet");
        assert_eq!(decode(&septets, Shifts::default()), text);
    }

    #[test]
    fn an_unassigned_escape_falls_back_to_the_unshifted_character() {
        assert_eq!(decode(&[0x1b, 0x41, 0x1b, 0x1b, 0x42, 0x1b], Shifts::default()), "A B");
    }

    #[test]
    fn the_alphabet_has_no_greek_small_letters() {
        assert_eq!(encode("α"), None);
    }
}
