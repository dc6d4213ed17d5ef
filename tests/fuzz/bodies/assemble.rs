//! Putting parts together: several DELIVERs of one sender, in any order.

use jibu_gsm::{Assembly, Content, Deliver, Pdu, Tpdu, assemble};

/// Pieces of the data, each with its length in front, are the header and user
/// data of a part. A message whose parts are all there comes out the same
/// however they are ordered.
pub(crate) fn check(data: &[u8]) {
    let mut parts = Vec::new();
    let mut rest = data;
    while let [coding, length, more @ ..] = rest {
        let Some((user_data, more)) = more.split_at_checked(usize::from(*length)) else { break };
        parts.extend(part(*coding, user_data));
        rest = more;
    }
    let forward = assemble(&parts);
    let missing = match &forward {
        Assembly::Complete(_) => 0,
        Assembly::Partial { missing, .. } => missing.len(),
    };
    let group = parts.first().and_then(Deliver::group);
    let one = parts.iter().filter(|part| part.group() == group);
    let mut one: Vec<Deliver> = one.cloned().collect();
    if let Some(group) = group {
        assert!(missing < usize::from(group.total));
        one.sort_by_key(|part| part.concat().map(|concat| concat.sequence));
        one.dedup_by_key(|part| part.concat().map(|concat| concat.sequence));
        one.reverse();
        let repeated = parts.iter().filter(|part| part.group().as_ref() == Some(&group)).count();
        if repeated == one.len() {
            assert_eq!(assemble(&one), forward);
        }
    }
    if let Assembly::Complete(Content::Text(text)) = forward {
        let _ = text;
    }
}

fn part(coding: u8, user_data: &[u8]) -> Option<Deliver> {
    // A DELIVER with a header, from 1, whose coding and user data are given.
    let mut octets = vec![0, 0x44, 1, 0x81, 0xf1, 0, coding, 0x62, 0x11, 0x22, 0, 0, 0, 0];
    octets.extend(user_data);
    match Pdu::decode(&octets) {
        Ok(Pdu { tpdu: Tpdu::Deliver(deliver), .. }) => Some(deliver),
        _ => None,
    }
}
