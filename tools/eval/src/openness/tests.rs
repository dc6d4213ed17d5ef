//! A small repository that has everything, and what is said when a part of it
//! is gone.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const MANIFEST: &str = r#"
[[artefact]]
name = "toy.weights"
file = "toy.bin"
sha256 = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
bytes = 3
licence = "CC-BY-SA-4.0"
source = "fitted by the recipe"
recipe = "python models/recipes/toy.py --out models/"
card = "toy.md"
data = ["questions", "big"]
"#;

const DATA: &str = r#"
processing = "Nothing that stands in an evaluation set."

[[source]]
name = "questions"
title = "Questions"
licence = "CC-BY-4.0"
from = "https://example.org/questions"
languages = ["sw"]
about = "Questions by people."
left_out = "the dev split"

[[base]]
name = "big"
title = "Big"
licence = "MIT"
from = "https://example.org/big"
paper = "https://example.org/paper"
about = "Learnt from the web."
code_lacks = "its authors publish none"
data = [
    { title = "Web", licence = "LicenseRef-web", from = "https://example.org/web", about = "pages" },
    { title = "Wiki", licence = "CC-BY-SA-3.0", from = "https://example.org/wiki", about = "articles" },
]
"#;

const CARD: &str = "\
# Card: toy
## What it is for
Tests.
## Data
| Questions | CC-BY-4.0 |
| Big | MIT |
## Recipe
`python models/recipes/toy.py --out models/`
## Time and energy
It took 12 s of CPU time.
## Figures
| set | hit@1 |
|---|---|
| toys | 90 |
```sh
measure
```
## Known failures
* It knows nothing.
";

/// A repository in a folder of its own.
struct Toy(TempDir);

impl Toy {
    fn complete() -> Toy {
        let toy = Toy(tempfile::tempdir().unwrap());
        for (path, text) in [
            ("LICENSE", "Apache License"),
            ("Cargo.toml", "[workspace.package]\nlicense = \"Apache-2.0\"\n"),
            ("daemon/jibud/src/toy.rs", "const TOY: &str = \"toy.weights\";\n"),
            ("models/manifest.toml", MANIFEST),
            ("models/data.toml", DATA),
            ("models/toy.bin", "\u{1}\u{2}\u{3}"),
            ("models/toy.md", CARD),
            ("models/risks.md", "# What can go wrong\n"),
            ("models/golden.json", "{}"),
            ("models/recipes/toy.py", "import json\nimport numpy as np\nimport helper\n"),
            ("models/recipes/helper.py", "from pathlib import Path\n"),
            ("models/recipes/requirements.txt", "numpy==2.4.6  # for all\n"),
        ] {
            toy.write(path, text);
        }
        toy
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Puts another text in the place of one that stands in the file once.
    fn replace(&self, path: &str, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.path(path)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {path}");
        self.write(path, &text.replace(old, new));
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.path(path)).unwrap();
    }

    fn check(&self) -> Report {
        check(self.0.path()).unwrap()
    }
}

/// What a component of the only artefact lacks once the change is made, when
/// nothing else lacks anything.
fn lacks(component: Component, change: impl FnOnce(&Toy)) -> Vec<String> {
    let toy = Toy::complete();
    change(&toy);
    let report = toy.check();
    let other = |found: &&Findings| found.component != component && !found.lacks.is_empty();
    let components = &report.artefacts[0].components;
    assert_eq!(components.iter().find(other), None);
    assert!(report.lacks.is_empty());
    components.iter().flat_map(|found| found.lacks.clone()).collect()
}

fn lack(component: Component, change: impl FnOnce(&Toy)) -> String {
    let mut lacks = lacks(component, change);
    assert_eq!(lacks.len(), 1, "{lacks:?}");
    lacks.remove(0)
}

/// The repository that this crate belongs to: cargo runs tests in the crate's
/// folder.
#[test]
fn the_models_of_this_repository_are_open() {
    let report = check(Path::new("../..")).unwrap();
    assert!(report.artefacts.len() >= 4);
    assert_eq!(Vec::from_iter(report.missing()), Vec::<String>::new());
}

#[test]
fn a_complete_repository_lacks_nothing_and_states_what_the_base_does_not_give() {
    let report = Toy::complete().check();
    assert_eq!(report.missing().count(), 0);
    assert_eq!(
        report.to_string(),
        "\
| artefact    | parameters | data information | open data   | training code | inference code | card | evaluation | limitations |
|-------------|------------|------------------|-------------|---------------|----------------|------|------------|-------------|
| toy.weights | yes        | yes              | in part (1) | in part (2)   | yes            | yes  | yes        | yes         |

1. open data: big was learnt by its authors from data of which 1 of 2 sets have no open licence (Web); what they are is known
2. training code: big: its authors publish none
"
    );
}

#[test]
fn the_json_names_components_and_findings() {
    let json = serde_json::to_value(Toy::complete().check()).unwrap();
    let components = &json["artefacts"][0]["components"];
    assert_eq!(components[0]["component"], "parameters");
    assert_eq!(components[3]["component"], "training_code");
    assert_eq!(components[3]["stated"][0], "big: its authors publish none");
}

#[test]
fn a_file_that_is_gone_longer_or_changed_is_found() {
    use Component::Parameters;
    let gone = lack(Parameters, |toy| toy.remove("models/toy.bin"));
    assert!(gone.starts_with("models/toy.bin cannot be read"), "{gone}");
    let longer = lack(Parameters, |toy| toy.write("models/toy.bin", "four"));
    assert!(longer.contains("has 4 bytes, and the manifest says 3"), "{longer}");
    let changed = lack(Parameters, |toy| toy.write("models/toy.bin", "abc"));
    assert!(changed.contains("has the SHA-256 ba7816bf"), "{changed}");
}

#[test]
fn parameters_need_an_open_licence_and_a_source() {
    use Component::Parameters;
    let closed = lack(Parameters, |toy| {
        toy.replace("models/manifest.toml", "CC-BY-SA-4.0", "CC-BY-NC-4.0");
    });
    assert!(closed.starts_with("CC-BY-NC-4.0 is not on the list"), "{closed}");
    let unknown = lack(Parameters, |toy| {
        toy.replace("models/manifest.toml", "source = \"fitted by the recipe\"\n", "");
    });
    assert!(unknown.contains("fill in `source`"), "{unknown}");
}

#[test]
fn data_must_be_named_and_described() {
    use Component::DataInformation;
    let none = lacks(DataInformation, |toy| {
        toy.replace("models/manifest.toml", "data = [\"questions\", \"big\"]\n", "");
    });
    assert!(none[0].starts_with("the manifest names no data"), "{none:?}");
    let unknown = lack(DataInformation, |toy| {
        toy.replace("models/manifest.toml", "\"big\"]", "\"big\", \"more\"]");
    });
    assert_eq!(unknown, "models/data.toml has no \"more\"; describe it there");
    for (key, value) in [
        ("from", "https://example.org/questions"),
        ("left_out", "the dev split"),
        ("about", "Questions by people."),
    ] {
        let silent = lack(DataInformation, |toy| toy.replace("models/data.toml", value, ""));
        assert!(silent.contains(&format!("nothing of questions under `{key}`")), "{silent}");
    }
    let nowhere = lack(DataInformation, |toy| {
        toy.replace("models/data.toml", "https://example.org/paper", "on a shelf");
    });
    assert!(nowhere.contains("`paper` of big is no https address"), "{nowhere}");
    let inherited = lack(DataInformation, |toy| {
        toy.replace("models/data.toml", "about = \"pages\"", "about = \"\"");
    });
    assert!(inherited.contains("big, Web under `about`"), "{inherited}");
    let unselected = lack(DataInformation, |toy| {
        toy.replace("models/data.toml", "Nothing that stands in an evaluation set.", "");
    });
    assert!(unselected.contains("`processing`"), "{unselected}");
}

#[test]
fn the_card_must_name_each_source_with_its_licence() {
    let silent = lack(Component::DataInformation, |toy| {
        toy.replace("models/toy.md", "| Questions | CC-BY-4.0 |", "| Questions | open |");
    });
    assert!(silent.contains("no line with \"Questions\" and CC-BY-4.0"), "{silent}");
}

#[test]
fn our_own_training_takes_open_data_only() {
    let toy = Toy::complete();
    toy.replace("models/data.toml", "licence = \"CC-BY-4.0\"", "licence = \"LicenseRef-research\"");
    let missing: Vec<String> = toy.check().missing().collect();
    let closed = "toy.weights: questions: LicenseRef-research is not on the list of open licences; \
                  train without it";
    assert!(missing.iter().any(|lack| lack == closed), "{missing:?}");
}

#[test]
fn a_base_must_be_open_and_its_code_stated() {
    let silent = lack(Component::TrainingCode, |toy| {
        toy.replace("models/data.toml", "its authors publish none", "");
    });
    assert!(silent.contains("training code of big"), "{silent}");
    let closed = lacks(Component::OpenData, |toy| {
        toy.replace("models/data.toml", "licence = \"MIT\"", "licence = \"LicenseRef-MIT\"");
        toy.replace("models/toy.md", "| Big | MIT |", "| Big | LicenseRef-MIT |");
    });
    assert_eq!(
        closed,
        ["big: LicenseRef-MIT is not on the list of open licences; start from another model"]
    );
}

#[test]
fn the_recipe_and_all_that_it_imports_must_be_there() {
    use Component::TrainingCode;
    let gone = lack(TrainingCode, |toy| toy.remove("models/recipes/toy.py"));
    assert_eq!(gone, "there is no models/recipes/toy.py, and the manifest names it; add it");
    let helper = lack(TrainingCode, |toy| toy.remove("models/recipes/helper.py"));
    assert!(helper.starts_with("models/recipes/toy.py imports helper,"), "{helper}");
    let unpinned = lack(TrainingCode, |toy| {
        toy.write("models/recipes/helper.py", "from torch import nn\n");
    });
    assert!(unpinned.starts_with("models/recipes/helper.py imports torch,"), "{unpinned}");
    let loose = lacks(TrainingCode, |toy| {
        toy.write("models/recipes/requirements.txt", "numpy>=2\n");
    });
    assert!(loose[0].contains("does not pin \"numpy>=2\""), "{loose:?}");
    let none = lacks(TrainingCode, |toy| {
        toy.replace(
            "models/manifest.toml",
            "python models/recipes/toy.py --out models/",
            "by hand",
        );
    });
    assert!(none[0].contains("fill in `recipe`"), "{none:?}");
}

#[test]
fn the_code_needs_an_open_licence() {
    use Component::TrainingCode;
    let closed = lack(TrainingCode, |toy| toy.replace("Cargo.toml", "Apache-2.0", "BUSL-1.1"));
    assert!(closed.contains("BUSL-1.1 is not on the list"), "{closed}");
    let silent = lack(TrainingCode, |toy| toy.remove("LICENSE"));
    assert!(silent.contains("no LICENSE"), "{silent}");
}

#[test]
fn an_artefact_that_the_daemon_does_not_open_is_found() {
    let unused = lack(Component::InferenceCode, |toy| toy.remove("daemon/jibud/src/toy.rs"));
    assert!(unused.starts_with("no source file below daemon names \"toy.weights\""), "{unused}");
}

#[test]
fn without_a_card_there_is_no_evaluation_either() {
    let toy = Toy::complete();
    toy.remove("models/toy.md");
    let missing: Vec<String> = toy.check().missing().collect();
    let no_card =
        "toy.weights: there is no models/toy.md; write it in the form of models/README.md";
    assert_eq!(missing, [no_card; 3]);
}

#[test]
fn each_section_of_the_card_must_say_something() {
    for (component, old, new, says) in [
        (Component::Card, "Tests.\n", "", "says nothing under \"What it is for\""),
        (Component::Card, "toy.py --out", "toys --out", "does not name models/recipes/toy.py"),
        (Component::Card, "12 s of CPU time", "long", "gives no time and no energy"),
        (Component::Evaluation, "| toys | 90 |\n", "", "has no table"),
        (Component::Evaluation, "```sh\nmeasure\n```\n", "", "has no command"),
        (Component::Limitations, "* It", "It", "lists nothing under \"Known failures\""),
    ] {
        let found = lack(component, |toy| toy.replace("models/toy.md", old, new));
        assert!(found.contains(says), "{found}");
    }
}

#[test]
fn a_file_that_the_manifest_does_not_name_is_found() {
    let toy = Toy::complete();
    toy.write("models/other.onnx", "");
    let missing: Vec<String> = toy.check().missing().collect();
    assert_eq!(missing.len(), 1);
    assert!(missing[0].starts_with("models/other.onnx is not in the manifest"), "{missing:?}");
}

#[test]
fn an_assessment_of_the_risks_stands_beside_the_models() {
    let toy = Toy::complete();
    toy.remove("models/risks.md");
    let missing: Vec<String> = toy.check().missing().collect();
    assert_eq!(missing.len(), 1);
    assert!(missing[0].starts_with("models/risks.md is not there"), "{missing:?}");
}
