//! The service without HTTP: two users side by side, each in a session of their own.
//!
//! Run it with `cargo run --example two_users`: it needs nothing, since it uses the embedded store, the built-in demo API and the
//! offline planner.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use swagger_api_agent::{
    app::{App, Rendering, Request},
    domain::user::{Role, UserName},
    secrets::tokens::Bearer,
    settings::Settings,
    store::contract::{SessionFilter, Tail},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let mut settings = Settings::builtin();
    settings.store.data_dir = directory.path().to_owned();
    let app = App::build(settings).await?;
    // An answer is just its text here.
    app.render_with(Rendering::default());

    let (ann, bob) = (sign_in(&app, "ann").await?, sign_in(&app, "bob").await?);

    // Both at once: neither waits for the other.
    let (to_ann, to_bob) = tokio::join!(app.take_turn(&ann, ask("list users page 2")), app.take_turn(&bob, ask("查询所有订单")));
    for (name, taken) in [("ann", to_ann?), ("bob", to_bob?)] {
        let answer = String::from_utf8(taken.body)?;
        println!("--- {name} is told:\n{}\n", answer.lines().take(6).collect::<Vec<_>>().join("\n"));
    }

    for (name, bearer) in [("ann", &ann), ("bob", &bob)] {
        let visit = app.visit(bearer, None, Tail::Newest(10)).await?;
        let said: Vec<&str> = visit.tail.iter().map(|turn| turn.message.as_str()).collect();
        println!("{name} has session {} with {} turn(s): {said:?}", visit.session.id, visit.session.turns);
    }

    let begun_anew = app.reset_session(&ann, None).await?;
    println!("ann begins anew: session {} with {} turns", begun_anew.id, begun_anew.turns);
    println!("bob still has {} turn(s)", app.visit(&bob, None, Tail::Nothing).await?.session.turns);

    let administrator = app.first_start().ok_or("a first start makes an administrator")?;
    let token =
        app.log_in(administrator.user.as_str(), secrecy::ExposeSecret::expose_secret(&administrator.password), "127.0.0.1").await?.token;
    let administrator = app.bearer(&token)?;
    let page = app.list_sessions(&administrator, &SessionFilter::default(), None, 10).await?;
    println!("sessions: {} in all, {} active", page.stats.total, page.stats.active);
    let (removed, left) = app.clean_up(&administrator).await?;
    println!("cleaned up: {removed} ended sessions removed, {} left", left.total);
    Ok(())
}

fn ask(message: &str) -> Request {
    Request { message: message.to_owned(), ..Request::default() }
}

async fn sign_in(app: &App, name: &str) -> Result<Bearer, Box<dyn std::error::Error>> {
    let user = UserName::new(name).ok_or("a user's name")?;
    app.add_user(&user, Role::User, "a long password").await?;
    let token = app.log_in(name, "a long password", "127.0.0.1").await?.token;
    Ok(app.bearer(&token)?)
}
