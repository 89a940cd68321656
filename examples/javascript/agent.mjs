// A client of the service for Node (18 or newer) and browsers, without packages.
//
//   import { Agent } from "./agent.mjs";
//   const ann = await Agent.logIn("http://localhost:5000", "ann", "her password");
//   for await (const { event, data } of ann.follow("list the products")) console.log(event, data);

import { setTimeout as pause } from "node:timers/promises";

// How often a stream that broke off is taken up again before it is given up.
const TRIES = 10;
const PAUSE_MS = 500;

/** An answer that is no success. `code` is for programs, `message` for people. */
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error ?? `status ${status}`);
    this.status = status;
    this.code = answer.code;
    this.answer = answer;
  }
}

/** One user at the service. */
export class Agent {
  constructor(url, token, session) {
    this.url = url.replace(/\/+$/, "");
    this.token = token;
    this.session = session;
  }

  static async logIn(url, username, password) {
    const { token } = await new Agent(url).send("POST", "/api/login", { username, password });
    return new Agent(url, token);
  }

  /** Sends one request, and hands out the answer as it comes. */
  async open(method, path, body, headers = {}) {
    const sent = { "Content-Type": "application/json", ...headers };
    if (this.token) sent.Authorization = `Bearer ${this.token}`;
    if (this.session) sent["X-Session-Id"] = this.session;
    const answer = await fetch(this.url + path, { method, headers: sent, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
    return answer;
  }

  async send(method, path, body, headers) {
    return (await this.open(method, path, body, headers)).json();
  }

  /** One turn. The key makes it safe to send again when the answer was lost. */
  say(message, more = {}) {
    return this.send("POST", "/api/process", { message, ...more }, { "Idempotency-Key": crypto.randomUUID() });
  }

  /**
   * One turn as it happens: its events, each once and in order, the last of them `done` or `error`. A stream that breaks off is taken up
   * where it was, at whichever replica answers.
   * `cut` is for trying that: it is asked after each event whether the connection is to be dropped.
   */
  async *follow(message, { cut = () => false } = {}) {
    let run;
    let seen;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      try {
        const headers = { Accept: "text/event-stream", ...(seen && { "Last-Event-ID": seen }) };
        const answer = run
          ? await this.open("GET", `/api/runs/${run}/events`, undefined, headers)
          : await this.open("POST", "/api/process", { message }, headers);
        for await (const { event, data, id } of events(answer.body)) {
          run = data.run_id ?? run;
          seen = id ?? seen;
          yield { event, data, id };
          if (event === "done" || event === "error") return;
          if (cut(event)) break;
        }
      } catch (error) {
        // What was refused is refused; what broke off before anything came may be sent again by whoever asks.
        if (error instanceof Refused && error.status !== 503) throw error;
        if (!run) throw error;
      }
      await pause(PAUSE_MS);
    }
    throw new Error("the stream broke off too often");
  }

  /** What was said: roles and texts, the oldest first. */
  async history() {
    const { history } = await this.send("GET", "/api/history");
    return history.map(({ role, content }) => [role, content]);
  }
}

/** Server-sent events of a body. Leaving the loop drops the connection. */
export async function* events(body) {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const fields = { event: "message", data: [], id: undefined };
      for (const line of block.split("\n")) {
        const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
        if (name === "data") fields.data.push(value);
        else if (name === "event" || name === "id") fields[name] = value;
      }
      if (fields.data.length) yield { ...fields, data: JSON.parse(fields.data.join("\n")) };
    }
  }
}
