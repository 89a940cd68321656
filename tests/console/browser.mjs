// A Chromium that is watched: what it asks of whom, what it complains of, and a listener that nobody should ever call.

import assert from "node:assert/strict";
import http from "node:http";
import { chromium } from "playwright-core";

/** A listener on the loopback that counts who calls; it also serves a page that frames another. */
export async function startCanary(framed) {
  const calls = [];
  const server = http.createServer((request, response) => {
    if (request.url === "/framing") {
      response.writeHead(200, { "Content-Type": "text/html" });
      return response.end(`<!doctype html><iframe src="${framed}"></iframe>`);
    }
    // Chromium itself asks for the picture of the framing page.
    if (request.url !== "/favicon.ico") calls.push(request.url);
    response.writeHead(204, { "Access-Control-Allow-Origin": "*" });
    response.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { host: `127.0.0.1:${server.address().port}`, calls, stop: () => server.close() };
}

export async function startBrowser() {
  // Chromium's own sandbox cannot be had as root in a container; the page under test is ours.
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
}

/** A new window, and what was seen in it: `foreign` requests, `dialogs`, policy `violations`, script `errors`, `keys` of turns. */
export async function openWindow(browser, origin, { locale = "en-US", width = 1280, height = 800, colorScheme = "light" } = {}) {
  const context = await browser.newContext({ locale, colorScheme, viewport: { width, height }, acceptDownloads: true });
  const seen = { foreign: [], dialogs: [], violations: [], errors: [], keys: [] };
  return { page: await openTab(context, origin, seen), seen, close: () => context.close() };
}

/** One more tab of a window. */
export async function openTab(context, origin, seen) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("blob:")) seen.foreign.push(request.url());
    if (request.url() === `${origin}/api/process`) seen.keys.push(request.headers()["idempotency-key"]);
  });
  page.on("dialog", (dialog) => {
    seen.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  await page.exposeFunction("tellViolation", (what) => seen.violations.push(what));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => window.tellViolation(`${event.effectiveDirective} ${event.blockedURI}`));
  });
  return page;
}

/**
 * What stands in an element, as it is shown. Entries of the conversation that are out of view are not rendered (`content-visibility`), and a new one
 * is out of view until the next frame: in that moment it has no `innerText`, however visible it counts as.
 */
export async function textOf(locator) {
  await locator.evaluate(async (element) => {
    const end = performance.now() + 10_000;
    while (!element.checkVisibility({ contentVisibilityAuto: true })) {
      if (performance.now() > end) throw new Error("it is never rendered");
      await new Promise(requestAnimationFrame);
    }
  });
  return locator.innerText();
}

/** Types who somebody is where it is asked for, with the keyboard alone. */
export async function typeWho(page, { user, password }) {
  await page.locator("#username:focus").waitFor();
  await page.keyboard.type(user);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
}

/** Signs in, and waits for the conversation. */
export async function signIn(page, who) {
  await typeWho(page, who);
  await page.locator("#chat:not([hidden])").waitFor();
  await page.locator("#session-id:not(:empty)").waitFor({ state: "attached" });
}

/** Says something and waits until an answer more is there. */
export async function say(page, text) {
  const answers = page.locator(".answer:not(.working):not(.problem)");
  const before = await answers.count();
  await page.locator("#message").fill(text);
  await page.locator("#message").press("Enter");
  await answers.nth(before).waitFor();
  return answers.nth(before);
}

/** What the user said. What is far away is not laid out, so there is no text as it is seen. */
export const bubbles = (page) => page.locator(".bubble").allTextContents();

/** Waits until something is so; what it is in the end stands in the failure. */
export async function until(expected, ask) {
  const end = Date.now() + 20_000;
  let seen;
  do {
    seen = await ask();
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < end);
  assert.deepEqual(seen, expected);
}

/** An answer of the service, as its `POST /api/process` gives it. */
export function turnAnswer(message, calls = []) {
  return { success: true, message, data: calls, function_calls: calls, usage: null, timestamp: new Date().toISOString(), user_id: "u", session_id: "s", run_id: "r" };
}
