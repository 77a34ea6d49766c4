// node-redis in RESP3 does a day's work against the server on port argv[2].
"use strict";

const assert = require("node:assert");
const { createClient } = require("redis");
const { check, eventually, runAll, secure } = require("./checks.cjs");

const port = Number(process.argv[2]);
const tls = secure ? { tls: true, ...secure } : {};

async function connect(options = {}) {
  const client = createClient({ socket: { port, host: "127.0.0.1", ...tls }, RESP: 3, ...options });
  client.on("error", (error) => console.log(`client error: ${error.message}`));
  await client.connect();
  return client;
}

let client;

check("HELLO 3 is answered by a map", async () => {
  client = await connect();
  const hello = await client.hello(3);
  assert.strictEqual(hello.proto, 3);
  assert.strictEqual(hello.mode, "standalone");
  assert.strictEqual(hello.role, "master");
});

check("strings, nulls and numbers", async () => {
  assert.strictEqual(await client.set("key", "value"), "OK");
  assert.strictEqual(await client.get("key"), "value");
  assert.strictEqual(await client.get("absent"), null);
  await client.del("n");
  assert.strictEqual(await client.incrBy("n", 42), 42);
  assert.deepStrictEqual(await client.mGet(["key", "absent"]), ["value", null]);
});

check("SET with options", async () => {
  assert.strictEqual(await client.set("lock", "a", { condition: "NX", expiration: { type: "EX", value: 100 } }), "OK");
  assert.strictEqual(await client.set("lock", "b", { condition: "NX" }), null);
  const ttl = await client.ttl("lock");
  assert.ok(ttl > 90 && ttl <= 100);
});

check("CONFIG GET is a map", async () => {
  const reply = await client.sendCommand(["CONFIG", "GET", "maxclients"]);
  assert.deepStrictEqual({ ...reply }, { maxclients: "10000" });
  assert.deepStrictEqual({ ...(await client.configGet("hz")) }, { hz: "10" });
});

check("a thousand requests at once keep their order", async () => {
  await client.del("many");
  const values = await Promise.all([...Array(1000).keys()].map(() => client.incr("many")));
  assert.deepStrictEqual(values, [...Array(1000).keys()].map((i) => i + 1));
});

check("MULTI runs whole; a failing command inside is an error of its own", async () => {
  assert.deepStrictEqual(await client.multi().set("t", "1").incr("t").get("t").exec(), ["OK", 2, "2"]);
  await assert.rejects(client.multi().set("t", "x").incr("t").exec());
  assert.strictEqual(await client.get("t"), "x");
});

check("messages are pushes: the subscriber's connection still serves commands", async () => {
  const subscriber = await connect();
  const got = [];
  await subscriber.subscribe("news", (message, channel) => got.push([channel, message]));
  await subscriber.pSubscribe("n*", (message, channel) => got.push(["n*", channel, message]));
  assert.strictEqual(await client.publish("news", "hello"), 2);
  await eventually(() => got.length === 2);
  assert.deepStrictEqual(got, [["news", "hello"], ["n*", "news", "hello"]]);
  assert.strictEqual(await subscriber.get("key"), "value");
  await subscriber.unsubscribe("news");
  await subscriber.pUnsubscribe("n*");
  assert.strictEqual(await subscriber.ping(), "PONG");
  subscriber.destroy();
});

check("shard channels", async () => {
  const subscriber = await connect();
  const got = [];
  await subscriber.sSubscribe("shard", (message) => got.push(message));
  assert.strictEqual(await client.sPublish("shard", "hi"), 1);
  await eventually(() => got.length === 1);
  subscriber.destroy();
});

check("scanIterator finds every key", async () => {
  await client.mSet([...Array(1000).keys()].flatMap((i) => [`it:${i}`, `${i}`]));
  const found = new Set();
  for await (const keys of client.scanIterator({ MATCH: "it:*", COUNT: 30 })) [].concat(keys).forEach((key) => found.add(key));
  assert.strictEqual(found.size, 1000);
});

check("CLIENT LIST and INFO as the client reads them", async () => {
  await client.clientSetName("tester");
  const mine = (await client.clientList()).filter((entry) => entry.name === "tester");
  assert.strictEqual(mine.length, 1);
  assert.strictEqual(mine[0].resp, 3);
  assert.match(await client.info("server"), /redis_version:/);
});

check("errors carry the server's text", async () => {
  await client.set("text", "abc");
  await assert.rejects(client.incr("text"), { message: "ERR value is not an integer or out of range" });
});

runAll();
