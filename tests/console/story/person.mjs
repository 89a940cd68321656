// What somebody does who talks to the guest house: from the first sign-in with a password that has to be changed to signing out.

import assert from "node:assert/strict";
import fs from "node:fs";
import { bubbles, openTab, say, signIn, textOf, typeWho, until } from "../browser.mjs";

const NEW_PASSWORD = "a staple of better batteries";

export const WORDS = {
  "en-US": {
    rooms: "Which rooms are free this week?",
    found: "quietest",
    book: "Book the garden room for Ann Lee, 2 nights",
    booked: { guest: "Ann Lee", room: "garden", nights: 2, breakfast: true },
    hint: /Answer yes to send/,
    cancel: "Cancel booking 1",
    declined: "nothing was changed",
    about: "Tell me about the house",
    said: "apple trees",
    name: "Summer holidays",
    form: { guest: "Carl Berg", room: "lake", nights: 4 },
    bookAgain: "Book the attic room for Bob Stone, 3 nights",
    bookedAgain: { guest: "Bob Stone", room: "attic", nights: 3, breakfast: true },
    typed: "and soup for two in the evening",
    key: "nightly report",
    lost: /connection was lost/,
    taken: /Another replica goes on/,
  },
  "zh-CN": {
    rooms: "本周有哪些空房？",
    found: "最安静",
    book: "为王芳预订花园房，2 晚",
    booked: { guest: "王芳", room: "garden", nights: 2, breakfast: true },
    hint: /回答 确认 即发送/,
    cancel: "取消预订 1",
    declined: "没有做任何更改",
    about: "介绍一下这家客栈",
    said: "苹果树",
    name: "暑假计划",
    form: { guest: "陈晨", room: "lake", nights: 4 },
    bookAgain: "为李强预订阁楼房，3 晚",
    bookedAgain: { guest: "李强", room: "attic", nights: 3, breakfast: true },
    typed: "晚上要两份热汤",
    key: "每晚报表",
    lost: /连接已断开/,
    taken: /另一副本接续/,
  },
};

const answers = (page) => page.locator("article.answer:not(.working):not(.problem)");
const sessionNames = (page) => page.locator("#sessions .name").allInnerTexts();

async function menu(page, item) {
  await page.locator("#session-more").click();
  await page.locator(item).click();
}

/** Says what makes the agent ask first; the card. */
async function asked(page, text) {
  await say(page, text);
  const card = page.locator(".confirmation").last();
  await card.locator("[data-decision=approve]").waitFor();
  return card;
}

/** Decides, and waits until that is answered. */
async function decide(page, decision) {
  const before = await answers(page).count();
  await page.locator(`[data-decision=${decision}]:visible`).click();
  await answers(page).nth(before).waitFor();
  return answers(page).nth(before);
}

/** @param {import("./story.mjs").Scene} scene */
export async function person({ step, page, seen, who, model, house, words, picture, api, origin, locale }) {
  await step("signs in, and has to choose another password first", async () => {
    await page.goto(`${origin}/`);
    await typeWho(page, who);
    await page.locator("#new-password:focus").waitFor();
    await page.keyboard.type(NEW_PASSWORD);
    await page.locator("#new-password-again").fill(NEW_PASSWORD);
    await page.keyboard.press("Enter");
    await page.locator("#welcome:not([hidden])").waitFor();
    who.password = NEW_PASSWORD;
    assert.ok((await page.locator(".example").count()) > 0, "examples to begin with");
  });

  await step("says something, and watches the answer come", async () => {
    const held = model.holdNext();
    await page.locator("#message").fill(words.rooms);
    await page.keyboard.press("Enter");
    await page.locator(".live-calls li", { hasText: "listRooms" }).waitFor();
    await held.reached;
    await page.locator(".working table").waitFor();
    assert.ok(!(await textOf(page.locator(".working"))).includes(words.found), "only the first half of it");
    await page.locator("#stop:not([hidden])").waitFor();
    await picture("working");
    held.open();
    await answers(page).filter({ hasText: words.found }).waitFor();
    await page.locator(".working").waitFor({ state: "detached" });
    const call = answers(page).last().locator(".call");
    await call.locator("summary").click();
    assert.match(await textOf(call), /GET http.*\/rooms/);
    assert.equal(await textOf(call.locator(".status")), "200");
    await call.locator("summary").click();
  });

  await step("is shown the exact request before a change, and says yes", async () => {
    const card = await asked(page, words.book);
    const shown = await textOf(card.locator("pre"));
    assert.match(shown, /^POST http:\/\/127\.0\.0\.1:\d+\/bookings$/m);
    assert.deepEqual(JSON.parse(/\{[^]*\}/.exec(shown)[0]), words.booked);
    assert.doesNotMatch(await textOf(card), words.hint, "there are buttons for that");
    assert.equal(house.count("POST", words.booked), 0, "nothing is sent before a yes");
    await picture("confirmation");
    await decide(page, "approve");
    assert.equal(house.count("POST", words.booked), 1);
    assert.deepEqual(house.last().body, words.booked);
  });

  await step("is asked about another change, after a reload too, and says no", async () => {
    await asked(page, words.cancel);
    await page.reload();
    const card = page.locator(".confirmation");
    await card.locator("[data-decision=reject]").waitFor();
    assert.match(await textOf(card.locator("pre")), /^DELETE http.*\/bookings\/1$/);
    assert.doesNotMatch(await textOf(card), words.hint);
    const answer = await decide(page, "reject");
    assert.ok((await textOf(answer)).includes(words.declined));
    assert.equal(house.count("DELETE"), 0);
  });

  const first = page.url();
  await step("begins another session, names it, pins it and finds what was said", async () => {
    await page.locator("#new-session").click();
    await page.waitForURL(/#\/s\//);
    await page.locator("#welcome:not([hidden])").waitFor();
    await say(page, words.about);
    await menu(page, "#session-rename");
    await page.locator("#rename-to").fill(words.name);
    await page.keyboard.press("Enter");
    await page.locator("#session-title", { hasText: words.name }).waitFor();
    await menu(page, "#session-pin");
    await page.locator("#session-pinned:not([hidden])").waitFor();
    await until(words.name, async () => (await sessionNames(page))[0]);
    await page.locator("#session-search").fill(words.said);
    await page.locator("#sessions .found", { hasText: words.said }).waitFor();
    await until([words.name], () => sessionNames(page));
    await page.locator("#session-search").fill("");
    await until(2, async () => (await sessionNames(page)).length);
  });

  const second = page.url();
  await step("branches off, edits a message and says it again", async () => {
    await say(page, words.rooms);
    await page.locator(".said", { hasText: words.rooms }).locator("[data-act=fork]").click();
    await page.waitForURL((url) => url.href !== second);
    await until([words.about], () => bubbles(page));
    await page.locator(".said", { hasText: words.about }).locator("[data-act=edit]").click();
    await page.locator("#message").fill(words.rooms);
    await page.keyboard.press("Enter");
    await until([words.rooms], () => bubbles(page));
    await answers(page).filter({ hasText: words.found }).waitFor();
    await page.goto(second);
    await until([words.about, words.rooms], () => bubbles(page));
  });

  await step("takes the session along as Markdown and JSON, and brings it again", async () => {
    const [markdown] = await Promise.all([page.waitForEvent("download"), menu(page, "#session-export-markdown")]);
    assert.ok(fs.readFileSync(await markdown.path(), "utf8").includes(words.about));
    const [json] = await Promise.all([page.waitForEvent("download"), menu(page, "#session-export-json")]);
    const file = fs.readFileSync(await json.path());
    assert.deepEqual(JSON.parse(file.toString()).turns.map(({ message }) => message), [words.about, words.rooms]);
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.locator("#session-import").click()]);
    await chooser.setFiles({ name: "session.json", mimeType: "application/json", buffer: file });
    await page.waitForURL((url) => url.href !== second);
    await until([words.about, words.rooms], () => bubbles(page));
  });

  await step("calls a function with its form", async () => {
    await page.locator('#places a[href="#/functions"]').click();
    await page.locator("#function-list a", { hasText: "createBooking" }).click();
    const form = page.locator("#call-form");
    const field = (name) => form.locator(".field", { has: page.locator("xpath=./label/span[1]").filter({ hasText: new RegExp(`^${name}$`) }) });
    await form.locator("button[type=submit]").click();
    await form.locator("[aria-invalid]").first().waitFor();
    await field("guest").locator("input").fill(words.form.guest);
    await field("room").locator("select").selectOption({ label: words.form.room });
    await field("nights").locator("input").fill(String(words.form.nights));
    await form.locator("button[type=submit]").click();
    await page.locator(".call-result .call").waitFor();
    assert.equal(await page.locator(".call-result .status").innerText(), "201");
    assert.deepEqual(house.last().body, words.form);
    await picture("form");
  });

  await step("makes an API key that is good, and revokes it", async () => {
    await page.locator('#places a[href="#/account"]').click();
    const form = page.locator("#keys + div form");
    await form.locator("input").fill(words.key);
    await form.locator("button").click();
    const key = await page.locator("#made-key").innerText();
    assert.equal((await api(key, "GET", "/api/session/info")).status, 200);
    await page.locator("#keys td button").click();
    await page.locator("#confirm-yes").click();
    await page.locator("#keys table").waitFor({ state: "detached" });
    assert.equal((await api(key, "GET", "/api/session/info")).status, 401);
  });

  await step("stops what is being worked on", async () => {
    await page.goto(first);
    await page.locator(".bubble").nth(2).waitFor();
    const held = model.holdNext();
    await page.locator("#message").fill(words.about);
    await page.keyboard.press("Enter");
    await held.reached;
    await page.locator("#stop").click();
    await page.locator(".working").waitFor({ state: "detached" });
    await page.locator("#send:not([disabled])").waitFor();
    held.open();
    assert.equal(await page.locator(".answer.problem").count(), 0);
    assert.ok(!(await page.locator("#log").textContent()).includes(words.said), "the half that was not written is not shown");
  });

  await step("has two tabs that are in step", async () => {
    const other = await openTab(page.context(), origin, seen);
    await other.goto(page.url());
    await until(await bubbles(page), () => bubbles(other));
    await other.locator("#message").fill(words.typed);
    await say(page, words.rooms);
    await until(await bubbles(page), () => bubbles(other));
    assert.equal(await other.locator("#message").inputValue(), words.typed);
    await other.close();
  });

  assert.equal(house.count("POST", words.bookedAgain), 0, `a story is played once in ${locale}`);
}

/** @param {import("./story.mjs").Scene} scene */
export async function onAPhone({ step, page, who, words, picture, origin }) {
  await step("goes on with a phone, in the dark", async () => {
    await page.goto(`${origin}/`);
    await signIn(page, who);
    await answers(page).filter({ hasText: words.found }).first().waitFor();
    await page.locator("#menu").click();
    await page.locator("#sessions a", { hasText: words.name }).first().click();
    await page.locator("#session-title", { hasText: words.name }).waitFor();
    await page.locator("#panel").waitFor({ state: "hidden" });
    await answers(page).filter({ hasText: words.found }).waitFor();
    await picture("phone");
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "nothing hangs over the edge");
  });
}

/**
 * The replica that works on an answer dies while it is written. `kill` is told the run's holder's address.
 * @param {import("./story.mjs").Scene & {kill: () => Promise<void>}} scene
 */
export async function replicaDies({ step, page, seen, model, house, words, last, kill, origin }) {
  await step("a change was made, and the replica that writes of it is killed: another one goes on, once", async () => {
    await asked(page, words.bookAgain);
    const other = await openTab(page.context(), origin, seen);
    await other.goto(page.url());
    await other.locator("[data-decision=approve]").waitFor();
    const count = await answers(page).count();
    await page.evaluate(() => {
      const told = (window.told = []);
      const look = () => told.push(document.querySelector(".working > p span:last-child")?.textContent ?? "");
      new MutationObserver(look).observe(document.querySelector("#log"), { subtree: true, childList: true, characterData: true });
    });
    const held = model.holdNext();
    await page.locator("[data-decision=approve]:visible").click();
    await held.reached;
    await page.locator(".working .markdown li").first().waitFor();
    await page.locator("#message").fill(words.typed);
    await kill();
    await answers(page).nth(count).waitFor();
    await page.locator(".working").waitFor({ state: "detached" });
    const told = await page.evaluate(() => window.told.join("\n"));
    assert.match(told, words.lost);
    assert.match(told, words.taken);
    for (const tab of [page, other]) {
      await tab.locator("#send:not([disabled])").waitFor();
      await until(2, async () => (await tab.locator("#log").textContent()).split(last).length - 1);
      await until(count + 1, () => answers(tab).count());
    }
    assert.equal(await page.locator("#message").inputValue(), words.typed, "what was typed is still there");
    assert.equal(house.count("POST", words.bookedAgain), 1, "the change was sent once");
    await page.reload();
    await answers(page).nth(count).waitFor();
    await until(2, async () => (await page.locator("#log").textContent()).split(last).length - 1);
    await until(words.typed, () => page.locator("#message").inputValue());
    await other.close();
  });
}

/** @param {import("./story.mjs").Scene} scene */
export async function leaves({ step, page, api }) {
  await step("signs out, and nothing of it stays", async () => {
    const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")));
    const [told] = await Promise.all([page.waitForResponse((response) => response.url().endsWith("/api/logout")), page.locator("#sign-out").click()]);
    assert.equal(told.status(), 200);
    await page.locator("#sign-in-form").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    assert.equal((await api(token, "GET", "/api/session/info")).status, 401);
  });
}
