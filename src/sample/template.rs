//! Placeholders in the request and response texts of the estate: `<region>` and the like become the value of one event.
//!
//! A placeholder means the same thing everywhere in one event, so that an object key in `requestParameters` is also the
//! one in `resources`.

use super::moment::Moment;
use super::random::Random;

/// The values of one event's placeholders.
#[derive(Debug)]
pub(super) struct Expander<'a> {
    random: &'a mut Random,
    known: Vec<(&'a str, String)>,
}

impl<'a> Expander<'a> {
    /// An expander that knows the given names and draws the random ones when they first occur.
    pub(super) fn new(random: &'a mut Random, time: Moment, named: &[(&'a str, &str)]) -> Self {
        let mut known: Vec<(&str, String)> = named.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        known.push(("day", time.day_folders()));
        known.push(("time", time.iso()));
        Self { random, known }
    }

    /// `template` with every placeholder replaced. A `<` that starts no placeholder stays as it is.
    pub(super) fn expand(&mut self, template: &'a str) -> String {
        let mut text = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(before);
            match after.split_once('>') {
                Some((name, remainder)) if is_name(name) => {
                    self.push_value(&mut text, name);
                    rest = remainder;
                }
                _ => {
                    text.push('<');
                    rest = after;
                }
            }
        }
        text.push_str(rest);
        text
    }

    fn push_value(&mut self, text: &mut String, name: &'a str) {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == name) {
            text.push_str(value);
            return;
        }
        let value = self.draw(name);
        text.push_str(&value);
        self.known.push((name, value));
    }

    /// A fresh value: `hex8`, `uuid`, `number`, or `a|b|c` for one of several words. A suffix after `.` makes another
    /// value of the same kind.
    fn draw(&mut self, name: &str) -> String {
        if name.contains('|') {
            let words: Vec<&str> = name.split('|').collect();
            return self
                .random
                .pick(&words)
                .map_or_else(String::new, |word| (*word).to_owned());
        }
        match name.split('.').next().unwrap_or(name) {
            "hex8" => self.random.hex(8),
            "hex16" => self.random.hex(16),
            "hex17" => self.random.hex(17),
            "hex32" => self.random.hex(32),
            "hex64" => self.random.hex(64),
            "uuid" => self.random.uuid(),
            "number" => self.random.between(10_000, 99_999).to_string(),
            _ => format!("<{name}>"),
        }
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".|-_/".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Expander;
    use super::Moment;
    use super::Random;

    fn expand(templates: &[&'static str]) -> Vec<String> {
        let mut random = Random::seeded(1);
        let time = Moment::start_of(date(2026, 9, 1));
        let mut expander = Expander::new(&mut random, time, &[("region", "eu-west-1")]);
        templates.iter().map(|template| expander.expand(template)).collect()
    }

    #[test]
    fn a_name_means_the_same_in_one_event_and_a_suffix_makes_another() {
        let texts = expand(&["<hex8>", "<hex8>", "<hex8.2>", "<region>/<day>"]);
        assert_eq!(texts[0].len(), 8);
        assert_eq!(texts[0], texts[1]);
        assert_ne!(texts[0], texts[2]);
        assert_eq!(texts[3], "eu-west-1/2026/09/01");
    }

    #[test]
    fn choices_give_one_of_the_words_and_plain_signs_stay() {
        let texts = expand(&["<a|b>", "<script>", "1 < 2"]);
        assert!(["a", "b"].contains(&texts[0].as_str()));
        assert_eq!(texts[1], "<script>");
        assert_eq!(texts[2], "1 < 2");
    }
}
