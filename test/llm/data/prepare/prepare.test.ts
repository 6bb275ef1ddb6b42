/** A prepared folder from files to batches, and what is made again when something changes. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createStory } from "../../../../src/llm/data/builtin/stories.ts";
import { type PrepareConfig, prepareOptions } from "../../../../src/llm/data/prepare/config.ts";
import { prepare, readSummary } from "../../../../src/llm/data/prepare/prepare.node.ts";
import { sideTotals } from "../../../../src/llm/data/shards/manifest.ts";
import { findDamage, openPrepared } from "../../../../src/llm/data/shards/prepared-folder.node.ts";
import { fromTokenizerJson } from "../../../../src/llm/tokenizer/tokenizer-json.ts";
import { resolveOptions } from "../../../../src/options.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-prepare-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const quiet = { say: () => {}, progress: () => {} };
const signal = new AbortController().signal;

function writeSource(corpus: string, name: string, texts: readonly string[]): void {
  mkdirSync(join(corpus, name), { recursive: true });
  const lines = texts.map((text, i) => `${JSON.stringify({ id: `${name}-${i}`, text })}\n`);
  writeFileSync(join(corpus, name, "rows.jsonl"), lines.join(""));
}

function configOf(data: string, values: Partial<PrepareConfig> = {}): PrepareConfig {
  const given = { data, vocabSize: 400, threads: 2, clean: "off", ...values };
  return resolveOptions(prepareOptions, { from: "test", values: given });
}

const stories = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => createStory(from + i));

const corpus = join(folder, "corpus");
for (const [i, name] of ["first", "second", "third"].entries())
  writeSource(corpus, name, stories(100 * i, 80));

/** Path, size and time of every shard file. */
function shardFiles(out: string): Map<string, number> {
  const names = readdirSync(join(out, "shards"), { recursive: true }) as string[];
  const files = names.filter((name) => name.endsWith(".shard"));
  return new Map(files.map((name) => [name, statSync(join(out, "shards", name)).mtimeMs]));
}

test("every document is on one side, token by token what the tokenizer says", async () => {
  const out = join(folder, "whole");
  await prepare(configOf(corpus), out, quiet, signal);
  using prepared = openPrepared(out);
  const tokenizer = fromTokenizerJson(prepared.tokenizerJson, "tokenizer.json");
  assert.deepEqual(
    prepared.sources.map(({ name }) => name),
    ["first", "second", "third"],
  );
  for (const [i, { train, validation }] of prepared.sources.entries()) {
    const texts = [train, validation].flatMap(({ tokens, starts }) =>
      Array.from({ length: starts.length - 1 }, (_, d) => {
        const [start, end] = [starts[d] as number, starts[d + 1] as number];
        const ids = new Int32Array(end - start);
        tokens.copyTo(ids, 0, start, end - start);
        assert.equal(ids[0], tokenizer.bos);
        return tokenizer.decode(ids);
      }),
    );
    assert.deepEqual(texts.sort(), stories(100 * i, 80).sort());
    assert.ok(validation.starts.length > 1, "something to validate on");
  }
});

test("nothing to do is found out, a changed source is made again, and only that one", async () => {
  const [data, out] = [join(folder, "changing"), join(folder, "changing-out")];
  for (const [i, name] of ["first", "second", "third"].entries())
    writeSource(data, name, stories(100 * i, 80));
  const before = await prepare(configOf(data), out, quiet, signal);
  const files = shardFiles(out);
  assert.equal((await prepare(configOf(data), out, quiet, signal)).stamp, before.stamp);
  assert.deepEqual(shardFiles(out), files, "the same again touches no shard");

  writeSource(data, "second", [...stories(100, 80), "A new document, about the weather."]);
  const after = await prepare(configOf(data), out, quiet, signal);
  assert.notEqual(after.stamp, before.stamp);
  assert.equal(after.tokenizer.sha256, before.tokenizer.sha256, "the vocabulary stays");
  const now = shardFiles(out);
  for (const [name, mtime] of now)
    assert.equal(files.get(name) === mtime, !name.startsWith("second"), name);
  assert.equal(after.sources[1]?.documents, 81);
});

test("damage is found, and repaired by preparing again", async () => {
  const out = join(folder, "damaged");
  await prepare(configOf(corpus), out, quiet, signal);
  const [name = ""] = shardFiles(out).keys();
  writeFileSync(join(out, "shards", name), "not a shard");
  assert.equal((await findDamage(out)).length, 1);
  await prepare(configOf(corpus), out, quiet, signal);
  assert.deepEqual(await findDamage(out), []);
});

test("a budget of bytes is spread over the sources by weight", async () => {
  const out = join(folder, "thin");
  const all = await prepare(configOf(corpus), join(folder, "whole"), quiet, signal);
  const total = all.sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const thin = await prepare(
    configOf(corpus, { maxBytes: Math.round(total / 2) }),
    out,
    quiet,
    signal,
  );
  const kept = thin.sources.map(({ bytes }) => bytes / (total / 6));
  for (const share of kept) assert.ok(share > 0.7 && share < 1.3, `${kept}`);
});

test("what cleaning drops is said, and none of it reaches the shards", async () => {
  const [data, out] = [join(folder, "dirty"), join(folder, "dirty-out")];
  const clean = stories(0, 60);
  const [copied = ""] = clean;
  writeSource(data, "clean", clean);
  writeSource(data, "copies", [copied.toUpperCase(), ...stories(500, 60)]);
  const asked = configOf(data, { clean: "standard", evals: join(folder, "no-evals") });
  mkdirSync(join(folder, "no-evals"));
  writeFileSync(join(folder, "no-evals", "set.jsonl"), '{"query": "never said"}\n');
  const manifest = await prepare(asked, out, quiet, signal);
  const { sources } = await readSummary(out);
  assert.deepEqual(sources[1]?.dropped["exact-duplicate"]?.documents, 1);
  const documents = (i: number): number => {
    const source = manifest.sources[i];
    if (source === undefined) return 0;
    return sideTotals(source, "train").documents + sideTotals(source, "validation").documents;
  };
  assert.deepEqual([documents(0), documents(1)], [sources[0]?.kept.documents, 60]);
});

test("a source that cannot be read stops the work, and what was finished stays", async () => {
  const [data, out] = [join(folder, "broken"), join(folder, "broken-out")];
  writeSource(data, "good", stories(0, 60));
  mkdirSync(join(data, "torn"));
  writeFileSync(join(data, "torn", "rows.jsonl"), '{"text": "fine"}\n{"text": "torn');
  const wait = prepare(configOf(data, { threads: 1 }), out, quiet, signal);
  await assert.rejects(wait, /torn.rows\.jsonl: .*line 2/);
  assert.ok(readdirSync(join(out, "cleaned", "parts")).some((name) => name.endsWith(".parquet")));
  writeSource(data, "torn", stories(200, 60));
  const manifest = await prepare(configOf(data), out, quiet, signal);
  assert.equal(manifest.sources.length, 2);
});
