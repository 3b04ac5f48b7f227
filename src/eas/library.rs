//! The document library: links of a device, as folders and files of OX.
//!
//! A link is `\\server\folder\folder\file` or `https://server/folder/folder/file`. Whatever the server is called, there is one
//! library: the folders of OX with files that the user can read, those at the top side by side below the server, each by
//! its title; letter case does not matter. Links in an answer continue the link that was asked for. Search and
//! ItemOperations share this. Implements [MS-ASDOC] LinkId and the properties of a document.

use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;

use crate::content::date;
use crate::eas::command::Call;
use crate::ox;
use crate::ox::File;
use crate::ox::FileFolder;
use crate::wbxml::Element;
use crate::wbxml::codepage::documentlibrary as tag;

/// What separates names in a link, and where the server begins.
const UNC: &str = r"\\";
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// A link, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Up to the end of the server's name.
    server: String,
    is_unc: bool,
    names: Vec<String>,
}

/// What a link leads to.
#[derive(Clone, Debug)]
pub enum Found {
    /// The server itself.
    Root,
    Folder(FileFolder),
    /// A file with its folder.
    File(FileFolder, File),
}

impl Link {
    /// `None` for what is no link.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(UNC) {
            return Self::of(UNC, rest, '\\', str::to_owned);
        }
        let decode = |name: &str| percent_decode_str(name).decode_utf8_lossy().into_owned();
        SCHEMES.iter().find_map(|scheme| {
            let head = text.get(..scheme.len())?;
            let rest = text.get(scheme.len()..)?;
            head.eq_ignore_ascii_case(scheme)
                .then(|| Self::of(head, rest, '/', decode))?
        })
    }

    fn of(start: &str, rest: &str, separator: char, decode: impl Fn(&str) -> String) -> Option<Self> {
        let mut parts = rest.split(separator).filter(|part| !part.is_empty());
        let server = format!("{start}{}", parts.next()?);
        let names = parts.map(decode).collect();
        Some(Self {
            server,
            is_unc: separator == '\\',
            names,
        })
    }

    /// The link of what lies below this one.
    fn child(&self, name: &str) -> Self {
        let mut child = self.clone();
        child.names.push(name.to_owned());
        child
    }

    /// As a device gets it.
    pub fn text(&self) -> String {
        let name = |name: &String| match self.is_unc {
            true => format!(r"\{name}"),
            false => format!("/{}", utf8_percent_encode(name, NON_ALPHANUMERIC)),
        };
        let names: String = self.names.iter().map(name).collect();
        format!("{}{names}", self.server)
    }
}

/// What a link leads to; `None` if that is nothing.
pub async fn find(call: &Call<'_>, link: &Link) -> Result<Option<Found>, ox::Error> {
    let Some((last, above)) = link.names.split_last() else {
        return Ok(Some(Found::Root));
    };
    let folders = ox::file_folders(&call.device.ox).await?;
    let mut folder: Option<&FileFolder> = None;
    for name in above {
        folder = match below(&folders, folder).find(|child| same(&child.title, name)) {
            Some(child) => Some(child),
            None => return Ok(None),
        };
    }
    if let Some(child) = below(&folders, folder).find(|child| same(&child.title, last)) {
        return Ok(Some(Found::Folder(child.clone())));
    }
    let Some(folder) = folder else { return Ok(None) };
    let files = ox::files(&call.device.ox, &folder.id).await?;
    let file = files.into_iter().find(|file| same(&file.name, last));
    Ok(file.map(|file| Found::File(folder.clone(), file)))
}

/// The documents of a link: of a folder, itself and what is in it.
pub async fn documents(call: &Call<'_>, link: &Link, found: &Found) -> Result<Vec<Vec<Element>>, ox::Error> {
    let folder = match found {
        Found::File(_, file) => return Ok(vec![of_file(link, file)]),
        Found::Root => None,
        Found::Folder(folder) => Some(folder),
    };
    let folders = ox::file_folders(&call.device.ox).await?;
    let mut documents: Vec<Vec<Element>> = folder.iter().map(|folder| of_folder(link, folder)).collect();
    documents.extend(below(&folders, folder).map(|child| of_folder(&link.child(&child.title), child)));
    if let Some(folder) = folder {
        let files = ox::files(&call.device.ox, &folder.id).await?;
        documents.extend(files.iter().map(|file| of_file(&link.child(&file.name), file)));
    }
    Ok(documents)
}

/// The folders in a folder; without one, those at the top.
fn below<'a>(folders: &'a [FileFolder], folder: Option<&FileFolder>) -> impl Iterator<Item = &'a FileFolder> {
    let parent = folder.map(|folder| folder.id.clone());
    folders.iter().filter(move |child| match &parent {
        Some(parent) => child.parent == *parent,
        None => folders.iter().all(|other| other.id != child.parent),
    })
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn of_folder(link: &Link, folder: &FileFolder) -> Vec<Element> {
    properties(link, &folder.title, true, folder.created, folder.modified)
}

fn of_file(link: &Link, file: &File) -> Vec<Element> {
    let mut all = properties(link, &file.name, false, file.created, file.modified);
    all.extend(file.size.map(|size| Element::number(tag::CONTENT_LENGTH, size)));
    all.push(Element::text(tag::CONTENT_TYPE, file.content_type.clone()));
    all
}

fn properties(link: &Link, name: &str, is_folder: bool, created: Option<i64>, modified: Option<i64>) -> Vec<Element> {
    let mut all = vec![
        Element::text(tag::LINK_ID, link.text()),
        Element::text(tag::DISPLAY_NAME, name),
        Element::flag(tag::IS_FOLDER, is_folder),
    ];
    let time = |tag, time: Option<i64>| Some(Element::text(tag, date::hyphenated(time?)));
    all.extend(time(tag::CREATION_DATE, created));
    all.extend(time(tag::LAST_MODIFIED_DATE, modified));
    all.push(Element::flag(tag::IS_HIDDEN, false));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_both_ways() {
        // text, names, the text of what is called "a b.txt" below
        let cases: [(&str, Option<&[&str]>, &str); 8] = [
            (r"\\server", Some(&[]), r"\\server\a b.txt"),
            (r"\\server\My files\", Some(&["My files"]), r"\\server\My files\a b.txt"),
            (
                "https://server:8443/My%20files",
                Some(&["My files"]),
                "https://server:8443/My%20files/a%20b%2Etxt",
            ),
            ("HTTP://server/", Some(&[]), "HTTP://server/a%20b%2Etxt"),
            (r"\\", None, ""),
            ("https://", None, ""),
            ("file", None, ""),
            ("ftp://server/x", None, ""),
        ];
        for (text, names, child) in cases {
            let link = Link::parse(text);
            let parsed = link
                .as_ref()
                .map(|link| link.names.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(parsed.as_deref(), names, "{text}");
            let Some(link) = link else { continue };
            let below = link.child("a b.txt");
            assert_eq!(below.text(), child);
            assert_eq!(Link::parse(child), Some(below));
        }
    }

    #[test]
    fn folders_at_the_top_have_no_parent_here() {
        let folder = |id: &str, parent: &str| FileFolder {
            id: id.to_owned(),
            parent: parent.to_owned(),
            title: id.to_owned(),
            created: None,
            modified: None,
        };
        let folders = [folder("32", "10"), folder("40", "32"), folder("50", "15")];
        let ids = |parent: Option<&FileFolder>| -> Vec<String> {
            below(&folders, parent).map(|folder| folder.id.clone()).collect()
        };
        assert_eq!(ids(None), ["32", "50"]);
        assert_eq!(ids(Some(&folders[0])), ["40"]);
    }
}
