// What there is now, and what was counted hour by hour.

import { chart } from "./admin_chart.mjs";
import { admin, call, number, problemPlace, why } from "./admin_parts.mjs";
import { whileSeen } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

/** How runs end, with the text and the colour of each. */
const ENDINGS = [
  ["answered", "stats_answered", "good"],
  ["unknown_outcome", "stats_unknown", "warn"],
  ["failed", "stats_failed", "bad"],
  ["cancelled", "stats_cancelled", "calm"],
  ["killed", "stats_killed", "fifth"],
];

/**
 * @param {HTMLElement} place
 * @param {string[]} _path
 * @param {AbortSignal} signal
 */
export function open(place, _path, signal) {
  const problems = problemPlace();
  const tiles = make("dl", { class: "tiles" });
  const turns = chart(say("stats_turns"), ENDINGS.map(([ending, text, kind]) => ({ name: say(text), kind, of: ({ turns, direct_calls }) => turns[ending] + direct_calls[ending] })));
  const calls = chart(say("stats_calls"), [{ name: say("stats_calls"), kind: "good", of: (hour) => hour.calls }]);
  const tokens = chart(say("stats_tokens"), [
    { name: say("stats_prompt"), kind: "good", of: ({ prompt_tokens }) => prompt_tokens },
    { name: say("stats_completion"), kind: "fifth", of: ({ completion_tokens }) => completion_tokens },
  ]);
  const logins = chart(say("stats_logins"), [
    { name: say("stats_succeeded"), kind: "good", of: (hour) => hour.logins.succeeded },
    { name: say("stats_wrong"), kind: "bad", of: (hour) => hour.logins.failed },
    { name: say("stats_throttled"), kind: "warn", of: (hour) => hour.logins.throttled },
  ]);
  place.append(problems.element, tiles, turns.element, calls.element, tokens.element, logins.element);

  whileSeen(signal, async () => {
    try {
      const { sessions, totals, hours } = await call("GET", admin("stats"));
      if (signal.aborted) return;
      const ended = ENDINGS.reduce((sum, [ending]) => sum + totals.turns[ending] + totals.direct_calls[ending], 0);
      const [unknown, failed] = ["unknown_outcome", "failed"].map((ending) => totals.turns[ending] + totals.direct_calls[ending]);
      tiles.replaceChildren(
        tile("stats_active", sessions.active_sessions),
        tile("stats_sessions", sessions.total_sessions),
        tile("stats_runs", ended, hours.length),
        tile("stats_not_well", failed + unknown, hours.length),
        tile("stats_all_tokens", totals.prompt_tokens + totals.completion_tokens, hours.length),
      );
      for (const one of [turns, calls, tokens, logins]) one.put(hours);
      problems.tell(null);
    } catch (problem) {
      if (!signal.aborted) problems.tell(why(problem));
    }
  });
}

function tile(name, value, ...values) {
  return make("div", { class: "panel" }, make("dt", {}, say(name, ...values)), make("dd", {}, number(value)));
}
