// What an answer did: one foldable line for each call of a function.

import { make } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import { render } from "./markdown.mjs";
import { telling } from "./texts.mjs";

/** More of one value is not shown, in characters. */
const VALUE_CHARS_MAX = 20_000;
/** More of a name, an address or a sentence is not shown, in characters. */
const LINE_CHARS_MAX = 2_000;

/** The calls of an answer, or null if it made none. */
export function callList(calls) {
  if (!Array.isArray(calls) || calls.length === 0) return null;
  return make("div", { class: "calls" }, ...calls.map(call));
}

/** What a call came to where the API gave no status, by what the service says of a call that was not sent, or of what came of it. */
const WITHOUT_STATUS = { awaiting_confirmation: "asks_first", declined: "declined", unknown: "outcome_unknown" };

function call({ function_name, success, state, call_info, api_response, markdown_result, error, unsent }) {
  const method = call_info?.method ?? api_response?.method;
  const url = call_info?.url ?? api_response?.url;
  const status = api_response?.status_code;
  const summary = make(
    "summary",
    {},
    make("span", { class: `dot ${success ? "good" : unsent || state === "unknown" ? "open" : "bad"}` }),
    make("strong", {}, line(function_name)),
    method && make("span", { class: "code method" }, line(method)),
    url && make("span", { class: "code path" }, pathOf(line(url))),
    status === undefined ? telling("span", { class: "status" }, success ? "done" : WITHOUT_STATUS[unsent ?? state] ?? "failed") : make("span", { class: "status code" }, line(status)),
  );
  const about = make("div", { class: "about" });
  if (url) about.append(make("p", { class: "code address" }, line(`${method ?? ""} ${url}`.trim())));
  if (call_info) about.append(telling("h4", {}, "parameters"), parameters(call_info.parameters));
  if (error && !unsent) about.append(telling("h4", {}, "problem"), make("p", { dir: "auto" }, line(error)));
  if (api_response) about.append(telling("h4", {}, "result"), ...value(api_response.data));
  else if (markdown_result) about.append(telling("h4", {}, "result"), make("div", { class: "markdown" }, render(markdown_result)));
  return make("details", { class: "call" }, summary, about);
}

function parameters(given) {
  const pairs = Object.entries(given ?? {});
  if (pairs.length === 0) return telling("p", { class: "quiet" }, "no_parameters");
  const told = pairs.flatMap(([name, what]) => [make("dt", { class: "code" }, line(name)), make("dd", { class: "code" }, line(typeof what === "string" ? what : JSON.stringify(what)))]);
  return make("dl", {}, ...told);
}

function value(data) {
  const text = typeof data === "string" ? data : JSON.stringify(data, null, 2) ?? "";
  const shown = make("pre", { tabindex: 0 }, make("code", {}, cleaned(text.slice(0, VALUE_CHARS_MAX))));
  const more = text.length - VALUE_CHARS_MAX;
  return more > 0 ? [shown, telling("p", { class: "quiet" }, "shortened", more)] : [shown];
}

/** Foreign text for one place: what would turn its direction around is made visible, and it ends with `…` where it was cut. */
function line(text) {
  const clean = cleaned(String(text));
  return clean.length > LINE_CHARS_MAX ? `${clean.slice(0, LINE_CHARS_MAX)}…` : clean;
}

/** The path and query of an address; the address itself if it is none. */
function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return pathname + search;
  } catch {
    return url;
  }
}
