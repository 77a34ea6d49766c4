// Redlock, locks by the votes of servers, against the server on port argv[2]; its databases stand for three.
"use strict";

const assert = require("node:assert");
const Redis = require("ioredis");
const { default: Redlock, ExecutionError, ResourceLockedError } = require("redlock");
const { check, eventually, runAll } = require("./checks.cjs");

const port = Number(process.argv[2]);
const clients = [0, 1, 2].map((db) => new Redis({ port, host: "127.0.0.1", db }));
const locks = new Redlock(clients, { retryCount: 0 });
const patient = new Redlock(clients, { retryCount: -1, retryDelay: 5, retryJitter: 5 });
const LONG = 1000 * 600;

async function isHeld(error) {
  assert.ok(error instanceof ExecutionError, String(error));
  const { votesAgainst } = await error.attempts[error.attempts.length - 1];
  return [...votesAgainst.values()].every((vote) => vote instanceof ResourceLockedError);
}

async function rejectsAsHeld(promise) {
  await assert.rejects(promise, (error) => error instanceof ExecutionError);
  assert.ok(await promise.catch(isHeld));
}

check("a lock is one holder's until it is released", async () => {
  const lock = await locks.acquire(["one"], LONG);
  for (const client of clients) {
    assert.strictEqual(await client.get("one"), lock.value);
    const ttl = await client.pttl("one");
    assert.ok(ttl > LONG / 2 && ttl <= LONG);
  }
  await rejectsAsHeld(locks.acquire(["one"], LONG));
  await lock.release();
  for (const client of clients) assert.strictEqual(await client.exists("one"), 0);
  await (await locks.acquire(["one"], LONG)).release();
});

check("several resources are locked together or not at all", async () => {
  const held = await locks.acquire(["b"], LONG);
  await rejectsAsHeld(locks.acquire(["a", "b", "c"], LONG));
  assert.strictEqual(await clients[0].exists("a", "c"), 0);
  await held.release();
  const all = await locks.acquire(["a", "b", "c"], LONG);
  assert.strictEqual(await clients[2].exists("a", "b", "c"), 3);
  await all.release();
});

check("a lock is extended by its holder, and by nobody else", async () => {
  let lock = await locks.acquire(["two"], LONG);
  lock = await lock.extend(2 * LONG);
  assert.ok((await clients[1].pttl("two")) > LONG);
  await Promise.all(clients.map((client) => client.set("two", "somebody else's", "PX", LONG)));
  await rejectsAsHeld(lock.extend(LONG));
  await assert.rejects(lock.release());
  assert.strictEqual(await clients[0].get("two"), "somebody else's");
  await Promise.all(clients.map((client) => client.del("two")));
});

check("two votes of three are a lock, one is none", async () => {
  await clients[0].set("three", "taken");
  await (await locks.acquire(["three"], LONG)).release();
  await clients[1].set("three", "taken");
  await assert.rejects(locks.acquire(["three"], LONG));
  assert.strictEqual(await clients[2].exists("three"), 0);
  await Promise.all(clients.map((client) => client.del("three")));
});

check("a lock that nobody releases ends by itself", async () => {
  await locks.acquire(["four"], 50);
  const lock = await patient.acquire(["four"], LONG);
  await lock.release();
});

check("thirty that want one lock have it one after the other", async () => {
  let inside = 0;
  let entries = 0;
  await clients[0].set("balance", 0);
  await Promise.all([...Array(30).keys()].map(() => patient.using(["five"], 10000, async () => {
    assert.strictEqual(++inside, 1);
    const balance = Number(await clients[0].get("balance"));
    await clients[0].set("balance", balance + 1);
    entries += 1;
    inside -= 1;
  })));
  assert.strictEqual(entries, 30);
  assert.strictEqual(await clients[0].get("balance"), "30");
});

check("a long routine keeps its lock by extending it", async () => {
  const short = new Redlock(clients, { retryCount: 0, automaticExtensionThreshold: 900 });
  await short.using(["six"], 1000, async (signal) => {
    const value = await clients[0].get("six");
    const first = await clients[0].pexpiretime("six");
    await eventually(async () => (await clients[0].pexpiretime("six")) > first + 200);
    assert.strictEqual(await clients[0].get("six"), value);
    assert.strictEqual(signal.aborted, false);
  });
  assert.strictEqual(await clients[0].exists("six"), 0);
});

check("the scripts come back by themselves when the cache has been emptied", async () => {
  await clients[0].script("FLUSH");
  await (await locks.acquire(["seven"], LONG)).release();
});

runAll();
