//! A small seeded random generator: the same seed gives the same estate on every machine, whatever crates are updated.

/// The alphabet of the unique part of AWS access key and principal ids.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Xoshiro256++, seeded through SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator whose whole sequence is decided by `seed`.
    pub(super) fn seeded(seed: u64) -> Self {
        let mut mixer = seed;
        let state = [
            split_mix(&mut mixer),
            split_mix(&mut mixer),
            split_mix(&mut mixer),
            split_mix(&mut mixer),
        ];
        Self { state }
    }

    /// A generator for one named purpose, independent of how much others have drawn.
    pub(super) fn named(seed: u64, name: &str) -> Self {
        Self::seeded(seed ^ hash(name))
    }

    /// The next 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        let [first, second, third, fourth] = self.state;
        let result = first.wrapping_add(fourth).rotate_left(23).wrapping_add(first);
        let third = third ^ first;
        let fourth = fourth ^ second;
        self.state = [
            first ^ fourth,
            second ^ third,
            third ^ (second << 17),
            fourth.rotate_left(45),
        ];
        result
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One element of `choices`, or `None` when there are none.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(choices.len()).unwrap_or(0);
        choices.get(usize::try_from(self.below(count)).unwrap_or(0))
    }

    /// `length` lower-case hexadecimal digits.
    pub(super) fn hex(&mut self, length: usize) -> String {
        self.text(HEX, length)
    }

    /// `length` letters and digits.
    pub(super) fn alphanumeric(&mut self, length: usize) -> String {
        self.text(ALPHANUMERIC, length)
    }

    /// `length` characters of AWS's id alphabet (upper-case base32).
    pub(super) fn base32(&mut self, length: usize) -> String {
        self.text(BASE32, length)
    }

    /// A version-4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let high = (self.bits() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.bits() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .filter_map(|_| self.pick(alphabet))
            .map(|byte| char::from(*byte))
            .collect()
    }
}

/// A 64-bit FNV-1a hash: stable across Rust versions, which `std`'s hashers are not.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let first = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn same_seed_gives_same_sequence_and_other_seed_another() {
        let sequence = |seed| {
            let mut random = Random::seeded(seed);
            (0..8).map(|_| random.bits()).collect::<Vec<_>>()
        };
        assert_eq!(sequence(1), sequence(1));
        assert_ne!(sequence(1), sequence(2));
    }

    #[test]
    fn below_stays_under_the_bound_and_reaches_every_value() {
        let mut random = Random::seeded(3);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[usize::try_from(random.below(5)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn uuid_has_the_version_and_variant_bits() {
        let mut random = Random::seeded(4);
        for _ in 0..50 {
            let uuid = random.uuid();
            assert_eq!(uuid.len(), 36);
            assert_eq!(uuid.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&uuid.as_bytes()[19]));
        }
    }
}
