//! Finding a modem by its IMEI when its port has another name than yesterday:
//! `ttyUSB` numbers change with every hang-up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::SerialStream;

/// How long a port may take to say whose it is. Most ports of a USB modem are not
/// for AT commands and say nothing.
const PATIENCE: Duration = Duration::from_millis(1500);

/// More than a box has.
const MOST_PORTS: usize = 64;

/// The ports on which a modem may be: those under names that stay the same first.
pub(crate) fn candidates(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: Vec<(PathBuf, PathBuf)> = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        names.sort();
        for path in names {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_serial = folder != Path::new("/dev")
                || ["ttyUSB", "ttyACM"].iter().any(|kind| name.starts_with(kind));
            let Ok(device) = path.canonicalize() else { continue };
            if is_serial && found.iter().all(|(_, known)| *known != device) {
                found.push((path, device));
            }
        }
    }
    found.into_iter().map(|(path, _)| path).take(MOST_PORTS).collect()
}

/// Whether the modem on an open port has this IMEI.
pub(crate) async fn has_imei(port: &mut SerialStream, imei: &str) -> bool {
    answers(port, "AT+CGSN", |heard| names(heard, imei)).await
}

/// Whether a modem is on an open port.
pub(crate) async fn is_modem(port: &mut SerialStream) -> bool {
    answers(port, "AT", |heard| heard.lines().any(|line| line.trim() == "OK")).await
}

/// Whether a modem answers a command with what is wanted.
async fn answers(port: &mut SerialStream, command: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let asking = async {
        // ESC ends a prompt that another process left open.
        port.write_all(b"\x1b\r\nAT\r\n").await.ok()?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        port.write_all(format!("{command}\r").as_bytes()).await.ok()?;
        let (mut heard, mut buffer) = (String::new(), [0; 256]);
        while heard.len() < 4096 {
            match port.read(&mut buffer).await.ok()? {
                0 => return None,
                length => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    heard.push_str(&String::from_utf8_lossy(bytes));
                }
            }
            if wanted(&heard) {
                return Some(());
            }
        }
        None
    };
    matches!(tokio::time::timeout(PATIENCE, asking).await, Ok(Some(())))
}

/// Whether a whole number in a text is this IMEI. Some modems print the software
/// version behind it (IMEISV), in place of the check digit.
fn names(text: &str, imei: &str) -> bool {
    let unchecked = imei.get(..14).unwrap_or(imei);
    text.split(|c: char| !c.is_ascii_digit())
        .any(|number| number == imei || (number.len() == 16 && number.starts_with(unchecked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imei_is_a_whole_number() {
        let imei = "490154203237518";
        assert!(names("\r\n490154203237518\r\n\r\nOK\r\n", imei));
        assert!(names("+CGSN: \"490154203237518\"", imei));
        assert!(names("4901542032375101", imei), "IMEISV");
        assert!(!names("490154203237519", imei));
        assert!(!names("1490154203237518", imei));
    }

    #[test]
    fn a_port_with_two_names_is_looked_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (ids, devices) = (folder.path().join("by-id"), folder.path().join("devices"));
        std::fs::create_dir(&ids).unwrap();
        std::fs::create_dir(&devices).unwrap();
        std::fs::write(devices.join("ttyUSB3"), "").unwrap();
        std::fs::write(devices.join("ttyUSB4"), "").unwrap();
        std::os::unix::fs::symlink(devices.join("ttyUSB3"), ids.join("usb-Modem")).unwrap();
        let missing = folder.path().join("none");
        let found = candidates(&[missing, ids.clone(), devices.clone()]);
        assert_eq!(found, [ids.join("usb-Modem"), devices.join("ttyUSB4")]);
    }
}
