//! Certificates of a test's own, made by `openssl`, and a server that shows one.

use std::{path::Path, process::Command, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

fn openssl(directory: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output();
    let done = done.unwrap_or_else(|error| panic!("these tests need `openssl` on the PATH (tests/run installs it): {error}"));
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Makes an authority (`ca.pem`, `ca.key`) that is good for two days.
pub fn authority(directory: &Path) {
    std::fs::write(directory.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(directory, &format!("req -x509 {NEW_KEY} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
}

/// Has it sign a certificate for the loopback (`WHO.pem`, `WHO.key`), good for so many days from now; -1: it ended a day ago.
pub fn signed(directory: &Path, who: &str, days: i32) {
    openssl(directory, &format!("req {NEW_KEY} -subj /CN={who} -keyout {who}.key -out {who}.csr"));
    openssl(
        directory,
        &format!("x509 -req -in {who}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -extfile names -out {who}.pem"),
    );
}

/// A server that shows this certificate to whoever comes and says nothing more; its port.
pub async fn shown_at_a_port(directory: &Path, who: &str) -> u16 {
    let chain = CertificateDer::pem_file_iter(directory.join(format!("{who}.pem"))).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(directory.join(format!("{who}.key"))).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(acceptor.accept(stream));
        }
    });
    port
}
