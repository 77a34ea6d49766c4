// connect-redis keeps the sessions of express-session on the server on port argv[2], through node-redis.
"use strict";

const assert = require("node:assert");
const http = require("node:http");
const session = require("express-session");
const { RedisStore } = require("connect-redis");
const { createClient } = require("redis");
const { check, runAll } = require("./checks.cjs");

const client = createClient({ socket: { port: Number(process.argv[2]), host: "127.0.0.1" } });
const HOUR = 3600;
let store;
let site;

// A page that counts visits, changes its session's identity at /login, and forgets it at /logout.
function answer(request, response) {
  const finish = (error) => {
    response.statusCode = error ? 500 : 200;
    response.end(error ? String(error) : JSON.stringify({ id: request.sessionID, session: request.session || null }));
  };
  if (request.url === "/logout") return request.session.destroy(finish);
  if (request.url === "/login") {
    return request.session.regenerate((error) => {
      request.session.user = { name: "Ad\u00e8le", roles: ["a", "b"] };
      finish(error);
    });
  }
  if (request.url === "/visit") request.session.visits = (request.session.visits || 0) + 1;
  finish(null);
}

/** One request; `cookie` is that of the answer before. */
function get(path, cookie) {
  return new Promise((resolve, reject) => {
    const headers = cookie ? { cookie } : {};
    http.get({ port: site.address().port, host: "127.0.0.1", path, headers, agent: false }, async (response) => {
      let text = "";
      for await (const part of response) text += part;
      const set = response.headers["set-cookie"];
      resolve({ ...JSON.parse(text), cookie: set ? set[0].split(";")[0] : cookie });
    }).on("error", reject);
  });
}

check("the page starts", async () => {
  await client.connect();
  store = new RedisStore({ client, prefix: "s:", ttl: HOUR });
  const sessions = session({ store, secret: "not a secret", resave: false, saveUninitialized: false });
  site = http.createServer((request, response) => sessions(request, response, () => answer(request, response)));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
});

check("a visitor's session goes from request to request, and each has its own", async () => {
  const first = await get("/visit");
  assert.strictEqual(first.session.visits, 1);
  const second = await get("/visit", first.cookie);
  assert.deepStrictEqual([second.id, second.session.visits], [first.id, 2]);
  const other = await get("/visit");
  assert.notStrictEqual(other.id, first.id);
  assert.strictEqual(other.session.visits, 1);
  assert.strictEqual(JSON.parse(await client.get(`s:${first.id}`)).visits, 2);
  const ttl = await client.ttl(`s:${first.id}`);
  assert.ok(ttl > 0 && ttl <= HOUR);
});

check("a session that is only read lives on from then", async () => {
  const { id, cookie } = await get("/visit");
  await client.expire(`s:${id}`, 10);
  await get("/", cookie);
  assert.ok((await client.ttl(`s:${id}`)) > 10);
});

check("a login changes the identity, a logout leaves nothing", async () => {
  const before = await get("/visit");
  const after = await get("/login", before.cookie);
  assert.notStrictEqual(after.id, before.id);
  assert.strictEqual(await client.exists(`s:${before.id}`), 0);
  assert.deepStrictEqual((await get("/", after.cookie)).session.user, { name: "Ad\u00e8le", roles: ["a", "b"] });
  await get("/logout", after.cookie);
  assert.strictEqual(await client.exists(`s:${after.id}`), 0);
  assert.notStrictEqual((await get("/visit", after.cookie)).id, after.id);
});

check("an identity that the server does not know, and one that is forged, begin anew", async () => {
  const { cookie, id } = await get("/visit");
  await client.del(`s:${id}`);
  assert.strictEqual((await get("/visit", cookie)).session.visits, 1);
  assert.strictEqual((await get("/visit", cookie.slice(0, -3) + "xyz")).session.visits, 1);
});

check("the store lists, counts and clears", async () => {
  await store.clear();
  assert.strictEqual(await store.length(), 0);
  const cookie = { originalMaxAge: null };
  await Promise.all([...Array(250).keys()].map((i) => store.set(`n${i}`, { cookie, i })));
  assert.strictEqual(await store.length(), 250);
  assert.deepStrictEqual((await store.ids()).sort(), [...Array(250).keys()].map((i) => `n${i}`).sort());
  const all = await store.all();
  assert.deepStrictEqual(all.map((one) => one.i).sort((a, b) => a - b), [...Array(250).keys()]);
  assert.deepStrictEqual(await store.get("n7"), { cookie, i: 7 });
  assert.strictEqual(await store.get("none"), null);
  await store.touch("n7", { cookie: { expires: new Date(Date.now() + 1000 * 10 * HOUR) } });
  assert.ok((await client.ttl("s:n7")) > HOUR);
  await store.set("n7", { cookie: { expires: new Date(1) } });  // has ended already
  await store.destroy("n8");
  assert.strictEqual(await store.length(), 248);
  await store.clear();
  assert.deepStrictEqual(await client.keys("s:*"), []);
});

runAll();
