//! What mails to search for: from the words of a device to a filter of OX.
//!
//! Pure. [`keywords`] reads the Keyword Query Language of [MS-KQL] as far as mail programs write it; unknown keywords are
//! plain words. [`Query::body`] writes the search filter of the API documentation, "Module mail", action "search".

use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::json;

use crate::content::date;

/// More terms than this are not searched for.
const MOST_TERMS: usize = 100;

/// Parentheses deeper than this are none.
const DEEPEST: usize = 16;

/// A condition on a mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A text in one of these fields of OX.
    Contains(&'static [&'static str], String),
    /// A comparison of a numeric field of OX; times in milliseconds since 1970.
    Compare(&'static str, &'static str, i64),
}

/// Keyword, and the fields that it looks into. OX has no index of attachments: their text is a part of the content.
const TEXTS: [(&str, &[&str]); 8] = [
    ("from", &["from"]),
    ("to", &["to"]),
    ("cc", &["cc"]),
    ("bcc", &["bcc"]),
    ("participants", &["from", "to", "cc", "bcc"]),
    ("subject", &["subject"]),
    ("body", &["content"]),
    ("attachment", &["content"]),
];

/// Where a word without a keyword is looked for.
const EVERYWHERE: &[&str] = &["subject", "from", "to", "cc", "content"];

/// Keyword and field of dates.
const DATES: [(&str, &str); 2] = [("received", RECEIVED), ("sent", "sent_date")];
const RECEIVED: &str = "received_date";

/// Other keywords.
const SIZE: &str = "size";
const HAS_ATTACHMENT: &str = "hasattachment";
const IMPORTANCE: &str = "importance";
const KIND: &str = "kind";
const CATEGORY: &str = "category";

/// Units of sizes, and their bytes.
const UNITS: [(&str, i64); 3] = [("kb", 1024), ("mb", 1024 * 1024), ("b", 1)];

impl Query {
    /// Received later than this instant.
    pub const fn received_after(instant: i64) -> Self {
        Self::Compare(RECEIVED, ">", instant)
    }

    /// Received before this instant.
    pub const fn received_before(instant: i64) -> Self {
        Self::Compare(RECEIVED, "<", instant)
    }

    /// The body of the call: "empty array = all".
    pub fn body(&self) -> Value {
        match self {
            Self::All(parts) if parts.is_empty() => json!([]),
            _ => json!({"filter": self.filter()}),
        }
    }

    fn filter(&self) -> Value {
        match self {
            // Every mail has a size, and none a negative one.
            Self::All(parts) if parts.is_empty() => Self::Compare("size", ">", -1).filter(),
            Self::Any(parts) if parts.is_empty() => Self::Compare("size", "<", 0).filter(),
            Self::All(parts) | Self::Any(parts) if parts.len() == 1 => {
                parts.first().map(Self::filter).unwrap_or_default()
            }
            Self::All(parts) => operator("and", parts.iter().map(Self::filter)),
            Self::Any(parts) => operator("or", parts.iter().map(Self::filter)),
            Self::Not(part) => json!(["not", part.filter()]),
            Self::Contains([field], text) => json!(["=", {"field": field}, text]),
            Self::Contains(fields, text) => {
                let parts = fields.iter().map(|field| json!(["=", {"field": field}, text]));
                operator("or", parts)
            }
            Self::Compare(field, operator, number) => json!([operator, {"field": field}, number.to_string()]),
        }
    }
}

fn operator(name: &str, operands: impl Iterator<Item = Value>) -> Value {
    std::iter::once(name.into()).chain(operands).collect()
}

/// Reads a query: words and `keyword:value`, quotes, AND, OR, NOT, parentheses. Words side by side must all be there. `now`
/// and `zone` are for `today` and days.
pub fn keywords(text: &str, now: i64, zone: &TimeZone) -> Query {
    let tokens = tokens(text);
    let mut parser = Parser {
        tokens: &tokens,
        now,
        zone,
    };
    let mut parts = Vec::new();
    while !parser.tokens.is_empty() {
        let before = parser.tokens.len();
        parts.push(parser.any(0));
        if parser.tokens.len() == before {
            // A parenthesis that closes nothing.
            parser.next();
        }
    }
    parts.retain(|part| *part != Query::All(Vec::new()));
    all(parts)
}

fn all(mut parts: Vec<Query>) -> Query {
    match parts.len() {
        1 => parts.remove(0),
        _ => Query::All(parts),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// As written, quotes included.
    Term(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut term = String::new();
    let mut quoted = false;
    for c in text.chars().chain([' ']) {
        match c {
            '"' => {
                quoted = !quoted;
                term.push(c);
            }
            _ if quoted => term.push(c),
            '(' | ')' => {
                flush(&mut term, &mut tokens);
                tokens.push(if c == '(' { Token::Open } else { Token::Close });
            }
            _ if c.is_whitespace() => flush(&mut term, &mut tokens),
            _ => term.push(c),
        }
    }
    // A quote that nobody closed.
    flush(&mut term, &mut tokens);
    tokens.truncate(MOST_TERMS);
    tokens
}

fn flush(term: &mut String, tokens: &mut Vec<Token>) {
    let term = std::mem::take(term);
    tokens.extend(match term.as_str() {
        "" => None,
        "AND" | "+" => Some(Token::And),
        "OR" => Some(Token::Or),
        "NOT" | "-" => Some(Token::Not),
        _ => Some(Token::Term(term)),
    });
}

struct Parser<'a> {
    tokens: &'a [Token],
    now: i64,
    zone: &'a TimeZone,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn skip(&mut self, token: &Token) -> bool {
        let found = self.tokens.first() == Some(token);
        if found {
            self.next();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Query {
        let mut parts = vec![self.all(depth)];
        while self.skip(&Token::Or) {
            parts.push(self.all(depth));
        }
        match parts.len() {
            1 => parts.remove(0),
            _ => Query::Any(parts),
        }
    }

    fn all(&mut self, depth: usize) -> Query {
        let mut parts = Vec::new();
        loop {
            match self.tokens.first() {
                None | Some(Token::Or | Token::Close) => return all(parts),
                Some(Token::And) => {
                    self.next();
                }
                Some(_) => parts.push(self.one(depth)),
            }
        }
    }

    fn one(&mut self, depth: usize) -> Query {
        match self.next() {
            Some(Token::Not) => match self.tokens.first() {
                Some(Token::Open | Token::Term(_)) => Query::Not(Box::new(self.one(depth))),
                _ => Query::All(Vec::new()),
            },
            Some(Token::Open) if depth < DEEPEST => {
                let inner = self.any(depth + 1);
                self.skip(&Token::Close);
                inner
            }
            Some(Token::Term(term)) => self.term(term),
            _ => Query::All(Vec::new()),
        }
    }

    fn term(&self, term: &str) -> Query {
        if let Some(positive) = term.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            return Query::Not(Box::new(self.term(positive)));
        }
        let keyword = term
            .find([':', '<', '>', '='])
            .and_then(|at| self.keyword(&term.get(..at)?.to_ascii_lowercase(), term.get(at..)?));
        keyword.unwrap_or_else(|| words(EVERYWHERE, term))
    }

    /// A keyword with its value; `None` if it is none that we know, or its value makes no sense.
    fn keyword(&self, name: &str, rest: &str) -> Option<Query> {
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let value = unquoted(rest);
        if let Some((_, fields)) = TEXTS.iter().find(|(known, _)| *known == name) {
            return Some(words(fields, rest.trim_start_matches('=')));
        }
        if let Some((_, field)) = DATES.iter().find(|(known, _)| *known == name) {
            return compared(field, &value, |text| self.day(text));
        }
        match name {
            SIZE => compared("size", &value, |text| size(text).map(|size| (size, size + 1))),
            HAS_ATTACHMENT => {
                // What has attachments is of this type, as far as OX can search for it.
                let mixed = Query::Contains(&["content_type"], "multipart/mixed".to_owned());
                match value.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "1" => Some(mixed),
                    "false" | "no" | "0" => Some(Query::Not(Box::new(mixed))),
                    _ => None,
                }
            }
            IMPORTANCE => importance(&value),
            // Everything that is searched is mail, and OX has no categories for mail.
            KIND if value.eq_ignore_ascii_case("email") => Some(Query::All(Vec::new())),
            KIND | CATEGORY => Some(Query::Any(Vec::new())),
            _ => None,
        }
    }

    /// A day: its first instant, and the first of the next.
    fn day(&self, text: &str) -> Option<(i64, i64)> {
        let today = date::day_in(self.now, self.zone);
        let day = match text.to_ascii_lowercase().as_str() {
            "today" => today,
            "yesterday" => today - date::DAY,
            // With a time of day it is an instant.
            _ if text.contains('T') => return date::parse(text).map(|instant| (instant, instant + 1)),
            _ => date::parse(text)?,
        };
        let start = |day| date::start_of_day_in(day, self.zone);
        Some((start(day), start(day + date::DAY)))
    }
}

/// `value`, `>value`, `>=value`, `<value`, `<=value`, `<>value`, `from..to`. A value is from its first number until
/// just before its second.
fn compared(field: &'static str, value: &str, read: impl Fn(&str) -> Option<(i64, i64)>) -> Option<Query> {
    let from = |number| Query::Compare(field, ">", number - 1);
    let until = |number| Query::Compare(field, "<", number);
    if let Some((first, last)) = value.split_once("..") {
        return Some(Query::All(vec![from(read(first)?.0), until(read(last)?.1)]));
    }
    let operators = [">=", "<=", "<>", ">", "<", "="];
    let operator = operators.into_iter().find(|operator| value.starts_with(operator));
    let value = value.get(operator.map_or(0, str::len)..)?;
    let (start, end) = read(value.trim())?;
    let within = Query::All(vec![from(start), until(end)]);
    Some(match operator {
        Some(">=") => from(start),
        Some(">") => from(end),
        Some("<") => until(start),
        Some("<=") => until(end),
        Some("<>") => Query::Not(Box::new(within)),
        _ => within,
    })
}

fn size(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let unit = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, bytes) = unit.unwrap_or((&text, 1));
    let size: i64 = number.trim().parse().ok()?;
    size.checked_mul(bytes).filter(|size| *size >= 0 && *size < i64::MAX)
}

/// "1 is highest, 5 lowest, everything else no priority at all".
fn importance(value: &str) -> Option<Query> {
    let is = |priority| Query::Compare("priority", "=", priority);
    let (high, low) = (Query::Any(vec![is(1), is(2)]), Query::Any(vec![is(4), is(5)]));
    match value.to_ascii_lowercase().as_str() {
        "high" => Some(high),
        "low" => Some(low),
        "normal" => Some(Query::Not(Box::new(Query::Any(vec![high, low])))),
        _ => None,
    }
}

/// A phrase in quotes as it is; an asterisk at the end is no news, since OX finds parts of words.
fn words(fields: &'static [&'static str], term: &str) -> Query {
    let text = unquoted(term);
    let text = text.trim().trim_end_matches('*');
    match text.is_empty() {
        true => Query::All(Vec::new()),
        false => Query::Contains(fields, text.to_owned()),
    }
}

fn unquoted(text: &str) -> String {
    text.replace('"', "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-25T12:00:00Z
    const NOW: i64 = 1_795_608_000_000;
    /// 2026-11-25T00:00:00Z
    const TODAY: i64 = 1_795_564_800_000;

    fn body(text: &str) -> Value {
        keywords(text, NOW, &TimeZone::UTC).body()
    }

    fn is(field: &str, text: &str) -> Value {
        json!(["=", {"field": field}, text])
    }

    fn compare(operator: &str, field: &str, number: i64) -> Value {
        json!([operator, {"field": field}, number.to_string()])
    }

    #[test]
    fn queries_and_filters() {
        let everywhere = |text: &str| {
            let fields = EVERYWHERE.iter().map(|field| is(field, text));
            operator("or", fields)
        };
        let day = TODAY - date::DAY;
        // query, filter
        let cases = [
            ("subject:lunch", is("subject", "lunch")),
            ("SUBJECT:\"lunch today\"", is("subject", "lunch today")),
            ("lunch*", everywhere("lunch")),
            ("\"to be: or not\"", everywhere("to be: or not")),
            ("Re:lunch", everywhere("Re:lunch")),
            (
                "from:anna to:otto",
                json!(["and", is("from", "anna"), is("to", "otto")]),
            ),
            (
                "from:anna AND to:otto",
                json!(["and", is("from", "anna"), is("to", "otto")]),
            ),
            (
                "cc:a OR bcc:b subject:c",
                json!(["or", is("cc", "a"), ["and", is("bcc", "b"), is("subject", "c")]]),
            ),
            (
                "(cc:a OR bcc:b) NOT subject:c",
                json!([
                    "and",
                    ["or", is("cc", "a"), is("bcc", "b")],
                    ["not", is("subject", "c")]
                ]),
            ),
            ("-body:x", json!(["not", is("content", "x")])),
            (
                "received:2026-11-24",
                json!(["and", compare(">", RECEIVED, day - 1), compare("<", RECEIVED, TODAY)]),
            ),
            ("received>=today", compare(">", RECEIVED, TODAY - 1)),
            ("received:>yesterday", compare(">", RECEIVED, TODAY - 1)),
            ("sent<2026-11-25", compare("<", "sent_date", TODAY)),
            (
                "received:2026-11-24..2026-11-25",
                json!([
                    "and",
                    compare(">", RECEIVED, day - 1),
                    compare("<", RECEIVED, TODAY + date::DAY)
                ]),
            ),
            ("size>=2kb", compare(">", "size", 2047)),
            ("hasattachment:true", is("content_type", "multipart/mixed")),
            (
                "importance:high",
                json!(["or", compare("=", "priority", 1), compare("=", "priority", 2)]),
            ),
            ("category:red", compare("<", "size", 0)),
        ];
        for (query, filter) in cases {
            assert_eq!(body(query), json!({"filter": filter}), "{query}");
        }
        for everything in ["", "  ", "()", ")", "NOT", "AND OR", "kind:email", "*", "\""] {
            let all = body(everything);
            let any = compare(">", "size", -1);
            let neutral = [json!([]), json!({"filter": ["or", any, any]})];
            assert!(neutral.contains(&all), "{everything}: {all}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(text in ".{0,80}", terms in "([():\"<>=. -]|AND|OR|NOT|from|size|received|1|é){0,60}") {
            let _ = body(&text);
            let _ = body(&terms);
        }
    }
}
