//! The paragraphs of `format=flowed`: lines that the sender broke, joined again.
//!
//! Implements RFC 3676 "format=flowed" and its parameter DelSp; whether a part is flowed says its Content-Type.

/// Joins the lines of flowed text to paragraphs; `delete_space` is the parameter DelSp.
pub(super) fn join(text: &str, delete_space: bool) -> String {
    let mut paragraphs = String::with_capacity(text.len());
    // The quote depth of the paragraph that the last line left open.
    let mut open: Option<usize> = None;
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        if number > 0 && (open != Some(depth) || signature) {
            paragraphs.push('\n');
        }
        if depth > 0 && open != Some(depth) {
            paragraphs.push_str(&">".repeat(depth));
            paragraphs.push(' ');
        }
        let flowed = content.ends_with(' ') && !signature;
        let content = match content.strip_suffix(' ') {
            Some(joined) if flowed && delete_space => joined,
            _ => content,
        };
        paragraphs.push_str(content);
        open = flowed.then_some(depth);
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flowed_paragraphs() {
        // text, DelSp, expected
        let cases = [
            ("a \nb\nc", false, "a b\nc"),
            ("a \r\nb\r\n", false, "a b\n"),
            ("foo \nbar", true, "foobar"),
            ("> a \n> b\nc", false, "> a b\nc"),
            ("> a \n>> b", false, "> a \n>> b"),
            ("a \n-- \nme", false, "a \n-- \nme"),
            (" From here", false, "From here"),
        ];
        for (text, delete_space, expected) in cases {
            assert_eq!(join(text, delete_space), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_paragraphs(text in "[> a\n\r\u{e4}-]{0,60}", delete_space: bool) {
            prop_assert!(join(&text, delete_space).len() <= text.len() + text.lines().count());
        }
    }
}
