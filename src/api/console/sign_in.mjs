// Signing in, and choosing another password where that is asked for first.

import { $, show } from "./element.mjs";
import * as service from "./service.mjs";
import { retell, say } from "./texts.mjs";

/** What follows when somebody is signed in for good. */
let whenSignedIn = () => {};

/** @param {() => void} signedIn */
export function onSignIn(signedIn) {
  whenSignedIn = signedIn;
}

/** The form; `why` is the name of a text that tells why it is shown. @param {string | null} why */
export function showForm(why) {
  show($("sign-in"), true);
  show($("sign-in-form"), true);
  show($("change-form"), false);
  $("password").value = "";
  tell($("sign-in-problem"), why);
  $($("username").value === "" ? "username" : "password").focus();
}

/** The form for another password; `old` is the present one if it is known. */
export function showChange(old = "") {
  show($("sign-in"), true);
  show($("sign-in-form"), false);
  show($("change-form"), true);
  tell($("change-problem"), null);
  $("old-password").value = old;
  $(old === "" ? "old-password" : "new-password").focus();
}

/** A text by its name, or a sentence of the service; nothing if there is neither. */
function tell(place, name, sentence = null) {
  show(place, name !== null || sentence !== null);
  if (name !== null) return void retell(place, name);
  delete place.dataset.text;
  place.textContent = sentence ?? "";
}

function tellProblem(place, problem) {
  if (!(problem instanceof service.Problem)) throw problem;
  if (problem.sentence) tell(place, null, problem.requestId ? `${problem.sentence} (${say("request_id", problem.requestId)})` : problem.sentence);
  else tell(place, "service_away");
}

/** Does what a form is for, and says so on its button. */
async function during(button, doing, idle, what) {
  button.disabled = true;
  retell(button, doing);
  try {
    await what();
  } finally {
    button.disabled = false;
    retell(button, idle);
  }
}

function signIn(event) {
  event.preventDefault();
  tell($("sign-in-problem"), null);
  return during($("sign-in-button"), "signing_in", "sign_in", async () => {
    const password = $("password").value;
    try {
      await service.signIn($("username").value, password);
    } catch (problem) {
      tellProblem($("sign-in-problem"), problem);
      return void $("password").select();
    }
    $("password").value = "";
    if (service.signedIn()?.mustChange) showChange(password);
    else whenSignedIn();
  });
}

function change(event) {
  event.preventDefault();
  const [old, next, again] = ["old-password", "new-password", "new-password-again"].map((id) => $(id).value);
  if (next !== again) {
    tell($("change-problem"), "passwords_differ");
    return void $("new-password-again").select();
  }
  tell($("change-problem"), null);
  return during($("change-button"), "changing_password", "change_password", async () => {
    try {
      await service.changePassword(old, next);
    } catch (problem) {
      if (problem instanceof service.Problem && problem.signedOut) {
        service.forgetSignIn();
        return void showForm("session_expired");
      }
      tellProblem($("change-problem"), problem);
      return void $("new-password").select();
    }
    $("change-form").reset();
    whenSignedIn();
  });
}

$("sign-in-form").addEventListener("submit", signIn);
$("change-form").addEventListener("submit", change);
$("change-leave").addEventListener("click", () => {
  service.signOut();
  $("change-form").reset();
  showForm("signed_out");
});
