// A user's sessions: the list at the side, and what can be done with the one that is open.

import { clock, day } from "./clock.mjs";
import { confirmed } from "./conversation.mjs";
import { $, make, settled, show } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import * as service from "./service.mjs";
import * as tabs from "./tabs.mjs";
import { retell, say } from "./texts.mjs";
import * as toast from "./toast.mjs";

/** What is searched for is looked up once nothing was typed for so long, in milliseconds. */
const SEARCH_MS = 250;
/** What ends sooner than this is shown as a warning, in milliseconds. */
const SOON_MS = 60 * 60 * 1000;
/** How often what is told of that is looked at again, in milliseconds. */
const LOOK_MS = 30 * 1000;

/** @typedef {{id: string, main: boolean, title: string | null, pinned: boolean, last_active: string, expires_at: string, ends_at_latest: string, turns: number, first_turn: number, running: string | null, totals: {turns: number, calls: number, changing_calls: number, prompt_tokens: number, completion_tokens: number, estimated: boolean}, found?: {turn: number, text: string}}} Session */

/** The session that is open, as it was last seen. @type {Session | null} */
let open = null;
/** The state that it was seen in. @type {string | null} */
let tag = null;
/** @type {Session[]} */
let all = [];
/** Lists are counted: one that comes late is not shown. */
let asked = 0;

export const current = () => open;
export const seen = () => `${tag} ${open?.running}`;

/** The open session has so many turns more, though it was not looked at yet. How many there are then. */
export function grown(turns) {
  if (open !== null) open.turns += turns;
  return open?.turns ?? 0;
}

export function forgetCurrent() {
  [open, tag] = [null, null];
  showCurrent();
  mark();
}

/** The last look at the open session. @type {Promise<unknown>} */
let looking = Promise.resolve();

/** Reads the open session. @returns {Promise<Session>} */
export function loadCurrent() {
  const look = lookAtCurrent();
  looking = look.catch(() => {});
  return look;
}

/** @returns {Promise<Session>} */
async function lookAtCurrent() {
  const named = service.openSession();
  const id = named ?? (await service.sessionInfo()).session_info.session_id;
  const seen = await service.sessionAndTag(id);
  if (named === service.openSession()) keep(seen);
  return seen.session;
}

function keep(seen) {
  open = seen.session;
  tag = seen.tag;
  showCurrent();
  mark();
}

const called = (session) => (session.title === null ? null : cleaned(session.title)) ?? say(session.main ? "main_session" : "untitled");
const place = (session) => (session.main ? "#/" : `#/s/${session.id}`);

/** What is told of the open session, in the language spoken. */
export function showCurrent() {
  for (const id of ["session-more", "session-expiry"]) show($(id), open !== null);
  show($("session-pinned"), open?.pinned === true);
  if (open === null) return void ($("session-title").textContent = "");
  $("session-title").textContent = called(open);
  if ($("session-id").textContent !== open.id) $("session-id").textContent = open.id;
  retell($("session-pin"), open.pinned ? "unpin" : "pin");
  const { turns, calls, changing_calls, prompt_tokens, completion_tokens, estimated } = open.totals;
  $("session-totals").textContent = say(estimated ? "session_totals_estimated" : "session_totals_of", turns, calls, changing_calls, prompt_tokens + completion_tokens);
  const ends = new Date(open.expires_at);
  $("session-expiry").textContent = ends.getTime() > Date.now() ? say("session_expiry", clock(ends)) : say("session_over");
  $("session-expiry").title = say("session_latest", clock(new Date(open.ends_at_latest)));
  $("session-expiry").classList.toggle("soon", ends.getTime() - Date.now() < SOON_MS);
}

/** Reads the list anew. Nobody waits for it. */
export function refresh() {
  void list().catch((problem) => {
    // What matters is told where it matters; the list stays as it is.
    if (!(problem instanceof service.Problem)) throw problem;
  });
}

async function list() {
  const mine = (asked += 1);
  const search = $("session-search").value.trim();
  const { sessions } = await service.sessions(search);
  if (mine !== asked) return;
  all = sessions;
  showList(search !== "");
}

/** The list, in the language spoken. */
export function showList(searched = $("session-search").value.trim() !== "") {
  const focused = document.activeElement?.closest?.("#sessions a")?.getAttribute("href");
  $("sessions").replaceChildren(...all.map(entry));
  show($("sessions-none"), searched && all.length === 0);
  mark();
  if (focused) $("sessions").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

/** @param {Session} session */
function entry(session) {
  const title = make("span", { class: "name", dir: "auto" }, called(session));
  const signs = [
    session.pinned && make("span", { class: "pin", role: "img", "aria-label": say("pinned") }, "★"),
    session.running && make("span", { class: "dot running", role: "img", "aria-label": say("working") }),
  ];
  const about = session.found
    ? make("span", { class: "found quiet", dir: "auto" }, cleaned(session.found.text))
    : make("time", { class: "quiet", datetime: session.last_active }, day(new Date(session.last_active)));
  return make("li", {}, make("a", { href: place(session), "data-id": session.id }, title, signs, about));
}

/** The open one is marked, for the eye and for whoever hears the list. */
function mark() {
  for (const link of $("sessions").querySelectorAll("a")) {
    if (link.dataset.id === open?.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/** Does something that may be refused, and tells so. Whether it was done. */
async function done(what) {
  try {
    await what();
    refresh();
    tabs.tell("changed", { session: service.openSession() });
    return true;
  } catch (problem) {
    toast.failed(problem);
    return false;
  }
}

/** A new session; if the open one has nothing in it yet, that one. */
async function begin() {
  if (open !== null && open.turns === 0 && $("log").querySelector("article") === null) {
    location.hash = place(open);
    return void $("message").focus();
  }
  const empty = all.find((session) => session.turns === 0 && session.title === null && !session.running);
  if (empty) return void (location.hash = place(empty));
  await done(async () => {
    const { session } = await service.newSession();
    location.hash = place(session);
  });
}

/** Another session with the conversation before this turn; all of it if that is null. @param {number | null} turn */
export async function fork(turn) {
  const from = open;
  if (from === null) return;
  await done(async () => {
    const { session } = await service.forkSession(from.id, turn);
    location.hash = place(session);
    toast.note("fork_done");
  });
}

/** Takes a turn and all after it out of the open session, if that is as it was seen. @param {number} turn */
export async function rewind(turn) {
  await looking;
  const { id } = open;
  await service.rewindSession(id, turn, tag);
  keep(await service.sessionAndTag(id));
  refresh();
}

function rename() {
  const dialog = $("rename");
  $("rename-to").value = open?.title ?? "";
  dialog.returnValue = "no";
  dialog.showModal();
  $("rename-to").select();
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "yes") void label({ title: $("rename-to").value.trim() || null });
  }, { once: true });
}

function label(change) {
  const { id } = open;
  return done(async () => {
    await service.labelSession(id, change);
    const now = await service.sessionAndTag(id);
    if (open?.id === id) keep(now);
  });
}

async function end() {
  if (!(await confirmed("end_session"))) return;
  const { id, main } = open;
  const ended = await done(() => service.endSession(id));
  if (!ended) return;
  toast.note("end_session_done");
  forgetCurrent();
  if (main) window.dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = "#/";
}

/** Gives the open session as a file. */
async function save(markdown) {
  try {
    const { file, name } = await service.exported(open.id, markdown);
    const address = URL.createObjectURL(file);
    make("a", { href: address, download: name }).click();
    URL.revokeObjectURL(address);
  } catch (problem) {
    toast.failed(problem);
  }
}

/** Begins a session with the conversation of a file. */
async function load() {
  const [file] = $("session-file").files;
  $("session-file").value = "";
  if (!file) return;
  await done(async () => {
    const { session } = await service.imported(file);
    location.hash = place(session);
    toast.note("import_done");
  });
}

/** Something in the menu of the open session. */
function item(id, what) {
  $(id).addEventListener("click", () => {
    $("session-menu").hidePopover();
    if (open !== null) void what();
  });
}

setInterval(showCurrent, LOOK_MS);
$("new-session").addEventListener("click", () => void begin());
$("session-import").addEventListener("click", () => $("session-file").click());
$("session-file").addEventListener("change", () => void load());
$("session-search").addEventListener("input", settled(SEARCH_MS, refresh));
$("rename-no").addEventListener("click", () => $("rename").close("no"));
$("clear-history").addEventListener("click", () => $("session-menu").hidePopover());
item("session-rename", rename);
item("session-pin", () => label({ pinned: !open.pinned }));
item("session-fork", () => fork(null));
item("session-export-json", () => save(false));
item("session-export-markdown", () => save(true));
item("session-end", end);
