// What people do in the console, done in a browser. Called by tests/console/run, which says with which service.

import assert from "node:assert/strict";
import fs from "node:fs";
import { openWindow, say, signIn, startBrowser, startCanary, textOf, turnAnswer } from "./browser.mjs";
import { account } from "./account.mjs";
import { administration } from "./admin.mjs";
import { assertAccessible } from "./accessible.mjs";
import { connection } from "./connection.mjs";
import { corpus, htmlCorpus } from "./corpus.mjs";
import { functions } from "./functions.mjs";
import { longConversation } from "./long.mjs";
import { sessions } from "./sessions.mjs";
import { checkTypes } from "./types.mjs";

const origin = process.env.CONSOLE_URL;
const who = { user: process.env.CONSOLE_USER, password: process.env.CONSOLE_PASSWORD };
const pictures = process.env.CONSOLE_SCREENSHOTS;
if (pictures) fs.mkdirSync(pictures, { recursive: true });

/** Checks whose names match, if only some are wanted. */
const only = process.env.CONSOLE_ONLY && new RegExp(process.env.CONSOLE_ONLY);
let passed = 0;
let failed = 0;
const canary = await startCanary(`${origin}/`);
const browser = await startBrowser();

/** Runs one check in a window of its own; whatever it is about, the page makes no foreign request, error, dialog or violation. */
async function check(name, options, story) {
  if (only && !only.test(name)) return;
  const at = options.origin ?? origin;
  const window = await openWindow(browser, at, options);
  try {
    await window.page.goto(`${at}/`);
    await story(window.page, window.seen);
    const { foreign, dialogs, violations, errors } = window.seen;
    assert.deepEqual({ foreign, dialogs, violations, errors, canary: canary.calls }, { foreign: [], dialogs: [], violations: [], errors: [], canary: [] });
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
    canary.calls.length = 0;
  }
  await window.close();
}

const picture = (page, name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : undefined);
const text = (page, selector) => textOf(page.locator(selector));

/** The next request for a turn is answered by the test. */
const answerOnce = (page, answer) => page.route("**/api/process", answer, { times: 1 });
const refuse = (status, code, retryAfter) => (route) =>
  route.fulfill({
    status,
    headers: retryAfter ? { "Retry-After": String(retryAfter) } : {},
    json: { success: false, error: "a sentence", message: "a sentence", code, request_id: "0123abcd" },
  });

/** Signs in and begins a session of its own. */
async function begin(page, as = who) {
  await signIn(page, as);
  await newSession(page);
}

/** Begins a new session; if nothing was said yet in the one that is open, that one is it. */
async function newSession(page) {
  const menu = page.locator("#menu");
  if (await menu.isVisible()) await menu.click();
  await page.locator("#new-session").click();
  await page.locator("#welcome:not([hidden])").waitFor();
}

const kit = { check, begin, newSession, who, origin, picture, text, upstream: process.env.UPSTREAM_URL && { origin: process.env.UPSTREAM_URL, user: process.env.UPSTREAM_USER, password: process.env.UPSTREAM_PASSWORD, port: Number(process.env.UPSTREAM_PORT) } };

await check("the modules are what they say they are", {}, async () => checkTypes(process.env.CONSOLE_SOURCES));

await check("a wrong password is told, and the page stays", {}, async (page) => {
  await page.locator("#username").fill(who.user);
  await page.locator("#password").fill("certainly not it");
  await page.keyboard.press("Enter");
  await page.locator("#sign-in-problem:not([hidden])").waitFor();
  assert.notEqual(await text(page, "#sign-in-problem"), "");
  await picture(page, "sign-in");
});

await check("a request is answered with a table, and a reload brings it back", {}, async (page) => {
  await begin(page);
  await picture(page, "empty");
  const answer = await say(page, "list users page 2");
  assert.ok((await answer.locator("tbody tr").count()) >= 2, "a table with rows");
  await answer.locator(".call summary").click();
  assert.match(await textOf(answer.locator(".address")), /^GET http/);
  await picture(page, "answer");
  const card = () => page.locator(".answer .call").evaluateAll((cards) => cards.map((one) => one.textContent));
  const live = await card();
  assert.equal(live.length, 1);
  await page.reload();
  await page.locator(".answer tbody tr").first().waitFor();
  assert.deepEqual(await card(), live, "the card is there as it was");
  assert.equal(await page.locator("#session-totals").textContent(), "Turns: 1. Calls: 1 (0 that may change something). Tokens: 0.");
  assert.equal(await text(page, ".bubble"), "list users page 2");
});

for (const [locale, colorScheme, script] of [["en-US", "light", /^[ -~]+$/], ["zh-CN", "dark", /\p{Script=Han}/u]]) {
  await check(`every example can be clicked and is answered with a table, ${locale}`, { locale, colorScheme }, async (page) => {
    await begin(page);
    const examples = await page.locator(".example").allInnerTexts();
    assert.ok(examples.length >= 2 && examples.every((example) => script.test(example)), `${examples}`);
    await page.locator(".example").first().click();
    await page.locator(".answer tbody tr").first().waitFor();
    await picture(page, `examples-${locale}`);
    for (const example of examples.slice(1)) {
      assert.ok((await (await say(page, example)).locator("tbody tr").count()) > 0, example);
    }
  });
}

await check("the service's own document is read as a page, and tried as whoever is signed in", {}, async (page) => {
  await page.goto(`${origin}/docs`);
  await page.locator("#operations details").first().waitFor();
  assert.match(await text(page, "#who"), /not signed in/);
  const { paths } = await (await fetch(`${origin}/openapi.json`)).json();
  const operations = Object.values(paths).flatMap((item) => Object.keys(item).filter((name) => name !== "parameters"));
  assert.equal(await page.locator("#operations details").count(), operations.length);
  const tried = async (id, fill = async () => {}) => {
    const one = page.locator(`details#${id}`);
    await one.locator("summary").click();
    await fill(one);
    await one.locator("form button").click();
    await one.locator("form pre:not([hidden])").waitFor();
    return one.locator("form pre").innerText();
  };
  assert.match(await tried("live"), /^200 [^]*"status": "alive"/);
  await page.goto(`${origin}/`);
  await begin(page);
  await page.goto(`${origin}/docs`);
  await page.locator("#operations details").first().waitFor();
  assert.match(await text(page, "#who"), new RegExp(who.user));
  const history = await tried("getHistory", (one) => one.locator("input").first().fill("1"));
  assert.match(history, /^200 [^]*"count": /);
  const call = await tried("call");
  assert.match(call, /^200 [^]*"function_name": "listUsers"/);
  await page.locator("#language").click();
  assert.match(await text(page, "#who"), /\p{Script=Han}/u);
  await picture(page, "docs");
});

await check("the language is switched and remembered", {}, async (page) => {
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await page.locator("#language").click();
  assert.equal(await text(page, "#sign-in-button"), "登录");
  await page.reload();
  assert.equal(await text(page, "#sign-in-button"), "登录");
  await begin(page);
  assert.equal(await page.locator("#message").getAttribute("placeholder"), "你想做什么？");
});

await check("Shift + Enter begins a line, Enter sends; a message is asked for only once", {}, async (page, seen) => {
  await begin(page);
  await page.locator("#message").focus();
  await page.keyboard.type("list users");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("page 2");
  assert.equal(await page.locator("#message").inputValue(), "list users\npage 2");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.locator(".answer footer").waitFor();
  assert.equal(seen.keys.length, 1);
});

await check("a call that waits for a yes is not shown as failed", {}, async (page) => {
  await begin(page);
  const asked = (unsent) => turnAnswer("This changes something.", [{ function_name: "deleteUser", success: false, unsent, error: "it was not sent" }]);
  for (const [unsent, told] of [["awaiting_confirmation", "waits for your yes"], ["declined", "not sent"], [undefined, "failed"]]) {
    await answerOnce(page, (route) => route.fulfill({ json: asked(unsent) }));
    const answer = await say(page, "delete user 3");
    assert.equal(await textOf(answer.locator(".status")), told);
  }
});

await check("what is typed while the history is cleared is kept", {}, async (page, seen) => {
  await begin(page);
  await say(page, "list users");
  let go, came;
  const held = new Promise((resolve) => (go = resolve));
  const begun = new Promise((resolve) => (came = resolve));
  await page.route("**/api/history", async (route) => {
    came();
    await held;
    await route.continue();
  }, { times: 1 });
  await page.locator("#session-more").click();
  await page.locator("#clear-history").click();
  await page.locator("#confirm-yes").click();
  await begun;
  await page.locator("#message").fill("list products");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#message").inputValue(), "list products");
  assert.equal(seen.keys.length, 1);
  go();
  await page.locator(".bubble").waitFor({ state: "detached" });
  await page.locator("#message").focus();
  await page.keyboard.press("Enter");
  await page.locator(".answer tbody tr").first().waitFor();
  assert.equal(await text(page, ".bubble"), "list products");
});

await check("a cut connection loses nothing: the retry has the same key", {}, async (page, seen) => {
  await begin(page);
  await answerOnce(page, (route) => route.abort());
  await page.locator("#message").fill("list products");
  await page.keyboard.press("Enter");
  await page.locator(".answer.problem .primary").click();
  await page.locator(".answer tbody tr").first().waitFor();
  assert.equal(seen.keys.length, 2);
  assert.match(seen.keys[0], /^[\da-f]{32}$/);
  assert.equal(seen.keys[0], seen.keys[1]);
  await say(page, "list orders");
  assert.notEqual(seen.keys[2], seen.keys[0]);
});

await check("a busy service is asked again when it said, with the same key", {}, async (page, seen) => {
  await begin(page);
  await answerOnce(page, refuse(409, "turn_in_progress", 4));
  await page.locator("#message").fill("list products");
  const before = Date.now();
  await page.keyboard.press("Enter");
  await page.locator(".answer.problem").waitFor();
  assert.match(await text(page, ".answer.problem"), /a sentence[^]*0123abcd[^]*[1-4] s/);
  await picture(page, "busy");
  await page.locator(".answer tbody tr").first().waitFor();
  assert.ok(Date.now() - before >= 4000, "it waited");
  assert.equal(seen.keys[0], seen.keys[1]);
});

await check("a refused message can be edited, not sent again", {}, async (page) => {
  await begin(page);
  await answerOnce(page, refuse(400, "invalid_body"));
  await page.locator("#message").fill("something wrong");
  await page.keyboard.press("Enter");
  await page.locator(".answer.problem").waitFor();
  assert.equal(await page.locator(".answer.problem .primary").count(), 0);
  await page.locator(".answer.problem button").click();
  assert.equal(await page.locator("#message").inputValue(), "something wrong");
});

await check("an expired sign-in goes back to signing in, and then on with the message", {}, async (page, seen) => {
  await begin(page);
  await answerOnce(page, refuse(401, "token_expired"));
  await page.locator("#message").fill("list products");
  await page.keyboard.press("Enter");
  await page.locator("#sign-in:not([hidden])").waitFor();
  assert.match(await text(page, "#sign-in-problem"), /expired/);
  await page.locator("#password").fill(who.password);
  await page.keyboard.press("Enter");
  await page.locator(".answer tbody tr").first().waitFor();
  assert.deepEqual(seen.keys, [seen.keys[0], seen.keys[0]]);
  assert.equal(await page.locator(".bubble").count(), 1);
});

await check("a reload while an answer is on its way does not lose it, nor do it twice", {}, async (page, seen) => {
  await begin(page);
  await answerOnce(page, async (route) => {
    // The service gets it and answers; the browser has gone by then.
    await route.fetch();
    await route.abort().catch(() => {});
  });
  await page.locator("#message").fill("list products");
  await page.keyboard.press("Enter");
  await page.locator(".working, .answer.problem").first().waitFor();
  // What counts is what the page shows then: the browser's own "load" waits for the request that was cut as well.
  await page.reload({ waitUntil: "domcontentloaded" });
  await page.locator(".answer .call").first().waitFor();
  // The history may have it already while the page still asks for it under its key: then it is there twice until that is answered.
  await page.waitForFunction(() => document.querySelectorAll(".working").length === 0 && document.querySelectorAll(".bubble").length < 2);
  assert.equal(await page.locator(".bubble").count(), 1);
  assert.equal(await page.locator("article.answer").count(), 1);
  assert.equal(new Set(seen.keys).size, 1);
});

await check("earlier messages come page by page, and what is read stays in view", {}, async (page) => {
  const turns = Array.from({ length: 70 }, (_, n) => ["user", "assistant"].map((role) => ({ role, content: `${role} ${n}`, timestamp: "2026-01-02T03:04:05Z" })));
  await page.route("**/api/history?*", (route) => {
    const query = new URL(route.request().url()).searchParams;
    const before = Number(query.get("before") ?? turns.length);
    const first = Math.max(0, before - Number(query.get("limit")) / 2);
    return route.fulfill({ json: { success: true, history: turns.slice(first, before).flat(), next_before: first > 0 ? first : null, session_id: "s" } });
  });
  await signIn(page, who);
  await page.locator(".bubble", { hasText: "user 69" }).waitFor();
  assert.equal(await page.locator(".bubble").count(), 30);
  await page.locator("#scroll").evaluate((scroll) => (scroll.scrollTop = 0));
  const place = () => page.locator(".bubble", { hasText: /^user 40$/ }).evaluate((bubble) => bubble.getBoundingClientRect().top);
  const before = await place();
  await page.locator("#older").click();
  await page.locator(".bubble", { hasText: /^user 10$/ }).waitFor({ state: "attached" });
  assert.ok(Math.abs((await place()) - before) < 60, "in view");
  await page.locator("#older").click();
  await page.locator(".bubble", { hasText: /^user 0$/ }).waitFor({ state: "attached" });
  assert.equal(await page.locator("#older").isVisible(), false);
  assert.deepEqual(await page.locator(".bubble").allTextContents(), turns.map((_, n) => `user ${n}`));
});

await check("an empty history is asked about first; signing out forgets", {}, async (page) => {
  await begin(page);
  await say(page, "list products");
  const session = await page.locator("#session-id").textContent();
  const clear = async () => {
    await page.locator("#session-more").click();
    await page.locator("#clear-history").click();
  };
  await clear();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".bubble").count(), 1);
  await clear();
  await page.locator("#confirm-yes").click();
  await page.locator("#welcome:not([hidden])").waitFor();
  assert.equal(await page.locator("#session-id").textContent(), session);
  await page.locator("#message").fill("nobody else reads this");
  await page.waitForFunction(() => Object.keys(sessionStorage).some((name) => name.startsWith("console.draft.")));
  const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")));
  const [told] = await Promise.all([page.waitForResponse((response) => response.url().endsWith("/api/logout")), page.locator("#sign-out").click()]);
  assert.equal(told.status(), 200);
  await page.locator("#sign-in:not([hidden])").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  const again = await page.request.get(new URL("/api/session/info", page.url()).href, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(again.status(), 401, "the service knows that the token is of no use any more");
  await page.reload();
  await page.locator("#sign-in-form").waitFor();
});

for (const [width, height] of [[360, 640], [390, 844], [1600, 900]]) {
  await check(`nothing hangs over the edge at ${width} px`, { width, height }, async (page) => {
    await signIn(page, who);
    await say(page, "list users page 2");
    await picture(page, `width-${width}`);
    const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok((await over()) <= 0);
    if (await page.locator("#menu").isVisible()) {
      await page.locator("#menu").click();
      assert.ok(await page.locator("#sign-out").isVisible());
      await page.keyboard.press("Escape");
      assert.ok(!(await page.locator("#sign-out").isVisible()));
    }
    assert.ok((await over()) <= 0);
  });
}

for (const colorScheme of ["light", "dark"]) {
  await check(`everything has a name and enough contrast, ${colorScheme}`, { colorScheme }, async (page) => {
    await assertAccessible(page);
    await begin(page);
    await assertAccessible(page);
    await answerOnce(page, (route) => route.fulfill({ json: turnAnswer("# T\n\n```js\n// a\nreturn \"b\" + 1;\n```\n\n```json\n{\"k\": 1}\n```\n\n`c` ~~d~~\n\n> q\n\n| a |\n| - |\n| 1 |", [{ function_name: "f", success: true, call_info: { parameters: { a: 1 }, method: "GET", url: "http://h/p" }, api_response: { status_code: 200, data: 1 } }]) }));
    await (await say(page, "show")).locator("summary").click();
    await answerOnce(page, refuse(500, "internal_error"));
    await page.locator("#message").fill("fail");
    await page.keyboard.press("Enter");
    await page.locator(".answer.problem").waitFor();
    await assertAccessible(page);
  });
}

await check("Markdown becomes the nodes it should", {}, async (page) => {
  const cases = JSON.parse(fs.readFileSync("markdown_cases.json", "utf8"));
  const rendered = await page.evaluate(async (texts) => {
    const { render } = await import("/console/markdown.mjs");
    return texts.map((text) => {
      const box = document.createElement("div");
      box.append(render(text));
      for (const element of box.querySelectorAll("*")) for (const name of ["dir", "tabindex", "role", "data-label"]) element.removeAttribute(name);
      for (const element of box.querySelectorAll(".table")) element.removeAttribute("class");
      return box.innerHTML;
    });
  }, cases.map(([markdown]) => markdown));
  rendered.forEach((html, n) => assert.equal(html, cases[n][1], JSON.stringify(cases[n][0])));
});

await check("code that no language would have keeps its text, and takes no time", {}, async (page) => {
  const { lost, slowest } = await page.evaluate(async () => {
    const { highlighted } = await import("/console/highlight.mjs");
    const lost = [];
    let slowest = 0;
    for (const language of ["json", "yaml", "js", "python", "sh", "sql", "xml", "http"]) {
      for (const unit of ['"', "'", "`", '\\"', "`\\", "-", "- ", "-a", "/*", "<!--", '"""', "#", "a:", "a ", "<a ", "a=", "$", "{", "1.", "GET ", "\t"]) {
        const code = unit.repeat(20_000 / unit.length);
        const began = performance.now();
        const nodes = highlighted(code, language);
        slowest = Math.max(slowest, performance.now() - began);
        if (nodes.map((node) => node.textContent ?? node).join("") !== code) lost.push([language, unit]);
      }
    }
    return { lost, slowest };
  });
  assert.deepEqual(lost, []);
  // Time that grows with the square would be seconds.
  assert.ok(slowest < 1000, `${slowest} ms`);
});

await check("hostile answers are shown as text", {}, (page) => corpus(page, canary.host, who));

await check("answers as HTML load and run nothing in a page", {}, (page) => htmlCorpus(page, canary.host, who));

await check("the page cannot be framed", {}, async (page, seen) => {
  await page.goto(`http://${canary.host}/framing`);
  await page.waitForTimeout(500);
  seen.foreign.length = 0;
  assert.equal(await page.frameLocator("iframe").locator("#sign-in-form").count(), 0);
});

// Without this, zero complaints could mean that nobody listens.
await check("what the policy forbids is blocked, and seen here", {}, async (page, seen) => {
  await page.evaluate((host) => document.body.append(Object.assign(new Image(), { src: `http://${host}/control` })), canary.host);
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<p>x</p>";
      return false;
    } catch {
      return true;
    }
  });
  await page.waitForTimeout(300);
  assert.ok(refused, "text does not become HTML");
  assert.deepEqual(seen.violations.splice(0).map((what) => what.split(" ")[0]).sort(), ["img-src", "require-trusted-types-for"]);
  seen.foreign.length = 0;
});

await longConversation(kit);
await sessions(kit);
await functions(kit);
await account(kit);
await connection(kit);
await administration({ ...kit, canary });

await browser.close();
canary.stop();
console.log(`${passed} passed, ${failed} failed${kit.upstream ? "" : ", 1 skipped"}`);
process.exit(failed === 0 ? 0 : 1);
