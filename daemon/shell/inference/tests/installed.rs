//! What `Models::open` says of a models folder that is not as it should be.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use jibu_inference::{ErrorKind, ModelError, Models};

fn release() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../models")
}

/// A copy of the release's folder; the artefacts themselves are linked.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(release().join("manifest.toml"), folder.path().join("manifest.toml")).unwrap();
    for file in ["embedder.onnx", "embedding.q4", "tokenizer.json"] {
        let original = fs::canonicalize(release().join(file)).unwrap();
        std::os::unix::fs::symlink(original, folder.path().join(file)).unwrap();
    }
    folder
}

fn failure(folder: &Path) -> ModelError {
    let error = Models::open(folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Install);
    error
}

#[test]
fn a_missing_file_is_named() {
    for file in ["manifest.toml", "embedder.onnx", "embedding.q4", "tokenizer.json"] {
        let folder = copy();
        fs::remove_file(folder.path().join(file)).unwrap();
        let message = failure(folder.path()).to_string();
        assert!(message.contains(file) && message.contains("put the release's"), "{message}");
    }
}

#[test]
fn a_changed_file_is_named_with_both_hashes() {
    for file in ["embedder.onnx", "embedding.q4", "tokenizer.json"] {
        let folder = copy();
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let error = failure(folder.path());
        let ModelError::Changed { path: named, expected, found } = &error else {
            panic!("{error}")
        };
        assert_eq!(named, &path);
        let manifest = fs::read_to_string(release().join("manifest.toml")).unwrap();
        assert!(manifest.contains(expected.as_str()) && expected != found);
        assert!(error.to_string().contains(found.as_str()), "{error}");
    }
}

#[test]
fn a_manifest_that_is_none_is_refused() {
    let folder = copy();
    let path = folder.path().join("manifest.toml");
    fs::write(&path, "artefact = 3").unwrap();
    assert!(matches!(failure(folder.path()), ModelError::Manifest { .. }));
    fs::write(&path, "artefact = []").unwrap();
    let error = failure(folder.path());
    assert!(error.to_string().contains("embedder.tokenizer"), "{error}");
}

#[test]
fn a_pinned_file_of_another_layout_is_refused() {
    let folder = copy();
    let path = folder.path().join("tokenizer.json");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "{}").unwrap();
    // The SHA-256 of "{}".
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let manifest = folder.path().join("manifest.toml");
    let text = format!(
        "[[artefact]]\nname = \"embedder.tokenizer\"\nfile = \"tokenizer.json\"\n\
         sha256 = \"{hash}\"\n"
    );
    let text = fs::read_to_string(&manifest).unwrap().replace("embedder.tokenizer", "old") + &text;
    fs::write(&manifest, text).unwrap();
    let error = failure(folder.path());
    assert!(matches!(error, ModelError::Layout { .. }), "{error}");
}
