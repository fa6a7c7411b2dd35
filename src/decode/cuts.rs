//! Where the text that is parsed has less than the source.

/// The places at which something was left out of a text, in order.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    cuts: Vec<Cut>,
}

#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Place of the first byte behind the cut in the shortened text.
    offset: usize,
    /// What to add to a place behind the cut to get that in the source; wraps where a bracket was put in front.
    shift: usize,
}

impl Cuts {
    /// Forgets everything; `shift` is what to add to a place before the first cut.
    pub(crate) fn begin(&mut self, shift: usize) {
        self.cuts.clear();
        self.cuts.push(Cut { offset: 0, shift });
    }

    /// Notes that so many bytes are missing before this place of the shortened text.
    pub(crate) fn add(&mut self, offset: usize, bytes: usize) {
        let shift = self.cuts.last().map_or(0, |cut| cut.shift).wrapping_add(bytes);
        self.cuts.push(Cut { offset, shift });
    }

    /// Number of the last cut up to a place; `known` is that of an earlier place.
    #[inline]
    pub(crate) fn number(&self, known: usize, offset: usize) -> usize {
        let behind = self.cuts.get(known + 1..).unwrap_or_default();
        known + behind.iter().take_while(|cut| cut.offset <= offset).count()
    }

    /// Place in the source of a place in the shortened text; `known` is the number of an earlier cut.
    #[inline]
    pub(crate) fn place(&self, known: usize, offset: usize) -> usize {
        let cut = self.cuts.get(self.number(known, offset));
        offset.wrapping_add(cut.map_or(0, |cut| cut.shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_behind_cuts_are_those_of_the_source() {
        let mut cuts = Cuts::default();
        cuts.begin(100_usize.wrapping_sub(1));
        cuts.add(10, 5);
        cuts.add(20, 7);
        for (offset, place) in [(1, 100), (9, 108), (10, 114), (19, 123), (20, 131), (30, 141)] {
            assert_eq!(cuts.place(0, offset), place);
            assert_eq!(cuts.place(cuts.number(0, offset), offset), place);
        }
        cuts.begin(0);
        assert_eq!(cuts.place(0, 30), 30);
    }
}
