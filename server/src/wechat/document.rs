//! A body's fields, read from XML or JSON into the same shape.
//!
//! Deliberately less than XML: a DOCTYPE is refused, no entities but the five, attributes mean nothing, nesting has a cap.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use quick_xml::events::{BytesRef, Event};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// Deepest nesting accepted; WeChat's own bodies use 4.
pub const MAX_DEPTH: usize = 32;

/// What a body is written in; a reply is written in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Xml,
    Json,
}

impl Format {
    /// Told by the first byte that is no space, as the Content-Type is not to be relied on.
    pub fn detect(body: &str) -> Option<Self> {
        match body.trim_start().as_bytes().first()? {
            b'<' => Some(Self::Xml),
            b'{' => Some(Self::Json),
            _ => None,
        }
    }
}

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("the body is not UTF-8")]
    Encoding,
    #[error("the body is neither XML nor JSON")]
    Unknown,
    #[error("the XML is not well-formed")]
    Xml,
    #[error("the JSON is not well-formed")]
    Json,
    #[error("the XML has a DOCTYPE")]
    Doctype,
    #[error("the XML uses an entity of its own")]
    Entity,
    #[error("the body is nested deeper than {MAX_DEPTH}")]
    TooDeep,
}

/// Named fields in order; a list is a name that comes several times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document<'a> {
    fields: Vec<(Cow<'a, str>, Node<'a>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node<'a> {
    Text(Cow<'a, str>),
    Group(Document<'a>),
}

impl<'a> Document<'a> {
    /// Reads a whole body.
    pub fn parse(body: &'a [u8]) -> Result<(Self, Format), DocumentError> {
        let body = std::str::from_utf8(body).map_err(|_| DocumentError::Encoding)?;
        let body = body.trim_start_matches('\u{feff}');
        match Format::detect(body).ok_or(DocumentError::Unknown)? {
            Format::Xml => Ok((Self::parse_xml(body)?, Format::Xml)),
            Format::Json => Ok((Self::parse_json(body)?, Format::Json)),
        }
    }

    fn parse_xml(body: &'a str) -> Result<Self, DocumentError> {
        let mut reader = quick_xml::Reader::from_str(body);
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Element<'a>> = Vec::with_capacity(4);
        let mut root = None;
        loop {
            match reader.read_event().map_err(|_| DocumentError::Xml)? {
                Event::Start(start) => {
                    if root.is_some() {
                        return Err(DocumentError::Xml);
                    }
                    if open.len() >= MAX_DEPTH {
                        return Err(DocumentError::TooDeep);
                    }
                    open.push(Element::new(start.name().as_ref().to_owned()));
                }
                Event::End(_) => {
                    let element = open.pop().ok_or(DocumentError::Xml)?;
                    match open.last_mut() {
                        Some(parent) => parent.adopt(element),
                        None => root = Some(element.group),
                    }
                }
                Event::Text(text) => match open.last_mut() {
                    Some(element) => element.text(text.into_inner()),
                    None if text.trim().is_empty() => {}
                    None => return Err(DocumentError::Xml),
                },
                Event::CData(text) => {
                    let element = open.last_mut().ok_or(DocumentError::Xml)?;
                    element.cdata(text.into_inner());
                }
                Event::GeneralRef(reference) => {
                    let element = open.last_mut().ok_or(DocumentError::Xml)?;
                    element.push(Cow::Owned(resolve(&reference)?.to_string()));
                }
                Event::DocType(_) => return Err(DocumentError::Doctype),
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        root.filter(|_| open.is_empty()).ok_or(DocumentError::Xml)
    }

    fn parse_json(body: &'a str) -> Result<Self, DocumentError> {
        let too_deep = Cell::new(false);
        let mut deserializer = serde_json::Deserializer::from_str(body);
        let seed = NodeSeed {
            depth: 0,
            too_deep: &too_deep,
        };
        let nodes = seed
            .deserialize(&mut deserializer)
            .and_then(|nodes| deserializer.end().map(|()| nodes))
            .map_err(|_| match too_deep.get() {
                true => DocumentError::TooDeep,
                false => DocumentError::Json,
            })?;
        match nodes.into_iter().next() {
            Some(Node::Group(document)) => Ok(document),
            _ => Err(DocumentError::Json),
        }
    }

    /// The text of the first field of this name; `None` where there is none or it is a group.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|(field, node)| match node {
            Node::Text(text) if field == name => Some(text.as_ref()),
            _ => None,
        })
    }

    /// As [`Document::text`], with an empty text taken for none.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// A copy of the text, empty where there is none.
    pub fn owned(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_owned()
    }

    /// A number written as a number or as a text.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }

    /// The first group of this name.
    pub fn group(&self, name: &str) -> Option<&Document<'a>> {
        self.groups(name).next()
    }

    /// Every group of this name.
    pub fn groups(&self, name: &str) -> impl Iterator<Item = &Document<'a>> {
        self.fields
            .iter()
            .filter_map(move |(field, node)| match node {
                Node::Group(group) if field == name => Some(group),
                _ => None,
            })
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, DocumentError> {
    if let Some(character) = reference
        .resolve_char_ref()
        .map_err(|_| DocumentError::Xml)?
    {
        return Ok(character);
    }
    match reference.as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(DocumentError::Entity),
    }
}

/// An element whose end has not come yet.
struct Element<'a> {
    name: String,
    text: Cow<'a, str>,
    /// Spaces around CDATA are layout, spaces elsewhere are content.
    has_cdata: bool,
    group: Document<'a>,
}

impl<'a> Element<'a> {
    fn new(name: String) -> Self {
        Self {
            name,
            text: Cow::Borrowed(""),
            has_cdata: false,
            group: Document::default(),
        }
    }

    fn push(&mut self, text: Cow<'a, str>) {
        if self.text.is_empty() {
            self.text = text;
        } else {
            self.text.to_mut().push_str(&text);
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        if !(self.has_cdata && text.trim().is_empty()) {
            self.push(text);
        }
    }

    fn cdata(&mut self, text: Cow<'a, str>) {
        if !self.has_cdata && self.text.trim().is_empty() {
            self.text = Cow::Borrowed("");
        }
        self.has_cdata = true;
        self.push(text);
    }

    fn adopt(&mut self, child: Element<'a>) {
        let node = match child.group.fields.is_empty() {
            true => Node::Text(child.text),
            false => Node::Group(child.group),
        };
        self.group.fields.push((Cow::Owned(child.name), node));
    }
}

/// Reads a JSON value: one node, or several for an array, none for `null`.
struct NodeSeed<'c> {
    depth: usize,
    too_deep: &'c Cell<bool>,
}

impl NodeSeed<'_> {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            self.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        }
        Ok(NodeSeed {
            depth: self.depth + 1,
            too_deep: self.too_deep,
        })
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Vec<Node<'de>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Vec<Node<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(vec![Node::Text(Cow::Borrowed(text))])
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![Node::Text(Cow::Owned(text.to_owned()))])
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(vec![Node::Text(Cow::Owned(number.to_string()))])
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(vec![Node::Text(Cow::Owned(number.to_string()))])
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(vec![Node::Text(Cow::Owned(number.to_string()))])
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(vec![Node::Text(Cow::Owned(value.to_string()))])
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(mut item) = items.next_element_seed(self.deeper()?)? {
            nodes.append(&mut item);
        }
        Ok(nodes)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut document = Document::default();
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            let mut nodes = entries.next_value_seed(self.deeper()?)?.into_iter();
            if let Some(first) = nodes.next() {
                document.fields.push((name.clone(), first));
            }
            document
                .fields
                .extend(nodes.map(|node| (name.clone(), node)));
        }
        Ok(vec![Node::Group(document)])
    }
}

/// A field's name, borrowed from the body where it has no escapes.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
