import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const module = new URL("../../../src/llm/tokenizer/bind-thread.node.ts", import.meta.url);

/** Binds a thread of its own. @returns whether it was bound, and the cores it may run on then */
async function bound(index: number, threads: number): Promise<readonly [boolean, string]> {
  const code = `
    const { parentPort } = require("node:worker_threads");
    const { readFileSync } = require("node:fs");
    import(${JSON.stringify(module.href)}).then(({ tryBindThread }) => {
      const done = tryBindThread(${index}, ${threads});
      parentPort.postMessage([done, readFileSync("/proc/thread-self/status", "utf8")]);
    });`;
  const worker = new Worker(code, { eval: true });
  const [done, status] = await new Promise<[boolean, string]>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  await worker.terminate();
  return [done, /Cpus_allowed_list:\s*(\S+)/.exec(status)?.[1] ?? ""];
}

const cores = availableParallelism();
const skip = process.platform !== "linux" || cores < 2 ? "one core, or no Linux" : false;

test("each worker of a team that fills the machine gets a core of its own", { skip }, async () => {
  const places = await Promise.all([0, cores - 1].map((index) => bound(index, cores)));
  assert.ok(
    places.every(([done, list]) => done && /^\d+$/.test(list)),
    `${places}`,
  );
  assert.notEqual(places[0]?.[1], places[1]?.[1]);
  const own = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  assert.doesNotMatch(own ?? "", /^\d+$/, "the thread that asked stays free");
});

test("a smaller team is left to the scheduler", { skip }, async () => {
  assert.deepEqual((await bound(0, cores + 1))[0], false);
  assert.deepEqual((await bound(0, 1))[0], false);
});
