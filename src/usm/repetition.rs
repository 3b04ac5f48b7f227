//! Keys that a device comes with again and again, in the store.
//!
//! A key that is not the newest was answered before. What [`course`](mod@crate::usm::course) needs to know of that is noted in
//! the journal under the key; where no key is repeated nothing is written.

use crate::store::Note;
use crate::usm::collection::Collection;
use crate::usm::collection::Error;
use crate::usm::course::Course;
use crate::usm::course::History;
use crate::usm::plan::Send;

/// What the notes go by.
const OPERATION: &[u8] = b"R";

/// What is sent to a device, and what became of its key before.
pub(super) struct Repetition {
    pub(super) course: Course,
    history: History,
    /// The history has become longer.
    is_news: bool,
    /// Of the key; none where nothing is sent.
    pub(super) notes: Vec<Note>,
}

impl Collection<'_> {
    /// What is sent of these items. `is_repeated`: the key was answered before.
    pub(super) async fn repetition(&self, key: u64, is_repeated: bool, sends: &[Send]) -> Result<Repetition, Error> {
        let notes = match sends.is_empty() {
            true => Vec::new(),
            false => self.store.notes(self.device, &self.object(), key).await?,
        };
        let noted = notes.iter().find(|note| note.operation == OPERATION);
        let mut history = noted
            .and_then(|note| History::decode(&note.outcome))
            .unwrap_or_default();
        let is_news = is_repeated && !sends.is_empty();
        let course = match is_news {
            true => history.again(sends),
            false => history.course(sends),
        };
        Ok(Repetition {
            course,
            history,
            is_news,
            notes,
        })
    }

    /// Notes that the key is answered once more. A request that fails is none: that was not the device's fault, nor an
    /// item's. `next`: the key in the answer, if there is more to come; a device on probation stays so.
    pub(super) async fn note_answer(
        &self,
        repetition: &Repetition,
        key: u64,
        next: Option<u64>,
        now: i64,
    ) -> Result<(), Error> {
        if repetition.is_news {
            self.note_history(key, &repetition.history, now).await?;
        }
        if let Some((next, history)) = next.zip(repetition.history.next()) {
            self.note_history(next, &history, now).await?;
        }
        Ok(())
    }

    async fn note_history(&self, key: u64, history: &History, now: i64) -> Result<(), Error> {
        let note = Note {
            base: key,
            operation: OPERATION.to_vec(),
            outcome: history.encode(),
            created: now,
        };
        Ok(self.store.note(self.device, &self.object(), note).await?)
    }
}
