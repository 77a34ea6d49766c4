// The few lines of test runner that the client tests share: named cases, one after the other, each with a
// deadline; the last line is `N passed, N failed`.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const cases = [];
const DEADLINE = 30000;

/** Adds a case; `body` is async and throws when something is wrong. */
function check(name, body) {
  cases.push({ name, body });
}

/** Waits until `condition` (may be async) holds; throws after the deadline. */
async function eventually(condition) {
  const end = Date.now() + DEADLINE;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("did not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function withDeadline(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no end within the deadline")), DEADLINE + 5000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs all cases and ends the process. */
async function runAll() {
  let passed = 0;
  let failed = 0;
  for (const { name, body } of cases) {
    try {
      await withDeadline(body());
      passed += 1;
    } catch (error) {
      failed += 1;
      console.log(`failed: ${name}: ${error.stack || error}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

// What TLS needs, as Node.js names it; null without TLS.
const folder = process.env.VEDETTE_CERTIFICATES;
const read = (name) => fs.readFileSync(path.join(folder, name));
const secure = folder ? { ca: read("ca.crt"), cert: read("client.crt"), key: read("client.key") } : null;

module.exports = { check, eventually, runAll, secure };
