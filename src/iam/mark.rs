//! Marks of names: most names that are looked for are in no request, which a bit tells.

/// One bit for each name, the same for all its spellings.
pub(super) fn marks(names: &[&str]) -> u64 {
    names.iter().fold(0, |marks, name| marks | mark(name))
}

/// One bit for a name.
pub(super) fn mark(name: &str) -> u64 {
    let lower = |end: Option<u8>| usize::from(end.unwrap_or_default().to_ascii_lowercase());
    let (first, last) = (lower(name.bytes().next()), lower(name.bytes().next_back()));
    let number = name.len().wrapping_mul(7) ^ first.wrapping_mul(5) ^ last;
    1 << (number % 64)
}
