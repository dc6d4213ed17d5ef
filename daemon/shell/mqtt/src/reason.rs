//! Why there is no connection, for the person who must act.

use std::io::ErrorKind;

use rumqttc::TlsError;
use rumqttc::v5::ConnectionError;
use rumqttc::v5::StateError;
use rumqttc::v5::mqttbytes::v5::ConnectReturnCode as Code;

/// A sentence for an error.
pub(crate) fn sentence(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Timeout(_) => {
            "the broker did not answer in time: is the link up, and the address right?".into()
        }
        ConnectionError::ConnectionRefused(
            Code::NotAuthorized | Code::BadUserNamePassword | Code::Banned,
        ) => "the broker does not let this client in: it was revoked, or is not enrolled".into(),
        ConnectionError::ConnectionRefused(code) => {
            format!("the broker refused the connection ({code:?})")
        }
        ConnectionError::Io(error) => io(error),
        ConnectionError::Tls(TlsError::Io(error)) => io(error),
        ConnectionError::Tls(error) => format!("TLS failed: {error}"),
        ConnectionError::MqttState(StateError::Io(error)) => io(error),
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            "the broker no longer answers pings".into()
        }
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            format!("the broker ended the connection ({reason_code:?})")
        }
        ConnectionError::MqttState(error) => match error.to_string().split_once("fatal alert: ") {
            Some((_, alert)) => alerted(format_args!("{alert}")),
            None => format!("the broker broke the protocol: {error}"),
        },
        ConnectionError::NotConnAck(_) => "what answers there is no MQTT v5 broker".into(),
        ConnectionError::RequestsDone => "this end closed the connection".into(),
    }
}

fn io(error: &std::io::Error) -> String {
    // rustls hands its verdicts through as an inner error of the stream's.
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return match tls {
            rustls::Error::InvalidCertificate(why) => format!(
                "the broker's certificate is not accepted ({why:?}): is the clock right, and does \
                 ca.pem belong to this hub?"
            ),
            rustls::Error::AlertReceived(alert) => alerted(alert),
            other => format!("TLS failed: {other}"),
        };
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens at the broker's address".into(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => {
            "the connection was cut".into()
        }
        _ => format!("the link failed: {error}"),
    }
}

/// With TLS 1.3 the broker judges a client's certificate after the handshake.
fn alerted(alert: impl std::fmt::Debug) -> String {
    format!(
        "the broker does not accept this client's certificate ({alert:?}): it was revoked, has \
         expired, or is of another hub"
    )
}
