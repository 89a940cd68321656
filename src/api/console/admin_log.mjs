// What the log tells, changed while a replica runs.

import { admin, call, field, problemPlace, toast, why } from "./admin_parts.mjs";
import { make } from "./element.mjs";
import { say } from "./texts.mjs";

const LEVELS = ["error", "warn", "info", "debug", "trace"];

/** @param {HTMLElement} place */
export function open(place) {
  const level = /** @type {HTMLInputElement} */ (make("input", { id: "log-level", required: true, list: "log-levels", class: "code", autocapitalize: "none", spellcheck: "false", autocomplete: "off" }));
  const problems = problemPlace();
  const set = /** @type {HTMLButtonElement} */ (make("button", { type: "submit", class: "primary" }, say("log_set")));
  const form = make(
    "form",
    { class: "panel narrow" },
    field(say("log_level"), level, say("log_about")),
    make("datalist", { id: "log-levels" }, LEVELS.map((name) => make("option", { value: name }))),
    problems.element,
    make("div", { class: "buttons" }, set),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    set.disabled = true;
    try {
      const told = await call("PUT", admin("log-level"), { level: level.value.trim() });
      problems.tell(null);
      toast(say("log_done", told.replica, told.before, told.level));
    } catch (problem) {
      problems.tell(why(problem));
    } finally {
      set.disabled = false;
    }
  });
  place.append(form);
}
