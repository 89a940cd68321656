// The administrator's page: who may see it, the tabs, and which screen the address names. A screen is loaded when it is opened.

import { leaveToSignIn, role } from "./admin_link.mjs";
import { watch } from "./admin_live.mjs";
import { why } from "./admin_parts.mjs";
import "./admin_texts.mjs";
import { $, make } from "./element.mjs";
import { Problem, forgetSignIn, signedIn } from "./service.mjs";
import { asked, hear } from "./tabs.mjs";
import { say, spoken, switchLanguage, translate } from "./texts.mjs";

/**
 * @typedef {object} Screen
 * @property {(place: HTMLElement, path: string[], signal: AbortSignal) => void | Promise<void>} open shows it; `signal` is aborted when it is left
 */

/** The tabs by the first word of the address, with the text that names each. @type {Record<string, [string, () => Promise<Screen>]>} */
const SCREENS = {
  overview: ["stats_title", () => import("./admin_stats.mjs")],
  sessions: ["sessions_title", () => import("./admin_sessions.mjs")],
  turns: ["turns_title", () => import("./admin_turns.mjs")],
  replicas: ["replicas_title", () => import("./admin_replicas.mjs")],
  events: ["events_title", () => import("./admin_events.mjs")],
  users: ["users_title", () => import("./admin_users.mjs")],
  audit: ["audit_title", () => import("./admin_audit.mjs")],
  document: ["document_title", () => import("./admin_document.mjs")],
  log: ["log_title", () => import("./admin_log.mjs")],
};
const FIRST = "overview";

/** Ends what the screen that is shown does by itself. */
let leaving = new AbortController();

/** What the address names: `#/sessions/ann/s1` is `["sessions", "ann", "s1"]`. */
function path() {
  try {
    const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
    return parts.length === 0 ? [FIRST] : parts;
  } catch {
    return [""];
  }
}

/** @param {boolean} moved whether somebody went there, and did not only come to the page */
async function show(moved) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [name, ...rest] = path();
  const screen = Object.hasOwn(SCREENS, name) ? SCREENS[name] : null;
  tabs(name);
  const title = screen === null ? say("admin_no_screen") : say(screen[0]);
  const heading = make("h2", { id: "admin-title", tabindex: "-1" }, title);
  document.title = `${title} – ${say("admin_title")}`;
  const place = $("admin-screen");
  place.replaceChildren(heading);
  place.scrollTop = 0;
  if (moved) heading.focus({ preventScroll: true });
  if (screen === null) return;
  try {
    const { open } = await screen[1]();
    if (!signal.aborted) await open(place, rest, signal);
  } catch (problem) {
    if (signal.aborted) return;
    const told = problem instanceof Problem ? why(problem) : say("admin_unloaded");
    place.append(make("p", { class: "problem", role: "alert" }, told));
    if (!(problem instanceof Problem)) throw problem;
  }
}

function tabs(current) {
  const links = Object.entries(SCREENS).map(([name, [text]]) => make("a", { href: `#/${name}`, "aria-current": name === current && "page" }, say(text)));
  $("admin-tabs").replaceChildren(...links);
  $("admin-tabs").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function speak() {
  translate();
  $("language").textContent = say("other_language");
  $("language").lang = spoken() === "zh" ? "en" : "zh";
  $("who").textContent = signedIn()?.user ?? "";
}

$("language").addEventListener("click", () => {
  switchLanguage();
  begin();
});
window.addEventListener("hashchange", () => begin(true));
document.addEventListener("signed-out", leave);
hear("signed_out", leave);

function leave() {
  // Else the console takes the sign-in for good, and leads back here.
  forgetSignIn();
  leaveToSignIn();
}

function begin(moved = false) {
  const who = signedIn();
  if (who === null || who.mustChange) return leaveToSignIn();
  speak();
  if (role() === "admin") return void show(moved);
  $("admin-screen").replaceChildren(make("p", { class: "notice" }, say("admin_only", who.user)));
}

if (signedIn() === null) await asked();
begin();
if (role() === "admin") watch();
