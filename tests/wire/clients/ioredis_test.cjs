// ioredis (RESP2) does a day's work against the server on port argv[2].
"use strict";

const assert = require("node:assert");
const Redis = require("ioredis");
const { check, eventually, runAll, secure } = require("./checks.cjs");

const port = Number(process.argv[2]);
const tls = secure ? { tls: secure } : {};
const connect = (options = {}) => new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: 2, ...tls, ...options });
const client = connect();

check("strings and buffers come back as they were", async () => {
  await client.set("key", "value");
  assert.strictEqual(await client.get("key"), "value");
  const bytes = Buffer.from([...Array(256).keys()]);
  await client.set(bytes, bytes);
  assert.deepStrictEqual(await client.getBuffer(bytes), bytes);
  assert.strictEqual(await client.get("absent"), null);
});

check("numbers count, expire and persist", async () => {
  await client.del("n");
  assert.strictEqual(await client.incrby("n", 41), 41);
  assert.strictEqual(await client.incr("n"), 42);
  assert.strictEqual(await client.incrbyfloat("n", 0.5), "42.5");
  assert.strictEqual(await client.expire("n", 1000), 1);
  const ttl = await client.ttl("n");
  assert.ok(ttl > 900 && ttl <= 1000);
  assert.strictEqual(await client.persist("n"), 1);
  assert.strictEqual(await client.ttl("n"), -1);
});

check("SET with its options, MSET and MGET", async () => {
  assert.strictEqual(await client.set("lock", "me", "EX", 100, "NX"), "OK");
  assert.strictEqual(await client.set("lock", "you", "EX", 100, "NX"), null);
  assert.strictEqual(await client.set("lock", "you", "GET"), "me");
  await client.mset({ m1: "1", m2: "2" });
  assert.deepStrictEqual(await client.mget("m1", "none", "m2"), ["1", null, "2"]);
});

check("a pipeline of 10,000 keeps its order", async () => {
  const pipeline = client.pipeline().del("counter");
  for (let i = 0; i < 10000; i++) pipeline.incr("counter");
  const results = await pipeline.exec();
  assert.strictEqual(results.length, 10001);
  results.slice(1).forEach(([error, value], i) => assert.deepStrictEqual([error, value], [null, i + 1]));
});

check("a transaction runs whole, or not at all after a watched key changed", async () => {
  assert.deepStrictEqual(await client.multi().set("t", "1").incr("t").get("t").exec(), [
    [null, "OK"], [null, 2], [null, "2"],
  ]);
  const watcher = connect();
  await watcher.watch("t");
  await client.set("t", "other");
  assert.strictEqual(await watcher.multi().set("t", "mine").exec(), null);
  assert.strictEqual(await client.get("t"), "other");
  watcher.disconnect();
});

check("errors arrive as errors with the server's text", async () => {
  await client.set("text", "abc");
  await assert.rejects(client.incr("text"), { message: "ERR value is not an integer or out of range" });
  await assert.rejects(client.call("NOSUCH"), /unknown command 'NOSUCH'/);
});

check("publish and subscribe, plain and by pattern", async () => {
  const subscriber = connect();
  const got = [];
  subscriber.on("message", (channel, message) => got.push([channel, message]));
  subscriber.on("pmessage", (pattern, channel, message) => got.push([pattern, channel, message]));
  assert.strictEqual(await subscriber.subscribe("news", "sports"), 2);
  assert.strictEqual(await subscriber.psubscribe("n*"), 3);
  assert.strictEqual(await client.publish("news", "hello"), 2);
  await eventually(() => got.length === 2);
  assert.deepStrictEqual(got, [["news", "hello"], ["n*", "news", "hello"]]);
  assert.strictEqual(await subscriber.unsubscribe("news", "sports"), 1);
  assert.strictEqual(await subscriber.punsubscribe("n*"), 0);
  assert.strictEqual(await subscriber.ping(), "PONG");
  subscriber.disconnect();
});

check("scanStream finds every key once or more", async () => {
  const pipeline = client.pipeline();
  for (let i = 0; i < 2000; i++) pipeline.set(`scan:${i}`, i);
  await pipeline.exec();
  const found = new Set();
  for await (const keys of client.scanStream({ match: "scan:*", count: 50 })) keys.forEach((key) => found.add(key));
  assert.strictEqual(found.size, 2000);
});

check("keyspace events reach a listener", async () => {
  await client.config("SET", "notify-keyspace-events", "Ex");
  const subscriber = connect();
  const expired = [];
  subscriber.on("message", (_, key) => expired.push(key));
  await subscriber.subscribe("__keyevent@0__:expired");
  await client.set("soon", "x", "PX", 1);
  await eventually(() => expired.includes("soon"));
  subscriber.disconnect();
  await client.config("SET", "notify-keyspace-events", "");
});

check("INFO, CLIENT LIST and a connection's name", async () => {
  const named = connect({ connectionName: "worker", db: 3 });
  await named.ping();
  const list = await client.client("LIST");
  assert.match(list, / name=worker .* db=3 /);
  const info = await client.info();
  for (const field of ["redis_version", "connected_clients", "used_memory", "total_commands_processed", "role"]) {
    assert.match(info, new RegExp(`^${field}:.+`, "m"));
  }
  named.disconnect();
});

check("a connection that is killed comes back by itself and goes on", async () => {
  const other = connect({ retryStrategy: () => 10 });
  const id = await other.client("ID");
  await client.client("KILL", "ID", id);
  await eventually(async () => (await other.client("ID")) !== id);
  assert.strictEqual(await other.ping(), "PONG");
  other.disconnect();
});

check("auto-pipelining from many callers at once", async () => {
  const auto = connect({ enableAutoPipelining: true });
  await auto.del("auto");
  const values = await Promise.all([...Array(500).keys()].map(() => auto.incr("auto")));
  assert.deepStrictEqual(values, [...Array(500).keys()].map((i) => i + 1));
  auto.disconnect();
});

runAll();
