//! Which licences are open, by their SPDX identifiers.

/// Approved by the Open Source Initiative, as far as anybody here needed them;
/// HPND-sell-variant as the HPND, to which it adds the right to sell.
const OF_CODE: [&str; 13] = [
    "Apache-2.0",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "HPND-sell-variant",
    "MPL-2.0",
    "GPL-2.0-only",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "LGPL-3.0-only",
    "AGPL-3.0-only",
];

/// Conformant with the Open Definition 2.1, for data and other content.
/// CC-BY-2.0-FR, Tatoeba's, has no SPDX identifier; it is written as those of
/// other national versions are. WordNet's own allows what MIT does, in other words.
const OF_CONTENT: [&str; 12] = [
    "CC0-1.0",
    "CC-BY-2.0",
    "CC-BY-2.0-FR",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "ODC-By-1.0",
    "ODbL-1.0",
    "PDDL-1.0",
    "Unlicense",
    "LicenseRef-WordNet-3.0",
];

/// Whether code may be used, studied, changed and shared by everyone.
///
/// # Errors
/// A clause that says which licence is none of those, where one is.
pub(super) fn of_code(expression: &str) -> Result<(), String> {
    open(expression, |licence| OF_CODE.contains(&licence))
}

/// The same for data and for parameters, which fall under either list.
///
/// # Errors
/// As [`of_code`].
pub(super) fn of_data_or_parameters(expression: &str) -> Result<(), String> {
    open(expression, |licence| OF_CODE.contains(&licence) || OF_CONTENT.contains(&licence))
}

/// Each licence of an expression must be open: all of them hold for some part.
fn open(expression: &str, listed: impl Fn(&str) -> bool) -> Result<(), String> {
    if expression.is_empty() {
        return Err("it has no licence".to_owned());
    }
    match expression.split(" AND ").find(|licence| !listed(licence)) {
        Some(closed) => Err(format!("{closed} is not on the list of open licences")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_expression_must_be_open() {
        assert_eq!(of_data_or_parameters("Apache-2.0 AND CC-BY-SA-3.0"), Ok(()));
        assert!(
            of_data_or_parameters("MIT AND CC-BY-NC-4.0").unwrap_err().starts_with("CC-BY-NC-4.0")
        );
        assert!(of_data_or_parameters("").is_err());
    }

    #[test]
    fn a_licence_of_content_is_none_of_code() {
        assert_eq!(of_data_or_parameters("CC-BY-4.0"), Ok(()));
        assert!(of_code("CC-BY-4.0").is_err());
    }
}
