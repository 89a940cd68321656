//! Which release this is. `build.rs` finds out the commit.

/// As in Cargo.toml: `0.1.0`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first digits of the commit that it was built from, with `-changed` if the source was not quite that; empty if that is not known.
pub const COMMIT: &str = env!("BUILT_FROM_COMMIT");

/// Both, as `--version` tells them: `0.1.0 (1f2e3d4c5b6a)`, or the version alone.
pub const VERSION_AND_COMMIT: &str = env!("BUILT_FROM_VERSION");
