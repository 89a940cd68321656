//! Random text for secrets and nonces, from the operating system's generator.

use aws_lc_rs::rand;

use super::digest::hex;

/// `bytes` random bytes in hexadecimal.
///
/// # Panics
/// If the system has no randomness to give: nothing may go on without it.
pub fn hex_of(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    fill(&mut buffer);
    hex(&buffer)
}

/// 64 random bits.
///
/// # Panics
/// As [`hex_of`].
pub fn number() -> u64 {
    let mut buffer = [0; size_of::<u64>()];
    fill(&mut buffer);
    u64::from_be_bytes(buffer)
}

/// A password of 20 characters that people can type: 32 letters and digits without look-alikes, 100 bits.
///
/// # Panics
/// As [`hex_of`].
pub fn password() -> String {
    const LETTERS: &str = "abcdefghijkmnpqrstuvwxyz23456789";
    let mut buffer = [0; 20];
    fill(&mut buffer);
    buffer.iter().filter_map(|byte| LETTERS.chars().nth(usize::from(byte & 31))).collect()
}

#[expect(clippy::expect_used, reason = "without randomness no secret can be made, and a made-up one would be worse than stopping")]
fn fill(buffer: &mut [u8]) {
    rand::fill(buffer).expect("the system's random generator answers");
}
