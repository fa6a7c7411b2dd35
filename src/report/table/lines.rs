//! A row of a table as a line, or as several where its cells go on.

use crate::report::arrangement::broken;
use crate::report::layout::GAP;
use crate::report::layout::cut;
use crate::report::layout::display_width;

/// A line per row, or several where cells go on.
pub(super) struct Lines {
    /// Positions of the columns that are shown.
    pub(super) columns: Vec<usize>,
    pub(super) widths: Vec<usize>,
    pub(super) right_aligned: Vec<bool>,
    pub(super) wrapped: Vec<bool>,
    pub(super) heading: Option<usize>,
}

impl Lines {
    /// Whether a column is in no line.
    pub(super) fn leaves_out(&self, all: usize) -> bool {
        self.columns.len() + usize::from(self.heading.is_some()) < all
    }

    /// The cells that are shown, cut to their columns; says whether any was.
    pub(super) fn cut(&self, row: &[String]) -> (Vec<String>, bool) {
        let cells = self
            .columns
            .iter()
            .map(|column| row.get(*column).map_or("", String::as_str));
        let shown: Vec<String> = cells
            .clone()
            .zip(&self.widths)
            .map(|(cell, width)| cut(cell, *width).into_owned())
            .collect();
        let is_cut = shown.iter().zip(cells).any(|(shown, cell)| shown.len() != cell.len());
        (shown, is_cut)
    }

    /// The lines of one row; says whether a cell was cut.
    pub(super) fn of(&self, row: &[String]) -> (Vec<String>, bool) {
        let (mut first, _) = self.cut(row);
        let (mut further, mut is_cut) = (Vec::new(), false);
        let columns = self.columns.iter().zip(&self.widths).zip(&self.wrapped);
        for (position, (((column, width), is_wrapped), shown)) in columns.zip(&mut first).enumerate() {
            let cell = row.get(*column).map_or("", String::as_str);
            if !is_wrapped {
                is_cut |= shown.len() != cell.len();
                continue;
            }
            let mut lines = broken(cell, *width).into_iter();
            *shown = lines.next().unwrap_or_default();
            for (number, line) in lines.enumerate() {
                if number == further.len() {
                    further.push(vec![String::new(); self.columns.len()]);
                }
                let place = further.get_mut(number).and_then(|cells| cells.get_mut(position));
                place.into_iter().for_each(|place| place.clone_from(&line));
            }
        }
        let rows = std::iter::once(&first).chain(&further);
        let texts = rows.map(|cells| whole_line(cells, &self.widths, &self.right_aligned));
        (texts.collect(), is_cut)
    }
}

/// One line; a cell wider than its column moves what stands to its right.
pub(super) fn whole_line(cells: &[impl AsRef<str>], widths: &[usize], right_aligned: &[bool]) -> String {
    let mut text = String::new();
    for (column, ((cell, width), is_right)) in cells.iter().zip(widths).zip(right_aligned).enumerate() {
        let cell = cell.as_ref();
        let padding = " ".repeat(width.saturating_sub(display_width(cell)));
        if column > 0 {
            text.push_str(&" ".repeat(GAP));
        }
        if *is_right {
            text.push_str(&padding);
            text.push_str(cell);
        } else {
            text.push_str(cell);
            text.push_str(&padding);
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}
