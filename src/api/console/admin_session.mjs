// One session of somebody: what is known of it, its keys in the store, and, after a word of warning, what was said.

import { endAll, endOne } from "./admin_end.mjs";
import { admin, button, call, facts, number, problemPlace, query, span, when, why } from "./admin_parts.mjs";
import { table, whileSeen } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import { say } from "./texts.mjs";

/** Messages that are read at once: each reading is a record. */
const MESSAGES = 50;

/**
 * @param {HTMLElement} place
 * @param {string} user
 * @param {string} session
 * @param {AbortSignal} signal
 */
export function open(place, user, session, signal) {
  const problems = problemPlace();
  const about = make("div");
  const keys = table(
    say("session_keys"),
    [
      { name: say("session_key"), of: ({ name }) => make("span", { class: "code" }, name) },
      { name: say("session_type"), of: ({ type }) => type },
      { name: say("session_ttl"), of: ({ ttl_ms }) => (ttl_ms === null ? say("session_forever") : span(ttl_ms)), kind: "right" },
      { name: say("session_size"), of: ({ size_bytes }) => (size_bytes === null ? "–" : number(size_bytes)), kind: "right" },
    ],
    ({ name }) => name,
  );
  keys.element.hidden = true;
  const away = () => (location.hash = "#/sessions");
  const acts = make(
    "div",
    { class: "buttons" },
    button(say("sessions_end_one"), () => endOne(user, session, away), { class: "danger" }),
    button(say("sessions_end_all", user), () => endAll(user, away)),
  );
  place.append(
    make("p", {}, make("a", { href: "#/sessions" }, `← ${say("sessions_list")}`)),
    make("h3", { dir: "auto" }, say("session_title", user)),
    problems.element,
    about,
    acts,
    make("section", {}, make("h3", {}, say("session_keys")), keys.element, keys.nothing),
    make("section", {}, make("h3", {}, say("session_content")), content(user, session, signal)),
  );

  whileSeen(signal, async () => {
    try {
      const [told, stored] = await Promise.all([call("GET", admin("sessions", user, session)), call("GET", admin("sessions", user, session, "keys"))]);
      if (signal.aborted) return;
      about.replaceChildren(known(told));
      keys.put(stored.keys);
      problems.tell(null);
    } catch (problem) {
      if (!signal.aborted) problems.tell(why(problem));
    }
  });
}

function known({ session_info, running, totals }) {
  const { session_id, created_at, last_active, expires_at, conversation_length, last_turn_fingerprint } = session_info;
  return facts([
    [say("sessions_id"), make("span", { class: "code" }, session_id)],
    [say("sessions_created"), when(created_at)],
    [say("sessions_active"), when(last_active)],
    [say("sessions_expires"), when(expires_at)],
    [say("sessions_messages"), number(conversation_length)],
    [say("session_turns"), number(totals.turns)],
    [say("session_calls"), say("session_calls_of", number(totals.calls), number(totals.changing_calls))],
    [say("session_tokens"), say(totals.estimated ? "session_tokens_estimated" : "session_tokens_of", number(totals.prompt_tokens), number(totals.completion_tokens))],
    [say("session_running"), running === null ? say("session_idle") : make("span", { class: "code" }, running)],
    [say("session_served"), last_turn_fingerprint && make("span", { class: "code" }, last_turn_fingerprint)],
  ]);
}

/** Nothing is read before somebody says so. */
function content(user, session, signal) {
  const problems = problemPlace();
  const messages = make("ol", { class: "said-list" });
  let before = null;
  let read = false;
  const more = button(say("session_read"), async () => {
    more.disabled = true;
    try {
      const { history, next_before } = await call("GET", `${admin("sessions", user, session, "history")}${query({ limit: MESSAGES, before })}`);
      if (signal.aborted) return;
      messages.prepend(...history.map(message));
      if (!read && history.length === 0) messages.before(make("p", { class: "quiet" }, say("session_silent")));
      read = true;
      before = next_before;
      more.textContent = say("session_earlier");
      more.hidden = before === null;
      problems.tell(null);
    } catch (problem) {
      problems.tell(why(problem));
    } finally {
      more.disabled = false;
    }
  });
  return make("div", { class: "content" }, make("p", { class: "quiet" }, say("session_content_about")), problems.element, more, messages);
}

/** As it was written: what somebody else's model or API said is not rendered for an administrator. */
function message({ role, content, timestamp }) {
  const who = say(role === "user" ? "sessions_user" : "agent");
  return make("li", { class: role === "user" ? "asked" : "told" }, make("p", { class: "quiet" }, who, " · ", when(timestamp)), make("div", { dir: "auto", class: "words" }, cleaned(content)));
}
