//! [MS-ASCMD] Settings: each property with its Status, in the order of the request.

use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_1;

use crate::rules::play;
use crate::rules::since;

fn settings(properties: &str) -> String {
    format!("<Settings>{properties}</Settings>")
}

fn told(properties: &str) -> String {
    format!("<Settings><Status>1</Status>{properties}</Settings>")
}

#[test]
fn statuses() {
    let long = "x".repeat(256);
    let password = |text: &str| format!("<DevicePassword><Set><Password>{text}</Password></Set></DevicePassword>");
    let refused = |status: i64| format!("<DevicePassword><Status>{status}</Status></DevicePassword>");
    let information = |set: &str| format!("<DeviceInformation>{set}</DeviceInformation>");
    let informed = |status: i64| format!("<DeviceInformation><Status>{status}</Status></DeviceInformation>");
    let cases = [
        (password("1234"), refused(7)),
        (password(&long), refused(5)),
        (password(&long[..255]), refused(7)),
        (password(""), refused(1)),
        ("<DevicePassword><Set/></DevicePassword>".to_owned(), refused(2)),
        ("<DevicePassword/>".to_owned(), refused(2)),
        (information("<Set><Model>M</Model></Set>"), informed(1)),
        (
            information(&format!("<Set><Model>{}</Model></Set>", "ä".repeat(2000))),
            informed(1),
        ),
        (information("<Set/>"), informed(2)),
        (information(""), informed(2)),
        (
            "<UserInformation/>".to_owned(),
            "<UserInformation><Status>2</Status></UserInformation>".to_owned(),
        ),
    ];
    play(since(V12_0), |script| {
        for (property, expected) in &cases {
            script.ask(&settings(property), &told(expected));
        }
        // What is malformed as a whole has no properties; what nobody knows is passed over.
        script.ask("<Settings/>", "<Settings><Status>2</Status></Settings>");
        script.ask("<Settings><Get/></Settings>", "<Settings><Status>2</Status></Settings>");
    });
}

/// Several properties at once, in either order.
#[test]
fn in_the_order_of_the_request() {
    let asked = [
        "<UserInformation><Get/></UserInformation>",
        "<DeviceInformation><Set><OS>1</OS></Set></DeviceInformation>",
    ];
    let answers = [
        "<UserInformation><Status>1</Status><Get>*</Get></UserInformation>",
        "<DeviceInformation><Status>1</Status></DeviceInformation>",
    ];
    play(since(V12_0), |script| {
        for [first, second] in [[0, 1], [1, 0]] {
            script.ask(
                &settings(&format!("{}{}", asked[first], asked[second])),
                &told(&format!("{}{}", answers[first], answers[second])),
            );
        }
    });
}

#[test]
fn user_information() {
    play(since(V12_0), |script| {
        script.ask(
            &settings("<UserInformation><Get/></UserInformation>"),
            &told(
                "<UserInformation><Status>1</Status><Get>
                ≤14.0 <EmailAddresses><SMTPAddress>?address</SMTPAddress></EmailAddresses>
                ≥14.1 <Accounts><Account><UserDisplayName>*</UserDisplayName><EmailAddresses>
                ≥14.1 <SMTPAddress>?address</SMTPAddress><PrimarySmtpAddress>*</PrimarySmtpAddress>
                ≥14.1 </EmailAddresses></Account></Accounts>
                </Get></UserInformation>",
            ),
        );
        assert!(script.name("address").contains('@'));
    });
}

#[test]
fn rights_management_is_not_offered() {
    play(since(V14_1), |script| {
        for (asked, status) in [("<Get/>", 168), ("", 2)] {
            script.ask(
                &settings(&format!(
                    "<RightsManagementInformation>{asked}</RightsManagementInformation>"
                )),
                &told(&format!(
                    "<RightsManagementInformation><Status>{status}</Status></RightsManagementInformation>"
                )),
            );
        }
    });
}
