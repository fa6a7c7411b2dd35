//! Comparisons as PostgreSQL means them, where the engine would quietly answer another question.
//!
//! An age (`now() - event_time`) is compared with an interval as a span of time, a month counting as 30 days as in PostgreSQL
//! (<https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-INTERVAL-INPUT>); the engine compares months, days and
//! the rest one by one. The difference of two dates is a number of days. `= any (select …)` is `in`, and `<> all (select …)` is
//! `not in`. What cannot be made right is refused with what to write instead.

use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::datatypes::IntervalMonthDayNano;
use arrow::datatypes::IntervalUnit;
use arrow::datatypes::TimeUnit;
use datafusion::common::DFSchema;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::common::plan_err;
use datafusion::common::tree_node::Transformed;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::BinaryExpr;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::ExprSchemable;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::cast;
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::expr::SetComparison;
use datafusion::logical_expr::expr::SetQuantifier;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::optimizer::Analyzer;
use datafusion::optimizer::AnalyzerRule;

const DAYS_PER_MONTH: i64 = 30;
const NANOS_PER_DAY: i128 = 86_400_000_000_000;

const AGE: &str = "compare an age with an interval that is written as one, such as `interval '30 days'`";
const DATE_AND_NUMBER: &str = "a date is compared with a number; write the date in quotes: '2026-09-01'";
const QUANTIFIED: &str = "of `any` and `all` with a query only `= any` and `<> all` are understood; compare with `(select max(…) …)` or `(select min(…) …)`";
const NOT_IN: &str = "`in` and `not in` with a query are understood as conditions of their own, joined by `and`; write `exists` or `not exists`";
const SIMILAR: &str = "`similar to` is not understood; write a regular expression: `column ~ '^…$'`";

/// The engine's rules, with this one before that which makes types fit.
pub(super) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(Comparisons)];
    rules.extend(Analyzer::new().rules);
    rules
}

#[derive(Debug)]
struct Comparisons;

impl AnalyzerRule for Comparisons {
    fn name(&self) -> &'static str {
        "comparisons"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let analyzed = plan.transform_up_with_subqueries(|plan| {
            let schema = schema_of(&plan)?;
            let names = NamePreserver::new(&plan);
            let plan = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let expr = expr.transform_up(|expr| rewritten(expr, &schema))?;
                Ok(expr.update_data(|expr| name.restore(expr)))
            })?;
            if let LogicalPlan::Filter(filter) = &plan.data {
                check_subqueries(&filter.predicate, Within::And)?;
            }
            Ok(plan)
        });
        Ok(analyzed?.data)
    }
}

/// The columns that expressions of a node may name.
fn schema_of(plan: &LogicalPlan) -> Result<DFSchema> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = plan {
        let own = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        schema.merge(&own);
    }
    Ok(schema)
}

fn rewritten(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => binary(left, op, right, schema),
        Expr::Between(Between {
            expr,
            negated,
            low,
            high,
        }) => {
            let unit = age_unit(&expr, schema);
            let is_date = is_date(&expr, schema);
            let bound = |bound: Box<Expr>| match unit {
                Some(unit) if is_interval(&bound, schema) => span(&bound, unit).map(Box::new),
                _ if is_date && is_number(&bound, schema) => plan_err!("{DATE_AND_NUMBER}"),
                _ => Ok(bound),
            };
            let between = Between::new(expr, negated, bound(low)?, bound(high)?);
            Ok(Transformed::yes(Expr::Between(between)))
        }
        Expr::SetComparison(SetComparison {
            expr,
            subquery,
            op,
            quantifier,
        }) => match (op, quantifier) {
            (Operator::Eq, SetQuantifier::Any) => {
                let member = InSubquery::new(expr, subquery, false);
                Ok(Transformed::yes(Expr::InSubquery(member)))
            }
            (Operator::NotEq, SetQuantifier::All) => {
                let other = InSubquery::new(expr, subquery, true);
                Ok(Transformed::yes(Expr::InSubquery(other)))
            }
            _ => plan_err!("{QUANTIFIED}"),
        },
        Expr::SimilarTo(_) => plan_err!("{SIMILAR}"),
        other => Ok(Transformed::no(other)),
    }
}

fn binary(left: Box<Expr>, op: Operator, right: Box<Expr>, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let made = |left: Expr, right: Expr| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
    if op == Operator::Minus && is_date(&left, schema) && is_date(&right, schema) {
        // Days since 1970.
        let days = |date: Box<Expr>| cast(cast(*date, DataType::Int32), DataType::Int64);
        return Ok(Transformed::yes(made(days(left), days(right))));
    }
    if !op.supports_propagation() {
        return Ok(Transformed::no(made(*left, *right)));
    }
    if is_date(&left, schema) && is_number(&right, schema) || is_number(&left, schema) && is_date(&right, schema) {
        return plan_err!("{DATE_AND_NUMBER}");
    }
    let units = (age_unit(&left, schema), age_unit(&right, schema));
    let intervals = (is_interval(&left, schema), is_interval(&right, schema));
    match (units, intervals) {
        ((Some(unit), _), (_, true)) => Ok(Transformed::yes(made(*left, span(&right, unit)?))),
        ((_, Some(unit)), (true, _)) => Ok(Transformed::yes(made(span(&left, unit)?, *right))),
        _ => Ok(Transformed::no(made(*left, *right))),
    }
}

/// The unit of an age, as the engine counts it.
fn age_unit(expr: &Expr, schema: &DFSchema) -> Option<TimeUnit> {
    match expr.get_type(schema) {
        Ok(DataType::Duration(unit)) => Some(unit),
        _ => None,
    }
}

fn is_interval(expr: &Expr, schema: &DFSchema) -> bool {
    let interval = DataType::Interval(IntervalUnit::MonthDayNano);
    expr.get_type(schema).is_ok_and(|data_type| data_type == interval)
}

fn is_date(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema)
        .is_ok_and(|data_type| data_type == DataType::Date32)
}

fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type.is_numeric())
}

/// An interval as a span of time.
fn span(interval: &Expr, unit: TimeUnit) -> Result<Expr> {
    let (interval, is_negative) = match interval {
        Expr::Negative(inner) => (inner.as_ref(), true),
        other => (other, false),
    };
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(literal)), _) = interval else {
        return plan_err!("{AGE}");
    };
    let nanos = match is_negative {
        true => -nanoseconds(literal),
        false => nanoseconds(literal),
    };
    let count = |per_unit: i128| i64::try_from(nanos / per_unit).ok();
    let scalar = match unit {
        TimeUnit::Second => ScalarValue::DurationSecond(count(1_000_000_000)),
        TimeUnit::Millisecond => ScalarValue::DurationMillisecond(count(1_000_000)),
        TimeUnit::Microsecond => ScalarValue::DurationMicrosecond(count(1_000)),
        TimeUnit::Nanosecond => ScalarValue::DurationNanosecond(count(1)),
    };
    match scalar.is_null() {
        true => plan_err!("an age is compared with an interval of more than 292 years"),
        false => Ok(Expr::Literal(scalar, None)),
    }
}

fn nanoseconds(interval: &IntervalMonthDayNano) -> i128 {
    let days = i64::from(interval.months) * DAYS_PER_MONTH + i64::from(interval.days);
    i128::from(days) * NANOS_PER_DAY + i128::from(interval.nanoseconds)
}

/// Where in a condition an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// It must be true for the condition to be.
    And,
    /// The condition may be true without it.
    Or,
    /// Whether it is false or unknown makes a difference.
    Other,
}

/// `in` with a query is made a join that knows no null: right where that is taken for false anyway.
fn check_subqueries(condition: &Expr, within: Within) -> Result<()> {
    match condition {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::And,
            right,
        }) => {
            check_subqueries(left, within)?;
            check_subqueries(right, within)
        }
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Or,
            right,
        }) => {
            let within = if within == Within::And { Within::Or } else { within };
            check_subqueries(left, within)?;
            check_subqueries(right, within)
        }
        Expr::InSubquery(member) => match (member.negated, within) {
            (_, Within::And) | (false, Within::Or) => Ok(()),
            _ => plan_err!("{NOT_IN}"),
        },
        Expr::Not(inner) => match (inner.as_ref(), within) {
            (Expr::InSubquery(InSubquery { negated: false, .. }), Within::And) => Ok(()),
            _ => check_subqueries(inner, Within::Other),
        },
        other => {
            let mut checked = Ok(());
            other.apply_children(|child| {
                if checked.is_ok() {
                    checked = check_subqueries(child, Within::Other);
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
            checked
        }
    }
}
