// The question whether something that changes things is sent: what exactly, two buttons, and until when.

import { make, show } from "./element.mjs";
import { clock } from "./clock.mjs";
import { retell, telling } from "./texts.mjs";

/** Timers hold at most 2³¹ ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * A card that asks. `shown` is what the service wrote of the requests: to the byte what is sent.
 * @param {{id: string, expires_at: string}} question
 * @param {Node} shown
 * @param {(id: string, approve: boolean) => void} decide
 */
export function confirmationCard(question, shown, decide) {
  const until = new Date(question.expires_at);
  const yes = telling("button", { type: "button", class: "primary", "data-decision": "approve" }, "confirm_send");
  const no = telling("button", { type: "button", "data-decision": "reject" }, "confirm_not");
  const state = telling("p", { class: "quiet", role: "status" }, "confirm_until", clock(until));
  const buttons = make("div", { class: "buttons" }, yes, no);
  const card = make("section", { class: "confirmation" }, telling("h4", {}, "confirm_title"), make("div", { class: "markdown" }, shown), buttons, state);
  card.dataset.label = "confirm_title";
  const left = until.getTime() - Date.now();
  const timer = left < TIMER_MS_MAX ? setTimeout(() => closeCard(card, "confirm_expired"), Math.max(0, left)) : 0;
  for (const [button, approve] of [[yes, true], [no, false]]) {
    button.addEventListener("click", () => {
      clearTimeout(timer);
      decide(question.id, approve);
    });
  }
  return card;
}

/** Nothing can be decided any more; `why` is the name of a text. */
export function closeCard(card, why) {
  const buttons = card.querySelector(".buttons");
  if (buttons.hidden) return;
  show(buttons, false);
  card.classList.add("over");
  retell(card.querySelector("[role=status]"), why);
}
