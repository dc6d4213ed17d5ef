//! The values of a line such as `+CPMS: "SM",3,30` (V.250 §5.4.2).

use crate::StorageName;

/// What follows the colon, cut at commas outside quotes and parentheses, without
/// quotes. A line without a colon has none.
pub(crate) fn of(line: &str) -> Vec<&str> {
    let Some((_, rest)) = line.split_once(':') else { return Vec::new() };
    split(rest)
}

fn split(text: &str) -> Vec<&str> {
    let (mut quoted, mut depth) = (false, 0u32);
    text.split(move |c| {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' => return !quoted && depth == 0,
            _ => {}
        }
        false
    })
    .map(|field| field.trim().trim_matches('"'))
    .collect()
}

/// A field as a number.
pub(crate) fn number<T: std::str::FromStr>(fields: &[&str], at: usize) -> Option<T> {
    fields.get(at)?.parse().ok()
}

/// `("SM","ME")`, as test commands print what they take.
pub(crate) fn storages(field: &str) -> Vec<StorageName> {
    list(field).filter_map(|name| StorageName::parse(name.trim().trim_matches('"')).ok()).collect()
}

/// Whether `(0-2,5)` admits a value.
pub(crate) fn admits(field: &str, value: u8) -> bool {
    list(field).any(|item| match item.split_once('-') {
        Some((low, high)) => {
            let bound = |text: &str| text.trim().parse::<u8>().ok();
            matches!((bound(low), bound(high)), (Some(l), Some(h)) if (l..=h).contains(&value))
        }
        None => item.trim().parse() == Ok(value),
    })
}

fn list(field: &str) -> impl Iterator<Item = &str> {
    let field = field.trim();
    let inner = field.strip_prefix('(').and_then(|f| f.strip_suffix(')')).unwrap_or(field);
    inner.split(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_quotes_and_parentheses_do_not_split() {
        assert_eq!(of("+CPMS: (\"SM\",\"ME\"),(\"SM\")"), ["(\"SM\",\"ME\")", "(\"SM\")"]);
        assert_eq!(of("+COPS: 0,0,\"a,b\",2"), ["0", "0", "a,b", "2"]);
        assert_eq!(of("+CMGR: 1,,24"), ["1", "", "24"]);
        assert_eq!(of("OK"), Vec::<&str>::new());
    }

    #[test]
    fn a_range_admits_what_lies_in_it() {
        assert!(admits("(0-2)", 2) && admits("(0,1,2)", 1) && admits("2", 2));
        assert!(!admits("(0-2)", 3) && !admits("", 0) && !admits("(9-1)", 5) && !admits("(x)", 0));
    }

    #[test]
    fn storages_that_are_no_names_are_left_out() {
        assert_eq!(storages("(\"SM\",\"me\",\"ME\")"), [StorageName::SM, StorageName::ME]);
    }
}
