//! The gate before the planner: one statement, and one that only reads.
//!
//! The list is of what is allowed, so a statement that a later version of the parser learns is refused until someone
//! adds it here. Planning has a second gate (`SQLOptions`), which also looks into views.

use std::ops::ControlFlow;

use datafusion::sql::parser::ExplainStatement;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::ast::Visit;
use datafusion::sql::sqlparser::ast::Visitor;

use super::QueryError;
use super::dialect;

const WRITE_INSTEAD: &str = "the store is written by `ingest` alone, and results are saved with `-o FILE`";
const SETTING_INSTEAD: &str = "limits and output are options of the command line";
const TABLE_INSTEAD: &str = "raw log files are read with `read_cloudtrail('path')`";
const OTHER_INSTEAD: &str = "use `select`, `with`, `values`, `show`, `describe` or `explain`";

/// Parses `text` and lets through exactly one statement that only reads.
pub(super) fn parse_reading(text: &str, recursion_limit: usize) -> Result<Statement, QueryError> {
    let mut statements = dialect::parse(text, recursion_limit).map_err(QueryError::from_running)?;
    let found = statements.len();
    let statement = statements.pop_front().ok_or(QueryError::Empty)?;
    if found > 1 {
        return Err(QueryError::SeveralStatements { found });
    }
    check(&statement)?;
    Ok(statement)
}

fn check(statement: &Statement) -> Result<(), QueryError> {
    match statement {
        Statement::Statement(statement) => check_standard(statement),
        Statement::Explain(ExplainStatement { statement, .. }) => check(statement),
        Statement::CopyTo(_) => refused("COPY", WRITE_INSTEAD),
        Statement::CreateExternalTable(_) => refused("CREATE EXTERNAL TABLE", TABLE_INSTEAD),
        Statement::Reset(_) => refused("RESET", SETTING_INSTEAD),
    }
}

fn check_standard(statement: &ast::Statement) -> Result<(), QueryError> {
    match statement {
        ast::Statement::Query(query) => check_query(query),
        ast::Statement::Explain { statement, .. } => check_standard(statement),
        ast::Statement::ExplainTable { .. }
        | ast::Statement::ShowTables { .. }
        | ast::Statement::ShowColumns { .. }
        | ast::Statement::ShowFunctions { .. }
        | ast::Statement::ShowVariable { .. }
        | ast::Statement::ShowCreate { .. } => Ok(()),
        ast::Statement::Set(_) => refused("SET", SETTING_INSTEAD),
        ast::Statement::Prepare { .. } | ast::Statement::Execute { .. } | ast::Statement::Deallocate { .. } => refused(
            &leading_words(statement, 1),
            "parameters are written `$name` and given with `--param`",
        ),
        ast::Statement::CreateTable(_) | ast::Statement::CreateView { .. } | ast::Statement::Drop { .. } => {
            refused(&leading_words(statement, 2), WRITE_INSTEAD)
        }
        ast::Statement::Insert(_)
        | ast::Statement::Update { .. }
        | ast::Statement::Delete(_)
        | ast::Statement::Merge { .. }
        | ast::Statement::Copy { .. }
        | ast::Statement::Truncate { .. } => refused(&leading_words(statement, 1), WRITE_INSTEAD),
        other => refused(&leading_words(other, 1), OTHER_INSTEAD),
    }
}

fn check_query(query: &ast::Query) -> Result<(), QueryError> {
    match query.visit(&mut WriteFinder) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(clause) => refused(&clause, WRITE_INSTEAD),
    }
}

/// Finds statements that hide in a query: in a CTE, a sub-query or `select … into`.
struct WriteFinder;

impl Visitor for WriteFinder {
    type Break = String;

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<String> {
        if query.locks.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break("FOR UPDATE".to_owned())
        }
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<String> {
        if select.into.is_none() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break("SELECT INTO".to_owned())
        }
    }

    fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<String> {
        ControlFlow::Break(leading_words(statement, 1))
    }
}

fn leading_words(statement: &ast::Statement, count: usize) -> String {
    statement
        .to_string()
        .split_whitespace()
        .take(count)
        .collect::<Vec<_>>()
        .join(" ")
        .to_uppercase()
}

fn refused(statement: &str, instead: &'static str) -> Result<(), QueryError> {
    Err(QueryError::Refused {
        statement: format!("`{statement}`"),
        instead,
    })
}

#[cfg(test)]
mod tests {
    use super::QueryError;
    use super::parse_reading;

    fn refusal(text: &str) -> String {
        match parse_reading(text, 50) {
            Err(QueryError::Refused { statement, .. }) => statement,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn statements_that_read_pass() {
        for text in [
            "select 1",
            "select 1;",
            "with a as (select 1 as x) select x from a union all select 2",
            "values (1), (2)",
            "show tables",
            "show columns from events",
            "describe events",
            "explain select 1",
            "explain analyze select 1",
            "explain format tree select 1",
            "select * from read_cloudtrail('logs')",
        ] {
            assert!(parse_reading(text, 50).is_ok(), "{text}: {:?}", parse_reading(text, 50));
        }
    }

    #[test]
    fn statements_that_write_are_named() {
        for (text, statement) in [
            ("copy events to 'x.parquet'", "`COPY`"),
            ("copy (select 1) to '/tmp/x.csv'", "`COPY`"),
            (
                "create external table t stored as csv location '/etc/passwd'",
                "`CREATE EXTERNAL TABLE`",
            ),
            ("create table t as select 1", "`CREATE TABLE`"),
            ("create view v as select 1", "`CREATE VIEW`"),
            ("create function f() returns int return 1", "`CREATE`"),
            ("drop table events", "`DROP TABLE`"),
            ("insert into events select * from events", "`INSERT`"),
            ("update events set event_name = 'x'", "`UPDATE`"),
            ("delete from events", "`DELETE`"),
            ("truncate table events", "`TRUNCATE`"),
            ("set datafusion.execution.batch_size = 1", "`SET`"),
            ("reset datafusion.execution.batch_size", "`RESET`"),
            ("prepare p as select 1", "`PREPARE`"),
            ("execute p", "`EXECUTE`"),
            ("deallocate p", "`DEALLOCATE`"),
            ("begin", "`BEGIN`"),
            ("alter table events add column x int", "`ALTER`"),
            ("explain insert into events select 1", "`INSERT`"),
            ("explain analyze insert into events select * from events", "`INSERT`"),
            ("explain copy events to 'x.csv'", "`COPY`"),
            (
                "with gone as (delete from events returning *) select * from gone",
                "`DELETE`",
            ),
            (
                "with added as (insert into events select 1 returning *) select * from added",
                "`INSERT`",
            ),
            ("select * into copied from events", "`SELECT INTO`"),
            ("select 1 union all select * into copied from events", "`SELECT INTO`"),
            (
                "select * from (select * into copied from events) as inner_query",
                "`SELECT INTO`",
            ),
            ("select * from events for update", "`FOR UPDATE`"),
        ] {
            assert_eq!(refusal(text), statement, "{text}");
        }
    }

    #[test]
    fn a_second_statement_is_refused() {
        let error = parse_reading("select 1; drop table events", 50).unwrap_err();
        assert!(matches!(error, QueryError::SeveralStatements { found: 2 }), "{error}");
    }

    #[test]
    fn text_without_a_statement_is_empty() {
        for text in ["", "  ", "-- only a comment", ";"] {
            let error = parse_reading(text, 50).unwrap_err();
            assert!(
                matches!(error, QueryError::Empty | QueryError::Syntax { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn text_that_is_no_sql_is_named_with_its_place() {
        let error = parse_reading("select a\nfrom events group a", 50).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot parse the query: Expected: end of statement, found: group at Line: 2, Column: 13"
        );
    }

    #[test]
    fn nesting_past_the_limit_is_an_error_and_not_a_crash() {
        let text = format!("select {}1{}", "(".repeat(5000), ")".repeat(5000));
        assert!(matches!(parse_reading(&text, 50), Err(QueryError::Syntax { .. })));
    }
}
