// Connections that break, and sign-ins that end.

import assert from "node:assert/strict";
import { assertAccessible } from "./accessible.mjs";
import { openTab, signIn } from "./browser.mjs";
import { startUpstream, startWay } from "./upstream.mjs";

export async function connection({ check, begin, who, picture, text, upstream }) {
  await check("the end of a sign-in is announced, and put off when asked to", {}, async (page) => {
    await page.clock.install();
    await page.reload();
    await signIn(page, who);
    await page.locator("#welcome:not([hidden]), .answer").first().waitFor();
    await page.clock.fastForward("23:56:00");
    await page.locator("#expiring:not([hidden])").waitFor();
    await picture(page, "expiring");
    await assertAccessible(page);
    const before = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")).token);
    await page.locator("#stay").click();
    await page.waitForFunction((old) => JSON.parse(sessionStorage.getItem("console.signed_in")).token !== old, before);
    await page.clock.fastForward(10);
    await page.locator("#expiring").waitFor({ state: "hidden" });
    await page.locator("#message").fill("not lost");
    await page.clock.fastForward(1000);
    await page.clock.fastForward("24:00:00");
    await page.locator("#sign-in-form").waitFor();
    assert.match(await text(page, "#sign-in-problem"), /expired/);
    await page.locator("#password").fill(who.password);
    await page.keyboard.press("Enter");
    await page.locator("#chat:not([hidden])").waitFor();
    await page.waitForFunction(() => document.querySelector("#message").value === "not lost");
  });

  if (!upstream) return;
  const api = await startUpstream(upstream.port);
  const way = await startWay(upstream.origin);

  await check("a connection that breaks while an answer is made is told, and taken up again", { origin: way.origin }, async (page, seen) => {
    await begin(page, upstream);
    const asked = api.got.length;
    await page.locator("#message").fill("list reports");
    await page.keyboard.press("Enter");
    await page.locator(".live-calls li").waitFor();
    await page.locator("#message").fill("typed meanwhile");
    await picture(page, "working");
    way.cut();
    await page.locator(".working.lost").waitFor();
    assert.match(await text(page, ".working"), /connection was lost/);
    await page.locator("#connection:not([hidden])").waitFor();
    await picture(page, "lost");
    await assertAccessible(page);
    way.mend();
    await page.locator("article.answer:not(.working)").waitFor();
    await page.locator("#connection").waitFor({ state: "hidden" });
    assert.equal(await page.locator("#message").inputValue(), "typed meanwhile");
    assert.equal(await page.locator(".bubble").count(), 1);
    assert.equal(seen.keys.length, 1, "the message was sent once");
    assert.equal(api.got.length, asked + 1, "the API was called once");
  });

  await check("a session that is left and one that is loaded anew go on with what they were at", { origin: way.origin }, async (page) => {
    await begin(page, upstream);
    const asked = api.got.length;
    await page.locator("#message").fill("list reports");
    await page.keyboard.press("Enter");
    await page.locator(".live-calls li").waitFor();
    const address = page.url();
    await page.goto(address.replace(/#.*/, "#/account"));
    await page.goto(address);
    await page.locator(".working .live-calls li").waitFor();
    await page.reload();
    await page.locator("article.answer:not(.working) .call").waitFor();
    assert.equal(await page.locator(".bubble").count(), 1);
    assert.equal(api.got.length, asked + 1);
  });

  await check("what one tab is at is seen in the other while it lasts", { origin: way.origin }, async (page, seen) => {
    await begin(page, upstream);
    const other = await openTab(page.context(), way.origin, seen);
    await other.goto(page.url());
    await other.locator("#session-id:not(:empty)").waitFor({ state: "attached" });
    const asked = api.got.length;
    await page.locator("#message").fill("list reports");
    await page.keyboard.press("Enter");
    await other.locator(".working .live-calls li").waitFor();
    await other.locator("article.answer:not(.working)").waitFor();
    await page.locator("article.answer:not(.working)").waitFor();
    assert.deepEqual(await other.locator(".bubble").allTextContents(), ["list reports"]);
    assert.equal(api.got.length, asked + 1);
  });

  await check("what is worked on is stopped", { origin: way.origin, locale: "zh-CN" }, async (page) => {
    await begin(page, upstream);
    await page.locator("#message").fill("list reports");
    await page.keyboard.press("Enter");
    await page.locator("#stop").click();
    await page.locator(".working").waitFor({ state: "detached" });
    await page.locator("#send:not([disabled])").waitFor();
    assert.equal(await page.locator(".answer.problem").count(), 0);
  });

  way.stop();
  api.stop();
}
