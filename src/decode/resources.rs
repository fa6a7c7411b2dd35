//! `resources`: the list of things a call touched.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::StructArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::error::ArrowError;

use crate::schema;

use super::columns::ListColumn;
use super::columns::TextColumn;
use super::nested::Value;
use super::scan::ValueKind;

/// Member names of an element, in the order of the columns of [`schema::resource_fields`].
pub(crate) const RESOURCE_MEMBERS: [&str; 4] = ["ARN", "accountId", "type", "ARNPrefix"];

/// The column `resources`.
#[derive(Debug, Default)]
pub(crate) struct ResourcesColumn {
    rows: ListColumn,
    members: [TextColumn; 4],
}

impl ResourcesColumn {
    /// Takes a row's array; returns whether the column alone gives it back.
    ///
    /// Elements of another shape (a bare text, lower-case `arn` in some exports) are read as far as they can be.
    pub(crate) fn set(&mut self, row: usize, value: &Value<'_>) -> bool {
        let mut exact = true;
        let mut elements = self.rows.elements();
        let read = value.elements(|element| {
            exact &= self.set_element(elements, &element);
            elements += 1;
        });
        self.rows.set(row, elements);
        exact && read.is_ok()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.members.iter().map(TextColumn::bytes).sum()
    }

    /// Forgets all rows, but keeps memory for as many again.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.members.iter_mut().for_each(TextColumn::clear);
    }

    /// Lists at the given rows.
    pub(crate) fn array(&self, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
        let fields = schema::resource_fields();
        let elements = self.rows.elements_at(rows);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.members.len());
        for column in &self.members {
            arrays.push(Arc::new(column.array(elements.iter().copied())?));
        }
        let structs: ArrayRef = Arc::new(StructArray::try_new(fields.clone(), arrays, None)?);
        self.rows.array(
            rows,
            Arc::new(Field::new("element", DataType::Struct(fields), true)),
            structs,
        )
    }

    fn set_element(&mut self, index: usize, element: &Value<'_>) -> bool {
        let kind = element.kind;
        let mut values = [const { None }; RESOURCE_MEMBERS.len()];
        let mut exact = kind == ValueKind::Object;
        if let [arn, ..] = &mut values
            && kind == ValueKind::String
        {
            *arn = element.string();
        }
        if kind == ValueKind::Object {
            let read = element.members(|key, member| {
                let exact_name = member_named(key);
                let slot = exact_name.or_else(|| (key == "arn").then_some(0));
                match slot.and_then(|slot| values.get_mut(slot)) {
                    Some(slot) if member.kind == ValueKind::String => {
                        exact &= slot.is_none() && exact_name.is_some();
                        *slot = member.string();
                    }
                    _ => exact = false,
                }
            });
            exact &= read.is_ok();
        }
        for (column, value) in self.members.iter_mut().zip(&values) {
            if let Some(value) = value {
                column.set(index, value.as_bytes());
            }
        }
        exact
    }
}

/// Place in [`RESOURCE_MEMBERS`]. A `match`, because comparing with constants is inlined, and this runs for every resource.
fn member_named(key: &str) -> Option<usize> {
    match key {
        "ARN" => Some(0),
        "accountId" => Some(1),
        "type" => Some(2),
        "ARNPrefix" => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_order_of_their_numbers() {
        for (index, name) in RESOURCE_MEMBERS.iter().enumerate() {
            assert_eq!(member_named(name), Some(index), "{name}");
        }
    }

    #[test]
    fn usual_elements_are_exact_and_unusual_ones_are_read_but_not_exact() {
        let mut column = ResourcesColumn::default();
        let array = |text| Value::in_text(ValueKind::Array, text);
        let usual = r#"[{"ARN":"a","accountId":"1","type":"t"},{"ARNPrefix":"p","type":"t"}]"#;
        assert!(column.set(0, &array(usual)));
        assert!(column.set(1, &array("[]")));
        for (row, raw) in [
            r#"[{"arn":"a"}]"#,
            r#"["a"]"#,
            r#"[{"ARN":"a","x":1}]"#,
            r#"[{"ARN":null}]"#,
        ]
        .into_iter()
        .enumerate()
        {
            assert!(!column.set(3 + row, &array(raw)), "{raw}");
        }
        let array = column.array(&[7, 6, 5, 4, 3, 2, 1, 0]).unwrap();
        assert_eq!((array.len(), array.null_count()), (8, 2), "rows 2 and 7 have none");
    }
}
