//! How much of a workbook a sheet may take.

/// How much a sheet may hold: a workbook is kept in memory as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetRoom {
    /// Rows, without the header.
    pub rows: u32,
    /// Memory of its cells, about; a row that begins within it is written whole.
    pub bytes: u64,
}
