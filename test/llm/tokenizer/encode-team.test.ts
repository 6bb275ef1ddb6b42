/** Worker threads that encode: the same ids as one thread, bounded work, errors that arrive. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { createEncodeTeam } from "../../../src/llm/tokenizer/encode-team.node.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { WorkerTeam } from "../../../src/llm/tokenizer/worker-team.node.ts";

const PROSE = "The cat sat on the mat. Über den Bäumen 日本語 😀 where's the cat? 12345\r\n";
const trained = trainBpe([PROSE, PROSE], { vocabSize: 320 });
/** Documents of very different lengths, empty ones and lone surrogates among them. */
const documents = Array.from({ length: 400 }, (_, i) =>
  i % 7 === 0 ? "" : `${PROSE.slice(i % 20).repeat((i * i) % 97)}${i} \ud800`,
);

test("a batch has the ids of each text in order, for any number of threads", async () => {
  const expected = documents.map((text) => Uint32Array.from(trained.encode(text)));
  for (const threads of [1, 2, 3]) {
    await using team = await createEncodeTeam(trained, threads);
    assert.deepEqual(await team.encodeBatch(documents), expected);
    assert.deepEqual(await team.encodeBatch([]), []);
    const both = await Promise.all([team.encodeBatch(documents), team.encodeBatch(documents)]);
    assert.deepEqual(both, [expected, expected]);
  }
});

test("whole pre-tokens and the order by token id reach the workers", async () => {
  const vocabulary = { ...trained.vocabulary, mergeOrder: "token-id", wholePieces: true } as const;
  const { createBpeTokenizer } = await import("../../../src/llm/tokenizer/bpe.ts");
  const tokenizer = createBpeTokenizer({ ...vocabulary, merges: vocabulary.merges.toReversed() });
  await using team = await createEncodeTeam(tokenizer, 1);
  assert.deepEqual([...((await team.encodeBatch([PROSE]))[0] ?? [])], tokenizer.encode(PROSE));
});

test("a character vocabulary works the same, and its refusal arrives with its code", async () => {
  const tokenizer = characterTokenizer("abc ");
  await using team = await createEncodeTeam(tokenizer, 2);
  assert.deepEqual(await team.encodeBatch(["cab", "", "a b"]), [
    Uint32Array.of(3, 1, 2),
    Uint32Array.of(),
    Uint32Array.of(1, 0, 2),
  ]);
  await assert.rejects(team.encodeBatch(["abc", "xyz"]), { code: "TOKENIZER", message: /"x"/ });
  // The team goes on after a text that it refused.
  assert.deepEqual(await team.encodeBatch(["a"]), [Uint32Array.of(1)]);
});

test("a closed team refuses work instead of waiting for ever", async () => {
  const team = await createEncodeTeam(trained, 1);
  await team[Symbol.asyncDispose]();
  await assert.rejects(team.encodeBatch(["a"]), { code: "TOKENIZER", message: /closed one/ });
});

/** A worker from source text: counts jobs, dies when it is told to. */
const mortal = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (job) => {
      if (job === "die") process.exit(3);
      if (job === "throw") throw new Error("out of luck");
      setTimeout(() => parentPort.postMessage({ result: job }), 5);
    });`)}`,
);

test("a dead worker fails what waits for it and all that comes later", async () => {
  for (const [death, message] of [
    ["die", /must live until its team is closed, got exit code 3/],
    ["throw", /got out of luck/],
  ] as const) {
    await using team = new WorkerTeam<string, string>(mortal, 1, undefined);
    const { result: first } = await team.start("one");
    assert.equal(await first, "one");
    const { result: dying } = await team.start(death);
    const { result: behind } = await team.start("two");
    const blocked = team.start("three").then(({ result }) => result);
    const wrong = { code: "TOKENIZER", message };
    await assert.rejects(dying, wrong);
    await assert.rejects(behind, wrong);
    await assert.rejects(blocked, wrong);
    await assert.rejects(team.all("four"), wrong);
  }
});

test("no more than two jobs a worker are under way", async () => {
  await using team = new WorkerTeam<number, number>(mortal, 2, undefined);
  const results: Promise<number>[] = [];
  let under = 0;
  let most = 0;
  for (let job = 0; job < 20; job++) {
    const { result } = await team.start(job);
    most = Math.max(most, ++under);
    results.push(result.finally(() => under--));
  }
  assert.deepEqual(
    await Promise.all(results),
    Array.from({ length: 20 }, (_, job) => job),
  );
  assert.ok(most <= 5, `${most} jobs`);
});
