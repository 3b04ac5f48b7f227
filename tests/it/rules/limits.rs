//! [MS-ASCMD] "Limiting Size of Command Requests": the largest request of each command, and the first one that is too large.

use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V12_1;

use crate::rules::everywhere;
use crate::rules::play;
use crate::rules::since;

#[test]
fn sync_commands() {
    play(everywhere(), |script| {
        script.synced("contacts");
        let commands = |count: usize| {
            let delete = "<Delete><ServerId>{contacts}:4711</ServerId></Delete>".repeat(count);
            format!(
                "<Sync><Collections><Collection>
                ≤12.1 <Class>Contacts</Class>
                <SyncKey>{{contacts key}}</SyncKey><CollectionId>{{contacts}}</CollectionId>
                <Commands>{delete}</Commands></Collection></Collections></Sync>"
            )
        };
        script.ask(&commands(201), "<Sync><Status>4</Status></Sync>");
        script.ask(&commands(200), "<Sync><Collections>*</Collections></Sync>");
    });
}

#[test]
fn sync_collections() {
    play(since(V12_1), |script| {
        let collections = |count: usize| {
            let unknown =
                "<Collection><SyncKey>1</SyncKey><CollectionId>4711</CollectionId></Collection>".repeat(count);
            format!("<Sync><Collections>{unknown}</Collections></Sync>")
        };
        script.ask(&collections(301), "<Sync><Status>15</Status><Limit>300</Limit></Sync>");
        script.ask(&collections(300), "<Sync><Collections>*</Collections></Sync>");
    });
}

#[test]
fn get_item_estimate_collections() {
    play(everywhere(), |script| {
        let collections = |count: usize| {
            let unknown = "<Collection><CollectionId>4711</CollectionId></Collection>".repeat(count);
            format!("<GetItemEstimate><Collections>{unknown}</Collections></GetItemEstimate>")
        };
        script.ask(
            &collections(1001),
            "≤12.1 HTTP 400
            ≥14.0 <GetItemEstimate><Status>103</Status></GetItemEstimate>",
        );
        let unknown = "<Response><Status>2</Status></Response>".repeat(1000);
        let expected = format!("<GetItemEstimate><Status>1</Status>{unknown}</GetItemEstimate>");
        script.ask(&collections(1000), &expected);
    });
}

#[test]
fn move_items_moves() {
    play(everywhere(), |script| {
        let moves = |count: usize| {
            let unknown = "<Move><SrcMsgId>1</SrcMsgId><SrcFldId>0</SrcFldId><DstFldId>0</DstFldId></Move>";
            format!("<MoveItems>{}</MoveItems>", unknown.repeat(count))
        };
        script.ask(
            &moves(1001),
            "≤12.1 HTTP 400
            ≥14.0 <MoveItems><Status>103</Status></MoveItems>",
        );
        let unknown = "<Response><SrcMsgId>1</SrcMsgId><Status>1</Status></Response>".repeat(1000);
        script.ask(&moves(1000), &format!("<MoveItems>{unknown}</MoveItems>"));
    });
}

#[test]
fn item_operations() {
    play(since(V12_0), |script| {
        let operations = |count: usize| {
            let unknown = "<Fetch><Store>Nothing</Store></Fetch>".repeat(count);
            format!("<ItemOperations>{unknown}</ItemOperations>")
        };
        script.ask(&operations(101), "<ItemOperations><Status>11</Status></ItemOperations>");
        script.ask(
            &operations(100),
            "<ItemOperations><Status>1</Status><Response>*</Response></ItemOperations>",
        );
    });
}

#[test]
fn resolve_recipients_names() {
    play(everywhere(), |script| {
        let names = |count: usize| {
            format!(
                "<ResolveRecipients>{}</ResolveRecipients>",
                "<To>nobody</To>".repeat(count)
            )
        };
        script.ask(&names(101), "<ResolveRecipients><Status>5</Status></ResolveRecipients>");
        let unknown = "<Response><To>nobody</To><Status>4</Status></Response>".repeat(100);
        let expected = format!("<ResolveRecipients><Status>1</Status>{unknown}</ResolveRecipients>");
        script.ask(&names(100), &expected);
    });
}

#[test]
fn validate_cert_certificates() {
    play(everywhere(), |script| {
        let certificates = |count: usize| {
            let certificate = "<Certificate>AAAA</Certificate>".repeat(count);
            format!("<ValidateCert><Certificates>{certificate}</Certificates></ValidateCert>")
        };
        script.ask(&certificates(101), "<ValidateCert><Status>2</Status></ValidateCert>");
        let told = "<Certificate><Status>*</Status></Certificate>".repeat(100);
        let expected = format!("<ValidateCert><Status>1</Status>{told}</ValidateCert>");
        script.ask(&certificates(100), &expected);
    });
}
