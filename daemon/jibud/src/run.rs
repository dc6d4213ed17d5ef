//! `jibud run`: opens everything, starts the threads, tells systemd.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use anyhow::Context;
use jibu_modem::Hook;
use jibu_spool::{Machines, ModemName, Route, Spool};
use jibu_store::{ContentStore, StateStore};
use jibu_web::ussd::Rates;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::answering::Answering;
use crate::board;
use crate::clock::now;
use crate::config::Config;
use crate::hub;
use crate::library::{Engine, Library};
use crate::site::Appliance;
use crate::spooling::{Spooling, Told};
use crate::ussd;
use crate::vitals::Vitals;

/// Runs the daemon until SIGTERM or Ctrl-C.
///
/// # Errors
/// When something that it cannot do without is missing or refuses: the
/// configuration, the data folder, the models, the web server's address. A
/// modem may come later.
pub fn run(config: Config) -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_new(&config.log).with_context(|| {
        format!("log.filter = \"{}\" is no filter (an example: info)", config.log)
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let config = Arc::new(config);

    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("{} cannot be made", config.data.display()))?;
    let store = StateStore::open(config.state_db())?;
    // Opened once for writing, so that a new box has an (empty) index to ask.
    drop(ContentStore::open(config.content_db())?);
    let engine = Arc::new(Engine::open(&config.models)?);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(serve(config, store, engine))?;
    // What the threads have not finished is in state.db.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

/// How long ago a message may have come that an SMSC delivers again, because it
/// does not know that we have it.
const IN_DOUBT: Duration = Duration::from_secs(24 * 60 * 60);

async fn serve(
    config: Arc<Config>,
    mut store: StateStore,
    engine: Arc<Engine>,
) -> anyhow::Result<()> {
    let names = config.modems.iter().map(|modem| modem.driver.name.clone());
    let smscs = config.smpp.iter().map(|smpp| smpp.link.name.clone());
    let vitals = Arc::new(Vitals::new(names.chain(smscs)));
    let (tell, told) = mpsc::channel();
    let (ask, jobs) = mpsc::channel();

    let mut handles: Vec<(String, jibu_modem::Handle)> = config
        .modems
        .iter()
        .map(|modem| (modem.driver.name.clone(), jibu_modem::spawn(modem.driver.clone())))
        .collect();
    for smpp in &config.smpp {
        let mut link = smpp.link.clone();
        link.in_doubt = store.unanswered_pdus(&link.name, now() - IN_DOUBT)?;
        handles.push((link.name.clone(), jibu_smpp::spawn(link)));
    }
    let commands: HashMap<String, _> =
        handles.iter().map(|(name, handle)| (name.clone(), handle.commands.clone())).collect();
    let ussd = match config.gateway.is_some() || config.modems.iter().any(|m| m.driver.ussd) {
        true => {
            let library = Library::open(&config, Arc::clone(&engine))?;
            let (config, vitals) = (Arc::clone(&config), Arc::clone(&vitals));
            Some(ussd::start(config, library, &commands, vitals, tell.clone())?)
        }
        false => None,
    };
    for (name, mut handle) in handles {
        let (tell, name) = (tell.clone(), ModemName(name));
        let ussd = ussd.clone();
        tokio::spawn(async move {
            while let Some(event) = handle.events.recv().await {
                use jibu_modem::Event;
                let concerns_ussd = matches!(
                    event,
                    Event::Ready { .. }
                        | Event::Lost { .. }
                        | Event::Ussd(_)
                        | Event::UssdFailed { .. }
                );
                if let Some(ussd) = ussd.as_ref().filter(|_| concerns_ussd) {
                    ussd.modem_says(&name.0, event.clone());
                }
                if tell.send(Told::Modem(name.clone(), event)).is_err() {
                    return;
                }
            }
        });
    }

    match board::boot().and_then(|boot| board::started(&mut store, &boot)) {
        Ok(cuts) => vitals.power_went(cuts),
        Err(error) => tracing::warn!("cuts of power are not counted: {error:#}"),
    }
    let modems = commands.into_iter().map(|(name, sender)| (ModemName(name), sender)).collect();
    let spool_config = spool_config(&config);
    let restored = store.restore(now(), spool_config.remember_keys, spool_config.await_reports)?;
    let spool = Spool::new(spool_config, restored, now());
    let spooling = Spooling::new(spool, store, modems, ask, told, Arc::clone(&vitals));
    let hub = config.link.as_ref().and_then(|link| {
        // Without its hub the box still answers.
        match hub::start(&config, link, &engine, &vitals, tell.clone()) {
            Ok(hub) => {
                tracing::info!(broker = link.address.host, "following the hub");
                Some(hub)
            }
            Err(error) => {
                tracing::error!("the hub is not followed: {error:#}");
                vitals.hub_link(Err(format!("{error:#}")));
                None
            }
        }
    });
    let answering = Answering {
        config: Arc::clone(&config),
        library: Library::open(&config, Arc::clone(&engine))?,
        jobs,
        told: tell.clone(),
        vitals: Arc::clone(&vitals),
        machines: Machines::new(),
        hub,
    };
    let appliance = Appliance {
        config: Arc::clone(&config),
        library: Arc::new(Mutex::new(Library::open(&config, Arc::clone(&engine))?)),
        vitals: Arc::clone(&vitals),
        told: tell.clone(),
    };
    std::thread::Builder::new().name("spool".into()).spawn(|| spooling.run())?;
    std::thread::Builder::new().name("answering".into()).spawn(|| answering.run())?;

    if let Some(address) = config.listen {
        let listener = tokio::net::TcpListener::bind(address).await.with_context(|| {
            format!("web.listen = \"{address}\" cannot be used: is another program there?")
        })?;
        tracing::info!(%address, "kiosk open");
        let mut router = jibu_web::router(appliance);
        if let (Some(access), Some(gateway)) = (&config.gateway, ussd) {
            let routes = jibu_web::ussd::routes(gateway, access.clone(), Rates::default());
            router = router.merge(routes);
            tracing::info!("USSD gateways may call");
        }
        // A gateway is known by its address.
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "the web server has ended");
            }
        });
    }

    // Without systemd there is nobody to tell, which is no failure.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    tracing::info!(modems = config.modems.len(), smscs = config.smpp.len(), "jibud runs");
    until_told_to_end(&vitals, config.lamp.as_ref()).await?;
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    let marked = StateStore::open(config.state_db()).map_err(anyhow::Error::from);
    if let Err(error) = marked.and_then(|mut store| board::ended(&mut store)) {
        tracing::warn!("this end will be taken for a cut of power: {error:#}");
    }
    tracing::info!("jibud ends");
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C; until then, as long as messages move, tells
/// systemd's watchdog so. The lamp shows whether the box is well.
async fn until_told_to_end(vitals: &Vitals, lamp: Option<&Hook>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    let mut shown = None;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = tick.tick() => {
                if vitals.spool_goes_round() {
                    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
                }
                let is_well = vitals.health().ok;
                if let Some(lamp) = lamp.filter(|_| shown.replace(is_well) != Some(is_well)) {
                    show(lamp.clone(), is_well);
                }
            }
        }
    }
}

/// A hook may take its time, and the watchdog does not wait.
fn show(lamp: Hook, is_well: bool) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = lamp.run(Some(if is_well { "well" } else { "unwell" })) {
            tracing::warn!(error, "the lamp shows nothing");
        }
    });
}

fn spool_config(config: &Config) -> jibu_spool::Config {
    let modems = config.modems.iter().map(|modem| (&modem.driver.name, &modem.prefixes));
    let smscs = config.smpp.iter().map(|smpp| (&smpp.link.name, &smpp.prefixes));
    let routes = modems.chain(smscs).flat_map(|(name, prefixes)| {
        let modem = ModemName(name.clone());
        prefixes.iter().map(move |prefix| Route { prefix: prefix.clone(), modem: modem.clone() })
    });
    let own_numbers = config.modems.iter().filter_map(|modem| modem.number.clone());
    let own_numbers = own_numbers.chain(config.smpp.iter().filter_map(|smpp| smpp.number.clone()));
    jibu_spool::Config {
        gather_wait: config.sms.gather_wait,
        fail_over_after: config.sms.fail_over_after,
        routes: routes.collect(),
        answers_per_day: config.sms.answers_per_day,
        answers_per_day_and_modem: config.sms.answers_per_day_and_modem,
        answers_per_day_in_all: config.sms.answers_per_day_in_all,
        quiet: config.sms.quiet,
        never_answer: own_numbers.collect(),
        ..jibu_spool::Config::default()
    }
}
