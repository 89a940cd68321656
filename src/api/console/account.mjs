// One's own account: another password, credentials for the API, keys for programs.

import { clock } from "./clock.mjs";
import { confirmed } from "./conversation.mjs";
import { make, show } from "./element.mjs";
import { cleaned } from "./inline.mjs";
import * as service from "./service.mjs";
import * as tabs from "./tabs.mjs";
import { retell, say, telling, translate } from "./texts.mjs";
import * as toast from "./toast.mjs";

/** How long a key is good if nothing else is chosen, in days; and what can be chosen. */
const DAYS = [7, 30, 90, 180, 365];
const DAYS_DEFAULT = 90;

let fields = 0;

/** Shows the account. */
export async function open(place) {
  const [{ credentials }, { keys }] = await Promise.all([service.credentials(), service.keys()]);
  const schemes = make("div", { id: "credentials" });
  const own = make("div", { id: "keys" });
  showCredentials(schemes, credentials);
  showKeys(own, keys);
  place.replaceChildren(
    make("p", {}, make("a", { href: "#/" }, "← ", telling("span", {}, "conversation"))),
    telling("h2", {}, "account"),
    make("section", {}, telling("h3", {}, "credentials"), telling("p", { class: "quiet" }, "credentials_about"), schemes),
    make("section", {}, telling("h3", {}, "keys"), telling("p", { class: "quiet" }, "keys_about"), own, newKey(own)),
    make("section", {}, telling("h3", {}, "change_password"), telling("p", { class: "quiet" }, "change_own_about"), password()),
  );
  translate(place);
  place.focus();
}

/** An input with its label. @param {Record<string, unknown>} attributes */
function labelled(name, attributes) {
  const input = make("input", { id: `own-${(fields += 1)}`, required: true, spellcheck: "false", autocapitalize: "none", autocomplete: "off", ...attributes });
  return { input, row: make("div", { class: "field" }, telling("label", { for: input.id }, name), input) };
}

/** A form that does something; what is wrong is said in it. */
function form(rows, submit, what) {
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const button = telling("button", { type: "submit", class: "primary" }, submit);
  const element = make("form", { class: "own" }, problem, rows, make("div", { class: "buttons" }, button));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    show(problem, false);
    button.disabled = true;
    try {
      await what();
    } catch (wrong) {
      if (!(wrong instanceof service.Problem) || !wrong.sentence) return void toast.failed(wrong);
      problem.textContent = cleaned(wrong.sentence);
      show(problem, true);
    } finally {
      button.disabled = false;
    }
  });
  return { element, complain: (name) => show(retell(problem, name), true) };
}

// Credentials for the API

function showCredentials(place, credentials) {
  place.replaceChildren(...(credentials.length === 0 ? [telling("p", {}, "credentials_none")] : credentials.map((one) => credential(place, one))));
  translate(place);
}

async function reloadCredentials(place) {
  showCredentials(place, (await service.credentials()).credentials);
}

/** @param {{scheme: string, type: string, set: boolean, kind: string | null, set_at: string | null, in?: string, name?: string, api?: string}} one */
function credential(place, one) {
  const where = one.name ? `${one.type}, ${one.in}: ${one.name}` : one.type;
  const state = one.set ? telling("span", { class: "badge" }, "credential_set", clock(new Date(one.set_at ?? NaN))) : telling("span", { class: "badge warn" }, "credential_unset");
  const title = make("summary", {}, make("strong", { class: "code" }, cleaned(one.scheme)), " ", make("span", { class: "quiet" }, cleaned(one.api ? `${one.api} · ${where}` : where)), " ", state);
  const basic = one.type === "basic";
  const name = labelled("user_name", {});
  const secret = labelled(basic ? "password" : "credential_value", { type: "password", autocomplete: "new-password" });
  const set = form([basic ? name.row : null, secret.row], "save", async () => {
    await service.putCredential(one, basic ? { username: name.input.value, password: secret.input.value } : { value: secret.input.value });
    await reloadCredentials(place);
    toast.note("credential_saved");
  });
  const remove = one.set ? telling("button", { type: "button" }, "remove") : null;
  remove?.addEventListener("click", async () => {
    if (!(await confirmed("remove_credential"))) return;
    try {
      await service.removeCredential(one);
      await reloadCredentials(place);
      toast.note("credential_removed");
    } catch (problem) {
      toast.failed(problem);
    }
  });
  if (remove) set.element.lastElementChild.append(remove);
  return make("details", { class: "card-row" }, title, set.element);
}

// Keys for programs

function showKeys(place, keys) {
  place.replaceChildren(...(keys.length === 0 ? [telling("p", {}, "keys_none")] : [table(place, keys)]));
  translate(place);
}

async function reloadKeys(place) {
  showKeys(place, (await service.keys()).keys);
}

function table(place, keys) {
  const head = ["key_name", "key_scopes", "key_made", "key_until"].map((name) => telling("th", { scope: "col" }, name));
  const rows = keys.map(({ name, scopes, created_at, expires_at }) => {
    const revoke = telling("button", { type: "button" }, "revoke");
    revoke.setAttribute("aria-label", `${say("revoke")}: ${name}`);
    revoke.addEventListener("click", async () => {
      if (!(await confirmed("revoke"))) return;
      try {
        const { message } = await service.revokeKey(name);
        await reloadKeys(place);
        toast.note("service_says", message);
      } catch (problem) {
        toast.failed(problem);
      }
    });
    const cells = [cleaned(name), scopes.join(", ") || say("key_no_scopes"), clock(new Date(created_at)), clock(new Date(expires_at))];
    return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)), make("td", {}, revoke));
  });
  const unseen = make("td", {});
  const whole = make("table", {}, make("thead", {}, make("tr", {}, ...head, unseen)), make("tbody", {}, ...rows));
  return make("div", { class: "table", role: "region", tabindex: 0, "data-label": "keys" }, whole);
}

function newKey(place) {
  const name = labelled("key_name", { maxlength: 64 });
  const days = make("select", { id: `own-${(fields += 1)}` }, ...DAYS.map((n) => make("option", { value: n, selected: n === DAYS_DEFAULT }, say("days", n))));
  const good = make("div", { class: "field" }, telling("label", { for: days.id }, "key_days"), days);
  const shown = make("div", { class: "notice", role: "status", hidden: true });
  const whole = form([make("div", { class: "pair" }, name.row, good)], "make_key", async () => {
    const { api_key, message } = await service.makeKey(name.input.value.trim(), Number(days.value));
    await reloadKeys(place);
    name.input.value = "";
    const copy = telling("button", { type: "button" }, "copy");
    copy.addEventListener("click", () => navigator.clipboard.writeText(api_key).then(() => retell(copy, "copied"), () => show(copy, false)));
    shown.replaceChildren(make("p", {}, message), make("code", { id: "made-key" }, api_key), " ", copy);
    translate(shown);
    show(shown, true);
  });
  return make("div", {}, whole.element, shown);
}

// Another password

function password() {
  const old = labelled("old_password", { type: "password", autocomplete: "current-password" });
  const next = labelled("new_password", { type: "password", autocomplete: "new-password", minlength: 12, maxlength: 128 });
  const again = labelled("new_password_again", { type: "password", autocomplete: "new-password", maxlength: 128 });
  const whole = form([old.row, next.row, again.row, telling("p", { class: "quiet" }, "password_rule")], "change_password", async () => {
    if (next.input.value !== again.input.value) return void whole.complain("passwords_differ");
    await service.changePassword(old.input.value, next.input.value);
    tabs.shareSignIn();
    whole.element.reset();
    toast.note("password_changed");
  });
  whole.element.id = "password-form";
  return whole.element;
}
