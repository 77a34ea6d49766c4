// node-redis finds the primary by its sentinels.
"use strict";

const { createSentinel } = require("redis");
const { name, secure, sentinels, write } = require("./writer.cjs");

// It must give up at some time: when node-redis asks the sentinels right between the primary's death and their noticing it, it goes
// back to the dead address, and asks again only when that attempt has failed.
const reconnectStrategy = (retries) => (retries < 50 ? 20 : new Error("the primary is not reached"));
const socket = { reconnectStrategy, ...(secure && { tls: true, ...secure }) };
const client = createSentinel({
  name,
  sentinelRootNodes: sentinels,
  nodeClientOptions: { disableOfflineQueue: false, socket },
  sentinelClientOptions: { socket },
  scanInterval: 500,
});
client.on("error", () => {}); // each write tells its own

client.connect().then(() => write((key, value) => client.set(key, value)));
