//! How a connection to one server is opened: who we are, encryption, deadlines.

use std::{fs, path::Path, time::Duration};

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsCertificates, io::tcp::TcpSettings,
};
use secrecy::{ExposeSecret, SecretString};

use crate::settings::{Entry, Place, Store};

/// Who we are for servers of one kind. Cheap to clone.
#[derive(Clone)]
pub struct Dial {
    entry: Entry,
    certificates: Option<TlsCertificates>,
    database: u32,
}

impl Dial {
    pub fn new(entry: Entry, certificates: Option<TlsCertificates>, database: u32) -> Self {
        Self { entry, certificates, database }
    }

    /// A client of the server at this place. Nothing is sent yet.
    pub fn client(&self, (host, port): &Place) -> Result<Client, RedisError> {
        let Entry { tls, user, password } = &self.entry;
        let address = if *tls {
            ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host.clone(), *port)
        };
        let mut who = RedisConnectionInfo::default().set_db(i64::from(self.database));
        if let Some(user) = user {
            who = who.set_username(user);
        }
        if let Some(password) = password {
            who = who.set_password(password.expose_secret());
        }
        sealed(address.into_connection_info()?.set_redis_settings(who), self.certificates.as_ref().filter(|_| *tls))
    }
}

/// A client of the server that a URL names.
pub fn by_url(url: &SecretString, certificates: Option<&TlsCertificates>) -> Result<Client, RedisError> {
    sealed(url.expose_secret().into_connection_info()?, certificates)
}

fn sealed(info: redis::ConnectionInfo, certificates: Option<&TlsCertificates>) -> Result<Client, RedisError> {
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    match certificates {
        Some(certificates) => Client::build_with_tls(info, certificates.clone()),
        None => Client::open(info),
    }
}

/// Reads the files of the settings; `None` if none is named.
///
/// # Errors
/// A sentence for each file that cannot be read.
pub fn certificates(settings: &Store) -> Result<Option<TlsCertificates>, Vec<String>> {
    let mut problems = Vec::new();
    let mut read = |key: &str, path: Option<&Path>| {
        let path = path?;
        fs::read(path).map_err(|error| problems.push(format!("store.{key}: {} cannot be read: {error}", path.display()))).ok()
    };
    let root_cert = read("tls_ca_file", settings.tls_ca_file.as_deref());
    let certificate = read("tls_cert_file", settings.tls_cert_file.as_deref());
    let key = read("tls_key_file", settings.tls_key_file.as_deref());
    if !problems.is_empty() {
        return Err(problems);
    }
    let client_tls = certificate.zip(key).map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
    let some = root_cert.is_some() || client_tls.is_some();
    Ok(some.then_some(TlsCertificates { client_tls, root_cert }))
}

/// A server gets so long to accept a connection and to let us in.
pub fn connecting(deadline: Duration) -> redis::AsyncConnectionConfig {
    // Every call has a deadline of its own.
    redis::AsyncConnectionConfig::new().set_connection_timeout(Some(deadline)).set_response_timeout(None)
}
