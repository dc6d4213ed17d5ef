//! The SMSC's side, by `rusmpp`.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rusmpp::decode::DecodeWithLength;
use rusmpp::encode::Length;
use rusmpp::encode::owned::Encode;
use rusmpp::pdus::{
    BindReceiverResp, BindTransceiverResp, BindTransmitterResp, DeliverSm, SubmitSm, SubmitSmResp,
};
use rusmpp::types::COctetString;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Smsc {
    listener: TcpListener,
    tls: Option<(TlsAcceptor, String)>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Smsc {
    pub(crate) async fn open() -> Smsc {
        Smsc { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), tls: None }
    }

    pub(crate) async fn open_with_tls() -> Smsc {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let tls = Some((TlsAcceptor::from(Arc::new(config)), own.cert.pem()));
        Smsc { tls, ..Smsc::open().await }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub(crate) fn authority(&self) -> &[u8] {
        self.tls.as_ref().unwrap().1.as_bytes()
    }

    async fn accept(&self) -> Peer {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        let stream: Box<dyn Stream> = match &self.tls {
            Some((tls, _)) => Box::new(tls.accept(stream).await.unwrap()),
            None => Box::new(stream),
        };
        Peer { stream, read: BytesMut::new() }
    }

    pub(crate) async fn fails_to_shake_hands(&self) {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        assert!(self.tls.as_ref().unwrap().0.accept(stream).await.is_err());
    }

    /// Takes one connection and its bind.
    pub(crate) async fn bound(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.binds(CommandStatus::EsmeRok).await;
        peer
    }

    /// The transmitter and the receiver.
    pub(crate) async fn bound_pair(&self) -> (Peer, Peer) {
        let (mut first, mut second) = (self.accept().await, self.accept().await);
        first.binds(CommandStatus::EsmeRok).await;
        second.binds(CommandStatus::EsmeRok).await;
        (first, second)
    }

    pub(crate) async fn refuses(&self, status: CommandStatus) {
        self.accept().await.binds(status).await;
    }
}

pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    read: BytesMut,
}

/// A command's octets.
pub(crate) fn octets(sequence: u32, status: CommandStatus, pdu: impl Into<Pdu>) -> Vec<u8> {
    let command = Command::new(status, sequence, pdu);
    let mut octets = BytesMut::new();
    octets.extend_from_slice(&(4 + command.length() as u32).to_be_bytes());
    command.encode(&mut octets);
    octets.to_vec()
}

impl Peer {
    /// What `rusmpp` makes of a body.
    pub(crate) fn reads(command: u32, body: &[u8]) -> Result<Command, String> {
        let mut octets = BytesMut::new();
        for number in [command, 0, 1] {
            octets.extend_from_slice(&number.to_be_bytes());
        }
        octets.extend_from_slice(body);
        let length = octets.len();
        Command::decode(&mut octets, length).map(|(c, _)| c).map_err(|error| error.to_string())
    }

    async fn next(&mut self) -> Command {
        loop {
            if let Some(length) = self.read.get(..4) {
                let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
                if self.read.len() >= length {
                    let mut octets = self.read.split_to(length).split_off(4);
                    return Command::decode(&mut octets, length - 4).unwrap().0;
                }
            }
            let mut buffer = [0; 4096];
            let length = timeout(PATIENCE, self.stream.read(&mut buffer)).await.unwrap().unwrap();
            assert!(length > 0, "the link hung up");
            self.read.extend_from_slice(&buffer[..length]);
        }
    }

    pub(crate) async fn raw(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn say(&mut self, sequence: u32, status: CommandStatus, pdu: impl Into<Pdu>) {
        self.raw(&octets(sequence, status, pdu)).await;
    }

    /// A response without a body.
    async fn header(&mut self, id: u32, status: CommandStatus, sequence: u32) {
        let octets = [16, id, u32::from(status), sequence].map(u32::to_be_bytes).concat();
        self.raw(&octets).await;
    }

    async fn binds(&mut self, status: CommandStatus) {
        let bind = self.next().await;
        let (sequence, name) =
            (bind.sequence_number(), COctetString::from_slice(b"Test-SMSC\0").unwrap());
        let said = match bind.pdu() {
            Some(Pdu::BindTransceiver(b)) => (b.system_id.clone(), b.password.clone()),
            Some(Pdu::BindTransmitter(b)) => (b.system_id.clone(), b.password.clone()),
            Some(Pdu::BindReceiver(b)) => (b.system_id.clone(), b.password.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!((said.0.as_str(), said.1.as_str()), ("jibu", super::SECRET));
        let is_ok = status == CommandStatus::EsmeRok;
        match bind.id() {
            id if !is_ok => self.header(u32::from(id) | 0x8000_0000, status, sequence).await,
            CommandId::BindTransceiver => {
                self.say(sequence, status, BindTransceiverResp::new(name, None)).await;
            }
            CommandId::BindTransmitter => {
                self.say(sequence, status, BindTransmitterResp::new(name, None)).await;
            }
            _ => self.say(sequence, status, BindReceiverResp::new(name, None)).await,
        }
    }

    pub(crate) async fn deliver(&mut self, sequence: u32, message: DeliverSm) {
        self.say(sequence, CommandStatus::EsmeRok, message).await;
    }

    /// The response to a `deliver_sm`, past whatever else is said.
    pub(crate) async fn delivered(&mut self, sequence: u32) {
        loop {
            let command = self.next().await;
            if command.id() == CommandId::DeliverSmResp && command.sequence_number() == sequence {
                assert_eq!(command.status(), CommandStatus::EsmeRok);
                return;
            }
            self.answer_enquiry(&command).await;
        }
    }

    async fn answer_enquiry(&mut self, command: &Command) {
        if command.id() == CommandId::EnquireLink {
            let sequence = command.sequence_number();
            self.header(0x8000_0015, CommandStatus::EsmeRok, sequence).await;
        }
    }

    pub(crate) async fn submitted(&mut self) -> (u32, SubmitSm) {
        loop {
            let command = self.next().await;
            if let Some(Pdu::SubmitSm(submit)) = command.pdu() {
                return (command.sequence_number(), submit.clone());
            }
            self.answer_enquiry(&command).await;
        }
    }

    pub(crate) async fn respond(&mut self, seq: u32, status: CommandStatus, pdu: SubmitSmResp) {
        self.say(seq, status, pdu).await;
    }

    pub(crate) async fn refuse(&mut self, sequence: u32, status: CommandStatus) {
        self.header(0x8000_0004, status, sequence).await;
    }

    /// Waits for an `enquire_link` and answers it.
    pub(crate) async fn enquired(&mut self) {
        loop {
            let command = self.next().await;
            self.answer_enquiry(&command).await;
            if command.id() == CommandId::EnquireLink {
                return;
            }
        }
    }

    pub(crate) async fn enquires(&mut self, sequence: u32) {
        self.header(0x15, CommandStatus::EsmeRok, sequence).await;
        while self.next().await.id() != CommandId::EnquireLinkResp {}
    }

    pub(crate) async fn unbinds(&mut self, sequence: u32) {
        self.header(0x06, CommandStatus::EsmeRok, sequence).await;
        while self.next().await.id() != CommandId::UnbindResp {}
    }

    pub(crate) async fn unbound(&mut self) {
        while self.next().await.id() != CommandId::Unbind {}
    }

    /// Nothing is said for so long.
    pub(crate) async fn is_quiet(&mut self, span: Duration) {
        if let Ok(said) = timeout(span, self.next()).await {
            panic!("{:?}", said.id());
        }
    }
}
