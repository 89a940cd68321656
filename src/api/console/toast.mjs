// Short words at the edge of the page: what was done, or what failed and what to do.

import { $, make } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import { Problem } from "./service.mjs";
import { retell, telling, translate } from "./texts.mjs";

/** What was done is read in this time, in milliseconds; what failed stays until it is put away. */
const SHOWN_MS = 6000;

/** Says that something was done. */
export function note(name, ...values) {
  const entry = put("toast", telling("p", {}, name, ...values));
  entry.setAttribute("role", "status");
  setTimeout(() => entry.remove(), SHOWN_MS);
}

/** Says why something failed. */
export function failed(problem) {
  if (!(problem instanceof Problem)) throw problem;
  const why = make("p", { dir: "auto" }, cleaned(problem.sentence ?? ""));
  if (!problem.sentence) retell(why, problem.status === 0 ? "service_away_again" : "strange_answer", problem.status);
  const entry = put("toast problem", why, problem.requestId && telling("p", { class: "quiet code" }, "request_id", problem.requestId));
  entry.setAttribute("role", "alert");
}

function put(style, ...children) {
  const close = make("button", { type: "button", class: "plain" }, "×");
  close.dataset.label = "close";
  const entry = make("div", { class: style }, make("div", {}, ...children), close);
  close.addEventListener("click", () => entry.remove());
  translate(entry);
  $("toasts").append(entry);
  return entry;
}
