/** Sessions over real models: text, chats, calls and formats; cut, resumed, forked, restored. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { NutshellError } from "../../../src/error.ts";
import type { Message, ToolCall } from "../../../src/llm/chat/conversation.ts";
import { renderPrompt } from "../../../src/llm/chat/template.ts";
import { tools as builtIn } from "../../../src/llm/chat/tools/table.ts";
import type { ChatFormat } from "../../../src/llm/engines/chat-format.ts";
import { createLocalEngine } from "../../../src/llm/engines/local-engine.ts";
import { nutshellFormat } from "../../../src/llm/engines/nutshell-format.ts";
import { createTokenEngine } from "../../../src/llm/inference/checkpoint-engine.ts";
import type {
  Engine,
  GenerateOptions,
  Session,
  ToolDefinition,
} from "../../../src/llm/inference/engine.ts";
import { chattingConfig, chattingStore } from "../chat/chatting-model.ts";
import { chatTokenizer, idsOf } from "../chat/tokenizer.ts";
import { noisyTokens, type OpenedEngine, openNoisy } from "./noisy-engine.ts";
import { readAll, type Whole } from "./read-all.ts";

const noisy = openNoisy(await noisyTokens());
const seeds = Array.from({ length: 12 }, (_, seed) => seed);
const asked: readonly Message[] = [
  { role: "system", content: "S" },
  { role: "user", content: "Hé?" },
];
const clock = builtIn.get("clock") as ToolDefinition;
const known: readonly ToolDefinition[] = [...builtIn.values()].map(
  ({ name, description, parameters }) => ({ name, description, parameters }),
);
const note: ToolDefinition = {
  name: "clock_in",
  parameters: {
    properties: { at: { type: "integer" }, why: { enum: ["work", "play"] } },
    required: ["why"],
    additionalProperties: false,
  },
};

afterEach(async () => {
  for (const timeline of noisy.timelines.splice(0)) await timeline[Symbol.asyncDispose]();
});

const idsNow = (engine: OpenedEngine): readonly number[] => engine.timelines.at(-1)?.ids ?? [];
const play = (session: Session, options: GenerateOptions = {}): Promise<Whole> =>
  readAll(session.generate(options));

async function chat(engine: Engine, tools: readonly ToolDefinition[] = []): Promise<Session> {
  const session = engine.open();
  await session.append({ kind: "messages", messages: asked, tools });
  return session;
}

/** The same in pieces of so many tokens; the text of all, ids of the timeline at the end. */
async function playInPieces(
  session: Session,
  options: GenerateOptions,
  maxTokens: number,
  most = 200,
): Promise<{ text: string; calls: ToolCall[]; last: Whole }> {
  let text = "";
  const calls: ToolCall[] = [];
  for (let left = most; ; left -= maxTokens) {
    const last = await play(session, { ...options, maxTokens: Math.min(maxTokens, left) });
    text += last.text;
    calls.push(...(last.ended.message.toolCalls ?? []));
    if (last.ended.finishReason !== "length" || left <= maxTokens) return { text, calls, last };
  }
}

test("a conversation stands on the timeline as the template has it", async () => {
  const session = await chat(noisy, known);
  assert.deepEqual(idsNow(noisy), renderPrompt(asked, chatTokenizer));
  assert.equal(session.usage.promptTokens, session.length);
  const more: Message = { role: "user", content: "And?" };
  await session.append({ kind: "messages", messages: [more] });
  // The word that was given to the assistant is taken back.
  const spelled = "<|bos|><|system_start|>S<|system_end|><|user_start|>Hé?<|user_end|>";
  const again = "<|user_start|>And?<|user_end|><|assistant_start|>";
  assert.deepEqual(idsNow(noisy), idsOf(spelled + again));
});

test("tools that the model was not trained with stand in a system message, once", async () => {
  const session = await chat(noisy, [clock, note]);
  const prompt = chatTokenizer.decode(idsNow(noisy), { specials: true });
  const line = JSON.stringify(note);
  assert.ok(prompt.startsWith(`<|bos|><|system_start|>S\n\n${line}<|system_end|>`), prompt);
  const input = { kind: "messages", messages: asked.slice(1), tools: [clock, note] } as const;
  await session.append(input);
  const all = chatTokenizer.decode(idsNow(noisy), { specials: true });
  assert.equal(all.split(line).length, 2);
});

test("deltas add up to the message, whole characters, no mark of others", async () => {
  for (const seed of seeds) {
    const session = await chat(noisy);
    const from = session.length;
    const { text, ended } = await play(session, { sampling: { seed }, maxTokens: 120 });
    assert.equal(text, ended.message.content);
    const made = idsNow(noisy).slice(from);
    assert.equal(ended.usage.completionTokens, made.length);
    const decoded = chatTokenizer.decode(made);
    // What is cut inside a character waits for the next call.
    const isWhole = ended.finishReason === "stop" || !decoded.endsWith("\uFFFD");
    if (isWhole) assert.equal(text, decoded);
    else assert.ok(decoded.startsWith(text));
    const marks = made.filter((id) => chatTokenizer.tokenBytes(id).length === 0);
    const end = idsOf("<|assistant_end|>");
    assert.deepEqual(marks, ended.finishReason === "stop" ? end : []);
  }
});

const resumed: readonly [string, GenerateOptions, readonly ToolDefinition[]][] = [
  ["text", {}, []],
  ["penalties", { sampling: { frequencyPenalty: 0.5, repetitionPenalty: 1.2, topP: 0.9 } }, []],
  ["JSON", { format: { kind: "json" } }, []],
  ["calls", { toolChoice: "required" }, [note, clock]],
];

for (const [name, options, tools] of resumed)
  test(`cut and resumed, a reply is the same: ${name}`, async () => {
    for (const seed of seeds.slice(0, 5)) {
      const sampling = { temperature: 0.9, ...options.sampling, seed };
      const whole = await playInPieces(await chat(noisy, tools), { ...options, sampling }, 200);
      const ids = [...idsNow(noisy)];
      for (const maxTokens of [1, 7]) {
        const cut = await playInPieces(
          await chat(noisy, tools),
          { ...options, sampling },
          maxTokens,
        );
        assert.deepEqual([cut.text, cut.calls], [whole.text, whole.calls]);
        assert.equal(cut.last.ended.finishReason, whole.last.ended.finishReason);
        assert.deepEqual(idsNow(noisy), ids);
      }
    }
  });

test("a stop text is never shown, and the timeline holds what was shown", async () => {
  let stopped = 0;
  for (const seed of seeds) {
    const session = await chat(noisy);
    const from = session.length;
    const free = await play(session, { sampling: { seed }, maxTokens: 60 });
    const stop = [free.text.slice(20, 23), free.text.slice(30, 32)].filter((text) => text !== "");
    const again = await chat(noisy);
    const { text, ended } = await play(again, { sampling: { seed }, maxTokens: 60, stop });
    for (const each of stop) assert.ok(!text.includes(each));
    assert.ok(free.text.startsWith(text));
    if (text === free.text) continue;
    stopped++;
    assert.equal(ended.finishReason, "stop");
    assert.equal(chatTokenizer.decode(idsNow(noisy).slice(from)), text);
    const after = await play(again, { sampling: { seed }, maxTokens: 5 });
    assert.equal(after.ended.usage.completionTokens, 5);
  }
  assert.ok(stopped > 6, `${stopped}`);
});

test("formats hold whatever the model is like", async () => {
  const schema = { type: "object", properties: { a: { type: "boolean" } }, required: ["a"] };
  let whole = 0;
  for (const seed of seeds) {
    const sampling = { seed };
    const json = await play(await chat(noisy), {
      sampling,
      format: { kind: "json" },
      maxTokens: 200,
    });
    if (json.ended.finishReason === "stop") JSON.parse(json.text);
    const strict = {
      kind: "json-schema",
      schema: { ...schema, additionalProperties: false },
    } as const;
    const fit = await play(await chat(noisy), { sampling, format: strict, maxTokens: 400 });
    if (fit.ended.finishReason !== "stop") continue;
    whole++;
    assert.equal(typeof JSON.parse(fit.text).a, "boolean");
  }
  assert.ok(whole > 3, `${whole}`);
  const grammar = { kind: "grammar", grammar: 'root ::= "ja" | "nein"' } as const;
  for (const open of [() => chat(noisy), async () => noisy.open()]) {
    const { text, ended } = await play(await open(), { format: grammar });
    assert.ok(text === "ja" || text === "nein", text);
    assert.equal(ended.finishReason, "stop");
  }
});

test("calls come out well-formed, and only where they may", async () => {
  const counts = { auto: 0, required: 0 };
  for (const seed of seeds)
    for (const toolChoice of ["auto", "required", "none", { name: "clock_in" }] as const) {
      const options = { sampling: { seed, temperature: 1 }, toolChoice, maxTokens: 150 };
      const { deltas, ended } = await play(await chat(noisy, [clock, note]), options);
      const calls = ended.message.toolCalls ?? [];
      for (const call of calls) {
        const args = JSON.parse(call.arguments);
        assert.ok(call.name === "clock" || ["work", "play"].includes(args.why), call.arguments);
        assert.match(call.id ?? "", /^call_\w{14}$/);
      }
      assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length);
      if (ended.finishReason === "tool-calls") assertDeltasSpell(deltas, calls);
      if (toolChoice === "none") assert.deepEqual(calls, []);
      else if (typeof toolChoice === "object") {
        assert.ok(calls.length <= 1 && calls.every(({ name }) => name === "clock_in"));
        assert.equal(ended.message.content, "");
      } else counts[toolChoice] += calls.length;
    }
  assert.ok(counts.required > 0, JSON.stringify(counts));
});

function assertDeltasSpell(deltas: Whole["deltas"], calls: readonly ToolCall[]): void {
  const spelled: ToolCall[] = [];
  for (const delta of deltas) {
    if (delta.type === "tool-call-start")
      spelled[delta.index] = { id: delta.id, name: delta.name, arguments: "" };
    if (delta.type !== "tool-call-delta") continue;
    const call = spelled[delta.index] as ToolCall;
    spelled[delta.index] = { ...call, arguments: call.arguments + delta.text };
  }
  assert.deepEqual(spelled, calls);
}

/** As a template is that can only render a whole conversation, and says when it is now. */
function rerendering(time: () => string): ChatFormat {
  const own = nutshellFormat(chatTokenizer);
  return {
    ends: own.ends,
    createReader: own.createReader,
    extend({ messages, speaks, ids }) {
      const turns = messages.map(
        ({ role, content }) => `<|${role}_start|>${content}<|${role}_end|>`,
      );
      const word = speaks ? "<|assistant_start|>" : "";
      const whole = idsOf(`<|bos|>${turns.join("")}${time()}${word}`);
      const fork = whole.findIndex((id, i) => id !== ids[i]);
      const keep = fork < 0 ? whole.length : fork;
      return { keep, ids: whole.slice(keep) };
    },
  };
}

test("a template that renders all again keeps what is the same", async () => {
  let time = "1";
  const engine = openNoisy(
    await noisyTokens(),
    rerendering(() => time),
  );
  const session = await chat(engine);
  const { ended } = await play(session, { sampling: { seed: 1 }, maxTokens: 4 });
  time = "2";
  const more = { role: "user", content: "And?" } as const;
  const usage = await session.append({ kind: "messages", messages: [more] });
  const past = "<|bos|><|system_start|>S<|system_end|><|user_start|>Hé?<|user_end|>";
  const reply = `<|assistant_start|>${ended.message.content}<|assistant_end|>`;
  const whole = idsOf(`${past}${reply}<|user_start|>And?<|user_end|>2<|assistant_start|>`);
  assert.deepEqual(idsNow(engine), whole);
  assert.equal(usage.promptTokens, whole.length - idsOf(past).length);
  const tools = { kind: "messages", messages: [more], tools: [clock] } as const;
  await assert.rejects(session.append(tools), { code: "UNSUPPORTED" });
  await engine[Symbol.asyncDispose]();
});

test("without a template, messages are refused", async () => {
  const tokens = await noisyTokens();
  const model = { id: "base", provider: "nutshell", created: 0 };
  await using engine = createLocalEngine(tokens, { model, tokenizer: chatTokenizer });
  assert.equal(engine.can.tools, false);
  await assert.rejects(chat(engine), { code: "UNSUPPORTED", message: /template/ });
});

async function asksTheClock(): Promise<Engine> {
  const backend = createReferenceBackend();
  const options = { precision: "f32", maxBatch: 1, pages: 40 } as const;
  const tokens = await createTokenEngine(backend, await chattingStore(), chattingConfig, options);
  const model = { id: "asks", provider: "nutshell", created: 0 };
  const format = nutshellFormat(chatTokenizer);
  return createLocalEngine(tokens, { model, tokenizer: chatTokenizer, format });
}

test("a model that asks the clock gets its answer and says so", async () => {
  const engine = await asksTheClock();
  const sampling = { temperature: 0 };
  const session = engine.open();
  await session.append({
    kind: "messages",
    messages: [{ role: "user", content: "?" }],
    tools: known,
  });
  const { ended, deltas } = await play(session, { sampling });
  assert.equal(ended.finishReason, "tool-calls");
  const [call] = ended.message.toolCalls ?? [];
  assert.deepEqual([call?.name, call?.arguments], ["clock", "{}"]);
  assert.deepEqual(
    deltas.map(({ type }) => type),
    ["tool-call-start", "tool-call-delta"],
  );
  await assert.rejects(play(session), { code: "CONFIG", message: /clock/ });
  const user = { kind: "messages", messages: [{ role: "user", content: "!" }] } as const;
  await assert.rejects(session.append(user), { code: "DATA", message: /call_/ });
  const result: Message = { role: "tool", content: "now", callId: call?.id ?? "" };
  await session.append({ kind: "messages", messages: [result] });
  const said = await play(session, { sampling });
  assert.deepEqual([said.text, said.ended.finishReason], ["Done.", "stop"]);
  await engine[Symbol.asyncDispose]();
});

test("without tools no call can be made, even by a model that wants nothing else", async () => {
  const engine = await asksTheClock();
  const session = engine.open();
  await session.append({ kind: "messages", messages: [{ role: "user", content: "?" }] });
  const { ended } = await play(session, { sampling: { temperature: 0 }, maxTokens: 9 });
  assert.equal(ended.message.toolCalls, undefined);
  await engine[Symbol.asyncDispose]();
});

test("results are put in the order of their calls", async () => {
  const toolCalls = ["one", "two"].map((id) => ({ id, name: "clock", arguments: "{}" }));
  const answers = ["two", "one"].map(
    (callId) => ({ role: "tool", callId, content: callId }) as const,
  );
  const messages: Message[] = [...asked, { role: "assistant", content: "", toolCalls }, ...answers];
  const session = noisy.open();
  await session.append({ kind: "messages", messages });
  const prompt = chatTokenizer.decode(idsNow(noisy), { specials: true });
  assert.ok(prompt.includes("<|tool_start|>one<|tool_end|><|tool_start|>two<|tool_end|>"), prompt);
  const stray = { kind: "messages", messages: [{ role: "tool", content: "" }] } as const;
  await assert.rejects(session.append(stray), { code: "DATA" });
});

test("forks and restored sessions go on as the first would have", async () => {
  const options = { sampling: { seed: 4 }, toolChoice: "required" } as const;
  const session = await chat(noisy, [note]);
  const begun = await play(session, { ...options, maxTokens: 9 });
  assert.ok(
    begun.deltas.some(({ type }) => type === "tool-call-start"),
    "in mid-call",
  );
  const copies = [await session.fork(), await noisy.restore(await session.snapshot())];
  const expected = await play(session, { ...options, maxTokens: 60 });
  for (const copy of copies) {
    const { deltas, ended } = await play(copy, { ...options, maxTokens: 60 });
    assert.deepEqual([deltas, ended.message], [expected.deltas, expected.ended.message]);
    assert.equal(copy.length, session.length);
    assert.equal(copy.usage.completionTokens, ended.usage.completionTokens);
  }
});

test("messages close an open turn; of a call that was not finished nothing stays", async () => {
  const options = { sampling: { seed: 4 }, maxTokens: 9 };
  const session = await chat(noisy, [note]);
  const asking = idsNow(noisy).length;
  await play(session, { ...options, toolChoice: { name: "clock_in" } });
  await session.append({ kind: "messages", messages: asked.slice(1) });
  const again = "<|assistant_end|><|user_start|>Hé?<|user_end|><|assistant_start|>";
  assert.deepEqual(idsNow(noisy).slice(asking), idsOf(again));
  const { text } = await play(session, options);
  await session.append({ kind: "messages", messages: asked.slice(1) });
  const past = chatTokenizer.decode(idsNow(noisy), { specials: true });
  assert.ok(past.endsWith(`<|assistant_start|>${text}${again}`), past);
});

test("snapshots that are torn or of others are refused", async () => {
  const session = await chat(noisy);
  const snapshot = await session.snapshot();
  assert.equal(snapshot.length, session.length);
  await assert.rejects(noisy.restore({ ...snapshot, model: "other" }), { code: "CHECKPOINT" });
  for (const at of [2, 10, 50, snapshot.bytes.length - 9]) {
    const bytes = Uint8Array.from(snapshot.bytes);
    bytes[at] = (bytes[at] as number) ^ 1;
    await assert.rejects(noisy.restore({ ...snapshot, bytes }), { code: "CHECKPOINT" }, `${at}`);
  }
});

test("log-probabilities are those that a score of the same tokens gives", async () => {
  const session = noisy.open();
  await session.append({ kind: "text", text: "Hé" });
  const { deltas, text } = await play(session, {
    sampling: { seed: 2 },
    maxTokens: 40,
    logprobs: 2,
  });
  const told = deltas.flatMap((delta) => (delta.type === "text-delta" ? (delta.tokens ?? []) : []));
  const ids = [...idsNow(noisy)];
  const scored = await noisy.open().score({ kind: "tokens", ids }, { top: 2 });
  assert.ok(Number.isNaN(scored[0]?.logprob));
  const made = scored.slice(-told.length);
  assert.deepEqual(
    told.map(({ id }) => id),
    ids.slice(-told.length),
  );
  assert.deepEqual(
    made.map(({ id }) => id),
    told.map(({ id }) => id),
  );
  for (const [i, { logprob, top }] of told.entries()) {
    assert.ok(Math.abs(logprob - (made[i]?.logprob as number)) < 1e-3);
    assert.equal(top.length, 2);
  }
  const bytes = told.flatMap((token) => [...token.bytes]);
  assert.ok(new TextDecoder().decode(Uint8Array.from(bytes)).startsWith(text));
});

test("text begins with the token that starts texts, and ends before it", async () => {
  const session = noisy.open();
  await session.append({ kind: "text", text: "ab" });
  assert.deepEqual(idsNow(noisy), idsOf("<|bos|>ab"));
  const bias = new Map([[chatTokenizer.bos as number, 100]]);
  const ended = await play(session, { sampling: { logitBias: bias } });
  assert.deepEqual([ended.text, ended.ended.finishReason, session.length], ["", "stop", 3]);
  await assert.rejects(play(session, { toolChoice: "required" }), { code: "CONFIG" });
  const empty = noisy.open();
  await play(empty, { maxTokens: 1 });
  assert.equal(idsNow(noisy)[0], chatTokenizer.bos);
});

test("what does not fit changes nothing", async () => {
  const session = await chat(noisy);
  const { length } = session;
  const long = { role: "user", content: "x".repeat(noisy.model.contextLen) } as const;
  await assert.rejects(session.append({ kind: "messages", messages: [long] }), { code: "CONTEXT" });
  assert.equal(session.length, length);
  // The fork that was tried is gone.
  assert.deepEqual(noisy.timelines[0]?.ids, renderPrompt(asked, chatTokenizer));
  const signal = AbortSignal.abort();
  await assert.rejects(session.append({ kind: "text", text: "x" }, { signal }), {
    code: "ABORTED",
  });
  const { ended } = await play(session, { signal });
  assert.deepEqual([ended.finishReason, session.length], ["aborted", length]);
});

test("a signal or a reader that leaves ends the text between two tokens", async () => {
  const session = await chat(noisy);
  const bias = new Map(idsOf("<|assistant_end|>").map((id) => [id, -Infinity]));
  const sampling = { seed: 1, logitBias: bias };
  const controller = new AbortController();
  const reply = session.generate({ signal: controller.signal, sampling });
  await reply.next();
  await assert.rejects(session.append({ kind: "text", text: "x" }), { code: "CONFIG" });
  controller.abort();
  const { ended } = await readAll(reply);
  assert.equal(ended.finishReason, "aborted");
  for await (const _ of session.generate({ sampling })) break;
  const { length } = session;
  const { ended: rest } = await play(session, { sampling, maxTokens: 3 });
  assert.deepEqual([rest.usage.completionTokens, session.length], [3, length + 3]);
});

test("embeddings have length 1; stats are the token engine's", async () => {
  const { vectors, promptTokens } = await noisy.embed(["ab", "é"]);
  assert.equal(promptTokens, 3 + 3);
  for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
  assert.ok(noisy.stats().completionTokens > 0);
  assert.equal(noisy.codec?.decode(noisy.codec.encode("é")), "é");
});

test("a model that has lost its mind says so", async () => {
  const engine = openNoisy(await noisyTokens(Number.NaN));
  const session = await chat(engine);
  await assert.rejects(play(session), (error) => {
    assert.ok(error instanceof NutshellError);
    return error.code === "DIVERGED";
  });
});

const refused: readonly [GenerateOptions, string][] = [
  [{ maxTokens: 0 }, "maxTokens"],
  [{ logprobs: 21 }, "alternatives"],
  [{ sampling: { topP: 2 } }, "topP"],
  [{ stop: [""] }, "stop text"],
  [{ toolChoice: "required" }, "toolChoice"],
  [{ toolChoice: { name: "clock" } }, "toolChoice"],
];

for (const [options, what] of refused)
  test(`refused: ${JSON.stringify(options)}`, async () => {
    const session = await chat(noisy);
    await assert.rejects(play(session, options), { code: "CONFIG", message: new RegExp(what) });
    assert.equal((await play(session, { maxTokens: 1 })).ended.usage.completionTokens, 1);
  });
