//! Documents worked out by hand: the bytes from [MS-ASWBXML] "Code Pages" and WAP-192, with what each one is.

use crate::version::ProtocolVersion::{self, V2_5, V12_1, V14_1, V16_0};
use crate::wbxml::codepage::{airsync, composemail, email, folderhierarchy, moveitems, ping, provision};
use crate::wbxml::{Element, Limits, decode, encode};

/// Both directions.
fn assert_same(bytes: &[u8], root: &Element, version: ProtocolVersion) {
    assert_eq!(decode(bytes, &Limits::default()).as_ref(), Ok(root));
    assert_eq!(encode(root, version), bytes);
}

#[test]
fn folder_sync() {
    #[rustfmt::skip]
    let bytes = [
        0x03,             // version 1.3
        0x01,             // public id: unknown
        0x6A,             // character set 106: UTF-8
        0x00,             // string table of 0 bytes
        0x00, 0x07,       // SWITCH_PAGE 7, FolderHierarchy
        0x56,             // 0x16 FolderSync, with content (0x40)
        0x52,             //   0x12 SyncKey, with content
        0x03, b'0', 0x00, //     STR_I "0"
        0x01,             //   END SyncKey
        0x01,             // END FolderSync
    ];
    let root = Element::parent(
        folderhierarchy::FOLDER_SYNC,
        [Element::text(folderhierarchy::SYNC_KEY, "0")],
    );
    assert_same(&bytes, &root, V2_5);
}

#[test]
fn sync_in_two_pages() {
    #[rustfmt::skip]
    let bytes = [
        0x03, 0x01, 0x6A, 0x00,
        0x45,                         // page 0 AirSync, 0x05 Sync, with content
        0x5C,                         //   0x1C Collections
        0x4F,                         //     0x0F Collection
        0x52, 0x03, b'2', 0x00, 0x01, //       0x12 CollectionId "2"
        0x13,                         //       0x13 GetChanges, without content, so without END
        0x56,                         //       0x16 Commands
        0x48,                         //         0x08 Change
        0x5D,                         //           0x1D ApplicationData
        0x00, 0x02,                   //             SWITCH_PAGE 2, Email
        0x55, 0x03, b'1', 0x00, 0x01, //             0x15 Read "1"
        0x3A,                         //             0x3A Flag, empty: the flag is cleared
        0x01, 0x01, 0x01,             //           END ApplicationData, Change, Commands: the page does not matter to END
        0x00, 0x00,                   //       SWITCH_PAGE 0
        0x14,                         //       0x14 MoreAvailable
        0x01, 0x01, 0x01,             //     END Collection, Collections, Sync
    ];
    let data = Element::parent(
        airsync::APPLICATION_DATA,
        [Element::flag(email::READ, true), Element::empty(email::FLAG)],
    );
    let commands = Element::parent(airsync::COMMANDS, [Element::parent(airsync::CHANGE, [data])]);
    let collection = Element::parent(
        airsync::COLLECTION,
        [
            Element::number(airsync::COLLECTION_ID, 2),
            Element::empty(airsync::GET_CHANGES),
            commands,
            Element::empty(airsync::MORE_AVAILABLE),
        ],
    );
    let root = Element::parent(airsync::SYNC, [Element::parent(airsync::COLLECTIONS, [collection])]);
    assert_same(&bytes, &root, V12_1);
}

#[test]
fn ping_with_umlaut() {
    #[rustfmt::skip]
    let bytes = [
        0x03, 0x01, 0x6A, 0x00,
        0x00, 0x0D,                               // SWITCH_PAGE 13, Ping
        0x45,                                     // 0x05 Ping
        0x48, 0x03, b'4', b'7', b'0', 0x00, 0x01, //   0x08 HeartbeatInterval "470"
        0x49,                                     //   0x09 Folders
        0x4A,                                     //     0x0A Folder
        0x4B, 0x03, 0xC3, 0xA4, 0x00, 0x01,       //       0x0B Id, U+00E4 in UTF-8
        0x01, 0x01, 0x01,
    ];
    let folder = Element::parent(ping::FOLDER, [Element::text(ping::ID, "\u{E4}")]);
    let root = Element::parent(
        ping::PING,
        [
            Element::number(ping::HEARTBEAT_INTERVAL, 470),
            Element::parent(ping::FOLDERS, [folder]),
        ],
    );
    assert_same(&bytes, &root, V2_5);
}

#[test]
fn send_mail_with_a_long_byte_array() {
    let mime = [b'm'; 300];
    #[rustfmt::skip]
    let before = [
        0x03, 0x01, 0x6A, 0x00,
        0x00, 0x15,                   // SWITCH_PAGE 21, ComposeMail
        0x45,                         // 0x05 SendMail
        0x51, 0x03, b'7', 0x00, 0x01, //   0x11 ClientId "7"
        0x08,                         //   0x08 SaveInSentItems
        0x50,                         //   0x10 Mime
        0xC3,                         //     OPAQUE
        0x82, 0x2C,                   //     300 = 2 * 128 + 44: 2 with the high bit, then 44
    ];
    let bytes = [&before[..], &mime, &[0x01, 0x01]].concat();
    let root = Element::parent(
        composemail::SEND_MAIL,
        [
            Element::text(composemail::CLIENT_ID, "7"),
            Element::empty(composemail::SAVE_IN_SENT_ITEMS),
            Element::opaque(composemail::MIME, mime),
        ],
    );
    assert_same(&bytes, &root, V14_1);
}

#[test]
fn remote_wipe() {
    #[rustfmt::skip]
    let bytes = [
        0x03, 0x01, 0x6A, 0x00,
        0x00, 0x0E,                   // SWITCH_PAGE 14, Provision
        0x45,                         // 0x05 Provision
        0x4B, 0x03, b'1', 0x00, 0x01, //   0x0B Status "1"
        0x0C,                         //   0x0C RemoteWipe
        0x01,
    ];
    let root = Element::parent(
        provision::PROVISION,
        [
            Element::number(provision::STATUS, 1),
            Element::empty(provision::REMOTE_WIPE),
        ],
    );
    assert_same(&bytes, &root, V12_1);
}

#[test]
fn move_items_of_a_device_that_likes_noise() {
    #[rustfmt::skip]
    let bytes = [
        0x03,
        0x00, 0x00,             // public id: the string table has it, at index 0
        0x03,                   // character set 3: US-ASCII
        0x02, b'x', 0x00,       // string table of 2 bytes
        0x00, 0x00,             // SWITCH_PAGE 0, where we are
        0x00, 0x05,             // SWITCH_PAGE 5, Move
        0x45,                   // 0x05 MoveItems
        0x46,                   //   0x06 Move
        0x47,                   //     0x07 SrcMsgId
        0x03, b'2', 0x00,       //       STR_I "2"
        0x00, 0x05,             //       SWITCH_PAGE 5, where we are
        0x03, b':', b'1', 0x00, //       STR_I ":1"
        0x01,
        0x48, 0x01,             //     0x08 SrcFldId, closed at once
        0x49, 0x03, 0x00, 0x01, //     0x09 DstFldId, an empty string
        0x01, 0x01,
        0x00,                   // padding
    ];
    let entry = [
        Element::text(moveitems::SRC_MSG_ID, "2:1"),
        Element::empty(moveitems::SRC_FLD_ID),
        Element::empty(moveitems::DST_FLD_ID),
    ];
    let root = Element::parent(moveitems::MOVE_ITEMS, [Element::parent(moveitems::MOVE, entry)]);
    assert_eq!(decode(&bytes, &Limits::default()), Ok(root.clone()));
    // What we make of it.
    #[rustfmt::skip]
    let ours = [
        0x03, 0x01, 0x6A, 0x00,
        0x00, 0x05, 0x45, 0x46,
        0x47, 0x03, b'2', b':', b'1', 0x00, 0x01,
        0x08, 0x09,
        0x01, 0x01,
    ];
    assert_eq!(encode(&root, V16_0), ours);
}
