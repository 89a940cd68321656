// A conversation of a thousand messages: how soon it is there, and whether it scrolls without a jerk.

import assert from "node:assert/strict";
import os from "node:os";
import { signIn } from "./browser.mjs";

const TURNS = 500;
/** A frame that takes longer is seen as a jerk, in milliseconds. */
const FRAME_MS_MAX = 50;
/** After this time somebody can write, in milliseconds. */
const READY_MS_MAX = 1000;
/** On a machine that is busy with other things all is late for them: the best of so many rounds counts. */
const ROUNDS = 4;
/** One turn of a wheel, in CSS pixels. */
const WHEEL_PX = 700;

const ANSWERS = [
  "Here they are:\n\n| Name | City | Since |\n|---|---|---:|\n" + "| Ann Lee | Berlin | 2019 |\n| 王芳 | 上海 | 2021 |\n".repeat(4),
  "That is **done**. What else may I do?\n\n1. Show it again\n2. Change the `role`\n3. Leave it as it is",
  "```json\n" + JSON.stringify({ id: 7, name: "Ann", tags: ["a", "b"], address: { city: "Berlin" } }, null, 2) + "\n```",
  "好的，已经完成。请问还需要什么？".repeat(6),
];

function file() {
  const at = (n) => new Date(Date.UTC(2026, 0, 2) + n * 60_000).toISOString();
  const turns = Array.from({ length: TURNS }, (_, n) => ({ asked_at: at(n), message: `Message ${n}: 请列出所有用户`, answered_at: at(n), answer: ANSWERS[n % ANSWERS.length] }));
  return { format: "swagger-api-agent/session", version: 1, title: "A thousand messages", turns };
}

/**
 * What a place costs that is scrolled to its beginning and back, in milliseconds: the times between frames, and the longest that the page itself
 * worked in one piece, by the processor's clock: what other programs take of it does not count.
 */
async function scrolled(page, place) {
  const box = await page.locator(place).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  // What it takes to come to the front is over with the second frame.
  await page.evaluate(() => new Promise((settled) => requestAnimationFrame(() => requestAnimationFrame(settled))));
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel"] });
  await page.evaluate(() => {
    window.frames_ms = [];
    let before = performance.now();
    const tick = (now) => {
      window.frames_ms?.push(now - before);
      before = now;
      if (window.frames_ms) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const at = () => page.locator(place).evaluate((one) => [one.scrollTop, one.scrollHeight - one.clientHeight]);
  for (let [top] = await at(); top > 0; [top] = await at()) await page.mouse.wheel(0, -WHEEL_PX);
  for (let [top, end] = await at(); top < end - 1; [top, end] = await at()) await page.mouse.wheel(0, WHEEL_PX);
  const frames = await page.evaluate(() => {
    const all = window.frames_ms.slice(1);
    window.frames_ms = null;
    return all;
  });
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
  const work = traceEvents.filter(({ ph, pid, tid, tdur }) => ph === "X" && tdur !== undefined && main.has(`${pid} ${tid}`)).map(({ tdur }) => tdur / 1000);
  assert.ok(work.length > 0, "nothing was traced");
  return { frames, worked: work.reduce((most, ms) => Math.max(most, ms), 0) };
}

function told({ frames, worked }) {
  const sorted = [...frames].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  return `${sorted.length} frames, p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms, ${late(frames)} over ${FRAME_MS_MAX} ms, worked ${worked.toFixed(1)} ms at most`;
}
const late = (frames) => frames.filter((ms) => ms > FRAME_MS_MAX).length;

export async function longConversation({ check, who }) {
  await check("a thousand messages are soon there, and scroll without a jerk", {}, async (page) => {
    await signIn(page, who);
    const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("console.signed_in")));
    const { origin } = new URL(page.url());
    const headers = { Authorization: `Bearer ${token}` };
    const made = await page.request.post(`${origin}/api/sessions/import`, { headers, data: file() });
    assert.equal(made.status(), 201, await made.text());
    const { session } = await made.json();
    const address = `${origin}/#/s/${session.id}`;
    const ready = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await page.goto("about:blank");
      const began = performance.now();
      await page.goto(address, { waitUntil: "commit" });
      await page.locator("#message:focus").waitFor();
      await page.locator(".bubble", { hasText: `Message ${TURNS - 1}:` }).waitFor();
      ready.push(performance.now() - began);
    }
    console.log(`        can be written in after ${ready.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    assert.ok(Math.min(...ready) <= READY_MS_MAX, `${ready}`);
    const end = () => page.locator("#scroll").evaluate((one) => one.scrollHeight - one.clientHeight - one.scrollTop);
    assert.ok((await end()) < 2, "the newest is in view");

    while (await page.locator("#older").isVisible()) {
      const before = await page.locator(".bubble").count();
      await page.locator("#older").click();
      await page.locator(".bubble").nth(before).waitFor({ state: "attached" });
      await page.locator("#older:not([disabled])").waitFor({ state: "attached" });
    }
    assert.equal(await page.locator("#log > article").count(), 2 * TURNS);
    await page.locator("#scroll").evaluate((one) => (one.scrollTop = one.scrollHeight));
    const height = await page.locator("#log").evaluate((one) => one.scrollHeight);
    const blank = await page.context().newPage();
    await blank.goto("about:blank");
    await blank.evaluate((high) => {
      const inner = Object.assign(document.createElement("div"), { style: `height: ${high}px` });
      const outer = Object.assign(document.createElement("div"), { id: "blank", style: "height: 700px; overflow: auto" });
      outer.append(inner);
      document.body.append(outer);
      outer.scrollTop = high;
    }, height);

    let worked = Infinity;
    for (let round = 0; round < ROUNDS && worked > FRAME_MS_MAX; round += 1) {
      await blank.bringToFront();
      const empty = await scrolled(blank, "#blank");
      await page.bringToFront();
      const full = await scrolled(page, "#scroll");
      console.log(`        ${2 * TURNS} messages: ${told(full)}`);
      console.log(`        an empty page of that height: ${told(empty)}; load ${os.loadavg()[0].toFixed(1)} on ${os.cpus().length} processors`);
      worked = Math.min(worked, full.worked);
    }
    await blank.close();
    assert.ok(worked <= FRAME_MS_MAX, `a frame takes ${worked.toFixed(1)} ms of work`);
    assert.equal((await page.request.delete(`${origin}/api/sessions/${session.id}`, { headers })).status(), 200);
  });
}
