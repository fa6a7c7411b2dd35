//! The only printer: results to stdout, everything else to stderr.
//!
//! Messages may quote names from logs, so every line of a message is made visible before it is written; a message of
//! several lines is indented, so that no quoted text can pose as a message of its own.

use std::fmt;
use std::io;
use std::io::BufWriter;
use std::io::Write;

use anstyle::AnsiColor;
use anstyle::Style;

use super::args::LogFormat;
use super::error::CliError;
use super::log;
use super::settings::Settings;
use crate::report::escape;
use crate::report::wrapped;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// How much is said beside the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// Also what was done.
    Normal,
    /// Also how.
    Verbose,
}

/// Where a command prints.
pub struct Output {
    data: Box<dyn Write + Send>,
    messages: Box<dyn Write + Send>,
    verbosity: Verbosity,
    message_color: bool,
    /// Columns of the terminal that messages go to.
    message_width: Option<usize>,
    /// Messages are lines of a log in JSON.
    is_json: bool,
}

impl Output {
    /// An output to any two targets; `message_color` allows escape sequences in messages.
    pub fn new(
        data: Box<dyn Write + Send>,
        messages: Box<dyn Write + Send>,
        verbosity: Verbosity,
        message_color: bool,
    ) -> Self {
        Self {
            data,
            messages,
            verbosity,
            message_color,
            message_width: None,
            is_json: false,
        }
    }

    /// The output of the process.
    pub fn of_process(settings: &Settings) -> Self {
        Self {
            message_width: settings.message_width,
            is_json: settings.log == Some(LogFormat::Json),
            ..Self::new(
                Box::new(BufWriter::new(io::stdout())),
                Box::new(io::stderr()),
                settings.verbosity,
                settings.message_color,
            )
        }
    }

    /// Where results go.
    pub fn data(&mut self) -> &mut (dyn Write + Send) {
        self.data.as_mut()
    }

    /// Prints text to where results go, as it is.
    ///
    /// # Errors
    /// When stdout takes no more bytes.
    pub fn print(&mut self, text: &str) -> Result<(), CliError> {
        self.data
            .write_all(text.as_bytes())
            .and_then(|()| self.data.flush())
            .map_err(CliError::Stdout)
    }

    /// Says what was done.
    pub fn note(&mut self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.message("", None, text);
        }
    }

    /// Says how it was done.
    pub fn detail(&mut self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.message("", None, text);
        }
    }

    /// Says what the user should look at although the command goes on.
    pub fn warning(&mut self, text: &str) {
        self.message("warning", Some(WARNING), text);
    }

    /// Says why the command failed and what to do about it.
    pub fn error(&mut self, error: &CliError) {
        self.message("error", Some(ERROR), &error.to_string());
        if let Some(hint) = error.hint() {
            self.message("hint", Some(HINT), &hint);
        }
    }

    fn message(&mut self, label: &str, style: Option<Style>, text: &str) {
        let line = if self.is_json {
            let level = match label {
                "error" | "hint" => "error",
                "warning" => "warn",
                _ => "info",
            };
            log::message_line(level, text.trim_end())
        } else {
            self.laid_out(label, style, text)
        };
        // Nobody is left to tell when stderr is closed.
        self.messages.write_all(line.as_bytes()).ok();
    }

    /// A message as people read it.
    fn laid_out(&self, label: &str, style: Option<Style>, text: &str) -> String {
        let shown = escape::visible_lines(text.trim_end()).replace('\n', "\n  ");
        let plain = match style {
            Some(_) => format!("{label}: {shown}"),
            None => shown,
        };
        let lines = match self.message_width {
            Some(width) => wrapped(&plain, width),
            None => plain,
        };
        match (style, lines.strip_prefix(label)) {
            (Some(style), Some(rest)) if self.message_color => format!("{style}{label}{style:#}{rest}\n"),
            _ => format!("{lines}\n"),
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Output")
            .field("verbosity", &self.verbosity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    use std::sync::Arc;
    use std::sync::Mutex;

    /// Bytes that a test reads back.
    #[derive(Clone, Default)]
    pub(in crate::cli) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(in crate::cli) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .map_err(|_| io::ErrorKind::Other)?
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output with its stdout and stderr.
    pub(in crate::cli) fn captured(verbosity: Verbosity) -> (Output, Captured, Captured) {
        let (data, messages) = (Captured::default(), Captured::default());
        let output = Output::new(Box::new(data.clone()), Box::new(messages.clone()), verbosity, false);
        (output, data, messages)
    }

    #[test]
    fn quiet_keeps_warnings_and_errors() {
        let (mut output, _, messages) = captured(Verbosity::Quiet);
        output.note("note");
        output.detail("detail");
        output.warning("watch out");
        output.error(&CliError::usage("wrong"));
        assert_eq!(messages.text(), "warning: watch out\nerror: wrong\n");
    }

    #[test]
    fn quoted_text_cannot_forge_a_message_or_act_on_the_terminal() {
        let (mut output, _, messages) = captured(Verbosity::Normal);
        output.error(&CliError::usage("no `x\nerror: forged\u{1b}[2J`"));
        assert_eq!(messages.text(), "error: no `x\n  error: forged\\u{1b}[2J`\n");
    }

    #[test]
    fn message_breaks_between_words_at_the_edge_of_the_terminal() {
        let (mut output, _, messages) = captured(Verbosity::Normal);
        output.message_width = Some(20);
        output.warning("this one does not fit the line");
        output.message_color = true;
        output.warning("this one does not fit the line");
        let plain = "warning: this one\n  does not fit the\n  line\n";
        let colored = plain.replace("warning", &format!("{WARNING}warning{WARNING:#}"));
        assert_eq!(messages.text(), format!("{plain}{colored}"));
    }

    #[test]
    fn hint_stands_on_its_own_line() {
        let (mut output, _, messages) = captured(Verbosity::Normal);
        output.error(&CliError::Usage {
            message: "no such thing".to_owned(),
            hint: Some("try this".to_owned()),
        });
        assert_eq!(messages.text(), "error: no such thing\nhint: try this\n");
    }
}
