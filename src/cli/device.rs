//! `oxtender device`: which phones there are, and what to do when one does not sync.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use clap::Args;
use clap::Subcommand;

use super::Etc;
use super::db;
use super::db::Failure;
use crate::store;
use crate::store::Entry;
use crate::store::LAST_SEEN;
use crate::store::Stale;
use crate::store::Store;
use crate::usm::attention;
use crate::usm::brake::RELEASED;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Subcommand)]
pub enum Device {
    /// List all devices, one a line, with the number of items that need attention.
    List(List),
    /// Show everything that is remembered of a device, and which items need attention and why.
    ///
    /// These are items that the device could not be shown, or did not get past; deletions of it that were held back; and
    /// changes that were overridden.
    Show(Chosen),
    /// Let a device fetch everything again. It keeps its numbers, and nothing is doubled at Open-Xchange.
    Resync(Chosen),
    /// Let a device delete what it likes for a day, after it was held back.
    ///
    /// What it deleted before stays: it has got the items back, and has to delete them once more.
    Release(Chosen),
    /// Forget a device. If it comes back, it begins anew.
    Remove(Chosen),
    /// Forget the devices that did not come for long, and those of users whom Open-Xchange has deleted.
    ///
    /// Without --yes it only shows them. The service does the same by itself about once a day, by
    /// com.openexchange.usm.eas.device.expire_days. Deleted users are known where the tables are in the databases of
    /// Open-Xchange (configdb).
    Expire(Expire),
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    etc: Etc,
    /// For programs: an array of objects.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Expire {
    #[command(flatten)]
    etc: Etc,
    /// Days without a request, in place of the configured ones; 0: none is too many.
    #[arg(long, value_name = "NUMBER")]
    days: Option<u32>,
    /// Forget them.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct Chosen {
    #[command(flatten)]
    etc: Etc,
    /// The DeviceId, as `list` and the log show it.
    device: String,
    /// The context of the user, where several have such a device.
    #[arg(long, value_name = "NUMBER")]
    context: Option<u32>,
    /// The number of the user at Open-Xchange, where several have such a device.
    #[arg(long, value_name = "NUMBER")]
    user: Option<u32>,
    /// For programs: an object.
    #[arg(long)]
    json: bool,
}

impl Device {
    /// Does it, and writes what it found.
    pub async fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let chosen = match self {
            Self::List(list) => return list.run(out).await,
            Self::Expire(expire) => return expire.run(out).await,
            Self::Show(chosen) | Self::Resync(chosen) | Self::Release(chosen) | Self::Remove(chosen) => chosen,
        };
        let store = db::open(&chosen.etc).await?;
        let entry = chosen.only(store.entries().await?)?;
        match self {
            Self::List(_) | Self::Expire(_) | Self::Show(_) => return show(&store, &entry, chosen.json, out).await,
            Self::Resync(_) => store.forget_states(entry.session).await?,
            Self::Release(_) => release(&store, &entry).await?,
            Self::Remove(_) => store.remove_session(entry.session).await?,
        }
        let what = match self {
            Self::Remove(_) => "is forgotten; it begins anew if it comes back",
            Self::Release(_) => "may delete what it likes for a day",
            _ => "fetches everything again when it comes back",
        };
        Ok(writeln!(out, "{} {what}", entry)?)
    }
}

impl List {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let store = db::open(&self.etc).await?;
        let entries = store.entries().await?;
        if self.json {
            let mut array = Vec::with_capacity(entries.len());
            for entry in &entries {
                array.push(json(entry, attention_of(&store, entry).await?));
            }
            return Ok(writeln!(out, "{}", serde_json::Value::from(array))?);
        }
        if !entries.is_empty() {
            writeln!(
                out,
                "{:>7} {:>6}  {:<34} {:<10} {:>9}  {:<20} OS",
                "CONTEXT", "USER", "DEVICE", "LAST SEEN", "ATTENTION", "MODEL"
            )?;
        }
        for entry in &entries {
            let (model, os) = (field(entry, "device.Model"), field(entry, "device.OS"));
            let numbers = format!("{:>7} {:>6}", entry.session.cid, entry.user_id);
            let (device, day) = (&entry.device, field(entry, LAST_SEEN));
            let attention = attention::entries(&entry.fields).len();
            let line = format!("{numbers}  {device:<34} {day:<10} {attention:>9}  {model:<20} {os}");
            writeln!(out, "{}", one_line(line.trim_end()))?;
        }
        Ok(())
    }
}

impl Expire {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let (config, store) = db::open_configured(&self.etc).await?;
        let lifetime = match self.days {
            Some(days) => Some(DAY * days).filter(|lifetime| !lifetime.is_zero()),
            None => config.history.device_lifetime,
        };
        let unseen = lifetime.map(|lifetime| Stale::unseen_for(lifetime, store::today()));
        let mut count = 0;
        for stale in unseen.into_iter().chain([Stale::WithoutUser]) {
            for entry in store.stale(stale, u32::MAX).await? {
                // The service, or another command, may be faster, and the device may come back.
                if self.yes && !store.remove_stale(entry.session, stale).await? {
                    continue;
                }
                count += 1;
                writeln!(out, "{entry}, {}", entry.reason(stale))?;
            }
        }
        match self.yes {
            true => writeln!(out, "{count} devices are forgotten. One that comes back begins anew.")?,
            false => writeln!(out, "Nothing was forgotten; --yes forgets these {count} devices.")?,
        }
        Ok(())
    }
}

impl Chosen {
    /// The one device that is meant.
    fn only(&self, entries: Vec<Entry>) -> Result<Entry, Failure> {
        let is_meant = |entry: &Entry| {
            entry.device == self.device
                && self.context.is_none_or(|context| context == entry.session.cid)
                && self.user.is_none_or(|user| user == entry.user_id)
        };
        let mut meant = entries.into_iter().filter(is_meant);
        match (meant.next(), meant.next()) {
            (Some(entry), None) => Ok(entry),
            (None, _) => Err(Failure::Device(format!(
                "there is no device {:?}; oxtender device list shows all, and letter case matters",
                self.device
            ))),
            (Some(first), Some(second)) => Err(Failure::Device(format!(
                "several users have a device {:?}, among them {} and {}; choose one with --context and --user",
                self.device, first, second
            ))),
        }
    }
}

async fn show(store: &Store, entry: &Entry, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let folders = store.folder_ids(entry.session).await?;
    let items = attention_of(store, entry).await?;
    if as_json {
        let mut object = json(entry, items);
        object["folders"] = folders.iter().map(|(_, name)| name.as_str()).collect();
        return Ok(writeln!(out, "{object}")?);
    }
    writeln!(out, "{entry}")?;
    for (name, value) in fields(entry) {
        writeln!(out, "  {name:<24} {}", one_line(value))?;
    }
    for (number, name) in folders {
        writeln!(out, "  folder {number:<17} {}", one_line(&name))?;
    }
    for item in items {
        writeln!(out, "{}", one_line(&attention_line(&item)))?;
    }
    Ok(())
}

/// The items of a device that need attention. Their folders are named as they are called now.
async fn attention_of(store: &Store, entry: &Entry) -> Result<Vec<attention::Entry>, store::Error> {
    let items = attention::entries(&entry.fields);
    if items.is_empty() {
        return Ok(items);
    }
    Ok(attention::with_present_folders(
        items,
        &store.folder_ids(entry.session).await?,
    ))
}

/// `  attention unreadable     "Offer" (5:77) in default0/INBOX since 2026-11-25T09:30:00Z: It cannot be shown.`
fn attention_line(item: &attention::Entry) -> String {
    let attention::Entry {
        cause,
        server_id,
        folder,
        subject,
        reason,
        since,
        ..
    } = item;
    let since = jiff::Timestamp::from_millisecond(since / 1000 * 1000).unwrap_or_default();
    format!(
        "  attention {:<14} {subject:?} ({server_id}) in {folder} since {since}: {reason}",
        cause.name()
    )
}

/// What is remembered of a device, but for the items that need attention.
fn fields(entry: &Entry) -> impl Iterator<Item = (&String, &String)> {
    entry.fields.iter().filter(|(name, _)| !attention::is_entry(name))
}

async fn release(store: &Store, entry: &Entry) -> Result<(), Failure> {
    let held: Vec<String> = attention::list(store, entry.session)
        .await?
        .into_iter()
        .filter(|entry| entry.cause == attention::Cause::HeldBack)
        .map(|entry| entry.server_id)
        .collect();
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    let now = jiff::Timestamp::now().as_millisecond().to_string();
    store
        .set_fields(entry.session, &[(RELEASED, Some(now.as_str()))])
        .await?;
    Ok(attention::clear(store, entry.session, &held).await?)
}

fn field<'a>(entry: &'a Entry, name: &str) -> &'a str {
    entry.fields.get(name).map_or("", String::as_str)
}

fn json(entry: &Entry, items: Vec<attention::Entry>) -> serde_json::Value {
    serde_json::json!({
        "context": entry.session.cid,
        "user": entry.user_id,
        "device": entry.device,
        "protocol": entry.protocol,
        "fields": fields(entry).collect::<BTreeMap<_, _>>(),
        "attention": items,
    })
}

/// Devices tell their names themselves: nothing of that may move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
