//! HTML of mails: to plain text, and made harmless for display.
//!
//! As much as the views `text` and `html` of a mail need; no HTML library is asked.

/// The text of an HTML document: tags gone, blocks as lines, the usual entities resolved.
pub(crate) fn to_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    let mut skipping: Option<&str> = None;
    while let Some((before, after)) = rest.split_once('<') {
        if skipping.is_none() {
            push_words(&mut text, before);
        }
        let Some((tag, after)) = after.split_once('>') else {
            rest = "";
            break;
        };
        rest = after;
        let name = tag_name(tag);
        match skipping {
            Some(ended) if tag.starts_with('/') && name == ended => skipping = None,
            Some(_) => {}
            None if matches!(name.as_str(), "script" | "style" | "head" | "title") && !tag.starts_with('/') => {
                skipping = ["script", "style", "head", "title"]
                    .into_iter()
                    .find(|skipped| *skipped == name);
            }
            None if matches!(
                name.as_str(),
                "br" | "p" | "div" | "tr" | "li" | "h1" | "h2" | "h3" | "table"
            ) =>
            {
                end_line(&mut text);
            }
            None => {}
        }
    }
    if skipping.is_none() {
        push_words(&mut text, rest);
    }
    text.trim().to_owned()
}

/// HTML without scripts and event handlers; `cid:` links point to `image_url` plus the content id.
pub(crate) fn sanitize(html: &str, image_url: &str) -> String {
    let without_scripts = cut(&cut(html, "<script", "</script>"), "<!--", "-->");
    let mut clean = String::with_capacity(without_scripts.len());
    let mut rest = without_scripts.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        clean.push_str(before);
        let Some((tag, after)) = after.split_once('>') else {
            break;
        };
        let name = tag_name(tag);
        if !matches!(name.as_str(), "iframe" | "object" | "embed" | "meta" | "link" | "base") {
            clean.push('<');
            clean.push_str(&without_handlers(tag));
            clean.push('>');
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
        .replace("\"cid:", &format!("\"{image_url}"))
        .replace("'cid:", &format!("'{image_url}"))
}

/// Text as HTML: escaped, lines broken by `<br>`.
pub(crate) fn escape(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    escaped.replace("\r\n", "<br>").replace('\n', "<br>")
}

fn tag_name(tag: &str) -> String {
    let name = tag.trim_start_matches('/');
    name.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

fn end_line(text: &mut String) {
    while text.ends_with(' ') {
        text.pop();
    }
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

/// Appends text with its white space as single blanks and its entities resolved.
fn push_words(text: &mut String, html: &str) {
    let resolved = entities(html);
    if resolved.starts_with(char::is_whitespace) && !text.is_empty() && !text.ends_with(['\n', ' ']) {
        text.push(' ');
    }
    text.push_str(&resolved.split_whitespace().collect::<Vec<&str>>().join(" "));
    if resolved.ends_with(char::is_whitespace) && !text.is_empty() && !text.ends_with(['\n', ' ']) {
        text.push(' ');
    }
}

fn entities(html: &str) -> String {
    const NAMED: &[(&str, &str)] = &[
        ("&nbsp;", "\u{a0}"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&auml;", "ä"),
        ("&ouml;", "ö"),
        ("&uuml;", "ü"),
        ("&szlig;", "ß"),
        ("&amp;", "&"),
    ];
    NAMED.iter().fold(html.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

/// Cuts out everything from `begin` to `end`, without regard to case.
fn cut(html: &str, begin: &str, end: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let mut kept = String::with_capacity(html.len());
    let mut at = 0;
    while let Some(start) = lower
        .get(at..)
        .and_then(|rest| rest.find(begin))
        .map(|found| at + found)
    {
        kept.push_str(html.get(at..start).unwrap_or(""));
        let stop = lower
            .get(start..)
            .and_then(|rest| rest.find(end))
            .map(|found| start + found + end.len());
        at = stop.unwrap_or(html.len());
    }
    kept.push_str(html.get(at..).unwrap_or(""));
    kept
}

/// A tag without attributes that begin with `on`.
fn without_handlers(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    let Some(at) = lower.find(" on") else {
        return tag.to_owned();
    };
    let handler = lower
        .get(at + 3..)
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    if handler {
        tag.get(..at).unwrap_or("").to_owned()
    } else {
        tag.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_html() {
        let html = "<html><head><title>x</title><style>p{}</style></head><body><p>Gr&uuml;&szlig;e,</p>\n<div>a <b>b</b> &amp; c<br>d</div></body></html>";
        assert_eq!(to_text(html), "Grüße,\n\na b & c\nd");
        assert_eq!(to_text("open <b"), "open");
    }

    #[test]
    fn scripts_go_and_images_are_linked() {
        let html = "<p onclick=\"x()\">a<script>evil()</script><img src=\"cid:i@x\"></p>";
        assert_eq!(sanitize(html, "/img?cid="), "<p>a<img src=\"/img?cid=i@x\"></p>");
        assert_eq!(escape("a<b\r\nc"), "a&lt;b<br>c");
    }
}
