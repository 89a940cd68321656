// The console: signing in, the conversation, and what surrounds it.

import { leadBack, showAdminLink } from "./admin_link.mjs";
import * as conversation from "./conversation.mjs";
import { $, make, show } from "./element.mjs";
import { examplesOf } from "./examples.mjs";
import * as service from "./service.mjs";
import { retell, say, spoken, switchLanguage, translate } from "./texts.mjs";
import * as turn from "./turn.mjs";

/** Messages of the history that are loaded at once. */
const PAGE = 60;
/** Functions that the panel lists; the search of a long list is the conversation itself. */
const FUNCTIONS_MAX = 300;

let functions = [];
let nextBefore = null;
let expiry = null;

// Signing in and out

function showSignIn(why = null) {
  clearTimeout(expiry);
  service.forgetSignIn();
  show($("chat"), false);
  show($("menu"), false);
  show($("planner"), false);
  show($("sign-in"), true);
  setTitle("Swagger API Agent");
  $("password").value = "";
  problemOfSignIn(why);
  $($("username").value === "" ? "username" : "password").focus();
}

function problemOfSignIn(name, sentence = null) {
  const place = $("sign-in-problem");
  show(place, name !== null || sentence !== null);
  if (name !== null) return void retell(place, name);
  delete place.dataset.text;
  place.textContent = sentence ?? "";
}

async function signIn(event) {
  event.preventDefault();
  const button = $("sign-in-button");
  button.disabled = true;
  retell(button, "signing_in");
  problemOfSignIn(null);
  try {
    await service.signIn($("username").value, $("password").value);
    $("password").value = "";
    await showChat();
  } catch (problem) {
    if (!(problem instanceof service.Problem)) throw problem;
    if (problem.sentence) problemOfSignIn(null, problem.requestId ? `${problem.sentence} (${say("request_id", problem.requestId)})` : problem.sentence);
    else problemOfSignIn("service_away");
    $("password").select();
  } finally {
    button.disabled = false;
    retell(button, "sign_in");
  }
}

async function signOut() {
  if (turn.isWorking() && !(await conversation.confirmed("sign_out"))) return;
  turn.abandon();
  conversation.clear();
  $("message").value = "";
  service.signOut();
  showSignIn("signed_out");
}

/** The message on its way stays: it is sent again after signing in. */
function expired() {
  conversation.clear();
  showSignIn("session_expired");
}

/** Timers hold at most 2³¹ ms; a longer sign-in is looked at again then. */
function watchExpiry() {
  clearTimeout(expiry);
  const until = service.signedIn()?.until;
  if (until === undefined) return expired();
  expiry = setTimeout(watchExpiry, Math.min(until - Date.now() + 500, 2 ** 31 - 1));
}

// The conversation

const events = { whenExpired: expired, whenAnswered: answered };

async function showChat() {
  if (leadBack()) return;
  showAdminLink();
  show($("sign-in"), false);
  show($("chat"), true);
  show($("menu"), true);
  watchExpiry();
  focusMessage();
  conversation.clear();
  const loaded = await Promise.all([loading(loadAbout), loading(loadFunctions), loading(loadHistory)]);
  if (loaded.every(Boolean)) turn.resume(events);
  showWelcome();
  conversation.toEnd();
}

/** Whether it could be loaded; why not is told in the conversation. */
async function loading(load) {
  try {
    await load();
    return true;
  } catch (problem) {
    if (!(problem instanceof service.Problem)) throw problem;
    if (problem.signedOut) {
      if (!$("chat").hidden) expired();
    } else if ($("log").querySelector(".problem") === null) {
      const entry = conversation.addProblem(problem, { retry: () => void showChat(), again: false, put: () => entry.remove() });
    }
    return false;
  }
}

async function loadHistory() {
  const page = await service.history(PAGE, null);
  conversation.clear();
  conversation.addEarlier(page.history);
  setOlder(page.next_before);
}

async function loadOlder() {
  $("older").disabled = true;
  await loading(async () => {
    const page = await service.history(PAGE, nextBefore);
    conversation.addEarlier(page.history);
    setOlder(page.next_before);
  });
  $("older").disabled = false;
}

function setOlder(before) {
  nextBefore = before ?? null;
  show($("older"), nextBefore !== null);
}

async function answered(answer, resumed) {
  // After a reload the history may have had the turn already: it is read again, and the answer put in the place of its last one.
  if (resumed && (await loading(loadHistory)) && $("log").lastElementChild?.matches(".answer")) $("log").lastElementChild.remove();
  const { message, timestamp, function_calls, usage } = answer;
  const entry = conversation.addAnswer({ text: message, timestamp, calls: function_calls, usage });
  $("log").querySelector(".working")?.remove();
  conversation.toBeginning(entry);
  if ($("session-id").textContent !== answer.session_id) $("session-id").textContent = answer.session_id;
  showWelcome();
}

function send(event) {
  event?.preventDefault();
  const box = $("message");
  const message = box.value.trim();
  if (message === "" || turn.isWorking() || emptying) return;
  // Problems of before are over with the next message, and so is what they would have sent again.
  turn.abandon();
  for (const old of $("log").querySelectorAll(".problem")) old.remove();
  box.value = "";
  fit();
  box.focus();
  void turn.send(message, events);
  conversation.toEnd();
}

/** The box is as high as its text, up to what the style sheet allows. */
function fit() {
  const lines = $("message").value.split("\n").length;
  $("message").rows = Math.min(8, Math.max(lines, Math.ceil($("message").value.length / 70), 1));
}

/** On a touch screen the keyboard would cover half of what there is to read. */
function focusMessage() {
  if (matchMedia("(pointer: fine)").matches) $("message").focus();
}

/** Examples, as long as nothing has been said. */
function showWelcome() {
  const nothingSaid = conversation.isEmpty() && !turn.isWorking();
  show($("welcome"), nothingSaid);
  if (!nothingSaid) return;
  const buttons = examplesOf(functions, spoken()).map((sentence) => {
    const button = make("button", { type: "button", class: "example", dir: "auto" }, sentence);
    button.addEventListener("click", () => {
      $("message").value = sentence;
      send();
    });
    return button;
  });
  $("examples").replaceChildren(...buttons);
}

// What surrounds it

async function loadAbout() {
  const [{ api_info, agent_status }, { session_info }] = await Promise.all([service.apiInfo(), service.sessionInfo()]);
  setTitle(api_info.title || "Swagger API Agent");
  $("api-about").textContent = api_info.description ?? "";
  show($("api-about"), Boolean(api_info.description));
  $("api-version").textContent = api_info.version || "–";
  $("api-address").textContent = agent_status.api_base_url || "–";
  const offline = agent_status.planner === "offline";
  retell($("planner"), offline ? "badge_offline" : "badge_model");
  $("planner").classList.toggle("warn", offline);
  show($("planner"), true);
  show($("offline"), offline);
  retell($("session-planner"), offline ? "planner_offline" : "planner_model");
  show($("model-problem"), Boolean(agent_status.last_error));
  if (agent_status.last_error) retell($("model-problem"), agent_status.offline_fallback === "in_use" ? "model_away" : "model_problem", agent_status.last_error);
  showSession(session_info);
}

function showSession({ session_id, user_id }) {
  $("session-id").textContent = session_id;
  $("session-user").textContent = user_id;
  showUntil();
}

function showUntil() {
  const until = service.signedIn()?.until;
  $("session-until").textContent = until === undefined ? "–" : conversation.clock(new Date(until));
}

async function loadFunctions() {
  ({ functions } = await service.functions());
  $("functions-count").textContent = String(functions.length);
  const shown = functions.slice(0, FUNCTIONS_MAX).map(({ name, description }) => {
    const first = String(description ?? "").split("\n", 1)[0];
    return make("li", {}, make("span", { class: "code" }, name), make("span", { class: "quiet", dir: "auto" }, first));
  });
  const more = functions.length - shown.length;
  $("functions").replaceChildren(...shown, ...(more > 0 ? [make("li", { class: "quiet" }, `+ ${more}`)] : []));
}

function setTitle(title) {
  $("title").textContent = title;
  document.title = title;
}

/** Whether the conversation is about to be emptied: what would be sent now would be taken for a part of it and lost. */
let emptying = false;

/** Asks, does it, and tells; the conversation is empty afterwards. */
async function empty(name, action) {
  if (!(await conversation.confirmed(name))) return;
  emptying = true;
  const done = await loading(async () => {
    const { session_info } = await action();
    turn.abandon();
    conversation.clear();
    setOlder(null);
    if (session_info) showSession(session_info);
  });
  emptying = false;
  openPanel(false);
  if (done) {
    conversation.addNote(`${name}_done`);
    showWelcome();
  }
  focusMessage();
}

function openPanel(open) {
  $("panel").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

function otherLanguage() {
  switchLanguage();
  nameLanguage();
  showUntil();
  if (!$("welcome").hidden) showWelcome();
}

function nameLanguage() {
  $("language").textContent = say("other_language");
  $("language").lang = spoken() === "zh" ? "en" : "zh";
}

$("sign-in-form").addEventListener("submit", signIn);
$("sign-out").addEventListener("click", signOut);
$("new-session").addEventListener("click", () => empty("new_session", service.resetSession));
$("clear-history").addEventListener("click", () => empty("clear_history", service.clearHistory));
$("older").addEventListener("click", loadOlder);
$("language").addEventListener("click", otherLanguage);
$("menu").addEventListener("click", () => openPanel(!$("panel").classList.contains("open")));
$("composer").addEventListener("submit", send);
$("message").addEventListener("input", fit);
$("message").addEventListener("keydown", (event) => {
  // While an input method composes, Enter takes its candidate.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  send(event);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("panel").classList.contains("open")) {
    openPanel(false);
    $("menu").focus();
  }
});

translate();
nameLanguage();
if (service.signedIn() === null) showSignIn();
else await showChat();
