//! One sheet: a header that stays in view, typed columns with filters, and rows as far as the format has room.

use std::borrow::Cow;
use std::fmt;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use jiff::Timestamp;
use rust_xlsxwriter::Format;
use rust_xlsxwriter::FormatAlign;
use rust_xlsxwriter::Url;
use rust_xlsxwriter::Worksheet;
use unicode_width::UnicodeWidthStr;

use super::SheetRoom;
use crate::report::ReportError;
use crate::report::cells;
use crate::report::cells::CellOptions;
use crate::report::cells::Cells;
use crate::report::escape;

/// Most UTF-16 units of a cell.
const MOST_UNITS: usize = 32_767;
/// Most rows of a sheet, without its header.
const MOST_ROWS: u32 = 1_048_575;
/// Memory that a cell takes beside its text, about.
const CELL_BYTES: u64 = 80;
/// Digits of a number that spreadsheets keep.
const MOST_DIGITS: usize = 15;
/// Columns are as wide as their widest value among the first rows, within these bounds.
const ROWS_OF_WIDTH: u32 = 200;
const WIDTHS: (usize, usize) = (8, 60);
/// Width of a time as it is shown, and of the arrow of the filter in a header.
const TIME_WIDTH: usize = 20;
const ARROW_WIDTH: usize = 3;
/// Times are UTC; spreadsheets have no zones, so each says so.
const TIME_FORMAT: &str = "yyyy-mm-dd hh:mm:ss\"Z\"";
const MICROSECONDS_PER_DAY: f64 = 86_400_000_000.0;
/// Days of spreadsheets at the start of 1970.
const EPOCH_DAY: f64 = 25_569.0;
/// Days that mean the same in all spreadsheets: 1 March 1900 to the end of the year 9999.
const KNOWN_DAYS: std::ops::Range<f64> = 61.0..2_958_466.0;
/// The format "text": what somebody types over a value stays text.
const TEXT_FORMAT: u8 = 49;
const HEADER_COLOR: u32 = 0x00DD_E6F0;
/// A4.
const PAPER: u8 = 9;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetKind {
    /// Text, also that of nested values.
    Text,
    /// Numbers.
    Number,
    /// Moments.
    Time,
    /// Truths.
    Truth,
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellValue<'a> {
    /// No value.
    Empty,
    /// Text; what is too long for a cell is cut, and the cell says so.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// A whole number; text where it has more digits than spreadsheets keep.
    Whole(i64),
    /// Microseconds since 1970.
    Time(i64),
    /// A truth.
    Truth(bool),
    /// A link to the sheet of this name in the same workbook.
    Sheet(&'a str),
}

/// What of the rows a sheet holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SheetSummary {
    /// Rows in the sheet.
    pub rows: u64,
    /// Further rows that were offered.
    pub left_out: u64,
    /// Values that were cut.
    pub cut_values: u64,
}

/// A sheet.
pub struct Sheet {
    worksheet: Worksheet,
    columns: Vec<Column>,
    room: SheetRoom,
    bytes: u64,
    rows: u32,
    summary: SheetSummary,
    text: Format,
}

#[derive(Debug)]
struct Column {
    number: u16,
    kind: SheetKind,
    /// Fractions are kept as spreadsheets keep them; whole numbers to the last digit.
    is_whole: bool,
    width: usize,
}

impl Sheet {
    /// A sheet without rows. Its name is one that [`super::SheetNames`] gave.
    ///
    /// # Errors
    /// When a sheet cannot have this name or so many columns.
    pub fn new(name: &str, columns: &[(&str, SheetKind)]) -> Result<Self, ReportError> {
        let text = Format::new()
            .set_num_format_index(TEXT_FORMAT)
            .set_align(FormatAlign::Top);
        let mut sheet = Self {
            worksheet: Worksheet::new(),
            columns: Vec::new(),
            room: SheetRoom {
                rows: MOST_ROWS,
                bytes: u64::MAX,
            },
            bytes: 0,
            rows: 0,
            summary: SheetSummary::default(),
            text,
        };
        sheet.worksheet.set_name(name)?;
        let header = Format::new()
            .set_bold()
            .set_num_format_index(TEXT_FORMAT)
            .set_background_color(HEADER_COLOR);
        for (number, (name, kind)) in (0_u16..).zip(columns) {
            let format = match kind {
                SheetKind::Text => sheet.text.clone(),
                SheetKind::Time => Format::new().set_num_format(TIME_FORMAT).set_align(FormatAlign::Top),
                SheetKind::Number | SheetKind::Truth => Format::new().set_align(FormatAlign::Top),
            };
            sheet.worksheet.set_column_format(number, &format)?;
            let title = safe(name);
            sheet
                .worksheet
                .write_string_with_format(0, number, title.as_ref(), &header)?;
            sheet.columns.push(Column {
                number,
                kind: *kind,
                is_whole: true,
                width: title.width() + ARROW_WIDTH,
            });
        }
        Ok(sheet)
    }

    /// A sheet with the columns of batches.
    ///
    /// # Errors
    /// When a sheet cannot have this name or so many columns.
    pub fn of_schema(name: &str, schema: &SchemaRef) -> Result<Self, ReportError> {
        let columns = schema.fields().iter();
        let columns: Vec<(&str, SheetKind)> = columns
            .map(|field| (field.name().as_str(), kind_of(field.data_type())))
            .collect();
        let mut sheet = Self::new(name, &columns)?;
        for (column, field) in sheet.columns.iter_mut().zip(schema.fields()) {
            column.is_whole = !field.data_type().is_floating();
        }
        Ok(sheet)
    }

    /// The same sheet with room for less; rows beyond are counted.
    pub fn with_room(mut self, room: SheetRoom) -> Self {
        self.room = SheetRoom {
            rows: room.rows.min(MOST_ROWS),
            ..room
        };
        self
    }

    /// What the sheet takes so far.
    pub fn taken(&self) -> SheetRoom {
        SheetRoom {
            rows: self.rows,
            bytes: self.bytes,
        }
    }

    /// What the sheet holds so far.
    pub fn summary(&self) -> SheetSummary {
        self.summary
    }

    /// Adds the rows of a batch with the columns of the sheet.
    ///
    /// # Errors
    /// When a value cannot be rendered.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let schema = cells::renderable_schema(&batch.schema());
        let batch = cells::renderable(&schema, batch)?;
        let options = CellOptions::new();
        let mut rendered = Cells::new(schema.fields(), &batch, &options)?;
        for row in 0..batch.num_rows() {
            if !self.begin_row() {
                continue;
            }
            rendered.row(row, |position, text| match text {
                None => Ok(()),
                Some(text) => {
                    let column = self.columns.get(position);
                    let value = column.map_or(CellValue::Text(text), |column| column.value(text));
                    self.cell(position, value)
                }
            })?;
        }
        Ok(())
    }

    /// Adds one row.
    ///
    /// # Errors
    /// When there are more values than columns.
    pub fn push(&mut self, values: &[CellValue<'_>]) -> Result<(), ReportError> {
        if self.begin_row() {
            for (position, value) in values.iter().enumerate() {
                self.cell(position, *value)?;
            }
        }
        Ok(())
    }

    /// Whether there is room for one more row; counts it either way.
    fn begin_row(&mut self) -> bool {
        let has_room = self.rows < self.room.rows && self.bytes < self.room.bytes;
        if has_room {
            self.rows += 1;
            self.summary.rows += 1;
        } else {
            self.summary.left_out += 1;
        }
        has_room
    }

    /// Writes one cell of the last row. The formats of columns hold, but where a value is of another kind.
    fn cell(&mut self, position: usize, value: CellValue<'_>) -> Result<(), ReportError> {
        let row = self.rows;
        let beyond = || rust_xlsxwriter::XlsxError::RowColumnLimitError;
        let column = self.columns.get_mut(position).ok_or_else(beyond)?;
        let (number, is_text) = (column.number, column.kind == SheetKind::Text);
        let text_bytes = match value {
            CellValue::Text(text) => text.len().min(MOST_UNITS),
            _ => 0,
        };
        self.bytes += CELL_BYTES + u64::try_from(text_bytes).unwrap_or(u64::MAX);
        let width = match value {
            CellValue::Empty => return Ok(()),
            CellValue::Number(value) if value.is_finite() => {
                self.worksheet.write_number(row, number, value)?;
                value.to_string().len()
            }
            CellValue::Number(value) => return self.cell(position, CellValue::Text(&value.to_string())),
            CellValue::Whole(value) => match exact(&value.to_string()) {
                Some(float) => return self.cell(position, CellValue::Number(float)),
                None => return self.cell(position, CellValue::Text(&value.to_string())),
            },
            CellValue::Time(micros) => match serial(micros) {
                Some(serial) => {
                    self.worksheet.write_number(row, number, serial)?;
                    TIME_WIDTH
                }
                None => return self.cell(position, CellValue::Whole(micros)),
            },
            CellValue::Truth(value) => {
                self.worksheet.write_boolean(row, number, value)?;
                WIDTHS.0
            }
            CellValue::Sheet(name) => {
                let url = Url::new(format!("internal:'{}'!A1", name.replace('\'', "''"))).set_text(name);
                self.worksheet.write_url(row, number, url)?;
                name.width()
            }
            CellValue::Text(text) => {
                let whole = safe(text);
                let fitting = fitting(&whole);
                self.summary.cut_values += u64::from(fitting.len() != whole.len());
                match is_text {
                    true => self.worksheet.write_string(row, number, fitting.as_ref())?,
                    false => self
                        .worksheet
                        .write_string_with_format(row, number, fitting.as_ref(), &self.text)?,
                };
                fitting.width()
            }
        };
        if row <= ROWS_OF_WIDTH {
            column.width = column.width.max(width);
        }
        Ok(())
    }

    /// The sheet as the library takes it.
    pub(super) fn finish(mut self) -> Result<Worksheet, ReportError> {
        for column in &self.columns {
            let width = u32::try_from(column.width.clamp(WIDTHS.0, WIDTHS.1)).unwrap_or_default();
            self.worksheet.set_column_width(column.number, f64::from(width))?;
        }
        self.worksheet.set_freeze_panes(1, 0)?;
        if let Some(last) = self.columns.last() {
            self.worksheet.autofilter(0, 0, self.rows, last.number)?;
        }
        self.worksheet.set_repeat_rows(0, 0)?;
        self.worksheet
            .set_paper_size(PAPER)
            .set_landscape()
            .set_print_fit_to_pages(1, 0);
        Ok(self.worksheet)
    }
}

impl Column {
    /// A rendered cell as this column holds it; text where it would lose something.
    fn value<'a>(&self, text: &'a str) -> CellValue<'a> {
        let value = match self.kind {
            SheetKind::Text => None,
            SheetKind::Number if self.is_whole => exact(text).map(CellValue::Number),
            SheetKind::Number => text.parse().ok().map(CellValue::Number),
            SheetKind::Time => {
                let time = text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
                let known = time.filter(|micros| serial(*micros).is_some());
                known.map(CellValue::Time)
            }
            SheetKind::Truth => text.parse().ok().map(CellValue::Truth),
        };
        value.unwrap_or(CellValue::Text(text))
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sheet")
            .field("columns", &self.columns)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

fn kind_of(data_type: &DataType) -> SheetKind {
    match data_type {
        DataType::Timestamp(_, _) => SheetKind::Time,
        DataType::Boolean => SheetKind::Truth,
        number if cells::is_number(number) => SheetKind::Number,
        _ => SheetKind::Text,
    }
}

/// A whole number that spreadsheets keep to the last digit.
fn exact(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.parse().ok().filter(|_| digits <= MOST_DIGITS)
}

/// A moment in days, as spreadsheets count them.
fn serial(micros: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "fractions of a second are not shown")]
    let days = micros as f64 / MICROSECONDS_PER_DAY + EPOCH_DAY;
    KNOWN_DAYS.contains(&days).then_some(days)
}

/// Text with hidden characters shown, and in no form that the writer takes for markup.
fn safe(text: &str) -> Cow<'_, str> {
    let shown = escape::visible(text);
    // The library writes texts of this form as they are, for cells with several fonts.
    match shown.starts_with("<r>") && shown.ends_with("</r>") {
        true => Cow::Owned(format!("'{shown}")),
        false => shown,
    }
}

/// The text, or as much of it as a cell holds with the remark that it was cut.
fn fitting(text: &str) -> Cow<'_, str> {
    let units = text.chars().map(char::len_utf16).sum::<usize>();
    if units <= MOST_UNITS {
        return Cow::Borrowed(text);
    }
    let remark = format!("… [cut: {units} characters]");
    let mut room = MOST_UNITS.saturating_sub(remark.chars().count());
    let start = text.chars().take_while(|character| {
        let has_room = character.len_utf16() <= room;
        room = room.saturating_sub(character.len_utf16());
        has_room
    });
    Cow::Owned(start.chain(remark.chars()).collect())
}
