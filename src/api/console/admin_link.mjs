// The way from the console to the administrator's page, and back to it after signing in.

import { $, show } from "./element.mjs";
import { signedIn } from "./service.mjs";

const RETURN = "console.return";

/**
 * What the token says of its bearer. It only decides what is offered: the service asks the account at each request.
 * @returns {string | null} `user`, `admin`, or null if nobody is signed in
 */
export function role() {
  try {
    const [, claims] = signedIn().token.split(".");
    return JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).role ?? null;
  } catch {
    return null;
  }
}

/** Shows the link to administrators. */
export function showAdminLink() {
  show($("admin-link"), role() === "admin");
}

/** Lets the console lead back to where the administrator was, and goes there to sign in or to choose another password. */
export function leaveToSignIn() {
  sessionStorage.setItem(RETURN, location.hash);
  location.replace("/");
}

/**
 * Goes back to the administrator's page, if that is where somebody came from to sign in.
 * @returns {boolean} whether it does
 */
export function leadBack() {
  const hash = sessionStorage.getItem(RETURN);
  if (hash === null) return false;
  sessionStorage.removeItem(RETURN);
  location.replace(`/admin${hash}`);
  return true;
}
