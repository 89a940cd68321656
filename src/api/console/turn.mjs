// Sending one message until there is an answer: with one key from the first attempt to the last, so that it is done once.

import * as conversation from "./conversation.mjs";
import { $, show } from "./element.mjs";
import { Problem, process, signedIn } from "./service.mjs";

/** For how long a busy service is asked again without being told to, in milliseconds, from the first attempt. */
const PERSISTENCE_MS = 3 * 60 * 1000;
/** A longer wait than this is left to the user, in seconds. */
const WAIT_SECS_MAX = 60;
/** An unanswered message older than this is put back into the box instead of sent: the service may have forgotten its key by then. */
const RESUMED_MS_MAX = 15 * 60 * 1000;
const PENDING = "console.pending";

let working = false;
let attempt = 0;

/** Whether a message is on its way. */
export const isWorking = () => working;

/** Forgets the message that has no answer, and takes no notice of one that may still come. */
export function abandon() {
  sessionStorage.removeItem(PENDING);
  attempt += 1;
  setWorking(false);
}

/** Sends a new message. `whenExpired` is called if the sign-in is not valid any more, `whenAnswered` after a good answer. */
export function send(message, events) {
  const pending = { message, key: freshKey(), user: signedIn()?.user, since: Date.now() };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  conversation.addMessage(message, new Date().toISOString());
  return attemptTurn(pending, events);
}

/** A message that got no answer before the page was loaded anew, or before the sign-in expired: it is sent again under its key. */
export function resume(events) {
  const pending = unanswered();
  if (pending === null) return;
  if (Date.now() - pending.since > RESUMED_MS_MAX) {
    abandon();
    $("message").value ||= pending.message;
    return;
  }
  conversation.addMessage(pending.message, new Date(pending.since).toISOString());
  void attemptTurn(pending, { ...events, resumed: true });
}

/** 128 random bits. `crypto.randomUUID` would do, but browsers have it on HTTPS and localhost only. */
function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unanswered() {
  try {
    const pending = JSON.parse(sessionStorage.getItem(PENDING));
    return pending?.user === signedIn()?.user ? pending : null;
  } catch {
    return null;
  }
}

async function attemptTurn(pending, events) {
  const mine = (attempt += 1);
  setWorking(true);
  const sign = conversation.addWorking();
  try {
    const answer = await process(pending.message, pending.key);
    if (mine !== attempt) return;
    sessionStorage.removeItem(PENDING);
    // Freed first: what follows may look at the history, which has this turn now.
    setWorking(false);
    await events.whenAnswered(answer, events.resumed === true);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (mine !== attempt) return;
    setWorking(false);
    if (problem.signedOut) events.whenExpired();
    else failed(problem, pending, events);
  } finally {
    sign.remove();
  }
}

function failed(problem, pending, events) {
  const wait = problem.retryAfterSecs;
  const again = problem.passes && wait !== null && wait <= WAIT_SECS_MAX && Date.now() - pending.since < PERSISTENCE_MS;
  const mine = attempt;
  const entry = conversation.addProblem(problem, {
    again,
    retry: () => {
      if (mine !== attempt) return;
      entry.remove();
      void attemptTurn(pending, events);
    },
    put: () => {
      if (mine === attempt) abandon();
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
  $("send").disabled = is;
  $("log").setAttribute("aria-busy", String(is));
  if (is) show($("welcome"), false);
}
