// Whether the console's modules are what their JSDoc says: `tsc --checkJs` over the files as they are served.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

// Null may stand for anything: half of what is asked of a page may not be there, and is looked at where it matters.
const RULES = "--ignoreConfig --allowJs --checkJs --noEmit --strict --strictNullChecks false --noImplicitAny false --useUnknownInCatchVariables false".split(" ");
const PLATFORM = "--target es2024 --module esnext --moduleResolution bundler --lib es2024,dom,dom.iterable,dom.asynciterable --types".split(" ");

/** @param {string} place where the modules are */
export function checkTypes(place) {
  const files = fs.readdirSync(place).filter((name) => name.endsWith(".mjs"));
  assert.ok(files.length > 0, `no modules in ${place}`);
  const told = spawnSync("node_modules/.bin/tsc", [...RULES, ...PLATFORM, "", ...files.map((name) => path.join(place, name))], { encoding: "utf8" });
  assert.equal(told.status, 0, told.stdout + told.stderr);
}
