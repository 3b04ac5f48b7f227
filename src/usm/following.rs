//! Following mail folders that OX gave other ids: the device keeps its id of each, its keys, and what it has.
//!
//! It costs calls at OX only where mail folders have vanished and others have appeared in the same look; which has become
//! which is decided by [`renames`](mod@crate::usm::renames). All that is kept of a folder is kept under the device's id, so one write of the
//! ids is enough, all or none. It comes before the device is told: a gateway that dies in between, and another one that does
//! the same at the same time, find the ids changed and the device's tree as it was, and tell it the new names.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::ox;
use crate::ox::Module;
use crate::ox::Standard;
use crate::ox::mail::Glance;
use crate::store::SessionId;
use crate::usm::collection::Error;
use crate::usm::collection::may_be_same;
use crate::usm::hierarchy::Hierarchy;
use crate::usm::hierarchy::parse_long_id;
use crate::usm::renames::Appeared;
use crate::usm::renames::Contents;
use crate::usm::renames::Gone;
use crate::usm::renames::Naming;
use crate::usm::renames::renames;
use crate::usm::snapshot::Revision;
use crate::usm::state::State;

/// Folders that are looked into at most, and whose mails are looked for: two HTTP requests.
const MOST: usize = 50;

/// Folders of each kind beyond which nobody has renamed anything, and a tree is another one.
const MOST_BELOW: usize = 1000;

/// Mails of a folder that are looked for. More would prove no more.
const SAMPLE: usize = 10;

/// Mails of a folder as the device has them, by their ids at OX.
type Sample = BTreeMap<String, Revision>;

impl Hierarchy<'_> {
    /// Finds the folders of the device again that have got another id at OX, and returns the one before and the one after.
    /// `folders` are all that OX shows, `chosen` those of them that the user chose for his devices, if he can. Changes nothing.
    pub async fn renamed_at_ox(
        &self,
        session: &ox::Session,
        folders: &[ox::Folder],
        chosen: Option<&HashSet<String>>,
    ) -> Result<Vec<(String, String)>, Error> {
        let (gone, appeared) = self.changed(folders).await?;
        let (Some((first, _)), false) = (gone.first(), appeared.is_empty()) else {
            return Ok(Vec::new());
        };
        let Some(separator) = ox::mail_separator(first) else {
            return Ok(Vec::new());
        };
        let samples = self.samples(&gone).await?;
        let glances = look(session, &appeared, &samples).await?;
        let trash = folders.iter().find(|folder| folder.standard == Some(Standard::Trash));
        let naming = Naming {
            separator,
            trash: trash.map(|folder| folder.id.as_str()),
            chosen,
        };
        let gone: Vec<Gone<'_>> = gone
            .iter()
            .zip(&samples)
            .map(|((id, _), sample)| Gone {
                id,
                sought: sample.len(),
            })
            .collect();
        let mut glances = glances.into_iter();
        let appeared: Vec<Appeared<'_>> = appeared
            .iter()
            .map(|id| Appeared {
                id,
                contents: glances.next().flatten().map(|glance| contents(&glance, &samples)),
            })
            .collect();
        let pairs = renames(&gone, &appeared, naming).into_iter();
        Ok(pairs.map(|(old, new)| (old.to_owned(), new.to_owned())).collect())
    }

    /// Keeps the device's ids of these folders; to be called before the device is told anything about them.
    pub async fn follow(&self, renamed: &[(String, String)]) -> Result<(), Error> {
        let SessionId { cid, id } = self.device;
        for (old, new) in renamed {
            log::info!("device {id} in context {cid}: the mail folder {old:?} is now {new:?}, and stays the same");
        }
        self.repoint(renamed).await
    }

    /// Mail folders that the device has and OX does not show, with the device's ids; and those that are the other way round.
    /// Those above come first.
    async fn changed<'a>(&self, folders: &'a [ox::Folder]) -> Result<(Vec<(String, u32)>, Vec<&'a str>), Error> {
        let mails = folders.iter().filter(|folder| folder.module == Module::Mail);
        let shown: BTreeSet<&str> = mails.map(|folder| folder.id.as_str()).collect();
        let known = self.ids().await?.into_iter().filter_map(|(id, name)| {
            let (module, folder) = parse_long_id(&name)?;
            (module == Module::Mail).then_some((folder, id))
        });
        let known: BTreeMap<String, u32> = known.collect();
        if known.keys().all(|folder| shown.contains(folder.as_str())) {
            return Ok((Vec::new(), Vec::new()));
        }
        let Some(newest) = self.states().load_newest().await? else {
            return Ok((Vec::new(), Vec::new()));
        };
        let has = |id: u32| newest.state.items.contains_key(&id.to_string());
        let appeared = shown
            .iter()
            .copied()
            .filter(|folder| !known.get(*folder).is_some_and(|id| has(*id)));
        let mut appeared: Vec<&str> = appeared.collect();
        let gone = known
            .iter()
            .filter(|(folder, id)| has(**id) && !shown.contains(folder.as_str()));
        let mut gone: Vec<(String, u32)> = gone.map(|(folder, id)| (folder.clone(), *id)).collect();
        gone.sort_by_key(|(folder, _)| depth(folder));
        appeared.sort_by_key(|folder| depth(folder));
        gone.truncate(MOST_BELOW);
        appeared.truncate(MOST_BELOW);
        Ok((gone, appeared))
    }

    /// Some mails of each folder; none of those that are too many.
    async fn samples(&self, gone: &[(String, u32)]) -> Result<Vec<Sample>, Error> {
        let mut samples = vec![Sample::new(); gone.len()];
        for (sample, (_, id)) in samples.iter_mut().zip(gone).take(MOST) {
            let object = id.to_string();
            if let Some(newest) = self.states_of(&object).load_newest().await? {
                *sample = sample_of(&newest.state);
            }
        }
        Ok(samples)
    }
}

/// How far below the root of all mail folders one lies.
fn depth(folder: &str) -> usize {
    let separator = ox::mail_separator(folder);
    separator.map_or(0, |separator| folder.matches(separator).count())
}

/// Mails that the device really has, from all over the folder.
fn sample_of(state: &State) -> Sample {
    let items = state.items.iter();
    let had = items.filter(|(_, held)| !held.is_withheld() && held.revision != Revision(0));
    let had: Vec<(String, Revision)> = had
        .map(|(id, held)| (state.ox_id(id).to_owned(), held.revision))
        .collect();
    let step = had.len().div_ceil(SAMPLE).max(1);
    had.into_iter().step_by(step).collect()
}

/// A glance into each folder, as far as there are not too many.
async fn look(session: &ox::Session, folders: &[&str], samples: &[Sample]) -> Result<Vec<Option<Glance>>, Error> {
    let ids: BTreeSet<&str> = samples
        .iter()
        .flat_map(|sample| sample.keys())
        .map(String::as_str)
        .collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let folders = folders.get(..MOST).unwrap_or(folders);
    Ok(ox::mail::glances(session, folders, &ids).await?)
}

/// How many of each sample are there: under the same id, and of the same time of arrival.
fn contents(glance: &Glance, samples: &[Sample]) -> Contents {
    let is_there = |sample: &Sample, id: &str, seen: Revision| {
        let held = sample.get(id);
        held.is_some_and(|held| may_be_same(*held, seen))
    };
    let found = |sample: &Sample| {
        let mails = glance.mails.iter();
        let same = mails.filter(|mail| is_there(sample, &mail.id, Revision(mail.revision)));
        same.count()
    };
    Contents {
        found: samples.iter().map(found).collect(),
        is_empty: glance.is_empty,
    }
}
