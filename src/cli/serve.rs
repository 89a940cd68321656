//! `serve`: the service, until a signal ends it.

use std::{
    io::{self, IsTerminal, Write, stdin, stdout},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use secrecy::ExposeSecret;
use swagger_api_agent::{
    api::server::{self, Leave},
    app::{App, SetLogLevel},
    domain::{limits::UPSTREAM_IDLE_SECS_MAX, policy::Confirm},
    outbound::{Headers, Outbound, Sending, Url, shown},
    settings::{Settings, Sources},
    spans::Post,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tracing::{info, warn};

use super::{complain, counted, settings_of};

pub fn run(sources: Sources) -> ExitCode {
    let settings = match settings_of(Settings::load_for_serving(sources)) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut logging = super::log::start(&settings);
    let (set_level, spans) = (logging.set_level(), logging.spans());
    super::block_on(async {
        if let Some(spans) = &spans {
            spans.through(collector_door(&settings)?);
        }
        let served = serve(settings, set_level).await;
        if let Some(spans) = spans {
            // It waits for the last batch, and that for this runtime.
            let _ = tokio::task::spawn_blocking(move || spans.finish()).await;
        }
        served
    })
}

/// How spans leave: by a client of their own, so that the collector has no part in the connections of turns.
fn collector_door(settings: &Settings) -> Result<Post, String> {
    let patience = Duration::from_secs(2);
    let outbound = Outbound::new(patience, Duration::from_secs(UPSTREAM_IDLE_SECS_MAX)).map_err(|e| e.to_string())?;
    if let Some(url) = settings.trace.url.as_deref().and_then(|url| Url::parse(url).ok()) {
        outbound.named_by_operator(&url);
    }
    let mut own = Headers::default();
    for (name, value) in &settings.trace.headers {
        own.set_secret(name, value.expose_secret()).map_err(|_| format!("trace.headers: {name} cannot be sent"))?;
    }
    let runtime = tokio::runtime::Handle::current();
    Ok(Arc::new(move |url, said, body| {
        let (outbound, mut headers) = (outbound.clone(), own.clone());
        for (name, value) in said.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
            // The operator's word goes before the exporter's.
            if !headers.has(name) {
                let _ = headers.add(name, value);
            }
        }
        let sending = async move {
            let url = Url::parse(&url).map_err(|e| e.to_string())?;
            let deadline = Duration::from_secs(5);
            let sending = Sending { method: "POST".to_owned(), url, headers, body: Some(body), deadline, reply_bytes_max: 64 * 1024 };
            outbound.send(sending).await.map(|reply| reply.status).map_err(|e| e.to_string())
        };
        // Whoever asks does so on a thread without a runtime.
        let sending = runtime.spawn(sending);
        Box::pin(async move { sending.await.unwrap_or_else(|_| Err("the service goes down".to_owned())) })
    }))
}

async fn serve(settings: Settings, set_log_level: Option<SetLogLevel>) -> Result<(), String> {
    // The door first: a start that fails at it has made no administrator whose password nobody saw.
    let (host, port) = (settings.server.host.clone(), settings.server.port);
    let listener = TcpListener::bind((host.as_str(), port)).await.map_err(|error| cannot_listen(&host, port, &error))?;
    let local = listener.local_addr().map_err(|e| e.to_string())?;
    let admin = admin_listener(&settings).await?;
    let app = App::build(settings).await.map_err(|e| e.to_string())?;
    if let Some(set) = set_log_level {
        app.log_with(set);
    }
    // Listened to before anybody can know that the server is there: until then the signal ends the process.
    let hangup = signal(SignalKind::hangup()).ok();
    welcome(&app, local);
    let served = app.served();
    let upstream: Vec<&str> = served.apis.iter().map(|api| api.base_url.as_str()).collect();
    info!(
        address = %local, replica = app.replica(), functions = served.apis.functions().len(), upstream = upstream.join(", "),
        planner = if app.has_model() { "model" } else { "offline" }, "listening on http://{local}"
    );
    if let Some(admin) = admin {
        tokio::spawn(server::serve_admin(app.clone(), admin));
    }
    server::serve(app.clone(), listener, signals(reload_at(hangup, app))).await;
    Ok(())
}

/// The listener of those who operate the service, if there is one. That nobody can listen where nobody asked for it is no reason not to serve.
async fn admin_listener(settings: &Settings) -> Result<Option<TcpListener>, String> {
    let Some(listen) = settings.admin.listen.as_deref() else { return Ok(None) };
    match TcpListener::bind(listen).await {
        Ok(listener) => {
            info!(address = listen, "metrics at http://{listen}/metrics");
            Ok(Some(listener))
        }
        Err(error) if settings.is_default("admin.listen") => {
            warn!(%error, "cannot listen on {listen}, so there are no metrics: {error}; set admin.listen (SAA_ADMIN__LISTEN) to another address, or to off");
            Ok(None)
        }
        Err(error) => Err(format!("cannot listen on {listen}: {error}; see admin.listen (SAA_ADMIN__LISTEN)")),
    }
}

fn cannot_listen(host: &str, port: u16, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!("port {port} of {host} is in use: choose another with --port, or SAA_SERVER__PORT");
    }
    format!("cannot listen on {host}:{port}: {error}; see --host (SAA_SERVER__HOST) and --port (SAA_SERVER__PORT)")
}

/// What a newcomer needs to know, on the terminal.
fn welcome(app: &App, local: std::net::SocketAddr) {
    let mut text = format!("listening on http://{local}\n");
    for api in app.served().apis.iter() {
        let (info, functions) = (api.catalogue.info(), api.catalogue.functions().len());
        let name = if api.name.is_empty() { String::new() } else { format!("{}: ", api.name) };
        let aside = match api.catalogue.report().set_aside.len() {
            0 => String::new(),
            aside => format!("; {} set aside: `swagger-api-agent openapi check` says why", counted(aside as u64, "operation")),
        };
        text += &format!("API          {name}{} {} at {} ({functions} functions{aside})\n", info.title, info.version, api.base_url);
    }
    if app.serves_demo() {
        text += "             the built-in demo: set OPENAPI_FILE and API_BASE_URL for your own\n";
    }
    let llm = &app.settings().llm;
    match llm.url.as_deref().filter(|_| app.has_model()).and_then(|url| Url::parse(url).ok()) {
        // Its query may hold a key.
        Some(url) => text += &format!("planner      the model {} at {}\n", llm.model, shown(&url)),
        None => text += "planner      offline, no model: set DEEPSEEK_API_KEY (or DEEPSEEK_API_URL, for a server without keys) for one\n",
    }
    match app.settings().confirm() {
        Confirm::Never => {}
        Confirm::Changing => text += "             what it plans to change waits for its user's yes: agent.confirm\n",
        Confirm::Always => text += "             every call that it plans waits for its user's yes: agent.confirm\n",
    }
    if let Some(model) = llm.embeddings.model.as_ref().filter(|_| app.has_model()) {
        text += &format!("             with the model {model} for embeddings, where there are more functions than it is given at once\n");
    }
    if let Some(first) = app.first_start() {
        text += &format!("user         {}\n", first.user);
        text += &format!("password     {}\n", first.password.expose_secret());
        text += "             shown this once; `swagger-api-agent user passwd admin` sets another while the server is stopped\n";
        text += &format!(
            "\nOpen http://{local} in a browser, or for the curl lines of the README:\nexport PASSWORD={}\n",
            first.password.expose_secret()
        );
    }
    let _closed_early = stdout().write_all(text.as_bytes());
}

/// Ends with the first SIGTERM or SIGINT. A second one ends the process. SIGHUP has the documents read again.
async fn signals(hung_up: impl Future<Output = ()>) -> Leave {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    let leave = tokio::select! {
        _ = terminate.recv() => Leave::AfterNotice,
        // Somebody sits in front of it: there is no load balancer that must notice.
        _ = interrupt.recv() => Leave::AtOnce,
        () = hung_up => Leave::AtOnce,
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        complain("stopped at once by a second signal");
        #[expect(clippy::disallowed_methods, reason = "whoever signals twice wants it gone, open ends and all")]
        std::process::exit(130);
    });
    leave
}

/// Has the documents read again at every SIGHUP. Ends when the signal means what it first meant: the terminal is gone.
async fn reload_at(hangup: Option<Signal>, app: App) {
    let Some(mut hangup) = hangup else { return std::future::pending().await };
    let attended = stdin().is_terminal();
    while hangup.recv().await.is_some() {
        if attended && !stdin().is_terminal() {
            return;
        }
        // In a task of its own: whoever says SIGTERM meanwhile is heard. What comes of it stands in the log.
        let app = app.clone();
        tokio::spawn(async move { app.reload().await });
    }
    std::future::pending::<()>().await;
}
