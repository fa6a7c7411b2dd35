//! The program's own log: what is done, step by step, as lines on standard error.
//!
//! Modules below say what they do through `tracing`; only this one listens, and only when the user asks. Events of other
//! crates are never listened to: those of the AWS SDK would hold signed requests.

use std::fmt;
use std::io;
use std::io::Write;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Map;
use serde_json::Value;
use tracing::Event;
use tracing::Id;
use tracing::Level;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing::level_filters::LevelFilter;
use tracing::span::Attributes;
use tracing_subscriber::Layer;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::args::LogFormat;
use super::args::LogLevel;
use crate::report::escape;

/// Name of the field that holds the words of an event.
const MESSAGE: &str = "message";

/// Starts to write what this program does; nothing is written before, or without it.
pub(super) fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let subscriber = Registry::default().with(own).with(Lines {
        format,
        write: write_to_stderr,
    });
    // The error means that somebody listens already.
    tracing::subscriber::set_global_default(subscriber).ok();
}

/// A message of the program as a line of the log in JSON.
pub(super) fn message_line(level: &str, text: &str) -> String {
    let mut fields = Map::new();
    fields.insert(MESSAGE.to_owned(), text.into());
    json_line(Timestamp::now(), level, &[], fields)
}

/// Writes a line for every event, and one for the end of every span.
struct Lines {
    format: LogFormat,
    write: fn(&str),
}

/// What a span began with.
struct Begun {
    fields: Map<String, Value>,
    at: Instant,
}

/// Fields as JSON values.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Begun {
                fields: fields.0,
                at: Instant::now(),
            });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let (mut spans, mut fields) = (Vec::new(), Map::new());
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            spans.push(span.name());
            if let Some(begun) = span.extensions().get::<Begun>() {
                fields.extend(begun.fields.clone());
            }
        }
        fields.extend(own.0);
        self.line(*event.metadata().level(), &spans, fields);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(begun) = span.extensions_mut().remove::<Begun>() else {
            return;
        };
        let mut fields = begun.fields;
        fields.insert("seconds".to_owned(), rounded(begun.at.elapsed().as_secs_f64()));
        fields.insert(MESSAGE.to_owned(), "done".into());
        self.line(*span.metadata().level(), &[span.name()], fields);
    }
}

impl Lines {
    fn line(&self, level: Level, spans: &[&str], fields: Map<String, Value>) {
        let now = Timestamp::now();
        (self.write)(&match self.format {
            LogFormat::Json => json_line(now, &level.as_str().to_ascii_lowercase(), spans, fields),
            LogFormat::Text => text_line(now, level.as_str(), spans, fields),
        });
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

/// One object on one line; keys of objects and messages of servers cannot break out of it.
fn json_line(now: Timestamp, level: &str, spans: &[&str], mut fields: Map<String, Value>) -> String {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), moment(now).into());
    line.insert("level".to_owned(), level.into());
    if let Some(message) = fields.shift_remove(MESSAGE) {
        line.insert(MESSAGE.to_owned(), message);
    }
    if !spans.is_empty() {
        line.insert("spans".to_owned(), spans.into());
    }
    line.extend(fields);
    format!("{}\n", escape::json(&Value::Object(line).to_string()))
}

/// `2026-09-01T10:00:00.000000Z DEBUG fetch: request is repeated attempt=1 reason="…"`.
fn text_line(now: Timestamp, level: &str, spans: &[&str], mut fields: Map<String, Value>) -> String {
    let mut line = format!("{} {level:>5} ", moment(now));
    for span in spans {
        line.push_str(span);
        line.push_str(": ");
    }
    if let Some(Value::String(message)) = fields.shift_remove(MESSAGE) {
        line.push_str(&message);
    }
    for (name, value) in fields {
        line.push_str(&format!(" {name}={value}"));
    }
    format!("{}\n", escape::visible(&line))
}

fn moment(now: Timestamp) -> String {
    format!("{now:.6}")
}

fn rounded(seconds: f64) -> Value {
    ((seconds * 1e6).round() / 1e6).into()
}

fn write_to_stderr(line: &str) {
    // Nobody is left to tell when stderr is closed.
    io::stderr().lock().write_all(line.as_bytes()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::cell::RefCell;

    thread_local! {
        static WRITTEN: RefCell<String> = const { RefCell::new(String::new()) };
    }

    fn written(format: LogFormat, work: impl FnOnce()) -> String {
        let write = |line: &str| WRITTEN.with_borrow_mut(|written| written.push_str(line));
        let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
        let subscriber = Registry::default().with(own).with(Lines { format, write });
        tracing::subscriber::with_default(subscriber, work);
        WRITTEN.take()
    }

    fn work() {
        let uri = "s3://logs/\u{1b}[2J\nERROR forged";
        let _span = tracing::debug_span!("fetch", uri).entered();
        tracing::debug!(attempt = 2_u32, reason = %"503 SlowDown", "request is repeated");
        not_ours();
    }

    fn not_ours() {
        tracing::trace!("too much");
        tracing::error!(target: "aws_sigv4", "Authorization: AWS4-HMAC-SHA256 Credential=AKID");
    }

    #[test]
    fn events_are_lines_with_the_fields_of_their_spans_and_hostile_names_stay_on_them() {
        let text = written(LogFormat::Text, work);
        let lines: Vec<&str> = text.lines().collect();
        let [event, end] = lines.as_slice() else {
            panic!("{text}")
        };
        let wanted = " DEBUG fetch: request is repeated uri=\"s3://logs/\\u001b[2J\\nERROR forged\" attempt=2 \
                      reason=\"503 SlowDown\"";
        assert!(event.ends_with(wanted), "{event}");
        assert!(
            end.contains("Z DEBUG fetch: done uri=") && end.contains(" seconds=0."),
            "{end}"
        );
    }

    #[test]
    fn every_line_in_json_is_one_object() {
        let text = written(LogFormat::Json, work);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0]["uri"], "s3://logs/\u{1b}[2J\nERROR forged");
        assert_eq!((&lines[0]["attempt"], &lines[0]["level"]), (&2.into(), &"debug".into()));
        assert_eq!(lines[0]["spans"], serde_json::json!(["fetch"]));
        let line: Value = serde_json::from_str(&message_line("warn", "a \"b\"\n\u{202e}")).unwrap();
        assert_eq!(line["message"], "a \"b\"\n\u{202e}");
    }
}
