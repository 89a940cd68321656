// Users: who there is and what they may do; adding, changing, disabling and removing them.

import { endAll } from "./admin_end.mjs";
import { admin, ask, button, call, query, when } from "./admin_parts.mjs";
import { pages, table } from "./admin_table.mjs";
import { accountFields, passwordFields } from "./admin_user_form.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

/** Users of one page. */
const PAGE = 25;

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export function open(place, _path, signal) {
  const shown = table(say("users_title"), columns(), (user) => user.username);
  const list = pages({ signal, table: shown, read, controls: [button(say("users_add"), add, { class: "primary" })] });
  place.append(list.element);

  /** @param {string | null} cursor */
  async function read(cursor) {
    const { users, next_cursor } = await call("GET", `/api/admin/users${query({ limit: PAGE, cursor })}`);
    return { rows: users, next: next_cursor };
  }

  /** @returns {import("./admin_table.mjs").Column<any>[]} */
  function columns() {
    return [
      { name: say("sessions_user"), of: ({ username }) => make("a", { href: `#/sessions/${encodeURIComponent(username)}`, dir: "auto" }, username) },
      { name: say("users_role"), of: ({ role }) => say(role === "admin" ? "users_role_admin" : "users_role_user") },
      { name: say("users_scopes"), of: scopesOf },
      { name: say("users_state"), of: stateOf },
      { name: say("users_created"), of: ({ created_at }) => when(created_at) },
      { name: say("admin_actions"), of: actsOn, kind: "does" },
    ];
  }

  function actsOn(user) {
    const { username } = user;
    const named = (text, does) => button(say(text), does, { "aria-label": `${say(text)}: ${username}` });
    return make(
      "div",
      { class: "buttons" },
      named("users_change", () => change(user)),
      named("users_reset", () => reset(username)),
      named("users_sessions", () => endAll(username, list.load)),
      named("users_remove", () => remove(username)),
    );
  }

  async function add() {
    const account = accountFields(null);
    const password = passwordFields();
    const act = async () => {
      return (await call("POST", admin("users"), { ...account.read(), ...password.read() })).message;
    };
    if (await ask({ title: say("users_add"), fields: [...account.fields, ...password.fields], yes: say("users_add") }, act)) await list.load();
  }

  async function change(user) {
    const account = accountFields(user);
    const act = async () => {
      const body = account.read();
      return Object.keys(body).length === 0 ? null : (await call("PATCH", admin("users", user.username), body)).message;
    };
    if (await ask({ title: say("users_change_title", user.username), fields: account.fields, yes: say("users_save") }, act)) await list.load();
  }

  async function reset(username) {
    const password = passwordFields();
    const act = async () => (await call("PATCH", admin("users", username), password.read())).message;
    const asked = { title: say("users_reset_title", username), about: say("users_reset_about", username), fields: password.fields, yes: say("users_reset"), danger: true };
    if (await ask(asked, act)) await list.load();
  }

  async function remove(username) {
    const act = async () => (await call("DELETE", admin("users", username))).message;
    if (await ask({ title: say("users_remove_title", username), about: say("users_remove_about", username), yes: say("users_remove"), danger: true }, act)) await list.load();
  }
}

function scopesOf({ scopes, scopes_of_role }) {
  if (scopes.length === 0) return make("span", { class: "quiet" }, say("users_scopes_none"));
  if (scopes_of_role) return make("span", { class: "quiet" }, say("users_scopes_of_role"));
  return make("ul", { class: "chips" }, scopes.map((scope) => make("li", { class: "code" }, scope)));
}

function stateOf({ disabled, must_change_password }) {
  if (disabled) return make("span", { class: "badge bad" }, say("users_disabled"));
  if (must_change_password) return make("span", { class: "badge warn" }, say("users_must_change"));
  return make("span", { class: "badge good" }, say("users_enabled"));
}
