//! Elements of the list that `iam_actions` gives.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanBuilder;
use arrow::array::ListArray;
use arrow::array::ListBuilder;
use arrow::array::StringBuilder;
use arrow::array::StructArray;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::FieldRef;
use arrow::datatypes::Fields;
use datafusion::common::Result;

use crate::iam::Facts;
use crate::iam::Outcome;
use crate::iam::UsedAction;

/// Type of the list.
pub(super) fn list_type() -> DataType {
    DataType::List(element())
}

/// Elements of the lists of a batch, column by column.
pub(super) struct ActionRows {
    lengths: Vec<usize>,
    action: StringBuilder,
    class: StringBuilder,
    is_proven: BooleanBuilder,
    is_used: BooleanBuilder,
    proof: StringBuilder,
    access_level: StringBuilder,
    verdict: StringBuilder,
    reason: StringBuilder,
    outcome: StringBuilder,
    confidence: StringBuilder,
    provenance: StringBuilder,
    resources: ListBuilder<StringBuilder>,
    resource_origins: ListBuilder<StringBuilder>,
}

impl ActionRows {
    pub(super) fn new() -> Self {
        Self {
            lengths: Vec::new(),
            action: StringBuilder::new(),
            class: StringBuilder::new(),
            is_proven: BooleanBuilder::new(),
            is_used: BooleanBuilder::new(),
            proof: StringBuilder::new(),
            access_level: StringBuilder::new(),
            verdict: StringBuilder::new(),
            reason: StringBuilder::new(),
            outcome: StringBuilder::new(),
            confidence: StringBuilder::new(),
            provenance: StringBuilder::new(),
            resources: texts(),
            resource_origins: texts(),
        }
    }

    /// Adds the list of one row.
    pub(super) fn push(&mut self, facts: &Facts, outcome: &Outcome<'_>) {
        self.lengths.push(outcome.actions.len().max(1));
        for action in &outcome.actions {
            self.push_action(facts, outcome, action);
            self.push_outcome(outcome);
        }
        if outcome.actions.is_empty() {
            self.action.append_null();
            self.class.append_null();
            self.is_proven.append_null();
            self.is_used.append_null();
            self.proof.append_null();
            self.access_level.append_null();
            self.resources.append_null();
            self.resource_origins.append_null();
            self.push_outcome(outcome);
        }
    }

    pub(super) fn finish(mut self) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.action.finish()),
            Arc::new(self.class.finish()),
            Arc::new(self.is_proven.finish()),
            Arc::new(self.is_used.finish()),
            Arc::new(self.proof.finish()),
            Arc::new(self.access_level.finish()),
            Arc::new(self.resources.finish()),
            Arc::new(self.resource_origins.finish()),
            Arc::new(self.verdict.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.outcome.finish()),
            Arc::new(self.confidence.finish()),
            Arc::new(self.provenance.finish()),
        ];
        let elements = StructArray::try_new(fields(), columns, None)?;
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        let lists = ListArray::try_new(element(), offsets, Arc::new(elements), None)?;
        Ok(Arc::new(lists))
    }

    fn push_action(&mut self, facts: &Facts, outcome: &Outcome<'_>, action: &UsedAction<'_>) {
        let known = action.id.and_then(|id| facts.action(id));
        self.action.append_value(&action.name);
        self.class.append_value(action.class.name());
        self.is_proven.append_value(action.is_proven());
        self.is_used.append_value(outcome.is_used(action));
        self.proof.append_value(action.proof.text());
        self.access_level.append_option(known.map(|known| known.level.name()));
        for resource in &action.resources {
            self.resources.values().append_value(&resource.arn);
            self.resource_origins.values().append_value(resource.origin.name());
        }
        self.resources.append(!action.resources.is_empty());
        self.resource_origins.append(!action.resources.is_empty());
    }

    fn push_outcome(&mut self, outcome: &Outcome<'_>) {
        let reason = outcome.verdict.reason();
        self.verdict.append_value(outcome.verdict.name());
        self.reason.append_option((!reason.is_empty()).then_some(reason));
        self.outcome.append_value(outcome.attempt.name());
        self.confidence.append_value(outcome.confidence.name());
        self.provenance.append_value(outcome.provenance.name());
    }
}

fn element() -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(fields()), true))
}

fn texts() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(text_element())
}

fn text_element() -> FieldRef {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

fn fields() -> Fields {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![
        text("action"),
        text("class"),
        Field::new("is_proven", DataType::Boolean, true),
        Field::new("is_used", DataType::Boolean, true),
        text("proof"),
        text("access_level"),
        Field::new("resources", DataType::List(text_element()), true),
        Field::new("resource_origins", DataType::List(text_element()), true),
        text("verdict"),
        text("reason"),
        text("outcome"),
        text("confidence"),
        text("provenance"),
    ])
}
