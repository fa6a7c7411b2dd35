//! `readonly = false` where `readonly` is text: CloudTrail Lake has truth values where Athena has text.

use datafusion::common::DFSchema;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::ExprSchemable;
use datafusion::logical_expr::lit;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::planner::PlannerResult;
use datafusion::logical_expr::planner::RawBinaryExpr;

/// Turns the literal `true` or `false` into text when it is compared with text.
#[derive(Debug)]
pub(super) struct BooleanText;

impl ExprPlanner for BooleanText {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = raw;
        let (left, right) = match (truth(&left), truth(&right)) {
            (None, Some(text)) if is_text(&left, schema) => (left, lit(text)),
            (Some(text), None) if is_text(&right, schema) => (lit(text), right),
            _ => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

fn truth(expr: &Expr) -> Option<&'static str> {
    match expr.as_literal() {
        Some(ScalarValue::Boolean(Some(true))) => Some("true"),
        Some(ScalarValue::Boolean(Some(false))) => Some("false"),
        _ => None,
    }
}

fn is_text(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type.is_string())
}
