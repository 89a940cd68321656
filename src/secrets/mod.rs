//! Passwords, tokens, digests, sealed secrets and random bytes: everything that needs cryptography.

pub mod api_key;
pub mod certificates;
pub mod digest;
pub mod issuers;
pub mod passwords;
pub mod random;
pub mod records;
pub mod refresh;
pub mod ring;
pub mod seal;
pub mod tokens;

/// Chooses the one cryptography library for TLS. Call it first thing in a process, before any connection is made.
pub fn install_crypto() {
    // A second call finds the provider in place, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
