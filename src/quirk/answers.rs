//! The peculiarities of devices that need no row: what is right for all is done for all, and some things are not done.
//!
//! Every id that is known stands once, here or in the table of rows. What is done for all names the tests that show it, or
//! the function that does it, as `file::function`; a test looks whether they are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::quirk::table::ROWS;

/// What becomes of a peculiarity without a row.
pub(super) enum Answer {
    /// Done for every device.
    ForAll {
        what: &'static str,
        shown_by: &'static [&'static str],
    },
    NotDone {
        why: &'static str,
    },
}

const fn all(id: &'static str, what: &'static str, shown_by: &'static [&'static str]) -> (&'static str, Answer) {
    (id, Answer::ForAll { what, shown_by })
}

const fn not(id: &'static str, why: &'static str) -> (&'static str, Answer) {
    (id, Answer::NotDone { why })
}

/// Letter and count of the ids that are known.
const KNOWN: [(&str, usize); 9] = [
    ("A", 39),
    ("I", 42),
    ("O", 28),
    ("W", 20),
    ("B", 7),
    ("N", 5),
    ("P", 3),
    ("T", 18),
    ("G", 26),
];

pub(super) const ANSWERS: &[(&str, Answer)] = &[
    // Android
    all(
        "A-2",
        "An empty request to Autodiscover asks for ActiveSync and for the user who logs in.",
        &["tests/it/autodiscover::requests"],
    ),
    all(
        "A-3",
        "A Sync without collections waits its time and ends with an empty answer; there is no Outbox to wait for.",
        &["tests/it/peculiarities::a_sync_of_nothing_waits"],
    ),
    all(
        "A-4",
        "Attachments always have EstimatedDataSize, and enclosed messages a name in .eml.",
        &[
            "src/content/email/attachment::names_that_devices_can_open",
            "tests/it/mail::attachments",
        ],
    ),
    all(
        "A-5",
        "Importance is always sent, in results of Find as well.",
        &[
            "tests/it/mail::properties_of_a_mail",
            "tests/it/find::mails_by_keywords",
        ],
    ),
    all(
        "A-6",
        "Results of a search for people always have Range and Total.",
        &["tests/it/search::people_in_every_version"],
    ),
    all(
        "A-7",
        "A search for mails that names no folder looks into all of them.",
        &["tests/it/search::mails_in_every_version"],
    ),
    all(
        "A-9",
        "An uploaded text message is acknowledged and dropped; Options for text messages do not disturb the mail.",
        &["tests/it/rules/commands::text_messages"],
    ),
    all(
        "A-10",
        "A missing X-MS-PolicyKey means \"not provisioned\", which nobody has to be.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    all(
        "A-11",
        "The temporary policy key is kept apart from the permanent one, and each step has a fresh one.",
        &[
            "src/eas/command/provision::confirm",
            "tests/it/device/commands::provision",
        ],
    ),
    all(
        "A-13",
        "Birthdays are read by the digits of their day up to 12:00 UTC, and written at 00:00.",
        &[
            "src/content/birthday::every_device_means_the_same_day",
            "tests/it/quirks::birthdays_by_device",
        ],
    ),
    all(
        "A-14",
        "The same, an hour off in summer included.",
        &["src/content/birthday::every_device_means_the_same_day"],
    ),
    all(
        "A-15",
        "A date without a time is a date.",
        &[
            "src/content/birthday::every_device_means_the_same_day",
            "src/content/date::reads_every_form",
        ],
    ),
    all(
        "A-16",
        "The names in a TimeZone are left empty, and not read.",
        &["src/content/calendar/zone/tests::names_are_ignored_and_windows_midnights_understood"],
    ),
    all(
        "A-17",
        "Below 16.0 every appointment has its Timezone, whole days too.",
        &["src/content/calendar/tests/whole_days::the_forms_of_the_versions"],
    ),
    all(
        "A-18",
        "Whole days sent as midnight of another zone are taken for the nearest day.",
        &["src/content/calendar/tests/whole_days::what_devices_send_for_one_day"],
    ),
    all(
        "A-21",
        "Free and busy times begin at the time that was asked for, not at the half hour.",
        &["src/content/calendar/free_busy::slots_are_not_snapped_to_the_clock"],
    ),
    all(
        "A-23",
        "An empty Flag is one that was removed, a sender without a name has an address, and no ServerId begins with 0.",
        &[
            "src/content/email/flag::what_a_device_means",
            "src/usm/ids::ids_are_short_and_lead_back",
        ],
    ),
    all(
        "A-24",
        "A mail without Date or Message-ID gets them when it is sent.",
        &["src/content/email/send::what_is_missing_is_added"],
    ),
    all(
        "A-25",
        "An empty Supported means that nothing is deleted by leaving it out.",
        &[
            "src/eas/options::options_survive_in_the_state",
            "src/content/calendar/tests/mod::what_a_change_leaves_out",
        ],
    ),
    all(
        "A-26",
        "Recipients of drafts may be separated by semicolons as well.",
        &[
            "src/content/email/draft/tests::recipients",
            "tests/it/drafts::written_changed_and_deleted",
        ],
    ),
    all(
        "A-27",
        "Every appointment has an organizer: the user for the own ones.",
        &["src/content/calendar/tests/attendees::whose_appointment_it_is"],
    ),
    all(
        "A-28",
        "What a device added does not come back to it.",
        &[
            "src/usm/model::random_histories_converge",
            "tests/it/contacts::from_the_phone_to_ox",
        ],
    ),
    not(
        "A-29",
        "A device gets the days that it asks for; a wider window would be a guess at what its user chose.",
    ),
    all(
        "A-30",
        "Attachments have a Content-Length, and parts of them can be asked for.",
        &[
            "tests/it/mail::attachments",
            "tests/it/attachments25::attachments_come_as_they_are",
        ],
    ),
    all(
        "A-31",
        "OPTIONS is answered with X-AspNet-Version: Nine speaks 16.x only then.",
        &["tests/it/peculiarities::offers_have_the_header_for_nine"],
    ),
    all(
        "A-32",
        "Results of a search for mails have their CollectionId. Signed mails go through as they are, line ends included.",
        &[
            "tests/it/search::mails_in_every_version",
            "src/content/email/compose::a_signed_message_of_the_device_is_not_touched",
        ],
    ),
    all(
        "A-33",
        "A draft that comes as a whole message goes to whom the message says, whatever stands beside it.",
        &[
            "src/content/email/draft/tests::whole_messages_speak_for_themselves",
            "tests/it/drafts::whole_messages",
        ],
    ),
    not("A-34", "See G-1."),
    all(
        "A-35",
        "Filters move at midnight UTC, once a day.",
        &["src/eas/options::filters_move_at_midnight", "tests/it/mail::filters"],
    ),
    all(
        "A-36",
        "A negative Reminder is none.",
        &["tests/it/peculiarities::odd_appointments"],
    ),
    all(
        "A-37",
        "The winner of a conflict comes first, in the answer that says that there was one.",
        &["tests/it/peculiarities::the_winner_of_a_conflict_comes_in_the_same_answer"],
    ),
    all(
        "A-38",
        "Signed mails stay as they are where MIME is asked for.",
        &["src/content/email/corpus::signed_mail_is_handed_over_byte_for_byte"],
    ),
    all(
        "A-39",
        "As A-27.",
        &["src/content/calendar/tests/attendees::whose_appointment_it_is"],
    ),
    // iOS
    all(
        "I-1",
        "Where there is nothing to say, the answer is really empty.",
        &[
            "src/eas/command/sync/response::nothing_new_by_version",
            "tests/it/peculiarities::a_sync_of_nothing_waits",
        ],
    ),
    all(
        "I-2",
        "An empty body has neither type nor compression.",
        &["tests/it/device/strict::headers"],
    ),
    all(
        "I-3",
        "Ping says nothing about a folder that was never synced.",
        &["src/eas/command/ping::changed"],
    ),
    all(
        "I-4",
        "No policy key is ever 0.",
        &["src/eas/policy::fresh_key", "tests/it/device/commands::provision"],
    ),
    not("I-5", "No remote wipe is asked for, so none is acknowledged."),
    all(
        "I-6",
        "A contact without Picture keeps the one it has.",
        &["src/content/contacts/tests::pictures_go_in_and_out_and_are_never_removed"],
    ),
    all(
        "I-7",
        "An empty Picture is ignored: iOS sends it with every edit. Pictures are removed at Open-Xchange only.",
        &["src/content/contacts/tests::pictures_go_in_and_out_and_are_never_removed"],
    ),
    all(
        "I-8",
        "An empty Picture in a search sets no limits.",
        &["tests/it/search::pictures_within_limits"],
    ),
    all(
        "I-9",
        "The order of elements within Recurrence does not matter.",
        &[
            "src/content/recurrence/tests::reading_eas_is_lenient_where_devices_differ",
            "src/content/tasks/tests::a_finished_occurrence_is_a_single_task",
        ],
    ),
    all(
        "I-10",
        "An attendee's device changes neither the organizer nor anything else that is not the attendee's.",
        &["src/content/calendar/tests/attendees::an_attendee_changes_only_their_alarm"],
    ),
    all(
        "I-11",
        "A meeting that names no organizer is the user's.",
        &["src/content/calendar/tests/attendees::new_meetings"],
    ),
    not(
        "I-12",
        "Open-Xchange knows no cancelled meetings: it deletes them, and so does the device.",
    ),
    all(
        "I-13",
        "AttendeeStatus is always told and never read. Answers that a device mails again and again are not held back.",
        &["src/content/calendar/tests/attendees::the_part_of_the_user"],
    ),
    all(
        "I-14",
        "An invitation is answered by its mail or by the appointment in the calendar.",
        &["tests/it/meetings::accepted_without_help"],
    ),
    all(
        "I-16",
        "Range is answered only if it was asked for.",
        &["tests/it/mail::attachments"],
    ),
    all(
        "I-17",
        "Text made of HTML has neither the targets of links nor the addresses of pictures.",
        &["src/content/html::html_to_text"],
    ),
    all(
        "I-18",
        "Status 12 stands in the collection that is gone; for BlackBerry see B-7.",
        &["tests/it/quirks::status_12_by_device"],
    ),
    all(
        "I-19",
        "Two first requests for a folder are both answered, the later one counts; none waits longer than 30 seconds.",
        &[
            "tests/it/peculiarities::a_second_first_sync_is_valid",
            "src/session::turn",
        ],
    ),
    all(
        "I-20",
        "Attachments of appointments are not read.",
        &["src/content/calendar/tests/tags::every_tag_is_accounted_for"],
    ),
    all(
        "I-21",
        "An occurrence is found by its day: a wrong time of the day does no harm.",
        &[
            "src/content/calendar/tests/series::occurrences_named_by_instance_id",
            "src/content/calendar/tests/series::exceptions_of_a_change",
        ],
    ),
    all(
        "I-22",
        "From 16.0 on an occurrence is deleted by its InstanceId.",
        &["tests/it/series::exceptions_from_the_phone"],
    ),
    all(
        "I-23",
        "An appointment added with a UID that Open-Xchange has already is that appointment.",
        &["tests/it/calendar::an_invitation_from_the_phone"],
    ),
    all(
        "I-24",
        "UIDs are kept as they were sent.",
        &["src/content/calendar/request::name_item"],
    ),
    all(
        "I-25",
        "What XML does not allow is taken out of every text.",
        &["src/content/text::cleaning_keeps_what_can_be_read"],
    ),
    all(
        "I-26",
        "A LongId says by itself what it stands for.",
        &["src/eas/command/item_operations::one_name_an_item"],
    ),
    all(
        "I-27",
        "DateReceived is always sent: where Open-Xchange has none, it is the mail's Date.",
        &["tests/it/mail::properties_of_a_mail"],
    ),
    all(
        "I-28",
        "A request that only fetches brings no changes.",
        &["src/eas/command/sync/request::commands_without_ids"],
    ),
    all(
        "I-29",
        "A collection that is gone has Status 12, never 8.",
        &["tests/it/quirks::status_12_by_device"],
    ),
    all(
        "I-30",
        "Midnight of the user's zone is the day there. The time of editing that iOS 4 sends cannot be told from that.",
        &["src/content/birthday::every_device_means_the_same_day"],
    ),
    all("I-31", "See G-1.", &["tests/it/poison::a_phone_that_chokes_on_a_mail"]),
    all(
        "I-32",
        "An absence notice that is off is told without messages.",
        &["src/content/oof::there_and_back"],
    ),
    all(
        "I-33",
        "Waits are ended in time; how long they may be is configured.",
        &["tests/it/ping::intervals_have_bounds"],
    ),
    not("I-34", "Open-Xchange has no notes."),
    all(
        "I-35",
        "Folders can be created, renamed and deleted by the device.",
        &["tests/it/folders::folders_are_made"],
    ),
    all(
        "I-36",
        "No command asks for a policy key, so none has to say where it comes from.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    all(
        "I-37",
        "In 2.5 bodies are plain text, or MIME if that is asked for.",
        &["tests/it/mail::bodies_of_2_5"],
    ),
    all(
        "I-38",
        "What comes with the first key is ignored.",
        &["tests/it/peculiarities::commands_before_the_first_key_are_ignored"],
    ),
    all(
        "I-39",
        "Versions are offered by their full numbers.",
        &["src/version::names_and_codes_both_ways"],
    ),
    all(
        "I-40",
        "In ItemOperations the content stands before Range, Total and ContentType.",
        &["src/eas/command/item_operations/content::content"],
    ),
    all(
        "I-41",
        "A rights template that stands for none is ignored; a message that asks for protection does not go out without it.",
        &[
            "tests/it/peculiarities::what_is_of_no_use_is_ignored",
            "tests/it/sending::refusals_of_both_forms",
        ],
    ),
    all(
        "I-42",
        "Bodies are cut between characters.",
        &["src/content/body::cuts_are_short_and_whole"],
    ),
    // Outlook
    all(
        "O-1",
        "Nobody has to be provisioned.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    all(
        "O-2",
        "Credentials that are no UTF-8 are read as Latin-1.",
        &["src/eas/request::basic_credentials"],
    ),
    all("O-4", "As I-29.", &["tests/it/quirks::status_12_by_device"]),
    all(
        "O-5",
        "An answer is ended at 2 MB of text, or when it takes too long (A-22).",
        &["tests/it/large::five_thousand_mails"],
    ),
    all(
        "O-6",
        "Lines of MIME and of plain text end in CR LF.",
        &[
            "src/content/email/seven_bit::only_what_needs_it_is_encoded",
            "src/content/body::line_ends",
        ],
    ),
    all(
        "O-7",
        "Texts become UTF-8; MIME keeps its character sets.",
        &[
            "src/content/email/transfer::charsets_declared_wrong_or_not_at_all",
            "src/content/email/corpus::mime_of_every_mail_says_the_same",
        ],
    ),
    all(
        "O-8",
        "Reminders are kept as they were sent, and none is made up.",
        &["src/content/calendar/tests/mod::an_add_may_lack_nearly_everything"],
    ),
    all(
        "O-9",
        "Whole days are recognised without the flag.",
        &["src/content/calendar/tests/whole_days::whole_days_without_the_flag"],
    ),
    all(
        "O-10",
        "Attendees without an address are left out.",
        &["src/content/calendar/tests/attendees::the_organizer_invites_and_uninvites"],
    ),
    all(
        "O-11",
        "A new item with MeetingStatus 3 takes its organizer from the device.",
        &["src/content/calendar/tests/attendees::new_meetings"],
    ),
    all(
        "O-12",
        "An invitation is answered by its mail or by the appointment in the calendar.",
        &["tests/it/meetings::accepted_without_help"],
    ),
    all(
        "O-13",
        "Up to 14.1 the phone writes to the organizer, and we do not; iOS of row I-15 excepted.",
        &["tests/it/meetings::words_for_the_organizer"],
    ),
    all(
        "O-15",
        "Outlook's own schema is answered with the documented error.",
        &["tests/it/autodiscover::requests"],
    ),
    all(
        "O-16",
        "There is one policy, which asks for nothing: its key does not depend on settings.",
        &["src/eas/policy::each_version_has_one_form"],
    ),
    all(
        "O-17",
        "Folders with a special part are neither renamed nor deleted.",
        &["tests/it/folders::what_is_refused"],
    ),
    all(
        "O-18",
        "In a search, the CollectionId 0 means all folders.",
        &["tests/it/search::mails_in_every_version"],
    ),
    all(
        "O-19",
        "Autodiscover answers in JSON, too; the gateway must be reachable for Microsoft's servers.",
        &["tests/it/autodiscover::json"],
    ),
    not(
        "O-20",
        "Newer Outlook speaks ActiveSync with Microsoft's own servers only.",
    ),
    not("O-21", "Devices of the time of Windows XP; for all others it is wrong."),
    all(
        "O-22",
        "Conflicts are found, whether a device wants changes or not.",
        &["src/usm/model::random_histories_converge"],
    ),
    all(
        "O-23",
        "A Class in an Add is ignored.",
        &["tests/it/peculiarities::what_is_of_no_use_is_ignored"],
    ),
    all(
        "O-24",
        "NativeBodyType is 1 or 2, never 0.",
        &["tests/it/mail::properties_of_a_mail"],
    ),
    all(
        "O-25",
        "GlobalObjId is base64 of the documented form, and UID its text from 16.0 on.",
        &["tests/it/invitations::invitations_have_buttons"],
    ),
    all(
        "O-26",
        "As A-38.",
        &["src/content/email/corpus::signed_mail_is_handed_over_byte_for_byte"],
    ),
    all(
        "O-27",
        "Parents come before their children, and no folder without its parent.",
        &[
            "src/usm/hierarchy::parents_first",
            "tests/it/device/commands::take_tree",
        ],
    ),
    all(
        "O-28",
        "A finished occurrence of a task is a task of its own.",
        &["src/content/tasks/tests::a_finished_occurrence_is_a_single_task"],
    ),
    // Windows Mobile, Windows Phone, Windows
    all(
        "W-1",
        "MoreAvailable stands between Status and Responses.",
        &["src/eas/command/sync/response::order_of_a_collection"],
    ),
    all("W-2", "No container is ever empty.", &["tests/it/device/strict::check"]),
    all(
        "W-3",
        "Truncated is sent only if it is 1.",
        &[
            "src/content/body::bodies_say_whether_they_are_cut",
            "tests/it/device/strict::check",
        ],
    ),
    all(
        "W-4",
        "That a folder is gone is said once.",
        &[
            "tests/it/folders::folders_are_deleted",
            "tests/it/device/commands::take_tree",
        ],
    ),
    all(
        "W-5",
        "GetItemEstimate is exact: 0 means that there is nothing.",
        &[
            "tests/it/versions::both_ways",
            "tests/it/quirks::estimates_of_unknown_keys",
        ],
    ),
    all(
        "W-6",
        "Up to 12.1 the Class of a collection comes first.",
        &["src/eas/command/sync/response::order_of_a_collection"],
    ),
    all(
        "W-7",
        "A preview is sent to who asks for it.",
        &["src/content/text::previews", "tests/it/mail::bodies"],
    ),
    all(
        "W-8",
        "The inner Response of Autodiscover has the namespace of ActiveSync.",
        &["tests/it/autodiscover::a_user_is_found_at_both_doors"],
    ),
    all(
        "W-9",
        "A list of attendees without any changes nothing.",
        &["src/content/calendar/tests/attendees::the_organizer_invites_and_uninvites"],
    ),
    all(
        "W-10",
        "A change without Timezone keeps the zone.",
        &[
            "src/content/calendar/tests/mod::what_a_change_leaves_out",
            "src/content/calendar/tests/series::another_zone_counts_only_with_other_times",
        ],
    ),
    all(
        "W-11",
        "Nobody has to be provisioned.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    all(
        "W-13",
        "Addresses of contacts lose the name before them.",
        &["src/content/text::addresses_lose_their_names"],
    ),
    all(
        "W-14",
        "A FolderSync that is repeated after Status 9 is answered.",
        &["tests/it/peculiarities::circles_end"],
    ),
    all(
        "W-15",
        "A search answers the range that was asked for.",
        &["src/eas/results::pages", "tests/it/search::people_in_every_version"],
    ),
    all(
        "W-16",
        "Parameters are percent-decoded, and names of devices are kept as text.",
        &["src/eas/request::plain_query"],
    ),
    all(
        "W-17",
        "Unknown code pages are read over.",
        &["src/wbxml/decode::unknown_pages_and_tokens_survive"],
    ),
    all(
        "W-18",
        "An item without text has no Body, and a Body without text no Data.",
        &[
            "src/content/body::plain_text_in_both_forms",
            "src/content/body::bodies_say_whether_they_are_cut",
        ],
    ),
    all(
        "W-19",
        "In 2.5 the policy is a trivial one in XML.",
        &["src/eas/policy::each_version_has_one_form"],
    ),
    // BlackBerry
    all(
        "B-1",
        "A command without the id that names its item is ignored.",
        &["src/eas/command/sync/request::commands_without_ids"],
    ),
    all(
        "B-2",
        "As A-38, and not cut unless that is asked for.",
        &["src/content/email/corpus::signed_mail_is_handed_over_byte_for_byte"],
    ),
    all(
        "B-3",
        "ConversationId is the same for a whole thread, and stays so.",
        &["src/content/email/thread::a_thread_shares_its_root"],
    ),
    all(
        "B-4",
        "A mail that was sent before is not sent again.",
        &["tests/it/uncertain::a_message_is_sent_once"],
    ),
    all(
        "B-6",
        "Empty containers say nothing.",
        &["tests/it/peculiarities::what_is_of_no_use_is_ignored"],
    ),
    // Nokia
    all(
        "N-2",
        "Of an empty text and one in RTF, the one that is not empty counts; RTF is left at Open-Xchange.",
        &[
            "src/content/body::what_a_device_sent",
            "src/content/contacts/tests::notes_are_kept_unless_they_are_emptied_or_rewritten",
        ],
    ),
    all(
        "N-4",
        "Whole days last at least one.",
        &["tests/it/peculiarities::odd_appointments"],
    ),
    all(
        "N-5",
        "A range that was asked for is answered.",
        &["tests/it/mail::attachments"],
    ),
    // Others
    all(
        "P-1",
        "In 2.5 a collection without an id is the default folder of its class.",
        &["tests/it/rules/exchanges::a_folder_by_its_class"],
    ),
    not("P-2", "TouchDown has no peculiarity of its own."),
    all(
        "P-3",
        "Nobody has to be provisioned.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    // What TbSync, the add-on for Thunderbird, found
    all(
        "T-1",
        "Omitted and empty elements of contacts are both understood, by version.",
        &[
            "tests/it/contacts::omitted_properties",
            "tests/it/contacts::emptied_properties",
        ],
    ),
    all(
        "T-2",
        "Several commands for one series in a Sync are taken.",
        &["tests/it/series::exceptions_from_the_phone"],
    ),
    all(
        "T-3",
        "An occurrence is cancelled by Delete with InstanceId beside the ServerId.",
        &["src/content/calendar/tests/series::occurrences_named_by_instance_id"],
    ),
    all(
        "T-4",
        "Appointments without length are taken.",
        &["tests/it/peculiarities::odd_appointments"],
    ),
    all(
        "T-5",
        "In 2.5 changes have to be asked for.",
        &["src/eas/command/sync/request::defaults"],
    ),
    all(
        "T-6",
        "The start of a series of tasks is written as each version wants it.",
        &["src/content/tasks/tests::the_start_of_a_series_follows_the_version"],
    ),
    all(
        "T-7",
        "Digits of whole days are read, and an Add may bring its exceptions.",
        &[
            "src/content/calendar/tests/whole_days::what_devices_send_for_one_day",
            "src/content/calendar/tests/series::an_add_may_bring_its_exceptions",
        ],
    ),
    all(
        "T-8",
        "Options replace the earlier ones as a whole.",
        &["src/eas/command/sync/collection::sticky"],
    ),
    all(
        "T-9",
        "Provision always has its Status.",
        &["tests/it/device/commands::provision"],
    ),
    all(
        "T-10",
        "Total is sent also where nothing was found.",
        &["tests/it/search::people_in_every_version"],
    ),
    all(
        "T-11",
        "Free and busy times of an odd span are rounded up to the half hour.",
        &["src/content/calendar/free_busy::slots_are_not_snapped_to_the_clock"],
    ),
    not("T-12", "A device's own business: bodies are of the type they say."),
    all(
        "T-13",
        "From 16.0 on the organizer hears of an answer if it has SendResponse; CalendarId is the id in the calendar.",
        &["tests/it/meetings::words_for_the_organizer"],
    ),
    all(
        "T-14",
        "An addition is known again by its UID or by what it says, with ClientUid or without.",
        &["tests/it/uncertain::an_addition_is_found_again"],
    ),
    not("T-15", "Said of another server."),
    all(
        "T-16",
        "A change of the device does not come back to it.",
        &["src/usm/model::random_histories_converge"],
    ),
    all(
        "T-17",
        "Where Open-Xchange does not answer, a device is told when to come again.",
        &["src/eas/response::tell"],
    ),
    not(
        "T-18",
        "Each keystroke is a search at Open-Xchange; results are kept for their next pages only.",
    ),
    // Every server
    all(
        "G-1",
        "A device that repeats its request again and again gets one item at a time, and a stub of the item that it does not \
         get past. That an item cannot be converted stops nothing: a stub takes its place.",
        &[
            "tests/it/poison::a_phone_that_chokes_on_a_mail",
            "tests/it/poison::a_phone_that_chokes_on_an_item",
            "tests/it/poison::a_mail_that_ox_cannot_open",
        ],
    ),
    all(
        "G-2",
        "A device that goes in circles between Sync and FolderSync is made to start anew after two rounds, once.",
        &[
            "tests/it/peculiarities::circles_end",
            "tests/it/ping::an_unknown_folder",
        ],
    ),
    all(
        "G-3",
        "A lost answer is given again, from the state before it, and nothing is done twice.",
        &[
            "tests/it/lost_answers::mail_loses_its_answers",
            "src/usm/model::random_histories_converge",
        ],
    ),
    all(
        "G-4",
        "What is not known is ignored, and so are commands with the first key.",
        &[
            "tests/it/peculiarities::what_is_of_no_use_is_ignored",
            "tests/it/peculiarities::commands_before_the_first_key_are_ignored",
        ],
    ),
    all(
        "G-5",
        "A device that lists nothing but Type 4 gets MIME without asking for it twice.",
        &["src/content/email/bodies::wants_mime"],
    ),
    all(
        "G-6",
        "MaxAmbiguousRecipients 0 is as if it had not been said.",
        &["src/eas/command/resolve_recipients::read"],
    ),
    all(
        "G-7",
        "One request of a device at a time; a new one ends the wait of the one before.",
        &["tests/it/ping::a_newer_request_ends_the_wait"],
    ),
    all(
        "G-8",
        "Items are fetched by the hundred, and nothing is held in the database during a wait.",
        &[
            "tests/it/large::five_thousand_mails",
            "tests/it/counts::questions_write_nothing",
        ],
    ),
    all(
        "G-9",
        "Mails that got new ids at Open-Xchange are exchanged in their folder; the key stays good.",
        &["src/usm/model::random_histories_converge"],
    ),
    all(
        "G-10",
        "Fetching marks nothing as read.",
        &["tests/it/mail::fetching_an_item"],
    ),
    all(
        "G-11",
        "What is too large is refused with 413, not by a broken connection.",
        &["tests/it/listening::bodies_have_a_limit"],
    ),
    all(
        "G-12",
        "As I-25; subjects are one line.",
        &["src/content/text::cleaning_keeps_what_can_be_read"],
    ),
    all(
        "G-13",
        "Subjects and names are decoded.",
        &[
            "src/content/email/header::subjects",
            "src/content/email/header::addresses_in_all_their_forms",
        ],
    ),
    all(
        "G-14",
        "Up to 14.1 the device mails and Open-Xchange is told to keep silent, from 16.0 on it is the other way about.",
        &["tests/it/meetings::who_writes_to_the_invited"],
    ),
    all(
        "G-15",
        "The same object is shown the same way each time; DtStamp is its last change.",
        &["src/content/calendar/tests/laws::showing_is_the_same_each_time"],
    ),
    all(
        "G-16",
        "A device that starts anew under its old id does so; what it knew is forgotten.",
        &[
            "tests/it/peculiarities::a_second_first_sync_is_valid",
            "tests/it/lost_answers::a_key_of_long_ago_means_a_new_start",
        ],
    ),
    all(
        "G-17",
        "The parameters of Ping survive a restart.",
        &["tests/it/ping::parameters_survive_a_restart"],
    ),
    all(
        "G-18",
        "When the gateway ends, waits are ended one after the other. Retry-After is the same for all.",
        &["src/session::stop"],
    ),
    all(
        "G-19",
        "A policy key that is none is as good as no key.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    all(
        "G-20",
        "The user is who the credentials say; the User of the query is not read.",
        &["src/eas/request::basic_credentials"],
    ),
    all(
        "G-21",
        "Pictures of people are sent to who asks for them.",
        &["tests/it/search::pictures_within_limits"],
    ),
    all(
        "G-22",
        "AttendeeType is 1 or 3.",
        &["src/content/calendar/tests/attendees::the_part_of_the_user"],
    ),
    all(
        "G-23",
        "A policy key belongs to a user and a device.",
        &["src/session::fields"],
    ),
    all(
        "G-24",
        "Ping asks for no policy.",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    all(
        "G-25",
        "An empty Sync repeats the last request with the keys that the device sent.",
        &["tests/it/short_sync::an_empty_request_repeats_the_last"],
    ),
    all(
        "G-26",
        "A malformed birthday costs the birthday, not the contact.",
        &["tests/it/peculiarities::what_is_of_no_use_is_ignored"],
    ),
];

#[test]
fn every_id_stands_once() {
    let known = KNOWN
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}-{number}")));
    let mut counts: BTreeMap<String, usize> = known.map(|id| (id, 0)).collect();
    let answered = ANSWERS.iter().map(|(id, _)| *id);
    for id in ROWS.iter().map(|row| row.id).chain(answered) {
        let count = counts.get_mut(id);
        *count.unwrap_or_else(|| panic!("{id} is not known")) += 1;
    }
    let wrong: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(wrong.is_empty(), "not once: {wrong:?}");
}

#[test]
fn what_shows_it_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (id, answer) in ANSWERS {
        let Answer::ForAll { shown_by, .. } = answer else {
            continue;
        };
        assert!(!shown_by.is_empty(), "{id}");
        for place in *shown_by {
            let (file, function) = place.split_once("::").unwrap_or((place, ""));
            let source = fs::read_to_string(root.join(format!("{file}.rs")));
            let source = source.unwrap_or_else(|error| panic!("{id}: {file}: {error}"));
            let is_there = [format!("fn {function}("), format!("fn {function}<")]
                .iter()
                .any(|it| source.contains(it));
            assert!(is_there, "{id}: {place} is not there");
        }
    }
}
