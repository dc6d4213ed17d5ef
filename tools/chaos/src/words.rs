//! Texts that say whose they are: every part of a question or an answer holds
//! the message's serial number in letters, as in `<bcde>`.
//!
//! Letters, because the spool's `Machines` takes all numbers for the same word.

/// A message by its number in the run, counted from 0.
pub type Serial = u32;

/// The longest serial number in letters, with its brackets.
const LONGEST: usize = 8;

/// A serial number as it stands in texts.
pub(crate) fn token(serial: Serial) -> String {
    let mut letters = String::new();
    let mut rest = serial;
    while rest > 0 || letters.len() < 4 {
        letters.insert(0, char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    format!("<{letters}>")
}

/// The serial number that a text holds whole, if any.
pub(crate) fn serial(text: &str) -> Option<Serial> {
    text.split('<').skip(1).find_map(|rest| {
        let (letters, _) = rest.split_once('>')?;
        let fits = (4..=LONGEST - 2).contains(&letters.len())
            && letters.bytes().all(|b| b.is_ascii_lowercase());
        fits.then(|| letters.bytes().fold(0, |number, b| number * 26 + Serial::from(b - b'a')))
    })
}

/// A question that needs so many parts in the alphabet of its letters, and that
/// the answerer answers.
pub fn question(serial: Serial, parts: usize, ucs2: bool) -> String {
    let (sentence, part) = match ucs2 {
        true => (format!("Ŵana bwanji {} ", token(serial)), 66),
        false => (format!("how is the {} ", token(serial)), 152),
    };
    repeated(&sentence, (parts - 1) * part + 45)
}

/// An answer that needs so many parts.
pub(crate) fn answer(serial: Serial, parts: usize, ucs2: bool) -> String {
    // More than eight words in all, so that a bounce of it is known as an echo.
    let (sentence, part) = match ucs2 {
        true => (format!("Ŵiritsani {} madzi ", token(serial)), 67),
        false => {
            (format!("boil the water for one minute, let it cool {} down. ", token(serial)), 153)
        }
    };
    let beyond = if ucs2 { 50 } else { 110 };
    repeated(&sentence, (parts - 1) * part + beyond)
}

fn repeated(sentence: &str, length: usize) -> String {
    sentence.chars().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_read_from_any_part_that_holds_it_whole() {
        for number in [0, 25, 26, 99_999, 456_975, 456_976, 11_881_375] {
            assert_eq!(serial(&token(number)), Some(number));
        }
        assert_eq!(serial("de> how is the <aabd> how"), Some(29));
        assert_eq!(serial("how is <aab"), None);
        assert_eq!(serial("<AAAA> <abc> <>"), None);
    }

    #[test]
    fn texts_fill_the_parts_that_were_asked_for() {
        use jibu_gsm::{Layout, parts_needed};
        for (parts, ucs2) in [(1, false), (3, false), (1, true), (4, true)] {
            for text in [question(9, parts, ucs2), answer(9, parts, ucs2)] {
                assert_eq!(parts_needed(&text, Layout::default()), parts, "{text}");
            }
        }
    }
}
