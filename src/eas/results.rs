//! Results of a search, kept for the pages that a device asks for after the first.
//!
//! A device that pages through results must not see one twice or miss one because mail came in between: the later pages
//! come from the list that the first was cut from. One list for each device; it is forgotten after some minutes.
//! Implements [MS-ASCMD] Range and RebuildResults.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// How long a list is kept, in milliseconds.
const LIFETIME: i64 = 5 * 60_000;

/// A mail that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub collection: u32,
    /// OX ids of folder and mail.
    pub folder: String,
    pub id: String,
}

/// The lists of all devices, by what names user and device. A clone is the same lists.
#[derive(Clone, Debug, Default)]
pub struct Results(Arc<Mutex<HashMap<String, Kept>>>);

#[derive(Debug)]
struct Kept {
    question: Vec<u8>,
    hits: Arc<Vec<Hit>>,
    /// Milliseconds since 1970.
    at: i64,
}

impl Results {
    /// The list behind an earlier page of the same question.
    pub fn find(&self, device: &str, question: &[u8], now: i64) -> Option<Arc<Vec<Hit>>> {
        let lists = self.lists();
        let kept = lists.get(device)?;
        (kept.question == question && now - kept.at < LIFETIME).then(|| kept.hits.clone())
    }

    /// Keeps the answer to a question for the pages that follow.
    pub fn keep(&self, device: &str, question: &[u8], hits: Vec<Hit>, now: i64) -> Arc<Vec<Hit>> {
        let hits = Arc::new(hits);
        let kept = Kept {
            question: question.to_vec(),
            hits: hits.clone(),
            at: now,
        };
        let mut lists = self.lists();
        lists.retain(|_, kept| now - kept.at < LIFETIME);
        lists.insert(device.to_owned(), kept);
        hits
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Range, `m-n`, both included and counted from 0; without one, as many as a page may have. A longer page is cut. `None`
/// if it is no range.
pub fn page(text: Option<&str>, most: usize) -> Option<RangeInclusive<usize>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Some(0..=most - 1);
    };
    let (first, last) = text.split_once('-')?;
    let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then(|| first..=last.min(first.saturating_add(most - 1)))
}

/// What of a list is on a page.
pub fn on_page<'a, T>(list: &'a [T], page: &RangeInclusive<usize>) -> &'a [T] {
    let end = page.end().saturating_add(1).min(list.len());
    list.get(*page.start()..end).unwrap_or_default()
}

/// The Range of what is sent; `None` for nothing.
pub fn sent(first: usize, count: usize) -> Option<String> {
    (count > 0).then(|| format!("{first}-{}", first + count - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        // Range, expected with at most 100 a page
        let cases = [
            (None, Some(0..=99)),
            (Some(""), Some(0..=99)),
            (Some("0-9"), Some(0..=9)),
            (Some("100-199"), Some(100..=199)),
            (Some("0-999"), Some(0..=99)),
            (Some("9-0"), None),
            (Some("x"), None),
            (Some("-1"), None),
            (Some("0-18446744073709551615"), Some(0..=99)),
        ];
        for (text, expected) in cases {
            assert_eq!(page(text, 100), expected, "{text:?}");
        }
        let list = [1, 2, 3];
        assert_eq!(on_page(&list, &(1..=9)), [2, 3]);
        assert!(on_page(&list, &(3..=9)).is_empty());
        assert_eq!(sent(1, 2).as_deref(), Some("1-2"));
        assert_eq!(sent(0, 0), None);
    }
}
