//! Choosing where messages are stored (+CPMS, TS 27.005 §3.2.2).

use super::modem::Modem;
use super::task::Answer;
use crate::{StorageName, parameters};

/// Storages that a modem offers, and their capacities as far as they were asked.
#[derive(Debug, Default)]
pub(super) struct Storages {
    readable: Vec<StorageName>,
    /// Where to write and to receive; with the capacity of the latter once known.
    candidates: Vec<(Candidate, Option<u16>)>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    writes_to: StorageName,
    receives_in: StorageName,
}

impl Storages {
    /// Reads `+CPMS: ("SM","ME"),("SM"),("SM")`: what can be read and deleted,
    /// written and sent, received into.
    pub(super) fn offered(line: &str, wanted: Option<StorageName>) -> Self {
        let groups: Vec<Vec<StorageName>> =
            parameters::of(line).into_iter().map(parameters::storages).collect();
        let [read, rest @ ..] = groups.as_slice() else { return Storages::default() };
        // Old modems have one or two groups.
        let write = rest.first().unwrap_or(read);
        let receive = rest.get(1).unwrap_or(write);

        let usual = [StorageName::ME, StorageName::SM, StorageName::MT];
        let wishes = || wanted.into_iter().filter(|w| read.contains(w)).chain(usual);
        let both =
            |name: &StorageName| [read, write, receive].iter().all(|group| group.contains(name));
        let joint = |name| Candidate { writes_to: name, receives_in: name };

        let mut candidates: Vec<Candidate> = match wanted.filter(both) {
            Some(name) => vec![joint(name)],
            None => wishes().take(2).filter(both).map(joint).collect(),
        };
        if candidates.is_empty() {
            let first_in = |group: &Vec<StorageName>| {
                wishes().find(|name| group.contains(name)).or(group.first().copied())
            };
            let pair = first_in(write).zip(first_in(receive));
            candidates
                .extend(pair.map(|(writes_to, receives_in)| Candidate { writes_to, receives_in }));
        }
        Storages {
            readable: read.clone(),
            candidates: candidates.into_iter().map(|candidate| (candidate, None)).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    pub(super) fn all_measured(&self) -> bool {
        self.candidates.iter().all(|(_, capacity)| capacity.is_some())
    }

    /// Chooses the candidate that is to be measured, or the best once all are.
    pub(super) fn command(&self) -> String {
        let unmeasured = self.candidates.iter().find(|(_, capacity)| capacity.is_none());
        let Some((Candidate { writes_to, receives_in }, _)) = unmeasured.or(self.best()) else {
            return "AT+CPMS?".to_owned();
        };
        format!("AT+CPMS=\"{receives_in}\",\"{writes_to}\",\"{receives_in}\"")
    }

    /// Takes the answer to [`Storages::command`]; a candidate that is refused is dropped.
    pub(super) fn measured(&mut self, answer: &Answer) {
        let Some(at) = self.candidates.iter().position(|(_, capacity)| capacity.is_none()) else {
            return;
        };
        if answer.error().is_some() {
            self.candidates.remove(at);
            return;
        }
        let fields = answer.line().map(parameters::of).unwrap_or_default();
        let capacity = parameters::number(&fields, 5).or(parameters::number(&fields, 1));
        if let Some((_, measured)) = self.candidates.get_mut(at) {
            *measured = Some(capacity.unwrap_or(0));
        }
    }

    /// The one with most room, and the earlier of equals.
    fn best(&self) -> Option<&(Candidate, Option<u16>)> {
        self.candidates.iter().rev().max_by_key(|(_, capacity)| *capacity)
    }

    /// Whether the candidate that was measured last, and so chosen, is to stay.
    pub(super) fn last_is_best(&self) -> bool {
        let Some(((_, last), others)) = self.candidates.split_last() else { return false };
        others.iter().all(|(_, capacity)| capacity < last)
    }

    /// The best candidate was chosen by the modem.
    pub(super) fn choose(&self, modem: &mut Modem) {
        let Some((Candidate { writes_to, receives_in }, _)) = self.best() else { return };
        modem.writes_to = *writes_to;
        modem.receives_in = *receives_in;
        modem.selected = Some(*receives_in);
        modem.selects = true;
        modem.has_chosen_storages = true;
        // MT shows what stands in ME and SM once more.
        let joint = [*writes_to, *receives_in].contains(&StorageName::MT);
        let swept = if joint {
            vec![StorageName::MT, StorageName::SR]
        } else {
            vec![StorageName::ME, StorageName::SM, StorageName::SR]
        };
        let mut readable: Vec<StorageName> = vec![*receives_in];
        let others = std::iter::once(*writes_to).chain(swept);
        for name in others.filter(|name| self.readable.contains(name)) {
            if !readable.contains(&name) {
                readable.push(name);
            }
        }
        modem.readable = readable;
    }

    /// Nothing could be chosen: takes what the modem uses by itself.
    pub(super) fn take_current(modem: &mut Modem, line: Option<&str>) {
        let fields = line.map(parameters::of).unwrap_or_default();
        let name = |at: usize| fields.get(at).and_then(|name| StorageName::parse(name).ok());
        let reads = name(0).unwrap_or(StorageName::SM);
        modem.selects = false;
        modem.selected = Some(reads);
        modem.writes_to = name(3).unwrap_or(reads);
        modem.receives_in = name(6).unwrap_or(reads);
        modem.readable = vec![reads];
        // What stands elsewhere cannot be reached, and must not be mistaken for what
        // stands here at the same index.
        modem.slots.retain(|slot, _| slot.storage == reads);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_that_serves_everything_is_preferred() {
        let storages =
            Storages::offered(r#"+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")"#, None);
        assert_eq!(storages.command(), r#"AT+CPMS="ME","ME","ME""#);
    }

    #[test]
    fn a_wish_is_followed_where_it_can_be() {
        let offered = r#"+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")"#;
        let wish = Storages::offered(offered, Some(StorageName::SM));
        assert_eq!(wish.command(), r#"AT+CPMS="SM","SM","SM""#);
        let odd = Storages::offered(offered, Some(StorageName::SR));
        assert_eq!(odd.command(), r#"AT+CPMS="ME","ME","ME""#);
    }

    #[test]
    fn groups_that_share_nothing_are_used_as_they_are() {
        let storages = Storages::offered(r#"+CPMS: ("SM","ME"),("SM"),("ME")"#, None);
        assert_eq!(storages.command(), r#"AT+CPMS="ME","SM","ME""#);
    }

    #[test]
    fn one_storage_is_found_with_few_groups() {
        let storages = Storages::offered(r#"+CPMS: ("SM")"#, None);
        assert_eq!(storages.command(), r#"AT+CPMS="SM","SM","SM""#);
        assert!(Storages::offered("+CPMS: ", None).is_empty());
        assert!(Storages::offered("", None).is_empty());
    }

    #[test]
    fn mt_serves_where_nothing_else_does() {
        let storages = Storages::offered(r#"+CPMS: ("MT","SM"),("MT"),("MT")"#, None);
        assert_eq!(storages.command(), r#"AT+CPMS="MT","MT","MT""#);
    }
}
