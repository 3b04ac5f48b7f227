//! What random histories have found, as the shortest scripts that showed it. Each failed before it was repaired.

mod drafts;

use ox_standin::Fault;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;

use super::kinds::APPOINTMENT;
use super::kinds::CONTACT;
use super::kinds::MAIL;
use super::kinds::TASK;
use super::ox::Ox;
use super::player::play;
use super::script::Act;
use super::script::Moment;
use super::script::Phone;
use super::script::Script;
use super::script::Step;
use super::script::Trouble;

const FIRST: usize = 0;

fn web(kind: usize, act: Act) -> Step {
    Step::Web { kind, act }
}

fn touch(kind: usize, act: Act) -> Step {
    Step::Touch { phone: 0, kind, act }
}

fn sync(kinds: &[usize], window: usize, trouble: Trouble) -> Step {
    Step::Sync {
        phone: 0,
        kinds: kinds.to_vec(),
        window,
        wants_changes: true,
        gateway: 0,
        trouble,
    }
}

const fn change(field: usize) -> Act {
    Act::Change { which: FIRST, field }
}

fn play_with(phone: Phone, kinds: &[usize], steps: Vec<Step>) {
    play(&Script {
        ox: Ox::COMMON,
        phones: vec![phone],
        kinds: kinds.to_vec(),
        steps,
    });
}

/// The list that the window after a write was cut from showed the item as it was before, and brought it back.
#[test]
fn a_list_from_before_a_write_is_not_kept() {
    let phone = Phone {
        version: V2_5,
        wins: false,
    };
    let steps = vec![
        touch(CONTACT, Act::Add),
        sync(&[CONTACT], 1, Trouble::None),
        web(CONTACT, Act::Add),
        web(CONTACT, Act::Add),
        web(CONTACT, Act::Add),
        touch(CONTACT, change(0)),
        sync(&[CONTACT], 1, Trouble::None),
        sync(&[CONTACT], 2, Trouble::None),
    ];
    play_with(phone, &[CONTACT], steps);
}

/// A flag set elsewhere came in the lost answer to the phone's own change of another flag, and never again.
#[test]
fn what_came_with_the_lost_answer_to_a_change_comes_again() {
    let phone = Phone {
        version: V14_1,
        wins: false,
    };
    let steps = vec![
        web(MAIL, Act::Add),
        sync(&[MAIL], 5, Trouble::None),
        web(MAIL, change(0)),
        touch(MAIL, change(1)),
        sync(&[MAIL], 5, Trouble::AnswerLost),
    ];
    play_with(phone, &[MAIL], steps);
}

/// The same, where the phone wins and the window has no room for what the others changed.
#[test]
fn what_has_no_room_beside_the_answer_to_a_change_comes_later() {
    let phone = Phone {
        version: V14_1,
        wins: false,
    };
    let steps = vec![
        web(MAIL, Act::Add),
        web(MAIL, Act::Add),
        sync(&[MAIL], 5, Trouble::None),
        web(MAIL, change(0)),
        web(MAIL, Act::Change { which: 1, field: 0 }),
        web(MAIL, change(0)),
        touch(MAIL, change(1)),
        touch(MAIL, Act::Change { which: 1, field: 1 }),
        sync(&[MAIL], 1, Trouble::None),
    ];
    play_with(phone, &[MAIL], steps);
}

/// Of the window's only item the phone was told nothing: it was gone, or another flag changed than those the version has.
/// The answer was MoreAvailable and no more.
#[test]
fn a_window_that_shows_nothing_is_not_the_end_of_an_answer() {
    let phone = Phone {
        version: V14_1,
        wins: false,
    };
    let gone = vec![
        web(CONTACT, Act::Add),
        web(CONTACT, Act::Add),
        web(CONTACT, Act::Add),
        sync(&[CONTACT], 1, Trouble::None),
        web(CONTACT, Act::Delete { which: 1 }),
        sync(&[CONTACT], 1, Trouble::None),
    ];
    play_with(phone, &[CONTACT], gone);
    let phone = Phone {
        version: V2_5,
        wins: false,
    };
    let unseen = vec![
        web(MAIL, Act::Add),
        sync(&[MAIL], 1, Trouble::None),
        web(MAIL, Act::Add),
        web(MAIL, change(1)),
        sync(&[MAIL], 1, Trouble::None),
    ];
    play_with(phone, &[MAIL], unseen);
}

/// OX's answer to an addition was cut off, and somebody changed the appointment before the phone came again.
#[test]
fn an_appointment_is_known_again_though_somebody_changed_it() {
    for version in [V12_1, V16_1] {
        let phone = Phone { version, wins: false };
        // The first calls are those of a login at the other gateway.
        for call in 1..=12 {
            let fault = Fault::TruncatedJson;
            let steps = vec![
                touch(APPOINTMENT, Act::Add),
                sync(&[APPOINTMENT], 5, Trouble::OxFails { call, fault }),
                web(APPOINTMENT, change(1)),
            ];
            play_with(phone, &[APPOINTMENT], steps);
        }
    }
}

/// The same of contacts and tasks, which have no UID that the phone would know.
#[test]
fn a_contact_or_task_is_known_again_though_somebody_changed_it() {
    let phones = [V2_5, V14_1, V16_1].map(|version| Phone { version, wins: false });
    for (kind, phone) in [CONTACT, TASK]
        .into_iter()
        .flat_map(|kind| phones.map(|phone| (kind, phone)))
    {
        let broken = (1..=12).map(|call| {
            let fault = Fault::TruncatedJson;
            Trouble::OxFails { call, fault }
        });
        let crashed = moments().map(|at| Trouble::Crash { at });
        for trouble in broken.chain(crashed) {
            let steps = vec![
                touch(kind, Act::Add),
                sync(&[kind], 5, trouble),
                web(kind, change(0)),
                web(kind, change(1)),
            ];
            play_with(phone, &[kind], steps);
        }
    }
}

/// A change came again whose answer was lost, and somebody had changed another field since. What the change had agreed on was
/// forgotten, and the next one was written as a whole: over what the other had changed.
#[test]
fn what_a_repeated_change_agreed_on_is_remembered() {
    let phone = Phone {
        version: V16_1,
        wins: true,
    };
    let own_changes_only = Step::Sync {
        phone: 0,
        kinds: vec![CONTACT],
        window: 5,
        wants_changes: false,
        gateway: 0,
        trouble: Trouble::None,
    };
    let steps = vec![
        web(CONTACT, Act::Add),
        sync(&[CONTACT], 5, Trouble::None),
        touch(CONTACT, change(0)),
        sync(&[CONTACT], 5, Trouble::AnswerLost),
        web(CONTACT, change(1)),
        own_changes_only,
        touch(CONTACT, change(0)),
        sync(&[CONTACT], 5, Trouble::None),
    ];
    play_with(phone, &[CONTACT], steps);
}

/// Somebody changed one field while the phone's change of another was under way: between the list and the object, where the
/// phone's whole item was written over it, and between the object and the write, where the phone was never told of it.
#[test]
fn a_change_at_ox_while_one_is_under_way_is_not_lost() {
    for kind in [CONTACT, TASK, APPOINTMENT] {
        for wins in [true, false] {
            for at in moments() {
                let phone = Phone { version: V14_1, wins };
                let steps = vec![
                    web(kind, Act::Add),
                    sync(&[kind], 5, Trouble::None),
                    touch(kind, change(0)),
                    sync(&[kind], 5, Trouble::HungUp { at }),
                    web(kind, change(1)),
                ];
                play_with(phone, &[kind], steps);
            }
        }
    }
}

/// All moments of a short Sync, after those of the login at a gateway.
fn moments() -> impl Iterator<Item = Moment> {
    let at_ox = (1..=6).flat_map(|call| [false, true].map(|carried_out| Moment::Ox { call, carried_out }));
    let at_database = (1..=16).map(|call| Moment::Database { call });
    at_ox.chain(at_database)
}

/// Not found, but seldom met: the gateway dies when OX has an addition and nobody has heard of it.
#[test]
fn a_crash_within_an_addition_repeats_nothing() {
    for kind in [CONTACT, TASK, APPOINTMENT] {
        for at in moments() {
            let phone = Phone {
                version: V14_1,
                wins: false,
            };
            let steps = vec![touch(kind, Act::Add), sync(&[kind], 5, Trouble::Crash { at })];
            play_with(phone, &[kind], steps);
        }
    }
}

/// A request came at two gateways at once: the addition was carried out at both, and the phone was given a key that the other
/// gateway's answer had made worthless.
#[test]
fn two_gateways_do_not_carry_out_the_same_request() {
    for kind in [CONTACT, TASK, APPOINTMENT] {
        for at in moments() {
            for takes_first in [true, false] {
                let phone = Phone {
                    version: V14_1,
                    wins: false,
                };
                let twice = Trouble::Twice { at, takes_first };
                let steps = vec![
                    touch(kind, Act::Add),
                    sync(&[kind], 5, twice.clone()),
                    touch(kind, change(0)),
                    sync(&[kind], 5, twice),
                ];
                play_with(phone, &[kind], steps);
            }
        }
    }
}
