// The console's tabs in one browser, kept in step: what one of them changes the others show, and a new one need not sign in again.

import { keepSignIn, signedIn } from "./service.mjs";

/** A new tab waits so long for another one that is signed in, in milliseconds. */
const ANSWER_MS_MAX = 150;

const channel = "BroadcastChannel" in window ? new BroadcastChannel("console") : null;
/** @type {Record<string, (told: any) => void>} */
const listeners = {};

/** What this tab does when another says `kind`, if the same user is signed in there. */
export function hear(kind, what) {
  listeners[kind] = what;
}

/** Says something to all other tabs of this user. */
export function tell(kind, what = {}) {
  const user = what.user ?? signedIn()?.user;
  if (user) channel?.postMessage({ kind, user, ...what });
}

/** Whoever is signed in already in another tab is in this one too. What only one may use, the refresh token, stays where it is. @returns {Promise<void>} */
export function asked() {
  if (channel === null) return Promise.resolve();
  channel.postMessage({ kind: "who" });
  return new Promise((resolve) => {
    listeners.here = () => resolve();
    setTimeout(resolve, ANSWER_MS_MAX);
  });
}

function share() {
  const who = signedIn();
  if (who && !who.mustChange) channel?.postMessage({ kind: "here", user: who.user, token: who.token, until: who.until });
}

/** Gives the other tabs the token that this one got, in place of the one before. */
export const shareSignIn = share;

channel?.addEventListener("message", ({ data }) => {
  if (data.kind === "who") return share();
  const who = signedIn();
  if (data.kind === "here") {
    if (who === null) keepSignIn({ token: data.token, user: data.user, until: data.until });
    else if (who.user === data.user && data.until > who.until) keepSignIn({ ...who, token: data.token, until: data.until });
    else return;
  } else if (who?.user !== data.user) return;
  listeners[data.kind]?.(data);
});
