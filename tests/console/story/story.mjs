// The whole story, once in English and once in Chinese: a person and an administrator in a browser, three replicas behind haproxy, one of
// which is killed while it writes an answer. Called by tests/console/story/run.

import assert from "node:assert/strict";
import fs from "node:fs";
import { assertAccessible } from "../accessible.mjs";
import { openWindow, startBrowser } from "../browser.mjs";
import { SHOWN, looksAround, tidiesUp, watchesReplicas } from "./administrator.mjs";
import { startHouse } from "./house.mjs";
import { LAST_OF_BOOKING, startModel } from "./model.mjs";
import { WORDS, leaves, onAPhone, person, replicaDies } from "./person.mjs";
import { keepPicture } from "./pictures.mjs";
import { startStack } from "./stack.mjs";

/**
 * What every part of the story is given.
 * @typedef {object} Scene
 * @property {(name: string, act: () => Promise<void>) => Promise<void>} step does something and counts it; what fails ends the story
 * @property {import("playwright-core").Page} page
 * @property {(name: string) => Promise<void>} picture keeps one, if pictures are wanted, and looks whether everybody can use what is on it
 */

const root = process.env.STORY_ROOT;
const directory = process.env.STORY_DIRECTORY;
const pictures = process.env.CONSOLE_SCREENSHOTS;
/** Languages whose story is played, if not all are wanted. */
const only = process.env.STORY_LOCALE;

/** What takes longer than this will not be done any more, in milliseconds. */
const STEP_MS_MAX = 90_000;

let passed = 0;
let failed = 0;

const stack = await startStack({ program: process.env.STORY_PROGRAM, root, directory });
const [model, house, browser] = [await startModel(stack.modelPort), await startHouse(stack.housePort), await startBrowser()];
const { origin, administrator } = stack;

/** A request of the service, without the page. */
async function api(token, method, path, body) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(origin + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, told: await response.json() };
}
const tokenOf = async ({ user: username, password }) => (await api(null, "POST", "/api/login", { username, password })).told.token;

async function play(locale) {
  const windows = [];
  async function scene(as, how = {}) {
    const { page, seen, close } = await openWindow(browser, origin, { locale, width: 1120, height: 780, ...how });
    windows.push(close);
    const picture = async (name) => {
      await assertAccessible(page);
      if (!pictures) return;
      // What was done before is not what the picture is of.
      await page.evaluate(() => document.querySelectorAll(".toast, .done").forEach((note) => note.remove()));
      await keepPicture(page, browser, `${pictures}/${name}.${locale.slice(0, 2)}.webp`);
    };
    const step = async (name, act) => {
      const began = Date.now();
      let late;
      try {
        const patience = new Promise((_, refuse) => (late = setTimeout(() => refuse(new Error(`not done within ${STEP_MS_MAX / 1000} s`)), STEP_MS_MAX)));
        await Promise.race([act(), patience]);
      } catch (error) {
        await page.screenshot({ path: `${directory}/failed-${locale}.png` }).catch(() => {});
        throw new Error(`${name}, ${locale}: ${error.stack}`);
      } finally {
        clearTimeout(late);
      }
      passed += 1;
      console.log(`ok      ${name}, ${locale} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    };
    return { step, page, seen, who: as, model, house, words: WORDS[locale], shown: SHOWN[locale], picture, api, origin, locale };
  }

  const guest = { user: `guest-${locale.slice(0, 2)}`, password: "the password of the first day" };
  const token = await tokenOf(administrator);
  const added = await api(token, "POST", "/api/admin/users", { username: guest.user, password: guest.password, must_change_password: true });
  assert.equal(added.status, 201, JSON.stringify(added.told));

  const one = await scene(guest);
  await person(one);
  const phone = await scene(guest, { width: 390, height: 780, colorScheme: "dark" });
  await onAPhone(phone);
  const other = await scene(administrator);
  const known = { user: guest.user, token: await tokenOf(guest) };
  await looksAround({ ...other, person: known });
  const watched = await watchesReplicas({ ...other, token, user: guest.user, killAt: stack.kill, startReplica: stack.startReplica });
  await watched.begin();
  await replicaDies({ ...one, last: LAST_OF_BOOKING[locale], kill: watched.kill });
  await watched.end();
  await tidiesUp({ ...other, person: known, token });
  await leaves(one);

  for (const { seen } of [one, phone, other]) {
    const { foreign, dialogs, violations, errors } = seen;
    assert.deepEqual({ foreign, dialogs, violations, errors }, { foreign: [], dialogs: [], violations: [], errors: [] });
  }
  for (const close of windows) await close();
  assert.deepEqual(stack.errors(), [], "errors in the logs of replicas");
}

if (pictures) fs.mkdirSync(pictures, { recursive: true });
try {
  for (const locale of Object.keys(WORDS)) if (!only || only === locale) await play(locale);
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.stack}`);
}

await browser.close();
model.stop();
house.stop();
await stack.stop();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
