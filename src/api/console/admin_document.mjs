// What came of reading the documents, API by API, and reading them again.

import { ask, button, call, facts, problemPlace, query, when, why } from "./admin_parts.mjs";
import { still } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import { say } from "./texts.mjs";

/** Entries of every list that are fetched at once. */
const PAGE = 100;
/** A list of no more than so many stands open. */
const OPEN_MAX = 10;

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export async function open(place, _path, signal) {
  const problems = problemPlace();
  const report = make("div", { class: "report" });
  place.append(make("div", { class: "controls" }, button(say("document_reload"), reload, { class: "primary" })), problems.element, report);
  await load(0);

  /** @param {number} offset */
  async function load(offset) {
    try {
      const told = await call("GET", `/api/admin/openapi${query({ limit: PAGE, offset })}`);
      if (signal.aborted) return;
      const failure = told.last_reload_failure;
      const more = told.next_offset === null ? [] : [button(say("admin_next"), () => load(told.next_offset))];
      const back = offset === 0 ? [] : [button(say("admin_previous"), () => load(Math.max(0, offset - PAGE)))];
      report.replaceChildren(...(failure === null ? [] : [failed(failure)]), ...told.apis.map(shown), make("div", { class: "pager" }, back, more));
      problems.tell(null);
    } catch (problem) {
      if (!signal.aborted) problems.tell(why(problem));
    }
  }

  async function reload() {
    const act = async () => (await call("POST", "/api/admin/openapi/reload")).message;
    await ask({ title: say("document_reload"), about: say("document_reload_about"), yes: say("document_reload") }, act);
    // A reload that failed is told in the report too.
    await load(0);
  }
}

function failed({ at, problems }) {
  const [before, after] = say("document_failure", "\u0000").split("\u0000");
  return make("div", { class: "problem" }, make("p", {}, before, when(at), after), make("ul", {}, problems.map((problem) => make("li", {}, cleaned(problem)))));
}

function shown(api) {
  const code = (text) => make("span", { class: "code" }, cleaned(text));
  const lists = [
    list("document_set_aside", api.set_aside, api.operations_set_aside, [["document_operation", ({ operation }) => code(operation)], ["document_reason", ({ reason }) => cleaned(reason)]]),
    list("document_filtered", api.filtered, api.operations_filtered, [["document_operation", ({ operation }) => code(operation)], ["document_rule", ({ rule }) => code(rule)]]),
    list("document_named", api.names_given, api.operations_named, [
      ["document_operation", ({ operation }) => code(operation)],
      ["document_id", ({ operation_id }) => (operation_id === null ? "–" : code(operation_id))],
      ["document_name", ({ name }) => code(name)],
    ]),
    list("document_warnings", api.warnings, api.warning_texts, [["document_warnings", (text) => cleaned(text)]]),
  ].filter((one) => one !== null);
  return make(
    "section",
    { class: "panel" },
    make("h3", { dir: "auto" }, cleaned(`${api.name ? `${api.name}: ` : ""}${api.title} ${api.version}`)),
    facts([
      [say("document_usable"), say("document_of", api.usable, api.operations)],
      [say("api_address"), code(api.base_url)],
      [say("document_file"), code(api.document)],
      [say("document_spec"), `OpenAPI ${api.openapi}`],
      [say("document_print"), code(api.fingerprint)],
      [say("document_since"), when(api.served_since)],
    ]),
    lists.length === 0 ? make("p", { class: "quiet" }, say("document_clean")) : lists,
  );
}

/**
 * @param {string} name
 * @param {number} count of all, which may be more than the rows
 * @param {any[]} rows
 * @param {[string, (row: any) => unknown][]} columns
 */
function list(name, count, rows, columns) {
  if (count === 0) return null;
  const shown = still(say(name), columns.map(([text, of]) => ({ name: say(text), of })), rows);
  return make("details", { class: "fold", open: count <= OPEN_MAX }, make("summary", {}, say(name), " ", make("span", { class: "count" }, String(count))), shown);
}
