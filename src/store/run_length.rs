//! Small numbers as Parquet packs them: repeated ones as runs, others bit by bit.
//!
//! Format: <https://parquet.apache.org/docs/file-format/data-pages/encodings/#run-length-encoding--bit-packing-hybrid-rle--3>.

/// Numbers that are packed together, and the shortest run worth its own header.
const GROUP: usize = 8;
/// Numbers that are compared at once.
pub(super) const BLOCK: usize = 32;

/// Bits that the numbers below `count` need.
pub(super) fn bit_width(count: usize) -> u8 {
    let largest = count.saturating_sub(1);
    u8::try_from(usize::BITS - largest.leading_zeros()).unwrap_or(u8::MAX)
}

/// Appends the numbers, none of which needs more than `width` bits.
pub(super) fn encode(numbers: &[u32], width: u8, out: &mut Vec<u8>) {
    let (mut packed, mut position) = (0_usize, 0_usize);
    while let Some((group, rest)) = numbers.get(position..).and_then(<[u32]>::split_first_chunk::<GROUP>) {
        let [.., number] = *group;
        // From the back, so that where there are no runs a group takes one comparison.
        if let Some(other) = group.iter().rposition(|&other| other != number) {
            position += other + 1;
            continue;
        }
        let length = GROUP + first_run(rest, number);
        // Packed numbers come in whole groups, so those before a run take from it what they lack.
        let lacking = (position - packed).next_multiple_of(GROUP) - (position - packed);
        if length >= lacking + GROUP {
            pack(numbers.get(packed..position + lacking).unwrap_or_default(), width, out);
            packed = position + length;
            repeat(number, length - lacking, width, out);
        }
        position += length;
    }
    pack(numbers.get(packed..).unwrap_or_default(), width, out);
}

/// Appends one number so many times.
pub(super) fn repeat(number: u32, count: usize, width: u8, out: &mut Vec<u8>) {
    header(count << 1, out);
    let bytes = usize::from(width.div_ceil(8));
    out.extend(number.to_le_bytes().iter().take(bytes));
}

/// How many of the numbers, from the first on, are this one.
fn first_run(numbers: &[u32], number: u32) -> usize {
    let blocks = numbers.chunks_exact(BLOCK);
    let same = blocks.take_while(|block| are_all(block, number)).count() * BLOCK;
    let rest = numbers.get(same..).unwrap_or_default();
    same + rest.iter().take_while(|&&other| other == number).count()
}

/// Whether all numbers are this one: without a way out in the middle, so that many are compared at once.
pub(super) fn are_all<N: Copy + PartialEq>(numbers: &[N], number: N) -> bool {
    numbers.iter().fold(true, |same, &other| same & (other == number))
}

/// Appends numbers bit by bit; the last group is filled up with zeros, which no reader looks at.
fn pack(numbers: &[u32], width: u8, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    header(groups << 1 | 1, out);
    let end = out.len() + groups * usize::from(width);
    let mut bits = 0_u64;
    let mut filled = 0_u8;
    for &number in numbers {
        bits |= u64::from(number) << filled;
        filled += width;
        if filled >= 32 {
            let [first, second, third, fourth, ..] = bits.to_le_bytes();
            out.extend_from_slice(&[first, second, third, fourth]);
            bits >>= 32;
            filled -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes());
    out.resize(end, 0);
}

/// Appends a number seven bits a byte (ULEB128).
fn header(mut number: usize, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads what [`encode`] writes, by the format's description.
    fn decode(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let (mut header, mut shift) = (0_usize, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let size = if header & 1 == 0 {
                usize::from(width).div_ceil(8)
            } else {
                (header >> 1) * usize::from(width)
            };
            let (head, rest) = bytes.split_at(size);
            let bit = |index: usize| u32::from(head[index / 8] >> (index % 8) & 1);
            let number = |start: usize| {
                (0..usize::from(width))
                    .map(|offset| bit(start + offset) << offset)
                    .sum::<u32>()
            };
            if header & 1 == 0 {
                numbers.extend(std::iter::repeat_n(number(0), header >> 1));
            } else {
                numbers.extend((0..(header >> 1) * 8).map(|index| number(index * usize::from(width))));
            }
            bytes = rest;
        }
        assert!(bytes.is_empty(), "{} bytes too many", bytes.len());
        numbers.truncate(count);
        numbers
    }

    #[test]
    fn width_holds_the_largest_number() {
        for (count, width) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)] {
            assert_eq!(bit_width(count), width, "{count}");
        }
    }

    #[test]
    fn run_takes_two_bytes_and_lends_to_the_group_before() {
        let mut out = Vec::new();
        encode(&[5; 40], 3, &mut out);
        assert_eq!(out, [80, 5]);
        out.clear();
        encode(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1, &mut out);
        assert_eq!(out, [0b11, 1, 16, 0]);
    }

    proptest! {
        #[test]
        fn numbers_come_back(
            runs in proptest::collection::vec((any::<u32>(), 1..40_usize), 0..40),
            width in 0..=32_u8,
        ) {
            let mask = u32::MAX.checked_shr(u32::from(32 - width)).unwrap_or(0);
            let numbers: Vec<u32> = runs
                .iter()
                .flat_map(|&(number, count)| std::iter::repeat_n(number & mask, count))
                .collect();
            let mut out = Vec::new();
            encode(&numbers, width, &mut out);
            prop_assert_eq!(decode(&out, width, numbers.len()), numbers);
        }
    }
}
