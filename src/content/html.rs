//! HTML to plain text, and plain text to HTML.
//!
//! Linear in time and flat in memory, whatever the markup: no document tree is built, since mail nests its tables without
//! end. Nothing here judges which text is shown. Implements as much of HTML as mail and the bodies of devices need;
//! targets of links and addresses of pictures are left out, because they are tracking codes more often than not.

use mail_parser::decoders::html::add_html_token;

/// Deeper quotations and lists look like this many levels.
const MAX_LEVELS: usize = 8;

/// The longest entity, `&CounterClockwiseContourIntegral;`.
const MAX_ENTITY: usize = 33;

/// Elements whose content is no text.
const HIDDEN: [&str; 5] = ["style", "script", "title", "template", "noframes"];

/// Elements that start and end a line.
const BLOCKS: [&str; 27] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "header",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "pre",
    "section",
    "table",
    "tbody",
    "tr",
    "ul",
    "caption",
];

/// Elements with an empty line before and after.
const PARAGRAPHS: [&str; 7] = ["p", "h1", "h2", "h3", "h4", "h5", "h6"];

/// HTML as plain text with `\n` at line ends.
pub fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (characters, markup) = rest.split_at(start);
        writer.characters(characters);
        rest = read_markup(markup, &mut writer);
    }
    writer.characters(rest);
    writer.text.trim_end().to_owned()
}

/// Reads one tag, comment or declaration at the start; returns what follows. Unfinished ones reach to the end.
fn read_markup<'a>(markup: &'a str, writer: &mut Writer) -> &'a str {
    if let Some(comment) = markup.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let inner = markup.get(1..).unwrap_or_default();
    if inner.starts_with(['!', '?']) {
        return inner.split_once('>').map_or("", |(_, rest)| rest);
    }
    let closing = inner.starts_with('/');
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
        writer.characters(if closing { "</" } else { "<" });
        return inner;
    }
    let (tag, rest) = split_tag(inner);
    let name_end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
    let (name, attributes) = tag.split_at(name_end);
    let name = name.to_ascii_lowercase();
    if closing {
        writer.close(&name);
        return rest;
    }
    if HIDDEN.contains(&name.as_str()) {
        return after_end_tag(rest, &name);
    }
    writer.open(&name, attributes);
    rest
}

/// Splits after the `>` that ends a tag; one within quotes does not, unless the quotes never end.
fn split_tag(inner: &str) -> (&str, &str) {
    let mut quote = None;
    let end = inner.find(|c: char| {
        match (quote, c) {
            (None, '>') => return true,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        false
    });
    if let Some(end) = end {
        let (tag, rest) = inner.split_at(end);
        return (tag, rest.strip_prefix('>').unwrap_or(rest));
    }
    inner.split_once('>').unwrap_or((inner, ""))
}

/// What follows the end tag of an element without text.
fn after_end_tag<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        if after
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
        {
            return after.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = after;
    }
    ""
}

/// Plain text in the making.
#[derive(Default)]
struct Writer {
    text: String,
    /// Line ends due before the next character.
    breaks: usize,
    /// White space due before the next character of the same line.
    space: bool,
    preformatted: usize,
    quotes: usize,
    /// Open lists; an ordered one with the number of its last item.
    lists: Vec<Option<usize>>,
}

impl Writer {
    /// Text with entities.
    fn characters(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find('&') {
            let (before, entity) = rest.split_at(start);
            before.chars().for_each(|c| self.push(c));
            let end = entity.bytes().take(MAX_ENTITY).position(|byte| byte == b';');
            let (token, after) = entity.split_at(end.map_or(1, |end| end + 1));
            let mut decoded = String::new();
            add_html_token(&mut decoded, token.as_bytes(), false);
            decoded.chars().for_each(|c| self.push_literal(c));
            rest = after;
        }
        rest.chars().for_each(|c| self.push(c));
    }

    fn push(&mut self, c: char) {
        if !c.is_ascii_whitespace() {
            self.push_literal(c);
        } else if self.preformatted == 0 {
            self.space = true;
        } else if c == '\n' {
            self.breaks += 1;
        } else if c != '\r' {
            self.push_literal(c);
        }
    }

    /// A character that is not folded with its neighbours; a space that does not break is an ordinary one.
    fn push_literal(&mut self, c: char) {
        self.start_line();
        if std::mem::take(&mut self.space) && !self.text.is_empty() && !self.text.ends_with(['\n', ' ']) {
            self.text.push(' ');
        }
        self.text.push(if c == '\u{A0}' { ' ' } else { c });
    }

    /// Writes the line ends that are due, and the marks of quotations.
    fn start_line(&mut self) {
        let breaks = match self.text.is_empty() {
            true => 1,
            false => self.breaks,
        };
        if breaks == 0 || (self.text.is_empty() && self.quotes == 0) {
            self.breaks = 0;
            return;
        }
        let marks = "> ".repeat(self.quotes);
        for number in 0..breaks {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            let last = number + 1 == breaks;
            self.text.push_str(if last { &marks } else { marks.trim_end() });
        }
        self.breaks = 0;
        self.space = false;
    }

    fn open(&mut self, name: &str, attributes: &str) {
        match name {
            "br" => self.breaks = (self.breaks + 1).min(3),
            "hr" => self.line("---"),
            "td" | "th" => self.space = true,
            "img" => self.picture(attributes),
            _ => self.edge(name),
        }
        match name {
            "pre" => self.preformatted += 1,
            "blockquote" => self.quotes = (self.quotes + 1).min(MAX_LEVELS),
            "ul" | "ol" if self.lists.len() < MAX_LEVELS => self.lists.push((name == "ol").then_some(0)),
            "li" => self.item(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        self.edge(name);
        match name {
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "blockquote" => self.quotes = self.quotes.saturating_sub(1),
            "ul" | "ol" => {
                self.lists.pop();
            }
            _ => {}
        }
    }

    /// The start or the end of a block.
    fn edge(&mut self, name: &str) {
        if PARAGRAPHS.contains(&name) {
            self.breaks = self.breaks.max(2);
        } else if BLOCKS.contains(&name) {
            self.breaks = self.breaks.max(1);
        }
    }

    fn line(&mut self, text: &str) {
        self.breaks = self.breaks.max(1);
        text.chars().for_each(|c| self.push_literal(c));
        self.breaks = 1;
    }

    fn item(&mut self) {
        let level = self.lists.len();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{number}. ")
            }
            _ => "* ".to_owned(),
        };
        let indent = "  ".repeat(level.saturating_sub(1));
        indent.chars().chain(mark.chars()).for_each(|c| self.push_literal(c));
    }

    /// A picture is its description, if it has one.
    fn picture(&mut self, attributes: &str) {
        let description = attribute(attributes, "alt").unwrap_or_default();
        self.space = true;
        self.characters(description);
        self.space = true;
    }
}

/// The value of an attribute in quotes.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some((before, after)) = rest.split_once('=') {
        let own = before.trim_end().rsplit(char::is_whitespace).next()?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            rest = after;
            continue;
        };
        let (value, after) = after.get(1..)?.split_once(quote)?;
        if own.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// Plain text as an HTML document.
pub fn from_text(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8 + 128);
    html.push_str("<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>");
    let mut after_space = true;
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("<br>\n"),
            '\r' => {}
            // Browsers fold spaces and drop those at the start of a line.
            ' ' if after_space => html.push_str("&nbsp;"),
            _ => html.push(c),
        }
        after_space = matches!(c, ' ' | '\n');
    }
    html.push_str("</body></html>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_to_text() {
        // HTML, expected
        let cases = [
            ("Hello <b>World</b>", "Hello World"),
            ("<p>a</p><p>b</p>", "a\n\nb"),
            ("a<br>b<br/>\n c", "a\nb\nc"),
            ("<div>a</div>\n<div> b </div>", "a\nb"),
            (
                "a &amp; b &lt;c&gt; &#228;&nbsp;&euro; &unknown; &",
                "a & b <c> \u{e4} \u{20ac} &unknown; &",
            ),
            ("<title>t</title><STYLE>p {}</STYLE ><script>if (a<b) {}</script>x", "x"),
            ("<!--[if mso]><p>no</p><![endif]-->x<!-- open", "x"),
            ("<a href=\"http://track/?a>b\">here</a>", "here"),
            ("<ul><li>a<li>b<ol><li>c</ol></ul>d", "* a\n* b\n  1. c\nd"),
            (
                "<blockquote>a<br>b<blockquote>c</blockquote></blockquote>d",
                "> a\n> b\n> > c\nd",
            ),
            ("<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\nd"),
            (
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
                "a b\nc",
            ),
            ("<img src=\"cid:1\" alt=\"Logo\"> x <img src='t.gif'>", "Logo x"),
            ("1 < 2 </ 3", "1 < 2 </ 3"),
            ("a<hr>b", "a\n---\nb"),
            ("cut <a href=\"", "cut"),
            ("<a \">x", "x"),
            ("", ""),
        ];
        for (html, expected) in cases {
            assert_eq!(to_text(html), expected, "{html}");
        }
    }

    #[test]
    fn text_from_text() {
        let html = from_text("a <b> & \"c\"\r\n  d");
        assert!(
            html.contains("<body>a &lt;b&gt; &amp; &quot;c&quot;<br>\n&nbsp;&nbsp;d</body>"),
            "{html}"
        );
    }

    #[test]
    fn hostile_markup_takes_linear_time_and_space() {
        for unit in [
            "<div>",
            "<blockquote>a",
            "<ul><li>",
            "<a \"",
            "<a '>\"",
            "<!--",
            "</",
            "&",
            "<hr>",
            "<style>",
            "<pre>\n",
        ] {
            let html = unit.repeat(100_000);
            assert!(to_text(&html).len() <= html.len() * 8, "{unit}");
        }
    }

    proptest! {
        #[test]
        fn any_html_gives_text(html in "([<>&;a-z\"'/! =\n-]|<br>|&auml;|\u{e4}|<p>|</p>|<li>|<pre>){0,80}") {
            to_text(&html);
        }

        #[test]
        fn escaped_text_survives(text in "[a-zA-Z0-9<>&\";\u{e4}]{0,40}( [a-z<>&]{1,8}){0,3}") {
            let read = to_text(&from_text(&text));
            prop_assert_eq!(read.trim(), text.trim());
        }
    }
}
