//! Certificates (X.509): whom they name and how long they are good, of a server that is asked and in files.
//!
//! Whether a certificate is to be trusted is not decided here: those who speak to a server decide that, each for itself. So that one which has
//! ended can be told of at all, a server's is taken down whatever it is, and nothing is ever sent over the connection that brought it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::{certificate::X509Certificate, parse_x509_certificate, pem::Pem};

use crate::domain::limits::CERTIFICATE_NAME_CHARS_MAX;

/// One certificate, as far as it concerns whoever looks after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject, as `CN=shop.example.com`: whatever its maker wrote, without what a terminal would obey.
    pub name: String,
    /// The first second in which it is good, since 1970.
    pub begins_secs: i64,
    /// The last one.
    pub ends_secs: i64,
}

impl Certificate {
    fn new(read: &X509Certificate<'_>) -> Self {
        let name = read.subject().to_string();
        let name: String = name.chars().filter(|c| !c.is_control()).take(CERTIFICATE_NAME_CHARS_MAX).collect();
        let validity = read.validity();
        Self {
            name: if name.is_empty() { "a certificate without a name".to_owned() } else { name },
            begins_secs: validity.not_before.timestamp(),
            ends_secs: validity.not_after.timestamp(),
        }
    }
}

/// Why there are no certificates to look at.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    #[error("the host can have no certificate: it is neither a name nor an address")]
    NoName,
    #[error("it speaks no TLS: {0}")]
    NoTls(io::Error),
    #[error("a certificate in it cannot be read")]
    Unreadable,
    #[error("there is no certificate in it")]
    Empty,
}

/// The certificates that a PEM file holds, in its order.
///
/// # Errors
/// One of them cannot be read, or there is none.
pub fn in_pem(file: &[u8]) -> Result<Vec<Certificate>, NoCertificate> {
    let mut found = Vec::new();
    for part in Pem::iter_from_buffer(file) {
        let part = part.map_err(|_| NoCertificate::Unreadable)?;
        // A key may stand beside it.
        if part.label == "CERTIFICATE" {
            found.push(read(&part.contents)?);
        }
    }
    if found.is_empty() { Err(NoCertificate::Empty) } else { Ok(found) }
}

/// What the server at the other end presents, its own first: `host` is the name that it is asked by, an IPv6 address without brackets.
///
/// # Errors
/// It presents none, or one that cannot be read.
pub async fn presented(host: &str, stream: TcpStream) -> Result<Vec<Certificate>, NoCertificate> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| NoCertificate::NoName)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let seen = Arc::new(TakenDown { algorithms: provider.signature_verification_algorithms, chain: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NoCertificate::NoTls(io::Error::other(error)))?
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    // A server that wants a certificate of ours refuses us after it has shown its own.
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let chain = std::mem::take(&mut *seen.chain.lock().unwrap_or_else(PoisonError::into_inner));
    match shaken {
        Err(error) if chain.is_empty() => Err(NoCertificate::NoTls(error)),
        _ => chain.iter().map(|der| read(der)).collect(),
    }
}

fn read(der: &[u8]) -> Result<Certificate, NoCertificate> {
    parse_x509_certificate(der).map(|(_, read)| Certificate::new(&read)).map_err(|_| NoCertificate::Unreadable)
}

/// Takes down what a server presents, and lets the handshake go on; that the server has the key is still checked.
#[derive(Debug)]
struct TakenDown {
    algorithms: WebPkiSupportedAlgorithms,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for TakenDown {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        *chain = std::iter::once(own).chain(others).map(|certificate| certificate.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, own, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, own, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
