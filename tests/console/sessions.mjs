// What people do with their sessions, and with what waits for their yes.

import assert from "node:assert/strict";
import fs from "node:fs";
import { assertAccessible } from "./accessible.mjs";
import { bubbles, openTab, say, signIn, textOf, until } from "./browser.mjs";

const names = (page) => page.locator("#sessions .name").allInnerTexts();

async function menu(page, item) {
  await page.locator("#session-more").click();
  await page.locator(item).click();
}

async function rename(page, name) {
  await menu(page, "#session-rename");
  await page.locator("#rename-to").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("#session-title", { hasText: name }).waitFor();
}

export async function sessions({ check, begin, newSession, who, picture, text }) {
  await check("sessions are begun, named, found, pinned, opened and ended", {}, async (page) => {
    await begin(page);
    await say(page, "list users page 2");
    await rename(page, "Users of today");
    await newSession(page);
    await say(page, "list products");
    await rename(page, "What the shop sells");
    await menu(page, "#session-pin");
    await page.locator("#session-pinned:not([hidden])").waitFor();
    await until("What the shop sells", async () => (await names(page))[0]);
    assert.equal(await page.locator('#sessions a[aria-current="true"] .name').innerText(), "What the shop sells");
    assert.match(await text(page, "#session-expiry"), /^Ends .+ unless used$/);
    await picture(page, "sessions");
    await assertAccessible(page);
    await page.locator("#session-search").fill("zhao.min@example");
    await until(["Users of today"], async () => (await names(page)).filter((name) => name !== "list users page 2").slice(0, 1));
    assert.match(await page.locator("#sessions .found").first().innerText(), /zhao\.min@example/);
    await page.locator("#sessions a", { hasText: "Users of today" }).click();
    await until(["list users page 2"], () => bubbles(page));
    const address = page.url();
    await page.reload();
    await until(["list users page 2"], () => bubbles(page));
    assert.equal(page.url(), address);
    await page.locator("#session-search").fill("nothing has this in it 4711");
    await page.locator("#sessions-none:not([hidden])").waitFor();
    await page.locator("#session-search").fill("");
    await menu(page, "#session-end");
    await page.locator("#confirm-yes").click();
    await page.locator(".toast").waitFor();
    await until(false, async () => (await names(page)).includes("Users of today"));
    await page.goto(address);
    await page.locator(".toast.problem").waitFor();
    assert.match(page.url(), /#\/$/);
  });

  await check("a session is branched off at a message, and the first one stays as it is", {}, async (page) => {
    await begin(page);
    for (const message of ["list users", "list products", "list orders"]) await say(page, message);
    const first = page.url();
    await page.locator(".said", { hasText: "list orders" }).locator("[data-act=fork]").click();
    await page.waitForURL((url) => url.href !== first);
    await until(["list users", "list products"], () => bubbles(page));
    await say(page, "get user 3");
    await page.goto(first);
    await until(["list users", "list products", "list orders"], () => bubbles(page));
    await menu(page, "#session-fork");
    await page.waitForURL((url) => url.href !== first);
    await until(["list users", "list products", "list orders"], () => bubbles(page));
  });

  await check("a session is taken along as a file and brought again; what is no such file is refused", {}, async (page) => {
    await begin(page);
    for (const message of ["list users page 2", "get user 1"]) await say(page, message);
    await rename(page, "Taken along");
    const [json] = await Promise.all([page.waitForEvent("download"), menu(page, "#session-export-json")]);
    assert.match(json.suggestedFilename(), /^session-.+\.json$/);
    const kept = JSON.parse(fs.readFileSync(await json.path(), "utf8"));
    assert.deepEqual(kept.turns.map(({ message }) => message), ["list users page 2", "get user 1"]);
    const [markdown] = await Promise.all([page.waitForEvent("download"), menu(page, "#session-export-markdown")]);
    assert.match(markdown.suggestedFilename(), /\.md$/);
    assert.match(fs.readFileSync(await markdown.path(), "utf8"), /list users page 2/);
    await newSession(page);
    const first = page.url();
    const bring = async (name, text) => {
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.locator("#session-import").click()]);
      await chooser.setFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
    };
    await bring("broken.json", JSON.stringify({ ...kept, version: 99 }));
    await page.locator(".toast.problem", { hasText: "version" }).waitFor();
    await bring("whole.json", JSON.stringify(kept));
    await page.waitForURL((url) => url.href !== first);
    await until(["list users page 2", "get user 1"], () => bubbles(page));
    assert.equal(await text(page, "#session-title"), "Taken along");
  });

  await check("an earlier message is edited and sent again, or taken back", {}, async (page) => {
    await begin(page);
    for (const message of ["list users", "list products", "list orders"]) await say(page, message);
    const second = page.locator(".said", { hasText: "list products" });
    await second.locator("[data-act=edit]").click();
    assert.equal(await page.locator("#message").inputValue(), "list products");
    await picture(page, "editing");
    await page.locator("#editing-stop").click();
    assert.equal(await page.locator("#message").inputValue(), "");
    assert.equal((await bubbles(page)).length, 3);
    await second.locator("[data-act=edit]").click();
    await page.locator("#message").fill("get user 3");
    await page.keyboard.press("Enter");
    await until(["list users", "get user 3"], () => bubbles(page));
    await page.locator(".answer", { hasText: "getUser" }).waitFor();
    await page.reload();
    await until(["list users", "get user 3"], () => bubbles(page));
    await page.locator(".said", { hasText: "get user 3" }).locator("[data-act=rewind]").click();
    await page.locator("#confirm-yes").click();
    await until(["list users"], () => bubbles(page));
    await page.reload();
    await until(["list users"], () => bubbles(page));
  });

  await check("a message that somebody else followed is not taken back unseen", {}, async (page) => {
    await begin(page);
    await say(page, "list users");
    await page.locator(".said[data-turn]").waitFor();
    const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")));
    const id = await page.locator("#session-id").textContent();
    const headers = { Authorization: `Bearer ${token}`, "X-Session-Id": id };
    const told = await page.request.post(new URL("/api/process", page.url()).href, { headers, data: { message: "list orders" } });
    assert.equal(told.status(), 200);
    await page.locator("[data-act=rewind]").first().click();
    await page.locator("#confirm-yes").click();
    await page.locator(".toast.problem").waitFor();
    await until(["list users", "list orders"], () => bubbles(page));
  });

  await check("what was typed in one session is there when one comes back to it", {}, async (page) => {
    await begin(page);
    await say(page, "list users");
    await page.locator("#message").fill("half a thou");
    const first = page.url();
    await page.waitForFunction(() => Object.keys(sessionStorage).some((name) => name.startsWith("console.draft.")));
    await newSession(page);
    assert.equal(await page.locator("#message").inputValue(), "");
    await page.goto(first);
    await until("half a thou", () => page.locator("#message").inputValue());
  });

  await check("what is said in a session that was ended elsewhere is kept", {}, async (page) => {
    await begin(page);
    await say(page, "list users");
    if (!/#\/s\//.test(page.url())) {
      await newSession(page);
      await say(page, "list users");
    }
    const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")));
    const id = await page.locator("#session-id").textContent();
    const ended = await page.request.delete(new URL(`/api/sessions/${id}`, page.url()).href, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(ended.status(), 200);
    await page.locator("#message").fill("list orders of May");
    await page.keyboard.press("Enter");
    await page.locator(".toast.problem").waitFor();
    await page.waitForURL(/#\/$/);
    await until("list orders of May", () => page.locator("#message").inputValue());
  });

  await check("tabs are in step: one is signed in with the other, shows what is said there, and signs out with it", {}, async (page, seen) => {
    await begin(page);
    await say(page, "list users");
    const origin = new URL(page.url()).origin;
    const other = await openTab(page.context(), origin, seen);
    await other.goto(page.url());
    await until(["list users"], () => bubbles(other));
    await other.locator("#message").fill("typed in the other tab");
    await say(page, "list orders");
    await until(["list users", "list orders"], () => bubbles(other));
    assert.equal(await other.locator("#message").inputValue(), "typed in the other tab");
    await rename(page, "In step");
    await other.locator("#session-title", { hasText: "In step" }).waitFor();
    await page.locator("#sign-out").click();
    await other.locator("#sign-in-form").waitFor();
    assert.equal(await other.evaluate(() => sessionStorage.length), 0);
  });

  for (const [locale, colorScheme, message, sent, declined] of [
    ["en-US", "light", "delete user 3", "You said yes: what came of it stands below.", "You said no: nothing was sent."],
    ["zh-CN", "dark", "删除用户 5", "你已同意：结果见下方。", "你已拒绝：未发送。"],
  ]) {
    await check(`a change is shown before it is sent, and sent or not with a key on the keyboard, ${locale}`, { locale, colorScheme }, async (page) => {
      await begin(page);
      await say(page, message);
      const card = page.locator(".confirmation").last();
      assert.match(await textOf(card.locator("pre")), /^DELETE http:\/\/127\.0\.0\.1:\d+\/users\/\d$/);
      await picture(page, `confirmation-${locale}`);
      await assertAccessible(page);
      await card.locator("[data-decision=reject]").focus();
      await page.keyboard.press("Enter");
      await card.getByText(declined).waitFor();
      await say(page, message);
      // It is still asked after a reload.
      await page.reload();
      await page.locator("[data-decision=approve]").waitFor();
      await page.locator("[data-decision=approve]").focus();
      await page.keyboard.press("Space");
      await page.locator(".confirmation.over", { hasText: sent }).waitFor();
      // The demo API answered; a run before this one may have deleted that user already.
      assert.match(await textOf(page.locator(".answer .call .status").last()), /^(204|404)$/);
      assert.equal(await page.locator("[data-decision]:visible").count(), 0);
    });
  }

  await check("a question is over when something else is said, and says so; so it does when its time is over", {}, async (page) => {
    await begin(page);
    await say(page, "delete order 1");
    await say(page, "list users");
    assert.equal(await page.locator("[data-decision]:visible").count(), 0);
    assert.match(await text(page, ".confirmation.over"), /Nothing more is sent/);
    const address = page.url();
    await page.clock.install();
    await page.goto(address);
    await page.locator(".bubble").nth(1).waitFor();
    await say(page, "delete order 1");
    await page.locator("[data-decision=approve]:visible").waitFor();
    await page.clock.fastForward("15:01");
    await page.locator(".confirmation.over", { hasText: "not decided in time" }).waitFor();
    assert.equal(await page.locator("[data-decision]:visible").count(), 0);
  });

  await check("a question that was answered elsewhere is not answered twice", {}, async (page) => {
    await begin(page);
    await say(page, "delete order 2");
    const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")));
    const id = await page.locator("#session-id").textContent();
    const headers = { Authorization: `Bearer ${token}`, "X-Session-Id": id };
    await page.request.post(new URL("/api/process", page.url()).href, { headers, data: { message: "no" } });
    await page.locator("[data-decision=approve]").click();
    await page.locator(".toast.problem").waitFor();
    await until(["delete order 2", "no"], () => bubbles(page));
    assert.equal(await page.locator("[data-decision]:visible").count(), 0);
  });

  await check("a drawer with the sessions on a phone", { width: 390, height: 844, locale: "zh-CN" }, async (page) => {
    await signIn(page, who);
    await say(page, "查询所有订单");
    await page.locator("#menu").click();
    await page.locator("#sessions a").first().waitFor();
    await picture(page, "drawer");
    await assertAccessible(page);
    await page.locator("#sessions a").first().click();
    await page.locator("#panel").waitFor({ state: "hidden" });
    await page.locator("#session-more").click();
    await page.locator("#session-rename").waitFor();
    await picture(page, "drawer-menu");
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  });
}
