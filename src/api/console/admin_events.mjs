// What begins and ends, as it happens: sessions, turns and replicas, at all replicas.

import { feed, happened, watching } from "./admin_live.mjs";
import { button, when, why } from "./admin_parts.mjs";
import { table } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

/** What has happened is shown after this time, in milliseconds: much may happen at once. */
const SHOWN_MS = 200;
const NAMED = new Set(["watching", "session_begun", "session_ended", "turn_begun", "turn_taken", "turn_ended", "replica_came", "replica_draining", "replica_gone"]);
/** How bad an outcome is. */
const KINDS = { answered: "good", cancelled: "warn", killed: "warn", unknown_outcome: "bad", failed: "bad" };

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export function open(place, _path, signal) {
  let paused = false;
  const status = make("p", { class: "quiet", role: "status" });
  const hold = button(say("events_pause"), () => {
    paused = !paused;
    hold.textContent = say(paused ? "events_go_on" : "events_pause");
    put();
  });
  const shown = table(
    say("events_title"),
    [
      { name: say("audit_at"), of: ({ at }) => when(at) },
      { name: say("audit_action"), of: ({ name }) => say(NAMED.has(name) ? `events_${name}` : "events_other", name) },
      { name: say("events_whose"), of: whose },
      { name: say("audit_details"), of: details },
    ],
    ({ n }) => String(n),
  );
  place.append(make("div", { class: "controls" }, hold), status, shown.element, shown.nothing);

  let timer = 0;
  const put = () => {
    timer = 0;
    if (!paused && !signal.aborted) shown.put(happened());
  };
  feed.addEventListener("change", () => (timer ||= window.setTimeout(put, SHOWN_MS)), { signal });
  feed.addEventListener("state", tell, { signal });
  tell();
  put();

  function tell() {
    const { state, refusal } = watching();
    status.textContent = state === "refused" ? why(refusal) : say(state === "watching" ? "events_connected" : "events_away");
  }
}

/** @param {any} event */
function whose({ data }) {
  if (data.user_id === undefined) return make("span", { class: "code" }, data.replica?.id ?? data.id ?? "–");
  return make("a", { href: `#/sessions/${encodeURIComponent(data.user_id)}/${encodeURIComponent(data.session_id)}`, dir: "auto" }, data.user_id);
}

/** @param {any} event */
function details({ data }) {
  const { outcome, error, why: reason, holder, run_id, replica } = data;
  const told = [
    outcome && make("span", { class: `badge ${KINDS[outcome] ?? "warn"}` }, outcome),
    [error, reason].filter(Boolean).join(" "),
    holder && make("span", { class: "code" }, holder),
    run_id && make("span", { class: "code" }, run_id),
    replica && `${replica.version} ${replica.address}`,
  ].filter(Boolean);
  return told.length === 0 ? "–" : make("div", { class: "pieces" }, told);
}
