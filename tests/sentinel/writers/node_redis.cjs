// node-redis finds the primary by its sentinels.
"use strict";

const { createSentinel } = require("redis");
const { name, secure, sentinels, write } = require("./writer.cjs");

const socket = { reconnectStrategy: 20, ...(secure && { tls: true, ...secure }) };
const client = createSentinel({
  name,
  sentinelRootNodes: sentinels,
  nodeClientOptions: { disableOfflineQueue: false, socket },
  sentinelClientOptions: { socket },
  scanInterval: 500,
});
client.on("error", () => {}); // each write tells its own

client.connect().then(() => write((key, value) => client.set(key, value)));
