// node-redis finds the primary by its sentinels.
"use strict";

const { createSentinel } = require("redis");
const { name, sentinels, write } = require("./writer.cjs");

const client = createSentinel({
  name,
  sentinelRootNodes: sentinels,
  nodeClientOptions: { disableOfflineQueue: false, socket: { reconnectStrategy: 20 } },
  sentinelClientOptions: { socket: { reconnectStrategy: 20 } },
  scanInterval: 500,
});
client.on("error", () => {}); // each write tells its own

client.connect().then(() => write((key, value) => client.set(key, value)));
