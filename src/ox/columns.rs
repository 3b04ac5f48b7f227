//! The columns of the OX HTTP API: number in lists, key in objects, and the type of what stands there.
//!
//! Only what the gateway asks for is here. A column's type is part of its Rust type, so that a row of `content` that joins
//! a tag with a column of another kind does not compile. Source: the API documentation, "Column identifiers",
//! "Detailed contact data", "Detailed task and appointment data", "Detailed mail data", "Detailed folder data".
//! Number 0: the key exists in objects only.

use std::marker::PhantomData;

/// A column that holds a `K`.
pub struct Column<K> {
    pub id: u16,
    pub key: &'static str,
    kind: PhantomData<K>,
}

impl<K> Column<K> {
    const fn new(id: u16, key: &'static str) -> Self {
        Self {
            id,
            key,
            kind: PhantomData,
        }
    }

    /// Without the type, for lists of columns.
    pub const fn name(&self) -> ColumnName {
        ColumnName {
            id: self.id,
            key: self.key,
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
}

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

/// Columns that calendar, tasks and contacts share.
pub mod common {
    use super::*;

    pub const ID: Column<Id> = Column::new(1, "id");
    pub const FOLDER_ID: Column<Id> = Column::new(20, "folder_id");
    pub const CREATED_BY: Column<Number> = Column::new(2, "created_by");
    pub const MODIFIED_BY: Column<Number> = Column::new(3, "modified_by");
    pub const CREATION_DATE: Column<Time> = Column::new(4, "creation_date");
    pub const LAST_MODIFIED: Column<Time> = Column::new(5, "last_modified");
    pub const LAST_MODIFIED_UTC: Column<Timestamp> = Column::new(6, "last_modified_utc");
    pub const CATEGORIES: Column<Text> = Column::new(100, "categories");
    pub const PRIVATE_FLAG: Column<Flag> = Column::new(101, "private_flag");
    pub const COLOR_LABEL: Column<Number> = Column::new(102, "color_label");
    pub const NUMBER_OF_ATTACHMENTS: Column<Number> = Column::new(104, "number_of_attachments");
    pub const LAST_MODIFIED_OF_NEWEST_ATTACHMENT_UTC: Column<Timestamp> =
        Column::new(105, "lastModifiedOfNewestAttachmentUTC");
    pub const UID: Column<Text> = Column::new(223, "uid");
}

/// Module `contacts`.
pub mod contacts {
    use super::*;

    pub const DISPLAY_NAME: Column<Text> = Column::new(500, "display_name");
    pub const FIRST_NAME: Column<Text> = Column::new(501, "first_name");
    pub const LAST_NAME: Column<Text> = Column::new(502, "last_name");
    pub const SECOND_NAME: Column<Text> = Column::new(503, "second_name");
    pub const SUFFIX: Column<Text> = Column::new(504, "suffix");
    pub const TITLE: Column<Text> = Column::new(505, "title");
    pub const STREET_HOME: Column<Text> = Column::new(506, "street_home");
    pub const POSTAL_CODE_HOME: Column<Text> = Column::new(507, "postal_code_home");
    pub const CITY_HOME: Column<Text> = Column::new(508, "city_home");
    pub const STATE_HOME: Column<Text> = Column::new(509, "state_home");
    pub const COUNTRY_HOME: Column<Text> = Column::new(510, "country_home");
    pub const BIRTHDAY: Column<Date> = Column::new(511, "birthday");
    pub const MARITAL_STATUS: Column<Text> = Column::new(512, "marital_status");
    pub const NUMBER_OF_CHILDREN: Column<Text> = Column::new(513, "number_of_children");
    pub const PROFESSION: Column<Text> = Column::new(514, "profession");
    pub const NICKNAME: Column<Text> = Column::new(515, "nickname");
    pub const SPOUSE_NAME: Column<Text> = Column::new(516, "spouse_name");
    pub const ANNIVERSARY: Column<Date> = Column::new(517, "anniversary");
    pub const NOTE: Column<Text> = Column::new(518, "note");
    pub const DEPARTMENT: Column<Text> = Column::new(519, "department");
    pub const POSITION: Column<Text> = Column::new(520, "position");
    pub const EMPLOYEE_TYPE: Column<Text> = Column::new(521, "employee_type");
    pub const ROOM_NUMBER: Column<Text> = Column::new(522, "room_number");
    pub const STREET_BUSINESS: Column<Text> = Column::new(523, "street_business");
    pub const USER_ID: Column<Number> = Column::new(524, "user_id");
    pub const POSTAL_CODE_BUSINESS: Column<Text> = Column::new(525, "postal_code_business");
    pub const CITY_BUSINESS: Column<Text> = Column::new(526, "city_business");
    pub const STATE_BUSINESS: Column<Text> = Column::new(527, "state_business");
    pub const COUNTRY_BUSINESS: Column<Text> = Column::new(528, "country_business");
    pub const NUMBER_OF_EMPLOYEES: Column<Text> = Column::new(529, "number_of_employees");
    pub const SALES_VOLUME: Column<Text> = Column::new(530, "sales_volume");
    pub const TAX_ID: Column<Text> = Column::new(531, "tax_id");
    pub const COMMERCIAL_REGISTER: Column<Text> = Column::new(532, "commercial_register");
    pub const BRANCHES: Column<Text> = Column::new(533, "branches");
    pub const BUSINESS_CATEGORY: Column<Text> = Column::new(534, "business_category");
    pub const INFO: Column<Text> = Column::new(535, "info");
    pub const MANAGER_NAME: Column<Text> = Column::new(536, "manager_name");
    pub const ASSISTANT_NAME: Column<Text> = Column::new(537, "assistant_name");
    pub const STREET_OTHER: Column<Text> = Column::new(538, "street_other");
    pub const CITY_OTHER: Column<Text> = Column::new(539, "city_other");
    pub const POSTAL_CODE_OTHER: Column<Text> = Column::new(540, "postal_code_other");
    pub const COUNTRY_OTHER: Column<Text> = Column::new(541, "country_other");
    pub const TELEPHONE_BUSINESS1: Column<Text> = Column::new(542, "telephone_business1");
    pub const TELEPHONE_BUSINESS2: Column<Text> = Column::new(543, "telephone_business2");
    pub const FAX_BUSINESS: Column<Text> = Column::new(544, "fax_business");
    pub const TELEPHONE_CALLBACK: Column<Text> = Column::new(545, "telephone_callback");
    pub const TELEPHONE_CAR: Column<Text> = Column::new(546, "telephone_car");
    pub const TELEPHONE_COMPANY: Column<Text> = Column::new(547, "telephone_company");
    pub const TELEPHONE_HOME1: Column<Text> = Column::new(548, "telephone_home1");
    pub const TELEPHONE_HOME2: Column<Text> = Column::new(549, "telephone_home2");
    pub const FAX_HOME: Column<Text> = Column::new(550, "fax_home");
    pub const CELLULAR_TELEPHONE1: Column<Text> = Column::new(551, "cellular_telephone1");
    pub const CELLULAR_TELEPHONE2: Column<Text> = Column::new(552, "cellular_telephone2");
    pub const TELEPHONE_OTHER: Column<Text> = Column::new(553, "telephone_other");
    pub const FAX_OTHER: Column<Text> = Column::new(554, "fax_other");
    pub const EMAIL1: Column<Text> = Column::new(555, "email1");
    pub const EMAIL2: Column<Text> = Column::new(556, "email2");
    pub const EMAIL3: Column<Text> = Column::new(557, "email3");
    pub const URL: Column<Text> = Column::new(558, "url");
    pub const TELEPHONE_ISDN: Column<Text> = Column::new(559, "telephone_isdn");
    pub const TELEPHONE_PAGER: Column<Text> = Column::new(560, "telephone_pager");
    pub const TELEPHONE_PRIMARY: Column<Text> = Column::new(561, "telephone_primary");
    pub const TELEPHONE_RADIO: Column<Text> = Column::new(562, "telephone_radio");
    pub const TELEPHONE_TELEX: Column<Text> = Column::new(563, "telephone_telex");
    pub const TELEPHONE_TTYTDD: Column<Text> = Column::new(564, "telephone_ttytdd");
    pub const INSTANT_MESSENGER1: Column<Text> = Column::new(565, "instant_messenger1");
    pub const INSTANT_MESSENGER2: Column<Text> = Column::new(566, "instant_messenger2");
    pub const TELEPHONE_IP: Column<Text> = Column::new(567, "telephone_ip");
    pub const TELEPHONE_ASSISTANT: Column<Text> = Column::new(568, "telephone_assistant");
    pub const COMPANY: Column<Text> = Column::new(569, "company");
    pub const IMAGE1: Column<Text> = Column::new(570, "image1");
    pub const DISTRIBUTION_LIST: Column<Json> = Column::new(592, "distribution_list");
    pub const NUMBER_OF_IMAGES: Column<Number> = Column::new(596, "number_of_images");
    pub const IMAGE_LAST_MODIFIED: Column<Number> = Column::new(597, "image_last_modified");
    pub const STATE_OTHER: Column<Text> = Column::new(598, "state_other");
    pub const FILE_AS: Column<Text> = Column::new(599, "file_as");
    pub const IMAGE1_CONTENT_TYPE: Column<Text> = Column::new(601, "image1_content_type");
    pub const MARK_AS_DISTRIBUTIONLIST: Column<Flag> = Column::new(602, "mark_as_distributionlist");
    pub const IMAGE1_URL: Column<Text> = Column::new(606, "image1_url");
    pub const YOMI_FIRST_NAME: Column<Text> = Column::new(610, "yomiFirstName");
    pub const YOMI_LAST_NAME: Column<Text> = Column::new(611, "yomiLastName");
    pub const YOMI_COMPANY: Column<Text> = Column::new(612, "yomiCompany");
    pub const USERFIELD01: Column<Text> = Column::new(571, "userfield01");
    pub const USERFIELD02: Column<Text> = Column::new(572, "userfield02");
    pub const USERFIELD03: Column<Text> = Column::new(573, "userfield03");
    pub const USERFIELD04: Column<Text> = Column::new(574, "userfield04");
    pub const USERFIELD05: Column<Text> = Column::new(575, "userfield05");
    pub const USERFIELD06: Column<Text> = Column::new(576, "userfield06");
    pub const USERFIELD07: Column<Text> = Column::new(577, "userfield07");
    pub const USERFIELD08: Column<Text> = Column::new(578, "userfield08");
    pub const USERFIELD09: Column<Text> = Column::new(579, "userfield09");
    pub const USERFIELD10: Column<Text> = Column::new(580, "userfield10");
    pub const USERFIELD11: Column<Text> = Column::new(581, "userfield11");
    pub const USERFIELD12: Column<Text> = Column::new(582, "userfield12");
    pub const USERFIELD13: Column<Text> = Column::new(583, "userfield13");
    pub const USERFIELD14: Column<Text> = Column::new(584, "userfield14");
    pub const USERFIELD15: Column<Text> = Column::new(585, "userfield15");
    pub const USERFIELD16: Column<Text> = Column::new(586, "userfield16");
    pub const USERFIELD17: Column<Text> = Column::new(587, "userfield17");
    pub const USERFIELD18: Column<Text> = Column::new(588, "userfield18");
    pub const USERFIELD19: Column<Text> = Column::new(589, "userfield19");
    pub const USERFIELD20: Column<Text> = Column::new(590, "userfield20");
}

/// Module `calendar`. `start_date` and `end_date` are days in full-day appointments; `alarm` is in minutes.
pub mod calendar {
    use super::*;

    pub const TITLE: Column<Text> = Column::new(200, "title");
    pub const LOCATION: Column<Text> = Column::new(400, "location");
    pub const NOTE: Column<Text> = Column::new(203, "note");
    pub const START_DATE: Column<Time> = Column::new(201, "start_date");
    pub const END_DATE: Column<Time> = Column::new(202, "end_date");
    pub const FULL_TIME: Column<Flag> = Column::new(401, "full_time");
    pub const SHOWN_AS: Column<Number> = Column::new(402, "shown_as");
    pub const TIMEZONE: Column<Text> = Column::new(408, "timezone");
    pub const ALARM: Column<Number> = Column::new(204, "alarm");
    pub const RECURRENCE_TYPE: Column<Number> = Column::new(209, "recurrence_type");
    pub const DAYS: Column<Number> = Column::new(212, "days");
    pub const DAY_IN_MONTH: Column<Number> = Column::new(213, "day_in_month");
    pub const MONTH: Column<Number> = Column::new(214, "month");
    pub const INTERVAL: Column<Number> = Column::new(215, "interval");
    pub const UNTIL: Column<Date> = Column::new(216, "until");
    pub const OCCURRENCES: Column<Number> = Column::new(222, "occurrences");
    pub const RECURRENCE_ID: Column<Number> = Column::new(206, "recurrence_id");
    pub const RECURRENCE_POSITION: Column<Number> = Column::new(207, "recurrence_position");
    pub const RECURRENCE_DATE_POSITION: Column<Date> = Column::new(208, "recurrence_date_position");
    pub const CHANGE_EXCEPTIONS: Column<Json> = Column::new(210, "change_exceptions");
    pub const DELETE_EXCEPTIONS: Column<Json> = Column::new(211, "delete_exceptions");
    pub const RECURRENCE_START: Column<Time> = Column::new(410, "recurrence_start");
    pub const PARTICIPANTS: Column<Json> = Column::new(220, "participants");
    pub const USERS: Column<Json> = Column::new(221, "users");
    pub const CONFIRMATIONS: Column<Json> = Column::new(226, "confirmations");
    pub const ORGANIZER: Column<Text> = Column::new(224, "organizer");
    pub const SEQUENCE: Column<Number> = Column::new(225, "sequence");
    pub const ORGANIZER_ID: Column<Number> = Column::new(227, "organizerId");
    pub const NOTIFICATION: Column<Flag> = Column::new(0, "notification");
    pub const IGNORE_CONFLICTS: Column<Flag> = Column::new(0, "ignore_conflicts");
}

/// Module `tasks`. `alarm` is an instant.
pub mod tasks {
    use super::*;

    pub const TITLE: Column<Text> = Column::new(200, "title");
    pub const NOTE: Column<Text> = Column::new(203, "note");
    pub const START_DATE: Column<Date> = Column::new(201, "start_date");
    pub const END_DATE: Column<Date> = Column::new(202, "end_date");
    pub const START_TIME: Column<Time> = Column::new(316, "start_time");
    pub const END_TIME: Column<Time> = Column::new(317, "end_time");
    pub const FULL_TIME: Column<Flag> = Column::new(401, "full_time");
    pub const ALARM: Column<Time> = Column::new(204, "alarm");
    pub const STATUS: Column<Number> = Column::new(300, "status");
    pub const PERCENT_COMPLETED: Column<Number> = Column::new(301, "percent_completed");
    pub const PRIORITY: Column<Number> = Column::new(309, "priority");
    pub const DATE_COMPLETED: Column<Time> = Column::new(315, "date_completed");
    pub const ACTUAL_COSTS: Column<Number> = Column::new(302, "actual_costs");
    pub const ACTUAL_DURATION: Column<Text> = Column::new(303, "actual_duration");
    pub const TARGET_COSTS: Column<Number> = Column::new(307, "target_costs");
    pub const TARGET_DURATION: Column<Text> = Column::new(308, "target_duration");
    pub const BILLING_INFORMATION: Column<Text> = Column::new(305, "billing_information");
    pub const CURRENCY: Column<Text> = Column::new(312, "currency");
    pub const TRIP_METER: Column<Text> = Column::new(313, "trip_meter");
    pub const COMPANIES: Column<Text> = Column::new(314, "companies");
    pub const RECURRENCE_TYPE: Column<Number> = Column::new(209, "recurrence_type");
    pub const DAYS: Column<Number> = Column::new(212, "days");
    pub const DAY_IN_MONTH: Column<Number> = Column::new(213, "day_in_month");
    pub const MONTH: Column<Number> = Column::new(214, "month");
    pub const INTERVAL: Column<Number> = Column::new(215, "interval");
    pub const UNTIL: Column<Date> = Column::new(216, "until");
    pub const OCCURRENCES: Column<Number> = Column::new(222, "occurrences");
    pub const PARTICIPANTS: Column<Json> = Column::new(220, "participants");
    pub const USERS: Column<Json> = Column::new(221, "users");
}

/// Module `mail`.
pub mod mail {
    use super::*;

    pub const ID: Column<Text> = Column::new(600, "id");
    pub const FOLDER_ID: Column<Text> = Column::new(601, "folder_id");
    pub const ATTACHMENT: Column<Flag> = Column::new(602, "attachment");
    pub const FROM: Column<Json> = Column::new(603, "from");
    pub const TO: Column<Json> = Column::new(604, "to");
    pub const CC: Column<Json> = Column::new(605, "cc");
    pub const BCC: Column<Json> = Column::new(606, "bcc");
    pub const SUBJECT: Column<Text> = Column::new(607, "subject");
    pub const SIZE: Column<Number> = Column::new(608, "size");
    pub const SENT_DATE: Column<Time> = Column::new(609, "sent_date");
    pub const RECEIVED_DATE: Column<Time> = Column::new(610, "received_date");
    pub const FLAGS: Column<Number> = Column::new(611, "flags");
    pub const PRIORITY: Column<Number> = Column::new(614, "priority");
    pub const COLOR_LABEL: Column<Number> = Column::new(102, "color_label");
}

/// Module `folders`.
pub mod folders {
    use super::*;

    pub const ID: Column<Id> = Column::new(1, "id");
    pub const FOLDER_ID: Column<Id> = Column::new(20, "folder_id");
    pub const TITLE: Column<Text> = Column::new(300, "title");
    pub const MODULE: Column<Text> = Column::new(301, "module");
    pub const TYPE: Column<Number> = Column::new(302, "type");
    pub const SUBFOLDERS: Column<Flag> = Column::new(304, "subfolders");
    pub const OWN_RIGHTS: Column<Number> = Column::new(305, "own_rights");
    pub const STANDARD_FOLDER: Column<Flag> = Column::new(308, "standard_folder");
    pub const SUBSCRIBED: Column<Flag> = Column::new(314, "subscribed");
    pub const STANDARD_FOLDER_TYPE: Column<Number> = Column::new(316, "standard_folder_type");
}
