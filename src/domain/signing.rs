//! How tokens may be signed.

/// A signature algorithm of access tokens (RFC 7518, 3.1; RFC 8037, 3.1). A key is for one of them and never for another (RFC 8725, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256: whoever can check a token can make one.
    Hs256,
    /// Ed25519.
    EdDsa,
    /// RSA with SHA-256.
    Rs256,
}

impl SigningAlgorithm {
    pub const NAMES: [&str; 3] = ["HS256", "EdDSA", "RS256"];

    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "EdDSA" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}
