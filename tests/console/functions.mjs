// Functions looked for, and called with a form.

import assert from "node:assert/strict";
import { assertAccessible } from "./accessible.mjs";
import { signIn } from "./browser.mjs";
import { startUpstream } from "./upstream.mjs";

const field = (page, name) => page.locator("#call-form .field", { has: page.locator("xpath=./*[self::label or self::legend]/span[1]").filter({ hasText: new RegExp(`^${name}$`) }) });
const problem = (page, name) => field(page, name).locator("> .field-problem").innerText();
const call = (page) => page.locator("#call-form button[type=submit]").click();

export async function functions({ check, who, picture, text, upstream }) {
  for (const [locale, search, found] of [["en-US", "user delete", "deleteUser"], ["zh-CN", "删除 用户", "deleteUser"]]) {
    await check(`a function is found by its name or what it does, ${locale}`, { locale }, async (page) => {
      await signIn(page, who);
      await page.locator('#places a[href="#/functions"]').click();
      await page.locator("#function-list li").nth(14).waitFor();
      await picture(page, `functions-${locale}`);
      await assertAccessible(page);
      await page.locator("#function-search").fill(search);
      await page.locator("#function-list li").nth(1).waitFor({ state: "detached" });
      assert.match(await text(page, "#function-list"), new RegExp(`^${found}`));
      await page.locator("#function-list a").click();
      await page.locator("#call-form").waitFor();
      await page.reload();
      await page.locator("#screen h2", { hasText: found }).waitFor();
    });
  }

  await check("a call's problems are told at the fields, by us and by the service", {}, async (page) => {
    await signIn(page, who);
    await page.goto(page.url().replace(/#.*|$/, "#/functions/createUser"));
    await page.locator("#call-form").waitFor();
    await call(page);
    assert.equal(await problem(page, "name"), "This is required.");
    assert.equal(await problem(page, "email"), "This is required.");
    assert.equal(await page.evaluate(() => document.activeElement.labels[0].innerText.split(" ")[0]), "name");
    await field(page, "name").locator("input").fill("Ann Lee");
    await field(page, "email").locator("input").fill("no address");
    await call(page);
    await page.waitForFunction(() => document.querySelector("#call-form [aria-invalid]"));
    assert.equal(await field(page, "name").locator("> .field-problem").isVisible(), false);
    assert.match(await problem(page, "email"), /email/);
    await picture(page, "form-problems");
    await assertAccessible(page);
    await field(page, "email").locator("input").fill(`ann.${Date.now()}@example.org`);
    assert.equal(await field(page, "role").locator("p.quiet code").first().innerText(), "admin", "descriptions are Markdown (OpenAPI 3, 4.3)");
    await field(page, "role").locator("select").selectOption({ label: "guest" });
    await call(page);
    await page.locator(".call-result .call").waitFor();
    assert.equal(await text(page, ".call-result .status"), "201");
    assert.match(await text(page, ".call-result pre"), /"role": "guest"/);
    await picture(page, "form-result");
    await assertAccessible(page);
  });

  await check("a function that is not there is told", {}, async (page) => {
    await signIn(page, who);
    await page.goto(page.url().replace(/#.*|$/, "#/functions/launchRocket"));
    await page.locator("#screen .problem", { hasText: "launchRocket" }).waitFor();
    await page.locator("#function-list li").first().waitFor();
  });

  if (!upstream) return;
  const api = await startUpstream(upstream.port);
  await check("objects, lists, choices and JSON become what the API gets", { origin: upstream.origin }, async (page) => {
    await signIn(page, upstream);
    await page.goto(page.url().replace(/#.*|$/, "#/functions/createBooking"));
    await page.locator("#call-form").waitFor();
    await picture(page, "form-nested");
    await assertAccessible(page);
    await call(page);
    for (const name of ["name", "nights", "breakfast"]) assert.equal(await problem(page, name), "This is required.", name);
    await field(page, "name").first().locator("input").fill("Ann");
    await field(page, "nights").locator("input").fill("31");
    await field(page, "breakfast").locator("select").selectOption({ label: "true" });
    await field(page, "rooms").locator("select").first().selectOption({ label: "double" });
    await field(page, "rooms").locator("> div > button").click();
    await field(page, "rooms").locator("select").nth(1).selectOption({ label: "single" });
    await field(page, "children").locator("> div > button").click();
    await field(page, "age").locator("input").fill("7");
    await field(page, "zip").locator("input").fill("abc");
    await field(page, "arrival").locator("input").fill("2026-12-24");
    await field(page, "extras").locator("textarea").fill("{no json");
    await call(page);
    assert.equal(await problem(page, "nights"), "This must be at most 30.");
    assert.match(await problem(page, "extras"), /no JSON/);
    await field(page, "nights").locator("input").fill("3");
    await field(page, "extras").locator("textarea").fill('{"towels": 2}');
    await call(page);
    // What only the service looks at is told at its field too.
    await page.waitForFunction(() => document.querySelector("#call-form [aria-invalid]"));
    assert.match(await problem(page, "zip"), /zip/);
    await field(page, "zip").locator("input").fill("10115");
    await call(page);
    await page.locator(".call-result .call").waitFor();
    assert.equal(await text(page, ".call-result .status"), "201");
    assert.deepEqual(JSON.parse(api.got.at(-1).body), {
      guest: { name: "Ann", address: { zip: "10115" } },
      nights: 3,
      rooms: ["double", "single"],
      breakfast: true,
      arrival: "2026-12-24",
      extras: { towels: 2 },
      children: [{ age: 7 }],
    });
    await picture(page, "form-nested-result");
  });
  api.stop();
}
