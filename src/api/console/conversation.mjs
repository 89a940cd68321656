// The conversation as it is seen: messages, answers, what is being worked on, and what went wrong.

import { callList } from "./calls.mjs";
import { $, make, show } from "./element.mjs";
import { render } from "./markdown.mjs";
import { retell, say, spoken, telling, translate } from "./texts.mjs";

/** How often a countdown looks at the time, in milliseconds. */
const TICK_MS = 250;

/** Empties it. */
export function clear() {
  $("log").replaceChildren();
}

/** Whether nothing was said: notes do not count. */
export const isEmpty = () => $("log").querySelector("article") === null;

/** Adds what the user said. */
export function addMessage(text, timestamp, where = "append") {
  const entry = make("article", { class: "said" }, telling("h3", { class: "unseen" }, "you"), make("div", { class: "bubble", dir: "auto" }, text));
  entry.append(foot(timestamp));
  $("log")[where](entry);
  return entry;
}

/** Adds an answer: of the history (`{ content, timestamp }`) or of a turn, which tells its calls too. */
export function addAnswer({ text, timestamp, calls, usage }, where = "append") {
  const entry = make("article", { class: "answer" }, telling("h3", { class: "unseen" }, "agent"));
  const list = callList(calls);
  if (list !== null) entry.append(list);
  entry.append(make("div", { class: "markdown" }, render(text)), foot(timestamp, usage, text));
  $("log")[where](entry);
  translate(entry);
  return entry;
}

/** Adds messages of the history before all others; what is in view stays where it is. */
export function addEarlier(messages) {
  const scroll = $("scroll");
  const fromEnd = scroll.scrollHeight - scroll.scrollTop;
  for (const { role, content, timestamp } of [...messages].reverse()) {
    if (role === "user") addMessage(content, timestamp, "prepend");
    else addAnswer({ text: content, timestamp }, "prepend");
  }
  scroll.scrollTop = scroll.scrollHeight - fromEnd;
}

/** A sign that an answer is being worked on; remove it when it is there. */
export function addWorking() {
  const dots = make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
  const entry = make("article", { class: "answer working" }, dots, telling("span", { class: "quiet" }, "working"));
  $("log").append(entry);
  toEnd();
  return entry;
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

/** The time of day, with the date if it is another day's. */
export function clock(when) {
  const today = when.toDateString() === new Date().toDateString();
  const locale = spoken() === "zh" ? "zh-CN" : "en-GB";
  return when.toLocaleString(locale, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** Brings the newest into view. */
export function toEnd() {
  const scroll = $("scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

/** Brings the beginning of an entry into view: a long answer is read from its beginning. */
export function toBeginning(entry) {
  const scroll = $("scroll");
  const top = entry.offsetTop - scroll.offsetTop;
  if (entry.offsetHeight > scroll.clientHeight) scroll.scrollTop = top - 16;
  else toEnd();
}

/** Asks before something that can't be undone; the answer is a promise of true or false. */
export function confirmed(name) {
  const dialog = $("confirm");
  $("confirm-question").textContent = say(`${name}_question`);
  $("confirm-about").textContent = say(`${name}_about`);
  $("confirm-yes").textContent = say(name);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
