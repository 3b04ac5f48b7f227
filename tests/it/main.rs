//! Integration tests: the gateway as a program, between a stand-in for OX and simulated phones.
//!
//! One file a subject, one binary for all, so that it links once. A scenario has a [`world`] of its own and plays its phones
//! with [`device`]; what phones must never be told is checked there, in every scenario.

mod absence;
mod administration;
mod answered_again;
mod apache;
mod attachments25;
mod autodiscover;
mod calendar;
mod conformance;
mod contacts;
mod convergence;
mod counts;
mod crash;
mod device;
mod doors;
mod drafts;
mod empty_folder;
mod find;
mod folders;
mod forwarding;
mod generations;
mod gzip;
mod house;
mod identity;
mod inside;
mod invitations;
mod items;
mod large;
mod lines;
mod listening;
mod lost_answers;
mod mail;
mod malformed;
mod manual;
#[path = "../support/mariadb.rs"]
mod mariadb;
mod meetings;
mod multipart;
mod oof;
mod operations;
mod outages;
mod peculiarities;
mod ping;
mod queries;
mod quirks;
mod recipients;
mod redirects;
mod refusals;
mod repeated;
mod rules;
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
mod transport;
mod uncertain;
mod versions;
mod world;
