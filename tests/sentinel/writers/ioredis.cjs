// ioredis finds the primary by its sentinels.
"use strict";

const Redis = require("ioredis");
const { name, secure, sentinels, write } = require("./writer.cjs");

const client = new Redis({
  sentinels,
  name,
  ...(secure && { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true }),
  socketTimeout: 1000, // a server that stands still closes no connection
  maxRetriesPerRequest: 1,
  sentinelRetryStrategy: () => 20,
  retryStrategy: () => 20,
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
});
client.on("error", () => {}); // each write tells its own

write((key, value) => client.set(key, value));
