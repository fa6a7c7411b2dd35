//! Passing over a value that is too large to be kept.

/// Follows the rest of one value across windows without keeping it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Skipper {
    depth: usize,
    in_string: bool,
    escaped: bool,
    ends_at_newline: bool,
}

impl Skipper {
    /// Follows a value that began without a newline: the next one ends it, for there is none inside a string.
    pub(crate) fn of_line() -> Self {
        Self {
            ends_at_newline: true,
            ..Self::default()
        }
    }

    /// Position behind the value in this window; `None` when it goes on.
    pub(crate) fn skip(&mut self, window: &[u8]) -> Option<usize> {
        for (position, &byte) in window.iter().enumerate() {
            if self.ends_at_newline && byte == b'\n' {
                return Some(position);
            }
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                self.in_string = byte != b'"';
                self.escaped = byte == b'\\';
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => continue,
                }
            }
            if self.depth == 0 && !self.in_string && !self.escaped {
                return Some(position + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipper_finds_the_end_across_windows() {
        let text = br#"{"a":"}\"","b":[{}]} ,"#;
        for cut in 0..text.len() {
            let mut skipper = Skipper::default();
            let first = skipper.skip(&text[..cut]);
            let end = first.or_else(|| skipper.skip(&text[cut..]).map(|end| end + cut));
            assert_eq!(end, Some(20), "cut at {cut}");
        }
    }
}
