//! Column buffers that grow row by row and come out in any row order as Arrow arrays.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::array::DictionaryArray;
use arrow::array::Int32Array;
use arrow::array::Int64Array;
use arrow::array::ListArray;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::buffer::BooleanBuffer;
use arrow::buffer::Buffer;
use arrow::buffer::NullBuffer;
use arrow::buffer::OffsetBuffer;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Field;
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

/// Code of an absent value.
pub(crate) const ABSENT: i32 = -1;

/// Distinct texts, numbered from 0 in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    codes: HashTable<i32>,
    hasher: DefaultHashBuilder,
    text: String,
    ends: Vec<usize>,
}

impl Interner {
    /// Number of the text, and whether it is new.
    pub(crate) fn intern(&mut self, value: &str) -> (i32, bool) {
        let Self {
            codes,
            hasher,
            text,
            ends,
        } = self;
        let hash = hasher.hash_one(value.as_bytes());
        if let Some(&code) = codes.find(hash, |&code| text_of(text, ends, code) == value) {
            return (code, false);
        }
        let code = i32::try_from(ends.len()).unwrap_or(i32::MAX);
        text.push_str(value);
        ends.push(text.len());
        codes.insert_unique(hash, code, |&code| {
            hasher.hash_one(text_of(text, ends, code).as_bytes())
        });
        (code, true)
    }

    /// Text of a number; empty for one never given out.
    pub(crate) fn get(&self, code: i32) -> &str {
        text_of(&self.text, &self.ends, code)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * 24
    }

    /// All texts in order of their numbers.
    pub(crate) fn values(&self) -> Result<StringArray, ArrowError> {
        string_array(self.text.as_bytes().to_vec(), self.ends.iter().copied(), None)
    }

    /// Position of every number in the order of the texts; nulls come before all of them.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut codes: Vec<i32> = (0..).take(self.ends.len()).collect();
        codes.sort_unstable_by(|&left, &right| self.get(left).cmp(self.get(right)));
        let mut ranks = vec![0; codes.len()];
        for (rank, code) in (1..).zip(codes) {
            if let Some(slot) = usize::try_from(code).ok().and_then(|code| ranks.get_mut(code)) {
                *slot = rank;
            }
        }
        ranks
    }
}

fn text_of<'a>(text: &'a str, ends: &[usize], code: i32) -> &'a str {
    let Ok(index) = usize::try_from(code) else { return "" };
    let start = index
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .copied()
        .unwrap_or(0);
    let end = ends.get(index).copied().unwrap_or(start);
    text.get(start..end).unwrap_or_default()
}

/// A column of few distinct texts.
#[derive(Debug, Default)]
pub(crate) struct DictionaryColumn {
    values: Interner,
    codes: Vec<i32>,
}

impl DictionaryColumn {
    pub(crate) fn push(&mut self, value: Option<&str>) {
        let code = value.map_or(ABSENT, |value| self.code(value));
        self.codes.push(code);
    }

    /// Number of the value; neighbours tend to be equal, so the last one is tried first.
    fn code(&mut self, value: &str) -> i32 {
        match self.codes.last() {
            Some(&last) if last != ABSENT && self.values.get(last) == value => last,
            _ => self.values.intern(value).0,
        }
    }

    pub(crate) fn code_at(&self, row: usize) -> i32 {
        self.codes.get(row).copied().unwrap_or(ABSENT)
    }

    pub(crate) fn value_at(&self, row: usize) -> Option<&str> {
        Some(self.code_at(row))
            .filter(|&code| code != ABSENT)
            .map(|code| self.values.get(code))
    }

    pub(crate) fn ranks(&self) -> Vec<u32> {
        self.values.ranks()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.bytes()
    }

    /// Values at the given rows.
    pub(crate) fn array(&self, rows: impl Iterator<Item = usize>) -> Result<ArrayRef, ArrowError> {
        let codes = rows.map(|row| self.code_at(row)).collect();
        dictionary_array(codes, Arc::new(self.values.values()?))
    }
}

/// Dictionary array from codes, [`ABSENT`] for null.
pub(crate) fn dictionary_array(mut codes: Vec<i32>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let nulls = codes.contains(&ABSENT).then(|| {
        let present: BooleanBuffer = codes.iter().map(|code| *code != ABSENT).collect();
        NullBuffer::new(present)
    });
    codes.iter_mut().for_each(|code| *code = (*code).max(0));
    let keys = Int32Array::try_new(codes.into(), nulls)?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

/// A column of mostly distinct texts.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    present: Vec<bool>,
    has_values: bool,
}

impl TextColumn {
    pub(crate) fn push(&mut self, value: Option<&str>) {
        self.has_values |= value.is_some();
        self.bytes.extend_from_slice(value.unwrap_or_default().as_bytes());
        self.ends.push(self.bytes.len());
        self.present.push(value.is_some());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn value_at(&self, row: usize) -> &[u8] {
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Values at the given rows.
    pub(crate) fn array(&self, rows: impl Iterator<Item = usize> + Clone) -> Result<StringArray, ArrowError> {
        if !self.has_values {
            return Ok(StringArray::new_null(rows.count()));
        }
        let mut bytes = Vec::with_capacity(rows.clone().map(|row| self.value_at(row).len()).sum());
        let mut ends = Vec::with_capacity(rows.size_hint().0);
        let mut present = Vec::with_capacity(rows.size_hint().0);
        for row in rows {
            bytes.extend_from_slice(self.value_at(row));
            ends.push(bytes.len());
            present.push(self.present.get(row).copied().unwrap_or(false));
        }
        let nulls = present.contains(&false).then(|| NullBuffer::from(present));
        string_array(bytes, ends.into_iter(), nulls)
    }
}

/// Text array from concatenated bytes and the end of each value.
fn string_array(
    bytes: Vec<u8>,
    ends: impl Iterator<Item = usize>,
    nulls: Option<NullBuffer>,
) -> Result<StringArray, ArrowError> {
    StringArray::try_new(offsets(ends)?, Buffer::from_vec(bytes), nulls)
}

fn offsets(ends: impl Iterator<Item = usize>) -> Result<OffsetBuffer<i32>, ArrowError> {
    let mut offsets = vec![0_i32];
    for end in ends {
        offsets.push(i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end))?);
    }
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

/// A column of lists; the elements live in columns of their own, row after row.
#[derive(Debug, Default)]
pub(crate) struct ListColumn {
    ends: Vec<usize>,
    present: Vec<bool>,
}

impl ListColumn {
    /// Ends a row whose elements were pushed to the element columns before; `elements` is their length by now.
    pub(crate) fn push(&mut self, present: bool, elements: usize) {
        self.ends.push(elements);
        self.present.push(present);
    }

    pub(crate) fn range(&self, row: usize) -> std::ops::Range<usize> {
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        start..self.ends.get(row).copied().unwrap_or(start)
    }

    /// Lists at the given rows over elements that were gathered in the same row order.
    pub(crate) fn array(
        &self,
        rows: impl Iterator<Item = usize> + Clone,
        element: Arc<Field>,
        elements: ArrayRef,
    ) -> Result<ArrayRef, ArrowError> {
        let ends = rows.clone().scan(0, |end, row| {
            *end += self.range(row).len();
            Some(*end)
        });
        let nulls: NullBuffer = rows
            .map(|row| self.present.get(row).copied().unwrap_or(false))
            .collect();
        Ok(Arc::new(ListArray::try_new(
            element,
            offsets(ends)?,
            elements,
            Some(nulls),
        )?))
    }
}

/// Moments at the given rows.
pub(crate) fn timestamp_array(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Truth values at the given rows.
pub(crate) fn boolean_array(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

/// Integers at the given rows.
pub(crate) fn integer_array(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn dictionary_column_comes_out_in_any_order_with_nulls() {
        let mut column = DictionaryColumn::default();
        for value in [Some("b"), None, Some("a"), Some("b")] {
            column.push(value);
        }
        let array = column.array([3, 1, 2].into_iter()).unwrap();
        let dictionary = array
            .as_dictionary::<Int32Type>()
            .downcast_dict::<StringArray>()
            .unwrap();
        let values: Vec<Option<&str>> = dictionary.into_iter().collect();
        assert_eq!(values, [Some("b"), None, Some("a")]);
        assert_eq!(column.ranks(), [2, 1]);
    }

    #[test]
    fn text_column_keeps_empty_and_absent_apart() {
        let mut column = TextColumn::default();
        for value in [Some(""), None, Some("ü")] {
            column.push(value);
        }
        let array = column.array([2, 1, 0].into_iter()).unwrap();
        assert_eq!(array.iter().collect::<Vec<_>>(), [Some("ü"), None, Some("")]);
    }
}
