//! [MS-ASCMD] the document library: Search lists, ItemOperations fetches, both by links.

use ox_standin::WebUser;
use oxtender::version::ProtocolVersion::V12_0;

use crate::rules::play;
use crate::rules::since;

fn search(link: &str, options: &str) -> String {
    format!(
        "<Search><Store><Name>DocumentLibrary</Name><Query><EqualTo><DocumentLibrary:LinkId/><Value>{link}</Value>
        </EqualTo></Query>{options}</Store></Search>"
    )
}

fn listed(results: &[String], range: &str, total: usize) -> String {
    let results: String = results
        .iter()
        .map(|it| format!("<Result><Properties>{it}</Properties></Result>"))
        .collect();
    format!(
        "<Search><Status>1</Status><Response><Store><Status>1</Status>{results}<Range>{range}</Range>
        <Total>{total}</Total></Store></Response></Search>"
    )
}

fn document(link: &str, name: &str, folder: bool, more: &str) -> String {
    let folder = u8::from(folder);
    format!(
        "<DocumentLibrary:LinkId>{link}</DocumentLibrary:LinkId>
        <DocumentLibrary:DisplayName>{name}</DocumentLibrary:DisplayName>
        <DocumentLibrary:IsFolder>{folder}</DocumentLibrary:IsFolder>
        <DocumentLibrary:CreationDate>*</DocumentLibrary:CreationDate>
        <DocumentLibrary:LastModifiedDate>*</DocumentLibrary:LastModifiedDate>
        <DocumentLibrary:IsHidden>0</DocumentLibrary:IsHidden>{more}"
    )
}

/// `Meine Dateien` with a folder and two files.
fn files(web: &WebUser) {
    let home = web.files_folder();
    let reports = web.create_folder(&home.to_string(), "Reports", "infostore");
    web.create_file(home, "digits.txt", "text/plain", b"0123456789");
    web.create_file(home, "nothing.txt", "text/plain", b"");
    web.create_file(reports.parse().unwrap(), "a b.pdf", "application/pdf", b"%PDF");
}

const DIGITS: &str = "<DocumentLibrary:ContentLength>10</DocumentLibrary:ContentLength>
    <DocumentLibrary:ContentType>text/plain</DocumentLibrary:ContentType>";
const EMPTY: &str = "<DocumentLibrary:ContentLength>0</DocumentLibrary:ContentLength>
    <DocumentLibrary:ContentType>text/plain</DocumentLibrary:ContentType>";
const PDF: &str = "<DocumentLibrary:ContentLength>4</DocumentLibrary:ContentLength>
    <DocumentLibrary:ContentType>application/pdf</DocumentLibrary:ContentType>";

#[test]
fn lists() {
    play(since(V12_0), |script| {
        files(&script.web);
        let home = document(r"\\ox\Meine Dateien", "Meine Dateien", true, "");
        let reports = document(r"\\ox\Meine Dateien\Reports", "Reports", true, "");
        let digits = document(r"\\ox\Meine Dateien\digits.txt", "digits.txt", false, DIGITS);
        let empty = document(r"\\ox\Meine Dateien\nothing.txt", "nothing.txt", false, EMPTY);
        script.ask(&search(r"\\ox", ""), &listed(std::slice::from_ref(&home), "0-0", 1));
        script.ask(
            &search(r"\\ox\Meine Dateien", ""),
            &listed(&[home, reports.clone(), digits.clone(), empty], "0-3", 4),
        );
        script.ask(
            &search(
                r"\\ox\Meine Dateien",
                "<Options><Range>1-2</Range><UserName>x</UserName></Options>",
            ),
            &listed(&[reports, digits], "1-2", 4),
        );
        // Whatever the letter case, and whatever the form of the link: the answer goes on with it.
        script.ask(
            &search("https://ox/meine%20dateien/REPORTS", ""),
            &listed(
                &[
                    document("https://ox/meine%20dateien/REPORTS", "Reports", true, ""),
                    document("https://ox/meine%20dateien/REPORTS/a%20b%2Epdf", "a b.pdf", false, PDF),
                ],
                "0-1",
                2,
            ),
        );
        let file = "https://ox/meine%20dateien/reports/a%20b%2Epdf";
        script.ask(
            &search(file, ""),
            &listed(&[document(file, "a b.pdf", false, PDF)], "0-0", 1),
        );
    });
}

#[test]
fn searches_that_fail() {
    // link, options, Status of the store
    let cases = [
        ("file.txt", "", 4),
        (r"\\", "", 4),
        (r"\\ox\Nowhere", "", 6),
        (r"\\ox\Meine Dateien\Nothing.doc", "", 6),
        (r"\\ox", "<Options><Range>5-9</Range></Options>", 12),
        (r"\\ox", "<Options><Range>x</Range></Options>", 2),
    ];
    play(since(V12_0), |script| {
        for (link, options, status) in cases {
            script.ask(
                &search(link, options),
                &format!(
                    "<Search><Status>1</Status><Response><Store><Status>{status}</Status></Store></Response></Search>"
                ),
            );
        }
    });
}

#[test]
fn fetches() {
    // link, Range, Status, the properties
    let cases = [
        (r"\\ox\Meine Dateien\digits.txt", "", 1, "<Data>MDEyMzQ1Njc4OQ==</Data>"),
        (
            r"\\ox\Meine Dateien\digits.txt",
            "2-3",
            1,
            "<Data>MjM=</Data><Range>2-3</Range><Total>10</Total>",
        ),
        (r"\\ox\Meine Dateien\digits.txt", "10-12", 8, ""),
        (r"\\ox\Meine Dateien\nothing.txt", "", 10, ""),
        (r"\\ox\Meine Dateien\missing.txt", "", 6, ""),
        (r"\\ox\Meine Dateien", "", 6, ""),
        ("digits.txt", "", 4, ""),
    ];
    play(since(V12_0), |script| {
        files(&script.web);
        for (link, range, status, properties) in cases {
            let range = match range {
                "" => String::new(),
                range => format!("<Options><Range>{range}</Range></Options>"),
            };
            let properties = match properties {
                "" => String::new(),
                properties => format!(
                    "<Properties>{properties}<AirSyncBase:ContentType>text/plain</AirSyncBase:ContentType>
                    <Version>*</Version></Properties>"
                ),
            };
            let named = format!("<DocumentLibrary:LinkId>{link}</DocumentLibrary:LinkId>");
            script.ask(
                &format!(
                    "<ItemOperations><Fetch><Store>DocumentLibrary</Store>{named}{range}</Fetch></ItemOperations>"
                ),
                &format!(
                    "<ItemOperations><Status>1</Status><Response><Fetch><Status>{status}</Status>{named}{properties}
                    </Fetch></Response></ItemOperations>"
                ),
            );
        }
    });
}

/// Where OX has no files for this user, or no such module at all.
#[test]
fn no_library() {
    // code and category of OX, Status of Search, Status of Fetch
    for (code, category, listing, fetch) in [("SVL-0016", 3, 5, 5), ("SVL-0001", 8, 13, 5)] {
        play(since(V12_0), |script| {
            let faults = script.world.standin.faults();
            // A server that does not know the one action is asked for the other.
            for action in ["allVisible", "list"] {
                faults.always("folders", action, ox_standin::Fault::error(code, category));
            }
            script.ask(
                &search(r"\\ox\Meine Dateien", ""),
                &format!(
                    "<Search><Status>1</Status><Response><Store><Status>{listing}</Status></Store></Response></Search>"
                ),
            );
            let named = r"<DocumentLibrary:LinkId>\\ox\x</DocumentLibrary:LinkId>";
            script.ask(
                &format!("<ItemOperations><Fetch><Store>DocumentLibrary</Store>{named}</Fetch></ItemOperations>"),
                &format!(
                    "<ItemOperations><Status>1</Status><Response><Fetch><Status>{fetch}</Status>{named}</Fetch>
                    </Response></ItemOperations>"
                ),
            );
            script.world.standin.faults().clear();
        });
    }
}
