// The conversation as it is seen: messages, answers, what is being worked on, and what went wrong.

import { callList } from "./calls.mjs";
import { clock } from "./clock.mjs";
import { closeCard, confirmationCard } from "./confirmation.mjs";
import { $, make, show } from "./element.mjs";
import { render } from "./markdown.mjs";
import { retell, say, telling, translate } from "./texts.mjs";

/** How often a countdown looks at the time, in milliseconds. */
const TICK_MS = 250;
/** Room above an entry whose beginning is shown, in CSS pixels. */
const ROOM_PX = 16;

/** Empties it. */
export function clear() {
  $("log").replaceChildren();
}

/** Whether nothing was said: notes do not count. */
export const isEmpty = () => $("log").querySelector("article") === null;

/** What can be done with a message of the history; the conversation says what that is (`data-act`). */
const ACTS = ["edit", "fork", "rewind"];

/**
 * Adds what the user said. `turn` is its number, null where that is not known: then nothing can be done with it.
 * @param {string} text @param {string} timestamp @param {number | null} [turn] @param {"append" | "prepend"} [where]
 */
export function addMessage(text, timestamp, turn = null, where = "append") {
  const entry = make("article", { class: "said" }, telling("h3", { class: "unseen" }, "you"), make("div", { class: "bubble", dir: "auto" }, text));
  const line = foot(timestamp);
  const acts = ACTS.map((act) => telling("button", { type: "button", class: "plain", "data-act": act }, `act_${act}`));
  line.append(make("span", { class: "acts" }, acts));
  entry.append(line);
  number(entry, turn);
  $("log")[where](entry);
  return entry;
}

/** Says which turn an entry belongs to, or that it is not known. @param {number | null} turn */
export function number(entry, turn) {
  if (turn === null) delete entry.dataset.turn;
  else entry.dataset.turn = String(turn);
}

/** Takes a turn and all after it out of what is seen. */
export function cut(turn) {
  const first = $("log").querySelector(`[data-turn="${turn}"]`);
  while (first?.nextElementSibling) first.nextElementSibling.remove();
  first?.remove();
}

/** Calls but those that wait for a yes. @param {any[]} [calls] */
const withoutWaiting = (calls) => calls?.filter(({ unsent }) => unsent !== "awaiting_confirmation");

/**
 * Adds an answer with its calls: of the history, or of a turn, which tells as well what it cost and what it asks before something is sent.
 * @param {{text: string, timestamp: string, calls?: any[], usage?: any, question?: any, decide?: (id: string, approve: boolean) => void}} answer
 * @param {"append" | "prepend"} [where]
 */
export function addAnswer({ text, timestamp, calls, usage, question, decide }, where = "append") {
  const entry = make("article", { class: "answer" }, telling("h3", { class: "unseen" }, "agent"));
  // Calls that wait are what the card is about.
  const list = callList(question ? withoutWaiting(calls) : calls);
  if (list !== null) entry.append(list);
  // A replica of the release before tells no question beside the text.
  const content = make("div", { class: "markdown" }, render(question?.question ?? text));
  entry.append(question ? confirmationCard(question, content, decide) : content, foot(timestamp, usage, text));
  $("log")[where](entry);
  translate(entry);
  return entry;
}

/** The question that is open, as a card: it belongs to the newest answer. */
export function ask(question, decide) {
  const newest = $("log").lastElementChild;
  const content = newest?.querySelector(":scope > .markdown");
  if (!content || newest.matches(".working")) return;
  const foot = newest.lastElementChild;
  if (question.question) content.replaceChildren(render(question.question));
  content.remove();
  foot.before(confirmationCard(question, content, decide));
  translate(newest);
}

/** The questions asked so far are decided, or over. */
export function closeQuestions(why) {
  for (const card of $("log").querySelectorAll(".confirmation")) closeCard(card, why);
}

/** Adds messages of the history before all others, two a turn, the first of which has the number `turn`; what is in view stays where it is. */
export function addEarlier(messages, turn) {
  const scroll = $("scroll");
  const fromEnd = scroll.scrollHeight - scroll.scrollTop;
  messages
    .map((message, n) => ({ ...message, turn: turn + Math.floor(n / 2) }))
    .reverse()
    .forEach(({ role, content, timestamp, function_calls, turn: its }) => {
      if (role === "user") addMessage(content, timestamp, its, "prepend");
      // Calls that wait are what the answer itself is about.
      else addAnswer({ text: content, timestamp, calls: withoutWaiting(function_calls) }, "prepend");
    });
  scroll.scrollTop = scroll.scrollHeight - fromEnd;
}

/** Adds an entry at the end and keeps it in view while it grows, as long as its beginning can be seen. */
export function add(entry) {
  $("log").append(entry);
  toBeginning(entry);
}

/**
 * Tells why there is no answer. Retrying waits as long as the service asked; `again` does it by itself when that time is over.
 * Gives the entry; `put` puts the message back into the box.
 */
export function addProblem(problem, { retry, again, put }) {
  const entry = make("article", { class: "answer problem", role: "alert" });
  entry.append(problem.sentence ? make("p", { dir: "auto" }, problem.sentence) : unexplained(problem));
  if (problem.requestId) entry.append(telling("p", { class: "quiet code" }, "request_id", problem.requestId));
  const buttons = make("div", { class: "buttons" });
  if (problem.passes) buttons.append(retryButton(problem.retryAfterSecs ?? 0, entry, retry, again));
  const edit = telling("button", { type: "button" }, "put_back");
  edit.addEventListener("click", put);
  buttons.append(edit);
  entry.append(buttons);
  $("log").append(entry);
  toEnd();
  return entry;
}

function unexplained({ status }) {
  return status === 0 ? telling("p", {}, "unreachable") : telling("p", {}, "strange_answer", status);
}

/** A button that waits. The seconds are not read out one by one. */
function retryButton(secs, entry, retry, again) {
  const button = telling("button", { type: "button", class: "primary" }, "retry");
  button.addEventListener("click", retry);
  const until = Date.now() + secs * 1000;
  if (secs === 0) return button;
  button.setAttribute("aria-live", "off");
  button.disabled = true;
  retell(button, again ? "retry_in" : "retry_wait", secs);
  const ticking = setInterval(() => {
    const left = Math.ceil((until - Date.now()) / 1000);
    // A problem that is no longer shown was dealt with in another way.
    if (!entry.isConnected || left <= 0) clearInterval(ticking);
    if (!entry.isConnected) return;
    if (left > 0) return void retell(button, again ? "retry_in" : "retry_wait", left);
    button.disabled = false;
    retell(button, "retry");
    if (again) retry();
  }, TICK_MS);
  return button;
}

/** One quiet line that something was done. */
export function addNote(name) {
  $("log").append(telling("p", { class: "note" }, name));
}

/** @param {string} timestamp @param {any} [usage] @param {string} [copied] */
function foot(timestamp, usage, copied) {
  const line = make("footer", { class: "quiet" });
  const when = new Date(timestamp ?? NaN);
  if (!Number.isNaN(when.getTime())) line.append(make("time", { datetime: when.toISOString() }, clock(when)));
  if (usage) line.append(telling("span", {}, "tokens", usage.total_tokens, usage.prompt_tokens, usage.completion_tokens));
  if (copied) line.append(copyButton(copied));
  return line;
}

function copyButton(text) {
  const button = telling("button", { type: "button", class: "plain" }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      retell(button, "copied");
      setTimeout(() => retell(button, "copy"), 1500);
    } catch {
      // Without HTTPS a page may not write to the clipboard; the text can be marked and copied by hand.
      show(button, false);
    }
  });
  return button;
}

/** What stays in view while heights change: the beginning of this entry, the end if it is null, nothing once somebody scrolls. @type {HTMLElement | null | undefined} */
let kept;
/** Where that was put, and how high all was then. */
let [top, height] = [0, 0];

function keepInView() {
  if (kept === undefined) return;
  const scroll = $("scroll");
  const end = scroll.scrollHeight - scroll.clientHeight;
  scroll.scrollTop = kept?.isConnected ? Math.min(end, kept.offsetTop - scroll.offsetTop - ROOM_PX) : end;
  [top, height] = [scroll.scrollTop, scroll.scrollHeight];
}

/** Whatever moved it, it was not a change of heights: somebody wants to see something else. */
function moved() {
  const scroll = $("scroll");
  if (scroll.scrollHeight === height && Math.abs(scroll.scrollTop - top) > 1) kept = undefined;
}

/** Brings the newest into view. */
export function toEnd() {
  kept = null;
  keepInView();
}

/** Brings the beginning of an entry into view: a long answer is read from its beginning. */
export function toBeginning(entry) {
  kept = entry;
  keepInView();
}

// Entries have their real height only when they come near.
const heights = new ResizeObserver(keepInView);
for (const id of ["log", "scroll"]) heights.observe($(id));
$("scroll").addEventListener("scroll", moved, { passive: true });
for (const moves of ["wheel", "touchstart", "pointerdown", "keydown"]) $("scroll").addEventListener(moves, () => (kept = undefined), { passive: true });

/** Asks before something that can't be undone; the answer is a promise of true or false. @param {string} name */
export function confirmed(name) {
  const dialog = $("confirm");
  $("confirm-question").textContent = say(`${name}_question`);
  $("confirm-about").textContent = say(`${name}_about`);
  $("confirm-yes").textContent = say(name);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
