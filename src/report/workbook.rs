//! Workbooks (XLSX): sheets of typed rows, for people who work in spreadsheets.
//!
//! Text stays text: nothing becomes a formula, an address or markup, hidden characters are shown, and cells are of the type
//! "text", so that editing one does not make it a formula either. The same sheets give the same bytes.

mod names;
mod room;
mod sheet;

use std::fmt;
use std::io::Write;

use rust_xlsxwriter::DocProperties;
use rust_xlsxwriter::ExcelDateTime;
use rust_xlsxwriter::XlsxError;

pub use names::SheetNames;
pub use room::SheetRoom;
pub use sheet::CellValue;
pub use sheet::Sheet;
pub use sheet::SheetKind;
pub use sheet::SheetSummary;

use super::ReportError;

/// 1 January 1980, for times that spreadsheets do not know.
const FIRST_DAY: i64 = 315_532_800;

/// Sheets in one file.
pub struct Workbook {
    title: String,
    created_at: i64,
    sheets: Vec<Sheet>,
}

impl Workbook {
    /// A workbook without sheets. It says that it was made at `created_at`, in seconds since 1970, which comes from the rows or
    /// the user: there is no clock here.
    pub fn new(title: &str, created_at: i64) -> Self {
        Self {
            title: title.to_owned(),
            created_at,
            sheets: Vec::new(),
        }
    }

    /// Adds a sheet behind the others.
    pub fn add(&mut self, sheet: Sheet) {
        self.sheets.push(sheet);
    }

    /// Adds a sheet before the others.
    pub fn add_first(&mut self, sheet: Sheet) {
        self.sheets.insert(0, sheet);
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When the target takes no more bytes, or two sheets have one name.
    pub fn write(self, out: impl Write + Send) -> Result<(), ReportError> {
        let created_at =
            ExcelDateTime::from_timestamp(self.created_at).or_else(|_| ExcelDateTime::from_timestamp(FIRST_DAY))?;
        let properties = DocProperties::new()
            .set_title(self.title.as_str())
            .set_creation_datetime(&created_at);
        let mut workbook = rust_xlsxwriter::Workbook::new();
        workbook.set_properties(&properties);
        for sheet in self.sheets {
            workbook.push_worksheet(sheet.finish()?);
        }
        Ok(workbook.save_to_writer(out)?)
    }
}

impl fmt::Debug for Workbook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Workbook")
            .field("title", &self.title)
            .field("sheets", &self.sheets)
            .finish_non_exhaustive()
    }
}

impl From<XlsxError> for ReportError {
    fn from(cause: XlsxError) -> Self {
        match cause {
            XlsxError::IoError(cause) => Self::Write(cause),
            other => Self::Workbook(other),
        }
    }
}

#[cfg(test)]
mod tests;
