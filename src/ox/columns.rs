//! The columns of the OX HTTP API: number in lists, key in objects, and the type of what stands there.
//!
//! Only what the gateway asks for is here. A column's type is part of its Rust type, so that a row of `content` that joins
//! a tag with a column of another kind does not compile. Source: the API documentation, "Column identifiers",
//! "Detailed contact data", "Detailed task and appointment data", "Detailed mail data", "Detailed folder data".
//! Number 0: the key exists in objects only. What came later than the oldest servers says since when it is there: "only ask for
//! documented ones, and make the list depend on the server version".

use std::marker::PhantomData;

use crate::ox::settings::Version;

/// A column that holds a `K`.
pub struct Column<K> {
    pub id: u16,
    pub key: &'static str,
    since: Version,
    kind: PhantomData<K>,
}

impl<K> Column<K> {
    const fn new(id: u16, key: &'static str, since: Version) -> Self {
        Self {
            id,
            key,
            since,
            kind: PhantomData,
        }
    }

    /// Without the type, for lists of columns.
    pub const fn name(&self) -> ColumnName {
        ColumnName {
            id: self.id,
            key: self.key,
            since: self.since,
        }
    }
}

impl<K> Clone for Column<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Column<K> {}

/// A column in a list of columns to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnName {
    pub id: u16,
    pub key: &'static str,
    since: Version,
}

impl ColumnName {
    /// Whether some servers do not have it.
    pub(super) fn is_later(self) -> bool {
        self.since > ALWAYS
    }

    /// Whether a server of that version has it.
    pub(super) fn is_known(self, version: Version) -> bool {
        self.since <= version
    }
}

/// The oldest server there is.
const ALWAYS: Version = Version::new(0, 0);

/// Text.
pub enum Text {}
/// A number; the server writes some as text.
pub enum Number {}
/// `true` or `false`.
pub enum Flag {}
/// A day: milliseconds since 1970 of its midnight in UTC; never shifted.
pub enum Date {}
/// An instant in milliseconds since 1970. UTC, because every request asks for `timezone=UTC`. In a full-day
/// appointment it is a [`Date`].
pub enum Time {}
/// An instant in milliseconds since 1970, UTC whatever was asked for.
pub enum Timestamp {}
/// An id: a number on old servers, text on new ones; read as text.
pub enum Id {}
/// A structure of its own.
pub enum Json {}

/// Constants of the columns of a module, one a line: name, what it holds, number, key, and since which version if not always;
/// and a list of them all.
macro_rules! columns {
    (@since) => { ALWAYS };
    (@since $version:tt) => { Version::new $version };
    ($($name:ident: $kind:ty = $id:literal, $key:literal $(, since $version:tt)?;)*) => {
        $(pub const $name: Column<$kind> = Column::new($id, $key, columns!(@since $($version)?));)*

        /// Every column above, to find one by its number.
        pub const ALL: &[ColumnName] = &[$($name.name()),*];
    };
}

/// Columns that calendar, tasks and contacts share.
pub mod common {
    use super::*;

    columns! {
        ID: Id = 1, "id";
        FOLDER_ID: Id = 20, "folder_id";
        CREATED_BY: Number = 2, "created_by";
        MODIFIED_BY: Number = 3, "modified_by";
        CREATION_DATE: Time = 4, "creation_date";
        LAST_MODIFIED: Time = 5, "last_modified";
        LAST_MODIFIED_UTC: Timestamp = 6, "last_modified_utc";
        CATEGORIES: Text = 100, "categories";
        PRIVATE_FLAG: Flag = 101, "private_flag";
        COLOR_LABEL: Number = 102, "color_label";
        NUMBER_OF_ATTACHMENTS: Number = 104, "number_of_attachments";
        LAST_MODIFIED_OF_NEWEST_ATTACHMENT_UTC: Timestamp = 105, "lastModifiedOfNewestAttachmentUTC";
        UID: Text = 223, "uid";
    }
}

/// Module `contacts`.
pub mod contacts {
    use super::*;

    columns! {
        DISPLAY_NAME: Text = 500, "display_name";
        FIRST_NAME: Text = 501, "first_name";
        LAST_NAME: Text = 502, "last_name";
        SECOND_NAME: Text = 503, "second_name";
        SUFFIX: Text = 504, "suffix";
        TITLE: Text = 505, "title";
        STREET_HOME: Text = 506, "street_home";
        POSTAL_CODE_HOME: Text = 507, "postal_code_home";
        CITY_HOME: Text = 508, "city_home";
        STATE_HOME: Text = 509, "state_home";
        COUNTRY_HOME: Text = 510, "country_home";
        BIRTHDAY: Date = 511, "birthday";
        MARITAL_STATUS: Text = 512, "marital_status";
        NUMBER_OF_CHILDREN: Text = 513, "number_of_children";
        PROFESSION: Text = 514, "profession";
        NICKNAME: Text = 515, "nickname";
        SPOUSE_NAME: Text = 516, "spouse_name";
        ANNIVERSARY: Date = 517, "anniversary";
        NOTE: Text = 518, "note";
        DEPARTMENT: Text = 519, "department";
        POSITION: Text = 520, "position";
        EMPLOYEE_TYPE: Text = 521, "employee_type";
        ROOM_NUMBER: Text = 522, "room_number";
        STREET_BUSINESS: Text = 523, "street_business";
        USER_ID: Number = 524, "user_id";
        POSTAL_CODE_BUSINESS: Text = 525, "postal_code_business";
        CITY_BUSINESS: Text = 526, "city_business";
        STATE_BUSINESS: Text = 527, "state_business";
        COUNTRY_BUSINESS: Text = 528, "country_business";
        NUMBER_OF_EMPLOYEES: Text = 529, "number_of_employees";
        SALES_VOLUME: Text = 530, "sales_volume";
        TAX_ID: Text = 531, "tax_id";
        COMMERCIAL_REGISTER: Text = 532, "commercial_register";
        BRANCHES: Text = 533, "branches";
        BUSINESS_CATEGORY: Text = 534, "business_category";
        INFO: Text = 535, "info";
        MANAGER_NAME: Text = 536, "manager_name";
        ASSISTANT_NAME: Text = 537, "assistant_name";
        STREET_OTHER: Text = 538, "street_other";
        CITY_OTHER: Text = 539, "city_other";
        POSTAL_CODE_OTHER: Text = 540, "postal_code_other";
        COUNTRY_OTHER: Text = 541, "country_other";
        TELEPHONE_BUSINESS1: Text = 542, "telephone_business1";
        TELEPHONE_BUSINESS2: Text = 543, "telephone_business2";
        FAX_BUSINESS: Text = 544, "fax_business";
        TELEPHONE_CALLBACK: Text = 545, "telephone_callback";
        TELEPHONE_CAR: Text = 546, "telephone_car";
        TELEPHONE_COMPANY: Text = 547, "telephone_company";
        TELEPHONE_HOME1: Text = 548, "telephone_home1";
        TELEPHONE_HOME2: Text = 549, "telephone_home2";
        FAX_HOME: Text = 550, "fax_home";
        CELLULAR_TELEPHONE1: Text = 551, "cellular_telephone1";
        CELLULAR_TELEPHONE2: Text = 552, "cellular_telephone2";
        TELEPHONE_OTHER: Text = 553, "telephone_other";
        FAX_OTHER: Text = 554, "fax_other";
        EMAIL1: Text = 555, "email1";
        EMAIL2: Text = 556, "email2";
        EMAIL3: Text = 557, "email3";
        URL: Text = 558, "url";
        TELEPHONE_ISDN: Text = 559, "telephone_isdn";
        TELEPHONE_PAGER: Text = 560, "telephone_pager";
        TELEPHONE_PRIMARY: Text = 561, "telephone_primary";
        TELEPHONE_RADIO: Text = 562, "telephone_radio";
        TELEPHONE_TELEX: Text = 563, "telephone_telex";
        TELEPHONE_TTYTDD: Text = 564, "telephone_ttytdd";
        INSTANT_MESSENGER1: Text = 565, "instant_messenger1";
        INSTANT_MESSENGER2: Text = 566, "instant_messenger2";
        TELEPHONE_IP: Text = 567, "telephone_ip";
        TELEPHONE_ASSISTANT: Text = 568, "telephone_assistant";
        COMPANY: Text = 569, "company";
        IMAGE1: Text = 570, "image1";
        DISTRIBUTION_LIST: Json = 592, "distribution_list";
        NUMBER_OF_IMAGES: Number = 596, "number_of_images";
        IMAGE_LAST_MODIFIED: Number = 597, "image_last_modified";
        STATE_OTHER: Text = 598, "state_other";
        FILE_AS: Text = 599, "file_as";
        IMAGE1_CONTENT_TYPE: Text = 601, "image1_content_type";
        MARK_AS_DISTRIBUTIONLIST: Flag = 602, "mark_as_distributionlist";
        IMAGE1_URL: Text = 606, "image1_url", since (7, 0);
        YOMI_FIRST_NAME: Text = 610, "yomiFirstName";
        YOMI_LAST_NAME: Text = 611, "yomiLastName";
        YOMI_COMPANY: Text = 612, "yomiCompany";
        USERFIELD01: Text = 571, "userfield01";
        USERFIELD02: Text = 572, "userfield02";
        USERFIELD03: Text = 573, "userfield03";
        USERFIELD04: Text = 574, "userfield04";
        USERFIELD05: Text = 575, "userfield05";
        USERFIELD06: Text = 576, "userfield06";
        USERFIELD07: Text = 577, "userfield07";
        USERFIELD08: Text = 578, "userfield08";
        USERFIELD09: Text = 579, "userfield09";
        USERFIELD10: Text = 580, "userfield10";
        USERFIELD11: Text = 581, "userfield11";
        USERFIELD12: Text = 582, "userfield12";
        USERFIELD13: Text = 583, "userfield13";
        USERFIELD14: Text = 584, "userfield14";
        USERFIELD15: Text = 585, "userfield15";
        USERFIELD16: Text = 586, "userfield16";
        USERFIELD17: Text = 587, "userfield17";
        USERFIELD18: Text = 588, "userfield18";
        USERFIELD19: Text = 589, "userfield19";
        USERFIELD20: Text = 590, "userfield20";
    }
}

/// Module `calendar`. `start_date` and `end_date` are days in full-day appointments; `alarm` is in minutes.
pub mod calendar {
    use super::*;

    columns! {
        TITLE: Text = 200, "title";
        LOCATION: Text = 400, "location";
        NOTE: Text = 203, "note";
        START_DATE: Time = 201, "start_date";
        END_DATE: Time = 202, "end_date";
        FULL_TIME: Flag = 401, "full_time";
        SHOWN_AS: Number = 402, "shown_as";
        TIMEZONE: Text = 408, "timezone";
        ALARM: Number = 204, "alarm";
        RECURRENCE_TYPE: Number = 209, "recurrence_type";
        DAYS: Number = 212, "days";
        DAY_IN_MONTH: Number = 213, "day_in_month";
        MONTH: Number = 214, "month";
        INTERVAL: Number = 215, "interval";
        UNTIL: Date = 216, "until";
        OCCURRENCES: Number = 222, "occurrences";
        RECURRENCE_ID: Number = 206, "recurrence_id";
        RECURRENCE_POSITION: Number = 207, "recurrence_position";
        RECURRENCE_DATE_POSITION: Date = 208, "recurrence_date_position";
        CHANGE_EXCEPTIONS: Json = 210, "change_exceptions";
        DELETE_EXCEPTIONS: Json = 211, "delete_exceptions";
        RECURRENCE_START: Time = 410, "recurrence_start";
        PARTICIPANTS: Json = 220, "participants";
        USERS: Json = 221, "users";
        CONFIRMATIONS: Json = 226, "confirmations", since (6, 18);
        ORGANIZER: Text = 224, "organizer";
        SEQUENCE: Number = 225, "sequence";
        ORGANIZER_ID: Number = 227, "organizerId", since (6, 20);
        NOTIFICATION: Flag = 0, "notification";
        IGNORE_CONFLICTS: Flag = 0, "ignore_conflicts";
    }
}

/// Module `tasks`. `alarm` is an instant.
pub mod tasks {
    use super::*;

    columns! {
        TITLE: Text = 200, "title";
        NOTE: Text = 203, "note";
        START_DATE: Date = 201, "start_date";
        END_DATE: Date = 202, "end_date";
        START_TIME: Time = 316, "start_time", since (7, 6);
        END_TIME: Time = 317, "end_time", since (7, 6);
        FULL_TIME: Flag = 401, "full_time", since (7, 6);
        ALARM: Time = 204, "alarm";
        STATUS: Number = 300, "status";
        PERCENT_COMPLETED: Number = 301, "percent_completed";
        PRIORITY: Number = 309, "priority";
        DATE_COMPLETED: Time = 315, "date_completed";
        ACTUAL_COSTS: Number = 302, "actual_costs";
        ACTUAL_DURATION: Text = 303, "actual_duration";
        TARGET_COSTS: Number = 307, "target_costs";
        TARGET_DURATION: Text = 308, "target_duration";
        BILLING_INFORMATION: Text = 305, "billing_information";
        CURRENCY: Text = 312, "currency";
        TRIP_METER: Text = 313, "trip_meter";
        COMPANIES: Text = 314, "companies";
        RECURRENCE_TYPE: Number = 209, "recurrence_type";
        DAYS: Number = 212, "days";
        DAY_IN_MONTH: Number = 213, "day_in_month";
        MONTH: Number = 214, "month";
        INTERVAL: Number = 215, "interval";
        UNTIL: Date = 216, "until";
        OCCURRENCES: Number = 222, "occurrences";
        PARTICIPANTS: Json = 220, "participants";
        USERS: Json = 221, "users";
    }
}

/// Module `mail`.
pub mod mail {
    use super::*;

    columns! {
        ID: Text = 600, "id";
        FOLDER_ID: Text = 601, "folder_id";
        ATTACHMENT: Flag = 602, "attachment";
        FROM: Json = 603, "from";
        TO: Json = 604, "to";
        CC: Json = 605, "cc";
        BCC: Json = 606, "bcc";
        SUBJECT: Text = 607, "subject";
        SIZE: Number = 608, "size";
        SENT_DATE: Time = 609, "sent_date";
        RECEIVED_DATE: Time = 610, "received_date";
        FLAGS: Number = 611, "flags";
        PRIORITY: Number = 614, "priority";
        COLOR_LABEL: Number = 102, "color_label";
    }
}

/// Module `infostore`, beside the common ones.
pub mod files {
    use super::*;

    columns! {
        FILENAME: Text = 702, "filename";
        FILE_MIMETYPE: Text = 703, "file_mimetype";
        FILE_SIZE: Number = 704, "file_size";
    }
}

/// Module `folders`.
pub mod folders {
    use super::*;

    columns! {
        ID: Id = 1, "id";
        FOLDER_ID: Id = 20, "folder_id";
        TITLE: Text = 300, "title";
        MODULE: Text = 301, "module";
        TYPE: Number = 302, "type";
        SUBFOLDERS: Flag = 304, "subfolders";
        OWN_RIGHTS: Number = 305, "own_rights";
        STANDARD_FOLDER: Flag = 308, "standard_folder";
        SUBSCRIBED: Flag = 314, "subscribed";
        STANDARD_FOLDER_TYPE: Number = 316, "standard_folder_type";
    }
}
