// A run as server-sent events, read to its end; a stream that breaks off is taken up again behind the last event that came.

import * as service from "./service.mjs";

/** The service says something every ten seconds; a stream that is silent for longer than this is given up, in milliseconds. */
const SILENCE_MS_MAX = 30_000;
/** Waits between attempts grow from the first of these to the second, in milliseconds. */
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 10_000;
/** A stream that cannot be taken up again for so long is given up, in milliseconds. */
const LOST_MS_MAX = 10 * 60 * 1000;
/** Errors that say that another replica goes on with the run. */
const GOES_ON = new Set(["handed_over", "draining"]);
/** A stream tells errors without a status; after these what is asked again may succeed. */
const PASSING = new Set(["store_unavailable", "storage_not_durable", "model_unavailable", "internal_error"]);

/**
 * The answer of a run. `first` gives the response that begins the stream, or the answer itself where it is not streamed. `told` hears each
 * event by its name and data, and `lost` and `back` when the connection breaks and is there again.
 * @param {() => Promise<Response>} first
 * @param {(name: string, data: any) => void} told
 * @param {AbortSignal} signal
 */
export async function toEnd(first, told, signal) {
  let response = await first();
  if (!service.isStream(response)) return service.answerOf(response);
  let run = null;
  let last = null;
  for (;;) {
    try {
      for await (const event of events(response, signal)) {
        run = event.data.run_id ?? run;
        if (event.name === "done") return event.data;
        if (event.name === "error" && GOES_ON.has(event.data.code)) break;
        if (event.name === "error") throw service.problemOf(event.data, PASSING.has(event.data.code) ? 503 : 409);
        last = event.id ?? last;
        told(event.name, event.data);
      }
    } catch (problem) {
      if (problem instanceof service.Problem || signal.aborted) throw problem;
    }
    // Nothing is known of it yet: the same request under the same key finds it.
    if (run === null) throw new service.Problem({});
    told("lost", {});
    response = await again(run, last, signal);
    told("back", {});
  }
}

/** The stream once more, as soon as it can be had. */
async function again(run, last, signal) {
  const since = Date.now();
  for (let pause = PAUSE_MS_MIN; ; pause = Math.min(pause * 2, PAUSE_MS_MAX)) {
    await paused(pause, signal);
    try {
      return await service.follow(run, last, signal);
    } catch (problem) {
      if (signal.aborted || !problem.passes || Date.now() - since > LOST_MS_MAX) throw problem;
    }
  }
}

/** Waits, but not longer than until the browser is online again. @param {AbortSignal} signal @returns {Promise<void>} */
function paused(ms, signal) {
  return new Promise((resolve, reject) => {
    const over = () => {
      clearTimeout(timer);
      window.removeEventListener("online", over);
      if (signal.aborted) reject(new service.Problem({}));
      else resolve();
    };
    const timer = setTimeout(over, ms);
    window.addEventListener("online", over);
    signal.addEventListener("abort", over, { once: true });
  });
}

/** Events of a stream (WHATWG HTML, 9.2.6), as far as the service uses them. @param {Response} response @param {AbortSignal} signal */
export async function* events(response, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  let kept = "";
  try {
    for (;;) {
      const silence = setTimeout(stop, SILENCE_MS_MAX);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      kept += value.replaceAll("\r", "");
      for (let end = kept.indexOf("\n\n"); end >= 0; end = kept.indexOf("\n\n")) {
        const event = read(kept.slice(0, end));
        kept = kept.slice(end + 2);
        if (event !== null) yield event;
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** @param {string} block @returns {{name: string, id: string | null, data: any} | null} */
function read(block) {
  let [name, id, data] = ["message", null, ""];
  for (const line of block.split("\n")) {
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (field === "event") name = value;
    else if (field === "id") id = value;
    else if (field === "data") data += data === "" ? value : `\n${value}`;
  }
  return data === "" ? null : { name, id, data: JSON.parse(data) };
}
