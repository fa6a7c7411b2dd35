//! The SQL that is understood: PostgreSQL's, and what saved queries of other engines write beside it.
//!
//! A list may end with a comma, as DuckDB's lists do, and a dot reaches into the struct that a function or an index
//! gives, as in Trino: `element_at(resources, 1).arn`.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::DFParserBuilder;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::AccessExpr;
use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::ast::Ident;
use datafusion::sql::sqlparser::ast::Select;
use datafusion::sql::sqlparser::ast::SelectItem;
use datafusion::sql::sqlparser::ast::Value;
use datafusion::sql::sqlparser::ast::VisitMut;
use datafusion::sql::sqlparser::ast::VisitorMut;
use datafusion::sql::sqlparser::ast::visit_expressions_mut;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::parser::ParserOptions;
use datafusion::sql::sqlparser::tokenizer::Tokenizer;

/// Parses all statements of a text; nesting past the limit is an error.
pub(super) fn parse(text: &str, recursion_limit: usize) -> Result<VecDeque<Statement>, DataFusionError> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(ParserError::from)?;
    let mut parser = DFParserBuilder::new("")
        .with_dialect(&dialect)
        .with_recursion_limit(recursion_limit)
        .build()?;
    parser.parser = Parser::new(&dialect)
        .with_options(ParserOptions::new().with_trailing_commas(true))
        .with_recursion_limit(recursion_limit)
        .with_tokens_with_locations(tokens);
    let mut statements = parser.parse_statements()?;
    statements.iter_mut().for_each(name_fields);
    Ok(statements)
}

fn name_fields(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let walked: ControlFlow<Infallible> = visit_expressions_mut(statement.as_mut(), |expr| {
                if let Expr::CompoundFieldAccess { root, access_chain } = expr {
                    name_fields_behind(root, access_chain);
                }
                ControlFlow::Continue(())
            });
            let named = statement.visit(&mut SubqueryNames);
            match (walked, named) {
                (ControlFlow::Continue(()), ControlFlow::Continue(())) => {}
                (ControlFlow::Break(never), _) | (_, ControlFlow::Break(never)) => match never {},
            }
        }
        Statement::Explain(explain) => name_fields(&mut explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {}
    }
}

/// Names columns of subqueries without a name by their text: the engine calls all of them alike, and refuses two.
struct SubqueryNames;

impl VisitorMut for SubqueryNames {
    type Break = Infallible;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Infallible> {
        let is_subquery = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(Expr::Subquery(_)));
        if select.projection.iter().filter(|item| is_subquery(item)).count() > 1 {
            let mut times: BTreeMap<String, usize> = BTreeMap::new();
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr @ Expr::Subquery(_)) = item {
                    let text = expr.to_string();
                    let time = times.entry(text.clone()).or_default();
                    *time += 1;
                    *item = SelectItem::ExprWithAlias {
                        alias: Ident::with_quote('"', numbered(text, *time)),
                        expr: expr.clone(),
                    };
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// A name that comes again needs something of its own.
fn numbered(name: String, time: usize) -> String {
    match time {
        1 => name,
        _ => format!("{name} {time}"),
    }
}

/// The engine takes a name after a dot only in front of the first call or index, and a text everywhere.
fn name_fields_behind(root: &Expr, chain: &mut [AccessExpr]) {
    let mut is_name = matches!(root, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    for access in chain {
        match access {
            AccessExpr::Dot(field) => {
                if let (false, Expr::Identifier(ident)) = (is_name, &*field) {
                    *field = Expr::Value(Value::SingleQuotedString(field_name(ident)).with_span(ident.span));
                }
            }
            AccessExpr::Subscript(_) => is_name = false,
        }
    }
}

fn field_name(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn parsed(text: &str) -> String {
        parse(text, 50).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_may_end_with_a_comma() {
        assert_eq!(
            parsed("select a, count(*), from t group by a, order by a"),
            "SELECT a, count(*) FROM t GROUP BY a ORDER BY a"
        );
    }

    #[test]
    fn a_dot_after_a_call_or_an_index_names_a_field() {
        assert_eq!(parsed("select f(x).Arn"), "SELECT f(x).'arn'");
        assert_eq!(parsed("select f(x).\"Arn\""), "SELECT f(x).'Arn'");
        assert_eq!(parsed("select (x[1]).arn.b"), "SELECT (x[1]).'arn'.'b'");
        assert_eq!(parsed("explain select f(x).a"), "EXPLAIN SELECT f(x).'a'");
    }

    #[test]
    fn columns_of_several_subqueries_are_named_by_their_text() {
        assert_eq!(
            parsed("select (select 1), (select 2) as b, (select max(c) from t)"),
            "SELECT (SELECT 1) AS \"(SELECT 1)\", (SELECT 2) AS b, (SELECT max(c) FROM t) AS \"(SELECT max(c) FROM t)\""
        );
        assert_eq!(parsed("select (select 1), 2"), "SELECT (SELECT 1), 2");
        assert_eq!(
            parsed("select (select 1), (select 1) union all select (select 2), (select 3)"),
            "SELECT (SELECT 1) AS \"(SELECT 1)\", (SELECT 1) AS \"(SELECT 1) 2\" UNION ALL \
             SELECT (SELECT 2) AS \"(SELECT 2)\", (SELECT 3) AS \"(SELECT 3)\""
        );
    }

    #[test]
    fn names_with_dots_stay_names() {
        assert_eq!(parsed("select t.a.b, a.b[1]"), "SELECT t.a.b, a.b[1]");
    }
}
