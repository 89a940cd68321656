// Turns that run or are orphaned now, and how they are stopped; and those of which it is not known what became of a change.

import { admin, ask, button, call, query, span, when } from "./admin_parts.mjs";
import { pages, table } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

/** Turns of one page. */
const PAGE = 50;
const STATES = { running: ["good", "turns_running"], stopping: ["warn", "turns_stopping"], orphaned: ["bad", "turns_orphaned"] };

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export function open(place, _path, signal) {
  const running = table(
    say("turns_title"),
    [
      { name: say("sessions_user"), of: sessionOf },
      { name: say("turns_state"), of: stateOf },
      { name: say("turns_age"), of: ({ age_seconds }) => (age_seconds === null ? "–" : span(age_seconds * 1000)), kind: "right" },
      { name: say("turns_holder"), of: ({ holder }) => (holder === null ? "–" : code(holder)) },
      { name: say("turns_lease"), of: ({ lease_ms_left }) => span(lease_ms_left), kind: "right" },
      { name: say("turns_run"), of: ({ run_id }) => code(run_id) },
      { name: say("admin_actions"), of: (run) => run.state !== "stopping" && button(say("turns_stop"), () => stop(run), { "aria-label": `${say("turns_stop")}: ${run.user_id} ${run.run_id}` }), kind: "does" },
    ],
    ({ run_id }) => run_id,
  );
  const list = pages({ signal, table: running, read: (cursor) => page("turns", "turns", cursor) });
  const unknown = table(
    say("unknown_title"),
    [
      { name: say("sessions_user"), of: sessionOf },
      { name: say("unknown_functions"), of: ({ functions }) => make("ul", { class: "plain-list" }, functions.map((name) => make("li", {}, code(name)))) },
      { name: say("unknown_ended"), of: ({ ended_at }) => when(ended_at) },
      { name: say("turns_run"), of: ({ run_id }) => code(run_id) },
    ],
    ({ run_id }) => run_id,
  );
  const unknowns = pages({ signal, table: unknown, read: (cursor) => page("unknown", "unknown", cursor) });
  place.append(list.element, make("h3", {}, say("unknown_title")), make("p", { class: "quiet" }, say("unknown_about")), unknowns.element);

  async function stop({ user_id, run_id }) {
    const act = async () => (await call("POST", admin("turns", run_id, "cancel"))).message;
    if (await ask({ title: say("turns_stop_title", user_id), about: say("turns_stop_about"), yes: say("turns_stop"), danger: true }, act)) await list.load();
  }
}

async function page(path, name, cursor) {
  const told = await call("GET", `${admin(path)}${query({ limit: PAGE, cursor })}`);
  return { rows: told[name], next: told.next_cursor };
}

/** @param {string} text */
const code = (text) => make("span", { class: "code" }, text);

/** @param {any} run */
function sessionOf({ user_id, session_id }) {
  return make("a", { href: `#/sessions/${encodeURIComponent(user_id)}/${encodeURIComponent(session_id)}`, dir: "auto" }, user_id);
}

/** @param {any} run */
function stateOf({ state }) {
  const [kind, text] = STATES[state] ?? ["warn", null];
  return make("span", { class: `badge ${kind}` }, text === null ? state : say(text));
}
