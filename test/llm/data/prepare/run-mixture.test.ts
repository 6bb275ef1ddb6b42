/** A run's mixture from its manifest: what is asked, what is drawn, what a cap takes away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeRun, onePass, planRun } from "../../../../src/llm/data/prepare/run-mixture.ts";
import type { Manifest, ManifestSource } from "../../../../src/llm/data/shards/manifest.ts";
import type { MixtureSettings } from "../../../../src/llm/data/sources/mixture-file.ts";
import type { Domain } from "../../../../src/llm/data/sources/source.ts";

type Row = readonly [name: string, domain: Domain, weight: number, bytes: number, cap?: number];

function manifestOf(mixture: MixtureSettings, ...rows: readonly Row[]): Manifest {
  const hash = "0".repeat(64);
  const sources = rows.map(([name, domain, weight, bytes, maxEpochs]): ManifestSource => {
    const shard = { file: `shards/${name}/train-0000.shard`, side: "train", bytes, sha256: hash };
    const counts = { tokens: bytes / 4, documents: 10, textBytes: bytes };
    return {
      ...{ name, licence: "none", card: "", domain, weight, parts: [], documents: 10, bytes },
      ...{ key: hash, shards: [{ ...shard, side: "train", ...counts }] },
      ...(maxEpochs === undefined ? {} : { maxEpochs }),
    };
  });
  const tokenizer = { file: "tokenizer.json", sha256: hash, vocabSize: 300 };
  const rest = { origin: "test", stamp: "", cleaning: "", mixture, sources };
  return { version: 1, tokenizer, ...rest };
}

function runOf(manifest: Manifest, rows: number, epochRows: readonly number[]) {
  const run = { rows, rowsPerStep: 4, epochRows };
  return describeRun(manifest, planRun(manifest, run), run);
}

test("without presets a run draws what the weights ask, to a row", () => {
  const manifest = manifestOf({}, ["a", "web", 3, 4e5], ["b", "code", 1, 4e6]);
  const { rows } = runOf(manifest, 1000, [100, 1000]);
  assert.deepEqual(
    rows.map(({ requested, realised }) => [requested, realised]),
    [
      [0.75, 0.75],
      [0.25, 0.25],
    ],
  );
  assert.deepEqual(
    rows.map(({ epochs }) => epochs),
    [7.5, 0.25],
  );
});

test("a source at its cap leaves, and asked and drawn differ in the open", () => {
  const manifest = manifestOf({}, ["a", "web", 3, 4e5, 2], ["b", "code", 1, 4e6]);
  const { rows } = runOf(manifest, 1000, [100, 1000]);
  assert.deepEqual(
    rows.map(({ requested }) => requested),
    [0.75, 0.25],
  );
  const [a, b] = rows;
  assert.ok(Math.abs((a?.epochs ?? 0) - 2) <= 0.01, `${a?.epochs} epochs`);
  assert.ok(Math.abs((b?.realised ?? 0) - 0.8) <= 0.001, `${b?.realised}`);
});

test("the LLaMA preset fills slots by domain and shows the empty ones", () => {
  const manifest = manifestOf(
    { preset: "llama" },
    ["posts", "web", 1, 1e6],
    ["wiki", "encyclopedia", 1, 1e6],
    ["novels", "books", 1, 1e6],
  );
  const { rows, emptySlots } = runOf(manifest, 10_000, [1000, 1000, 1000]);
  const filled = 67 + 4.5 + 4.5;
  for (const [i, share] of [67, 4.5, 4.5].entries())
    assert.ok(Math.abs((rows[i]?.requested ?? 0) - share / filled) < 1e-9);
  assert.deepEqual(
    emptySlots.map(({ name }) => name),
    ["C4", "GitHub", "arXiv", "StackExchange"],
  );
});

test("temperature levels, and a source without text gets nothing", () => {
  const manifest = manifestOf(
    { temperature: 2 },
    ["a", "web", 16, 1e6],
    ["b", "code", 1, 1e6],
    ["none", "books", 5, 0],
  );
  const { rows } = runOf(manifest, 1000, [100, 100, 0]);
  assert.deepEqual(
    rows.map(({ requested }) => Number(requested.toFixed(9))),
    [0.8, 0.2, 0],
  );
  assert.equal(onePass([100, 100, 0]).rows, 200);
});
