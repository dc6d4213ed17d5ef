//! The hub's key file. Whoever reads it can sign for the hub, so nobody else
//! may.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use jibu_sync::HubKey;

use crate::HubError;

/// Makes a key from the operating system's random numbers and keeps it in a new
/// file that only its owner can read.
pub(crate) fn create(path: &Path) -> Result<HubKey, HubError> {
    let fault = |source| HubError::Key { path: path.to_owned(), source };
    let mut seed = [0; 32];
    fill_random(&mut seed)?;
    let key = HubKey::from_random(seed);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(fault)?;
    writeln!(file, "{}", key.reveal()).and_then(|()| file.sync_all()).map_err(fault)?;
    Ok(key)
}

/// Fills `bytes` with the operating system's random numbers.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), HubError> {
    getrandom::fill(bytes).map_err(|error| HubError::Random(error.to_string()))
}

/// Reads the key, if its file is there and nobody else can read it.
pub(crate) fn load(path: &Path) -> Result<HubKey, HubError> {
    let fault = |source| HubError::Key { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fault)?;
    refuse_public(&file, path)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(fault)?;
    Ok(HubKey::parse(&text)?)
}

#[cfg(unix)]
fn refuse_public(file: &File, path: &Path) -> Result<(), HubError> {
    use std::os::unix::fs::PermissionsExt as _;

    let fault = |source| HubError::Key { path: path.to_owned(), source };
    let mode = file.metadata().map_err(fault)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(HubError::OpenKey { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_public(_: &File, _: &Path) -> Result<(), HubError> {
    Ok(())
}

/// Makes the hub's folder, closed to others.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
