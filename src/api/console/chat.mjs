// The conversation of the session that is open: loading it, saying something, changing what was said.

import * as conversation from "./conversation.mjs";
import { clock } from "./clock.mjs";
import { $, make, settled, show } from "./element.mjs";
import { examplesOf } from "./examples.mjs";
import * as service from "./service.mjs";
import * as sessions from "./sessions.mjs";
import * as tabs from "./tabs.mjs";
import { retell, spoken } from "./texts.mjs";
import * as toast from "./toast.mjs";
import * as turn from "./turn.mjs";

/** Messages of the history that are loaded at once. */
const PAGE = 60;
/** What is typed is kept once it has not changed for so long, in milliseconds. */
const DRAFT_MS = 200;
const DRAFT = "console.draft.";

let functions = [];
/** The question that was open when the history was read. @type {object | null} */
let question = null;
/** The number before which the next page of the history ends. @type {number | null} */
let nextBefore = null;
/** Opened sessions are counted: what comes late for one that was left is not shown. */
let opened = 0;
/** The turn that is said anew with the next message. @type {number | null} */
let editing = null;
/** Whether the conversation is about to be emptied: what would be sent now would be taken for a part of it and lost. */
let emptying = false;
/** Whether the open session is shown; what is sent before that is sent then. */
let ready = false;
let sendWhenReady = false;
/** Whose draft it is; known also when the sign-in has expired. */
let user = "";
/** What to do when the sign-in is not valid any more. */
let whenExpired = () => {};

/** @param {() => void} expired */
export function onExpiry(expired) {
  whenExpired = expired;
}

/** What the examples are made from. */
export function know(known) {
  functions = known;
  showWelcome();
}

/** @type {turn.Events} */
const events = {
  whenBegun: () => tabs.tell("changed", { session: service.openSession() }),
  whenExpired: () => whenExpired(),
  whenAnswered: answered,
  whenOver: reload,
  whenGone: gone,
  number: () => sessions.current()?.turns ?? null,
};

/** Opens a session; null is the one that everybody has. Whether it could be opened. @param {string | null} id */
export async function open(id) {
  const mine = (opened += 1);
  turn.leave();
  user = service.signedIn()?.user ?? user;
  service.useSession(id);
  sessions.forgetCurrent();
  stopEditing();
  conversation.clear();
  setOlder(null);
  ready = sendWhenReady = false;
  show($("welcome"), false);
  $("message").value = sessionStorage.getItem(draft()) ?? "";
  fit();
  focusMessage();
  const loaded = await loading(load);
  if (mine !== opened || !loaded) return false;
  const running = sessions.current()?.running;
  if (!turn.resume(events)) {
    if (running) void turn.watch(running, events);
    else askAgain(mine);
  }
  if (mine !== opened) return false;
  ready = true;
  showWelcome();
  conversation.toEnd();
  if (sendWhenReady) void send();
  return true;
}

/** Reads the open session anew: it went on elsewhere, or stopped. What is typed stays. */
export async function reload() {
  if (turn.isWorking()) return;
  const mine = opened;
  if (!(await loading(load)) || mine !== opened || turn.isWorking()) return;
  const running = sessions.current()?.running;
  if (running) void turn.watch(running, events);
  else askAgain(mine);
  showWelcome();
  sessions.refresh();
}

/** Reads the open session anew if it is not as it was seen last. */
export async function catchUp() {
  if (turn.isWorking() || emptying || sessions.current() === null) return;
  const [mine, before] = [opened, sessions.seen()];
  try {
    await sessions.loadCurrent();
  } catch (problem) {
    // Whatever else it is, nobody asked for this look.
    if (problem instanceof service.Problem && problem.signedOut) whenExpired();
    else if (problem instanceof service.Problem && problem.code === "session_not_found" && service.openSession() !== null) gone(problem);
    return;
  }
  if (mine === opened && sessions.seen() !== before) await reload();
}

/** Forgets what is shown and typed. */
export function leave() {
  opened += 1;
  ready = false;
  turn.leave();
  conversation.clear();
  stopEditing();
  sessions.forgetCurrent();
}

/** Whether it could be loaded; why not is told in the conversation. */
export async function loading(what) {
  try {
    await what();
    return true;
  } catch (problem) {
    if (!(problem instanceof service.Problem)) throw problem;
    if (problem.signedOut) whenExpired();
    else if (problem.code === "session_not_found" && service.openSession() !== null) gone(problem);
    else if ($("log").querySelector(".problem") === null) {
      const entry = conversation.addProblem(problem, { retry: () => void open(service.openSession()), again: false, put: () => entry.remove() });
    }
    return false;
  }
}

/** The open session is no more: on to the one that everybody has, with what was typed. */
function gone(problem, message = "") {
  const text = [message, $("message").value].filter(Boolean).join("\n");
  const main = `${DRAFT}${user}.main`;
  if (text !== "" && sessionStorage.getItem(main) === null) sessionStorage.setItem(main, text);
  toast.failed(problem);
  location.hash = "#/";
}

async function load() {
  const mine = opened;
  // Before the history: one that was asked behind it would be shown around an answer that is not its own.
  const { confirmations } = await service.openQuestions().catch(() => ({ confirmations: [] }));
  const [page] = await Promise.all([service.history(PAGE, null), sessions.loadCurrent()]);
  if (mine !== opened) return;
  [question = null] = confirmations;
  conversation.clear();
  addEarlier(page);
  conversation.toEnd();
}

function addEarlier(page) {
  conversation.addEarlier(page.history, page.next_before ?? sessions.current()?.first_turn ?? 0);
  setOlder(page.next_before);
}

async function loadOlder() {
  const mine = opened;
  $("older").disabled = true;
  await loading(async () => {
    const page = await service.history(PAGE, nextBefore);
    if (mine === opened) addEarlier(page);
  });
  $("older").disabled = false;
}

function setOlder(before) {
  nextBefore = before ?? null;
  show($("older"), nextBefore !== null);
}

/** The history does not tell whether its last answer was a question that is still open. */
function askAgain(mine) {
  if (question !== null && mine === opened && !turn.isWorking()) conversation.ask(question, decide);
}

// Saying something

async function answered(answer, pending, resumed) {
  const mine = opened;
  // After a reload the history may have had the turn already: it is read again, and the answer put in the place of its last one.
  if (resumed && (await loading(load)) && $("log").lastElementChild?.matches(".answer")) $("log").lastElementChild.remove();
  if (mine !== opened) return;
  conversation.closeQuestions(pending.approve === undefined ? "confirm_over" : pending.approve ? "confirm_sent" : "confirm_declined");
  const { message, timestamp, function_calls, usage, confirmation } = answer;
  const entry = conversation.addAnswer({ text: message, timestamp, calls: function_calls, usage, question: confirmation, decide });
  conversation.toBeginning(entry);
  showWelcome();
  tabs.tell("changed", { session: service.openSession() });
  // The next message may come before the session was looked at.
  const expected = sessions.grown(resumed ? 0 : 1);
  const now = await sessions.loadCurrent().catch(() => null);
  sessions.refresh();
  if (now === null || mine !== opened || turn.isWorking() || now.turns === expected) return;
  // Somebody else said something in between: then it is shown; or this turn was not kept, and has no number.
  if (now.turns > expected) await reload();
  else for (const said of [...$("log").querySelectorAll(".said")].slice(-1)) conversation.number(said, null);
}

function decide(id, approve) {
  if (turn.isWorking() || emptying) return;
  void turn.decide(id, approve, events);
}

async function send(event) {
  event?.preventDefault();
  const box = $("message");
  const message = box.value.trim();
  if (message === "" || turn.isWorking() || emptying) return;
  if (!ready) return void (sendWhenReady = true);
  // Problems of before are over with the next message, and so is what they would have sent again.
  turn.abandon();
  for (const old of $("log").querySelectorAll(".problem")) old.remove();
  if (editing !== null && !(await wound(editing))) return;
  stopEditing();
  box.value = "";
  sessionStorage.removeItem(draft());
  fit();
  box.focus();
  void turn.send(message, events);
  conversation.toEnd();
}

// Changing what was said

async function act(event) {
  const button = event.target.closest("[data-act]");
  const entry = button?.closest("[data-turn]");
  if (!entry || turn.isWorking() || emptying) return;
  const number = Number(entry.dataset.turn);
  const said = entry.querySelector(".bubble").textContent;
  if (button.dataset.act === "edit") edit(number, said);
  else if (button.dataset.act === "fork") await sessions.fork(number);
  else if ((await conversation.confirmed("rewind")) && (await wound(number))) {
    stopEditing();
    toast.note("rewind_done");
    showWelcome();
  }
}

function edit(number, said) {
  editing = number;
  $("message").value = said;
  for (const old of $("log").querySelectorAll(".edited")) old.classList.remove("edited");
  $("log").querySelector(`[data-turn="${number}"]`)?.classList.add("edited");
  show($("editing"), true);
  fit();
  $("message").focus();
}

function stopEditing() {
  editing = null;
  show($("editing"), false);
  for (const old of $("log").querySelectorAll(".edited")) old.classList.remove("edited");
}

/** Takes a turn and all after it out of the conversation; whether that was done. */
async function wound(number) {
  emptying = true;
  try {
    await sessions.rewind(number);
    conversation.cut(number);
    tabs.tell("changed", { session: service.openSession() });
    return true;
  } catch (problem) {
    toast.failed(problem);
    if (problem.code === "precondition_failed") await reload();
    return false;
  } finally {
    emptying = false;
  }
}

async function clearHistory() {
  if (!(await conversation.confirmed("clear_history"))) return;
  emptying = true;
  const done = await loading(async () => {
    await service.clearHistory();
    turn.abandon();
    await load();
  });
  emptying = false;
  if (done) {
    toast.note("clear_history_done");
    tabs.tell("changed", { session: service.openSession() });
    sessions.refresh();
    showWelcome();
  }
  focusMessage();
}

// The box

const draft = () => `${DRAFT}${user}.${service.openSession() ?? "main"}`;
const keepDraft = settled(DRAFT_MS, () => {
  if (!service.signedIn() && sessionStorage.length === 0) return;
  const text = $("message").value;
  if (text === "") sessionStorage.removeItem(draft());
  else sessionStorage.setItem(draft(), text);
});

/** The box is as high as its text, up to what the style sheet allows. */
function fit() {
  const lines = $("message").value.split("\n").length;
  $("message").rows = Math.min(8, Math.max(lines, Math.ceil($("message").value.length / 70), 1));
}

/** On a touch screen the keyboard would cover half of what there is to read. */
export function focusMessage() {
  if (matchMedia("(pointer: fine)").matches && $("screen").hidden) $("message").focus();
}

/** Examples, as long as nothing has been said. */
export function showWelcome() {
  const nothingSaid = ready && conversation.isEmpty() && !turn.isWorking();
  show($("welcome"), nothingSaid);
  if (!nothingSaid) return;
  const buttons = examplesOf(functions, spoken()).map((sentence) => {
    const button = make("button", { type: "button", class: "example", dir: "auto" }, sentence);
    button.addEventListener("click", () => {
      $("message").value = sentence;
      void send();
    });
    return button;
  });
  $("examples").replaceChildren(...buttons);
}

/** What is known of the API and the planner, and of the session that is open. */
export async function loadAbout() {
  const { api_info, agent_status } = await service.apiInfo();
  $("title").textContent = document.title = api_info.title || "Swagger API Agent";
  $("api-about").textContent = api_info.description ?? "";
  show($("api-about"), Boolean(api_info.description));
  $("api-version").textContent = api_info.version || "–";
  $("api-address").textContent = agent_status.api_base_url || "–";
  const offline = agent_status.planner === "offline";
  retell($("planner"), offline ? "badge_offline" : "badge_model");
  $("planner").classList.toggle("warn", offline);
  show($("planner"), true);
  show($("offline"), offline);
  retell($("session-planner"), offline ? "planner_offline" : "planner_model");
  show($("model-problem"), Boolean(agent_status.last_error));
  if (agent_status.last_error) retell($("model-problem"), agent_status.offline_fallback === "in_use" ? "model_away" : "model_problem", agent_status.last_error);
}

/** Until when somebody is signed in. */
export function showUntil() {
  const until = service.signedIn()?.until;
  $("session-until").textContent = until === undefined ? "–" : clock(new Date(until));
}

$("clear-history").addEventListener("click", clearHistory);
$("older").addEventListener("click", loadOlder);
$("composer").addEventListener("submit", send);
$("log").addEventListener("click", act);
$("editing-stop").addEventListener("click", () => {
  stopEditing();
  $("message").value = "";
  fit();
  keepDraft();
  $("message").focus();
});
$("message").addEventListener("input", () => {
  fit();
  keepDraft();
});
$("message").addEventListener("keydown", (event) => {
  // While an input method composes, Enter takes its candidate.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  void send(event);
});
