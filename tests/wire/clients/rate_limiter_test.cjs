// rate-limiter-flexible counts by a script, through ioredis and through node-redis, against the server on port argv[2].
"use strict";

const assert = require("node:assert");
const Redis = require("ioredis");
const { createClient } = require("redis");
const { BurstyRateLimiter, RateLimiterQueue, RateLimiterRedis, RateLimiterRes } = require("rate-limiter-flexible");
const { check, eventually, runAll } = require("./checks.cjs");

const port = Number(process.argv[2]);
const io = new Redis({ port, host: "127.0.0.1", enableOfflineQueue: false, lazyConnect: true });
const node = createClient({ socket: { port, host: "127.0.0.1" }, RESP: 3 });
const clients = { ioredis: { storeClient: io }, "node-redis": { storeClient: node, useRedisPackage: true } };
const HOUR = 3600;

check("the clients connect", async () => {
  await io.connect();
  await node.connect();
});

/** The refusal of `promise`, which tells how long to wait. */
async function refusal(promise) {
  const result = await promise.then(() => assert.fail("it was let through"), (error) => error);
  assert.ok(result instanceof RateLimiterRes, String(result));
  return result;
}

for (const [name, client] of Object.entries(clients)) {
  const limiter = (options) => new RateLimiterRedis({ ...client, keyPrefix: name, points: 5, duration: HOUR, ...options });

  check(`${name}: points are used up, and then it is refused`, async () => {
    const limit = limiter({});
    for (let i = 1; i <= 5; i++) {
      const result = await limit.consume("u");
      assert.deepStrictEqual([result.consumedPoints, result.remainingPoints, result.isFirstInDuration], [i, 5 - i, i === 1]);
      assert.ok(result.msBeforeNext > 0 && result.msBeforeNext <= HOUR * 1000);
    }
    const refused = await refusal(limit.consume("u"));
    assert.deepStrictEqual([refused.consumedPoints, refused.remainingPoints], [6, 0]);
    assert.strictEqual((await limit.consume("v", 3)).remainingPoints, 2);
    assert.strictEqual((await limit.get("v")).consumedPoints, 3);
    assert.strictEqual(await limit.get("nobody"), null);
  });

  check(`${name}: whoever asks for too much is blocked for longer`, async () => {
    const limit = limiter({ keyPrefix: `${name}-block`, points: 1, duration: 60, blockDuration: HOUR });
    await limit.consume("u");
    const refused = await refusal(limit.consume("u"));
    assert.ok(refused.msBeforeNext > 60 * 1000 && refused.msBeforeNext <= HOUR * 1000);
    assert.ok((await io.pttl(`${name}-block:u`)) > 60 * 1000);
    await limit.block("w", 2 * HOUR);
    assert.ok((await refusal(limit.consume("w"))).msBeforeNext > HOUR * 1000);
    await limit.delete("w");
    assert.strictEqual((await limit.consume("w")).consumedPoints, 1);
  });

  check(`${name}: penalties, rewards, and a number that is set`, async () => {
    const limit = limiter({ keyPrefix: `${name}-set` });
    assert.strictEqual((await limit.penalty("u", 4)).consumedPoints, 4);
    assert.strictEqual((await limit.reward("u", 3)).consumedPoints, 1);
    await limit.set("u", 5, HOUR);
    await refusal(limit.consume("u"));
    await limit.set("u", 4, 0);  // without an end
    assert.strictEqual(await io.pttl(`${name}-set:u`), -1);
  });

  check(`${name}: of a hundred at once as many pass as there are points`, async () => {
    const limit = limiter({ keyPrefix: `${name}-race`, points: 37 });
    const results = await Promise.allSettled([...Array(100).keys()].map(() => limit.consume("u")));
    assert.strictEqual(results.filter((result) => result.status === "fulfilled").length, 37);
    assert.strictEqual(await io.get(`${name}-race:u`), "100");
  });

  check(`${name}: a window ends`, async () => {
    const limit = limiter({ keyPrefix: `${name}-short`, points: 1, duration: 1 });
    await limit.consume("u");
    await eventually(() => limit.consume("u").then(() => true, () => false));
  });
}

check("bursts have points of their own, and a queue lets others wait for their turn", async () => {
  const of = (keyPrefix, points, duration) => new RateLimiterRedis({ storeClient: io, keyPrefix, points, duration });
  const bursty = new BurstyRateLimiter(of("steady", 1, HOUR), of("burst", 2, HOUR));
  for (let i = 0; i < 3; i++) await bursty.consume("u");
  await refusal(bursty.consume("u"));
  const queue = new RateLimiterQueue(of("queue", 2, 1), { maxQueueSize: 10 });
  const left = await Promise.all([...Array(4).keys()].map(() => queue.removeTokens(1)));
  assert.strictEqual(left.length, 4);
});

runAll();
