//! A Markdown table whose cells cannot become markup: no link, no code, no HTML, no further column or row.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::ReportError;
use super::cells::CellOptions;
use super::cells::Cells;
use super::cells::is_number;
use super::escape;
use super::result::FormatWriter;
use super::result::Shortened;

/// Writes Markdown.
pub(super) struct MarkdownWriter<W: Write> {
    schema: SchemaRef,
    options: CellOptions,
    out: W,
}

impl<W: Write> MarkdownWriter<W> {
    pub(super) fn new(schema: &SchemaRef, mut out: W) -> Result<Self, ReportError> {
        let mut head = String::new();
        let mut rule = String::new();
        for field in schema.fields() {
            head.push_str(&format!("| {} ", inert(field.name())));
            rule.push_str(if is_number(field.data_type()) {
                "| ---: "
            } else {
                "| --- "
            });
        }
        out.write_all(format!("{head}|\n{rule}|\n").as_bytes())?;
        Ok(Self {
            schema: SchemaRef::clone(schema),
            options: CellOptions::new(),
            out,
        })
    }
}

impl<W: Write + Send> FormatWriter for MarkdownWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let mut cells = Cells::new(self.schema.fields(), batch, &self.options)?;
        for row in 0..batch.num_rows() {
            let mut line = String::new();
            cells.row(row, |_, text| {
                line.push_str("| ");
                line.push_str(&inert(text.unwrap_or_default()));
                line.push(' ');
                Ok(())
            })?;
            line.push_str("|\n");
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Shortened, ReportError> {
        self.out.flush()?;
        Ok(Shortened::default())
    }
}

/// What keeps a forge from taking a name for a mention or reference: it looks for those in the text that Markdown gave, where an
/// escape is gone.
const APART: &str = "&#8203;";

/// The text on one line, without a meaning in Markdown, in HTML, or in the comments of a forge.
fn inert(text: &str) -> String {
    let visible = escape::visible(text);
    let mut inert = String::with_capacity(visible.len() + 8);
    let mut before = None;
    let mut rest = visible.chars();
    while let Some(character) = rest.next() {
        let behind = rest.as_str();
        let is_followed_by = |is_meant: fn(&char) -> bool| behind.chars().next().is_some_and(|next| is_meant(&next));
        match character {
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            '&' => inert.push_str("&amp;"),
            '\\' | '|' | '`' | '[' | ']' | '*' | '!' | '~' => inert.extend(['\\', character]),
            ':' if behind.starts_with("//") => inert.push_str("\\:"),
            '.' if inert.to_ascii_lowercase().ends_with("www") => inert.push_str("\\."),
            '@' => {
                inert.push_str("\\@");
                inert.push_str(APART);
            }
            '#' if is_followed_by(char::is_ascii_digit) => {
                inert.push_str("\\#");
                inert.push_str(APART);
            }
            // Inside of a word it is nothing but itself.
            '_' if !before.is_some_and(char::is_alphanumeric) || !is_followed_by(|next| next.is_alphanumeric()) => {
                inert.push_str("\\_");
            }
            other => inert.push(other),
        }
        before = Some(character);
    }
    inert
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use proptest::prelude::*;

    use crate::report::Format;
    use crate::report::result::tests::batch;
    use crate::report::result::tests::render;
    use crate::report::result::tests::render_column;

    #[test]
    fn cells_stay_cells() {
        let hostile = "a|b `c` <img src=x> [d](http://e)\n| f |";
        let text = render(&[batch(&[("name", &[hostile])])], Format::Markdown);
        let cell = r"a\|b \`c\` &lt;img src=x&gt; \[d\](http\://e)\\u{a}\| f \|";
        assert_eq!(text, format!("| name |\n| --- |\n| {cell} |\n"));
    }

    #[test]
    fn cells_have_no_links_mentions_references_or_emphasis() {
        let cases = [
            ("see https://evil.example/x", r"see https\://evil.example/x"),
            ("WWW.evil.example", r"WWW\.evil.example"),
            ("arn:aws:iam::1:role/a.b", "arn:aws:iam::1:role/a.b"),
            (
                "@org/team me@evil.example",
                r"\@&#8203;org/team me\@&#8203;evil.example",
            ),
            ("fixes org/repo#12 #x", r"fixes org/repo\#&#8203;12 #x"),
            ("_a_ b__c d_e _", r"\_a\_ b\_\_c d_e \_"),
        ];
        for (text, cell) in cases {
            let rendered = render(&[batch(&[("name", &[text])])], Format::Markdown);
            assert_eq!(rendered, format!("| name |\n| --- |\n| {cell} |\n"));
        }
    }

    #[test]
    fn numbers_are_right_aligned() {
        let text = render_column(Arc::new(Int64Array::from(vec![5])), Format::Markdown);
        assert_eq!(text, "| value |\n| ---: |\n| 5 |\n");
    }

    proptest! {
        #[test]
        fn any_text_gives_one_line_per_row(values in proptest::collection::vec(any::<String>(), 0..5)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let text = render(&[batch(&[("name", &values)])], Format::Markdown);
            prop_assert_eq!(text.lines().count(), values.len() + 2);
            prop_assert!(!text.contains('<'));
        }
    }
}
