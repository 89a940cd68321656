// What the examples share: who runs them, users for as long as they run, and saying what is so.

import { randomBytes } from "node:crypto";

import { Agent } from "./agent.mjs";

/** Whoever AGENT_USER and AGENT_PASSWORD name. */
export function administrator() {
  const { AGENT_URL = "http://localhost:5000", AGENT_USER = "admin", AGENT_PASSWORD } = process.env;
  if (!AGENT_PASSWORD) throw new Error("set AGENT_PASSWORD (and AGENT_USER, unless it is admin; and AGENT_URL, unless it is http://localhost:5000)");
  return Agent.logIn(AGENT_URL, AGENT_USER, AGENT_PASSWORD);
}

/** Has `work` done by users who are there for as long as it takes. */
export async function withGuests(admin, names, work) {
  const suffix = randomBytes(4).toString("hex");
  const made = [];
  try {
    const agents = [];
    for (const name of names) {
      const username = `${name}-${suffix}`;
      const password = randomBytes(16).toString("base64url");
      await admin.send("POST", "/api/admin/users", { username, password });
      made.push(username);
      agents.push(await Agent.logIn(admin.url, username, password));
    }
    await work(...agents);
  } finally {
    for (const username of made) await admin.send("DELETE", `/api/admin/users/${encodeURIComponent(username)}`);
  }
}

/** Says what is so, or ends the program. */
export function check(sentence, isSo) {
  if (!isSo) throw new Error(`not so: ${sentence}`);
  console.log(`  ok    ${sentence}`);
}

/** Whether something is refused with this code. */
export async function isRefused(promise, code) {
  try {
    await promise;
  } catch (error) {
    return error.code === code;
  }
  return false;
}
