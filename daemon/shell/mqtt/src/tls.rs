use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// How this end and the broker know each other: TLS 1.2 or 1.3, with ring.
#[derive(Clone)]
pub struct Tls {
    pub(crate) config: Arc<ClientConfig>,
}

/// Why certificates or keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No authority's certificate.
    #[error(
        "the authority's file holds no certificate: it begins with -----BEGIN CERTIFICATE-----"
    )]
    NoAuthority,
    /// An authority that cannot be one.
    #[error("the authority's certificate cannot be used")]
    Authority(#[source] rustls::Error),
    /// No certificate of our own.
    #[error("the certificate's file holds no certificate: enrol again, or bring its backup")]
    NoCertificate,
    /// No private key.
    #[error("the key's file holds no private key: enrol again, or bring its backup")]
    NoKey,
    /// The key and the certificate do not belong together, or are of no known kind.
    #[error("key and certificate do not fit together: bring both of one enrolment")]
    Identity(#[source] rustls::Error),
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// Who this end is: a certificate chain and its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From texts in PEM.
    ///
    /// # Errors
    /// [`TlsError::NoCertificate`], [`TlsError::NoKey`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain);
        if chain.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey)?;
        Ok(Identity { chain, key })
    }

    /// From a certificate in DER and a key in PKCS #8.
    ///
    /// # Errors
    /// [`TlsError::NoKey`].
    pub fn from_der(certificate: Vec<u8>, key: Vec<u8>) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::try_from(key).map_err(|_| TlsError::NoKey)?;
        Ok(Identity { chain: vec![certificate.into()], key })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Tls {
    /// For a broker whose certificate one of `authorities`, in PEM, has signed.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn from_pem(authorities: &[u8], identity: Option<Identity>) -> Result<Self, TlsError> {
        Self::new(certificates(authorities), identity)
    }

    /// For a broker whose certificate `authority`, in DER, has signed.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn from_der(authority: Vec<u8>, identity: Option<Identity>) -> Result<Self, TlsError> {
        Self::new(vec![authority.into()], identity)
    }

    /// For whichever broker answers: hidden from who only listens, and nothing
    /// more. For messages that carry their own proof, such as an enrolment's.
    ///
    /// # Errors
    /// [`TlsError::Setup`].
    pub fn with_anybody() -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let anybody = Arc::new(Anybody(Arc::clone(&provider)));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .dangerous()
            .with_custom_certificate_verifier(anybody)
            .with_no_client_auth();
        Ok(Tls { config: Arc::new(config) })
    }

    fn new(
        authorities: Vec<CertificateDer<'static>>,
        identity: Option<Identity>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in authorities {
            roots.add(certificate).map_err(TlsError::Authority)?;
        }
        if roots.is_empty() {
            return Err(TlsError::NoAuthority);
        }
        let builder =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(TlsError::Setup)?
                .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain, key).map_err(TlsError::Identity)?
            }
        };
        Ok(Tls { config: Arc::new(config) })
    }
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).map_while(Result::ok).collect()
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// Takes every certificate whose key the other end has.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
