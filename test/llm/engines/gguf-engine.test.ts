/**
 * A GGUF file in llama.cpp behind our engine, against our own engine with the same weights: what is
 * equal by construction must be equal token by token. Skipped where node-llama-cpp is missing.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openGguf } from "../../../src/llm/engines/gguf-engine.node.ts";
import { findLlama } from "../../../src/llm/engines/load-llama.node.ts";
import { openEngine } from "../../../src/llm/engines/open-engine.node.ts";
import { openExportModel } from "../../../src/llm/export/export-model.node.ts";
import { prepareExport } from "../../../src/llm/export/formats.node.ts";
import type { Engine, Session } from "../../../src/llm/inference/engine.ts";
import { saveTinyModel } from "../export/tiny-model.ts";
import { readAll } from "./read-all.ts";

const skip = findLlama() === undefined ? "node-llama-cpp is not installed; npm run peers" : false;
const folder = await mkdtemp(join(tmpdir(), "nutshell-gguf-engine-"));
after(() => rm(folder, { recursive: true }));

const path = join(folder, "tiny.gguf");
const checkpoint = skip ? "" : await saveTinyModel(join(folder, "tiny"), { sequenceLen: 224 });
let engine: Engine;
if (!skip) {
  const target = { to: "gguf", format: "f32", cache: false } as const;
  await prepareExport(await openExportModel(checkpoint), target).write(path, { force: true });
  engine = await openEngine(path, { maxBatch: 2, threads: 1 });
  after(() => engine[Symbol.asyncDispose]());
}

const greedy = { sampling: { temperature: 0 }, maxTokens: 24 } as const;
const ask = (content: string) =>
  ({ kind: "messages", messages: [{ role: "user", content }] }) as const;

async function idsOf(session: Session): Promise<string> {
  const { bytes } = await session.snapshot();
  return /"ids":\[[\d,]*\]/.exec(new TextDecoder().decode(bytes))?.[0] ?? "none";
}

async function say(session: Session, text: string): Promise<string> {
  if (text !== "") await session.append({ kind: "text", text });
  return (await readAll(session.generate(greedy))).text;
}

test("greedy text, counts and log-probabilities are those of our own engine", {
  skip,
}, async () => {
  await using ours = await openEngine(checkpoint, { weights: "f32", maxBatch: 1 });
  assert.equal(engine.model.provider, "gguf");
  assert.equal(engine.model.contextLen, 224);
  for (const prompt of ["Once upon a time", "The dog", "Zürich 1984, don't"]) {
    const replies = [];
    for (const one of [ours, engine]) {
      await using session = one.open();
      const scored = await session.score({ kind: "text", text: prompt }, { top: 3 });
      const reply = await readAll(session.generate({ ...greedy, logprobs: 2 }));
      const made = reply.deltas.flatMap((delta) =>
        delta.type === "text-delta" ? (delta.tokens ?? []) : [],
      );
      replies.push({ text: reply.text, all: [...scored, ...made], usage: reply.ended.usage });
    }
    const [mine, theirs] = replies as [(typeof replies)[0], (typeof replies)[0]];
    assert.equal(theirs.text, mine.text);
    assert.equal(theirs.all.length, mine.all.length);
    assert.equal(theirs.usage.completionTokens, mine.usage.completionTokens);
    for (const [i, token] of theirs.all.entries()) {
      const other = mine.all[i];
      assert.equal(token.id, other?.id);
      // llama.cpp keeps keys and values in f16.
      const distance = Math.abs(token.logprob - (other?.logprob ?? 0));
      assert.ok(i === 0 ? Number.isNaN(token.logprob) : distance < 0.01, `${i}: ${distance}`);
      assert.deepEqual(
        token.top.map(({ id }) => id),
        other?.top.map(({ id }) => id),
      );
    }
  }
});

test("llama.cpp's own choice is ours where it may choose", { skip }, async () => {
  await using plain = engine.open();
  await using masked = engine.open();
  const text = await say(plain, "Once");
  await masked.append({ kind: "text", text: "Once" });
  const biased = { ...greedy, sampling: { temperature: 0, logitBias: new Map([[1, -1]]) } };
  assert.equal((await readAll(masked.generate(biased))).text, text);
});

test("a text that is cut, forked or kept goes on as one that was not", { skip }, async () => {
  const whole = engine.open();
  const text = await say(whole, "The little");
  await whole[Symbol.asyncDispose]();
  await using cut = engine.open();
  await cut.append({ kind: "text", text: "The little" });
  const first = await readAll(cut.generate({ ...greedy, maxTokens: 9 }));
  assert.equal(first.ended.finishReason, "length");
  const snapshot = await cut.snapshot();
  const rest = await readAll(cut.generate({ ...greedy, maxTokens: 15 }));
  assert.equal(first.text + rest.text, text);
  await cut[Symbol.asyncDispose]();
  await using restored = await engine.restore(snapshot);
  await using fork = await restored.fork();
  const ids: string[] = [];
  for (const one of [fork, restored]) {
    const { text } = await readAll(one.generate({ ...greedy, maxTokens: 15 }));
    assert.equal(text, rest.text);
    ids.push(await idsOf(one));
  }
  assert.equal(ids[0], ids[1]);
});

test("a text that is taken back goes on where it was", { skip }, async () => {
  const whole = engine.open();
  const text = await say(whole, "The little");
  await whole[Symbol.asyncDispose]();
  await using session = engine.open();
  await session.append({ kind: "text", text: "The little" });
  const taken = new AbortController();
  const reply = session.generate({ ...greedy, signal: taken.signal });
  let [made, tokens] = ["", 0];
  let next = await reply.next();
  while (!next.done) {
    made += next.value.type === "text-delta" ? next.value.text : "";
    if (++tokens === 4) taken.abort();
    next = await reply.next();
  }
  assert.equal(next.value.finishReason, "aborted");
  const left = 24 - next.value.usage.completionTokens;
  assert.ok(left > 0);
  const rest = await readAll(session.generate({ ...greedy, maxTokens: left }));
  assert.equal(made + rest.text, text);
});

test("a snapshot of other bytes never reaches llama.cpp", { skip }, async () => {
  await using session = engine.open();
  await say(session, "Once");
  const { model, length, bytes } = await session.snapshot();
  const torn = Uint8Array.from(bytes);
  torn[bytes.length - 9] = (torn[bytes.length - 9] as number) ^ 1;
  await assert.rejects(engine.restore({ model, length, bytes: torn }), { code: "CHECKPOINT" });
  await assert.rejects(engine.restore({ model: "x", length, bytes }), { code: "CHECKPOINT" });
});

test("sampling with a seed repeats itself, whoever else is served", { skip }, async () => {
  const sampling = { temperature: 1, seed: 5 };
  const texts = await Promise.all(
    [0, 1].map(async () => {
      await using session = engine.open();
      await session.append({ kind: "text", text: "Once" });
      return (await readAll(session.generate({ sampling, maxTokens: 16 }))).text;
    }),
  );
  assert.equal(texts[0], texts[1]);
  const beginnings = new Set<string>();
  for (const seed of [5, 6, 7]) {
    await using other = engine.open();
    await other.append({ kind: "text", text: "Once" });
    const few = { sampling: { temperature: 1, seed }, maxTokens: 3 };
    beginnings.add((await readAll(other.generate(few))).text);
  }
  assert.equal(beginnings.size, 3);
});

test("a text under a schema is valid under it", { skip }, async () => {
  const schema = {
    type: "object",
    properties: { age: { type: "integer", minimum: 0, maximum: 99 }, ok: { type: "boolean" } },
    required: ["age", "ok"],
    additionalProperties: false,
  };
  await using session = engine.open();
  await session.append(ask("Who?"));
  const format = { kind: "json-schema", schema } as const;
  const { text, ended } = await readAll(session.generate({ ...greedy, format, maxTokens: 60 }));
  assert.equal(ended.finishReason, "stop");
  const value = JSON.parse(text) as { age: number; ok: boolean };
  assert.deepEqual(Object.keys(value).sort(), ["age", "ok"]);
  assert.ok(value.age >= 0 && value.age <= 99 && typeof value.ok === "boolean");
});

test("a call is an offered one; the answer goes below it", { skip }, async () => {
  assert.equal(engine.can.tools, true);
  const parameters = { type: "object", properties: { on: { type: "boolean" } }, required: ["on"] };
  const tools = [{ name: "lamp", parameters: { ...parameters, additionalProperties: false } }];
  await using session = engine.open();
  await session.append({ ...ask("?"), tools });
  const { ended } = await readAll(
    session.generate({ ...greedy, maxTokens: 40, toolChoice: { name: "lamp" } }),
  );
  assert.equal(ended.finishReason, "tool-calls");
  const [call] = ended.message.toolCalls ?? [];
  assert.equal(call?.name, "lamp");
  assert.equal(typeof (JSON.parse(call?.arguments ?? "") as { on: unknown }).on, "boolean");
});

test("caches are bounded, freed, shared and counted", { skip }, async () => {
  const sessions = [engine.open(), engine.open(), engine.open()] as const;
  const text = "Once upon a time there was a little dog";
  await sessions[0].append({ kind: "text", text });
  await sessions[1].append({ kind: "text", text: "The house of Anna" });
  await assert.rejects(sessions[2].append({ kind: "text", text }), { code: "OVERLOADED" });
  assert.equal(sessions[2].length, 0);
  assert.equal(engine.stats().pagesUsed, 2);
  await sessions[0][Symbol.asyncDispose]();
  const { cachedTokens, promptTokens } = await sessions[2].append({ kind: "text", text });
  assert.equal(cachedTokens, promptTokens - 1);
  await sessions[1][Symbol.asyncDispose]();
  const fork = await sessions[2].fork();
  const texts = [await say(fork, " and"), await say(sessions[2], " and")];
  assert.equal(texts[0], texts[1]);
  for (const session of [fork, sessions[2]]) await session[Symbol.asyncDispose]();
  assert.equal(engine.stats().sessions, 0);
  assert.equal(engine.stats().pagesUsed, 0);
});

test("what does not fit, or comes too late, changes nothing", { skip }, async () => {
  await using session = engine.open();
  await session.append({ kind: "text", text: "Once" });
  const before = session.length;
  const long = { kind: "tokens", ids: new Array(224).fill(5) } as const;
  await assert.rejects(session.append(long), { code: "CONTEXT" });
  await assert.rejects(session.append({ kind: "tokens", ids: [512] }), { code: "CONFIG" });
  assert.equal(session.length, before);
  const { ended } = await readAll(session.generate({ sampling: { temperature: 0 } }));
  assert.equal(ended.finishReason, "length");
  assert.equal(session.length, 224);
  const late = await readAll(session.generate({ signal: AbortSignal.abort() }));
  assert.equal(late.ended.finishReason, "aborted");
});

test("who served a timeline in between does not show", { skip }, async () => {
  const alone = engine.open();
  const text = await say(alone, "The house of Anna");
  await alone[Symbol.asyncDispose]();
  for (const prompt of ["Once", "The house of"]) {
    await using other = engine.open();
    await say(other, prompt);
  }
  await using again = engine.open();
  assert.equal(await say(again, "The house of Anna"), text);
});

/** The same weights and words under other names: the file's own template has to do. */
async function writeForeign(): Promise<string> {
  const foreign = join(folder, "foreign.gguf");
  const bytes = await readFile(path);
  const [mark, other] = ["<|call_start|>", "<|CALL_start|>"];
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at)) bytes.write(other, at);
  await writeFile(foreign, bytes);
  return foreign;
}

test("a file's own template in Jinja makes the same conversation", { skip }, async () => {
  await using foreign = await openGguf(await writeForeign(), { maxBatch: 1, threads: 1 });
  assert.equal(foreign.can.tools, false);
  await using theirs = foreign.open();
  await using ours = engine.open();
  const past = [...ask("Who is Anna?").messages, { role: "assistant", content: "A dog." } as const];
  const replies: string[] = [];
  for (const one of [theirs, ours]) {
    await one.append({ kind: "messages", messages: past });
    await one.append(ask("And the house?"));
    replies.push((await readAll(one.generate({ ...greedy, maxTokens: 8 }))).text);
  }
  assert.equal(replies[0], replies[1]);
  assert.equal(theirs.length, ours.length);
  // A reply that is rendered anew may have other tokens: what stands is cut, the one cache moves.
  await theirs.append(ask("Why?"));
  assert.equal(
    (await readAll(theirs.generate({ ...greedy, maxTokens: 2 }))).ended.finishReason,
    "length",
  );
});

test("what is no GGUF file, and options that it has not, are refused", { skip }, async () => {
  const broken = join(folder, "broken.gguf");
  await writeFile(broken, "GGUF, but not really");
  await assert.rejects(openGguf(broken), { code: "CHECKPOINT" });
  await writeFile(broken, (await readFile(path)).subarray(0, 200_000));
  await assert.rejects(openGguf(broken), { code: "CHECKPOINT" });
  await assert.rejects(openGguf(join(folder, "none.gguf")), { code: "CHECKPOINT" });
  await assert.rejects(openEngine(path, { weights: "q8_0" }), { code: "UNSUPPORTED" });
  await assert.rejects(openGguf(path, { contextLen: 1000 }), { code: "CONFIG" });
});
