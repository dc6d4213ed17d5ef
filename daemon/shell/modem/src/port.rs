//! Opening the serial port, without ever getting stuck in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

use crate::{Config, search};

/// A port that may still be about to open: a USB device that is going away can
/// hold the call for minutes, and only one such call waits at a time.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    running: Option<JoinHandle<tokio_serial::Result<SerialStream>>>,
}

impl Opening {
    /// Opens the port, for nobody else to open; where the modem is named by its
    /// IMEI, the port that it is on.
    ///
    /// # Errors
    /// A sentence for the technician.
    pub(crate) async fn open(
        &mut self,
        config: &Config,
    ) -> Result<(SerialStream, PathBuf), String> {
        let first = self.open_one(&config.port, config.baud_rate, config.open_timeout).await;
        let Some(imei) = &config.imei else {
            return first.map(|port| (port, config.port.clone()));
        };
        let reason = match first {
            Ok(mut port) => {
                if search::has_imei(&mut port, imei).await {
                    return Ok((port, config.port.clone()));
                }
                close(port);
                format!("the modem on {} has another IMEI", config.port.display())
            }
            Err(reason) => reason,
        };
        let own = config.port.canonicalize().ok();
        for path in search::candidates(&config.search_in) {
            if own.is_some() && path.canonicalize().ok() == own {
                continue;
            }
            // A port that does not open, or is somebody else's, is not ours.
            let opened = self.open_one(&path, config.baud_rate, config.open_timeout).await;
            let Ok(mut port) = opened else { continue };
            if search::has_imei(&mut port, imei).await {
                tracing::info!(modem = config.name, port = %path.display(), "found by its IMEI");
                return Ok((port, path));
            }
            close(port);
        }
        Err(format!("{reason}; the modem with the configured IMEI is on no other port"))
    }

    /// The ports on which a modem answers; each is opened for a moment.
    pub(crate) async fn with_modems(&mut self, config: &Config) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for path in search::candidates(&config.search_in) {
            let opened = self.open_one(&path, config.baud_rate, config.open_timeout).await;
            let Ok(mut port) = opened else { continue };
            if search::is_modem(&mut port).await {
                found.push(path);
            }
            close(port);
        }
        found
    }

    async fn open_one(
        &mut self,
        path: &Path,
        baud_rate: u32,
        timeout: Duration,
    ) -> Result<SerialStream, String> {
        let builder = tokio_serial::new(path.to_string_lossy(), baud_rate);
        let running = self
            .running
            .get_or_insert_with(|| tokio::task::spawn_blocking(|| builder.open_native_async()));
        match tokio::time::timeout(timeout, running).await {
            Err(_) => Err(format!(
                "{} does not open; unplug the modem and plug it in again",
                path.display()
            )),
            Ok(ended) => {
                self.running = None;
                match ended {
                    Ok(Ok(port)) => Ok(port),
                    Ok(Err(error)) => Err(sentence(path, &error)),
                    Err(error) => Err(format!("opening {} failed: {error}", path.display())),
                }
            }
        }
    }
}

/// Closing waits for what was written, which some ports never take.
pub(crate) fn close(port: SerialStream) {
    tokio::task::spawn_blocking(move || drop(port));
}

fn sentence(path: &Path, error: &tokio_serial::Error) -> String {
    use std::io::ErrorKind;

    use tokio_serial::ErrorKind as Serial;

    let port = path.display();
    // What `serialport` says of a port that another program has locked.
    let busy = error.description.contains("exclusive lock")
        || error.description.contains("busy")
        || error.kind == Serial::Io(ErrorKind::ResourceBusy);
    if busy {
        return format!(
            "another program uses {port}; stop it (ModemManager is a usual one: \
             systemctl disable --now ModemManager)"
        );
    }
    match error.kind {
        Serial::NoDevice | Serial::Io(ErrorKind::NotFound) => {
            format!("there is no {port}; is the modem plugged in, and is this its name?")
        }
        Serial::Io(ErrorKind::PermissionDenied) => {
            format!("{port} may not be opened; put this user into the group dialout")
        }
        _ => format!("{port} cannot be opened: {error}"),
    }
}
