//! A model's card: Markdown with a section for each thing that must be said.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Entry, Findings};

/// The sections, in the form that `models/README.md` gives.
const PURPOSE: &str = "What it is for";
const DATA: &str = "Data";
const RECIPE: &str = "Recipe";
const SPENT: &str = "Time and energy";
const FIGURES: &str = "Figures";
const FAILURES: &str = "Known failures";

/// What time and energy are given in.
const UNITS: [&str; 10] = ["s", "seconds", "min", "minutes", "h", "hours", "J", "kJ", "Wh", "kWh"];

/// A card's sections by their titles.
pub(super) struct Card {
    name: String,
    /// Nothing where there is no card.
    sections: Option<BTreeMap<String, String>>,
}

impl Card {
    pub(super) fn read(models: &Path, name: &str) -> Card {
        let text = match name {
            "" => None,
            // A card that cannot be read is as good as none.
            name => std::fs::read_to_string(models.join(name)).ok(),
        };
        Card { name: name.to_owned(), sections: text.as_deref().map(sections) }
    }

    /// Whether there is a card, and whether it says what the artefact is for,
    /// how it is made and what that cost.
    pub(super) fn description(&self, entry: &Entry, found: &mut Findings) {
        if self.sections.is_none() {
            found.lack(self.missing());
            return;
        }
        self.section(PURPOSE, found);
        let recipe = self.section(RECIPE, found);
        for script in super::recipe::scripts(&entry.recipe) {
            if !recipe.is_empty() && !recipe.contains(script) {
                found.lack(format!(
                    "models/{} does not name {script} under \"{RECIPE}\"; the manifest does",
                    self.name
                ));
            }
        }
        let spent = self.section(SPENT, found);
        if !spent.is_empty() && !has_amount(spent) {
            found.lack(format!(
                "models/{} gives no time and no energy under \"{SPENT}\"; measure the recipe",
                self.name
            ));
        }
    }

    /// Whether the card gives figures, and how to get them.
    pub(super) fn evaluation(&self, found: &mut Findings) {
        let figures = self.section(FIGURES, found);
        if figures.is_empty() {
            return;
        }
        let row = |line: &str| line.starts_with('|') && line.contains(|c: char| c.is_ascii_digit());
        let has_table = figures.lines().skip_while(|line| !line.starts_with("|-")).any(row);
        if !(has_table || figures.contains("(README.md#")) {
            found.lack(format!(
                "models/{} has no table under \"{FIGURES}\", nor a link to one in README.md; measure",
                self.name
            ));
        }
        if !figures.contains("```") {
            found.lack(format!(
                "models/{} has no command under \"{FIGURES}\"; give the one that measures",
                self.name
            ));
        }
    }

    /// Whether the card lists known failures.
    pub(super) fn limitations(&self, found: &mut Findings) {
        let failures = self.section(FAILURES, found);
        if !failures.is_empty() && !failures.lines().any(|line| line.starts_with("* ")) {
            found.lack(format!(
                "models/{} lists nothing under \"{FAILURES}\"; look at what it gets wrong",
                self.name
            ));
        }
    }

    /// Whether the card names a source of data with its licence. A card that is
    /// not there is missed elsewhere.
    pub(super) fn names_data(&self, title: &str, licence: &str, found: &mut Findings) {
        let Some(sections) = &self.sections else { return };
        let data = sections.get(DATA).map_or("", String::as_str);
        if !data.lines().any(|line| line.contains(title) && line.contains(licence)) {
            found.lack(format!(
                "models/{} has no line with \"{title}\" and {licence} under \"{DATA}\"; add what \
                 python models/recipes/manifest.py gives",
                self.name
            ));
        }
    }

    /// The text of a section; that it is empty is a finding.
    fn section(&self, title: &str, found: &mut Findings) -> &str {
        let Some(sections) = &self.sections else {
            found.lack(self.missing());
            return "";
        };
        let text = sections.get(title).map_or("", |text| text.trim());
        if text.is_empty() {
            found.lack(format!(
                "models/{} says nothing under \"{title}\"; write that section",
                self.name
            ));
        }
        text
    }

    fn missing(&self) -> String {
        match self.name.as_str() {
            "" => "the manifest names no card; write one in the form of models/README.md".into(),
            name => format!("there is no models/{name}; write it in the form of models/README.md"),
        }
    }
}

/// Splits at headings of the second level, those in blocks of code aside.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut sections = BTreeMap::new();
    let mut title = String::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        match line.strip_prefix("## ") {
            Some(heading) if !in_code => title = heading.trim().to_owned(),
            _ => {
                let section: &mut String = sections.entry(title.clone()).or_default();
                section.push_str(line);
                section.push('\n');
            }
        }
    }
    sections
}

/// Whether a number stands before a unit somewhere.
fn has_amount(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| {
        let unit = pair[1].trim_end_matches(|c: char| !c.is_alphanumeric());
        pair[0].ends_with(|c: char| c.is_ascii_digit()) && UNITS.contains(&unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_in_a_block_of_code_is_no_heading() {
        let read = sections("# A\nx\n## Figures\n```sh\n## made by\ncheck\n```\n## Data\ny\n");
        assert_eq!(read["Figures"], "```sh\n## made by\ncheck\n```\n");
        assert_eq!(read["Data"], "y\n");
    }

    #[test]
    fn an_amount_is_a_number_before_a_unit() {
        assert!(has_amount("It took 1,200 s."));
        assert!(has_amount("about 0.3 kWh, measured"));
        assert!(!has_amount("It takes hours."));
        assert!(!has_amount("2 cores"));
    }
}
