/** Completions, embeddings and tokens as the official client asks for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScriptedPast } from "../../src/llm/engines/script.ts";
import { characterCodec } from "../../src/llm/engines/scripted-engine.ts";
import { serveScript } from "./scripted-server.ts";

const ask = { model: "scripted" };

test("a prompt is a text, ids, or several of either", async (t) => {
  const script = ({ inputs: [input] }: ScriptedPast) => `<${JSON.stringify(input)}>`;
  const { client } = await serveScript(t, { script });
  const text = { kind: "text", text: "a" };
  const ids = { kind: "tokens", ids: [98, 99] };
  const cases = [
    ["a", [text]],
    [
      ["a", "a"],
      [text, text],
    ],
    [[98, 99], [ids]],
    [
      [
        [98, 99],
        [98, 99],
      ],
      [ids, ids],
    ],
  ] as const;
  for (const [prompt, inputs] of cases) {
    const asked = { ...ask, prompt: prompt as string, max_tokens: 60 };
    const reply = await client.completions.create(asked);
    const texts = inputs.map((input) => `<${JSON.stringify(input)}>`);
    assert.deepEqual(
      reply.choices.map((choice) => choice.text),
      texts,
    );
    const streamed = inputs.map(() => "");
    for await (const { choices } of await client.completions.create({ ...asked, stream: true }))
      for (const choice of choices) streamed[choice.index] += choice.text;
    assert.deepEqual(streamed, texts);
  }
});

test("echo with log-probabilities scores a prompt, alone or with what follows", async (t) => {
  const { client } = await serveScript(t, { script: () => [{ text: "né", logprob: -2 }] });
  const asked = { ...ask, prompt: "a🌍", echo: true, logprobs: 1 };
  const scored = await client.completions.create({ ...asked, max_tokens: 0 });
  assert.equal(scored.choices[0]?.text, "a🌍");
  assert.equal(scored.choices[0]?.finish_reason, "length");
  assert.deepEqual(scored.choices[0]?.logprobs, {
    tokens: ["a", "🌍"],
    token_logprobs: [null, 0],
    top_logprobs: [null, { "🌍": 0 }],
    text_offset: [0, 1],
  });
  const both = await client.completions.create(asked);
  assert.equal(both.choices[0]?.text, "a🌍né");
  assert.deepEqual(both.choices[0]?.logprobs?.token_logprobs, [null, 0, -2, -2]);
  assert.deepEqual(both.choices[0]?.logprobs?.text_offset, [0, 1, 2, 3]);
  const offsets: number[] = [];
  let text = "";
  for await (const { choices } of await client.completions.create({ ...asked, stream: true })) {
    text += choices[0]?.text ?? "";
    offsets.push(...(choices[0]?.logprobs?.text_offset ?? []));
  }
  assert.equal(text, "a🌍né");
  assert.deepEqual(offsets, [0, 1, 2, 3]);
});

test("best_of keeps the texts whose tokens are likeliest on average", async (t) => {
  let made = 0;
  const script = () => [{ text: "abcd".charAt(made), logprob: [-3, -1, -4, -2][made++] as number }];
  const { client } = await serveScript(t, { script });
  const reply = await client.completions.create({ ...ask, prompt: "x", best_of: 4, n: 2 });
  assert.deepEqual(
    reply.choices.map(({ index, text, logprobs }) => [index, text, logprobs]),
    [
      [0, "b", null],
      [1, "d", null],
    ],
  );
  assert.equal(reply.usage?.completion_tokens, 4);
});

test("the default length is OpenAI's", async (t) => {
  const { client } = await serveScript(t, { script: ["x".repeat(100)] });
  const reply = await client.completions.create({ ...ask, prompt: "a" });
  assert.deepEqual(
    [reply.choices[0]?.text.length, reply.choices[0]?.finish_reason],
    [16, "length"],
  );
});

test("embeddings are the same as numbers, as base64, from text and from its ids", async (t) => {
  const { client, engine } = await serveScript(t, {});
  const { vectors } = await engine.embed(["añ", "b"]);
  const ids = ["añ", "b"].map((text) => characterCodec.encode(text));
  for (const input of [["añ", "b"], ids]) {
    for (const encoding_format of [undefined, "float", "base64"] as const) {
      const asked = { ...ask, input: input as string[], dimensions: 8 };
      const reply = await client.embeddings.create(
        encoding_format === undefined ? asked : { ...asked, encoding_format },
      );
      const got = reply.data.map(({ embedding }) => readVector(embedding));
      assert.deepEqual(
        got,
        vectors.map((vector) => [...vector]),
      );
      assert.equal(reply.usage.prompt_tokens, 3);
    }
  }
});

/** The client leaves base64 that was asked for as it is. */
function readVector(embedding: number[] | string): number[] {
  if (typeof embedding !== "string") return embedding;
  const bytes = Buffer.from(embedding, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

test("tokenize and detokenize undo each other", async (t) => {
  const { post } = await serveScript(t, {});
  for (const prefix of ["", "/v1"]) {
    const asked = { prompt: "añ🌍", return_token_strs: true };
    const made = await (await post(`${prefix}/tokenize`, asked)).json();
    const tokens = [97, 241, 127757];
    const token_strs = ["a", "ñ", "🌍"];
    assert.deepEqual(made, { count: 3, max_model_len: 4096, tokens, token_strs });
    const back = await (await post(`${prefix}/detokenize`, { tokens })).json();
    assert.deepEqual(back, { prompt: "añ🌍", content: "añ🌍" });
  }
  const content = await (await post("/tokenize", { content: "a" })).json();
  assert.deepEqual(content, { count: 1, max_model_len: 4096, tokens: [97] });
});
