//! The crates' real edges against the table of `daemon/ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use jibu_tests::root;
use serde_json::Value;

use crate::shell::{cargo, output};

/// A crate and the workspace crates that it depends on.
type Edges = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn run() -> anyhow::Result<()> {
    let real = real_edges()?;
    let map = std::fs::read_to_string(root().join("daemon/ARCHITECTURE.md"))
        .context("daemon/ARCHITECTURE.md cannot be read")?;
    let drawn = drawn_edges(&map)?;
    let findings = differences(&real, &drawn);
    if !findings.is_empty() {
        bail!("the map and the crates differ:\n{}", findings.join("\n"));
    }
    println!("tidy: {} crates are where daemon/ARCHITECTURE.md draws them", real.len());
    Ok(())
}

fn real_edges() -> anyhow::Result<Edges> {
    let metadata = output(cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let edges = packages.iter().filter_map(|package| {
        let dependencies = package["dependencies"].as_array()?.iter();
        let ours = dependencies
            // Tests may look anywhere; only what ships is drawn.
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name))
            .map(str::to_owned);
        Some((package["name"].as_str()?.to_owned(), ours.collect()))
    });
    Ok(edges.collect())
}

/// Reads the table whose header row begins `| crate | depends on |`.
fn drawn_edges(map: &str) -> anyhow::Result<Edges> {
    let rows = map
        .lines()
        .skip_while(|line| !line.starts_with("| crate | depends on |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let edges: Edges = rows
        .filter_map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let name = cells.next()?.trim_matches('`').to_owned();
            let dependencies = cells.next()?.split(',').map(|name| name.trim().trim_matches('`'));
            Some((name, dependencies.filter(|n| !n.is_empty()).map(str::to_owned).collect()))
        })
        .collect();
    if edges.is_empty() {
        bail!("daemon/ARCHITECTURE.md has no table beginning with \"| crate | depends on |\"");
    }
    Ok(edges)
}

fn differences(real: &Edges, drawn: &Edges) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, dependencies) in real {
        let Some(expected) = drawn.get(name) else {
            findings.push(format!("{name} is not in the table"));
            continue;
        };
        for new in dependencies.difference(expected) {
            findings.push(format!("{name} depends on {new}, which the table does not show"));
        }
        for gone in expected.difference(dependencies) {
            findings.push(format!("{name} does not depend on {gone}, which the table shows"));
        }
    }
    let missing = drawn.keys().filter(|name| !real.contains_key(*name));
    findings.extend(missing.map(|name| format!("{name} is in the table, but is no crate")));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(of: &[(&str, &[&str])]) -> Edges {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        of.iter().map(|(name, others)| ((*name).to_owned(), owned(others))).collect()
    }

    #[test]
    fn the_table_is_read_as_it_is_written() {
        let map = "# x\n\n| crate | depends on | for |\n|---|---|---|\n\
                   | `a` | `b`, `c` | this |\n| `b` | | that |\n\nmore\n| `z` | |\n";
        assert_eq!(drawn_edges(map).unwrap(), edges(&[("a", &["b", "c"]), ("b", &[])]));
    }

    #[test]
    fn a_new_arrow_a_lost_arrow_and_a_lost_crate_are_found() {
        let real = edges(&[("a", &["b"]), ("b", &[])]);
        let drawn = edges(&[("a", &["c"]), ("b", &[]), ("c", &[])]);
        assert_eq!(differences(&real, &drawn).len(), 3);
        assert!(differences(&real, &real).is_empty());
    }
}
