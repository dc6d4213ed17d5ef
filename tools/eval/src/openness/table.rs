//! The report as a person reads it: a Markdown table and its notes.

use std::fmt;

use super::{Component, Findings, Report};

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut notes: Vec<String> = Vec::new();
        let head = ["artefact"].into_iter().chain(Component::ALL.map(Component::title));
        let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
        for artefact in &self.artefacts {
            let cells = artefact.components.iter().map(|found| cell(found, &mut notes));
            rows.push([artefact.name.clone()].into_iter().chain(cells).collect());
        }
        let widths: Vec<usize> = (0..=Component::ALL.len())
            .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default())
            .collect();

        for (at, row) in rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                write!(out, "| {cell:width$} ")?;
            }
            writeln!(out, "|")?;
            if at == 0 {
                widths.iter().try_for_each(|width| write!(out, "|{:-<1$}", "", width + 2))?;
                writeln!(out, "|")?;
            }
        }
        if !notes.is_empty() {
            writeln!(out)?;
        }
        for (at, note) in notes.iter().enumerate() {
            writeln!(out, "{}. {note}", at + 1)?;
        }
        self.lacks.iter().try_for_each(|lack| writeln!(out, "\n{lack}"))
    }
}

/// `yes`, `in part` where others do not give all, or `no`, with the numbers of
/// the notes that say why. What several artefacts share is one note.
fn cell(found: &Findings, notes: &mut Vec<String>) -> String {
    let numbers: Vec<String> = found
        .lacks
        .iter()
        .chain(&found.stated)
        .map(|finding| {
            let note = format!("{}: {finding}", found.component.title());
            let at = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
                notes.push(note);
                notes.len() - 1
            });
            (at + 1).to_string()
        })
        .collect();
    match (found.lacks.is_empty(), found.stated.is_empty()) {
        (true, true) => "yes".to_owned(),
        (true, false) => format!("in part ({})", numbers.join(", ")),
        (false, _) => format!("no ({})", numbers.join(", ")),
    }
}
