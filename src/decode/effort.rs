//! Bytes that are looked through to find where values end, counted in tests: broken text must not make the work grow with the
//! square of its length.

#[cfg(test)]
thread_local! {
    static LOOKED_THROUGH: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes that so many bytes were looked through.
#[inline(always)]
pub(crate) fn looked_through(bytes: usize) {
    #[cfg(test)]
    LOOKED_THROUGH.with(|sum| sum.set(sum.get() + bytes as u64));
    #[cfg(not(test))]
    let _uncounted = bytes;
}

/// The sum since the last time, on this thread.
#[cfg(test)]
pub(crate) fn take_sum() -> u64 {
    LOOKED_THROUGH.with(|sum| sum.replace(0))
}
