//! The users of a context, whom OX names by their number alone.
//!
//! A phone knows people by address. The list is read once per context and hour, by whichever session needs it first; where it
//! may not be read, people without address stay without.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::ox::error::Error;
use crate::ox::fetch::Fetched;
use crate::ox::session::Session;
use crate::ox::value::id_text;

/// How long a list is believed.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Kind of a participant: a user of this OX.
const USER: i64 = 1;

/// In the module `user`, the first column is the user's id.
const COLUMNS: [ColumnName; 3] = [
    common::ID.name(),
    contacts::DISPLAY_NAME.name(),
    contacts::EMAIL1.name(),
];

/// The directories of all contexts, and when each was read.
#[derive(Default)]
pub(super) struct Directories(Mutex<HashMap<i64, (Instant, Arc<Directory>)>>);

/// Name and address of users, by their id.
#[derive(Debug, Default)]
struct Directory(HashMap<String, (String, String)>);

/// Gives the users among the participants of appointments their addresses and names, where OX left them out.
pub async fn name_people<'a>(
    session: &Session,
    appointments: impl IntoIterator<Item = &'a mut Fetched>,
) -> Result<(), Error> {
    let objects = appointments
        .into_iter()
        .flat_map(|item| item.parts.iter_mut().chain([&mut item.object]));
    let nameless: Vec<&mut Object> = objects.filter(|object| has_nameless(object)).collect();
    if nameless.is_empty() {
        return Ok(());
    }
    let directory = directory(session).await?;
    nameless.into_iter().for_each(|object| directory.complete(object));
    Ok(())
}

fn has_nameless(object: &Object) -> bool {
    let people = object.json(calendar::PARTICIPANTS).and_then(Value::as_array);
    people.is_some_and(|people| people.iter().any(is_nameless))
}

fn is_nameless(person: &Value) -> bool {
    let address = ["mail", "email1"].iter().find_map(|key| person.get(key)?.as_str());
    person.get("type").and_then(Value::as_i64) == Some(USER) && address.is_none_or(str::is_empty)
}

async fn directory(session: &Session) -> Result<Arc<Directory>, Error> {
    let (directories, context) = (session.ox().directories(), session.context_id());
    if let Some(known) = directories.find(context) {
        return Ok(known);
    }
    let call = Call::get("user", "all")
        .with_columns(&COLUMNS)
        .with("sort", contacts::DISPLAY_NAME.id)
        .with("order", "asc");
    let directory = match session.call(&call).await {
        Ok(reply) => Directory::read(reply.data),
        Err(error) if error.kind.concerns_one_call() => {
            log::debug!("{error}; colleagues are shown without address");
            Directory::default()
        }
        Err(error) => return Err(error),
    };
    Ok(directories.keep(context, directory))
}

impl Directories {
    fn find(&self, context: i64) -> Option<Arc<Directory>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, directory) = known.get(&context)?;
        (since.elapsed() < LIFETIME).then(|| directory.clone())
    }

    fn keep(&self, context: i64, directory: Directory) -> Arc<Directory> {
        let directory = Arc::new(directory);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (since, _)| since.elapsed() < LIFETIME);
        known.insert(context, (Instant::now(), directory.clone()));
        directory
    }
}

impl Directory {
    fn read(rows: Value) -> Self {
        let Value::Array(rows) = rows else {
            return Self::default();
        };
        let users = rows.into_iter().filter_map(|row| {
            let Value::Array(row) = row else {
                return None;
            };
            let object = Object::from_row(&COLUMNS, row);
            let text = |column| object.text(column).unwrap_or_default().to_owned();
            Some((
                object.id(common::ID)?,
                (text(contacts::DISPLAY_NAME), text(contacts::EMAIL1)),
            ))
        });
        Self(users.collect())
    }

    fn complete(&self, object: &mut Object) {
        let Some(Value::Array(people)) = object.json(calendar::PARTICIPANTS) else {
            return;
        };
        let mut people = people.clone();
        for person in people.iter_mut().filter(|person| is_nameless(person)) {
            let id = person.get("id").and_then(id_text);
            let known = id.and_then(|id| self.0.get(&id));
            if let (Some((name, address)), Value::Object(person)) = (known, person) {
                person.insert("mail".to_owned(), address.clone().into());
                person.entry("display_name").or_insert_with(|| name.clone().into());
            }
        }
        object.set(calendar::PARTICIPANTS, people);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn users_get_their_addresses() {
        let directory = Directory::read(json!([[4, "Berta Berg", "berta@example.com"], ["5", null, null], "x"]));
        let external = json!({"type": 5, "mail": "x@example.org"});
        let (unknown, group) = (json!({"id": 9, "type": 1}), json!({"id": 4, "type": 2}));
        let mut object = Object::new();
        object.set(
            calendar::PARTICIPANTS,
            json!([{"id": 4, "type": 1}, external, unknown, group]),
        );
        assert!(has_nameless(&object));
        directory.complete(&mut object);
        let berta = json!({"id": 4, "type": 1, "mail": "berta@example.com", "display_name": "Berta Berg"});
        let expected = json!([berta, external, unknown, group]);
        assert_eq!(object.json(calendar::PARTICIPANTS), Some(&expected));
    }
}
