//! A fixed 64-bit hash: the same value on every run, machine and thread, so that orders and streams
//! derived from it are reproducible. FNV-1a over bytes, finished by the SplitMix64 mixer
//! (Steele, Lea & Flood, OOPSLA 2014).

/// SplitMix64's finaliser: a bijection of 64-bit words that spreads every bit.
#[inline]
pub const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Folds a word into a running hash; the order matters.
#[inline]
pub const fn combine(hash: u64, word: u64) -> u64 {
    mix(hash.rotate_left(23) ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The hash of a byte string.
pub const fn of_bytes(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    mix(hash)
}

/// The hash of a text.
pub const fn of_str(text: &str) -> u64 {
    of_bytes(text.as_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_never_changes() {
        assert_eq!(super::of_str(""), super::mix(0xcbf2_9ce4_8422_2325));
        assert_eq!(super::of_str("regress/island3"), super::of_bytes(b"regress/island3"));
        assert_ne!(super::of_str("ab"), super::of_str("ba"));
    }
}
