//! People of the address book for a device: found at OX, in the order of their names, with pictures where wanted.
//!
//! Search, Find and ResolveRecipients get their people here.

use crate::content::gal;
use crate::eas::command::Call;
use crate::eas::status::Error;
use crate::ox;
use crate::ox::Object;
use crate::wbxml::Element;
use crate::wbxml::Tag;

/// Statuses of a picture.
const SUCCESS: i64 = 1;
const NO_PICTURE: i64 = 173;
const PICTURE_TOO_LARGE: i64 = 174;
const PICTURE_LIMIT_REACHED: i64 = 175;

/// The people in these folders whose name or address begins with a text, sorted by name.
pub async fn find(call: &Call<'_>, folders: &[String], text: &str) -> Result<Vec<Object>, Error> {
    let mut people = ox::people(&call.device.ox, folders, text).await?;
    people.sort_by_cached_key(|person| (gal::display_name(person).to_lowercase(), gal::addresses(person)));
    Ok(people)
}

/// The same in the global address book alone. Where OX hides it, nobody is found.
pub async fn find_global(call: &Call<'_>, text: &str) -> Result<Vec<Object>, Error> {
    find(call, &[ox::GLOBAL_ADDRESS_BOOK.to_owned()], text).await
}

/// The names that an element about pictures has on its code page.
#[derive(Clone, Copy, Debug)]
pub struct PictureTags {
    pub picture: Tag,
    pub status: Tag,
    pub data: Tag,
    pub max_size: Tag,
    pub max_pictures: Tag,
}

/// The pictures of one answer, within the limits that the device set.
pub struct Pictures {
    tags: PictureTags,
    /// Bytes.
    max_size: usize,
    left: usize,
}

impl Pictures {
    /// `None` if the device does not ask for pictures. An empty element sets no limits.
    pub fn wanted(options: Option<&Element>, asked: Tag, tags: PictureTags) -> Option<Self> {
        let asked = options?.child(asked)?;
        let limit = |tag| {
            let text = asked.child_text(tag)?.trim();
            text.parse().ok()
        };
        Some(Self {
            tags,
            max_size: limit(tags.max_size).unwrap_or(usize::MAX),
            left: limit(tags.max_pictures).unwrap_or(usize::MAX),
        })
    }

    /// The element of one person: a picture, or why there is none.
    pub async fn of(&mut self, call: &Call<'_>, person: &Object) -> Result<Element, Error> {
        let (status, picture) = self.picture(call, person).await?;
        let mut element = Element::parent(self.tags.picture, [Element::number(self.tags.status, status)]);
        element.extend(picture.map(|picture| Element::opaque(self.tags.data, picture)));
        Ok(element)
    }

    async fn picture(&mut self, call: &Call<'_>, person: &Object) -> Result<(i64, Option<Vec<u8>>), Error> {
        if self.left == 0 {
            return Ok((PICTURE_LIMIT_REACHED, None));
        }
        let picture = match ox::photo(&call.device.ox, person).await {
            Ok(picture) => picture,
            Err(error) if error.is_temporary() => return Err(error.into()),
            Err(error) => {
                log::warn!("a picture is left out: {error}");
                None
            }
        };
        match picture {
            None => Ok((NO_PICTURE, None)),
            Some((_, bytes)) if bytes.len() > self.max_size => Ok((PICTURE_TOO_LARGE, None)),
            Some((_, bytes)) => {
                self.left -= 1;
                Ok((SUCCESS, Some(bytes)))
            }
        }
    }
}
