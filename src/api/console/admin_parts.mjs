// What the administrator's screens are made of: requests, buttons, questions, notes, and how times are told.

import { $, make } from "./element.mjs";
import { Problem, request } from "./service.mjs";
import { say, spoken } from "./texts.mjs";

/** A toast goes by itself after this time, in milliseconds. */
const TOAST_MS = 6000;

/**
 * One request of the service. A sign-in that is over is told to the whole page, besides being thrown.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  try {
    return await request(method, path, { body });
  } catch (problem) {
    if (problem instanceof Problem && problem.signedOut) document.dispatchEvent(new Event("signed-out"));
    throw problem;
  }
}

/**
 * A path of the service, with each part as one segment.
 * @param {...string} parts
 */
export const admin = (...parts) => `/api/admin/${parts.map(encodeURIComponent).join("/")}`;

/**
 * `?a=b` of those that have a value.
 * @param {Record<string, string | number | null | undefined>} values
 */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * Why something failed, as a sentence.
 * @param {unknown} problem
 */
export function why(problem) {
  if (!(problem instanceof Problem)) throw problem;
  const told = problem.sentence ?? (problem.status === 0 ? say("service_away") : say("strange_answer", problem.status));
  return problem.requestId ? `${told} (${say("request_id", problem.requestId)})` : told;
}

/**
 * A button that does something.
 * @param {string} text what stands on it
 * @param {() => unknown} act
 * @param {Record<string, unknown>} [attributes]
 */
export function button(text, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", () => act());
  return element;
}

/**
 * A labelled field; the label follows a checkbox and stands before everything else.
 * @param {string} text
 * @param {HTMLElement} input has an id
 * @param {string} [hint]
 */
export function field(text, input, hint) {
  const label = make("label", { for: input.id }, text);
  const checks = input.getAttribute("type") === "checkbox";
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return make("div", { class: checks ? "entry check" : "entry" }, checks ? [input, label] : [label, input], hint && make("p", { id: `${input.id}-hint`, class: "quiet" }, hint));
}

/**
 * Pairs of names and values.
 * @param {[string, unknown][]} pairs those whose value is null are left out
 */
export function facts(pairs) {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined);
  return make("dl", { class: "facts" }, told.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/**
 * Says something for a while.
 * @param {string} text
 */
export function toast(text) {
  const note = make("p", { class: "done" }, text);
  $("admin-toasts").append(note);
  setTimeout(() => note.remove(), TOAST_MS);
}

/**
 * A place for problems: hidden until there is one.
 * @returns {{ element: HTMLElement, tell: (sentence: string | null) => void }}
 */
export function problemPlace() {
  const element = make("p", { class: "problem", role: "alert", hidden: true });
  const tell = (sentence) => {
    element.textContent = sentence ?? "";
    element.hidden = sentence === null;
  };
  return { element, tell };
}

/**
 * Asks, and does it if the answer is yes. What goes wrong is told in the question, which stays; the focus comes back to where it was.
 * @param {object} asked
 * @param {string} asked.title
 * @param {string | null} [asked.about]
 * @param {HTMLElement[]} [asked.fields] of the form
 * @param {string} asked.yes what the button says
 * @param {boolean} [asked.danger] whether it cannot be undone
 * @param {() => Promise<string | null | undefined>} act gives what is to be said when it is done
 * @returns {Promise<boolean>} whether it was done
 */
export function ask({ title, about = null, fields = [], yes, danger = false }, act) {
  const problems = problemPlace();
  const no = button(say("cancel"), () => dialog.close(), fields.length === 0 ? { autofocus: true } : {});
  const go = make("button", { type: "submit", class: danger ? "danger" : "primary" }, yes);
  const form = make("form", {}, make("h2", { id: "ask-title" }, title), about && make("p", { id: "ask-about" }, about), fields, problems.element, make("div", { class: "buttons" }, no, go));
  const dialog = make("dialog", { class: "ask", "aria-labelledby": "ask-title", "aria-describedby": about && "ask-about" }, form);
  let done = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    problems.tell(null);
    try {
      const told = await act();
      done = true;
      dialog.close();
      if (told) toast(told);
    } catch (problem) {
      problems.tell(why(problem));
    } finally {
      go.disabled = false;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener(
      "close",
      () => {
        dialog.remove();
        resolve(done);
      },
      { once: true },
    ),
  );
}

const locale = () => (spoken() === "zh" ? "zh-CN" : "en-GB");

/**
 * A time as people tell it: the date is left out of today's.
 * @param {string | null | undefined} timestamp RFC 3339
 */
export function when(timestamp) {
  const at = new Date(timestamp ?? NaN);
  if (Number.isNaN(at.getTime())) return "–";
  const today = at.toDateString() === new Date().toDateString();
  const short = at.toLocaleString(locale(), today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
  return make("time", { datetime: at.toISOString(), title: at.toLocaleString(locale(), { dateStyle: "full", timeStyle: "long" }) }, short);
}

/**
 * The time of day, to the second.
 * @param {Date} at
 */
export const clock = (at) => at.toLocaleTimeString(locale(), { timeStyle: "medium" });

/** @param {number} n */
export const number = (n) => n.toLocaleString(locale());

/**
 * A span of time in its largest two units.
 * @param {number} ms
 */
export function span(ms) {
  const secs = Math.max(0, Math.round(ms / 1000));
  const parts = [Math.floor(secs / 86400), Math.floor(secs / 3600) % 24, Math.floor(secs / 60) % 60, secs % 60];
  const units = say("admin_span_units").split(" ");
  const first = Math.min(Math.max(0, parts.findIndex((part) => part > 0)), 3);
  const from = parts.every((part) => part === 0) ? 3 : first;
  return parts
    .slice(from, from + 2)
    .map((part, n) => `${part} ${units[from + n]}`)
    .join(" ");
}
