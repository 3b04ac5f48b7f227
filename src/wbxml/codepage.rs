//! Every code page of ActiveSync and every token on it, each with the versions that have it.
//!
//! The one table behind encoder and text form; the decoder needs none and lets unknown tags through. Sources:
//! [MS-ASWBXML] "Code Pages", the class documents for the versions; tokens that only older documents have end with
//! `until`. Checked when compiling: no page twice, no token or name twice on a page, tokens within 0x05..=0x3F, no empty
//! range of versions.

use std::collections::BTreeSet;

use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::{V2_5, V12_0, V12_1, V14_0, V14_1, V16_0, V16_1};
use crate::version::VersionRange;
use crate::wbxml::{Content, Element, Tag};

/// A code page: a namespace of at most 59 tags.
#[derive(Debug)]
pub struct CodePage {
    pub number: u8,
    /// The namespace, as in the specifications: `AirSync`.
    pub name: &'static str,
    pub tokens: &'static [Token],
}

/// One row of the table.
#[derive(Debug)]
pub struct Token {
    pub tag: Tag,
    pub name: &'static str,
    pub versions: VersionRange,
    /// The content is a byte array, to be made with [`Element::opaque`]: sent as OPAQUE, never as a string.
    pub opaque: bool,
}

/// The page with this number, if ActiveSync has one.
pub fn page(number: u8) -> Option<&'static CodePage> {
    PAGES.get(usize::from(number))
}

/// The row of a tag; `None` for a token no version has.
pub fn token(tag: Tag) -> Option<&'static Token> {
    page(tag.page)?.tokens.iter().find(|token| token.tag == tag)
}

/// The page with this namespace: `AirSync`.
pub fn page_by_name(name: &str) -> Option<&'static CodePage> {
    PAGES.iter().find(|page| page.name == name)
}

impl CodePage {
    /// The tag with this name on the page.
    pub fn tag_by_name(&self, name: &str) -> Option<Tag> {
        self.tokens
            .iter()
            .find(|token| token.name == name)
            .map(|token| token.tag)
    }
}

/// Whether a version has this tag.
pub fn has(version: ProtocolVersion, tag: Tag) -> bool {
    token(tag).is_some_and(|token| token.versions.contains(version))
}

/// What stands in a document although the version does not have it: each tag once, by page and token. For logs and
/// counters; handlers look for the tags they know and so never see these.
pub fn unknown_in(root: &Element, version: ProtocolVersion) -> Vec<Tag> {
    fn collect(element: &Element, version: ProtocolVersion, unknown: &mut BTreeSet<Tag>) {
        if !has(version, element.tag) {
            unknown.insert(element.tag);
        }
        for child in element.children() {
            collect(child, version, unknown);
        }
    }
    let mut unknown = BTreeSet::new();
    collect(root, version, &mut unknown);
    unknown.into_iter().collect()
}

/// A document without the elements that no version has, and so none of their children: nobody can mistake them for
/// something.
pub fn without_unknown(root: Element) -> Element {
    let Content::Children(children) = root.content else {
        return root;
    };
    let known = children.into_iter().filter(|child| token(child.tag).is_some());
    Element::parent(root.tag, known.map(without_unknown))
}

const ALL: VersionRange = VersionRange::ALL;

const fn since(first: ProtocolVersion) -> VersionRange {
    VersionRange::since(first)
}

const fn until(last: ProtocolVersion) -> VersionRange {
    VersionRange::until(last)
}

const fn between(first: ProtocolVersion, last: ProtocolVersion) -> VersionRange {
    VersionRange::between(first, last)
}

macro_rules! code_pages {
    ($($number:literal $page:literal $module:ident {
        $($constant:ident = $token:literal $name:literal $versions:ident $(($($bound:ident),+))? $($opaque:ident)?;)*
    })*) => {
        $(
            #[doc = concat!("Tags of page ", $number, ", `", $page, "`.")]
            pub mod $module {
                use crate::wbxml::Tag;
                $(
                    #[doc = concat!("`", $page, ":", $name, "`")]
                    pub const $constant: Tag = Tag { page: $number, token: $token };
                )*
            }
        )*

        /// All pages, by number.
        pub static PAGES: &[CodePage] = TABLE;

        const TABLE: &[CodePage] = &[
            $(CodePage {
                number: $number,
                name: $page,
                tokens: &[$(
                    Token {
                        tag: $module::$constant,
                        name: $name,
                        versions: code_pages!(@versions $versions $(($($bound),+))?),
                        opaque: code_pages!(@opaque $($opaque)?),
                    },
                )*],
            },)*
        ];
    };
    (@versions $range:ident) => { $range };
    (@versions $range:ident ($($bound:ident),+)) => { $range($($bound),+) };
    (@opaque) => { false };
    (@opaque opaque) => { true };
}

code_pages! {
0 "AirSync" airsync {
    SYNC = 0x05 "Sync" ALL;
    RESPONSES = 0x06 "Responses" ALL;
    ADD = 0x07 "Add" ALL;
    CHANGE = 0x08 "Change" ALL;
    DELETE = 0x09 "Delete" ALL;
    FETCH = 0x0A "Fetch" ALL;
    SYNC_KEY = 0x0B "SyncKey" ALL;
    CLIENT_ID = 0x0C "ClientId" ALL;
    SERVER_ID = 0x0D "ServerId" ALL;
    STATUS = 0x0E "Status" ALL;
    COLLECTION = 0x0F "Collection" ALL;
    CLASS = 0x10 "Class" ALL;
    VERSION = 0x11 "Version" until(V2_5);
    COLLECTION_ID = 0x12 "CollectionId" ALL;
    GET_CHANGES = 0x13 "GetChanges" ALL;
    MORE_AVAILABLE = 0x14 "MoreAvailable" ALL;
    WINDOW_SIZE = 0x15 "WindowSize" ALL;
    COMMANDS = 0x16 "Commands" ALL;
    OPTIONS = 0x17 "Options" ALL;
    FILTER_TYPE = 0x18 "FilterType" ALL;
    TRUNCATION = 0x19 "Truncation" until(V2_5);
    RTF_TRUNCATION = 0x1A "RTFTruncation" until(V2_5);
    CONFLICT = 0x1B "Conflict" ALL;
    COLLECTIONS = 0x1C "Collections" ALL;
    APPLICATION_DATA = 0x1D "ApplicationData" ALL;
    DELETES_AS_MOVES = 0x1E "DeletesAsMoves" ALL;
    NOTIFY_GUID = 0x1F "NotifyGUID" until(V2_5);
    SUPPORTED = 0x20 "Supported" ALL;
    SOFT_DELETE = 0x21 "SoftDelete" ALL;
    MIME_SUPPORT = 0x22 "MIMESupport" ALL;
    MIME_TRUNCATION = 0x23 "MIMETruncation" ALL;
    WAIT = 0x24 "Wait" since(V12_1);
    LIMIT = 0x25 "Limit" since(V12_1);
    PARTIAL = 0x26 "Partial" since(V12_1);
    CONVERSATION_MODE = 0x27 "ConversationMode" since(V14_0);
    MAX_ITEMS = 0x28 "MaxItems" since(V14_0);
    HEARTBEAT_INTERVAL = 0x29 "HeartbeatInterval" since(V14_0);
}
1 "Contacts" contacts {
    ANNIVERSARY = 0x05 "Anniversary" ALL;
    ASSISTANT_NAME = 0x06 "AssistantName" ALL;
    ASSISTANT_PHONE_NUMBER = 0x07 "AssistantPhoneNumber" ALL;
    BIRTHDAY = 0x08 "Birthday" ALL;
    BODY = 0x09 "Body" until(V2_5);
    BODY_SIZE = 0x0A "BodySize" until(V2_5);
    BODY_TRUNCATED = 0x0B "BodyTruncated" until(V2_5);
    BUSINESS2_PHONE_NUMBER = 0x0C "Business2PhoneNumber" ALL;
    BUSINESS_ADDRESS_CITY = 0x0D "BusinessAddressCity" ALL;
    BUSINESS_ADDRESS_COUNTRY = 0x0E "BusinessAddressCountry" ALL;
    BUSINESS_ADDRESS_POSTAL_CODE = 0x0F "BusinessAddressPostalCode" ALL;
    BUSINESS_ADDRESS_STATE = 0x10 "BusinessAddressState" ALL;
    BUSINESS_ADDRESS_STREET = 0x11 "BusinessAddressStreet" ALL;
    BUSINESS_FAX_NUMBER = 0x12 "BusinessFaxNumber" ALL;
    BUSINESS_PHONE_NUMBER = 0x13 "BusinessPhoneNumber" ALL;
    CAR_PHONE_NUMBER = 0x14 "CarPhoneNumber" ALL;
    CATEGORIES = 0x15 "Categories" ALL;
    CATEGORY = 0x16 "Category" ALL;
    CHILDREN = 0x17 "Children" ALL;
    CHILD = 0x18 "Child" ALL;
    COMPANY_NAME = 0x19 "CompanyName" ALL;
    DEPARTMENT = 0x1A "Department" ALL;
    EMAIL1_ADDRESS = 0x1B "Email1Address" ALL;
    EMAIL2_ADDRESS = 0x1C "Email2Address" ALL;
    EMAIL3_ADDRESS = 0x1D "Email3Address" ALL;
    FILE_AS = 0x1E "FileAs" ALL;
    FIRST_NAME = 0x1F "FirstName" ALL;
    HOME2_PHONE_NUMBER = 0x20 "Home2PhoneNumber" ALL;
    HOME_ADDRESS_CITY = 0x21 "HomeAddressCity" ALL;
    HOME_ADDRESS_COUNTRY = 0x22 "HomeAddressCountry" ALL;
    HOME_ADDRESS_POSTAL_CODE = 0x23 "HomeAddressPostalCode" ALL;
    HOME_ADDRESS_STATE = 0x24 "HomeAddressState" ALL;
    HOME_ADDRESS_STREET = 0x25 "HomeAddressStreet" ALL;
    HOME_FAX_NUMBER = 0x26 "HomeFaxNumber" ALL;
    HOME_PHONE_NUMBER = 0x27 "HomePhoneNumber" ALL;
    JOB_TITLE = 0x28 "JobTitle" ALL;
    LAST_NAME = 0x29 "LastName" ALL;
    MIDDLE_NAME = 0x2A "MiddleName" ALL;
    MOBILE_PHONE_NUMBER = 0x2B "MobilePhoneNumber" ALL;
    OFFICE_LOCATION = 0x2C "OfficeLocation" ALL;
    OTHER_ADDRESS_CITY = 0x2D "OtherAddressCity" ALL;
    OTHER_ADDRESS_COUNTRY = 0x2E "OtherAddressCountry" ALL;
    OTHER_ADDRESS_POSTAL_CODE = 0x2F "OtherAddressPostalCode" ALL;
    OTHER_ADDRESS_STATE = 0x30 "OtherAddressState" ALL;
    OTHER_ADDRESS_STREET = 0x31 "OtherAddressStreet" ALL;
    PAGER_NUMBER = 0x32 "PagerNumber" ALL;
    RADIO_PHONE_NUMBER = 0x33 "RadioPhoneNumber" ALL;
    SPOUSE = 0x34 "Spouse" ALL;
    SUFFIX = 0x35 "Suffix" ALL;
    TITLE = 0x36 "Title" ALL;
    WEB_PAGE = 0x37 "WebPage" ALL;
    YOMI_COMPANY_NAME = 0x38 "YomiCompanyName" ALL;
    YOMI_FIRST_NAME = 0x39 "YomiFirstName" ALL;
    YOMI_LAST_NAME = 0x3A "YomiLastName" ALL;
    COMPRESSED_RTF = 0x3B "CompressedRTF" until(V2_5);
    PICTURE = 0x3C "Picture" ALL;
    ALIAS = 0x3D "Alias" since(V14_0);
    WEIGHTED_RANK = 0x3E "WeightedRank" since(V14_0);
}
2 "Email" email {
    ATTACHMENT = 0x05 "Attachment" until(V2_5);
    ATTACHMENTS = 0x06 "Attachments" until(V2_5);
    ATT_NAME = 0x07 "AttName" until(V2_5);
    ATT_SIZE = 0x08 "AttSize" until(V2_5);
    ATT_OID = 0x09 "AttOid" until(V2_5);
    ATT_METHOD = 0x0A "AttMethod" until(V2_5);
    ATT_REMOVED = 0x0B "AttRemoved" until(V2_5);
    BODY = 0x0C "Body" until(V2_5);
    BODY_SIZE = 0x0D "BodySize" until(V2_5);
    BODY_TRUNCATED = 0x0E "BodyTruncated" until(V2_5);
    DATE_RECEIVED = 0x0F "DateReceived" ALL;
    DISPLAY_NAME = 0x10 "DisplayName" until(V2_5);
    DISPLAY_TO = 0x11 "DisplayTo" ALL;
    IMPORTANCE = 0x12 "Importance" ALL;
    MESSAGE_CLASS = 0x13 "MessageClass" ALL;
    SUBJECT = 0x14 "Subject" ALL;
    READ = 0x15 "Read" ALL;
    TO = 0x16 "To" ALL;
    CC = 0x17 "Cc" ALL;
    FROM = 0x18 "From" ALL;
    REPLY_TO = 0x19 "ReplyTo" ALL;
    ALL_DAY_EVENT = 0x1A "AllDayEvent" ALL;
    CATEGORIES = 0x1B "Categories" since(V14_0);
    CATEGORY = 0x1C "Category" since(V14_0);
    DT_STAMP = 0x1D "DtStamp" ALL;
    END_TIME = 0x1E "EndTime" ALL;
    INSTANCE_TYPE = 0x1F "InstanceType" ALL;
    BUSY_STATUS = 0x20 "BusyStatus" ALL;
    LOCATION = 0x21 "Location" until(V14_1);
    MEETING_REQUEST = 0x22 "MeetingRequest" ALL;
    ORGANIZER = 0x23 "Organizer" ALL;
    RECURRENCE_ID = 0x24 "RecurrenceId" ALL;
    REMINDER = 0x25 "Reminder" ALL;
    RESPONSE_REQUESTED = 0x26 "ResponseRequested" ALL;
    RECURRENCES = 0x27 "Recurrences" ALL;
    RECURRENCE = 0x28 "Recurrence" ALL;
    TYPE = 0x29 "Type" ALL;
    UNTIL = 0x2A "Until" ALL;
    OCCURRENCES = 0x2B "Occurrences" ALL;
    INTERVAL = 0x2C "Interval" ALL;
    DAY_OF_WEEK = 0x2D "DayOfWeek" ALL;
    DAY_OF_MONTH = 0x2E "DayOfMonth" ALL;
    WEEK_OF_MONTH = 0x2F "WeekOfMonth" ALL;
    MONTH_OF_YEAR = 0x30 "MonthOfYear" ALL;
    START_TIME = 0x31 "StartTime" ALL;
    SENSITIVITY = 0x32 "Sensitivity" ALL;
    TIME_ZONE = 0x33 "TimeZone" ALL;
    GLOBAL_OBJ_ID = 0x34 "GlobalObjId" until(V14_1);
    THREAD_TOPIC = 0x35 "ThreadTopic" ALL;
    MIME_DATA = 0x36 "MIMEData" until(V2_5);
    MIME_TRUNCATED = 0x37 "MIMETruncated" until(V2_5);
    MIME_SIZE = 0x38 "MIMESize" until(V2_5);
    INTERNET_CPID = 0x39 "InternetCPID" ALL;
    FLAG = 0x3A "Flag" since(V12_0);
    STATUS = 0x3B "Status" since(V12_0);
    CONTENT_CLASS = 0x3C "ContentClass" since(V12_0);
    FLAG_TYPE = 0x3D "FlagType" since(V12_0);
    COMPLETE_TIME = 0x3E "CompleteTime" since(V12_0);
    DISALLOW_NEW_TIME_PROPOSAL = 0x3F "DisallowNewTimeProposal" since(V14_0);
}
3 "AirNotify" airnotify {
    NOTIFY = 0x05 "Notify" until(V2_5);
    NOTIFICATION = 0x06 "Notification" until(V2_5);
    VERSION = 0x07 "Version" until(V2_5);
    LIFE_TIME = 0x08 "LifeTime" until(V2_5);
    DEVICE_INFO = 0x09 "DeviceInfo" until(V2_5);
    ENABLE = 0x0A "Enable" until(V2_5);
    FOLDER = 0x0B "Folder" until(V2_5);
    SERVER_ID = 0x0C "ServerId" until(V2_5);
    DEVICE_ADDRESS = 0x0D "DeviceAddress" until(V2_5);
    VALID_CARRIER_PROFILES = 0x0E "ValidCarrierProfiles" until(V2_5);
    CARRIER_PROFILE = 0x0F "CarrierProfile" until(V2_5);
    STATUS = 0x10 "Status" until(V2_5);
    RESPONSES = 0x11 "Responses" until(V2_5);
    DEVICES = 0x12 "Devices" until(V2_5);
    DEVICE = 0x13 "Device" until(V2_5);
    ID = 0x14 "Id" until(V2_5);
    EXPIRY = 0x15 "Expiry" until(V2_5);
    NOTIFY_GUID = 0x16 "NotifyGUID" until(V2_5);
    DEVICE_FRIENDLY_NAME = 0x17 "DeviceFriendlyName" until(V2_5);
}
4 "Calendar" calendar {
    TIMEZONE = 0x05 "Timezone" ALL;
    ALL_DAY_EVENT = 0x06 "AllDayEvent" ALL;
    ATTENDEES = 0x07 "Attendees" ALL;
    ATTENDEE = 0x08 "Attendee" ALL;
    EMAIL = 0x09 "Email" ALL;
    NAME = 0x0A "Name" ALL;
    BODY = 0x0B "Body" until(V2_5);
    BODY_TRUNCATED = 0x0C "BodyTruncated" until(V2_5);
    BUSY_STATUS = 0x0D "BusyStatus" ALL;
    CATEGORIES = 0x0E "Categories" ALL;
    CATEGORY = 0x0F "Category" ALL;
    COMPRESSED_RTF = 0x10 "CompressedRTF" until(V2_5);
    DT_STAMP = 0x11 "DtStamp" ALL;
    END_TIME = 0x12 "EndTime" ALL;
    EXCEPTION = 0x13 "Exception" ALL;
    EXCEPTIONS = 0x14 "Exceptions" ALL;
    DELETED = 0x15 "Deleted" ALL;
    EXCEPTION_START_TIME = 0x16 "ExceptionStartTime" until(V14_1);
    LOCATION = 0x17 "Location" until(V14_1);
    MEETING_STATUS = 0x18 "MeetingStatus" ALL;
    ORGANIZER_EMAIL = 0x19 "OrganizerEmail" ALL;
    ORGANIZER_NAME = 0x1A "OrganizerName" ALL;
    RECURRENCE = 0x1B "Recurrence" ALL;
    TYPE = 0x1C "Type" ALL;
    UNTIL = 0x1D "Until" ALL;
    OCCURRENCES = 0x1E "Occurrences" ALL;
    INTERVAL = 0x1F "Interval" ALL;
    DAY_OF_WEEK = 0x20 "DayOfWeek" ALL;
    DAY_OF_MONTH = 0x21 "DayOfMonth" ALL;
    WEEK_OF_MONTH = 0x22 "WeekOfMonth" ALL;
    MONTH_OF_YEAR = 0x23 "MonthOfYear" ALL;
    REMINDER = 0x24 "Reminder" ALL;
    SENSITIVITY = 0x25 "Sensitivity" ALL;
    SUBJECT = 0x26 "Subject" ALL;
    START_TIME = 0x27 "StartTime" ALL;
    UID = 0x28 "UID" ALL;
    ATTENDEE_STATUS = 0x29 "AttendeeStatus" since(V12_0);
    ATTENDEE_TYPE = 0x2A "AttendeeType" since(V12_0);
    ATTACHMENT = 0x2B "Attachment" until(V2_5);
    ATTACHMENTS = 0x2C "Attachments" until(V2_5);
    ATT_NAME = 0x2D "AttName" until(V2_5);
    ATT_SIZE = 0x2E "AttSize" until(V2_5);
    ATT_OID = 0x2F "AttOid" until(V2_5);
    ATT_METHOD = 0x30 "AttMethod" until(V2_5);
    ATT_REMOVED = 0x31 "AttRemoved" until(V2_5);
    DISPLAY_NAME = 0x32 "DisplayName" until(V2_5);
    DISALLOW_NEW_TIME_PROPOSAL = 0x33 "DisallowNewTimeProposal" since(V14_0);
    RESPONSE_REQUESTED = 0x34 "ResponseRequested" since(V14_0);
    APPOINTMENT_REPLY_TIME = 0x35 "AppointmentReplyTime" since(V14_0);
    RESPONSE_TYPE = 0x36 "ResponseType" since(V14_0);
    CALENDAR_TYPE = 0x37 "CalendarType" since(V14_0);
    IS_LEAP_MONTH = 0x38 "IsLeapMonth" since(V14_0);
    FIRST_DAY_OF_WEEK = 0x39 "FirstDayOfWeek" since(V14_1);
    ONLINE_MEETING_CONF_LINK = 0x3A "OnlineMeetingConfLink" since(V14_1);
    ONLINE_MEETING_EXTERNAL_LINK = 0x3B "OnlineMeetingExternalLink" since(V14_1);
    CLIENT_UID = 0x3C "ClientUid" since(V16_0);
}
5 "Move" moveitems {
    MOVE_ITEMS = 0x05 "MoveItems" ALL;
    MOVE = 0x06 "Move" ALL;
    SRC_MSG_ID = 0x07 "SrcMsgId" ALL;
    SRC_FLD_ID = 0x08 "SrcFldId" ALL;
    DST_FLD_ID = 0x09 "DstFldId" ALL;
    RESPONSE = 0x0A "Response" ALL;
    STATUS = 0x0B "Status" ALL;
    DST_MSG_ID = 0x0C "DstMsgId" ALL;
}
6 "GetItemEstimate" getitemestimate {
    GET_ITEM_ESTIMATE = 0x05 "GetItemEstimate" ALL;
    VERSION = 0x06 "Version" until(V12_1);
    COLLECTIONS = 0x07 "Collections" ALL;
    COLLECTION = 0x08 "Collection" ALL;
    CLASS = 0x09 "Class" until(V12_1);
    COLLECTION_ID = 0x0A "CollectionId" ALL;
    DATE_TIME = 0x0B "DateTime" until(V12_1);
    ESTIMATE = 0x0C "Estimate" ALL;
    RESPONSE = 0x0D "Response" ALL;
    STATUS = 0x0E "Status" ALL;
}
7 "FolderHierarchy" folderhierarchy {
    FOLDERS = 0x05 "Folders" until(V12_1);
    FOLDER = 0x06 "Folder" until(V12_1);
    DISPLAY_NAME = 0x07 "DisplayName" ALL;
    SERVER_ID = 0x08 "ServerId" ALL;
    PARENT_ID = 0x09 "ParentId" ALL;
    TYPE = 0x0A "Type" ALL;
    RESPONSE = 0x0B "Response" until(V2_5);
    STATUS = 0x0C "Status" ALL;
    CONTENT_CLASS = 0x0D "ContentClass" until(V2_5);
    CHANGES = 0x0E "Changes" ALL;
    ADD = 0x0F "Add" ALL;
    DELETE = 0x10 "Delete" ALL;
    UPDATE = 0x11 "Update" ALL;
    SYNC_KEY = 0x12 "SyncKey" ALL;
    FOLDER_CREATE = 0x13 "FolderCreate" ALL;
    FOLDER_DELETE = 0x14 "FolderDelete" ALL;
    FOLDER_UPDATE = 0x15 "FolderUpdate" ALL;
    FOLDER_SYNC = 0x16 "FolderSync" ALL;
    COUNT = 0x17 "Count" ALL;
    VERSION = 0x18 "Version" until(V2_5);
}
8 "MeetingResponse" meetingresponse {
    CALENDAR_ID = 0x05 "CalendarId" ALL;
    COLLECTION_ID = 0x06 "CollectionId" ALL;
    MEETING_RESPONSE = 0x07 "MeetingResponse" ALL;
    REQUEST_ID = 0x08 "RequestId" ALL;
    REQUEST = 0x09 "Request" ALL;
    RESULT = 0x0A "Result" ALL;
    STATUS = 0x0B "Status" ALL;
    USER_RESPONSE = 0x0C "UserResponse" ALL;
    VERSION = 0x0D "Version" until(V2_5);
    INSTANCE_ID = 0x0E "InstanceId" since(V14_1);
    PROPOSED_START_TIME = 0x10 "ProposedStartTime" since(V16_1);
    PROPOSED_END_TIME = 0x11 "ProposedEndTime" since(V16_1);
    SEND_RESPONSE = 0x12 "SendResponse" since(V16_0);
}
9 "Tasks" tasks {
    BODY = 0x05 "Body" until(V2_5);
    BODY_SIZE = 0x06 "BodySize" until(V2_5);
    BODY_TRUNCATED = 0x07 "BodyTruncated" until(V2_5);
    CATEGORIES = 0x08 "Categories" ALL;
    CATEGORY = 0x09 "Category" ALL;
    COMPLETE = 0x0A "Complete" ALL;
    DATE_COMPLETED = 0x0B "DateCompleted" ALL;
    DUE_DATE = 0x0C "DueDate" ALL;
    UTC_DUE_DATE = 0x0D "UtcDueDate" ALL;
    IMPORTANCE = 0x0E "Importance" ALL;
    RECURRENCE = 0x0F "Recurrence" ALL;
    TYPE = 0x10 "Type" ALL;
    START = 0x11 "Start" ALL;
    UNTIL = 0x12 "Until" ALL;
    OCCURRENCES = 0x13 "Occurrences" ALL;
    INTERVAL = 0x14 "Interval" ALL;
    DAY_OF_MONTH = 0x15 "DayOfMonth" ALL;
    DAY_OF_WEEK = 0x16 "DayOfWeek" ALL;
    WEEK_OF_MONTH = 0x17 "WeekOfMonth" ALL;
    MONTH_OF_YEAR = 0x18 "MonthOfYear" ALL;
    REGENERATE = 0x19 "Regenerate" ALL;
    DEAD_OCCUR = 0x1A "DeadOccur" ALL;
    REMINDER_SET = 0x1B "ReminderSet" ALL;
    REMINDER_TIME = 0x1C "ReminderTime" ALL;
    SENSITIVITY = 0x1D "Sensitivity" ALL;
    START_DATE = 0x1E "StartDate" ALL;
    UTC_START_DATE = 0x1F "UtcStartDate" ALL;
    SUBJECT = 0x20 "Subject" ALL;
    COMPRESSED_RTF = 0x21 "CompressedRTF" until(V2_5);
    ORDINAL_DATE = 0x22 "OrdinalDate" since(V12_0);
    SUB_ORDINAL_DATE = 0x23 "SubOrdinalDate" since(V12_0);
    CALENDAR_TYPE = 0x24 "CalendarType" since(V14_0);
    IS_LEAP_MONTH = 0x25 "IsLeapMonth" since(V14_0);
    FIRST_DAY_OF_WEEK = 0x26 "FirstDayOfWeek" since(V14_1);
}
10 "ResolveRecipients" resolverecipients {
    RESOLVE_RECIPIENTS = 0x05 "ResolveRecipients" ALL;
    RESPONSE = 0x06 "Response" ALL;
    STATUS = 0x07 "Status" ALL;
    TYPE = 0x08 "Type" ALL;
    RECIPIENT = 0x09 "Recipient" ALL;
    DISPLAY_NAME = 0x0A "DisplayName" ALL;
    EMAIL_ADDRESS = 0x0B "EmailAddress" ALL;
    CERTIFICATES = 0x0C "Certificates" ALL;
    CERTIFICATE = 0x0D "Certificate" ALL;
    MINI_CERTIFICATE = 0x0E "MiniCertificate" ALL;
    OPTIONS = 0x0F "Options" ALL;
    TO = 0x10 "To" ALL;
    CERTIFICATE_RETRIEVAL = 0x11 "CertificateRetrieval" ALL;
    RECIPIENT_COUNT = 0x12 "RecipientCount" ALL;
    MAX_CERTIFICATES = 0x13 "MaxCertificates" ALL;
    MAX_AMBIGUOUS_RECIPIENTS = 0x14 "MaxAmbiguousRecipients" ALL;
    CERTIFICATE_COUNT = 0x15 "CertificateCount" ALL;
    AVAILABILITY = 0x16 "Availability" since(V14_0);
    START_TIME = 0x17 "StartTime" since(V14_0);
    END_TIME = 0x18 "EndTime" since(V14_0);
    MERGED_FREE_BUSY = 0x19 "MergedFreeBusy" since(V14_0);
    PICTURE = 0x1A "Picture" since(V14_1);
    MAX_SIZE = 0x1B "MaxSize" since(V14_1);
    DATA = 0x1C "Data" since(V14_1) opaque;
    MAX_PICTURES = 0x1D "MaxPictures" since(V14_1);
}
11 "ValidateCert" validatecert {
    VALIDATE_CERT = 0x05 "ValidateCert" ALL;
    CERTIFICATES = 0x06 "Certificates" ALL;
    CERTIFICATE = 0x07 "Certificate" ALL;
    CERTIFICATE_CHAIN = 0x08 "CertificateChain" ALL;
    CHECK_CRL = 0x09 "CheckCRL" ALL;
    STATUS = 0x0A "Status" ALL;
}
12 "Contacts2" contacts2 {
    CUSTOMER_ID = 0x05 "CustomerId" ALL;
    GOVERNMENT_ID = 0x06 "GovernmentId" ALL;
    IM_ADDRESS = 0x07 "IMAddress" ALL;
    IM_ADDRESS2 = 0x08 "IMAddress2" ALL;
    IM_ADDRESS3 = 0x09 "IMAddress3" ALL;
    MANAGER_NAME = 0x0A "ManagerName" ALL;
    COMPANY_MAIN_PHONE = 0x0B "CompanyMainPhone" ALL;
    ACCOUNT_NAME = 0x0C "AccountName" ALL;
    NICK_NAME = 0x0D "NickName" ALL;
    MMS = 0x0E "MMS" ALL;
}
13 "Ping" ping {
    PING = 0x05 "Ping" ALL;
    AUTD_STATE = 0x06 "AutdState" ALL;
    STATUS = 0x07 "Status" ALL;
    HEARTBEAT_INTERVAL = 0x08 "HeartbeatInterval" ALL;
    FOLDERS = 0x09 "Folders" ALL;
    FOLDER = 0x0A "Folder" ALL;
    ID = 0x0B "Id" ALL;
    CLASS = 0x0C "Class" ALL;
    MAX_FOLDERS = 0x0D "MaxFolders" ALL;
    VERSION = 0x0E "Version" until(V2_5);
}
14 "Provision" provision {
    PROVISION = 0x05 "Provision" ALL;
    POLICIES = 0x06 "Policies" ALL;
    POLICY = 0x07 "Policy" ALL;
    POLICY_TYPE = 0x08 "PolicyType" ALL;
    POLICY_KEY = 0x09 "PolicyKey" ALL;
    DATA = 0x0A "Data" ALL;
    STATUS = 0x0B "Status" ALL;
    REMOTE_WIPE = 0x0C "RemoteWipe" ALL;
    EAS_PROVISION_DOC = 0x0D "EASProvisionDoc" since(V12_0);
    DEVICE_PASSWORD_ENABLED = 0x0E "DevicePasswordEnabled" since(V12_0);
    ALPHANUMERIC_DEVICE_PASSWORD_REQUIRED = 0x0F "AlphanumericDevicePasswordRequired" since(V12_0);
    REQUIRE_STORAGE_CARD_ENCRYPTION = 0x10 "RequireStorageCardEncryption" since(V12_1);
    PASSWORD_RECOVERY_ENABLED = 0x11 "PasswordRecoveryEnabled" since(V12_0);
    DOCUMENT_BROWSE_ENABLED = 0x12 "DocumentBrowseEnabled" between(V12_0, V12_0);
    ATTACHMENTS_ENABLED = 0x13 "AttachmentsEnabled" since(V12_0);
    MIN_DEVICE_PASSWORD_LENGTH = 0x14 "MinDevicePasswordLength" since(V12_0);
    MAX_INACTIVITY_TIME_DEVICE_LOCK = 0x15 "MaxInactivityTimeDeviceLock" since(V12_0);
    MAX_DEVICE_PASSWORD_FAILED_ATTEMPTS = 0x16 "MaxDevicePasswordFailedAttempts" since(V12_0);
    MAX_ATTACHMENT_SIZE = 0x17 "MaxAttachmentSize" since(V12_0);
    ALLOW_SIMPLE_DEVICE_PASSWORD = 0x18 "AllowSimpleDevicePassword" since(V12_0);
    DEVICE_PASSWORD_EXPIRATION = 0x19 "DevicePasswordExpiration" since(V12_0);
    DEVICE_PASSWORD_HISTORY = 0x1A "DevicePasswordHistory" since(V12_0);
    ALLOW_STORAGE_CARD = 0x1B "AllowStorageCard" since(V12_1);
    ALLOW_CAMERA = 0x1C "AllowCamera" since(V12_1);
    REQUIRE_DEVICE_ENCRYPTION = 0x1D "RequireDeviceEncryption" since(V12_1);
    ALLOW_UNSIGNED_APPLICATIONS = 0x1E "AllowUnsignedApplications" since(V12_1);
    ALLOW_UNSIGNED_INSTALLATION_PACKAGES = 0x1F "AllowUnsignedInstallationPackages" since(V12_1);
    MIN_DEVICE_PASSWORD_COMPLEX_CHARACTERS = 0x20 "MinDevicePasswordComplexCharacters" since(V12_1);
    ALLOW_WI_FI = 0x21 "AllowWiFi" since(V12_1);
    ALLOW_TEXT_MESSAGING = 0x22 "AllowTextMessaging" since(V12_1);
    ALLOW_POPIMAP_EMAIL = 0x23 "AllowPOPIMAPEmail" since(V12_1);
    ALLOW_BLUETOOTH = 0x24 "AllowBluetooth" since(V12_1);
    ALLOW_IR_DA = 0x25 "AllowIrDA" since(V12_1);
    REQUIRE_MANUAL_SYNC_WHEN_ROAMING = 0x26 "RequireManualSyncWhenRoaming" since(V12_1);
    ALLOW_DESKTOP_SYNC = 0x27 "AllowDesktopSync" since(V12_1);
    MAX_CALENDAR_AGE_FILTER = 0x28 "MaxCalendarAgeFilter" since(V12_1);
    ALLOW_HTML_EMAIL = 0x29 "AllowHTMLEmail" since(V12_1);
    MAX_EMAIL_AGE_FILTER = 0x2A "MaxEmailAgeFilter" since(V12_1);
    MAX_EMAIL_BODY_TRUNCATION_SIZE = 0x2B "MaxEmailBodyTruncationSize" since(V12_1);
    MAX_EMAIL_HTML_BODY_TRUNCATION_SIZE = 0x2C "MaxEmailHTMLBodyTruncationSize" since(V12_1);
    REQUIRE_SIGNED_SMIME_MESSAGES = 0x2D "RequireSignedSMIMEMessages" since(V12_1);
    REQUIRE_ENCRYPTED_SMIME_MESSAGES = 0x2E "RequireEncryptedSMIMEMessages" since(V12_1);
    REQUIRE_SIGNED_SMIME_ALGORITHM = 0x2F "RequireSignedSMIMEAlgorithm" since(V12_1);
    REQUIRE_ENCRYPTION_SMIME_ALGORITHM = 0x30 "RequireEncryptionSMIMEAlgorithm" since(V12_1);
    ALLOW_SMIME_ENCRYPTION_ALGORITHM_NEGOTIATION = 0x31 "AllowSMIMEEncryptionAlgorithmNegotiation" since(V12_1);
    ALLOW_SMIME_SOFT_CERTS = 0x32 "AllowSMIMESoftCerts" since(V12_1);
    ALLOW_BROWSER = 0x33 "AllowBrowser" since(V12_1);
    ALLOW_CONSUMER_EMAIL = 0x34 "AllowConsumerEmail" since(V12_1);
    ALLOW_REMOTE_DESKTOP = 0x35 "AllowRemoteDesktop" since(V12_1);
    ALLOW_INTERNET_SHARING = 0x36 "AllowInternetSharing" since(V12_1);
    UNAPPROVED_IN_ROM_APPLICATION_LIST = 0x37 "UnapprovedInROMApplicationList" since(V12_1);
    APPLICATION_NAME = 0x38 "ApplicationName" since(V12_1);
    APPROVED_APPLICATION_LIST = 0x39 "ApprovedApplicationList" since(V12_1);
    HASH = 0x3A "Hash" since(V12_1);
    ACCOUNT_ONLY_REMOTE_WIPE = 0x3B "AccountOnlyRemoteWipe" since(V16_1);
}
15 "Search" search {
    SEARCH = 0x05 "Search" ALL;
    STORE = 0x07 "Store" ALL;
    NAME = 0x08 "Name" ALL;
    QUERY = 0x09 "Query" ALL;
    OPTIONS = 0x0A "Options" ALL;
    RANGE = 0x0B "Range" ALL;
    STATUS = 0x0C "Status" ALL;
    RESPONSE = 0x0D "Response" ALL;
    RESULT = 0x0E "Result" ALL;
    PROPERTIES = 0x0F "Properties" ALL;
    TOTAL = 0x10 "Total" ALL;
    EQUAL_TO = 0x11 "EqualTo" since(V12_0);
    VALUE = 0x12 "Value" since(V12_0);
    AND = 0x13 "And" since(V12_0);
    OR = 0x14 "Or" since(V12_0);
    FREE_TEXT = 0x15 "FreeText" since(V12_0);
    DEEP_TRAVERSAL = 0x17 "DeepTraversal" since(V12_0);
    LONG_ID = 0x18 "LongId" since(V12_0);
    REBUILD_RESULTS = 0x19 "RebuildResults" since(V12_0);
    LESS_THAN = 0x1A "LessThan" since(V12_0);
    GREATER_THAN = 0x1B "GreaterThan" since(V12_0);
    SCHEMA = 0x1C "Schema" between(V12_0, V12_1);
    SUPPORTED = 0x1D "Supported" between(V12_0, V12_1);
    USER_NAME = 0x1E "UserName" since(V12_1);
    PASSWORD = 0x1F "Password" since(V12_1);
    CONVERSATION_ID = 0x20 "ConversationId" since(V14_0) opaque;
    PICTURE = 0x21 "Picture" since(V14_1);
    MAX_SIZE = 0x22 "MaxSize" since(V14_1);
    MAX_PICTURES = 0x23 "MaxPictures" since(V14_1);
}
16 "GAL" gal {
    DISPLAY_NAME = 0x05 "DisplayName" ALL;
    PHONE = 0x06 "Phone" ALL;
    OFFICE = 0x07 "Office" ALL;
    TITLE = 0x08 "Title" ALL;
    COMPANY = 0x09 "Company" ALL;
    ALIAS = 0x0A "Alias" ALL;
    FIRST_NAME = 0x0B "FirstName" ALL;
    LAST_NAME = 0x0C "LastName" ALL;
    HOME_PHONE = 0x0D "HomePhone" ALL;
    MOBILE_PHONE = 0x0E "MobilePhone" ALL;
    EMAIL_ADDRESS = 0x0F "EmailAddress" ALL;
    PICTURE = 0x10 "Picture" since(V14_1);
    STATUS = 0x11 "Status" since(V14_1);
    DATA = 0x12 "Data" since(V14_1) opaque;
}
17 "AirSyncBase" airsyncbase {
    BODY_PREFERENCE = 0x05 "BodyPreference" since(V12_0);
    TYPE = 0x06 "Type" since(V12_0);
    TRUNCATION_SIZE = 0x07 "TruncationSize" since(V12_0);
    ALL_OR_NONE = 0x08 "AllOrNone" since(V12_0);
    BODY = 0x0A "Body" since(V12_0);
    DATA = 0x0B "Data" since(V12_0);
    ESTIMATED_DATA_SIZE = 0x0C "EstimatedDataSize" since(V12_0);
    TRUNCATED = 0x0D "Truncated" since(V12_0);
    ATTACHMENTS = 0x0E "Attachments" since(V12_0);
    ATTACHMENT = 0x0F "Attachment" since(V12_0);
    DISPLAY_NAME = 0x10 "DisplayName" since(V12_0);
    FILE_REFERENCE = 0x11 "FileReference" since(V12_0);
    METHOD = 0x12 "Method" since(V12_0);
    CONTENT_ID = 0x13 "ContentId" since(V12_0);
    CONTENT_LOCATION = 0x14 "ContentLocation" since(V12_0);
    IS_INLINE = 0x15 "IsInline" since(V12_0);
    NATIVE_BODY_TYPE = 0x16 "NativeBodyType" since(V12_0);
    CONTENT_TYPE = 0x17 "ContentType" since(V12_0);
    PREVIEW = 0x18 "Preview" since(V14_0);
    BODY_PART_PREFERENCE = 0x19 "BodyPartPreference" since(V14_1);
    BODY_PART = 0x1A "BodyPart" since(V14_1);
    STATUS = 0x1B "Status" since(V14_1);
    ADD = 0x1C "Add" since(V16_0);
    DELETE = 0x1D "Delete" since(V16_0);
    CLIENT_ID = 0x1E "ClientId" since(V16_0);
    CONTENT = 0x1F "Content" since(V16_0) opaque;
    LOCATION = 0x20 "Location" since(V16_0);
    ANNOTATION = 0x21 "Annotation" since(V16_0);
    STREET = 0x22 "Street" since(V16_0);
    CITY = 0x23 "City" since(V16_0);
    STATE = 0x24 "State" since(V16_0);
    COUNTRY = 0x25 "Country" since(V16_0);
    POSTAL_CODE = 0x26 "PostalCode" since(V16_0);
    LATITUDE = 0x27 "Latitude" since(V16_0);
    LONGITUDE = 0x28 "Longitude" since(V16_0);
    ACCURACY = 0x29 "Accuracy" since(V16_0);
    ALTITUDE = 0x2A "Altitude" since(V16_0);
    ALTITUDE_ACCURACY = 0x2B "AltitudeAccuracy" since(V16_0);
    LOCATION_URI = 0x2C "LocationUri" since(V16_0);
    INSTANCE_ID = 0x2D "InstanceId" since(V16_0);
}
18 "Settings" settings {
    SETTINGS = 0x05 "Settings" since(V12_0);
    STATUS = 0x06 "Status" since(V12_0);
    GET = 0x07 "Get" since(V12_0);
    SET = 0x08 "Set" since(V12_0);
    OOF = 0x09 "Oof" since(V12_0);
    OOF_STATE = 0x0A "OofState" since(V12_0);
    START_TIME = 0x0B "StartTime" since(V12_0);
    END_TIME = 0x0C "EndTime" since(V12_0);
    OOF_MESSAGE = 0x0D "OofMessage" since(V12_0);
    APPLIES_TO_INTERNAL = 0x0E "AppliesToInternal" since(V12_0);
    APPLIES_TO_EXTERNAL_KNOWN = 0x0F "AppliesToExternalKnown" since(V12_0);
    APPLIES_TO_EXTERNAL_UNKNOWN = 0x10 "AppliesToExternalUnknown" since(V12_0);
    ENABLED = 0x11 "Enabled" since(V12_0);
    REPLY_MESSAGE = 0x12 "ReplyMessage" since(V12_0);
    BODY_TYPE = 0x13 "BodyType" since(V12_0);
    DEVICE_PASSWORD = 0x14 "DevicePassword" since(V12_0);
    PASSWORD = 0x15 "Password" since(V12_0);
    DEVICE_INFORMATION = 0x16 "DeviceInformation" since(V12_0);
    MODEL = 0x17 "Model" since(V12_0);
    IMEI = 0x18 "IMEI" since(V12_0);
    FRIENDLY_NAME = 0x19 "FriendlyName" since(V12_0);
    OS = 0x1A "OS" since(V12_0);
    OS_LANGUAGE = 0x1B "OSLanguage" since(V12_0);
    PHONE_NUMBER = 0x1C "PhoneNumber" since(V12_0);
    USER_INFORMATION = 0x1D "UserInformation" since(V12_0);
    EMAIL_ADDRESSES = 0x1E "EmailAddresses" since(V12_0);
    SMTP_ADDRESS = 0x1F "SMTPAddress" since(V12_0);
    USER_AGENT = 0x20 "UserAgent" since(V12_1);
    ENABLE_OUTBOUND_SMS = 0x21 "EnableOutboundSMS" since(V14_0);
    MOBILE_OPERATOR = 0x22 "MobileOperator" since(V14_0);
    PRIMARY_SMTP_ADDRESS = 0x23 "PrimarySmtpAddress" since(V14_1);
    ACCOUNTS = 0x24 "Accounts" since(V14_1);
    ACCOUNT = 0x25 "Account" since(V14_1);
    ACCOUNT_ID = 0x26 "AccountId" since(V14_1);
    ACCOUNT_NAME = 0x27 "AccountName" since(V14_1);
    USER_DISPLAY_NAME = 0x28 "UserDisplayName" since(V14_1);
    SEND_DISABLED = 0x29 "SendDisabled" since(V14_1);
    RIGHTS_MANAGEMENT_INFORMATION = 0x2B "RightsManagementInformation" since(V14_1);
}
19 "DocumentLibrary" documentlibrary {
    LINK_ID = 0x05 "LinkId" since(V12_0);
    DISPLAY_NAME = 0x06 "DisplayName" since(V12_0);
    IS_FOLDER = 0x07 "IsFolder" since(V12_0);
    CREATION_DATE = 0x08 "CreationDate" since(V12_0);
    LAST_MODIFIED_DATE = 0x09 "LastModifiedDate" since(V12_0);
    IS_HIDDEN = 0x0A "IsHidden" since(V12_0);
    CONTENT_LENGTH = 0x0B "ContentLength" since(V12_0);
    CONTENT_TYPE = 0x0C "ContentType" since(V12_0);
}
20 "ItemOperations" itemoperations {
    ITEM_OPERATIONS = 0x05 "ItemOperations" since(V12_0);
    FETCH = 0x06 "Fetch" since(V12_0);
    STORE = 0x07 "Store" since(V12_0);
    OPTIONS = 0x08 "Options" since(V12_0);
    RANGE = 0x09 "Range" since(V12_0);
    TOTAL = 0x0A "Total" since(V12_0);
    PROPERTIES = 0x0B "Properties" since(V12_0);
    DATA = 0x0C "Data" since(V12_0);
    STATUS = 0x0D "Status" since(V12_0);
    RESPONSE = 0x0E "Response" since(V12_0);
    VERSION = 0x0F "Version" since(V12_0);
    SCHEMA = 0x10 "Schema" since(V12_0);
    PART = 0x11 "Part" since(V12_0);
    EMPTY_FOLDER_CONTENTS = 0x12 "EmptyFolderContents" since(V12_0);
    DELETE_SUB_FOLDERS = 0x13 "DeleteSubFolders" since(V12_0);
    USER_NAME = 0x14 "UserName" since(V12_1);
    PASSWORD = 0x15 "Password" since(V12_1);
    MOVE = 0x16 "Move" since(V14_0);
    DST_FLD_ID = 0x17 "DstFldId" since(V14_0);
    CONVERSATION_ID = 0x18 "ConversationId" since(V14_0) opaque;
    MOVE_ALWAYS = 0x19 "MoveAlways" since(V14_0);
}
21 "ComposeMail" composemail {
    SEND_MAIL = 0x05 "SendMail" since(V14_0);
    SMART_FORWARD = 0x06 "SmartForward" since(V14_0);
    SMART_REPLY = 0x07 "SmartReply" since(V14_0);
    SAVE_IN_SENT_ITEMS = 0x08 "SaveInSentItems" since(V14_0);
    REPLACE_MIME = 0x09 "ReplaceMime" since(V14_0);
    TYPE = 0x0A "Type" since(V14_0);
    SOURCE = 0x0B "Source" since(V14_0);
    FOLDER_ID = 0x0C "FolderId" since(V14_0);
    ITEM_ID = 0x0D "ItemId" since(V14_0);
    LONG_ID = 0x0E "LongId" since(V14_0);
    INSTANCE_ID = 0x0F "InstanceId" since(V14_0);
    MIME = 0x10 "Mime" since(V14_0) opaque;
    CLIENT_ID = 0x11 "ClientId" since(V14_0);
    STATUS = 0x12 "Status" since(V14_0);
    ACCOUNT_ID = 0x13 "AccountId" since(V14_1);
    FORWARDEES = 0x15 "Forwardees" since(V16_0);
    FORWARDEE = 0x16 "Forwardee" since(V16_0);
    NAME = 0x17 "Name" since(V16_0);
    EMAIL = 0x18 "Email" since(V16_0);
}
22 "Email2" email2 {
    UM_CALLER_ID = 0x05 "UmCallerID" since(V14_0);
    UM_USER_NOTES = 0x06 "UmUserNotes" since(V14_0);
    UM_ATT_DURATION = 0x07 "UmAttDuration" since(V14_0);
    UM_ATT_ORDER = 0x08 "UmAttOrder" since(V14_0);
    CONVERSATION_ID = 0x09 "ConversationId" since(V14_0) opaque;
    CONVERSATION_INDEX = 0x0A "ConversationIndex" since(V14_0) opaque;
    LAST_VERB_EXECUTED = 0x0B "LastVerbExecuted" since(V14_0);
    LAST_VERB_EXECUTION_TIME = 0x0C "LastVerbExecutionTime" since(V14_0);
    RECEIVED_AS_BCC = 0x0D "ReceivedAsBcc" since(V14_0);
    SENDER = 0x0E "Sender" since(V14_0);
    CALENDAR_TYPE = 0x0F "CalendarType" since(V14_0);
    IS_LEAP_MONTH = 0x10 "IsLeapMonth" since(V14_0);
    ACCOUNT_ID = 0x11 "AccountId" since(V14_1);
    FIRST_DAY_OF_WEEK = 0x12 "FirstDayOfWeek" since(V14_1);
    MEETING_MESSAGE_TYPE = 0x13 "MeetingMessageType" since(V14_1);
    IS_DRAFT = 0x15 "IsDraft" since(V16_0);
    BCC = 0x16 "Bcc" since(V16_0);
    SEND = 0x17 "Send" since(V16_0);
}
23 "Notes" notes {
    SUBJECT = 0x05 "Subject" since(V14_0);
    MESSAGE_CLASS = 0x06 "MessageClass" since(V14_0);
    LAST_MODIFIED_DATE = 0x07 "LastModifiedDate" since(V14_0);
    CATEGORIES = 0x08 "Categories" since(V14_0);
    CATEGORY = 0x09 "Category" since(V14_0);
}
24 "RightsManagement" rightsmanagement {
    RIGHTS_MANAGEMENT_SUPPORT = 0x05 "RightsManagementSupport" since(V14_1);
    RIGHTS_MANAGEMENT_TEMPLATES = 0x06 "RightsManagementTemplates" since(V14_1);
    RIGHTS_MANAGEMENT_TEMPLATE = 0x07 "RightsManagementTemplate" since(V14_1);
    RIGHTS_MANAGEMENT_LICENSE = 0x08 "RightsManagementLicense" since(V14_1);
    EDIT_ALLOWED = 0x09 "EditAllowed" since(V14_1);
    REPLY_ALLOWED = 0x0A "ReplyAllowed" since(V14_1);
    REPLY_ALL_ALLOWED = 0x0B "ReplyAllAllowed" since(V14_1);
    FORWARD_ALLOWED = 0x0C "ForwardAllowed" since(V14_1);
    MODIFY_RECIPIENTS_ALLOWED = 0x0D "ModifyRecipientsAllowed" since(V14_1);
    EXTRACT_ALLOWED = 0x0E "ExtractAllowed" since(V14_1);
    PRINT_ALLOWED = 0x0F "PrintAllowed" since(V14_1);
    EXPORT_ALLOWED = 0x10 "ExportAllowed" since(V14_1);
    PROGRAMMATIC_ACCESS_ALLOWED = 0x11 "ProgrammaticAccessAllowed" since(V14_1);
    OWNER = 0x12 "Owner" since(V14_1);
    CONTENT_EXPIRY_DATE = 0x13 "ContentExpiryDate" since(V14_1);
    TEMPLATE_ID = 0x14 "TemplateID" since(V14_1);
    TEMPLATE_NAME = 0x15 "TemplateName" since(V14_1);
    TEMPLATE_DESCRIPTION = 0x16 "TemplateDescription" since(V14_1);
    CONTENT_OWNER = 0x17 "ContentOwner" since(V14_1);
    REMOVE_RIGHTS_MANAGEMENT_PROTECTION = 0x18 "RemoveRightsManagementProtection" since(V14_1);
}
25 "Find" find {
    FIND = 0x05 "Find" since(V16_1);
    SEARCH_ID = 0x06 "SearchId" since(V16_1);
    EXECUTE_SEARCH = 0x07 "ExecuteSearch" since(V16_1);
    MAIL_BOX_SEARCH_CRITERION = 0x08 "MailBoxSearchCriterion" since(V16_1);
    QUERY = 0x09 "Query" since(V16_1);
    STATUS = 0x0A "Status" since(V16_1);
    FREE_TEXT = 0x0B "FreeText" since(V16_1);
    OPTIONS = 0x0C "Options" since(V16_1);
    RANGE = 0x0D "Range" since(V16_1);
    DEEP_TRAVERSAL = 0x0E "DeepTraversal" since(V16_1);
    RESPONSE = 0x11 "Response" since(V16_1);
    RESULT = 0x12 "Result" since(V16_1);
    PROPERTIES = 0x13 "Properties" since(V16_1);
    PREVIEW = 0x14 "Preview" since(V16_1);
    HAS_ATTACHMENTS = 0x15 "HasAttachments" since(V16_1);
    TOTAL = 0x16 "Total" since(V16_1);
    DISPLAY_CC = 0x17 "DisplayCc" since(V16_1);
    DISPLAY_BCC = 0x18 "DisplayBcc" since(V16_1);
    GAL_SEARCH_CRITERION = 0x19 "GalSearchCriterion" since(V16_1);
    MAX_PICTURES = 0x20 "MaxPictures" since(V16_1);
    MAX_SIZE = 0x21 "MaxSize" since(V16_1);
    PICTURE = 0x22 "Picture" since(V16_1);
}}

const _: () = check();

/// Runs when compiling; a wrong row does not build.
const fn check() {
    let mut p = 0;
    while p < TABLE.len() {
        let page = &TABLE[p];
        assert!(page.number as usize == p, "pages are listed by number, without gaps");
        let mut t = 0;
        while t < page.tokens.len() {
            let token = &page.tokens[t];
            assert!(token.tag.page == page.number);
            assert!(token.tag.token >= 0x05 && token.tag.token <= 0x3F, "not a tag token");
            if t > 0 {
                assert!(
                    page.tokens[t - 1].tag.token < token.tag.token,
                    "tokens ascend, none twice"
                );
            }
            let mut other = 0;
            while other < t {
                assert!(!same(page.tokens[other].name, token.name), "a name twice on one page");
                other += 1;
            }
            t += 1;
        }
        p += 1;
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(page: &str, token: u8) -> Option<&'static Token> {
        let number = page_by_name(page)?.number;
        super::token(Tag { page: number, token })
    }

    /// From [MS-ASWBXML] "Code Pages" and the class documents, at least one row of each page.
    #[rustfmt::skip]
    #[test]
    fn known_answers() {
        // page, its name, token, tag, first and last version
        let cases = [
            (0, "AirSync", 0x05, "Sync", V2_5, V16_1),
            (0, "AirSync", 0x1B, "Conflict", V2_5, V16_1),
            (0, "AirSync", 0x19, "Truncation", V2_5, V2_5),
            (0, "AirSync", 0x26, "Partial", V12_1, V16_1),
            (0, "AirSync", 0x27, "ConversationMode", V14_0, V16_1),
            (1, "Contacts", 0x1E, "FileAs", V2_5, V16_1),
            (1, "Contacts", 0x3C, "Picture", V2_5, V16_1),
            (1, "Contacts", 0x3E, "WeightedRank", V14_0, V16_1),
            (2, "Email", 0x14, "Subject", V2_5, V16_1),
            (2, "Email", 0x36, "MIMEData", V2_5, V2_5),
            (2, "Email", 0x3A, "Flag", V12_0, V16_1),
            (3, "AirNotify", 0x05, "Notify", V2_5, V2_5),
            (4, "Calendar", 0x05, "Timezone", V2_5, V16_1),
            (4, "Calendar", 0x17, "Location", V2_5, V14_1),
            (4, "Calendar", 0x39, "FirstDayOfWeek", V14_1, V16_1),
            (4, "Calendar", 0x3C, "ClientUid", V16_0, V16_1),
            (5, "Move", 0x0C, "DstMsgId", V2_5, V16_1),
            (6, "GetItemEstimate", 0x0C, "Estimate", V2_5, V16_1),
            (7, "FolderHierarchy", 0x16, "FolderSync", V2_5, V16_1),
            (8, "MeetingResponse", 0x0C, "UserResponse", V2_5, V16_1),
            (8, "MeetingResponse", 0x0E, "InstanceId", V14_1, V16_1),
            (9, "Tasks", 0x0A, "Complete", V2_5, V16_1),
            (9, "Tasks", 0x22, "OrdinalDate", V12_0, V16_1),
            (10, "ResolveRecipients", 0x16, "Availability", V14_0, V16_1),
            (11, "ValidateCert", 0x09, "CheckCRL", V2_5, V16_1),
            (12, "Contacts2", 0x0D, "NickName", V2_5, V16_1),
            (13, "Ping", 0x0D, "MaxFolders", V2_5, V16_1),
            (14, "Provision", 0x0D, "EASProvisionDoc", V12_0, V16_1),
            (14, "Provision", 0x21, "AllowWiFi", V12_1, V16_1),
            (14, "Provision", 0x3B, "AccountOnlyRemoteWipe", V16_1, V16_1),
            (15, "Search", 0x18, "LongId", V12_0, V16_1),
            (16, "GAL", 0x0F, "EmailAddress", V2_5, V16_1),
            (16, "GAL", 0x12, "Data", V14_1, V16_1),
            (17, "AirSyncBase", 0x0B, "Data", V12_0, V16_1),
            (17, "AirSyncBase", 0x20, "Location", V16_0, V16_1),
            (18, "Settings", 0x09, "Oof", V12_0, V16_1),
            (18, "Settings", 0x23, "PrimarySmtpAddress", V14_1, V16_1),
            (19, "DocumentLibrary", 0x05, "LinkId", V12_0, V16_1),
            (20, "ItemOperations", 0x06, "Fetch", V12_0, V16_1),
            (21, "ComposeMail", 0x10, "Mime", V14_0, V16_1),
            (21, "ComposeMail", 0x15, "Forwardees", V16_0, V16_1),
            (22, "Email2", 0x09, "ConversationId", V14_0, V16_1),
            (22, "Email2", 0x15, "IsDraft", V16_0, V16_1),
            (23, "Notes", 0x07, "LastModifiedDate", V14_0, V16_1),
            (24, "RightsManagement", 0x14, "TemplateID", V14_1, V16_1),
            (25, "Find", 0x08, "MailBoxSearchCriterion", V16_1, V16_1),
        ];
        for (number, name, token, tag, first, last) in cases {
            let row = known(name, token).expect(tag);
            assert_eq!(row.tag, Tag { page: number, token });
            assert_eq!(row.name, tag);
            assert_eq!(row.versions, VersionRange { first, last }, "{tag}");
            assert_eq!(page(number).and_then(|page| page.tag_by_name(tag)), Some(row.tag));
            assert_eq!(format!("{:?}", row.tag), format!("{name}:{tag}"));
        }
    }

    #[test]
    fn byte_arrays() {
        let opaque: Vec<String> = PAGES
            .iter()
            .flat_map(|page| page.tokens)
            .filter(|token| token.opaque)
            .map(|token| format!("{:?}", token.tag))
            .collect();
        let expected = [
            "ResolveRecipients:Data",
            "Search:ConversationId",
            "GAL:Data",
            "AirSyncBase:Content",
            "ItemOperations:ConversationId",
            "ComposeMail:Mime",
            "Email2:ConversationId",
            "Email2:ConversationIndex",
        ];
        assert_eq!(opaque, expected);
    }

    #[test]
    fn unknown_tags_are_shown_by_their_numbers() {
        assert_eq!(format!("{:?}", Tag { page: 0, token: 0x3F }), "AirSync:0x3F");
        assert_eq!(format!("{:?}", Tag { page: 254, token: 5 }), "254:0x05");
        assert!(page(26).is_none());
        assert!(page_by_name("Airsync").is_none());
    }

    #[test]
    fn what_a_version_lacks_is_listed_once() {
        let unknown = Tag { page: 254, token: 5 };
        let root = Element::parent(
            airsync::SYNC,
            [
                Element::parent(unknown, [Element::empty(airsync::PARTIAL), Element::empty(unknown)]),
                Element::empty(email2::IS_DRAFT),
                Element::empty(airsync::PARTIAL),
            ],
        );
        // version, what is unknown to it
        let cases: [(ProtocolVersion, &[Tag]); 3] = [
            (V12_0, &[airsync::PARTIAL, email2::IS_DRAFT, unknown]),
            (V12_1, &[email2::IS_DRAFT, unknown]),
            (V16_0, &[unknown]),
        ];
        for (version, expected) in cases {
            assert_eq!(unknown_in(&root, version), expected, "{version}");
        }
    }
}
