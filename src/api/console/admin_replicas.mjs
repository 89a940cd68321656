// The replicas that are there: which version, since when, how much they do.

import { admin, call, number, when } from "./admin_parts.mjs";
import { pages, table } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export function open(place, _path, signal) {
  const shown = table(
    say("replicas_title"),
    [
      { name: say("replicas_id"), of: ({ id }) => make("span", { class: "code" }, id) },
      { name: say("users_state"), of: stateOf },
      { name: say("api_version"), of: ({ version }) => version },
      { name: say("replicas_address"), of: ({ address }) => make("span", { class: "code" }, address) },
      { name: say("replicas_since"), of: ({ started_at }) => when(started_at) },
      { name: say("replicas_seen"), of: ({ seen_at }) => when(seen_at) },
      { name: say("replicas_turns"), of: ({ turns_in_flight }) => number(turns_in_flight), kind: "right" },
      { name: say("replicas_streams"), of: ({ streams }) => number(streams), kind: "right" },
      { name: say("replicas_memory"), of: ({ memory_bytes }) => (memory_bytes === null ? "–" : `${number(Math.round(memory_bytes / 2 ** 20))} MiB`), kind: "right" },
    ],
    ({ id }) => id,
  );
  const read = async () => {
    const { replicas, count } = await call("GET", admin("replicas"));
    return { rows: replicas, next: null, summary: say("replicas_count", number(count), new Set(replicas.map(({ version }) => version)).size) };
  };
  place.append(pages({ signal, table: shown, read }).element);
}

/** @param {any} replica */
function stateOf({ draining }) {
  return make("span", { class: draining ? "badge warn" : "badge good" }, say(draining ? "replicas_draining" : "replicas_serving"));
}
