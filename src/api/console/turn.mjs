// Sending one message until there is an answer: with one key from the first attempt to the last, so that it is done once.

import * as conversation from "./conversation.mjs";
import { $, show } from "./element.mjs";
import { liveEntry } from "./live.mjs";
import * as service from "./service.mjs";
import { toEnd } from "./stream.mjs";
import { say } from "./texts.mjs";
import * as toast from "./toast.mjs";

/** For how long a busy service is asked again without being told to, in milliseconds, from the first attempt. */
const PERSISTENCE_MS = 3 * 60 * 1000;
/** A longer wait than this is left to the user, in seconds. */
const WAIT_SECS_MAX = 60;
/** An unanswered message older than this is put back into the box instead of sent: the service may have forgotten its key by then. */
const RESUMED_MS_MAX = 15 * 60 * 1000;
const PENDING = "console.pending.";

/**
 * What is on its way in one session: what is shown of it, and what is sent. `approve` is there for a decision.
 * @typedef {{message: string, path: string, body: object, approve?: boolean, key: string, user: string, since: number}} Pending
 */
/**
 * What follows: `whenBegun` when the service has it, `whenExpired` if the sign-in is not valid any more, `whenAnswered` after a good answer, `whenOver` after a run that was begun
 * elsewhere, or was stopped, `whenGone` if there is no such session any more. `number` gives the number that a new turn will have.
 * @typedef {{whenBegun: () => void, whenExpired: () => void, whenAnswered: (answer: any, pending: Pending, resumed: boolean) => unknown, whenOver: () => unknown, whenGone: (problem: service.Problem, message: string) => void, number: () => number | null}} Events
 */

let working = false;
let stopper = new AbortController();
/** The run that is worked on, as soon as it is known. @type {string | null} */
let running = null;

/** Whether a message is on its way. */
export const isWorking = () => working;

const place = () => PENDING + (service.openSession() ?? "main");

/** Takes no notice any more of what is worked on. It goes on, and is found again when its session is opened. */
export function leave() {
  stopper.abort();
  stopper = new AbortController();
  running = null;
  setWorking(false);
}

/** Forgets the message that has no answer, and takes no notice of one that may still come. */
export function abandon() {
  sessionStorage.removeItem(place());
  leave();
}

/** Sends a new message. @param {string} message @param {Events} events */
export function send(message, events) {
  return begin({ message, path: "/api/process", body: { message } }, events);
}

/** Has what waits for a yes sent, or not. @param {string} id @param {boolean} approve @param {Events} events */
export function decide(id, approve, events) {
  const body = { decision: approve ? "approve" : "reject" };
  return begin({ message: say(approve ? "said_yes" : "said_no"), path: `/api/confirmations/${id}`, body, approve }, events);
}

function begin(what, events) {
  /** @type {Pending} */
  const pending = { ...what, key: service.freshKey(), user: service.signedIn()?.user, since: Date.now() };
  sessionStorage.setItem(place(), JSON.stringify(pending));
  conversation.addMessage(pending.message, new Date().toISOString(), events.number());
  return attempt(pending, events, false);
}

/** A message that got no answer before the session was left, the page loaded anew, or the sign-in expired: it is sent again under its key. */
export function resume(events) {
  const pending = unanswered();
  if (pending === null) return false;
  if (Date.now() - pending.since > RESUMED_MS_MAX) {
    abandon();
    $("message").value ||= pending.message;
    return false;
  }
  conversation.addMessage(pending.message, new Date(pending.since).toISOString(), events.number());
  void attempt(pending, events, true);
  return true;
}

/** @returns {Pending | null} */
function unanswered() {
  try {
    const pending = JSON.parse(sessionStorage.getItem(place()));
    return pending?.user === service.signedIn()?.user ? pending : null;
  } catch {
    return null;
  }
}

/** Shows a run until its end; `first` begins its stream, `begun` hears when it has. Null if nobody wants to know any more. */
async function shown(first, begun = () => {}) {
  const { signal } = stopper;
  const live = liveEntry();
  setWorking(true);
  conversation.add(live.entry);
  $("stop").onclick = () => {
    if (running === null) return;
    live.told("stopping", {});
    service.cancel(running).catch(toast.failed);
  };
  try {
    const answer = await toEnd(
      () => first(signal),
      (name, data) => {
        running = data.run_id ?? running;
        if (name === "accepted") begun();
        show($("stop"), running !== null);
        show($("send"), running === null);
        live.told(name, data);
      },
      signal,
    );
    if (signal.aborted) return null;
    // Freed first: what follows may look at the history, which has this turn now.
    setWorking(false);
    return answer;
  } catch (problem) {
    if (signal.aborted) return null;
    setWorking(false);
    throw problem;
  } finally {
    live.entry.remove();
  }
}

/** @param {Pending} pending @param {Events} events @param {boolean} resumed */
async function attempt(pending, events, resumed) {
  const from = place();
  try {
    const answer = await shown((signal) => service.begin(pending.path, pending.body, pending.key, signal), events.whenBegun);
    if (answer === null) return;
    sessionStorage.removeItem(from);
    await events.whenAnswered(answer, pending, resumed);
  } catch (problem) {
    if (!(problem instanceof service.Problem)) throw problem;
    if (problem.signedOut) events.whenExpired();
    else if (problem.code === "session_not_found" && service.openSession() !== null) {
      abandon();
      events.whenGone(problem, pending.message);
    } else if (problem.code === "run_ended") await stopped(problem, events);
    else if (pending.approve !== undefined && !problem.passes) await undecided(problem, events);
    else failed(problem, pending, events, resumed);
  }
}

/** It was stopped: what became of it stands in the history. */
async function stopped(problem, events) {
  abandon();
  await events.whenOver();
  toast.failed(problem);
}

/** The question was over before it was decided. */
async function undecided(problem, events) {
  abandon();
  await events.whenOver();
  conversation.closeQuestions(problem.code === "confirmation_expired" ? "confirm_expired" : "confirm_over");
  toast.failed(problem);
}

/** Shows a run that was begun in another tab or by another program. @param {string} run @param {Events} events */
export async function watch(run, events) {
  const { signal } = stopper;
  try {
    const { run: seen } = await service.run(run);
    if (signal.aborted || working) return;
    if (seen.kind === "turn") conversation.addMessage(seen.message, seen.accepted_at, events.number());
    await shown((until) => service.follow(run, null, until));
  } catch (problem) {
    if (!(problem instanceof service.Problem)) throw problem;
    if (problem.signedOut) return events.whenExpired();
  }
  if (!signal.aborted) await events.whenOver();
}

function failed(problem, pending, events, resumed) {
  const wait = problem.retryAfterSecs;
  const again = problem.passes && wait !== null && wait <= WAIT_SECS_MAX && Date.now() - pending.since < PERSISTENCE_MS;
  const { signal } = stopper;
  const entry = conversation.addProblem(problem, {
    again,
    retry: () => {
      if (signal.aborted || working) return;
      entry.remove();
      void attempt(pending, events, resumed);
    },
    put: () => {
      if (!signal.aborted) abandon();
      entry.remove();
      const box = $("message");
      box.value = box.value === "" ? pending.message : `${pending.message}\n${box.value}`;
      box.dispatchEvent(new Event("input"));
      box.focus();
    },
  });
}

function setWorking(is) {
  working = is;
  if (!is) running = null;
  $("send").disabled = is;
  show($("send"), true);
  show($("stop"), false);
  $("log").setAttribute("aria-busy", String(is));
  if (is) show($("welcome"), false);
}
