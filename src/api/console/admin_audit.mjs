// Who did what: the audit log, newest first.

import { call, field, query, when } from "./admin_parts.mjs";
import { pages, table } from "./admin_table.mjs";
import { ACTIONS } from "./admin_texts.mjs";
import { make } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import { say, spoken } from "./texts.mjs";

/** Records of one page. */
const PAGE = 50;

/** @param {string} action as the service names it */
const named = (action) => ACTIONS[action]?.[spoken() === "zh" ? 1 : 0] ?? action;

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export function open(place, _path, signal) {
  const user = /** @type {HTMLInputElement} */ (make("input", { id: "audit-user", type: "search", autocapitalize: "none", spellcheck: "false", autocomplete: "off", maxlength: "64" }));
  const options = Object.keys(ACTIONS).map((action) => make("option", { value: action }, named(action)));
  const action = /** @type {HTMLSelectElement} */ (make("select", { id: "audit-action" }, make("option", { value: "" }, say("admin_all")), options));
  const since = /** @type {HTMLInputElement} */ (make("input", { id: "audit-since", type: "datetime-local" }));

  const nobody = () => make("span", { class: "quiet" }, say("audit_nobody"));
  const shown = table(
    say("audit_title"),
    [
      { name: say("audit_at"), of: ({ at }) => when(at) },
      { name: say("audit_action"), of: (record) => named(record.action) },
      { name: say("audit_by"), of: ({ by }) => (by === null ? nobody() : make("bdi", {}, cleaned(by))) },
      { name: say("audit_user"), of: ({ user: whom }) => (whom === null ? "–" : make("bdi", {}, cleaned(whom))) },
      { name: say("audit_details"), of: ({ details }) => told(details) },
    ],
    ({ id }) => id,
  );
  const list = pages({ signal, table: shown, read, controls: [field(say("audit_of"), user), field(say("audit_action"), action), field(say("audit_since"), since)] });
  for (const control of [user, action, since]) control.addEventListener("change", list.first);
  place.append(list.element);

  /** @param {string | null} cursor */
  async function read(cursor) {
    const from = since.value === "" ? null : new Date(since.value).toISOString();
    const { records, next_cursor } = await call("GET", `/api/admin/audit${query({ limit: PAGE, cursor, user: user.value.trim(), action: action.value, since: from })}`);
    return { rows: records, next: next_cursor };
  }
}

/** @param {Record<string, string>} details */
function told(details) {
  const pairs = Object.entries(details);
  if (pairs.length === 0) return "–";
  return make("ul", { class: "plain-list" }, pairs.map(([name, value]) => make("li", {}, make("span", { class: "quiet" }, `${name}: `), make("bdi", {}, cleaned(value)))));
}
