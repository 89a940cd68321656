// The functions of the API: looking for one, and calling it with a form.

import { callList } from "./calls.mjs";
import { fill, make, settled, show } from "./element.mjs";
import { schemaForm } from "./form.mjs";
import { cleaned, inline } from "./inline.mjs";
import * as service from "./service.mjs";
import * as tabs from "./tabs.mjs";
import { say, telling, translate } from "./texts.mjs";
import * as toast from "./toast.mjs";

/** The list shows at most so many; looking for one finds the others. */
const SHOWN_MAX = 300;
/** What is looked for is shown once nothing was typed for so long, in milliseconds. */
const SEARCH_MS = 120;

/** What is looked for stays while one function after the other is opened. */
let wanted = "";

/** Shows all functions, or the one whose name is given. */
export function open(place, rest, functions) {
  const name = plainly(rest);
  const one = functions.find((known) => known.name === name);
  place.replaceChildren(...(one ? detail(one) : list(functions, name)));
  translate(place);
  (one ? place : place.querySelector("input")).focus();
}

/** A part of an address as it was before it was escaped; as it is if it was not. */
function plainly(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function list(functions, unknown) {
  const search = make("input", { type: "search", id: "function-search", autocomplete: "off", spellcheck: "false", "data-label": "function_search", "data-placeholder": "function_search" });
  search.value = wanted;
  const found = make("ul", { id: "function-list" });
  const count = make("p", { class: "quiet", role: "status" });
  const look = () => {
    wanted = search.value;
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = functions.filter(({ name, description }) => {
      const text = `${name} ${description}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    found.replaceChildren(...hits.slice(0, SHOWN_MAX).map(line));
    count.textContent = hits.length > SHOWN_MAX ? say("functions_more", hits.length, SHOWN_MAX) : say("functions_found", hits.length);
  };
  search.addEventListener("input", settled(SEARCH_MS, look));
  look();
  const gone = unknown === "" ? null : telling("p", { class: "problem", role: "alert" }, "function_gone", unknown);
  return [back("#/", "conversation"), telling("h2", {}, "functions"), gone, search, count, found].filter((part) => part !== null);
}

function line({ name, description }) {
  const [first] = String(description ?? "").split("\n", 1);
  return make("li", {}, make("a", { href: `#/functions/${encodeURIComponent(name)}` }, make("strong", { class: "code" }, cleaned(String(name))), make("span", { class: "quiet", dir: "auto" }, cleaned(first))));
}

function back(href, name) {
  return make("p", {}, make("a", { href }, "← ", telling("span", {}, name)));
}

function detail({ name, description, parameters }) {
  const form = schemaForm(parameters ?? {});
  const button = telling("button", { type: "submit", class: "primary" }, "call_now");
  const result = make("div", { role: "status", class: "call-result" });
  const whole = make("form", { id: "call-form", novalidate: true }, form.element, make("div", { class: "buttons" }, button), telling("p", { class: "quiet" }, "call_about"), result);
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    void call(name, form, button, result);
  });
  const heading = make("h2", { class: "code" }, cleaned(String(name)));
  return [back("#/functions", "functions"), heading, make("p", { class: "about", dir: "auto" }, ...inline(String(description ?? ""))), whole];
}

/** One attempt after the other under one key, as long as nothing is known of what came of it. @type {{key: string, of: string} | null} */
let unanswered = null;

async function call(name, form, button, result) {
  const parameters = form.values();
  if (parameters === null) return;
  const of = JSON.stringify([name, parameters, service.openSession()]);
  if (unanswered?.of !== of) unanswered = { key: service.freshKey(), of };
  button.disabled = true;
  show(result, false);
  try {
    const told = await service.call(name, parameters, unanswered.key);
    unanswered = null;
    const cards = callList([{ ...told, call_info: { parameters, method: told.api_response?.method, url: told.api_response?.url } }]);
    cards.querySelector("details").open = true;
    result.replaceChildren();
    fill(result, [cards]);
    translate(result);
    show(result, true);
    result.scrollIntoView({ block: "nearest" });
    tabs.tell("changed", { session: service.openSession() });
  } catch (problem) {
    if (!(problem instanceof service.Problem)) throw problem;
    if (!problem.passes) unanswered = null;
    if (problem.problems.length > 0) form.complain(problem.problems);
    else toast.failed(problem);
  } finally {
    button.disabled = false;
  }
}
