use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5::{Login, Packet, SubAck, SubscribeReasonCode};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::access::{Access, Roll, serial};
use super::frame::Frames;
use super::{Embedded, MAX_PACKET, USER};

/// How long a handshake and the first packet may take, on a slow link.
const OPENING: Duration = Duration::from_secs(90);
/// How soon a site that was revoked loses its connection, though it is silent.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long a stranger may stay, and how many may be there at a time.
const ENROLLING: Duration = Duration::from_secs(300);
const STRANGERS: usize = 64;

/// What sites come through.
#[derive(Clone)]
pub struct Gate {
    acceptor: TlsAcceptor,
    roll: Arc<Roll>,
    strangers: Arc<Semaphore>,
    broker: Embedded,
}

/// Why there is no gate.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The certificates or the key cannot be used.
    #[error("the broker's certificate cannot be used")]
    Tls(#[from] rustls::Error),
    /// The authority cannot vouch for sites.
    #[error("the authority's certificate cannot be used")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// A PEM text is none.
    #[error("the broker's certificate or key is no PEM")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: is another program there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Gate {
    /// A gate before `broker` for the sites on `roll`, whose certificates
    /// `authority` has signed; `certificate` and `key` are the gate's own. All
    /// are PEM.
    ///
    /// # Errors
    /// When a certificate or the key cannot be used.
    pub fn new(
        authority: &str,
        certificate: &str,
        key: &str,
        roll: Arc<Roll>,
        broker: Embedded,
    ) -> Result<Self, GateError> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()?;
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes())?)?;
        let strangers = Arc::new(Semaphore::new(STRANGERS));
        Ok(Gate { acceptor: TlsAcceptor::from(Arc::new(config)), roll, strangers, broker })
    }

    /// Listens; gives the address, where the port was left to the system.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn open(self, address: SocketAddr) -> Result<SocketAddr, GateError> {
        let failed = |source| GateError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, from)) => {
                        let gate = self.clone();
                        tokio::spawn(async move {
                            if let Err(error) = gate.serve(stream).await {
                                tracing::debug!(%from, %error, "a connection has ended");
                            }
                        });
                    }
                    // Out of descriptors, most likely: others end meanwhile.
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be taken");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        });
        Ok(address)
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let _ = stream.set_nodelay(true);
        let client = timeout(OPENING, self.acceptor.accept(stream)).await??;
        let certificate = client.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let Some(certificate) = certificate else {
            let _place = self.strangers.try_acquire().map_err(|_| refused("too many enrol"))?;
            return timeout(ENROLLING, self.relay(client, Access::of_stranger)).await?;
        };
        let serial = serial(certificate).ok_or_else(|| refused("no serial number"))?.to_vec();
        // As the roll stands at each packet: what changed counts from then on.
        self.relay(client, |_| self.roll.access(&serial)).await
    }

    /// Hands packets to and fro; `access` is asked what a client of some name may do.
    async fn relay(
        &self,
        client: impl AsyncRead + AsyncWrite,
        access: impl Fn(&str) -> Option<Access>,
    ) -> io::Result<()> {
        let (from_client, to_client) = tokio::io::split(client);
        let mut from_client = Frames::new(Box::pin(from_client));
        let to_client = Mutex::new(Box::pin(to_client));

        let first = timeout(OPENING, from_client.next()).await??;
        let first = first.ok_or_else(|| refused("no first packet"))?;
        let (name, first) = self.introduce(&first, &access)?;
        let (from_broker, mut to_broker) =
            TcpStream::connect(self.broker.address).await?.into_split();
        to_broker.write_all(&first).await?;

        let up = async {
            loop {
                let next = match timeout(LOOK_EVERY, from_client.next()).await {
                    Ok(next) => Some(next?),
                    Err(_) => None,
                };
                let access = access(&name).ok_or_else(|| refused("it was revoked"))?;
                match next {
                    None => {}
                    Some(None) => return Ok(()),
                    Some(Some(packet)) => match judge(&packet, &access)? {
                        Verdict::Pass => to_broker.write_all(&packet).await?,
                        Verdict::Answer(answer) => {
                            to_client.lock().await.write_all(&answer).await?;
                        }
                    },
                }
            }
        };
        let down = async {
            let mut from_broker = Frames::new(from_broker);
            while let Some(packet) = from_broker.next().await? {
                to_client.lock().await.write_all(&packet).await?;
            }
            Ok(())
        };
        tokio::select! {
            result = up => result,
            result = down => result,
        }
    }

    /// The client's name, and its CONNECT as the broker gets it: with the gate's
    /// own user and password.
    fn introduce(
        &self,
        packet: &BytesMut,
        access: impl Fn(&str) -> Option<Access>,
    ) -> io::Result<(String, BytesMut)> {
        let Packet::Connect(connect, will, _) = read(packet)? else {
            return Err(refused("its first packet is no CONNECT"));
        };
        let access = access(&connect.client_id)
            .ok_or_else(|| refused("its certificate is on no list, or no longer"))?;
        if connect.client_id != access.client {
            return Err(refused("it connects under another name than its certificate's"));
        }
        let topic = will.as_ref().map(|will| String::from_utf8_lossy(&will.topic));
        if topic.is_some_and(|topic| !access.may_publish(&topic)) {
            return Err(refused("its last will belongs to another topic"));
        }
        let login = Some(Login::new(USER, &self.broker.password));
        let mut bytes = BytesMut::new();
        connect.write(&will, &login, &mut bytes).map_err(|_| refused("no CONNECT"))?;
        Ok((connect.client_id, bytes))
    }
}

enum Verdict {
    Pass,
    /// It goes no further, and this is what the site gets.
    Answer(BytesMut),
}

/// Holds a packet against what its site may do.
fn judge(packet: &BytesMut, access: &Access) -> io::Result<Verdict> {
    match read(packet)? {
        Packet::Publish(publish) => {
            let aliased = publish.properties.is_some_and(|p| p.topic_alias.is_some());
            let topic = String::from_utf8_lossy(&publish.topic);
            if aliased || !access.may_publish(&topic) {
                return Err(refused("it publishes where it may not"));
            }
            Ok(Verdict::Pass)
        }
        Packet::Subscribe(subscribe) => {
            if subscribe.filters.iter().all(|filter| access.may_subscribe(&filter.path)) {
                return Ok(Verdict::Pass);
            }
            let codes = vec![SubscribeReasonCode::NotAuthorized; subscribe.filters.len()];
            let answer = SubAck { pkid: subscribe.pkid, return_codes: codes, properties: None };
            let mut bytes = BytesMut::new();
            answer.write(&mut bytes).map_err(|_| refused("no SUBACK"))?;
            Ok(Verdict::Answer(bytes))
        }
        Packet::Connect(..) => Err(refused("a second CONNECT")),
        _ => Ok(Verdict::Pass),
    }
}

fn read(packet: &BytesMut) -> io::Result<Packet> {
    let most = u32::try_from(MAX_PACKET).ok();
    // DISCONNECT without a reason has no rest, which the codec does not know.
    if packet.first() == Some(&0xE0) && packet.len() == 2 {
        return Ok(Packet::PingReq(rumqttc::v5::mqttbytes::v5::PingReq));
    }
    Packet::read(&mut packet.clone(), most).map_err(|_| refused("a packet cannot be read"))
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}
