// A turn while it is worked on: what the model writes and what is called, as it comes, and whether the connection is there.

import { cleaned } from "./inline.mjs";
import { make, show } from "./element.mjs";
import { render } from "./markdown.mjs";
import { retell, telling } from "./texts.mjs";

/** What is written is shown at most this often, in milliseconds: rendering it takes longer the more there is. */
const RENDER_MS = 120;
const SETTLED = { result: "good", refused: "bad", failed: "bad", not_sent: "bad", unknown: "open" };

/** An entry that shows a run, and `told`, which hears its events. */
export function liveEntry() {
  const calls = make("ul", { class: "live-calls" });
  const text = make("div", { class: "markdown" });
  const dots = make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
  const state = telling("span", { class: "quiet" }, "working");
  // What is written is read out when it is whole, not word by word.
  const written = make("div", { "aria-live": "off" }, calls, text);
  const entry = make("article", { class: "answer working" }, written, make("p", {}, dots, state));
  let said = "";
  let timer = 0;

  function write(more) {
    said = more;
    timer ||= setTimeout(() => {
      timer = 0;
      text.replaceChildren(render(said));
    }, RENDER_MS);
  }

  function called({ call, function_name, method, url, state: how }) {
    const known = [...calls.children].find((line) => line.dataset.call === call);
    const line = known ?? make("li", {}, make("span"), make("strong", {}, short(function_name)), make("span", { class: "code path" }, short(`${method ?? ""} ${url ?? ""}`)));
    line.dataset.call = call;
    line.firstChild.className = `dot ${SETTLED[how] ?? "running"}`;
    if (!known) calls.append(line);
  }

  /** @type {Record<string, (data: any) => void>} */
  const hears = {
    accepted: ({ state: how }) => retell(state, how === "queued" ? "queued" : "working"),
    recovering: () => {
      write("");
      retell(state, "recovering");
    },
    token: (data) => write(said + data.text),
    call_planned: called,
    call_started: called,
    call_finished: (data) => {
      called(data);
      // What was written before a call is not the answer.
      write("");
    },
    snapshot: ({ run, text: all }) => {
      calls.replaceChildren();
      run.calls.forEach((one, n) => called({ ...one, call: `s${n}` }));
      write(all);
    },
    lost: () => {
      retell(state, "connection_lost");
      entry.classList.add("lost");
    },
    back: () => {
      retell(state, "working");
      entry.classList.remove("lost");
    },
    stopping: () => retell(state, "stopping"),
  };
  show(calls, true);
  return { entry, told: (name, data) => hears[name]?.(data) };
}

const short = (text) => cleaned(String(text)).slice(0, 300);
