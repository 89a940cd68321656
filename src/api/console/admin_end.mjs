// Ending somebody's sessions, after asking.

import { admin, ask, call } from "./admin_parts.mjs";
import { say } from "./texts.mjs";

/**
 * One session.
 * @param {string} user
 * @param {string} session
 * @param {() => unknown} ended what follows if it was ended
 */
export async function endOne(user, session, ended) {
  const act = async () => (await call("DELETE", admin("sessions", user, session))).message;
  if (await ask({ title: say("sessions_end_one"), about: say("sessions_end_about", user), yes: say("sessions_end"), danger: true }, act)) await ended();
}

/**
 * All sessions of a user.
 * @param {string} user
 * @param {() => unknown} ended what follows if they were ended
 */
export async function endAll(user, ended) {
  const act = async () => (await call("DELETE", admin("sessions", user))).message;
  if (await ask({ title: say("sessions_end_all", user), about: say("sessions_end_all_about", user), yes: say("sessions_end"), danger: true }, act)) await ended();
}
