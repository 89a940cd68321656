// What begins and ends at all replicas, as the service tells it while this page is seen: one stream for all screens.

import { Problem, isStream, respond } from "./service.mjs";
import { events } from "./stream.mjs";

/** So many of the newest events are kept for whoever opens the screen that lists them. */
const KEPT = 200;
/** A stream that ended is taken up again after this time, in milliseconds; one that was refused, after the longer one. */
const AGAIN_MS = 2000;
const REFUSED_MS = 30_000;

/** Says `change` when something began or ended, and `state` when the stream came or went. */
export const feed = new EventTarget();

/** @typedef {{ n: number, at: string, name: string, data: any }} Happened */

/** The newest first. @type {Happened[]} */
const kept = [];
let count = 0;
/** @type {"away" | "watching" | "refused"} */
let state = "away";
/** Why it was refused. @type {unknown} */
let refusal = null;
/** The id with which the stream is taken up. @type {string | null} */
let last = null;
let stream = new AbortController();
let timer = 0;

export const happened = () => kept;
export const watching = () => ({ state, refusal });

/** Watches while the page is seen, from now on. */
export function watch() {
  document.addEventListener("visibilitychange", follow);
  follow();
}

/** Nobody looks at a page that is hidden, and a replica has only so many streams to give. */
function follow() {
  clearTimeout(timer);
  stream.abort();
  stream = new AbortController();
  if (!document.hidden) void read(stream.signal);
}

/** @param {AbortSignal} signal */
async function read(signal) {
  let pause = AGAIN_MS;
  try {
    const response = await respond("GET", "/api/admin/events", { signal, headers: { Accept: "text/event-stream, application/json;q=0.9", ...(last === null ? {} : { "Last-Event-ID": last }) } });
    if (!isStream(response)) throw new Problem({ status: response.status });
    for await (const event of events(response, signal)) {
      last = event.id ?? last;
      told(event.name, event.data);
    }
  } catch (problem) {
    if (signal.aborted) return;
    if (problem instanceof Problem && problem.signedOut) return void document.dispatchEvent(new Event("signed-out"));
    if (problem instanceof Problem && problem.status > 0) {
      pause = REFUSED_MS;
      refusal = problem;
      become("refused");
    }
  }
  if (signal.aborted) return;
  if (pause === AGAIN_MS) become("away");
  timer = window.setTimeout(() => void read(signal), pause);
}

/**
 * @param {string} name
 * @param {any} data
 */
function told(name, data) {
  if (name === "watching") become("watching");
  // Why a stream is over is told by the answer to the next attempt.
  if (name === "until" || name === "over" || (name === "watching" && !data.missed)) return;
  kept.unshift({ n: (count += 1), at: data.at ?? data.replica?.seen_at ?? new Date().toISOString(), name, data });
  kept.length = Math.min(kept.length, KEPT);
  feed.dispatchEvent(new Event("change"));
}

/** @param {typeof state} now */
function become(now) {
  state = now;
  feed.dispatchEvent(new Event("state"));
}
