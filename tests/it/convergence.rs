//! Random histories over the whole gateway, to search for items that are lost, doubled or running in circles.
//!
//! A history is made from a seed ([`script`]): phones of several versions, a web user, lost requests and answers, requests
//! that are under way at two gateways, crashes, faults of OX and of the database. A crash, or the other gateway, comes at
//! any moment of a request: within a call at OX, or behind a call at the database ([`process`]). It is played in one thread
//! with the gateway that ships ([`site`], [`player`]), from the same date on whenever it is played.
//!
//! When all is quiet, every phone must have what OX has, field by field; every intent must have landed once, or been refused
//! aloud, or been overridden by one that is not older ([`ledger`]); nothing may have come back to the phone that made
//! it; one more exchange must change nothing. No answer may be MoreAvailable and nothing else. Only what time does is not
//! played here: an answer that must go out because the phone's patience ends may hold nothing but that. Histories of
//! folders ([`trees`]) have scripts of their own.
//!
//! A failure prints its seed and the shortest script that still fails. `SEED=n` plays one history, `SEEDS=n` so many, from
//! `FIRST=n` on; `CALLS=1` shows what was asked of OX. What was found and repaired is in [`found`].
//!
//! Whether it would see what is broken was tried by taking parts out of the drivers, for the seeds 0 to 299 (the pure engine is
//! mutilated by a test of its own, in `usm/model.rs`):
//!
//! | without | what fails, among others | what it shows |
//! |---|---|---|
//! | the record of what was applied | seeds 12, 16, 20, 21, 36 | a claim of its own keeps the phone out: Status 5 or 111, HTTP 503 |
//! | the second generation of states | seeds 0 to 9 | Status 3 to a phone that lost an answer |
//! | carrying the record on to the next repetition | seeds 12, 16, 20, 21, 41 | an addition is made twice |
//! | the revision after its own write (echo check) | seeds 0, 1, 8, 12, 16 | changes come back to their phone |
//! | the note before an addition is sent to OX | seeds 55, 128, 132 | an addition is made twice |
//! | what a repeated change had agreed on | seed 47 | what somebody else changed is overwritten |
//! | the second look when somebody is faster | none of these; `found`, a change while one is under way | the same |
//! | the fresh list after a write | none of these; `found`, a list from before a write | changes come back to their phone |
//! | what a repeated addition had agreed on | none of these; `conflicts`, a lost answer to an addition | what somebody else changed is overwritten |
//! | the state behind a start that was held up | none of these; `usm/generations.rs` | Status 3 to a phone that goes on |
//! | the comparison of keys at a commit | none of these, since each key has one row; `store/laws` | two states on top of one |
//!
//! Known and left: of the changes of a tree, what changed comes before what is new, as the schema has it, so that a folder may
//! be moved into one that the answer brings later.
//!
//! Also left: an item whose addition broke off within, and that somebody deleted before the phone came again, is added once
//! more: OX tells the ids of what is deleted and nothing else, and of this one nobody ever learned the id. So is one that
//! somebody only changed, if its OX keeps no UID that the gateway gives it.

mod found;
mod kinds;
mod ledger;
mod memory;
mod ox;
mod phone;
mod player;
mod process;
mod random;
mod script;
mod site;
mod trees;

use std::env;
use std::fmt;
use std::panic;
use std::panic::AssertUnwindSafe;

use self::script::Script;

/// Histories of an ordinary run.
const HISTORIES: u64 = 300;

/// The same, of folders.
const HISTORIES_OF_FOLDERS: u64 = 80;

/// Failures of a share that are told; the same cause has many.
const MOST_FAILURES: usize = 5;

/// Tests that share the histories among them, so that they use all cores.
const SHARES: u64 = 4;

/// A script that a seed makes, that can be played, and that says what it is.
trait History: Clone + fmt::Display {
    fn of(seed: u64) -> Self;

    /// Steps.
    fn len(&self) -> usize;

    /// The same with one step less.
    fn without(&self, index: usize) -> Self;

    /// A panic if anything is wrong.
    fn play(&self);
}

#[test]
fn histories_of_the_first_share() {
    play_share::<Script>(0, SHARES, HISTORIES);
}

#[test]
fn histories_of_the_second_share() {
    play_share::<Script>(1, SHARES, HISTORIES);
}

#[test]
fn histories_of_the_third_share() {
    play_share::<Script>(2, SHARES, HISTORIES);
}

#[test]
fn histories_of_the_fourth_share() {
    play_share::<Script>(3, SHARES, HISTORIES);
}

#[test]
fn histories_of_folders() {
    play_share::<trees::Script>(0, 1, HISTORIES_OF_FOLDERS);
}

fn play_share<H: History>(share: u64, shares: u64, histories: u64) {
    if let Some(seed) = number("SEED") {
        if seed % shares == share {
            let failure = failure::<H>(seed);
            assert!(failure.is_none(), "\n{}", failure.unwrap_or_default());
        }
        return;
    }
    let first = number("FIRST").unwrap_or_default();
    let seeds = first..first + number("SEEDS").unwrap_or(histories);
    let seeds = seeds.filter(|seed| seed % shares == share);
    let failures: Vec<String> = seeds.filter_map(failure::<H>).take(MOST_FAILURES).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// What is wrong with a history, with the shortest script that shows it.
fn failure<H: History>(seed: u64) -> Option<String> {
    let script = H::of(seed);
    let reason = try_to_play(&script).err()?;
    let (short, reason) = shorten(script, reason);
    Some(format!("SEED={seed}\n{short}{reason}\n"))
}

fn try_to_play(script: &impl History) -> Result<(), String> {
    panic::catch_unwind(AssertUnwindSafe(|| script.play())).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}

/// Leaves out steps for as long as it still fails, in whatever way.
fn shorten<H: History>(mut script: H, mut reason: String) -> (H, String) {
    loop {
        let steps = script.len();
        for index in (0..steps).rev() {
            let shorter = script.without(index);
            if let Err(why) = try_to_play(&shorter) {
                (script, reason) = (shorter, why);
            }
        }
        if script.len() == steps {
            return (script, reason);
        }
    }
}
