// The console: who is signed in, which of its screens is seen, and what concerns all of them.

import { leadBack, showAdminLink } from "./admin_link.mjs";
import * as chat from "./chat.mjs";
import { clock } from "./clock.mjs";
import { confirmed } from "./conversation.mjs";
import { $, settled, show } from "./element.mjs";
import * as service from "./service.mjs";
import * as sessions from "./sessions.mjs";
import * as signing from "./sign_in.mjs";
import * as tabs from "./tabs.mjs";
import { retell, say, spoken, switchLanguage, translate } from "./texts.mjs";
import * as toast from "./toast.mjs";
import * as turn from "./turn.mjs";

/** The end of a sign-in is announced so long before, in milliseconds. */
const EXPIRY_TOLD_MS = 5 * 60 * 1000;
/** Timers hold at most 2³¹ ms; a longer sign-in is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Another tab that can go on with the sign-in has done so in this time, in milliseconds. */
const RENEWED_MS_MAX = 4000;
/** What several tabs say at once is looked at once, after so many milliseconds. */
const STEP_MS = 150;
/** While the service cannot be reached it is asked again after so many milliseconds. */
const REACH_MS = 5000;

/**
 * Screens beside the conversation, loaded when they are opened first: each shows itself in a place and is given what stands behind its name.
 * @type {Record<string, () => Promise<{open: (place: HTMLElement, rest: string, functions: any[]) => unknown}>>}
 */
const SCREENS = {
  functions: () => import("./functions.mjs"),
  account: () => import("./account.mjs"),
};

const SESSION_ID = /^[\w-]{1,128}$/;

let functions = [];
let expiry = 0;

// Who is signed in

function showSignIn(why = null) {
  clearTimeout(expiry);
  service.forgetSignIn();
  for (const id of ["chat", "menu", "planner", "expiring"]) show($(id), false);
  $("title").textContent = document.title = "Swagger API Agent";
  $("screen").replaceChildren();
  signing.showForm(why);
}

async function signOut() {
  if (turn.isWorking() && !(await confirmed("sign_out"))) return;
  tabs.tell("signed_out");
  service.signOut();
  left("signed_out");
}

/** Nothing of whoever was signed in stays in this tab. */
function left(why) {
  chat.leave();
  $("message").value = "";
  $("session-search").value = "";
  $("sessions").replaceChildren();
  sessionStorage.clear();
  showSignIn(why);
}

/** The message on its way stays: it is sent again after signing in. */
function expired() {
  if ($("chat").hidden) return;
  chat.leave();
  showSignIn("session_expired");
}

/** Says before a sign-in ends that it will, and goes back to signing in when it has. */
function watchExpiry() {
  clearTimeout(expiry);
  const until = service.signedIn()?.until;
  if (until === undefined) return expired();
  const left = until - Date.now();
  const soon = left <= EXPIRY_TOLD_MS;
  show($("expiring"), soon);
  if (soon) retell($("expiring-about"), "expiring", clock(new Date(until)));
  chat.showUntil();
  expiry = setTimeout(watchExpiry, Math.min(soon ? left + 500 : left - EXPIRY_TOLD_MS, TIMER_MS_MAX));
}

/** Goes on with this sign-in, in whichever tab that can be done. */
async function stay() {
  const { until } = service.signedIn() ?? { until: 0 };
  try {
    if (await service.renew()) tabs.shareSignIn();
    else tabs.tell("renew");
  } catch (problem) {
    return toast.failed(problem);
  }
  setTimeout(() => {
    if (service.signedIn()?.until > until) watchExpiry();
    else toast.note("cannot_stay");
  }, service.signedIn()?.until > until ? 0 : RENEWED_MS_MAX);
}

async function showConsole() {
  if (leadBack()) return;
  showAdminLink();
  for (const id of ["sign-in", "change-form"]) show($(id), false);
  for (const id of ["chat", "menu"]) show($(id), true);
  $("session-user").textContent = service.signedIn()?.user ?? "";
  watchExpiry();
  await Promise.all([chat.loading(chat.loadAbout), chat.loading(loadFunctions), route(true)]);
  sessions.refresh();
}

async function loadFunctions() {
  ({ functions } = await service.functions());
  $("functions-count").textContent = String(functions.length);
  chat.know(functions);
}

// Which screen is seen

/** What the address says: a session, or a screen and what stands behind its name. */
function asked() {
  const [, name = "", rest = ""] = /^#\/([^/]*)(?:\/(.*))?$/.exec(location.hash) ?? [];
  if (name === "s" && SESSION_ID.test(rest)) return { screen: null, session: rest };
  return Object.hasOwn(SCREENS, name) ? { screen: name, rest } : { screen: null, session: null };
}

/** Shows what the address says. The conversation stays as it is behind a screen. */
async function route(first = false) {
  if (service.signedIn() === null || $("chat").hidden) return;
  const { screen, rest, session } = asked();
  openPanel(false);
  show($("conversation"), screen === null);
  show($("screen"), screen !== null);
  for (const link of $("places").querySelectorAll("a")) {
    const here = screen !== null && link.getAttribute("href") === `#/${screen}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (screen !== null) {
    if (first) void chat.open(null);
    await chat.loading(async () => {
      if (functions.length === 0) await loadFunctions();
      const { open } = await SCREENS[screen]();
      if (asked().screen === screen && service.signedIn()) await open($("screen"), rest, functions);
      translate($("screen"));
    });
    return;
  }
  $("screen").replaceChildren();
  if (first || session !== service.openSession() || sessions.current() === null) await chat.open(session);
  else chat.focusMessage();
}

function openPanel(open) {
  $("panel").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

// What concerns all of them

function otherLanguage() {
  switchLanguage();
  nameLanguage();
  chat.showUntil();
  sessions.showList();
  sessions.showCurrent();
  if (!$("welcome").hidden) chat.showWelcome();
}

function nameLanguage() {
  $("language").textContent = say("other_language");
  $("language").lang = spoken() === "zh" ? "en" : "zh";
}

let knocking = 0;
service.watchReach((reached) => {
  clearTimeout(knocking);
  show($("connection"), !reached);
  if (!reached) knocking = setTimeout(knock, REACH_MS);
});

/** Asks for something small until there is an answer. */
function knock() {
  if (service.signedIn()) void service.openQuestions().catch(() => {});
  else show($("connection"), false);
}

const inStep = settled(STEP_MS, () => {
  sessions.refresh();
  if (document.visibilityState === "visible") void chat.catchUp();
});

tabs.hear("changed", ({ session }) => {
  if (session === service.openSession()) inStep();
  else sessions.refresh();
});
tabs.hear("signed_out", () => left("signed_out"));
tabs.hear("here", () => {
  if (!$("chat").hidden) watchExpiry();
});
tabs.hear("renew", async () => {
  if (await service.renew().catch(() => false)) tabs.shareSignIn();
  watchExpiry();
});
chat.onExpiry(expired);
signing.onSignIn(() => void showConsole());

$("sign-out").addEventListener("click", signOut);
$("stay").addEventListener("click", stay);
$("language").addEventListener("click", otherLanguage);
$("menu").addEventListener("click", () => openPanel(!$("panel").classList.contains("open")));
for (const id of ["new-session", "sessions", "conversation", "screen"]) $(id).addEventListener("click", () => openPanel(false));
window.addEventListener("hashchange", () => void route());
window.addEventListener("online", () => knock());
window.addEventListener("offline", () => show($("connection"), true));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && service.signedIn() && !$("chat").hidden) inStep();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("panel").classList.contains("open")) {
    openPanel(false);
    $("menu").focus();
  }
});

translate();
nameLanguage();
if (service.signedIn() === null) await tabs.asked();
const who = service.signedIn();
if (who === null) showSignIn();
else if (who.mustChange) signing.showChange();
else await showConsole();
