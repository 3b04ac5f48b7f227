//! Integration tests: the gateway as a program, between a stand-in for OX and simulated phones.
//!
//! One file a subject, one binary for all, so that it links once. A scenario has a [`world`] of its own and plays its phones
//! with [`device`]; what phones must never be told is checked there, in every scenario.

mod administration;
mod apache;
mod attachments25;
mod calendar;
mod contacts;
mod counts;
mod crash;
mod device;
mod doors;
mod drafts;
mod empty_folder;
mod find;
mod folders;
mod house;
mod items;
mod large;
mod listening;
mod lost_answers;
mod mail;
mod manual;
#[path = "../support/mariadb.rs"]
mod mariadb;
mod oof;
mod operations;
mod outages;
mod ping;
mod recipients;
mod refusals;
mod search;
mod sending;
mod series;
mod sessions;
mod short_sync;
mod smart_mail;
mod stop;
mod tasks;
mod third_party;
mod through_apache;
mod uncertain;
mod versions;
mod world;
