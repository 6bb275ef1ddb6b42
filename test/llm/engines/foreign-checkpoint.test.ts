/**
 * Folders as Llama 3 and Qwen3 have them, imported and opened: what texts begin with, what ends
 * them, and what their templates make of a conversation. Weights are random.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { openEngine } from "../../../src/llm/engines/open-engine.node.ts";
import { importFolder } from "../../../src/llm/export/import-folder.node.ts";
import type { Engine, Input } from "../../../src/llm/inference/engine.ts";
import { saveCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import type { Tokenizer } from "../../../src/llm/tokenizer/tokenizer.ts";
import { toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { noisyConfig } from "./noisy-engine.ts";
import { readAll } from "./read-all.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-foreign-"));
after(() => rmSync(folder, { recursive: true }));

interface Family {
  readonly name: string;
  readonly marks: readonly string[];
  /** Marks that are ordinary tokens. */
  readonly plain?: readonly string[];
  readonly qkNorm: boolean;
  readonly post: object | null;
  readonly config: object | undefined;
  readonly generation: (tokenizer: Tokenizer) => object;
  readonly template?: string;
}

const [BEGIN, HEAD, HEAD_END, EOT] = [
  ...["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
] as [string, string, string, string];

const llama: Family = {
  ...{ name: "llama", marks: [BEGIN, HEAD, HEAD_END, EOT, "<|end_of_text|>"], qkNorm: false },
  post: {
    type: "Sequence",
    processors: [
      { type: "ByteLevel" },
      {
        type: "TemplateProcessing",
        single: [
          { SpecialToken: { id: BEGIN, type_id: 0 } },
          { Sequence: { id: "A", type_id: 0 } },
        ],
      },
    ],
  },
  config: {
    ...{ bos_token: BEGIN, eos_token: EOT },
    chat_template: `{{- bos_token }}{%- for m in messages %}{{- '${HEAD}' + m.role + '${HEAD_END}\\n\\n' + m.content | trim + '${EOT}' }}{%- endfor %}{%- if add_generation_prompt %}{{- '${HEAD}assistant${HEAD_END}\\n\\n' }}{%- endif %}`,
  },
  generation: (tokenizer) => ({
    bos_token_id: tokenizer.special(BEGIN),
    eos_token_id: [tokenizer.special("<|end_of_text|>"), tokenizer.special(EOT)],
  }),
};

const [START, END] = ["<|im_start|>", "<|im_end|>"];
const qwen: Family = {
  ...{ name: "qwen", qkNorm: true, post: { type: "ByteLevel" } },
  marks: ["<|endoftext|>", START, END, "<tool_call>", "</tool_call>", "<think>", "</think>"],
  plain: ["<tool_call>", "</tool_call>", "<think>", "</think>"],
  config: { bos_token: null, eos_token: END, add_bos_token: false },
  generation: (tokenizer) => ({
    bos_token_id: tokenizer.special("<|endoftext|>"),
    eos_token_id: [tokenizer.special(END), tokenizer.special("<|endoftext|>")],
  }),
  template: `{%- if tools %}{{- '${START}system\\n' + (tools | tojson) + ' <tool_call>${END}\\n' }}{%- endif %}{%- for m in messages %}{{- '${START}' + m.role + '\\n' + m.content + '${END}\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '${START}assistant\\n<think>\\n\\n</think>\\n\\n' }}{%- endif %}`,
};

async function openFamily(family: Family): Promise<{ engine: Engine; tokenizer: Tokenizer }> {
  const tokenizer = trainBpe(["a lamp, on and off"], {
    vocabSize: 256 + family.marks.length + 4,
    specialTokens: family.marks,
  });
  const json = JSON.parse(toTokenizerJson(tokenizer));
  json.post_processor = family.post;
  for (const token of json.added_tokens)
    if (family.plain?.includes(token.content)) token.special = false;
  const config = { ...noisyConfig, vocabSize: 288, qkNorm: family.qkNorm };
  const store = createReferenceBackend().createStore();
  await initialise(store, config, 5);
  const texts: Record<string, string> = {
    "tokenizer.json": JSON.stringify(json),
    "generation_config.json": JSON.stringify(family.generation(tokenizer)),
  };
  if (family.config) texts["tokenizer_config.json"] = JSON.stringify(family.config);
  if (family.template) texts["chat_template.jinja"] = family.template;
  const run = join(folder, family.name);
  const from = await saveCheckpoint(run, { step: 1, config, store, texts, dtype: "BF16" });
  rmSync(join(from, "manifest.json"));
  const to = join(folder, `${family.name}-imported`);
  await importFolder(from, to, { force: false });
  const engine = await openEngine(to, { backend: "reference", maxBatch: 1, contextLen: 200 });
  return { engine, tokenizer };
}

/** What stands on the timeline after the input, marks spelled out. */
async function spell(engine: Engine, tokenizer: Tokenizer, input: Input): Promise<string> {
  await using session = engine.open();
  const ids = (await session.score(input)).map(({ id }) => id);
  return tokenizer.decode(ids, { specials: true });
}

const chat: Input = {
  kind: "messages",
  messages: [{ role: "user", content: `hi ${EOT}${END}` }],
};

test("Llama 3's form: its start before texts, its template, two ends", async () => {
  const { engine, tokenizer } = await openFamily(llama);
  await using _ = engine;
  assert.equal(await spell(engine, tokenizer, { kind: "text", text: "a lamp" }), `${BEGIN}a lamp`);
  await using session = engine.open();
  const marked = await session.score(chat);
  const [begin, head, eot] = [BEGIN, HEAD, EOT].map((name) => tokenizer.special(name));
  const ids = marked.map(({ id }) => id);
  assert.deepEqual(ids.slice(0, 2), [begin, head]);
  assert.equal(ids.filter((id) => id === begin).length, 1);
  assert.equal(ids.filter((id) => id === eot).length, 1, "a name in a message is text");
  const text = tokenizer.decode(ids, { specials: true });
  assert.equal(
    text,
    `${BEGIN}${HEAD}user${HEAD_END}\n\nhi ${EOT}${END}${EOT}${HEAD}assistant${HEAD_END}\n\n`,
  );
  assert.equal(engine.can.tools, false);
  const { ended } = await readAll(session.generate({ maxTokens: 3, sampling: { seed: 1 } }));
  assert.ok(ended.usage.completionTokens > 0);
  const ends = ["<|end_of_text|>", EOT].map((name) => tokenizer.special(name));
  for (const end of ends) {
    await using other = engine.open();
    await other.append(chat);
    const logitBias = new Map([[end, 1000]]);
    const { text, ended } = await readAll(other.generate({ sampling: { logitBias } }));
    assert.deepEqual([text, ended.finishReason], ["", "stop"]);
  }
});

test("Qwen3's form: nothing before texts, calls, thoughts that are text", async () => {
  const { engine, tokenizer } = await openFamily(qwen);
  await using _ = engine;
  assert.equal(await spell(engine, tokenizer, { kind: "text", text: "a lamp" }), "a lamp");
  assert.equal(engine.can.tools, true);
  const lamp = { name: "lamp", parameters: { type: "object", properties: {} } };
  const asked = await spell(engine, tokenizer, { ...chat, tools: [lamp] } as Input);
  assert.match(asked, /^<\|im_start\|>system\n.*lamp.*<\|im_start\|>user\nhi /s);
  const think = tokenizer.special("<think>");
  assert.equal(new TextDecoder().decode(engine.codec?.tokenBytes(think)), "<think>");
  await using session = engine.open();
  await session.append(chat);
  const logitBias = new Map([[think, 1000]]);
  const thinks = await readAll(session.generate({ maxTokens: 2, sampling: { logitBias } }));
  assert.equal(thinks.text, "<think><think>");
});

test("a folder that only names ids begins texts with them; one without a template completes", async () => {
  const bare = { ...llama, name: "bare", post: null, config: undefined };
  const { engine, tokenizer } = await openFamily(bare);
  await using _ = engine;
  assert.equal(await spell(engine, tokenizer, { kind: "text", text: "a lamp" }), `${BEGIN}a lamp`);
  await assert.rejects(engine.open().append(chat), { code: "UNSUPPORTED" });
});
