// All users' sessions, newest activity first: found by their user, looked into, ended. The address of one leads to a screen of its own.

import { endOne } from "./admin_end.mjs";
import { admin, ask, button, call, field, number, query, when } from "./admin_parts.mjs";
import { pages, table } from "./admin_table.mjs";
import { open as openOne } from "./admin_session.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

/** Sessions of one page. */
const PAGE = 25;
/** After a key is pressed in the filter this time passes before it is asked for, in milliseconds. */
const TYPING_MS = 300;

/**
 * The list, or the one that the address names by user and id.
 * @param {HTMLElement} place
 * @param {string[]} path
 * @param {AbortSignal} signal
 */
export function open(place, path, signal) {
  const [user, session] = path;
  if (session !== undefined) return openOne(place, user, session, signal);

  const filter = /** @type {HTMLInputElement} */ (make("input", { id: "sessions-user", type: "search", autocapitalize: "none", spellcheck: "false", autocomplete: "off", maxlength: "64" }));
  filter.value = user ?? "";
  const option = (value, text) => make("option", { value }, say(text));
  const state = /** @type {HTMLSelectElement} */ (make("select", { id: "sessions-state" }, option("", "admin_all"), option("running", "sessions_running"), option("idle", "sessions_idle")));
  const shown = table(say("sessions_title"), columns(ended), (row) => row.name);
  const list = pages({ signal, table: shown, read, controls: [field(say("sessions_begins"), filter), field(say("sessions_state"), state), button(say("sessions_clean"), clean)] });
  let typing = 0;
  filter.addEventListener("input", () => {
    clearTimeout(typing);
    typing = window.setTimeout(list.first, TYPING_MS);
  });
  state.addEventListener("change", list.first);
  place.append(list.element);

  /** @param {string | null} cursor */
  async function read(cursor) {
    const { sessions_info, next_cursor } = await call("GET", `/api/admin/sessions${query({ limit: PAGE, cursor, user: filter.value.trim(), state: state.value })}`);
    const { total_sessions, active_sessions, sessions } = sessions_info;
    const rows = Object.entries(sessions).map(([name, session]) => rowOf(name, session));
    // Members of an object whose names are numbers come first, whatever order they were written in.
    rows.sort((a, b) => (a.last_active < b.last_active ? 1 : a.last_active > b.last_active ? -1 : 0));
    return { rows, next: next_cursor, summary: say("sessions_count", number(total_sessions), number(active_sessions)) };
  }

  function ended() {
    return list.load();
  }

  async function clean() {
    const act = async () => (await call("POST", admin("cleanup"))).message;
    if (await ask({ title: say("sessions_clean"), about: say("sessions_clean_about"), yes: say("sessions_clean") }, act)) await list.load();
  }
}

/** What is shown of a session, and nothing that changes while nothing happens. */
function rowOf(name, { user_id, session_id, created_at, last_active, conversation_length, expires_at }) {
  return { name, main: name === user_id, user_id, session_id, created_at, last_active, conversation_length, expires_at };
}

/** @param {() => Promise<void>} ended @returns {import("./admin_table.mjs").Column<any>[]} */
function columns(ended) {
  const address = ({ user_id, session_id }) => `#/sessions/${encodeURIComponent(user_id)}/${encodeURIComponent(session_id)}`;
  return [
    { name: say("sessions_user"), of: ({ user_id }) => make("bdi", {}, user_id) },
    { name: say("sessions_id"), of: (row) => make("a", { href: address(row), class: !row.main && "code" }, row.main ? say("sessions_main") : row.session_id) },
    { name: say("sessions_active"), of: (row) => when(row.last_active) },
    { name: say("sessions_created"), of: (row) => when(row.created_at) },
    { name: say("sessions_messages"), of: (row) => number(row.conversation_length), kind: "right" },
    { name: say("sessions_expires"), of: (row) => when(row.expires_at) },
    { name: say("admin_actions"), of: (row) => button(say("sessions_end"), () => endOne(row.user_id, row.session_id, ended), { "aria-label": `${say("sessions_end")}: ${row.name}` }), kind: "does" },
  ];
}
