//! The laws that every store obeys: run for SQLite, for MySQL with one schema, and for MySQL behind a configdb.
//!
//! A law gets a prepared store that is its own, and may use the contexts 1 and 2. Behind the configdb these are in two
//! schemas.

mod cases;
mod histories;
mod subject;

use std::collections::HashSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::civil::date;

use super::Entry;
use super::Error;
use super::LAST_SEEN;
use super::Note;
use super::SessionId;
use super::Stale;
use super::State;
use super::Survey;

use histories::random_histories_agree_with_a_model;
use subject::Subject;

/// Makes a test of each law for each store.
macro_rules! laws {
    ($($law:ident),+ $(,)?) => {
        laws!(@store sqlite $($law)+);
        laws!(@store mysql $($law)+);
        laws!(@store configdb $($law)+);
    };
    (@store $store:ident $($law:ident)+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $law() {
                    let Some(subject) = super::subject::$store().await else { return };
                    for cid in [1, 2] {
                        subject.store.prepare(cid).await.unwrap();
                    }
                    super::$law(&subject).await;
                }
            )+
        }
    };
}

laws!(
    a_session_is_found_again_and_told_from_others,
    sessions_entered_at_once_are_one,
    a_removed_session_leaves_nothing_and_its_number_does_not_return,
    fields_are_set_changed_and_removed,
    short_ids_are_stable_and_never_used_twice,
    short_ids_drawn_at_once_are_unique,
    short_ids_follow_folders_that_are_renamed,
    states_come_newest_first,
    a_commit_needs_the_newest_key,
    of_commits_at_once_one_wins,
    a_commit_keeps_what_it_is_told_to_keep,
    a_removed_device_cannot_commit,
    random_histories_agree_with_a_model,
    notes_are_kept_replaced_and_forgotten,
    one_of_two_enters_a_note,
    large_values_fit_and_larger_ones_are_refused,
    contexts_do_not_see_each_other,
    tables_that_vanish_are_made_again,
    preparing_at_once_is_safe,
    calls_are_counted,
    the_database_answers,
    an_administrator_sees_all_devices_and_tables,
    devices_that_stay_away_are_found_and_forgotten,
    a_device_that_comes_back_in_time_is_kept,
    devices_without_a_date_get_one,
    users_of_tables_of_our_own_are_never_gone,
    tables_of_others_are_reported_and_left_alone,
);

async fn device(subject: &Subject) -> SessionId {
    subject.store.session(1, 3, "EAS", "ApplF1").await.unwrap()
}

fn state(key: u64) -> State {
    State {
        key,
        bytes: format!("state {key}").into_bytes(),
    }
}

fn keys(states: &[State]) -> Vec<u64> {
    states.iter().map(|state| state.key).collect()
}

fn note(base: u64, operation: &[u8], outcome: &[u8], created: i64) -> Note {
    Note {
        base,
        operation: operation.to_vec(),
        outcome: outcome.to_vec(),
        created,
    }
}

async fn a_session_is_found_again_and_told_from_others(subject: &Subject) {
    let store = &subject.store;
    assert_eq!(store.find_session(1, 3, "EAS", "dev").await.unwrap(), None);
    let mut seen = HashSet::new();
    for (cid, user, protocol, device) in [
        (1, 3, "EAS", "dev"),
        (2, 3, "EAS", "dev"),
        (1, 4, "EAS", "dev"),
        (1, 3, "JSON", "dev"),
        // Case and blanks at the end tell devices apart.
        (1, 3, "EAS", "Dev"),
        (1, 3, "EAS", "dev "),
        (1, 3, "EAS", "dév"),
    ] {
        let session = store.session(cid, user, protocol, device).await.unwrap();
        assert!(seen.insert(session), "{device:?} was taken for another");
        assert_eq!(session.cid, cid);
        assert_eq!(store.session(cid, user, protocol, device).await.unwrap(), session);
        assert_eq!(
            subject
                .second()
                .await
                .find_session(cid, user, protocol, device)
                .await
                .unwrap(),
            Some(session)
        );
    }
}

async fn sessions_entered_at_once_are_one(subject: &Subject) {
    let other = subject.second().await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..16 {
        let store = if n % 2 == 0 {
            subject.store.clone()
        } else {
            other.clone()
        };
        calls.spawn(async move { store.session(1, 3, "EAS", &format!("device {}", n % 4)).await.unwrap() });
    }
    let sessions: HashSet<SessionId> = calls.join_all().await.into_iter().collect();
    assert_eq!(sessions.len(), 4);
}

async fn a_removed_session_leaves_nothing_and_its_number_does_not_return(subject: &Subject) {
    let store = &subject.store;
    let session = device(subject).await;
    store.set_fields(session, &[("a", Some("b"))]).await.unwrap();
    store.assign_folder_ids(session, &["31".to_owned()]).await.unwrap();
    assert!(store.commit(session, "1", None, state(1), &[]).await.unwrap());
    store.note(session, "1", note(1, b"op", b"out", 0)).await.unwrap();
    let neighbour = store.session(1, 3, "EAS", "other").await.unwrap();
    store.set_fields(neighbour, &[("a", Some("b"))]).await.unwrap();

    store.remove_session(session).await.unwrap();
    assert_eq!(store.find_session(1, 3, "EAS", "ApplF1").await.unwrap(), None);
    assert!(store.fields(session).await.unwrap().is_empty());
    assert!(store.folder_ids(session).await.unwrap().is_empty());
    assert!(store.states(session, "1").await.unwrap().is_empty());
    assert!(store.notes(session, "1", 1).await.unwrap().is_empty());
    assert_eq!(store.fields(neighbour).await.unwrap().len(), 1);
    assert!(device(subject).await.id > neighbour.id);
}

async fn fields_are_set_changed_and_removed(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    assert!(store.fields(session).await.unwrap().is_empty());
    store
        .set_fields(session, &[("a", Some("1")), ("b", Some("")), ("A", Some("grün 🌳"))])
        .await
        .unwrap();
    store
        .set_fields(session, &[("a", Some("2")), ("b", None), ("never", None)])
        .await
        .unwrap();
    let fields = store.fields(session).await.unwrap();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(fields, [("A", "grün 🌳"), ("a", "2")]);

    store.remove_session(session).await.unwrap();
    assert!(store.set_fields(session, &[("a", Some("1"))]).await.is_err());
}

async fn short_ids_are_stable_and_never_used_twice(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let long = |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.to_owned()).collect() };
    let first = store
        .assign_folder_ids(session, &long(&["default0/INBOX", "31"]))
        .await
        .unwrap();
    assert_eq!(first, [(1, "default0/INBOX".to_owned()), (2, "31".to_owned())]);
    // Case and length matter, repetition and order do not.
    let deep = "x/".repeat(5000);
    let names = long(&["31", "default0/inbox", &deep, "31", "default0/INBOX"]);
    let second = store.assign_folder_ids(session, &names).await.unwrap();
    let ids: Vec<u32> = second.iter().map(|&(short, _)| short).collect();
    assert_eq!(ids, [2, 3, 4, 2, 1]);
    let all = subject.second().await.folder_ids(session).await.unwrap();
    assert_eq!(all.last().unwrap(), &(4, deep));

    let other = store.session(1, 3, "EAS", "other").await.unwrap();
    assert_eq!(
        store.assign_folder_ids(other, &long(&["new", "new"])).await.unwrap()[1].0,
        1
    );
    assert_eq!(store.assign_folder_ids(session, &long(&["new"])).await.unwrap()[0].0, 5);
}

async fn short_ids_follow_folders_that_are_renamed(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let long = |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.to_owned()).collect() };
    let pair = |(old, new): (&str, &str)| (old.to_owned(), new.to_owned());
    let ids = |ids: Vec<(u32, String)>| -> Vec<String> { ids.into_iter().map(|(id, n)| format!("{id} {n}")).collect() };
    store
        .assign_folder_ids(session, &long(&["a", "a/b", "c", "d"]))
        .await
        .unwrap();
    // c was there before and is not any more; a takes its name, and what is below a goes with it.
    let names = [("a", "c"), ("a/b", "c/b"), ("unknown", "x")].map(pair);
    store.rename_folder_ids(session, &names).await.unwrap();
    let second = subject.second().await;
    assert_eq!(ids(second.folder_ids(session).await.unwrap()), ["1 c", "2 c/b", "4 d"]);
    // Again, after an answer that was lost: nothing more happens.
    store.rename_folder_ids(session, &names).await.unwrap();
    assert_eq!(ids(store.folder_ids(session).await.unwrap()), ["1 c", "2 c/b", "4 d"]);
    // Names may change places, and no short id comes back.
    store
        .rename_folder_ids(session, &[("c", "d"), ("d", "c")].map(pair))
        .await
        .unwrap();
    assert_eq!(ids(store.folder_ids(session).await.unwrap()), ["1 d", "2 c/b", "4 c"]);
    let next = store.assign_folder_ids(session, &long(&["a", "c"])).await.unwrap();
    assert_eq!(ids(next), ["5 a", "4 c"]);

    store.remove_session(session).await.unwrap();
    assert!(store.rename_folder_ids(session, &[pair(("a", "b"))]).await.is_err());
}

async fn short_ids_drawn_at_once_are_unique(subject: &Subject) {
    let session = device(subject).await;
    let other = subject.second().await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = if n % 2 == 0 {
            subject.store.clone()
        } else {
            other.clone()
        };
        let folders = [format!("own {n}"), "common".to_owned()];
        calls.spawn(async move { store.assign_folder_ids(session, &folders).await.unwrap() });
    }
    let answers = calls.join_all().await;
    let common: HashSet<u32> = answers.iter().map(|ids| ids[1].0).collect();
    assert_eq!(common.len(), 1, "the common folder has several ids");
    let all = subject.store.folder_ids(session).await.unwrap();
    assert_eq!(
        all.iter().map(|&(short, _)| short).collect::<Vec<_>>(),
        (1..=9).collect::<Vec<_>>()
    );
}

async fn states_come_newest_first(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    assert!(store.states(session, "7").await.unwrap().is_empty());
    assert!(store.commit(session, "7", None, state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", Some(2), state(10), &[2]).await.unwrap());
    let largest = i64::MAX as u64;
    assert!(
        store
            .commit(session, "7", Some(10), state(largest), &[2, 10])
            .await
            .unwrap()
    );
    let states = store.states(session, "7").await.unwrap();
    assert_eq!(states, [state(largest), state(10), state(2)]);
    assert!(store.states(session, "8").await.unwrap().is_empty());
    store.forget(session, "7").await.unwrap();
    assert!(store.states(session, "7").await.unwrap().is_empty());
}

async fn a_commit_needs_the_newest_key(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    assert!(!store.commit(session, "7", Some(1), state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", None, state(1), &[]).await.unwrap());
    assert!(!store.commit(session, "7", None, state(1), &[]).await.unwrap());
    assert!(!store.commit(session, "7", None, state(2), &[]).await.unwrap());
    assert!(store.commit(session, "7", Some(1), state(2), &[1]).await.unwrap());
    assert!(!store.commit(session, "7", Some(1), state(3), &[]).await.unwrap());
    assert_eq!(keys(&store.states(session, "7").await.unwrap()), [2, 1]);
    // A key that does not grow is a mistake of the caller, not a race.
    assert!(store.commit(session, "7", Some(2), state(2), &[]).await.is_err());
    assert!(store.commit(session, "7", Some(2), state(u64::MAX), &[]).await.is_err());
}

async fn of_commits_at_once_one_wins(subject: &Subject) {
    let session = device(subject).await;
    let other = subject.second().await;
    let mut expected = None;
    for round in 1..=3 {
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..6 {
            let store = if n % 2 == 0 {
                subject.store.clone()
            } else {
                other.clone()
            };
            // Half of them want the same key.
            let key = round * 10 + n / 2;
            let new = State {
                key,
                bytes: n.to_string().into_bytes(),
            };
            calls.spawn(async move {
                let won = store.commit(session, "7", expected, new.clone(), &[]).await.unwrap();
                won.then_some(new)
            });
        }
        let winners: Vec<State> = calls.join_all().await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(
            subject.store.states(session, "7").await.unwrap(),
            winners,
            "round {round}"
        );
        expected = winners.first().map(|state| state.key);
    }
}

async fn a_commit_keeps_what_it_is_told_to_keep(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let other = store.session(1, 3, "EAS", "other").await.unwrap();
    for (session, object) in [(session, "8"), (other, "7")] {
        assert!(store.commit(session, object, None, state(1), &[]).await.unwrap());
    }
    let mut expected = None;
    for (key, keep, left) in [
        (1, &[][..], &[1][..]),
        (2, &[1], &[2, 1]),
        (3, &[2], &[3, 2]),
        // A key that is not there is no error.
        (4, &[99, 2, 3], &[4, 3, 2]),
        (5, &[], &[5]),
    ] {
        assert!(store.commit(session, "7", expected, state(key), keep).await.unwrap());
        assert_eq!(keys(&store.states(session, "7").await.unwrap()), left);
        expected = Some(key);
    }
    for (session, object) in [(session, "8"), (other, "7")] {
        assert_eq!(keys(&store.states(session, object).await.unwrap()), [1]);
    }
}

async fn a_removed_device_cannot_commit(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    store.remove_session(session).await.unwrap();
    assert!(!store.commit(session, "7", None, state(1), &[]).await.unwrap());
    assert!(store.states(session, "7").await.unwrap().is_empty());
    assert!(store.assign_folder_ids(session, &["31".to_owned()]).await.is_err());
}

async fn one_of_two_enters_a_note(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    // base, expected, outcome, whether it is entered, what is noted on base 5 then
    let cases = [
        (5, Some(&b""[..]), &b"early"[..], false, &b"nothing"[..]),
        (5, None, b"", true, b""),
        (5, None, b"", false, b""),
        (6, None, b"other", true, b""),
        (5, Some(b"wrong"), b"1", false, b""),
        (5, Some(b""), b"1", true, b"1"),
        (5, Some(b""), b"2", false, b"1"),
    ];
    for (number, (base, expected, outcome, entered, noted)) in cases.into_iter().enumerate() {
        let created = 100 + i64::try_from(number).unwrap();
        let wanted = note(base, b"op", outcome, created);
        let done = store.note_if(session, "7", wanted, expected).await.unwrap();
        assert_eq!(done, entered, "case {number}");
        let found = store.notes(session, "7", 5).await.unwrap();
        let found = found.first().map_or(&b"nothing"[..], |note| &note.outcome);
        assert_eq!(found, noted, "case {number}");
    }
}

async fn notes_are_kept_replaced_and_forgotten(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let [a, b] = [b"\x00\xffadd a", b"\x00\xffadd b"];
    for entry in [
        note(5, a, b"1", 100),
        note(5, b, b"", 50),
        note(5, a, b"2", 110),
        note(6, a, b"3", 90),
    ] {
        store.note(session, "7", entry).await.unwrap();
    }
    store.note(session, "8", note(5, a, b"other", 200)).await.unwrap();
    assert_eq!(
        store.notes(session, "7", 5).await.unwrap(),
        [note(5, b, b"", 50), note(5, a, b"2", 110)]
    );
    assert_eq!(
        store.note_of(session, "7", a).await.unwrap(),
        Some(note(5, a, b"2", 110))
    );
    assert_eq!(store.note_of(session, "7", b"add a").await.unwrap(), None);

    store.forget_notes(session, "7", 5).await.unwrap();
    assert_eq!(
        store.note_of(session, "7", a).await.unwrap(),
        Some(note(6, a, b"3", 90))
    );
    let elsewhere = store.session(2, 3, "EAS", "dev").await.unwrap();
    store.note(elsewhere, "7", note(1, a, b"", 89)).await.unwrap();
    store.forget_notes_before(90).await.unwrap();
    assert_eq!(store.notes(session, "7", 6).await.unwrap().len(), 1);
    assert!(store.notes(elsewhere, "7", 1).await.unwrap().is_empty());
    store.forget_notes_before(91).await.unwrap();
    assert!(store.notes(session, "7", 6).await.unwrap().is_empty());
    assert_eq!(store.notes(session, "8", 5).await.unwrap().len(), 1);
}

async fn large_values_fit_and_larger_ones_are_refused(subject: &Subject) {
    let (store, session) = (&subject.store, device(subject).await);
    let value = "ä".repeat(32 * 1024);
    store.set_fields(session, &[("large", Some(&value))]).await.unwrap();
    assert_eq!(store.fields(session).await.unwrap()["large"], value);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let large = State { key: 1, bytes };
    assert!(store.commit(session, "7", None, large.clone(), &[]).await.unwrap());
    assert!(store.states(session, "7").await.unwrap() == [large]);

    let long = "x".repeat(256);
    assert!(store.session(1, 3, "EAS", &long).await.is_err());
    assert!(store.states(session, &long).await.is_err());
    assert!(store.set_fields(session, &[(&long, Some(""))]).await.is_err());
    assert!(store.set_fields(session, &[("a", Some(&(value + "x")))]).await.is_err());
    assert!(
        store
            .note(session, "7", note(1, long.as_bytes(), b"", 0))
            .await
            .is_err()
    );
}

async fn contexts_do_not_see_each_other(subject: &Subject) {
    let store = &subject.store;
    let [one, two] = [
        store.session(1, 3, "EAS", "dev").await.unwrap(),
        store.session(2, 3, "EAS", "dev").await.unwrap(),
    ];
    assert_eq!(one.id, two.id, "each context counts for itself");
    assert!(store.commit(one, "7", None, state(1), &[]).await.unwrap());
    store.set_fields(one, &[("a", Some("b"))]).await.unwrap();
    assert!(store.states(two, "7").await.unwrap().is_empty());
    assert!(store.fields(two).await.unwrap().is_empty());
    store.remove_session(two).await.unwrap();
    assert_eq!(store.states(one, "7").await.unwrap().len(), 1);
}

async fn tables_that_vanish_are_made_again(subject: &Subject) {
    let store = &subject.store;
    device(subject).await;
    subject.drop_tables().await;
    let session = device(subject).await;
    assert_eq!(session.id, 1);
    assert!(store.states(session, "7").await.unwrap().is_empty());
}

async fn an_administrator_sees_all_devices_and_tables(subject: &Subject) {
    let store = &subject.store;
    let first = device(subject).await;
    let second = store.session(2, 9, "EAS", "other").await.unwrap();
    store
        .set_fields(first, &[("a", Some("1")), ("b", Some("2"))])
        .await
        .unwrap();
    let entries = store.entries().await.unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|e| (e.session, e.user_id, e.device.as_str()))
        .collect();
    assert_eq!(seen, [(first, 3, "ApplF1"), (second, 9, "other")]);
    let fields: Vec<_> = entries[0]
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!((fields, entries[1].fields.len()), (vec![("a", "1"), ("b", "2")], 0));

    let folders = store.assign_folder_ids(first, &["31".to_owned()]).await.unwrap();
    assert!(store.commit(first, "7", None, state(1), &[]).await.unwrap());
    store.note(first, "7", note(1, b"op", b"done", 5)).await.unwrap();
    store.forget_states(first).await.unwrap();
    assert!(store.states(first, "7").await.unwrap().is_empty());
    assert!(store.notes(first, "7", 1).await.unwrap().is_empty());
    assert_eq!(store.folder_ids(first).await.unwrap(), folders);

    let count = |surveys: &[Survey]| -> u64 {
        let rows = surveys.iter().flat_map(|survey| survey.tables.as_ref().unwrap());
        rows.filter_map(|table| table.rows.filter(|_| table.table == "USMSession"))
            .sum()
    };
    assert_eq!(count(&store.purge().await.unwrap()), 2);
    let surveys = store.survey().await.unwrap();
    assert!(
        surveys
            .iter()
            .flat_map(|s| s.tables.as_ref().unwrap())
            .all(|table| table.rows.is_none())
    );
    assert!(store.entries().await.unwrap().is_empty());
    store.prepare_all().await.unwrap();
    assert_eq!(count(&store.survey().await.unwrap()), 0);
}

const TODAY: Date = date(2026, 11, 25);

/// Devices that came last on these days, in both contexts by turns; `""` for one that nobody dated.
async fn dated(subject: &Subject, days: &[&str]) -> Vec<SessionId> {
    let mut sessions = Vec::new();
    for (number, day) in days.iter().enumerate() {
        let cid = if number % 2 == 0 { 1 } else { 2 };
        let session = subject
            .store
            .session(cid, 3, "EAS", &format!("d{number}"))
            .await
            .unwrap();
        let day = Some(*day).filter(|day| !day.is_empty());
        subject
            .store
            .set_fields(session, &[(LAST_SEEN, day), ("device.Model", Some("x"))])
            .await
            .unwrap();
        sessions.push(session);
    }
    sessions
}

fn sessions(entries: &[Entry]) -> HashSet<SessionId> {
    entries.iter().map(|entry| entry.session).collect()
}

async fn devices_that_stay_away_are_found_and_forgotten(subject: &Subject) {
    let store = &subject.store;
    let days = [
        "2026-11-25",
        "2026-11-14",
        "2026-11-15",
        "2025-12-31",
        "",
        "1999-01-01",
        "2026-01-01",
    ];
    let devices = dated(subject, &days).await;
    store.commit(devices[1], "7", None, state(1), &[]).await.unwrap();
    let stale = Stale::unseen_for(Duration::from_secs(10 * 86_400), TODAY);
    assert_eq!(stale, Stale::UnseenSince(date(2026, 11, 15)));
    let found = store.stale(stale, 100).await.unwrap();
    let expected = [devices[1], devices[3], devices[5], devices[6]];
    assert_eq!(sessions(&found), expected.into());
    assert!(found.iter().all(|entry| entry.fields.len() == 2), "{found:?}");
    // The bound is one of a schema.
    assert!((1..=2).contains(&store.stale(stale, 1).await.unwrap().len()));

    for (session, removed) in [
        (devices[1], true),
        (devices[1], false),
        (devices[0], false),
        (devices[4], false),
    ] {
        assert_eq!(
            store.remove_stale(session, stale).await.unwrap(),
            removed,
            "{session:?}"
        );
    }
    assert!(store.states(devices[1], "7").await.unwrap().is_empty());
    assert_eq!(
        sessions(&store.stale(stale, 100).await.unwrap()),
        [devices[3], devices[5], devices[6]].into()
    );
    // Several gateways at once forget each device once.
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (store, session) = (subject.second().await, devices[3]);
        calls.spawn(async move { store.remove_stale(session, stale).await.unwrap() });
    }
    assert_eq!(calls.join_all().await.into_iter().filter(|removed| *removed).count(), 1);
    assert_eq!(store.entries().await.unwrap().len(), 5);
    assert!(
        store
            .stale(Stale::unseen_for(Duration::MAX, TODAY), 100)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_device_that_comes_back_in_time_is_kept(subject: &Subject) {
    let store = &subject.store;
    let devices = dated(subject, &["2001-01-01"]).await;
    let stale = Stale::UnseenSince(TODAY);
    assert_eq!(store.stale(stale, 100).await.unwrap().len(), 1);
    let second = subject.second().await;
    second
        .set_fields(devices[0], &[(LAST_SEEN, Some("2026-11-25"))])
        .await
        .unwrap();
    assert!(!store.remove_stale(devices[0], stale).await.unwrap());
    assert_eq!(store.fields(devices[0]).await.unwrap().len(), 2);
}

async fn devices_without_a_date_get_one(subject: &Subject) {
    let store = &subject.store;
    let devices = dated(subject, &["", "2001-01-01", ""]).await;
    store.date_undated(TODAY, 1).await.unwrap();
    store.date_undated(TODAY, 1).await.unwrap();
    let mut days = Vec::new();
    for device in devices {
        days.push(store.fields(device).await.unwrap().remove(LAST_SEEN).unwrap());
    }
    assert_eq!(days, ["2026-11-25", "2001-01-01", "2026-11-25"]);
    // The tables of a context may be missing.
    subject.drop_tables().await;
    store.date_undated(TODAY, 1).await.unwrap();
    assert!(store.stale(Stale::UnseenSince(TODAY), 1).await.unwrap().is_empty());
}

/// There is no table of users there, or it is none of Open-Xchange's.
async fn users_of_tables_of_our_own_are_never_gone(subject: &Subject) {
    dated(subject, &["2001-01-01"]).await;
    assert!(subject.store.stale(Stale::WithoutUser, 100).await.unwrap().is_empty());
}

async fn tables_of_others_are_reported_and_left_alone(subject: &Subject) {
    subject.drop_tables().await;
    subject.foreign_table().await;
    let surveys = subject.store.survey().await.unwrap();
    assert!(matches!(surveys[0].tables, Err(Error::Foreign { .. })), "{surveys:?}");
    // SQLite has nothing else to purge, a server may have other schemas.
    let _ = subject.store.purge().await;
    let surveys = subject.store.survey().await.unwrap();
    assert!(matches!(surveys[0].tables, Err(Error::Foreign { .. })), "{surveys:?}");
}

async fn preparing_at_once_is_safe(subject: &Subject) {
    subject.drop_tables().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = subject.second().await;
        calls.spawn(async move { store.prepare(1).await.unwrap() });
    }
    calls.join_all().await;
    device(subject).await;
}

async fn calls_are_counted(subject: &Subject) {
    let store = &subject.store;
    let session = device(subject).await;
    let before = store.traffic();
    device(subject).await;
    store.states(session, "7").await.unwrap();
    let reads = store.traffic();
    assert_eq!((reads.reads - before.reads, reads.writes - before.writes), (2, 0));
    store.commit(session, "7", None, state(1), &[]).await.unwrap();
    store.set_fields(session, &[]).await.unwrap();
    let writes = store.traffic();
    assert_eq!((writes.reads - reads.reads, writes.writes - reads.writes), (0, 1));
}

async fn the_database_answers(subject: &Subject) {
    subject.store.ping().await.unwrap();
}
