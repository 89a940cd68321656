// One's own account: another password where it is asked for, credentials for the API, keys for programs.

import assert from "node:assert/strict";
import { assertAccessible } from "./accessible.mjs";
import { signIn } from "./browser.mjs";
import { startUpstream } from "./upstream.mjs";

/** Asks the service without the page. */
async function ask(origin, token, method, path, body) {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(origin + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, told: await response.json() };
}
const tokenOf = async (origin, { user: username, password }) => (await ask(origin, null, "POST", "/api/login", { username, password })).told.token;

/** A user whom only this check knows. */
async function newUser(origin, admin, name, must_change_password) {
  const user = `${name}${Date.now()}`;
  const password = "the first password of this one";
  const made = await ask(origin, await tokenOf(origin, admin), "POST", "/api/admin/users", { username: user, password, must_change_password });
  assert.equal(made.status, 201, JSON.stringify(made.told));
  return { user, password };
}

const toAccount = async (page) => {
  await page.locator('#places a[href="#/account"]').click();
  await page.locator("#password-form").waitFor();
};

export async function account({ check, who, origin, picture, text, upstream }) {
  for (const [locale, differ] of [["en-US", /in two ways/], ["zh-CN", /不一致/]]) {
    await check(`whoever must choose another password does so before anything else, ${locale}`, { locale }, async (page) => {
      const user = await newUser(origin, who, "ann", true);
      await page.locator("#username").fill(user.user);
      await page.locator("#password").fill(user.password);
      await page.keyboard.press("Enter");
      await page.locator("#change-form").waitFor();
      await picture(page, `change-password-${locale}`);
      await assertAccessible(page);
      // A reload does not go past it.
      await page.reload();
      await page.locator("#old-password").fill(user.password);
      await page.locator("#new-password").fill("a staple of better batteries");
      await page.locator("#new-password-again").fill("a staple of other batteries");
      await page.keyboard.press("Enter");
      await page.locator("#change-problem:not([hidden])").waitFor();
      assert.match(await text(page, "#change-problem"), differ);
      await page.locator("#new-password-again").fill("a staple of better batteries");
      await page.keyboard.press("Enter");
      await page.locator("#chat:not([hidden])").waitFor();
      assert.equal((await ask(origin, null, "POST", "/api/login", { username: user.user, password: user.password })).status, 401);
      assert.ok(await tokenOf(origin, { ...user, password: "a staple of better batteries" }));
    });
  }

  await check("a wrong present password is told; a right one changes the password, and one stays signed in", {}, async (page) => {
    const user = await newUser(origin, who, "eve", false);
    await signIn(page, user);
    await toAccount(page);
    const [old, next, again] = [0, 1, 2].map((n) => page.locator("#password-form input").nth(n));
    await old.fill("this is not it");
    for (const input of [next, again]) await input.fill("a staple of better batteries");
    await page.keyboard.press("Enter");
    await page.locator("#password-form .problem:not([hidden])").waitFor();
    await old.fill(user.password);
    await page.keyboard.press("Enter");
    await page.locator(".toast", { hasText: "was changed" }).waitFor();
    await page.reload();
    await page.locator("#password-form").waitFor();
  });

  for (const [locale, revoke] of [["en-US", "Revoke"], ["zh-CN", "撤销"]]) {
    await check(`a key is made, shown once, good, and revoked, ${locale}`, { locale, colorScheme: locale === "zh-CN" ? "dark" : "light" }, async (page) => {
      const user = await newUser(origin, who, "bob", false);
      await signIn(page, user);
      await toAccount(page);
      const form = page.locator("#keys + div form");
      await form.locator("input").fill("nightly report");
      await form.locator("select").selectOption("30");
      await form.locator("button").click();
      const key = await page.locator("#made-key").innerText();
      await picture(page, `account-${locale}`);
      await assertAccessible(page);
      assert.equal((await ask(origin, key, "GET", "/api/session/info")).status, 200);
      await page.reload();
      await page.locator("#keys td", { hasText: "nightly report" }).waitFor();
      assert.ok(!(await page.locator("body").innerText()).includes(key), "it is shown once");
      await page.locator("#keys button", { hasText: revoke }).click();
      await page.locator("#confirm-yes").click();
      await page.locator("#keys table").waitFor({ state: "detached" });
      assert.equal((await ask(origin, key, "GET", "/api/session/info")).status, 401);
    });
  }

  if (!upstream) return;
  const api = await startUpstream(upstream.port);
  await check("credentials of one's own are set, sent with calls, and removed", { origin: upstream.origin }, async (page) => {
    await signIn(page, upstream);
    await toAccount(page);
    const scheme = (name) => page.locator("#credentials details", { hasText: name });
    await scheme("door").locator("summary").click();
    await scheme("door").locator("input").fill("sesame-4711");
    await page.keyboard.press("Enter");
    await page.locator(".toast", { hasText: "was saved" }).waitFor();
    await scheme("member").locator("summary").click();
    await scheme("member").locator("input").nth(0).fill("ann");
    await scheme("member").locator("input").nth(1).fill("correct horse");
    await picture(page, "credentials");
    await assertAccessible(page);
    await page.keyboard.press("Enter");
    await scheme("member").locator("summary", { hasText: "set " }).waitFor();
    const sent = async (name) => {
      await page.goto(page.url().replace(/#.*/, `#/functions/${name}`));
      await page.locator("#screen h2", { hasText: name }).waitFor();
      await page.locator("#call-form button[type=submit]").click();
      await page.locator(".call-result .call").waitFor();
      return page.locator(".call-result .call").innerText();
    };
    const [door, member] = [await sent("readKeys"), await sent("readMembers")];
    // The API got them; what it sends back of them is not shown.
    assert.ok(!door.includes("sesame-4711") && !member.includes("correct horse"), "secrets are not told");
    assert.deepEqual(api.headers.map((headers) => headers["x-door"] ?? headers.authorization), ["sesame-4711", `Basic ${btoa("ann:correct horse")}`]);
    await toAccount(page);
    await scheme("door").locator("summary").click();
    await scheme("door").getByText("Remove").click();
    await page.locator("#confirm-yes").click();
    await scheme("door").locator("summary", { hasText: "not set" }).waitFor();
  });
  api.stop();
}
