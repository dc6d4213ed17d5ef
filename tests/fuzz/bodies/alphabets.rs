//! The alphabets, the choice among them and the cut into parts.

use jibu_gsm::alphabet::{from_septets, from_ucs2, pack, to_septets, to_ucs2, unpack};
use jibu_gsm::{Layout, NationalLanguage, Plan, Shift, Shifts};

/// Octets can be read in every alphabet; text comes back as it was written, and
/// a plan's parts are the text.
pub(crate) fn check(data: &[u8]) {
    let [tables, rest @ ..] = data else { return };
    let shift = Shift {
        locking: NationalLanguage::from_id(tables & 0xf).filter(|l| l.has_locking()),
        single: NationalLanguage::from_id(tables >> 4),
    };
    let _ = from_ucs2(rest);
    let fill = usize::from(tables % 7);
    let count = rest.len().saturating_sub(1) * 8 / 7;
    let septets = unpack(rest, fill, count);
    assert_eq!(unpack(&pack(&septets, fill), fill, count), septets);

    let text = from_septets(&septets, shift);
    if let Some(septets) = to_septets(&text, shift) {
        assert_eq!(from_septets(&septets, shift), text);
    }
    plan(&text, tables);
    if let Ok(text) = std::str::from_utf8(rest) {
        assert_eq!(from_ucs2(&to_ucs2(text)), text);
        plan(text, tables);
    }
}

fn plan(text: &str, choice: &u8) {
    let shifts = match choice % 4 {
        0 => Shifts::None,
        1 => Shifts::Single,
        2 => Shifts::All,
        _ => NationalLanguage::from_id(choice >> 4).map_or(Shifts::None, Shifts::Only),
    };
    let plan = Plan::new(text, Layout { shifts, long_reference: choice & 4 != 0 });
    assert_eq!(plan.parts.concat(), text);
    for part in &plan.parts {
        assert!(plan.encoding.encode(part).is_some());
    }
}
