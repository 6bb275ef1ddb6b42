/** The archive: by words, by meaning with a real model's vectors, and both. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createBlobStore } from "../../../src/durable/blobs.ts";
import type { Database } from "../../../src/durable/database.ts";
import { openEngine } from "../../../src/llm/engines/open-engine.node.ts";
import { createScriptedEngine } from "../../../src/llm/engines/scripted-engine.ts";
import type { Engine } from "../../../src/llm/inference/engine.ts";
import { openMemory } from "../../../src/os/memory/memory.ts";
import {
  type Embedder,
  engineEmbedder,
  engineSummariser,
  tokenCounter,
} from "../../../src/os/memory/models.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { type LabelTree, wholeLabel } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import { saveSpeakingModel } from "../../llm/inference/speaking-model.ts";
import { createCaller } from "./caller.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-archive-"));
let database: Database;
let engine: Engine;

before(async () => {
  database = await testDatabase();
  engine = await openEngine(await saveSpeakingModel(folder, "gist"), { backend: "reference" });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function archiveOf(pid: number, texts: readonly string[], embedder?: Embedder) {
  const blobs = createBlobStore(join(folder, "blobs"));
  const more = embedder === undefined ? {} : { embedder };
  const memory = await openMemory({ database, blobs, ancestors: async () => [], ...more });
  const caller = createCaller(memory, pid);
  for (const text of texts) await caller.call("memory.write", { text });
  const find = async (query: string, limit = 3) => {
    const { value } = await caller.call("memory.search", { query, limit });
    return value as unknown as { ref: string; excerpt: string; byMeaning: number | null }[];
  };
  return { caller, find };
}

const about = (i: number): string => `the daily report number ${i} of the station`;

test("a rare word weighs more than many common ones; forms, punctuation and scripts are met", async () => {
  const common = Array.from({ length: 30 }, (_, i) => about(i));
  const special = [
    "deployed: api_key=4f89-41d3 (staging)",
    "die Prüfung der Schlüssel",
    "東京都の天気は晴れです",
    `needle ${"hay ".repeat(3000)}`,
  ];
  const { find } = await archiveOf(1, [...common, ...special]);
  const first = async (query: string): Promise<string> => (await find(query))[0]?.ref ?? "none";
  assert.equal(await first("what did the station deploy in the daily report?"), "mem:1/31");
  assert.equal(await first("4F89-41D3"), "mem:1/31");
  assert.equal(await first("prüfung"), "mem:1/32");
  assert.equal(await first("天気"), "mem:1/33");
  assert.equal(await first("the needle"), "mem:1/34");
  assert.equal(await first("number 7"), "mem:1/8");
  assert.equal(await first("nothing of that kind"), "none");
  assert.equal(await first("'); drop table memory_text; -- \\ ' & | ! :* <->"), "none");
  assert.ok((await find("api key"))[0]?.excerpt.includes("api_key=4f89"));
});

test("meaning by a real model's vectors; made at the first search, kept, and of one model only", async () => {
  let embedded = 0;
  const real = engineEmbedder(engine) as Embedder;
  const counting: Embedder = {
    model: real.model,
    embed: (texts, signal) => {
      embedded += texts.length;
      return real.embed(texts, signal);
    },
  };
  // The model adds up its bytes' axes: texts of the same letters mean the same to it.
  const texts = ["zzzz yyyy", "listen silent", "abc cab", "enlist tinsel"];
  const { find } = await archiveOf(2, texts, counting);
  const found = await find("inlets");
  assert.deepEqual(
    new Set(found.slice(0, 2).map(({ ref }) => ref)),
    new Set(["mem:2/2", "mem:2/4"]),
  );
  assert.equal(embedded, 5);
  await find("inlets");
  assert.equal(embedded, 6);
  const other = await archiveOf(2, [], { ...counting, model: "another" });
  assert.equal((await other.find("inlets"))[0]?.byMeaning, 1);
  assert.equal(embedded, 6 + 5);
});

test("a text that both orders know goes before one that a single order puts first", async () => {
  const vectors: Readonly<Record<string, number>> = {
    "both b": 0.9,
    "only meaning": 1,
    q: 1,
    b: 0,
  };
  const embedder: Embedder = {
    model: "axes",
    embed: async (texts) => texts.map((text) => Float32Array.of(vectors[text] ?? 0.5, 0)),
  };
  const others = Array.from({ length: 6 }, (_, i) => `other ${i}`);
  const { find } = await archiveOf(3, ["only meaning", "b", "both b", ...others], embedder);
  const found = await find("b?", 3);
  assert.equal(found[0]?.ref, "mem:3/3");
  assert.deepEqual(
    new Set(found.map(({ ref }) => ref)),
    new Set(["mem:3/1", "mem:3/2", "mem:3/3"]),
  );
});

test("a model that fails takes nothing away: words still find", async () => {
  const broken: Embedder = { model: "broken", embed: () => Promise.reject(new Error("down")) };
  const { find } = await archiveOf(4, ["the password is swordfish"], broken);
  assert.deepEqual(
    (await find("swordfish")).map(({ ref }) => ref),
    ["mem:4/1"],
  );
});

test("old dialogue is summarised by a model, and says so; a pinned goal is not", async () => {
  const blobs = createBlobStore(join(folder, "blobs"));
  // Scripted: what stands for so much talk has to be short, and known.
  const scripted = createScriptedEngine(() => "they talked");
  const options = { tokensOf: tokenCounter(scripted), summariser: engineSummariser(scripted) };
  const memory = await openMemory({ database, blobs, ancestors: async () => [], ...options });
  const caller = createCaller(memory, 5);
  const label = labelOf("origin:https://evil.example");
  const steps: { step: string; refs: string[]; made?: string }[] = [];
  const say = async (text: string, more: object = {}) => {
    const append = [{ kind: "dialogue", text, ...more }];
    const said = await caller.call("memory.assemble", { append, capacity: 900 }, { label });
    const prompt = said.value as unknown as {
      messages: { content: string }[];
      steps: typeof steps;
    };
    steps.push(...prompt.steps);
    return { ...said, messages: prompt.messages.map(({ content }) => content) };
  };
  await say("the goal is a nutshell", { pinned: true });
  let last = await say("first");
  for (let i = 0; i < 14; i++) last = await say(`${i} ${"so we talked ".repeat(6)}`);
  assert.equal(last.messages[0], "the goal is a nutshell");
  const { refs, made } = steps.find(({ step }) => step === "summarise") ?? {};
  assert.equal(refs?.[0], "mem:5/2");
  assert.equal(last.messages[1], `[${made} summary of mem:5/2 to ${refs?.at(-1)}]\nthey talked`);
  const sources = wholeLabel(last.labels as LabelTree).integrity;
  assert.ok(sources.has("model:scripted") && sources.has("origin:https://evil.example"));
  const { value } = await caller.call("memory.page_in", { ref: refs?.[0] ?? "" });
  assert.equal((value as { text: string }).text, "first");
});

test("without a model that can, old dialogue leaves, and the step says why", async () => {
  const blobs = createBlobStore(join(folder, "blobs"));
  const summariser = engineSummariser(engine);
  const memory = await openMemory({ database, blobs, ancestors: async () => [], summariser });
  const caller = createCaller(memory, 6);
  const text = "so we talked ".repeat(30);
  const append = Array.from({ length: 9 }, (_, i) => ({ kind: "dialogue", text: `${i} ${text}` }));
  for (const one of append) await caller.call("memory.assemble", { append: [one], capacity: 800 });
  const { value } = await caller.call("memory.assemble", { append, capacity: 800 });
  const { steps } = value as unknown as { steps: { step: string; why?: string }[] };
  assert.equal(steps[0]?.why, "the model failed: UNSUPPORTED");
});
