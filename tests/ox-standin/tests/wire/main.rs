//! The stand-in over real HTTP, section by section of the API's documents, with transcripts as expected answers.

mod calendar;
mod client;
mod contacts;
mod faults;
mod folders;
mod general;
mod invitations;
mod login;
mod mail;
mod multiple;
mod tasks;
mod uids;
