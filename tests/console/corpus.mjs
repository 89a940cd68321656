// Hostile answers in every place where the console shows what a model or an upstream API wrote.

import assert from "node:assert/strict";
import fs from "node:fs";
import { say, signIn, turnAnswer } from "./browser.mjs";

/** One answer costs the page so much time of a processor at most, in milliseconds, however it is made. What others do on the machine does not count. */
const RENDER_MS_MAX = 5000;
/** An answer of a session that is brought is not longer, in characters. */
const ANSWER_CHARS_MAX = 40_000;
const ELEMENTS = new Set("P H3 H4 H5 H6 STRONG EM DEL CODE PRE BR HR UL OL LI BLOCKQUOTE DIV TABLE THEAD TBODY TR TH TD".split(" "));
const ATTRIBUTES = new Set(["class", "dir", "tabindex", "role", "data-label", "aria-label", "start"]);

/** Shows every payload as answer, as parts of a call, and as history; the caller looks at what the browser did meanwhile. */
export async function corpus(page, canary, who) {
  const payloads = corpusFor(canary);
  await signIn(page, who);
  const tools = await page.context().newCDPSession(page);
  await tools.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => (await tools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  for (const payload of payloads) {
    await page.route("**/api/process", (route) => route.fulfill({ json: turnAnswer(payload, [hostileCall(payload, true), hostileCall(payload, false)]) }), { times: 1 });
    const began = await spent();
    const answer = await say(page, "anything");
    for (const fold of await answer.locator("summary").all()) await fold.click();
    const took = Math.round((await spent()) - began);
    assert.ok(took < RENDER_MS_MAX, `${took} ms for ${payload.slice(0, 60)}`);
    assert.deepEqual(await foreignNodes(answer), [], payload.slice(0, 200));
    // Each is measured alone.
    await page.locator("#log").evaluate((log) => log.replaceChildren());
  }
  const messages = payloads.flatMap((content) => [{ role: "user", content, timestamp: content }, { role: "assistant", content, timestamp: content }]);
  const [first] = payloads;
  await page.route("**/api/history?*", (route) => route.fulfill({ json: { success: true, history: messages, next_before: null, session_id: first } }));
  await page.route("**/api/functions", (route) => route.fulfill({ json: { success: true, functions: payloads.map((name) => ({ name, description: name, parameters: {} })) } }));
  await page.route("**/api/info", (route) =>
    route.fulfill({ json: { api_info: { title: payloads[5], description: payloads[6], version: payloads[7] }, agent_status: { api_base_url: payloads[8], planner: "offline", last_error: payloads[9] } } }),
  );
  await page.reload();
  await page.locator(".answer").nth(payloads.length - 1).waitFor();
  assert.deepEqual(await foreignNodes(page.locator("#log")), []);
  await page.locator("#about-fold summary").click();
  await page.locator("#places a").first().click();
  await page.locator("#function-list li").nth(payloads.length - 1).waitFor();
  await page.locator("#function-list a").first().click();
  await page.locator("#call-form").waitFor();
  // Whatever wants a moment to misbehave has it.
  await page.waitForTimeout(500);
}

/** Puts every payload, as HTML that the service made of it, into a page under the console's policy; the caller looks at what the browser did meanwhile. */
export async function htmlCorpus(page, canary, who) {
  await signIn(page, who);
  const payloads = corpusFor(canary).map((payload) => payload.slice(0, ANSWER_CHARS_MAX));
  const answers = await page.evaluate(async (texts) => {
    const service = await import("/console/service.mjs");
    const at = "2026-05-31T12:00:00.000Z";
    const turns = texts.map((answer) => ({ asked_at: at, message: "anything", answered_at: at, answer }));
    const { session } = await service.imported(new Blob([JSON.stringify({ format: "swagger-api-agent/session", version: 1, turns })]));
    const found = [];
    for (let before = null, first = true; first || before !== null; first = false) {
      const query = before === null ? "" : `&before=${before}`;
      const { history, next_before } = await service.request("GET", `/api/history?html=true&limit=100${query}`, { headers: { "X-Session-Id": session.id } });
      found.unshift(...history.filter(({ role }) => role === "assistant").map(({ content_html }) => content_html));
      before = next_before;
    }
    await service.endSession(session.id);
    return found;
  }, payloads);
  assert.equal(answers.length, payloads.length);
  const policy = (await page.reload()).headers()["content-security-policy"];
  assert.match(policy, /default-src/);
  const address = new URL("/answer-as-html", page.url()).href;
  for (const [n, html] of answers.entries()) {
    const body = `<!doctype html><meta charset="utf-8"><title>An answer</title><div class="markdown">${html}</div>`;
    await page.route(address, (route) => route.fulfill({ headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy }, body }), { times: 1 });
    await page.goto(address);
    assert.deepEqual(await foreignNodes(page, [...ELEMENTS, "A", "H1", "H2"], [...ATTRIBUTES, "href", "rel"]), [], payloads[n].slice(0, 200));
    const leads = await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.protocol));
    assert.ok(leads.every((protocol) => ["http:", "https:", "mailto:"].includes(protocol)), `${leads}`);
  }
  await page.waitForTimeout(500);
}

function corpusFor(canary) {
  return JSON.parse(fs.readFileSync("payloads.json", "utf8")).map((payload) => grown(payload).replaceAll("CANARY", canary));
}

/** `BULK x 9000` is `x` so many times. */
function grown(payload) {
  const bulk = /^BULK ([^]*) (\d+)$/.exec(payload);
  return bulk === null ? payload : bulk[1].repeat(Number(bulk[2]));
}

function hostileCall(payload, replied) {
  return {
    function_name: payload,
    success: replied,
    explanation: payload,
    call_info: { parameters: { [payload]: payload, __proto__: payload }, method: payload, url: payload },
    markdown_result: payload,
    api_response: replied ? { status_code: payload, data: { [payload]: payload }, url: payload, method: payload } : null,
    error: payload,
  };
}

/** Elements and attributes inside rendered Markdown that the subset does not have. */
function foreignNodes(place, allowed = [...ELEMENTS], named = [...ATTRIBUTES]) {
  return place.locator(".markdown *").evaluateAll(
    (found, [elements, attributes]) =>
      found.flatMap((element) => [
        // Code in colours: a class, and nothing in it but text.
        ...(elements.includes(element.tagName) || element.matches('pre > code > span[class^="code-"]:not(:has(*))') ? [] : [element.tagName]),
        ...element.getAttributeNames().filter((name) => !attributes.includes(name)),
      ]),
    [allowed, named],
  );
}
