//! Text of whatever array holds it, without a copy where it can be had.

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::StringArray;
use arrow::array::StringViewArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;

/// A column of text.
pub(super) enum Texts {
    Plain(StringArray),
    View(StringViewArray),
}

impl Texts {
    /// Fails for values that cannot be text.
    pub(super) fn new(array: &ArrayRef) -> Result<Self> {
        if let Some(views) = array.as_string_view_opt() {
            return Ok(Self::View(views.clone()));
        }
        if let Some(plain) = array.as_string_opt::<i32>() {
            return Ok(Self::Plain(plain.clone()));
        }
        let text = cast(array, &DataType::Utf8)?;
        Ok(Self::Plain(text.as_string::<i32>().clone()))
    }

    /// The text of a row; `None` for null and behind the end.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Plain(array) => (row < array.len() && array.is_valid(row)).then(|| array.value(row)),
            Self::View(array) => (row < array.len() && array.is_valid(row)).then(|| array.value(row)),
        }
    }
}
