// Checks in a browser: each in a window of its own, counted, and with what must not happen whatever it is about.

import assert from "node:assert/strict";
import fs from "node:fs";
import { openWindow, startBrowser, startCanary } from "./browser.mjs";

const pictures = process.env.CONSOLE_SCREENSHOTS;
if (pictures) fs.mkdirSync(pictures, { recursive: true });

/** Starts a browser for the service at `origin`. */
export async function checks(origin) {
  let passed = 0;
  let failed = 0;
  const canary = await startCanary(`${origin}/`);
  const browser = await startBrowser();

  /** Runs one check; the page makes no foreign request, error, dialog or violation. `options` are of the window, and `path` where it begins. */
  async function check(name, { path = "/", ...options }, story) {
    const window = await openWindow(browser, origin, options);
    try {
      await window.page.goto(`${origin}${path}`);
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

  /** Keeps a picture, if somebody wants pictures. */
  const picture = (page, name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : undefined);

  /** Says how many passed, and ends the process. */
  async function finish() {
    await browser.close();
    canary.stop();
    console.log(`${passed} passed, ${failed} failed`);
    process.exit(failed === 0 ? 0 : 1);
  }

  return { canary, check, finish, picture };
}
