// Talking to the service: one place for the token, the language, and what an error is.

import { spoken } from "./texts.mjs";

/** A turn may take minutes; a connection that is silent for longer than this is given up, in milliseconds. */
const PATIENCE_MS = 10 * 60 * 1000;
const SIGNED_IN = "console.signed_in";

/** Why a request had no good answer. `status` is 0 if there was no answer at all. */
export class Problem extends Error {
  constructor({ status = 0, code = "unreachable", sentence = null, requestId = null, retryAfterSecs = null }) {
    super(sentence ?? code);
    Object.assign(this, { status, code, sentence, requestId, retryAfterSecs });
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

/** Who is signed in: `{ token, user, until }` (milliseconds), or null. Kept for this tab only, and gone when it is closed. */
export function signedIn() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(SIGNED_IN));
    return kept && kept.until > Date.now() ? kept : null;
  } catch {
    return null;
  }
}

export function forgetSignIn() {
  sessionStorage.removeItem(SIGNED_IN);
}

/** Signs in and remembers it. */
export async function signIn(username, password) {
  const { token, expires_in, user_id } = await request("POST", "/api/login", { body: { username, password }, anonymous: true });
  sessionStorage.setItem(SIGNED_IN, JSON.stringify({ token, user: user_id, until: Date.now() + expires_in * 1000 }));
}

/** Signs out, here at once and at the service as soon as it hears of it; a turn that is on its way goes on. Nobody waits for that. */
export function signOut() {
  if (signedIn()) request("POST", "/api/logout", { body: { stop_turns: false } }).catch(() => {});
  forgetSignIn();
}

/** One turn. The same key with the same message is done once, however often it is sent. */
export const process = (message, key) => request("POST", "/api/process", { body: { message }, headers: { "Idempotency-Key": key } });
export const history = (limit, before) => request("GET", `/api/history?limit=${limit}${before === null ? "" : `&before=${before}`}`);
export const clearHistory = () => request("DELETE", "/api/history");
export const sessionInfo = () => request("GET", "/api/session/info");
export const resetSession = () => request("POST", "/api/session/reset");
export const functions = () => request("GET", "/api/functions");
export const apiInfo = () => request("GET", "/api/info");

/** @returns {Promise<any>} what the service answered; if that is not good, a `Problem` is thrown */
export async function request(method, path, { body, headers = {}, anonymous = false } = {}) {
  const all = { Accept: "application/json", "Accept-Language": spoken() === "zh" ? "zh-CN" : "en", ...headers };
  const token = anonymous ? null : signedIn()?.token;
  if (token) all.Authorization = `Bearer ${token}`;
  if (body !== undefined) all["Content-Type"] = "application/json";
  let response, told;
  try {
    const asked = { method, headers: all, credentials: "omit", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS) };
    response = await fetch(path, { ...asked, body: body === undefined ? undefined : JSON.stringify(body) });
    told = await response.text();
  } catch {
    throw new Problem({});
  }
  const answer = parsed(told);
  if (response.ok && answer !== null) return answer;
  throw new Problem({
    status: response.status,
    code: String(answer?.code ?? ""),
    sentence: typeof answer?.message === "string" ? answer.message : null,
    requestId: String(answer?.request_id ?? response.headers.get("X-Request-Id") ?? "") || null,
    retryAfterSecs: seconds(response.headers.get("Retry-After")),
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

/** `Retry-After` as seconds; proxies may send a date instead (RFC 9110, 10.2.3). */
function seconds(header) {
  if (header === null) return null;
  const secs = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isFinite(secs) ? Math.max(1, secs) : null;
}
