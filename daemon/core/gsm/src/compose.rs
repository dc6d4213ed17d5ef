//! Outgoing text: the cheapest alphabet, the cut into parts, the PDUs.

use std::fmt;

use crate::alphabet::{self, Codes, NationalLanguage, Shift};
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
        if let Some(default) = Measured::new(text, Encoding::Gsm7(Shift::NONE), layout) {
            return default.cut(text);
        }
        // Of equals the first is kept, and the simplest candidates come first.
        let mut best = Measured::in_ucs2(text, layout);
        for shift in candidates(layout.shifts) {
            match Measured::new(text, Encoding::Gsm7(shift), layout) {
                Some(measured) if measured.cost() < best.cost() => best = measured,
                _ => {}
            }
        }
        best.cut(text)
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

/// A text measured in one encoding.
struct Measured {
    encoding: Encoding,
    /// Where each character begins, and at last where the text ends.
    starts: Vec<usize>,
    /// Whether a word ends or begins there.
    borders: Vec<bool>,
    /// The units up to each start.
    units: Vec<usize>,
    capacity: usize,
    /// The first character that does not fit the part that begins at each one.
    ends: Vec<usize>,
    /// How many parts are needed from each character on.
    parts: Vec<usize>,
}

impl Measured {
    /// `None` when the encoding lacks a character of the text.
    fn new(text: &str, encoding: Encoding, layout: Layout) -> Option<Self> {
        let cost = |character: char| match encoding {
            Encoding::Ucs2 => Some(character.len_utf16()),
            Encoding::Gsm7(shift) => match alphabet::codes(character, shift)? {
                Codes::One(_) => Some(1),
                Codes::Escaped(_) => Some(2),
            },
        };
        let mut costs = Vec::with_capacity(text.len());
        for character in text.chars() {
            costs.push(cost(character)?);
        }
        Some(Self::of(text, encoding, layout, &costs))
    }

    fn in_ucs2(text: &str, layout: Layout) -> Self {
        let costs: Vec<usize> = text.chars().map(char::len_utf16).collect();
        Self::of(text, Encoding::Ucs2, layout, &costs)
    }

    fn of(text: &str, encoding: Encoding, layout: Layout, costs: &[usize]) -> Self {
        let mut units = vec![0];
        let mut total = 0;
        for cost in costs {
            total += cost;
            units.push(total);
        }
        let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        starts.push(text.len());
        let mut borders = Vec::with_capacity(starts.len());
        let mut after_space = false;
        for character in text.chars() {
            borders.push(after_space || character.is_whitespace());
            after_space = character.is_whitespace();
        }
        borders.push(true);

        let whole = encoding.capacity(None);
        let capacity = if total <= whole { whole } else { encoding.capacity(Some(layout)) };
        let mut ends = Vec::with_capacity(costs.len());
        let mut end = 0;
        for used in units.iter().take(costs.len()) {
            while units.get(end + 1).is_some_and(|units| units - used <= capacity) {
                end += 1;
            }
            ends.push(end);
        }
        let mut parts = vec![0; costs.len() + 1];
        for (at, end) in ends.iter().enumerate().rev() {
            parts[at] = 1 + parts[*end];
        }
        Measured { encoding, starts, borders, units, capacity, ends, parts }
    }

    /// At least one: an empty text is a message, too.
    fn count(&self) -> usize {
        self.parts.first().copied().unwrap_or(0).max(1)
    }

    /// What the choice goes by: parts, then how widely phones read it.
    fn cost(&self) -> (usize, bool, usize) {
        let national = matches!(self.encoding, Encoding::Gsm7(shift) if shift != Shift::NONE);
        (
            self.count(),
            national,
            self.units.last().copied().unwrap_or(0) + 3 * self.encoding.tables(),
        )
    }

    fn cut<'a>(&self, text: &'a str) -> Plan<'a> {
        let mut parts = Vec::with_capacity(self.count());
        let mut at = 0;
        while let Some(hard) = self.ends.get(at).copied() {
            let left = self.parts[at];
            // The latest border is the likeliest to leave the number of parts
            // as it is, so it is the only one worth a look.
            let border = (at + 1..=hard).rev().find(|place| self.borders[*place]);
            let end = border.filter(|border| 1 + self.parts[*border] <= left).unwrap_or(hard);
            parts.push(&text[self.starts[at]..self.starts[end]]);
            at = end;
        }
        if parts.is_empty() {
            parts.push(text);
        }
        Plan {
            encoding: self.encoding,
            parts,
            units: self.units.last().copied().unwrap_or(0),
            units_per_part: self.capacity,
        }
    }
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
