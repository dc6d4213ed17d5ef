//! Opening the serial port, without ever getting stuck in it.

use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

/// A port that may still be about to open: a USB device that is going away can
/// hold the call for minutes, and only one such call waits at a time.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    running: Option<JoinHandle<tokio_serial::Result<SerialStream>>>,
}

impl Opening {
    /// Opens the port, for nobody else to open.
    ///
    /// # Errors
    /// A sentence for the technician.
    pub(crate) async fn open(
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
