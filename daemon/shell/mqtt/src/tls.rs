use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

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
}

impl Tls {
    /// For a broker whose certificate one of `authorities` (PEM) has signed.
    /// `identity`, a certificate chain and its private key (both PEM), says who
    /// this end is.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn new(authorities: &[u8], identity: Option<(&[u8], &[u8])>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authorities) {
            roots.add(certificate).map_err(TlsError::Authority)?;
        }
        if roots.is_empty() {
            return Err(TlsError::NoAuthority);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Authority)?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = certificates(chain);
                if chain.is_empty() {
                    return Err(TlsError::NoCertificate);
                }
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey)?;
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
