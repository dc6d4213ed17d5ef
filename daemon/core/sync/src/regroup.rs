//! Borders that stay: a list that has changed is grouped as it was before.
//!
//! What is named by its content costs a fetch when a border moves, so the hub
//! keeps the borders of the version before, for segments and for the manifest's
//! pages alike. Only a group that has changed and is too large or too small is
//! divided or joined to a neighbour.

use std::collections::BTreeMap;
use std::ops::Range;

/// A group of the new list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Where its items stand in the new list.
    pub(crate) range: Range<usize>,
    /// The old group that it goes on from.
    pub(crate) from: usize,
}

/// What a group may be like.
pub(crate) struct Rules<'a> {
    /// The size below which it is joined to a neighbour, unless it is the last.
    pub(crate) least: usize,
    /// The size above which it is divided.
    pub(crate) most: usize,
    /// The size of a stretch of the new list.
    pub(crate) size: &'a dyn Fn(&Range<usize>) -> usize,
    /// Whether a group is the old one to the last byte: it then stays, whatever
    /// its size, so that what has not changed is never grouped anew.
    pub(crate) is_kept: &'a dyn Fn(&Group) -> bool,
}

/// The groups of `new`, with the borders of `old` wherever they can stay. Items
/// are told apart by their keys; an item that has another key than before keeps
/// its place between its neighbours.
pub(crate) fn regroup<K: Ord + Copy>(old: &[Vec<K>], new: &[K], rules: &Rules<'_>) -> Vec<Group> {
    let groups = carry(old, new);
    let joined = join(groups, rules);
    joined.into_iter().flat_map(|group| divide(group, rules)).collect()
}

/// The old groups in the new list; those of which nothing is left are not there.
fn carry<K: Ord + Copy>(old: &[Vec<K>], new: &[K]) -> Vec<Group> {
    let items = old.concat();
    let mut pairs = matches(&items, new);
    // What stands on both sides of every gap.
    pairs.push((items.len(), new.len()));
    let (mut groups, mut end, mut start) = (Vec::new(), 0, 0);
    let mut at = 0;
    for (from, group) in old.iter().enumerate() {
        end += group.len();
        while pairs.get(at).is_some_and(|(old, _)| *old < end) {
            at += 1;
        }
        let before = at.checked_sub(1).and_then(|at| pairs.get(at));
        let (old_gap, new_gap) = before.map_or((0, 0), |(old, new)| (old + 1, new + 1));
        let (old_next, new_next) = pairs.get(at).copied().unwrap_or((items.len(), new.len()));
        let (gone, come) = (old_next - old_gap, new_next - new_gap);
        let border = match from + 1 == old.len() {
            true => new.len(),
            // In a gap without anything known a border keeps its share of it.
            false => new_gap + ((end - old_gap) * come).checked_div(gone).unwrap_or(0),
        };
        if border > start {
            groups.push(Group { range: start..border, from });
            start = border;
        }
    }
    groups
}

/// Which old items are which new ones, as many as stand in the same order in
/// both (a longest increasing subsequence).
fn matches<K: Ord + Copy>(old: &[K], new: &[K]) -> Vec<(usize, usize)> {
    // Of items with the same key the first is the first, the second the second.
    let mut places = BTreeMap::<K, Vec<usize>>::new();
    for (place, key) in old.iter().enumerate().rev() {
        places.entry(*key).or_default().push(place);
    }
    let pairs: Vec<(usize, usize)> = new
        .iter()
        .enumerate()
        .filter_map(|(at, key)| Some((places.get_mut(key)?.pop()?, at)))
        .collect();
    // For each length the pair with which a sequence of that length can end
    // earliest, and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    let old_of = |pair: usize| pairs.get(pair).map(|(old, _)| *old);
    for pair in 0..pairs.len() {
        let length = ends.partition_point(|end| old_of(*end) < old_of(pair));
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = pair,
            None => ends.push(pair),
        }
    }
    let mut chain = Vec::new();
    let mut next = ends.last().copied();
    while let Some(pair) = next {
        chain.extend(pairs.get(pair));
        next = before.get(pair).copied().flatten();
    }
    chain.reverse();
    chain
}

/// Joins what has become too small to the smaller of its neighbours.
fn join(groups: Vec<Group>, rules: &Rules<'_>) -> Vec<Group> {
    let size = |group: &Group| (rules.size)(&group.range);
    let is_small = |group: &Group| size(group) < rules.least && !(rules.is_kept)(group);
    let together = |first: Group, second: Group| {
        let from = if size(&first) < size(&second) { second.from } else { first.from };
        Group { range: first.range.start..second.range.end, from }
    };
    let mut done: Vec<Group> = Vec::new();
    let mut rest = groups.into_iter().peekable();
    while let Some(mut group) = rest.next() {
        while is_small(&group)
            && let Some(next) = rest.peek().map(size)
        {
            let smaller = done.pop_if(|last| size(last) <= next);
            group = match smaller {
                Some(before) => together(before, group),
                None => rest.next().map_or(group.clone(), |after| together(group, after)),
            };
        }
        done.push(group);
    }
    done
}

/// Divides what has become too large, near its middle, until it fits.
fn divide(group: Group, rules: &Rules<'_>) -> Vec<Group> {
    let Group { range, from } = group.clone();
    if (rules.size)(&range) <= rules.most || range.len() < 2 || (rules.is_kept)(&group) {
        return vec![group];
    }
    let uneven =
        |at: &usize| (rules.size)(&(range.start..*at)).abs_diff((rules.size)(&(*at..range.end)));
    let middle = (range.start + 1..range.end).min_by_key(uneven).unwrap_or(range.end);
    let halves = [range.start..middle, middle..range.end];
    halves.into_iter().flat_map(|range| divide(Group { range, from }, rules)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Groups of letters, each of size one.
    fn regrouped(old: &[&str], new: &str) -> String {
        let keys = |text: &str| text.chars().collect::<Vec<char>>();
        let old: Vec<Vec<char>> = old.iter().map(|group| keys(group)).collect();
        let new = keys(new);
        let rules = Rules {
            least: 2,
            most: 6,
            size: &|range| range.len(),
            is_kept: &|group| new.get(group.range.clone()) == old.get(group.from).map(|g| &**g),
        };
        let groups = regroup(&old, &new, &rules);
        let text = |group: &Group| new[group.range.clone()].iter().collect::<String>();
        groups.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn borders_stay_where_their_neighbours_are() {
        let old = ["abc", "defg", "hij"];
        for (new, groups) in [
            ("abcdefghij", "abc defg hij"),
            // Edited: within a group, at its end, at the next one's start, at both.
            ("aXcdefghij", "aXc defg hij"),
            ("abXdefghij", "abX defg hij"),
            ("abcXefghij", "abc Xefg hij"),
            ("abXYefghij", "abX Yefg hij"),
            // Added, taken away, moved.
            ("abXcdefghij", "abXc defg hij"),
            ("abdefghij", "ab defg hij"),
            ("abchijdefg", "abc hij defg"),
            ("defghij", "defg hij"),
            // All but the ends are other ones.
            ("aQRSTUVWXj", "aQR STUV WXj"),
        ] {
            assert_eq!(regrouped(&old, new), groups, "{new}");
        }
    }

    #[test]
    fn only_what_has_changed_is_joined_or_divided() {
        assert_eq!(regrouped(&["a", "bcdefghi", "jk", "l"], "abcdefghijkl"), "a bcdefghi jk l");
        assert_eq!(regrouped(&["abc", "de", "fghi"], "abcdfghi"), "abcd fghi");
        assert_eq!(regrouped(&["abcd", "efg"], "abXYZcdefg"), "abX YZcd efg");
        assert_eq!(regrouped(&["abcd", "efg"], "abcde"), "abcd e");
    }

    proptest! {
        #[test]
        fn groups_hold_all_in_order_and_within_bounds(
            old in prop::collection::vec("[a-m]{2,6}", 1..8),
            new in "[a-p]{1,60}",
        ) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let groups = regrouped(&old, &new);
            prop_assert_eq!(groups.replace(' ', ""), new);
            let sizes: Vec<usize> = groups.split(' ').map(str::len).collect();
            prop_assert!(sizes.iter().all(|size| (1..=6).contains(size)), "{}", groups);
            let (_, but_last) = sizes.split_last().unwrap();
            prop_assert!(but_last.iter().all(|size| *size >= 2), "{}", groups);
        }
    }
}
