//! A column of lists of structures or texts, read where it lies.

use std::ops::Range;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::array::ListArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::StructArray;
use arrow::error::ArrowError;

use super::columns::Unreadable;

/// The column; a member of its structures has one value per element of all lists.
#[derive(Debug)]
pub(super) struct Structures<'b> {
    name: &'static str,
    lists: &'b ListArray,
    members: &'b StructArray,
}

/// Lists of texts, as a column or a member of structures.
#[derive(Debug)]
pub(super) struct TextLists<'b> {
    lists: &'b ListArray,
    texts: &'b StringArray,
}

impl<'b> Structures<'b> {
    pub(super) fn new(batch: &'b RecordBatch, name: &'static str) -> Result<Self, Unreadable> {
        let column = batch.column_by_name(name);
        let lists = column.and_then(|array| array.as_list_opt::<i32>());
        let found = lists.and_then(|lists| Some((lists, lists.values().as_struct_opt()?)));
        let (lists, members) =
            found.ok_or_else(|| ArrowError::SchemaError(format!("`{name}` has no lists of structures")))?;
        Ok(Self { name, lists, members })
    }

    /// Where the elements of a row stand in the members.
    pub(super) fn elements(&self, row: usize) -> Range<usize> {
        range(self.lists, row)
    }

    pub(super) fn texts(&self, member: &str) -> Result<&'b StringArray, Unreadable> {
        let column = self.members.column_by_name(member);
        let texts = column.and_then(|array| array.as_string_opt::<i32>());
        texts.ok_or_else(|| self.wrong(member))
    }

    pub(super) fn booleans(&self, member: &str) -> Result<&'b BooleanArray, Unreadable> {
        let column = self.members.column_by_name(member);
        let booleans = column.and_then(|array| array.as_boolean_opt());
        booleans.ok_or_else(|| self.wrong(member))
    }

    pub(super) fn text_lists(&self, member: &str) -> Result<TextLists<'b>, Unreadable> {
        let column = self.members.column_by_name(member);
        let lists = column.and_then(|array| array.as_list_opt::<i32>());
        let found = lists.and_then(|lists| Some((lists, lists.values().as_string_opt::<i32>()?)));
        let (lists, texts) = found.ok_or_else(|| self.wrong(member))?;
        Ok(TextLists { lists, texts })
    }

    fn wrong(&self, member: &str) -> Unreadable {
        ArrowError::SchemaError(format!("`{member}` of `{}` is missing or of another type", self.name))
    }
}

impl<'b> TextLists<'b> {
    /// A column of lists of texts.
    pub(super) fn new(batch: &'b RecordBatch, name: &str) -> Result<Self, Unreadable> {
        let column = batch.column_by_name(name);
        let lists = column.and_then(|array| array.as_list_opt::<i32>());
        let found = lists.and_then(|lists| Some((lists, lists.values().as_string_opt::<i32>()?)));
        let (lists, texts) = found.ok_or_else(|| ArrowError::SchemaError(format!("`{name}` has no lists of texts")))?;
        Ok(Self { lists, texts })
    }

    /// The texts of an element or row; one that is null is empty.
    pub(super) fn of(&self, element: usize) -> impl Iterator<Item = &'b str> + use<'b> {
        let texts = self.texts;
        range(self.lists, element).map(move |position| text(texts, position).unwrap_or_default())
    }
}

/// A text, if it is not null.
pub(super) fn text(texts: &StringArray, position: usize) -> Option<&str> {
    texts.is_valid(position).then(|| texts.value(position))
}

/// Where the elements of a list stand; nowhere for null.
fn range(lists: &ListArray, row: usize) -> Range<usize> {
    let offsets = lists.value_offsets();
    let bound = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok());
    match (lists.is_valid(row), bound(row), bound(row + 1)) {
        (true, Some(start), Some(end)) => start..end,
        _ => 0..0,
    }
}
