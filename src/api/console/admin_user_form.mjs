// The fields of an account, and those of a password that somebody else gives.

import { button, field } from "./admin_parts.mjs";
import { SCOPES } from "./admin_texts.mjs";
import { make } from "./element.mjs";
import { say, spoken } from "./texts.mjs";

/** A password that is made up has so many characters of `ALPHABET`: 20 of 32 are 100 bits. */
const PASSWORD_CHARS = 20;
/** No characters that look like others. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/**
 * @param {{ username: string, role: string, scopes: string[], scopes_of_role: boolean, disabled: boolean } | null} user null for one who is to be added
 * @returns {{ fields: HTMLElement[], read: () => Record<string, unknown> }} `read` gives the body of a request: of a change, what differs
 */
export function accountFields(user) {
  const name = /** @type {HTMLInputElement} */ (make("input", { id: "user-name", required: true, maxlength: "64", autocapitalize: "none", spellcheck: "false", autocomplete: "off" }));
  const option = (value, text) => make("option", { value, selected: (user?.role ?? "user") === value }, say(text));
  const role = /** @type {HTMLSelectElement} */ (make("select", { id: "user-role" }, option("user", "users_role_user"), option("admin", "users_role_admin")));
  const ofRole = checkbox("user-scopes-of-role", user?.scopes_of_role ?? true);
  // A scope of a newer service that this page does not know stays as it is.
  const names = [...new Set([...Object.keys(SCOPES), ...(user?.scopes ?? [])])];
  const boxes = names.map((scope) => ({ scope, box: checkbox(`scope-${scope}`, user?.scopes.includes(scope) ?? false) }));
  const own = make(
    "fieldset",
    {},
    make("legend", { class: "unseen" }, say("users_scopes")),
    boxes.map(({ scope, box }) => field(SCOPES[scope]?.[spoken() === "zh" ? 1 : 0] ?? scope, box)),
  );
  const disabled = checkbox("user-disabled", user?.disabled ?? false);
  const follow = () => (own.hidden = ofRole.checked);
  ofRole.addEventListener("change", follow);
  follow();

  const fields = [
    user === null && field(say("user_name"), name),
    field(say("users_role"), role),
    make("h3", {}, say("users_scopes")),
    field(say("users_scopes_of_role"), ofRole),
    own,
    user !== null && field(say("users_disable"), disabled),
  ].filter((one) => one !== false);
  const scopes = () => (ofRole.checked ? null : boxes.filter(({ box }) => box.checked).map(({ scope }) => scope));
  if (user === null) return { fields, read: () => ({ username: name.value, role: role.value, scopes: scopes() }) };
  // Only what was changed is sent: somebody else may have changed the rest meanwhile, and the audit log tells what is asked for.
  const before = { role: user.role, scopes: user.scopes_of_role ? null : [...user.scopes].sort(), disabled: user.disabled };
  const read = () => {
    const now = { role: role.value, scopes: scopes()?.sort() ?? null, disabled: disabled.checked };
    return Object.fromEntries(Object.entries(now).filter(([part, value]) => JSON.stringify(value) !== JSON.stringify(before[part])));
  };
  return { fields, read };
}

/**
 * A password that is handed over: to be seen, and to be changed by whoever gets it.
 * @returns {{ fields: HTMLElement[], read: () => Record<string, unknown> }}
 */
export function passwordFields() {
  const password = /** @type {HTMLInputElement} */ (make("input", { id: "user-password", required: true, maxlength: "1024", class: "code", autocapitalize: "none", spellcheck: "false", autocomplete: "off" }));
  const force = checkbox("user-force", true);
  const make_up = button(say("users_generate"), () => {
    password.value = madeUp();
    password.select();
  });
  const fields = [field(say("password"), password, say("users_password_rule")), make_up, field(say("users_force"), force)];
  return { fields, read: () => ({ password: password.value, must_change_password: force.checked }) };
}

/** Bytes are taken modulo 32, of which 256 is a multiple: every character is as likely as any other. */
function madeUp() {
  const bytes = crypto.getRandomValues(new Uint8Array(PASSWORD_CHARS));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/**
 * @param {string} id
 * @param {boolean} checked
 */
function checkbox(id, checked) {
  return /** @type {HTMLInputElement} */ (make("input", { id, type: "checkbox", checked }));
}
