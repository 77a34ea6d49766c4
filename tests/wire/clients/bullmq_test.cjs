// BullMQ, a queue of jobs that lives in scripts, does a day's work against the server on port argv[2].
"use strict";

const assert = require("node:assert");
const Redis = require("ioredis");
const { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } = require("bullmq");
const { check, eventually, runAll } = require("./checks.cjs");

const connection = { port: Number(process.argv[2]), host: "127.0.0.1", maxRetriesPerRequest: null };
const client = new Redis(connection);
const open = [];  // what a case has opened is closed behind it, so that no worker is left to take the next one's jobs

function keep(part) {
  part.on("error", (error) => console.log(`error: ${error.stack || error}`));
  open.push(part);
  return part;
}
const queue = (name, options = {}) => keep(new Queue(name, { connection, ...options }));
const worker = (name, run, options = {}) => keep(new Worker(name, run, { connection, drainDelay: 1, ...options }));
async function events(name) {
  const listener = keep(new QueueEvents(name, { connection }));
  await listener.waitUntilReady();
  return listener;
}

function checkJobs(name, body) {
  check(name, async () => {
    try {
      await body();
    } finally {
      await Promise.all(open.splice(0).map((part) => part.close()));
    }
  });
}

const counted = (jobs) => jobs.getJobCounts("completed", "failed", "delayed", "wait", "active", "prioritized", "paused", "waiting-children");
const finished = (jobs, count) => eventually(async () => (await jobs.getCompletedCount()) === count);

checkJobs("jobs are done in the order in which they came, with their data and their results", async () => {
  const jobs = queue("plain");
  await jobs.addBulk([...Array(200).keys()].map((i) => ({ name: "square", data: { i, text: "\u00e9\u{1f600}", nested: [[], {}, null] } })));
  const order = [];
  worker("plain", async (job) => {
    assert.deepStrictEqual([job.data.text, job.data.nested], ["\u00e9\u{1f600}", [[], {}, null]]);
    order.push(job.data.i);
    return { square: job.data.i ** 2 };
  });
  await finished(jobs, 200);
  assert.deepStrictEqual(order, [...Array(200).keys()]);
  const done = await jobs.getCompleted(0, -1);
  for (const job of done) assert.deepStrictEqual(job.returnvalue, { square: job.data.i ** 2 });
});

checkJobs("whoever waits for a job is told its result or its failure", async () => {
  const jobs = queue("told");
  const listener = await events("told");
  worker("told", async (job) => {
    if (job.name === "bad") throw new UnrecoverableError("no use");
    return job.data.a + job.data.b;
  });
  const good = await jobs.add("sum", { a: 1, b: 2 });
  assert.strictEqual(await good.waitUntilFinished(listener), 3);
  const bad = await jobs.add("bad", {});
  await assert.rejects(bad.waitUntilFinished(listener), /no use/);
  assert.strictEqual(await bad.getState(), "failed");
});

checkJobs("a delayed job waits for its time, or for being promoted", async () => {
  const jobs = queue("later");
  const soon = await jobs.add("soon", {}, { delay: 50 });
  const never = await jobs.add("never", {}, { delay: 1000 * 3600 });
  assert.strictEqual(await never.getState(), "delayed");
  const times = new Map();
  worker("later", async (job) => times.set(job.name, Date.now()));
  await finished(jobs, 1);
  assert.ok(times.get("soon") >= soon.timestamp + 50);
  assert.strictEqual(await never.getState(), "delayed");
  await never.changeDelay(1000 * 7200);
  assert.strictEqual((await jobs.getJob(never.id)).delay, 1000 * 7200);
  await never.promote();
  await finished(jobs, 2);
});

checkJobs("a job that fails is tried again, with more delay each time, until its attempts are used up", async () => {
  const jobs = queue("again");
  let tries = 0;
  worker("again", async (job) => {
    tries += 1;
    if (job.name === "hopeless" || job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade}`);
    return "done";
  });
  const options = { attempts: 3, backoff: { type: "exponential", delay: 10 } };
  const job = await jobs.add("stubborn", {}, options);
  await finished(jobs, 1);
  assert.strictEqual(tries, 3);
  assert.strictEqual((await jobs.getJob(job.id)).attemptsMade, 3);
  const hopeless = await jobs.add("hopeless", {}, options);
  await eventually(async () => (await hopeless.getState()) === "failed");
  const dead = await jobs.getJob(hopeless.id);
  assert.strictEqual(dead.failedReason, "attempt 2");
  assert.strictEqual(dead.stacktrace.length, 3);
  await dead.retry();
  await eventually(async () => (await jobs.getJob(hopeless.id)).attemptsMade > 3);
});

checkJobs("urgent jobs go before others, and may become more urgent", async () => {
  const jobs = queue("urgent");
  const order = [];
  await jobs.add("plain", {});
  for (const priority of [5, 1, 3, 1, 2]) await jobs.add(`p${priority}`, {}, { priority });
  const last = await jobs.add("p9", {}, { priority: 9 });
  await last.changePriority({ priority: 1 });
  assert.deepStrictEqual(await jobs.getCountsPerPriority([0, 1, 2, 3, 5, 9]), { 0: 1, 1: 3, 2: 1, 3: 1, 5: 1, 9: 0 });
  worker("urgent", async (job) => order.push(job.name));
  await finished(jobs, 7);
  assert.deepStrictEqual(order, ["plain", "p1", "p1", "p9", "p2", "p3", "p5"]);
});

checkJobs("many jobs at once, and never more than the concurrency allows; each of them once", async () => {
  const jobs = queue("many");
  let running = 0;
  let most = 0;
  const seen = new Map();
  const run = async (job) => {
    running += 1;
    most = Math.max(most, running);
    seen.set(job.id, (seen.get(job.id) || 0) + 1);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  worker("many", run, { concurrency: 10 });
  worker("many", run, { concurrency: 10 });
  for (let i = 0; i < 10; i++) await jobs.addBulk([...Array(100).keys()].map((k) => ({ name: "n", data: { i, k } })));
  await finished(jobs, 1000);
  assert.ok(most > 1 && most <= 20, `at once: ${most}`);
  assert.strictEqual(seen.size, 1000);
  assert.ok([...seen.values()].every((count) => count === 1));
});

checkJobs("a flow: the parent runs when all its children have, and has their results", async () => {
  const jobs = queue("flow");
  const flow = keep(new FlowProducer({ connection }));
  const order = [];
  worker("flow", async (job) => {
    order.push(job.name);
    if (job.name === "leaf") return job.data.value;
    const values = Object.values(await job.getChildrenValues());
    return values.reduce((sum, value) => sum + value, 0);
  }, { concurrency: 4 });
  const leaf = (value) => ({ name: "leaf", queueName: "flow", data: { value } });
  const branch = (...values) => ({ name: "branch", queueName: "flow", children: values.map(leaf) });
  const tree = await flow.add({ name: "root", queueName: "flow", children: [branch(1, 2, 3), branch(10, 20), leaf(100)] });
  await eventually(async () => (await tree.job.getState()) === "completed");
  assert.strictEqual((await jobs.getJob(tree.job.id)).returnvalue, 136);
  assert.strictEqual(order.length, 9);
  assert.strictEqual(order[8], "root");
  const parts = await tree.job.getDependencies();
  assert.strictEqual(Object.keys(parts.processed).length, 3);
});

checkJobs("a limited queue begins no more jobs than its rate allows", async () => {
  const jobs = queue("limited");
  const starts = [];
  const limit = { max: 2, duration: 100 };
  worker("limited", async () => starts.push(Date.now()), { limiter: limit, concurrency: 5 });
  await jobs.addBulk([...Array(6).keys()].map((i) => ({ name: "n", data: { i } })));
  await finished(jobs, 6);
  // The server's clock counts whole milliseconds, and the third start of each window waits for the next one.
  assert.ok(starts[5] - starts[0] >= limit.duration, `all within ${starts[5] - starts[0]} ms`);
});

checkJobs("a job of the same id is one; duplicates can be left out for a time", async () => {
  const jobs = queue("once");
  const [a, b] = [await jobs.add("n", { v: 1 }, { jobId: "same-one" }), await jobs.add("n", { v: 2 }, { jobId: "same-one" })];
  assert.strictEqual(a.id, b.id);
  assert.deepStrictEqual((await jobs.getJob("same-one")).data, { v: 1 });
  const first = await jobs.add("d", {}, { deduplication: { id: "dup", ttl: 1000 * 3600 } });
  assert.strictEqual((await jobs.add("d", {}, { deduplication: { id: "dup", ttl: 1000 * 3600 } })).id, first.id);
  assert.strictEqual(await jobs.getDeduplicationJobId("dup"), first.id);
  assert.strictEqual((await counted(jobs)).wait, 2);
});

checkJobs("a job whose worker has gone silent is taken up by another", async () => {
  const jobs = queue("silent");
  const job = await jobs.add("n", {});
  const gone = new Worker("silent", null, { connection, lockDuration: 50 });
  const taken = await gone.getNextJob("token", { block: false });
  assert.strictEqual(taken.id, job.id);
  await gone.close(true);
  const stalled = [];
  const other = worker("silent", async () => "saved", { stalledInterval: 50, lockDuration: 5000, maxStalledCount: 1 });
  other.on("stalled", (id) => stalled.push(id));
  await finished(jobs, 1);
  assert.deepStrictEqual(stalled, [job.id]);
  assert.strictEqual((await jobs.getJob(job.id)).returnvalue, "saved");
});

checkJobs("a queue that is paused gives nothing out; progress, logs and data are kept with the job", async () => {
  const jobs = queue("held");
  await jobs.pause();
  const job = await jobs.add("n", { v: 1 });
  const done = [];
  worker("held", async (one) => {
    await one.updateProgress({ percent: 50 });
    await one.log("half-way");
    await one.updateData({ v: 2 });
    done.push(one.id);
  });
  assert.strictEqual((await counted(jobs)).paused, 1);
  assert.deepStrictEqual(done, []);
  await jobs.resume();
  await finished(jobs, 1);
  const after = await jobs.getJob(job.id);
  assert.deepStrictEqual([after.progress, after.data], [{ percent: 50 }, { v: 2 }]);
  assert.deepStrictEqual(await jobs.getJobLogs(job.id), { logs: ["half-way"], count: 1 });
});

checkJobs("a schedule makes a job again and again", async () => {
  const jobs = queue("schedule");
  let runs = 0;
  worker("schedule", async () => (runs += 1));
  await jobs.upsertJobScheduler("tick", { every: 20 }, { name: "tick", data: { n: 1 } });
  await eventually(() => runs >= 3);
  const [scheduler] = await jobs.getJobSchedulers();
  assert.deepStrictEqual([scheduler.key, scheduler.every], ["tick", 20]);
  assert.strictEqual(await jobs.removeJobScheduler("tick"), true);
  assert.strictEqual(await jobs.getJobSchedulersCount(), 0);
});

checkJobs("queues are cleaned, drained and removed without leaving a key", async () => {
  const jobs = queue("cleaned");
  await jobs.addBulk([...Array(1500).keys()].map((i) => ({ name: "n", data: { i }, opts: { delay: i % 3 ? 0 : 1000 * 3600, priority: i % 5 } })));
  worker("cleaned", async (job) => {
    if (job.data.i % 2) throw new Error("odd");
  }, { concurrency: 50 });
  await eventually(async () => {
    const counts = await counted(jobs);
    return counts.completed + counts.failed === 1000;
  });
  assert.strictEqual((await jobs.clean(0, 1000, "completed")).length, 500);
  await jobs.drain(true);
  assert.deepStrictEqual(await counted(jobs), {
    completed: 0, failed: 500, delayed: 0, wait: 0, active: 0, prioritized: 0, paused: 0, "waiting-children": 0,
  });
  await Promise.all(open.splice(1).map((part) => part.close()));  // the worker
  await jobs.obliterate({ force: true });
  assert.deepStrictEqual(await client.keys("bull:cleaned:*"), []);
});

check("no script has failed in an unexpected way", async () => {
  const errors = await client.info("errorstats");
  assert.doesNotMatch(errors, /errorstat_(WRONGTYPE|OOM|BUSY)/);
  assert.match(await client.info("memory"), /used_memory_scripts_eval:[1-9]/);
});

runAll();
