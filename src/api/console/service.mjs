// Talking to the service: one place for the token, the session that is open, the language, and what an error is.

import { spoken } from "./texts.mjs";

/** A request may take minutes; a connection that is silent for longer than this is given up, in milliseconds. */
const PATIENCE_MS = 10 * 60 * 1000;
const SIGNED_IN = "console.signed_in";
const STREAM = "text/event-stream";

/**
 * Who is signed in. `until` is in milliseconds; `refresh` is there only in the tab in which somebody signed in: a refresh token that two tabs
 * used would end the login. With `mustChange` the token is good for a new password only.
 * @typedef {{token: string, user: string, until: number, refresh?: string, mustChange?: boolean}} SignedIn
 */

/** Why a request had no good answer. `status` is 0 if there was no answer at all. */
export class Problem extends Error {
  /** @param {{status?: number, code?: string, sentence?: string | null, requestId?: string | null, retryAfterSecs?: number | null, problems?: string[]}} told */
  constructor({ status = 0, code = "unreachable", sentence = null, requestId = null, retryAfterSecs = null, problems = [] }) {
    super(sentence ?? code);
    this.status = status;
    this.code = code;
    this.sentence = sentence;
    this.requestId = requestId;
    this.retryAfterSecs = retryAfterSecs;
    /** Each of several things that were wrong, as a sentence. */
    this.problems = problems;
  }

  /** The token is of no use any more. */
  get signedOut() {
    return this.status === 401;
  }

  /** The same request, sent once more, may succeed: nobody answered, or the service is busy or away. */
  get passes() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500 || ["turn_in_progress", "turn_lost"].includes(this.code);
  }
}

/** Kept for this tab only, and gone when it is closed. Null if nobody is signed in, or not any more. @returns {SignedIn | null} */
export function signedIn() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(SIGNED_IN));
    return kept && kept.until > Date.now() ? kept : null;
  } catch {
    return null;
  }
}

/** @param {SignedIn} who */
export function keepSignIn(who) {
  sessionStorage.setItem(SIGNED_IN, JSON.stringify(who));
}

export function forgetSignIn() {
  sessionStorage.removeItem(SIGNED_IN);
}

function admitted({ token, expires_in, refresh_token, password_change_required, user_id }) {
  keepSignIn({ token, user: user_id, until: Date.now() + expires_in * 1000, refresh: refresh_token, mustChange: password_change_required === true });
}

/** Signs in and remembers it. */
export async function signIn(username, password) {
  admitted(await request("POST", "/api/login", { body: { username, password }, anonymous: true }));
}

/** Goes on with this login; false if this tab cannot. */
export async function renew() {
  const refresh = signedIn()?.refresh;
  if (!refresh) return false;
  admitted(await request("POST", "/api/token/refresh", { body: { refresh_token: refresh }, anonymous: true }));
  return true;
}

/** Another password; all other logins of the user end. */
export async function changePassword(old_password, new_password) {
  admitted(await request("POST", "/api/password", { body: { old_password, new_password } }));
}

/** Signs out, here at once and at the service as soon as it hears of it; a turn that is on its way goes on. Nobody waits for that. */
export function signOut() {
  if (signedIn()) request("POST", "/api/logout", { body: { stop_turns: false } }).catch(() => {});
  forgetSignIn();
}

/** The session that requests are about; null is the one that everybody has. @type {string | null} */
let session = null;
export const openSession = () => session;
/** @param {string | null} id */
export function useSession(id) {
  session = id;
}
const inSession = () => (session === null ? {} : { "X-Session-Id": session });

/** What `path` is asked for with `body` happens once under this key, however often it is sent; what happens is streamed. */
export const begin = (path, body, key, signal) => respond("POST", path, { body, signal, headers: { "Idempotency-Key": key, ...inSession(), ...streaming } });
/** A run from behind the event `last`; from its beginning if that is null. */
export const follow = (run, last, signal) => respond("GET", `/api/runs/${run}/events`, { signal, headers: { ...streaming, ...(last === null ? {} : { "Last-Event-ID": last }) } });
export const run = (id) => request("GET", `/api/runs/${id}`);
export const cancel = (id) => request("POST", `/api/runs/${id}/cancel`);
const streaming = { Accept: `${STREAM}, application/json;q=0.9` };

export const history = (limit, before) => request("GET", `/api/history?calls=true&limit=${limit}${before === null ? "" : `&before=${before}`}`, { headers: inSession() });
export const clearHistory = () => request("DELETE", "/api/history", { headers: inSession() });
export const sessionInfo = () => request("GET", "/api/session/info", { headers: inSession() });
export const openQuestions = () => request("GET", "/api/confirmations", { headers: inSession() });
export const functions = () => request("GET", "/api/functions");
export const apiInfo = () => request("GET", "/api/info", { headers: inSession() });
export const call = (function_name, parameters, key) => request("POST", "/api/call", { body: { function_name, parameters }, headers: { "Idempotency-Key": key, ...inSession() } });

export const sessions = (search) => request("GET", search === "" ? "/api/sessions" : `/api/sessions?search=${encodeURIComponent(search)}`);
export const newSession = () => request("POST", "/api/sessions");
const at = (id) => `/api/sessions/${encodeURIComponent(id)}`;
/** @param {{title?: string | null, pinned?: boolean}} label */
export const labelSession = (id, label) => request("PATCH", at(id), { body: label });
export const endSession = (id) => request("DELETE", at(id));
export const forkSession = (id, turn) => request("POST", `${at(id)}/fork`, { body: turn === null ? {} : { turn } });
/** Nothing happens if the session went on since `tag` was seen. */
export const rewindSession = (id, turn, tag) => request("POST", `${at(id)}/rewind`, { body: { turn }, headers: tag ? { "If-Match": tag } : {} });
/** One session, and the state that it is in as a tag. */
export async function sessionAndTag(id) {
  const response = await respond("GET", at(id), {});
  return { session: (await answerOf(response)).session, tag: response.headers.get("ETag") };
}
/** The session as a file: what is in it, and a name for it. */
export async function exported(id, markdown) {
  const response = await respond("GET", `${at(id)}/export${markdown ? "?format=markdown" : ""}`, {});
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return { file: await response.blob(), name: named ?? `session-${id}.${markdown ? "md" : "json"}` };
}

/** Another session with the conversation of a file that `exported` gave, here or elsewhere. @param {Blob} file */
export const imported = (file) => request("POST", "/api/sessions/import", { file });

export const credentials = () => request("GET", "/api/credentials");
const ofScheme = ({ scheme, api }) => `/api/credentials/${encodeURIComponent(scheme)}${api ? `?api=${encodeURIComponent(api)}` : ""}`;
export const putCredential = (of, secret) => request("PUT", ofScheme({ ...of, api: undefined }), { body: { ...secret, ...(of.api ? { api: of.api } : {}) } });
export const removeCredential = (of) => request("DELETE", ofScheme(of));
export const keys = () => request("GET", "/api/keys");
export const makeKey = (name, expires_in_days) => request("POST", "/api/keys", { body: { name, expires_in_days } });
export const revokeKey = (name) => request("DELETE", `/api/keys/${encodeURIComponent(name)}`);

/** 128 random bits. `crypto.randomUUID` would do, but browsers have it on HTTPS and localhost only. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Told whether the service could be reached, after each request. @type {(reached: boolean) => void} */
let whenAsked = () => {};
export function watchReach(told) {
  whenAsked = told;
}

/** @param {{body?: object, file?: Blob, headers?: Record<string, string>, anonymous?: boolean}} [asked] */
export async function request(method, path, asked = {}) {
  return answerOf(await respond(method, path, asked));
}

/**
 * The response, if it is a good one.
 * @param {string} method @param {string} path
 * @param {{body?: object, file?: Blob, headers?: Record<string, string>, anonymous?: boolean, signal?: AbortSignal}} asked the body is JSON, as a value or a file
 */
export async function respond(method, path, asked) {
  const { body, file, headers = {}, anonymous = false, signal } = asked;
  /** @type {Record<string, string>} */
  const all = { Accept: "application/json", "Accept-Language": spoken() === "zh" ? "zh-CN" : "en", ...headers };
  const token = anonymous ? null : signedIn()?.token;
  if (token) all.Authorization = `Bearer ${token}`;
  if (body !== undefined || file) all["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: all,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
      body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch {
    if (!signal?.aborted) whenAsked(false);
    throw new Problem({});
  }
  whenAsked(true);
  if (response.ok) return response;
  const answer = parsed(await response.text().catch(() => ""));
  throw problemOf(answer, response.status, response.headers);
}

/** What a response that is not a stream says. */
export async function answerOf(response) {
  const text = await response.text().catch(() => {
    throw new Problem({});
  });
  const answer = parsed(text);
  if (answer !== null) return answer;
  throw problemOf(null, response.status, response.headers);
}

/** Whether what happens is told while it happens. */
export const isStream = (response) => (response.headers.get("Content-Type") ?? "").startsWith(STREAM);

/** An error as the service tells it. @returns {Problem} */
export function problemOf(answer, status, headers = null) {
  return new Problem({
    status,
    code: String(answer?.code ?? ""),
    sentence: typeof answer?.message === "string" ? answer.message : null,
    requestId: String(answer?.request_id ?? headers?.get("X-Request-Id") ?? "") || null,
    retryAfterSecs: seconds(headers?.get("Retry-After") ?? null),
    problems: Array.isArray(answer?.problems) ? answer.problems.map(String) : [],
  });
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** `Retry-After` as seconds; proxies may send a date instead (RFC 9110, 10.2.3). @param {string | null} header */
function seconds(header) {
  if (header === null) return null;
  const secs = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isFinite(secs) ? Math.max(1, secs) : null;
}
