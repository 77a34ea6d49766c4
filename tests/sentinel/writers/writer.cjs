// What both npm clients' writers do: keys w:0, w:1, ... one after the other, until the input ends.
// argv: the group's name, the sentinels' ports. With VEDETTE_CERTIFICATES in the environment everything speaks TLS.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const [name, ...ports] = process.argv.slice(2);
const sentinels = ports.map((port) => ({ host: "127.0.0.1", port: Number(port) }));

const folder = process.env.VEDETTE_CERTIFICATES;
const read = (file) => fs.readFileSync(path.join(folder, file));
/** What TLS needs, as Node.js names it; null without TLS. */
const secure = folder ? { ca: read("ca.crt"), cert: read("client.crt"), key: read("client.key") } : null;

/** `set(key, value)` resolves when the write was acknowledged; one that takes longer than this was not. */
const LATE = 1000;

function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("late")), LATE);
  });
  promise.catch(() => {}); // it may fail after it was given up
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function write(set) {
  let ended = false;
  process.stdin.resume();
  process.stdin.on("end", () => (ended = true));
  const acknowledged = [];
  const errors = {};
  let number = 0;
  let longest = 0;
  let last = performance.now();
  for (; !ended; number += 1) {
    try {
      await inTime(set(`w:${number}`, String(number)));
      acknowledged.push(number);
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (acknowledged.length % 20 === 0) console.log(`${acknowledged.length} acknowledged`);
    } catch (error) {
      const kind = String(error.message || error).split(" ")[0];
      errors[kind] = (errors[kind] || 0) + 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.log(JSON.stringify({ acknowledged, tried: number, errors, longest_ms: Math.round(longest) }));
  process.exit(0);
}

module.exports = { name, secure, sentinels, write };
