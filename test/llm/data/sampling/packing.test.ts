/** Packing against the corpus itself: what comes out in an epoch is what went in, once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBatch, createRowWriter, IGNORED } from "../../../../src/llm/data/sampling/batch.ts";
import { planRows } from "../../../../src/llm/data/sampling/plan-rows.ts";
import { createSizePool } from "../../../../src/llm/data/sampling/size-pool.ts";
import { tokenDocuments } from "../../../../src/llm/data/shards/token-documents.ts";
import { BOS, numberedDocuments } from "./made-up.ts";

interface Row {
  readonly inputs: number[];
  readonly targets: number[];
}

function rowsOf(
  documents: number[][],
  T: number,
  bos: boolean,
): { rows: Row[]; plan: ReturnType<typeof planRows> } {
  const { tokens, starts } = tokenDocuments(documents);
  const plan = planRows(starts, bos, T);
  const writer = createRowWriter(tokens, plan, bos ? BOS : undefined);
  const rows = Array.from({ length: plan.rows }, (_, row) => {
    const batch = createBatch(1, T);
    writer.write(row, batch, 0);
    return { inputs: [...batch.inputs], targets: [...batch.targets] };
  });
  return { rows, plan };
}

const ascending = (list: number[]) => list.sort((a, b) => a - b);
const lengths = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 90 })),
  {
    minLength: 1,
    maxLength: 60,
  },
);

test("an epoch of packed rows predicts every token but bos exactly once", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 40 }), (sizes, T) => {
      const documents = numberedDocuments(sizes);
      const { rows, plan } = rowsOf(documents, T, true);
      const targets = rows
        .flatMap((row) => row.targets)
        .filter((id) => id !== BOS && id !== IGNORED);
      const corpus = documents.flat().filter((id) => id !== BOS);
      assert.deepEqual(ascending(targets), corpus);
      assert.ok(rows.every(({ inputs }) => inputs[0] === BOS));
      const ignored = rows.map((row) => row.targets.filter((id) => id === IGNORED).length);
      assert.ok(
        ignored.slice(0, -1).every((count) => count === 0),
        "padding before the last row",
      );
      assert.equal(plan.cuts.padding, ignored.at(-1) ?? 0);
      const bos = rows
        .flatMap(({ inputs, targets: next }) => [inputs[0], ...next])
        .filter((id) => id === BOS);
      assert.equal(bos.length, documents.length + plan.cuts.addedBos);
    }),
  );
});

test("inside a row a token is followed by the next of its document, or by bos", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 2, max: 40 }), (sizes, T) => {
      const documents = numberedDocuments(sizes);
      const last = new Set(documents.map((document) => document.at(-1)));
      for (const { inputs, targets } of rowsOf(documents, T, true).rows)
        for (const [t, target] of targets.entries()) {
          if (t > 0 && target !== IGNORED) assert.equal(inputs[t], targets[t - 1]);
          const from = inputs[t] as number;
          if (target === IGNORED || from === BOS) continue;
          if (target === BOS) assert.ok(last.has(from), `bos cuts a document after ${from}`);
          else assert.equal(target, from + 1);
        }
    }),
  );
});

test("documents that fit together are not cut", () => {
  const documents = numberedDocuments([10, 7, 3, 5, 5, 8, 2, 6, 4]);
  const { rows, plan } = rowsOf(documents, 9, true);
  assert.equal(rows.length, 5);
  const none = { documents: 9, cutDocuments: 0, cutShortDocuments: 0, addedBos: 0, padding: 0 };
  assert.deepEqual(plan.cuts, none);
});

test("a gap is filled from a document that is cut anyway", () => {
  // 23 = 10 + (1 bos) 9 + (1 bos) 4, so a rest of 5 is there for the gaps beside 8, 7 and 8.
  const { plan } = rowsOf(numberedDocuments([23, 8, 7]), 9, true);
  assert.equal(plan.cuts.cutDocuments, 1);
  assert.equal(plan.cuts.cutShortDocuments, 0);
});

test("without bos, rows are windows that share one token", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 40 }), (sizes, T) => {
      const documents = numberedDocuments(sizes, 1, false);
      const { rows } = rowsOf(documents, T, false);
      const targets = rows.flatMap((row) => row.targets).filter((id) => id !== IGNORED);
      assert.deepEqual(targets, documents.flat().slice(1));
      const inputs = rows.flatMap((row) => row.inputs).slice(0, targets.length);
      assert.deepEqual(inputs, documents.flat().slice(0, -1));
    }),
  );
});

test("a plan for many documents is made at once and is the same every time", () => {
  const sizes = Array.from(
    { length: 150_000 },
    (_, i) => 2 + ((i * 7919) % 997) * (i % 50 === 0 ? 9 : 1),
  );
  const starts = new Float64Array(sizes.length + 1);
  for (const [i, size] of sizes.entries()) starts[i + 1] = (starts[i] as number) + size;
  const start = performance.now();
  const plan = planRows(starts, true, 512);
  const ms = performance.now() - start;
  assert.deepEqual(planRows(starts, true, 512), plan);
  assert.ok(plan.cuts.cutShortDocuments / sizes.length < 0.01, JSON.stringify(plan.cuts));
  // 40 ms alone; the bound leaves room for a busy machine.
  assert.ok(ms < 1000, `${ms} ms`);
});

test("the pool finds the largest that fits, as a sorted list does", () => {
  const operation = fc.record({ put: fc.boolean(), size: fc.integer({ min: 1, max: 200 }) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const pool = createSizePool(200, operations.length);
      const list: { item: number; size: number }[] = [];
      for (const [item, { put, size }] of operations.entries()) {
        if (put) {
          pool.put(item, size);
          list.push({ item, size });
          continue;
        }
        const best = list
          .filter((entry) => entry.size <= size)
          .reduce((m, e) => Math.max(m, e.size), 0);
        assert.equal(pool.largest(size), best);
        if (best === 0) continue;
        const taken = pool.take(best);
        const at = list.findIndex((entry) => entry.item === taken && entry.size === best);
        assert.ok(at >= 0, "an item that is not there, or of another size");
        list.splice(at, 1);
      }
    }),
  );
});
