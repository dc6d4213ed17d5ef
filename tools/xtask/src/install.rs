//! Installs by name what the tests need and a fresh machine lacks.

use std::path::PathBuf;

use anyhow::Context;

use crate::shell::{cache, cargo, program, run};

/// Debian packages that must be there.
pub(crate) fn debian(packages: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    run(program("apt-get", &["update", "-qq"]))?;
    let mut install = program("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive");
    run(install)
}

fn is_installed(package: &str) -> bool {
    let mut query = program("dpkg-query", &["-W", "-f=${db:Status-Status}", package]);
    query.output().is_ok_and(|output| output.stdout == b"installed")
}

/// A Python environment with what a requirements file names; gives its `python`.
pub(crate) fn python(requirements: &str) -> anyhow::Result<PathBuf> {
    let environment = cache()?.join("jibu-venv-test");
    let python = environment.join("bin/python");
    if !python.exists() {
        let folder = environment.to_str().context("the cache folder's name is no UTF-8")?;
        run(program("python3", &["-m", "venv", folder]))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(program(&python, &[&install[..], &["-r", requirements]].concat()))?;
    Ok(python)
}

/// A program from crates.io, at this version; gives its path.
pub(crate) fn crates_io(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let root = cache()?.join("jibu-tools");
    let installed = root.join("bin").join(name);
    let stamp = root.join(format!("{name}-{version}"));
    if !(installed.exists() && stamp.exists()) {
        let folder = root.to_str().context("the cache folder's name is no UTF-8")?;
        // The tool runs for seconds and is built for minutes: build it quickly.
        let mut install = cargo(&[
            "install",
            name,
            "--version",
            version,
            "--locked",
            "--root",
            folder,
            "--config",
            "profile.release.opt-level=0",
            "--config",
            "profile.release.lto=false",
        ]);
        // It must not disturb the workspace's own build.
        install.env("CARGO_TARGET_DIR", cache()?.join("jibu-tools-target"));
        run(install)?;
        std::fs::write(&stamp, "")?;
    }
    Ok(installed)
}
