//! Outgoing text: the cheapest alphabet, the cut into parts, the PDUs.

use std::fmt;

use crate::alphabet::{self, NationalLanguage, Presence, Shift};
use crate::user_data::{MAX_OCTETS, MAX_SEPTETS, septets_of_header};
use crate::{
    Address, Alphabet, Body, Class, Concat, ConcatReference, DataCoding, Element, EncodeError, Pdu,
    Submit, Tpdu, UserData, UserDataHeader, ValidityPeriod,
};

/// Which national language tables may be used. Phones from before about 2010
/// and many cheap ones show a text with them as garbage, so the default is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Shifts {
    /// None: the default alphabet or UCS-2.
    #[default]
    None,
    /// Single and locking tables of one language.
    Only(NationalLanguage),
    /// Single shift tables of any language: what an old phone cannot read is
    /// then a few letters, not the whole text.
    Single,
    /// Every table, alone or two together.
    All,
}

/// How a text may be laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Layout {
    /// The tables that may be used.
    pub shifts: Shifts,
    /// Whether parts are tied by a reference of 16 bits instead of 8, which
    /// costs an octet a part.
    pub long_reference: bool,
}

/// The alphabet of an outgoing text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// GSM 7-bit with the given tables: 160 characters, or 153 a part.
    Gsm7(Shift),
    /// UTF-16: 70 code units, or 67 a part.
    Ucs2,
}

/// A text cut into the fewest parts, and what that costs. `Debug` shows no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The alphabet.
    pub encoding: Encoding,
    /// The parts; put together they are the text.
    pub parts: Vec<&'a str>,
    /// What the whole text takes, in septets or UTF-16 code units.
    pub units: usize,
    /// How many units a part holds, given how many parts there are.
    pub units_per_part: usize,
}

impl fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { encoding, parts, units, units_per_part } = self;
        write!(f, "{units} units of {encoding:?} in {} × {units_per_part}", parts.len())
    }
}

impl<'a> Plan<'a> {
    /// Chooses the alphabet and cuts.
    ///
    /// A text that the default alphabet has goes in it. Otherwise the fewest
    /// parts win; where UCS-2 needs no more than national tables do, it is
    /// chosen, because every phone reads it. No character is lost.
    ///
    /// No cut falls inside a character. Where it costs no further part, cuts
    /// fall beside a space, so that words and numbers stay whole.
    pub fn new(text: &'a str, layout: Layout) -> Self {
        let found: Vec<Presence> = text.chars().map(Presence::of).collect();
        if let Some(costs) = septets(&found, Shift::NONE) {
            return cut(text, Encoding::Gsm7(Shift::NONE), layout, &costs);
        }
        let ucs2: Vec<usize> = text.chars().map(char::len_utf16).collect();
        let mut cheapest = Price::of(ucs2.iter().copied(), Encoding::Ucs2, layout);
        let mut best = None;
        // Of equals the first is kept, and the simplest candidates come first.
        for shift in candidates(layout.shifts) {
            let Some(costs) = septets(&found, shift) else { continue };
            let price = Price::of(costs.iter().copied(), Encoding::Gsm7(shift), layout);
            if price < cheapest {
                cheapest = price;
                best = Some((Encoding::Gsm7(shift), costs));
            }
        }
        let (encoding, costs) = best.unwrap_or((Encoding::Ucs2, ucs2));
        cut(text, encoding, layout, &costs)
    }
}

/// How many messages a text costs.
pub fn parts_needed(text: &str, layout: Layout) -> usize {
    Plan::new(text, layout).parts.len()
}

/// The text's parts, as they would be sent.
pub fn split(text: &str, layout: Layout) -> Vec<&str> {
    Plan::new(text, layout).parts
}

/// The tables to try beside the default alphabet, one before two.
fn candidates(shifts: Shifts) -> Vec<Shift> {
    let all = NationalLanguage::ALL.as_slice();
    let (locking, single) = match &shifts {
        Shifts::None => (&[][..], &[][..]),
        Shifts::Only(language) => (std::slice::from_ref(language), std::slice::from_ref(language)),
        Shifts::Single => (&[][..], all),
        Shifts::All => (all, all),
    };
    let locking = locking.iter().copied().filter(|language| language.has_locking()).map(Some);
    let single = single.iter().copied().map(Some);
    let both = locking
        .clone()
        .flat_map(|locking| single.clone().map(move |single| Shift { locking, single }));
    (single.clone().map(|single| Shift { locking: None, single }))
        .chain(locking.clone().map(|locking| Shift { locking, single: None }))
        .chain(both)
        .collect()
}

/// The septets of each character; `None` when the tables lack one.
fn septets(found: &[Presence], shift: Shift) -> Option<Vec<usize>> {
    found.iter().map(|found| found.septets(shift)).collect()
}

/// What the choice goes by, in this order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Price {
    parts: usize,
    /// Fewer phones read a text with national tables than one in UCS-2.
    national: bool,
    /// Septets, a table's element in the header included.
    units: usize,
}

impl Price {
    fn of(costs: impl Iterator<Item = usize>, encoding: Encoding, layout: Layout) -> Self {
        let capacity = encoding.capacity(Some(layout));
        let (mut total, mut parts, mut used) = (0, 1, 0);
        for cost in costs {
            total += cost;
            used += cost;
            if used > capacity {
                parts += 1;
                used = cost;
            }
        }
        Price {
            parts: if total <= encoding.capacity(None) { 1 } else { parts },
            national: encoding.tables() > 0,
            units: total + 4 * encoding.tables(),
        }
    }
}

/// Cuts a text whose characters cost so many units each.
fn cut<'a>(text: &'a str, encoding: Encoding, layout: Layout, costs: &[usize]) -> Plan<'a> {
    let units = costs.iter().sum();
    let alone = encoding.capacity(None);
    if units <= alone {
        return Plan { encoding, parts: vec![text], units, units_per_part: alone };
    }
    let capacity = encoding.capacity(Some(layout));
    let ends = ends(costs, capacity);
    // How many parts are needed from each character on.
    let mut needed = vec![0usize; costs.len() + 1];
    for (at, end) in ends.iter().enumerate().rev() {
        needed[at] = 1 + needed[*end];
    }
    let starts: Vec<usize> =
        text.char_indices().map(|(start, _)| start).chain([text.len()]).collect();
    let borders = borders(text);

    let mut parts = Vec::with_capacity(needed[0]);
    let mut at = 0;
    while let Some(hard) = ends.get(at).copied() {
        // The latest border is the likeliest to leave the number of parts as it
        // is, so it is the only one worth a look.
        let border = (at + 1..=hard).rev().find(|place| borders[*place]);
        let end = border.filter(|border| needed[*border] < needed[at]).unwrap_or(hard);
        parts.push(&text[starts[at]..starts[end]]);
        at = end;
    }
    Plan { encoding, parts, units, units_per_part: capacity }
}

/// For each character, the first one that does not fit the part it begins.
fn ends(costs: &[usize], capacity: usize) -> Vec<usize> {
    let mut ends = Vec::with_capacity(costs.len());
    let (mut end, mut used) = (0, 0);
    for cost in costs {
        while let Some(next) = costs.get(end).filter(|next| used + *next <= capacity) {
            used += next;
            end += 1;
        }
        ends.push(end);
        used -= cost;
    }
    ends
}

/// For each character and the end of the text, whether a word begins or ends there.
fn borders(text: &str) -> Vec<bool> {
    let mut borders = Vec::with_capacity(text.len() + 1);
    let mut after_space = false;
    for character in text.chars() {
        borders.push(after_space || character.is_whitespace());
        after_space = character.is_whitespace();
    }
    borders.push(true);
    borders
}

impl Encoding {
    /// The units that a part holds: alone, or as one of several.
    fn capacity(self, concat: Option<Layout>) -> usize {
        let concat = match concat {
            None => 0,
            Some(Layout { long_reference: false, .. }) => 5,
            Some(Layout { long_reference: true, .. }) => 6,
        };
        let elements = concat + 3 * self.tables();
        let header = if elements == 0 { 0 } else { elements + 1 };
        match self {
            Encoding::Gsm7(_) => MAX_SEPTETS - septets_of_header(header).0,
            Encoding::Ucs2 => (MAX_OCTETS - header) / 2,
        }
    }

    fn tables(self) -> usize {
        match self {
            Encoding::Ucs2 => 0,
            Encoding::Gsm7(Shift { locking, single }) => {
                usize::from(locking.is_some()) + usize::from(single.is_some())
            }
        }
    }

    /// The alphabet that the data coding scheme names.
    pub fn alphabet(self) -> Alphabet {
        match self {
            Encoding::Gsm7(_) => Alphabet::Gsm7,
            Encoding::Ucs2 => Alphabet::Ucs2,
        }
    }

    /// A text in the encoding, with the header elements that announce its
    /// tables; `None` when it lacks a character.
    pub fn encode(self, text: &str) -> Option<UserData> {
        let Encoding::Gsm7(shift) = self else {
            return Some(UserData::plain(Body::Ucs2(alphabet::to_ucs2(text))));
        };
        let single = shift.single.map(Element::single_shift);
        let locking = shift.locking.map(Element::locking_shift);
        Some(UserData {
            header: UserDataHeader { elements: single.into_iter().chain(locking).collect() },
            body: Body::Gsm7(alphabet::to_septets(text, shift)?),
        })
    }
}

/// How a text is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmitOptions {
    /// The national language tables that may be used.
    pub shifts: Shifts,
    /// What ties the parts together; the caller gives a new one every time.
    pub concat_reference: ConcatReference,
    /// TP-MR of the first part; the others count up from it.
    pub message_reference: u8,
    /// Whether status reports are wanted.
    pub status_report: bool,
    /// How long the service centre keeps trying.
    pub validity: Option<ValidityPeriod>,
    /// The class.
    pub class: Option<Class>,
}

impl Default for SubmitOptions {
    fn default() -> Self {
        SubmitOptions {
            shifts: Shifts::None,
            concat_reference: ConcatReference::Short(0),
            message_reference: 0,
            status_report: false,
            validity: None,
            class: None,
        }
    }
}

/// One part, ready for the modem. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct SubmitPart {
    /// The octets for `AT+CMGS` or `AT+CMGW`: an empty service centre address
    /// (the SIM's own is used), then the TPDU.
    pub pdu: Vec<u8>,
    /// The length that those commands want: octets of the TPDU alone.
    pub tpdu_len: usize,
}

impl SubmitPart {
    /// The PDU in the hexadecimal digits that the modem reads.
    pub fn hex(&self) -> String {
        hex::encode_upper(&self.pdu)
    }
}

impl fmt::Debug for SubmitPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubmitPart({} octets)", self.tpdu_len)
    }
}

/// A text as the messages that carry it to a recipient.
///
/// # Errors
/// When the text needs more than 255 parts, or the recipient cannot be written.
pub fn submit(
    recipient: &Address,
    text: &str,
    options: &SubmitOptions,
) -> Result<Vec<Submit>, EncodeError> {
    let SubmitOptions { shifts, concat_reference, .. } = *options;
    let plan = Plan::new(text, Layout { shifts, long_reference: concat_reference.bits() == 16 });
    let count = plan.parts.len();
    let total = u8::try_from(count).map_err(|_| EncodeError::TooManyParts(count))?;
    let coding = DataCoding::new(plan.encoding.alphabet(), options.class);
    let mut submits = Vec::with_capacity(count);
    for (sequence, text) in (1..=total).zip(plan.parts) {
        let mut user_data = plan.encoding.encode(text).ok_or(EncodeError::Alphabet)?;
        if total > 1 {
            let concat = Concat { reference: concat_reference, total, sequence };
            user_data.header.elements.insert(0, Element::concat(concat));
        }
        submits.push(Submit {
            status_report: options.status_report,
            reference: options.message_reference.wrapping_add(sequence - 1),
            validity: options.validity,
            ..Submit::new(recipient.clone(), coding, user_data)
        });
    }
    Ok(submits)
}

/// A text as the PDUs that carry it to a recipient.
///
/// # Errors
/// As [`submit`].
pub fn submit_parts(
    recipient: &Address,
    text: &str,
    options: &SubmitOptions,
) -> Result<Vec<SubmitPart>, EncodeError> {
    let mut parts = Vec::new();
    for submit in submit(recipient, text, options)? {
        let pdu = Pdu { service_centre: None, tpdu: Tpdu::Submit(submit) }.encode()?;
        parts.push(SubmitPart { tpdu_len: pdu.len() - 1, pdu });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// The cost of a text without and with national tables.
    fn check_cost(text: &str, expected: Expect) {
        let cost =
            |shifts| format!("{:?}", Plan::new(text, Layout { shifts, long_reference: false }));
        let (none, all) = (cost(Shifts::None), cost(Shifts::All));
        expected.assert_eq(&if none == all { none } else { format!("{none}\n{all}") });
    }

    #[test]
    fn a_text_costs_what_its_dearest_letter_costs() {
        check_cost(
            "",
            expect!["0 units of Gsm7(Shift { locking: None, single: None }) in 1 × 160"],
        );
        check_cost(
            "Maji safi ni nini?",
            expect!["18 units of Gsm7(Shift { locking: None, single: None }) in 1 × 160"],
        );
        check_cost(
            &"Maji safi? ".repeat(15),
            expect!["165 units of Gsm7(Shift { locking: None, single: None }) in 2 × 153"],
        );
        check_cost(
            "10 € {a}",
            expect!["11 units of Gsm7(Shift { locking: None, single: None }) in 1 × 160"],
        );
        check_cost(&"Ndalama zimene ŵanthu ".repeat(5), expect!["110 units of Ucs2 in 2 × 67"]);
        check_cost(
            &"günaydın şimdi ".repeat(5),
            expect![[r#"
            75 units of Ucs2 in 2 × 67
            75 units of Gsm7(Shift { locking: Some(Turkish), single: None }) in 1 × 155"#]],
        );
        check_cost(
            &"नमस्ते दुनिया ".repeat(6),
            expect![[r#"
            84 units of Ucs2 in 2 × 67
            84 units of Gsm7(Shift { locking: Some(Hindi), single: None }) in 1 × 155"#]],
        );
    }

    /// The parts of a text, in a layout whose parts are long enough to be real
    /// and shown by their ends.
    fn check_cut(text: &str, expected: Expect) {
        let ends = |part: &&str| {
            let letters: Vec<char> = part.chars().collect();
            let head: String = letters.iter().take(6).collect();
            let tail: String = letters[letters.len().saturating_sub(9)..].iter().collect();
            format!("{head:?}…{tail:?} {}\n", letters.len())
        };
        expected.assert_eq(&split(text, Layout::default()).iter().map(ends).collect::<String>());
    }

    #[test]
    fn words_and_numbers_stay_whole_where_that_is_free() {
        check_cut(
            &"Call the clinic on +265991000042 before noon. ".repeat(4),
            expect![[r#"
                "Call t"…"he clinic" 153
                " on +2"…"re noon. " 31
            "#]],
        );
    }

    #[test]
    fn a_word_is_cut_before_a_part_is_added() {
        check_cut(
            &"0123456789".repeat(30),
            expect![[r#"
                "012345"…"456789012" 153
                "345678"…"123456789" 147
            "#]],
        );
        check_cut(
            &format!("{} {}", "a".repeat(140), "b".repeat(165)),
            expect![[r#"
                "aaaaaa"…"bbbbbbbbb" 153
                "bbbbbb"…"bbbbbbbbb" 153
            "#]],
        );
    }

    #[test]
    fn no_cut_falls_inside_a_character() {
        check_cut(
            &format!("{}{}", "x".repeat(152), "€".repeat(20)),
            expect![[r#"
                "xxxxxx"…"xxxxxxxxx" 152
                "€€€€€€"…"€€€€€€€€€" 20
            "#]],
        );
        check_cut(
            &format!("{}{}", "x".repeat(66), "😀".repeat(20)),
            expect![[r#"
                "xxxxxx"…"xxxxxxxxx" 66
                "😀😀😀😀😀😀"…"😀😀😀😀😀😀😀😀😀" 20
            "#]],
        );
    }

    fn recipient() -> Address {
        Address::from(&jibu_types::PhoneNumber::parse("+265991000042").unwrap())
    }

    #[test]
    fn parts_are_numbered_and_count_up() {
        let options = SubmitOptions {
            concat_reference: ConcatReference::Long(0x1234),
            message_reference: 255,
            status_report: true,
            class: Some(Class::Phone),
            validity: Some(ValidityPeriod::Relative(167)),
            ..SubmitOptions::default()
        };
        let heads: Vec<String> = submit_parts(&recipient(), &"word ".repeat(50), &options)
            .unwrap()
            .iter()
            .map(|part| format!("{} {}", part.tpdu_len, &part.hex()[..50]))
            .collect();
        expect![[r#"
            153 0071FF0C916295190000240011A79E06080412340201F7B79C
            109 0071000C916295190000240011A76C06080412340202F7B79C"#]]
        .assert_eq(&heads.join("\n"));
    }

    #[test]
    fn more_parts_than_can_be_numbered_are_refused() {
        let text = "word ".repeat(8000);
        let refused = submit(&recipient(), &text, &SubmitOptions::default()).unwrap_err();
        expect!["the text needs 262 parts; 255 are the most that one message can have"]
            .assert_eq(&refused.to_string());
    }

    #[test]
    fn nothing_of_a_text_is_shown_for_debugging() {
        let plan = Plan::new("Where is the clinic?", Layout::default());
        let part = submit_parts(&recipient(), "Where?", &SubmitOptions::default()).unwrap();
        let shown = format!("{plan:?} {part:?}");
        assert!(!shown.contains("here") && !shown.contains("2659"), "{shown}");
    }
}
