//! `oxtender device`: which phones there are, and what to do when one does not sync.

use std::io::Write;

use clap::Args;
use clap::Subcommand;

use super::Etc;
use super::db;
use super::db::Failure;
use crate::store::Entry;
use crate::store::Store;
use crate::usm::attention;
use crate::usm::brake::RELEASED;

#[derive(Debug, Subcommand)]
pub enum Device {
    /// List all devices, one a line.
    List(List),
    /// Show everything that is remembered of a device.
    Show(Chosen),
    /// Let a device fetch everything again. It keeps its numbers, and nothing is doubled at Open-Xchange.
    Resync(Chosen),
    /// Let a device delete what it likes for a day, after it was held back.
    ///
    /// What it deleted before stays: it has got the items back, and has to delete them once more.
    Release(Chosen),
    /// Forget a device. If it comes back, it begins anew.
    Remove(Chosen),
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
            Self::Show(chosen) | Self::Resync(chosen) | Self::Release(chosen) | Self::Remove(chosen) => chosen,
        };
        let store = db::open(&chosen.etc).await?;
        let entry = chosen.only(store.entries().await?)?;
        match self {
            Self::List(_) | Self::Show(_) => return show(&store, &entry, chosen.json, out).await,
            Self::Resync(_) => store.forget_states(entry.session).await?,
            Self::Release(_) => release(&store, &entry).await?,
            Self::Remove(_) => store.remove_session(entry.session).await?,
        }
        let what = match self {
            Self::Remove(_) => "is forgotten; it begins anew if it comes back",
            Self::Release(_) => "may delete what it likes for a day",
            _ => "fetches everything again when it comes back",
        };
        Ok(writeln!(out, "{} {what}", label(&entry))?)
    }
}

impl List {
    async fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let entries = db::open(&self.etc).await?.entries().await?;
        if self.json {
            let array: Vec<serde_json::Value> = entries.iter().map(json).collect();
            return Ok(writeln!(out, "{}", serde_json::Value::from(array))?);
        }
        if !entries.is_empty() {
            writeln!(
                out,
                "{:>7} {:>6}  {:<34} {:<20} OS",
                "CONTEXT", "USER", "DEVICE", "MODEL"
            )?;
        }
        for entry in &entries {
            let (model, os) = (field(entry, "device.Model"), field(entry, "device.OS"));
            let numbers = format!("{:>7} {:>6}", entry.session.cid, entry.user_id);
            writeln!(
                out,
                "{}",
                one_line(format!("{numbers}  {:<34} {model:<20} {os}", entry.device).trim_end())
            )?;
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
                self.device,
                label(&first),
                label(&second)
            ))),
        }
    }
}

async fn show(store: &Store, entry: &Entry, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let folders = store.folder_ids(entry.session).await?;
    if as_json {
        let mut object = json(entry);
        object["folders"] = folders.iter().map(|(_, name)| name.as_str()).collect();
        return Ok(writeln!(out, "{object}")?);
    }
    writeln!(out, "{}", label(entry))?;
    for (name, value) in &entry.fields {
        writeln!(out, "  {name:<24} {}", one_line(value))?;
    }
    for (number, name) in folders {
        writeln!(out, "  folder {number:<17} {}", one_line(&name))?;
    }
    Ok(())
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

fn label(entry: &Entry) -> String {
    format!(
        "{} of user {} in context {}",
        entry.device, entry.user_id, entry.session.cid
    )
}

fn field<'a>(entry: &'a Entry, name: &str) -> &'a str {
    entry.fields.get(name).map_or("", String::as_str)
}

fn json(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "context": entry.session.cid,
        "user": entry.user_id,
        "device": entry.device,
        "protocol": entry.protocol,
        "fields": entry.fields,
    })
}

/// Devices tell their names themselves: nothing of that may move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
