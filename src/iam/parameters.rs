//! Looking into the JSON of a request, without a copy of its texts.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::DeserializeSeed;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Number;

use super::mark::mark;
use super::percent::with_plain_arn;

/// Values for which there is room at once.
const USUAL_VALUES: usize = 16;

/// The values of a request, each before those inside it.
#[derive(Debug, Default)]
pub(super) struct Parameters<'a> {
    /// Begins with the request itself; empty for what is absent or no JSON.
    values: Vec<Value<'a>>,
    /// Marks of the names of all members: most names that are looked for are in no request.
    names: u64,
    /// Marks of the names of members whose values were read.
    read: Cell<u64>,
}

#[derive(Debug)]
struct Value<'a> {
    /// Name of a member; empty for elements of lists, which have none.
    name: Cow<'a, str>,
    is_member: bool,
    kind: Kind<'a>,
    /// Number of values inside.
    inside: usize,
}

#[derive(Debug)]
enum Kind<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List,
    Object,
}

/// A part of a text, borrowed from what the text is borrowed from.
pub(super) fn part_of<'a>(text: &Cow<'a, str>, take: impl Fn(&str) -> Option<&str>) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => take(text).map(Cow::Borrowed),
        Cow::Owned(text) => take(text).map(|part| Cow::Owned(part.to_owned())),
    }
}

impl<'a> Parameters<'a> {
    /// The parameters of a request; null for what is absent or no JSON.
    pub(super) fn parse(text: Option<&'a str>) -> Self {
        let Some(text) = text else {
            return Self::default();
        };
        let mut values = Vec::with_capacity(USUAL_VALUES);
        let mut parser = serde_json::Deserializer::from_str(text);
        let place = Place {
            values: &mut values,
            name: None,
        };
        if place.deserialize(&mut parser).and_then(|()| parser.end()).is_err() {
            values.clear();
        }
        let members = values.iter().filter(|value| value.is_member);
        let names = members.fold(0, |names, member| names | mark(&member.name));
        let read = Cell::new(0);
        Self { values, names, read }
    }

    /// Whether the request says nothing.
    pub(super) fn is_null(&self) -> bool {
        self.values.first().is_none_or(|value| matches!(value.kind, Kind::Null))
    }

    /// Every text or number at a path of members, `[]` after a name for every element; case does not matter.
    pub(super) fn strings_at(&self, path: &str) -> Vec<Cow<'a, str>> {
        let first = path.split('.').next().unwrap_or_default();
        self.remember(first.strip_suffix("[]").unwrap_or(first));
        let mut found = Vec::new();
        self.follow(0, Some(path), &mut found);
        found
    }

    /// Texts of every member of a name, however deep; case does not matter.
    pub(super) fn strings_named(&self, name: &str) -> Vec<Cow<'a, str>> {
        self.remember(name);
        let named = self.named(name);
        let elements = named.flat_map(|(position, _)| self.elements(position));
        elements.filter_map(|value| self.text_of(value)).collect()
    }

    /// Whether a member of the name, however deep, says something: neither null, false nor empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.named(name).any(|(_, member)| member.says_something())
    }

    /// Whether there is a member of the name, however deep, even an empty one.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Whether a member of one of the names, so deep below a value at most, says something; case does not matter.
    pub(super) fn has_within(&self, depth: usize, position: usize, names: &[&str]) -> bool {
        let is_meant = |value: &Value<'a>| names.iter().any(|name| value.is_named(name)) && value.says_something();
        self.inside(position).any(|inner| {
            let is_meant = self.values.get(inner).is_some_and(is_meant);
            is_meant || (depth > 1 && self.has_within(depth - 1, inner, names))
        })
    }

    /// Whether a member of one of the names may be here; see [`marks`].
    pub(super) fn may_have(&self, marks: u64) -> bool {
        self.names & marks != 0
    }

    /// Whether a member, however deep, is this text, or lists it.
    pub(super) fn holds(&self, text: &str) -> bool {
        let is_text = |value: usize| self.plain_text(value).is_some_and(|own| own == text);
        self.members().any(|(position, _)| self.elements(position).any(is_text))
    }

    /// Whether the request itself has a member of this name.
    pub(super) fn has_top_member(&self, name: &str) -> bool {
        self.member_of(0, name).is_some()
    }

    /// Whether a member of the request itself says something: neither null, false nor empty.
    pub(super) fn has_of_its_own(&self, name: &str) -> bool {
        let member = self.member_of(0, name).and_then(|member| self.values.get(member));
        member.is_some_and(Value::says_something)
    }

    /// ARNs that stand as parameters of the request itself, or in a list that does.
    pub(super) fn arns(&self) -> Vec<Cow<'a, str>> {
        let is_object = self.values.first().is_some_and(Value::is_object);
        let members = self.inside(0).filter(|_| is_object);
        let texts = members.flat_map(|member| self.elements(member));
        let texts = texts.filter_map(|value| self.plain_text(value));
        texts.filter(|text| text.starts_with("arn:")).cloned().collect()
    }

    /// All members, however deep, with their positions.
    fn members(&self) -> impl Iterator<Item = (usize, &Value<'a>)> {
        self.values.iter().enumerate().filter(|(_, value)| value.is_member)
    }

    /// Marks of the names of members whose values were read: not only that they are here, and are empty or not.
    pub(super) fn read(&self) -> u64 {
        self.read.get()
    }

    fn remember(&self, name: &str) {
        self.read.set(self.read.get() | mark(name));
    }

    /// Adds what stands at a path from a value on.
    fn follow(&self, position: usize, path: Option<&str>, found: &mut Vec<Cow<'a, str>>) {
        let Some(path) = path else {
            found.extend(self.text_of(position));
            return;
        };
        let (step, rest) = path
            .split_once('.')
            .map_or((path, None), |(step, rest)| (step, Some(rest)));
        let list = step.strip_suffix("[]");
        let Some(member) = self.member_of(position, list.unwrap_or(step)) else {
            return;
        };
        match list {
            Some(_) => self
                .elements(member)
                .for_each(|element| self.follow(element, rest, found)),
            None => self.follow(member, rest, found),
        }
    }

    /// All members of a name, however deep, with their positions; case does not matter.
    fn named(&self, name: &str) -> impl Iterator<Item = (usize, &Value<'a>)> {
        let may_be_here = self.names & mark(name) != 0;
        let members = may_be_here.then(|| self.members()).into_iter().flatten();
        members.filter(move |(_, member)| member.is_named(name))
    }

    /// Positions of the values directly inside a value.
    fn inside(&self, position: usize) -> impl Iterator<Item = usize> {
        let inside = |position: usize| self.values.get(position).map_or(0, |value| value.inside);
        let end = position + 1 + inside(position);
        let first = Some(position + 1).filter(|first| *first < end);
        std::iter::successors(first, move |value| {
            Some(*value + 1 + inside(*value)).filter(|next| *next < end)
        })
    }

    /// The elements of a list, also of EC2's `{"items": […]}`; anything else is its own only element.
    fn elements(&self, position: usize) -> impl Iterator<Item = usize> {
        let items = self.exact_member_of(position, "items").unwrap_or(position);
        let is_list = self
            .values
            .get(items)
            .is_some_and(|value| matches!(value.kind, Kind::List));
        let own = Some(items).filter(|_| !is_list);
        own.into_iter().chain(self.inside(items).filter(move |_| is_list))
    }

    /// A member of a name, whose case matters only if there are several.
    fn member_of(&self, position: usize, name: &str) -> Option<usize> {
        if self.names & mark(name) == 0 {
            return None;
        }
        let is_named = |member: &usize| self.values.get(*member).is_some_and(|member| member.is_named(name));
        let is_object = self.values.get(position).is_some_and(Value::is_object);
        let caseless = || self.inside(position).filter(|_| is_object).find(is_named);
        self.exact_member_of(position, name).or_else(caseless)
    }

    /// The last member of exactly this name.
    fn exact_member_of(&self, position: usize, name: &str) -> Option<usize> {
        let value = self.values.get(position).filter(|_| self.names & mark(name) != 0)?;
        if !value.is_object() {
            return None;
        }
        let is_named = |member: &usize| self.values.get(*member).is_some_and(|member| member.name == name);
        self.inside(position).filter(is_named).last()
    }

    fn plain_text(&self, position: usize) -> Option<&Cow<'a, str>> {
        match &self.values.get(position)?.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    fn text_of(&self, position: usize) -> Option<Cow<'a, str>> {
        match &self.values.get(position)?.kind {
            Kind::Text(text) if !text.is_empty() => Some(text.clone()),
            Kind::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }
}

impl Value<'_> {
    fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object)
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn says_something(&self) -> bool {
        match &self.kind {
            Kind::Null | Kind::Bool(false) => false,
            Kind::Text(text) => !text.is_empty(),
            Kind::List | Kind::Object => self.inside > 0,
            Kind::Bool(true) | Kind::Number(_) => true,
        }
    }
}

/// Where the next value goes.
struct Place<'v, 'a> {
    values: &'v mut Vec<Value<'a>>,
    name: Option<Cow<'a, str>>,
}

impl<'a> Place<'_, 'a> {
    fn put(self, kind: Kind<'a>) {
        self.values.push(Value {
            is_member: self.name.is_some(),
            name: self.name.unwrap_or_default(),
            kind,
            inside: 0,
        });
    }
}

/// Says how many values came after a list or an object that stands at a position.
fn close(values: &mut [Value<'_>], position: usize) {
    let inside = values.len().saturating_sub(position + 1);
    if let Some(value) = values.get_mut(position) {
        value.inside = inside;
    }
}

// INVARIANT: the parser bounds the depth.
impl<'de> DeserializeSeed<'de> for Place<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(Kind::Null);
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.put(Kind::Bool(truth));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.put(Kind::Number(number.into()));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.put(Kind::Number(number.into()));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.put(Number::from_f64(number).map_or(Kind::Null, Kind::Number));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.put(Kind::Text(with_plain_arn(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.put(Kind::Text(Cow::Owned(with_plain_arn(text).into_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { values, name } = self;
        let position = values.len();
        Place { values, name }.put(Kind::List);
        while list.next_element_seed(Place { values, name: None })?.is_some() {}
        close(values, position);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { values, name } = self;
        let position = values.len();
        Place { values, name }.put(Kind::Object);
        while let Some(name) = object.next_key_seed(Name)? {
            let name = Some(name);
            object.next_value_seed(Place { values, name })?;
        }
        close(values, position);
        Ok(())
    }
}

/// A name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
