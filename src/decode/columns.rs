//! Column buffers that grow row by row and come out in any row order as Arrow arrays.

use std::cell::OnceCell;
use std::hash::BuildHasher;
use std::ops::Range;
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
    /// Hash and number of every text; with the hash beside it, growing does not read the texts again.
    codes: HashTable<(u64, i32)>,
    hasher: DefaultHashBuilder,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Interner {
    /// Number of the text, and whether it is new.
    pub(crate) fn intern(&mut self, value: &[u8]) -> (i32, bool) {
        let hash = self.hasher.hash_one(value);
        if let Some(code) = self.find(hash, value) {
            return (code, false);
        }
        let code = i32::try_from(self.ends.len()).unwrap_or(i32::MAX);
        self.text.extend_from_slice(value);
        self.ends.push(self.text.len());
        self.codes.insert_unique(hash, (hash, code), |(hash, _)| *hash);
        (code, true)
    }

    /// Number of the text, if it has one.
    pub(crate) fn code_of(&self, value: &[u8]) -> Option<i32> {
        self.find(self.hasher.hash_one(value), value)
    }

    /// Text of a number; empty for one never given out.
    pub(crate) fn get(&self, code: i32) -> &[u8] {
        let Ok(index) = usize::try_from(code) else { return &[] };
        part(&self.text, &self.ends, index)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of texts.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * 32
    }

    /// Forgets all texts, but keeps memory for as much again.
    pub(crate) fn clear(&mut self) {
        let texts = self.ends.len();
        self.codes.clear();
        self.codes.shrink_to(2 * texts, |(hash, _)| *hash);
        empty(&mut self.text);
        empty(&mut self.ends);
    }

    /// All texts in order of their numbers.
    pub(crate) fn values(&self) -> Result<StringArray, ArrowError> {
        string_array(self.text.clone(), self.ends.iter().copied(), None)
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

    fn find(&self, hash: u64, value: &[u8]) -> Option<i32> {
        let found = self
            .codes
            .find(hash, |&(known, code)| known == hash && self.get(code) == value);
        found.map(|&(_, code)| code)
    }
}

/// Empties a buffer but keeps its memory, of which at most as much again as was used: rows of another shape need it elsewhere.
pub(crate) fn empty<T>(buffer: &mut Vec<T>) {
    let used = buffer.len();
    buffer.clear();
    buffer.shrink_to(2 * used);
}

/// One of the values that stand one behind the other in `bytes`.
fn part<'a>(bytes: &'a [u8], ends: &[usize], index: usize) -> &'a [u8] {
    let end = ends.get(index).copied().unwrap_or_default();
    let start = match index.checked_sub(1) {
        Some(before) => ends.get(before).copied().unwrap_or_default(),
        None => 0,
    };
    bytes.get(start..end).unwrap_or_default()
}

/// A column of few distinct texts.
#[derive(Debug, Default)]
pub(crate) struct DictionaryColumn {
    values: Interner,
    /// Code of every row up to the last one with a value.
    codes: Vec<i32>,
    array: OnceCell<ArrayRef>,
}

impl DictionaryColumn {
    /// Sets the value of a row; rows come in order, and those left out have none. Returns the value's code.
    pub(crate) fn set(&mut self, row: usize, value: &str) -> i32 {
        let value = value.as_bytes();
        // Neighbours tend to be equal, so the last value is tried first.
        let code = match self.codes.last() {
            Some(&last) if self.values.get(last) == value && !value.is_empty() => last,
            _ => self.values.intern(value).0,
        };
        if self.codes.len() < row {
            self.codes.resize(row, ABSENT);
        }
        self.codes.push(code);
        code
    }

    pub(crate) fn code_at(&self, row: usize) -> i32 {
        self.codes.get(row).copied().unwrap_or(ABSENT)
    }

    pub(crate) fn value_at(&self, row: usize) -> Option<&str> {
        let code = Some(self.code_at(row)).filter(|&code| code != ABSENT)?;
        std::str::from_utf8(self.values.get(code)).ok()
    }

    pub(crate) fn ranks(&self) -> Vec<u32> {
        self.values.ranks()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.bytes()
    }

    /// Forgets all rows and values, but keeps memory for as much again.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        empty(&mut self.codes);
        self.array.take();
    }

    /// Values at the given rows; nothing may be set afterwards before all is cleared.
    pub(crate) fn array(&self, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
        if self.codes.is_empty() {
            let keys = Int32Array::new_null(rows.len());
            let values = Arc::new(self.values.values()?);
            return Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?));
        }
        let values = match self.array.get() {
            Some(values) => Arc::clone(values),
            None => {
                let values: ArrayRef = Arc::new(self.values.values()?);
                Arc::clone(self.array.get_or_init(|| values))
            }
        };
        let codes = rows.iter().map(|&row| self.code_at(row)).collect();
        dictionary_array(codes, values)
    }
}

/// Dictionary array from codes, [`ABSENT`] for null.
pub(crate) fn dictionary_array(mut codes: Vec<i32>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let nulls = codes.contains(&ABSENT).then(|| {
        let present =
            BooleanBuffer::collect_bool(codes.len(), |row| codes.get(row).is_some_and(|&code| code != ABSENT));
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
    /// End of every row's value up to the last row with one.
    ends: Vec<usize>,
    present: Vec<bool>,
}

impl TextColumn {
    /// Sets the value of a row, which is UTF-8; rows come in order, and those left out have none.
    pub(crate) fn set(&mut self, row: usize, value: &[u8]) {
        if self.ends.len() < row {
            self.ends.resize(row, self.bytes.len());
            self.present.resize(row, false);
        }
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.present.push(true);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets all rows, but keeps memory for as much again.
    pub(crate) fn clear(&mut self) {
        empty(&mut self.bytes);
        empty(&mut self.ends);
        empty(&mut self.present);
    }

    /// Values at the given rows.
    pub(crate) fn array(&self, rows: impl ExactSizeIterator<Item = usize> + Clone) -> Result<StringArray, ArrowError> {
        if self.ends.is_empty() {
            return Ok(StringArray::new_null(rows.len()));
        }
        let value_at = |row| part(&self.bytes, &self.ends, row);
        let mut ends = Vec::with_capacity(rows.len());
        let mut end = 0;
        for row in rows.clone() {
            end += value_at(row).len();
            ends.push(end);
        }
        let mut bytes = Vec::with_capacity(end);
        let mut present = Vec::with_capacity(rows.len());
        for row in rows {
            bytes.extend_from_slice(value_at(row));
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
    let mut offsets = Vec::with_capacity(ends.size_hint().0 + 1);
    offsets.push(0_i32);
    for end in ends {
        offsets.push(i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end))?);
    }
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

/// A column of lists; the elements live in columns of their own, row after row.
#[derive(Debug, Default)]
pub(crate) struct ListColumn {
    /// End of every row's elements up to the last row with a list.
    ends: Vec<usize>,
    present: Vec<bool>,
}

impl ListColumn {
    /// Sets the list of a row whose elements were added to the element columns before; `elements` is their number by now.
    pub(crate) fn set(&mut self, row: usize, elements: usize) {
        if self.ends.len() < row {
            self.ends.resize(row, self.elements());
            self.present.resize(row, false);
        }
        self.ends.push(elements);
        self.present.push(true);
    }

    /// Forgets all rows, but keeps memory for as many again.
    pub(crate) fn clear(&mut self) {
        empty(&mut self.ends);
        empty(&mut self.present);
    }

    /// Number of elements in all lists.
    pub(crate) fn elements(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Positions of the elements of all lists at the given rows.
    pub(crate) fn elements_at(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().flat_map(|&row| self.range(row)).collect()
    }

    /// Lists at the given rows over elements that were gathered in the same row order.
    pub(crate) fn array(
        &self,
        rows: &[usize],
        element: Arc<Field>,
        elements: ArrayRef,
    ) -> Result<ArrayRef, ArrowError> {
        let ends = rows.iter().scan(0, |end, &row| {
            *end += self.range(row).len();
            Some(*end)
        });
        let nulls: NullBuffer = rows
            .iter()
            .map(|&row| self.present.get(row).copied().unwrap_or(false))
            .collect();
        Ok(Arc::new(ListArray::try_new(
            element,
            offsets(ends)?,
            elements,
            Some(nulls),
        )?))
    }

    fn range(&self, row: usize) -> Range<usize> {
        let end = self.ends.get(row).copied().unwrap_or_default();
        let start = match row.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        start..end.max(start)
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
        for (row, value) in [(0, "b"), (2, "a"), (3, "b")] {
            column.set(row, value);
        }
        let array = column.array(&[3, 1, 2]).unwrap();
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
        column.set(0, b"");
        column.set(2, "ü".as_bytes());
        let array = column.array([3, 2, 1, 0].into_iter()).unwrap();
        assert_eq!(array.iter().collect::<Vec<_>>(), [None, Some("ü"), None, Some("")]);
    }
}
