/** The device behind the gates of a real kernel: rights, budget, labels, and a process that is killed. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chooseBackend } from "../../../src/compute/backends/choose.node.ts";
import { createLocalEngine } from "../../../src/llm/engines/local-engine.ts";
import { nutshellFormat } from "../../../src/llm/engines/nutshell-format.ts";
import { createTokenEngine } from "../../../src/llm/inference/checkpoint-engine.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { createLlmDevice } from "../../../src/os/devices/llm.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import { createScheduler } from "../../../src/os/scheduler/scheduler.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { type Json, labelled, wholeLabel } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import { chatTokenizer } from "../../llm/chat/tokenizer.ts";
import { noisyConfig } from "../../llm/engines/noisy-engine.ts";
import { ask, boot, codeOf, okValue, returned, runToEnd, typed } from "../kernel/test-kernel.ts";
import { replyOf } from "./open-llm.ts";

const backend = await chooseBackend("auto", { threads: 1 }, () => undefined);
const store = backend.createStore();
await initialise(store, noisyConfig, 3);
const tokens = await createTokenEngine(backend, store, noisyConfig, { precision: "f32" });
const engine = createLocalEngine(tokens, {
  model: { id: "tiny", provider: "nutshell", created: 0 },
  ...{ tokenizer: chatTokenizer, format: nutshellFormat(chatTokenizer) },
});
const scheduler = createScheduler({ lanes: { tiny: { places: 4 } } });
const device = createLlmDevice({ engines: new Map([["tiny", engine]]), scheduler });
const database = await testDatabase();

const messages = [{ role: "user", content: "Hello." }];
const secret = labelOf("file:diary", new Set(["me"]));

const programs: Readonly<Record<string, Program>> = {
  say: async (sys) => {
    const value = { messages, maxTokens: 20 };
    const made = await sys.call("llm.generate", labelled(value, secret));
    assert.equal(made.status, "ok");
    return made.status === "ok" ? made.value : typed(null);
  },
  ask: async (sys) => {
    const question = { type: { kind: "str", most: 9 }, text: "Who?", about: ["a", "b"] };
    const free = await sys.call("llm.ask", labelled(question, secret));
    const bounded = { ...question, type: { kind: "int", least: 0, most: 6 } };
    const held = await sys.call("llm.ask", labelled(bounded, secret));
    if (free.status !== "ok" || held.status !== "ok") return typed([codeOf(free), codeOf(held)]);
    const bits = [free, held].map(({ value }) => [...wholeLabel(value.labels).influence.values()]);
    const { integrity, readers } = wholeLabel(held.value.labels);
    return typed([bits.map(String), [...integrity].sort(), [...(readers as Set<string>)]]);
  },
  codes: async (sys) => {
    const codes: Json[] = [];
    for (const args of sys.input.value as readonly Json[])
      codes.push(codeOf(await ask(sys, "llm.generate", args)));
    return typed(codes);
  },
  endless: async (sys) => typed(okValue(await ask(sys, "llm.generate", { ...long, messages }))),
};
const long = {
  maxTokens: 600,
  format: { kind: "json-schema", schema: { type: "string", minLength: 9000 } },
};

const kernel = await boot(database, programs, { syscalls: device.calls });
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await device[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test("a reply carries the labels of what it was made of, and its cost is charged", async () => {
  const pid = await kernel.spawn({
    ...{ program: "say", input: typed(null), capabilities: [{ call: "llm.*" }], owner: "me" },
  });
  const { message, usage } = replyOf({ value: returned(await kernel.wait(pid)) });
  assert.equal(typeof message.content, "string");
  const spent = (await kernel.process(pid))?.spent.tokens ?? Number.NaN;
  assert.equal(spent, (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0));
  const [result] = (await kernel.journal(pid)).filter(({ kind }) => kind === "result");
  for (const word of ["file:diary", "model:tiny", '"me"']) assert.ok(result?.body.includes(word));
});

test("bits of an answer are told, also where there is no bound", async () => {
  const answer = returned(await runToEnd(kernel, "ask", { owner: "me" }));
  assert.deepEqual(answer, [["Infinity", "3"], ["file:diary", "model:tiny"], ["me"]]);
});

test("the gates see the model, the arguments and the longest reply", async () => {
  const asked: Json = [
    { messages, maxTokens: 5 },
    { messages, maxTokens: 5, model: "other" },
    { messages, maxTokens: 400 },
    { messages: [], maxTokens: 5 },
    { messages: [{ role: "boss", content: "x" }] },
    { messages, maxTokens: 5, format: { kind: "json-schema" } },
  ];
  const exit = await runToEnd(kernel, "codes", {
    input: typed(asked),
    capabilities: [{ call: "llm.generate", where: { model: { oneOf: ["tiny"] } } }],
  });
  const wrong = Array(3).fill("ARGUMENTS");
  assert.deepEqual(returned(exit), [...Array(3).fill("CAPABILITY"), ...wrong]);
  const named = asked.map((args) => ({ model: "tiny", ...(args as object) }));
  const second = await runToEnd(kernel, "codes", {
    input: typed(named),
    capabilities: [{ call: "llm.generate", where: { model: { oneOf: ["tiny"] } } }],
    budget: { tokens: 300 },
  });
  assert.deepEqual(returned(second), [
    "ok",
    "CAPABILITY",
    "BUDGET",
    "ARGUMENTS",
    "ARGUMENTS",
    "ARGUMENTS",
  ]);
});

test("a process that is killed in mid-sentence leaves no timeline", async () => {
  const pids = await Promise.all(
    Array.from({ length: 6 }, () =>
      kernel.spawn({ program: "endless", input: typed(null), capabilities: [{ call: "*" }] }),
    ),
  );
  while (engine.stats().running === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.all(pids.map((pid) => kernel.signal(pid, "KILL")));
  for (const pid of pids) assert.equal((await kernel.wait(pid)).how, "killed");
  for (let n = 0; n < 200 && engine.stats().sessions > 0; n++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual([engine.stats().sessions, engine.stats().running], [0, 0]);
});
