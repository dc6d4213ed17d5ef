//! Whether an SMSC lets us in, for a technician.

use std::time::Duration;

use tokio::time::timeout;

use crate::{Config, Event, spawn};

/// Binds once, and unbinds. Gives the SMSC's name for itself, or why it does not
/// let us in. A message that the SMSC delivers meanwhile gets no response, so it
/// comes again.
///
/// # Errors
/// The reason as a sentence that names the key to correct.
pub async fn examine(config: Config) -> Result<String, String> {
    let patience = config.open_timeout * 2 + Duration::from_secs(15);
    let mut handle = spawn(config);
    let looking = async {
        while let Some(event) = handle.events.recv().await {
            match event {
                Event::Ready { identity, .. } => return Ok(identity.model),
                Event::Lost { reason, .. } => return Err(reason),
                _ => {}
            }
        }
        Err("the link ended by itself".to_owned())
    };
    let found = timeout(patience, looking).await;
    drop(handle.commands);
    // Until the farewell is said.
    let _ =
        timeout(Duration::from_secs(5), async { while handle.events.recv().await.is_some() {} })
            .await;
    found.unwrap_or_else(|_| Err("the SMSC accepts the connection and says nothing".to_owned()))
}
