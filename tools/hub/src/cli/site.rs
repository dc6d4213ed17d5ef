//! `jibu-hub site …`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jibu_sync::enrol::Invitation;
use jibu_sync::wire::SiteName;
use jibu_types::{Language, Timestamp};

use super::condition;
use super::show::{counted, kilobytes, money, print, show_export};
use crate::authority::DAY;
use crate::release::replace;
use crate::{Hub, HubError, SiteSettings, SiteSummary, Standing};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Takes sites in and prints each one's invitation, once.
    Add {
        /// A name, such as mangochi-2, or several.
        #[arg(value_name = "SITE", value_parser = SiteName::parse, required = true)]
        sites: Vec<SiteName>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        invite: InviteOptions,
    },
    /// Invites a site anew: it did not enrol in time, lost its key, or was
    /// revoked.
    Invite {
        /// The site.
        #[arg(value_parser = SiteName::parse)]
        site: SiteName,
        #[command(flatten)]
        invite: InviteOptions,
    },
    /// Answers a site's request that came as a file, on a stick.
    Enrol {
        /// The file that the site wrote.
        request: PathBuf,
        /// The file to bring back to it.
        #[arg(long, value_name = "F")]
        out: PathBuf,
    },
    /// Changes what is set of a site.
    Set {
        /// The site.
        #[arg(value_parser = SiteName::parse)]
        site: SiteName,
        #[command(flatten)]
        settings: Settings,
    },
    /// Shuts a site out: its certificate, its invitation and its say.
    Revoke {
        /// The site.
        #[arg(value_parser = SiteName::parse)]
        site: SiteName,
    },
    /// Lists the sites: what each should run and, by its own signature, runs.
    List {
        /// Prints the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a site: what it runs, how it is, and how much it is asked.
    Show {
        /// The site.
        #[arg(value_parser = SiteName::parse)]
        site: SiteName,
        /// Prints it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Writes what a broker needs: certificates, revoked ones, the access list.
    Export {
        /// The folder to write to.
        folder: PathBuf,
        /// A name or address of the broker, to make its certificate and
        /// settings for mosquitto, too; several are given by several --broker.
        #[arg(long = "broker", value_name = "HOST")]
        hosts: Vec<String>,
        /// Prints the result as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct InviteOptions {
    /// Days that the invitation is good for.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// Writes the invitation to a file for a stick instead of printing it.
    #[arg(long, value_name = "F")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Settings {
    /// A group that it belongs to; several are given by several --group, and
    /// take the place of those before.
    #[arg(long = "group", value_name = "GROUP", value_parser = group)]
    groups: Vec<String>,
    /// A language that it answers in, likewise; without any it gets all.
    #[arg(long = "language", value_name = "LANG")]
    languages: Vec<Language>,
    /// What its link is said to bring, in kbit/s.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate_kbit: Option<u32>,
    /// What a megabyte costs there, such as 12.50.
    #[arg(long, value_name = "PRICE", value_parser = price)]
    price_per_mb: Option<u32>,
    /// Kilobytes that an update may cost it; 0 for no limit.
    #[arg(long, value_name = "N")]
    budget_kb: Option<u32>,
    /// Whether it may tell the hub questions that had no answer.
    #[arg(long, value_name = "true|false")]
    tells_unanswered: Option<bool>,
}

impl Settings {
    fn to_settings(&self) -> SiteSettings {
        SiteSettings {
            groups: Some(self.groups.clone()).filter(|groups| !groups.is_empty()),
            languages: Some(self.languages.clone()).filter(|languages| !languages.is_empty()),
            rate_kbit: self.rate_kbit,
            price_per_mb: self.price_per_mb,
            budget_kb: self.budget_kb,
            tells_unanswered: self.tells_unanswered,
        }
    }
}

/// A group's name: of the same form as a site's.
pub(super) fn group(text: &str) -> Result<String, String> {
    let wanted = "a group is 1 to 64 lower-case letters, digits and hyphens, such as clinics";
    SiteName::parse(text).map(|_| text.to_owned()).map_err(|_| wanted.to_owned())
}

/// An amount with at most three digits after its point, in thousandths.
fn price(text: &str) -> Result<u32, String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |text: &str| (1..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let parts = (digits(whole) && digits(part) && part.len() <= 3).then(|| {
        let thousandths: u32 = format!("{part:0<3}").parse().ok()?;
        whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(thousandths)
    });
    parts.flatten().ok_or_else(|| "an amount is wanted, such as 12.50".to_owned())
}

pub(super) fn execute(
    command: &Command,
    hub: &mut Hub,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<io::Result<bool>, HubError> {
    let said = match command {
        Command::Add { sites, settings, invite } => {
            if invite.out.is_some() && sites.len() > 1 {
                return Err(HubError::OneFile);
            }
            let until = now + DAY * invite.days;
            let mut said = Ok(());
            for site in sites {
                let invitation = hub.add_site(site, &settings.to_settings(), until, now)?;
                said = said.and(hand_over(hub, &invitation, until, invite.out.as_deref(), out)?);
            }
            said
        }
        Command::Invite { site, invite } => {
            let until = now + DAY * invite.days;
            let invitation = hub.invite_site(site, until)?;
            hand_over(hub, &invitation, until, invite.out.as_deref(), out)?
        }
        Command::Enrol { request, out: file } => {
            let bytes = fs::read(request)
                .map_err(|source| HubError::Input { path: request.clone(), source })?;
            let reply = hub.answer_claim(&bytes, now)?;
            let reply = reply.ok_or_else(|| HubError::NoClaim(request.clone()))?;
            replace(file, &reply, false)
                .map_err(|source| HubError::Output { path: file.clone(), source })?;
            writeln!(out, "{}: bring it back to the site", file.display())
        }
        Command::Set { site, settings } => {
            hub.set_site(site, &settings.to_settings())?;
            writeln!(out, "{site} is changed")
        }
        Command::Revoke { site } => {
            hub.revoke_site(site, now)?;
            writeln!(
                out,
                "{site} is revoked: a broker of its own learns of it from `jibu-hub site export`"
            )
        }
        Command::List { json } => {
            let sites = hub.sites(now)?;
            if *json { print(&sites, out) } else { show_sites(&sites, out) }
        }
        Command::Show { site, json } => {
            let condition = hub.condition(site, now)?;
            if *json { print(&condition, out) } else { condition::show(&condition, out) }
        }
        Command::Export { folder, hosts, json } => {
            let report = hub.export(folder, hosts, now)?;
            if *json { print(&report, out) } else { show_export(&report, out) }
        }
    };
    Ok(said.map(|()| true))
}

/// Prints an invitation, or writes it to a file with all that a site needs to
/// know of its hub.
fn hand_over(
    hub: &Hub,
    invitation: &Invitation,
    until: Timestamp,
    file: Option<&Path>,
    out: &mut dyn Write,
) -> Result<io::Result<()>, HubError> {
    let site = &invitation.site;
    let Some(file) = file else {
        return Ok(writeln!(
            out,
            "the invitation of {site}, good once until {until}; it is shown this once:\n  {}\n\
             the hub's public key, for hub.public_key:\n  {}",
            invitation.reveal(),
            hub.public_key(),
        ));
    };
    let text = format!(
        "# The invitation of {site}, good once until {until}: whoever reads it can become this \
         site.\ninvitation = \"{}\"\npublic_key = \"{}\"\nauthority = '''\n{}'''\n",
        invitation.reveal(),
        hub.public_key(),
        hub.authority_pem()?,
    );
    replace(file, text.as_bytes(), true)
        .map_err(|source| HubError::Output { path: file.to_owned(), source })?;
    Ok(writeln!(out, "{}: bring it to {site} before {until}", file.display()))
}

pub(super) fn show_sites(sites: &[SiteSummary], out: &mut dyn Write) -> io::Result<()> {
    if sites.is_empty() {
        return writeln!(out, "no sites yet: `jibu-hub site add NAME` takes one in");
    }
    for site in sites {
        let standing = match site.standing {
            Standing::Invited => "invited",
            Standing::Lapsed => "its invitation has run out",
            Standing::Enrolled if site.online => "online",
            Standing::Enrolled => "offline",
            Standing::Revoked => "revoked",
        };
        let heard = site.heard.as_ref().map(|at| format!(", heard {at}")).unwrap_or_default();
        let rate = site.rate_kbit.map(|rate| format!(", {rate} kbit/s")).unwrap_or_default();
        let price = site.price_per_mb.map(|price| format!(", {} a MB", money(price, "")));
        let budget =
            site.budget_kb.map(|kb| format!(", at most {} an update", kilobytes(kb * 1000)));
        writeln!(
            out,
            "{}: {standing}{heard}{rate}{}{}, {}",
            site.site,
            price.unwrap_or_default(),
            budget.unwrap_or_default(),
            counted(site.collections.len(), "collection"),
        )?;
        for report in &site.reports {
            let active = report.active.as_deref().unwrap_or("nothing");
            let wanted = report.wanted.as_deref().unwrap_or("nothing");
            let difference = if active == wanted {
                String::new()
            } else {
                format!(", should have {wanted} ({} to come)", counted_objects(report.missing))
            };
            let stall = report.stall.map(|stall| format!(", {stall}")).unwrap_or_default();
            let expired = if report.expired { ", expired" } else { "" };
            writeln!(out, "  {}: {active}{difference}{stall}{expired}", report.collection)?;
        }
    }
    Ok(())
}

fn counted_objects(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "part")
}
