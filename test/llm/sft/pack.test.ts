/** Packing against brute force and against first-fit decreasing written down plainly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { philox } from "../../../src/compute/philox.ts";
import { packConversations } from "../../../src/llm/sft/pack.ts";
import { quotasOf } from "../../../src/llm/sft/quotas.ts";

function draw(count: number, most: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => 1 + ((philox([i], [seed])[0] as number) % most));
}

/** The fewest rows, by trying everything. */
function fewestRows(sizes: readonly number[], room: number): number {
  let best = sizes.length;
  const place = (item: number, rows: readonly number[]): void => {
    if (rows.length >= best) return;
    const size = sizes[item];
    if (size === undefined) {
      best = rows.length;
      return;
    }
    for (const [r, used] of rows.entries())
      if (used + size <= room) place(item + 1, rows.with(r, used + size));
    place(item + 1, [...rows, size]);
  };
  place(0, []);
  return best;
}

function firstFitDecreasing(sizes: readonly number[], room: number): number[] {
  const rows: number[] = [];
  for (const size of sizes.toSorted((a, b) => b - a)) {
    const found = rows.findIndex((used) => used + size <= room);
    if (found < 0) rows.push(size);
    else rows[found] = (rows[found] as number) + size;
  }
  return rows;
}

function fills(sizes: readonly number[], room: number): number[] {
  const { rows, firstItem, items } = packConversations(sizes, room);
  return Array.from({ length: rows }, (_, r) => {
    const row = items.subarray(firstItem[r], firstItem[r + 1]);
    return row.reduce((sum, item) => sum + (sizes[item] as number), 0);
  });
}

test("every conversation lies in one row, and no row is too full", () => {
  for (let seed = 0; seed < 50; seed++) {
    const sizes = draw(1 + seed * 5, 64, seed);
    const { items, padding, rows } = packConversations(sizes, 64);
    assert.deepEqual(
      [...items].sort((a, b) => a - b),
      [...sizes.keys()],
    );
    const filled = fills(sizes, 64);
    assert.ok(filled.every((used) => used >= 1 && used <= 64));
    const tokens = sizes.reduce((sum, size) => sum + size, 0);
    assert.equal(padding, 64 * rows - tokens);
  }
});

test("rows are those of first-fit decreasing", () => {
  for (let seed = 100; seed < 150; seed++) {
    const sizes = draw(60, 64, seed);
    assert.deepEqual(fills(sizes, 64), firstFitDecreasing(sizes, 64));
  }
});

test("small cases stay within 11/9 of the fewest rows plus 6/9", () => {
  let best = 0;
  for (let seed = 200; seed < 300; seed++) {
    const sizes = draw(9, 20, seed);
    const [got, least] = [packConversations(sizes, 24).rows, fewestRows(sizes, 24)];
    assert.ok(got <= (11 * least + 6) / 9, `${sizes}: ${got} rows where ${least} do`);
    if (got === least) best++;
  }
  assert.ok(best >= 95, `only ${best} of 100 with the fewest rows`);
});

test("nothing packs into nothing", () => {
  const { rows, padding } = packConversations([], 8);
  assert.deepEqual([rows, padding], [0, 0]);
});

const quotas: readonly [string, number[], number[], number, number[]][] = [
  ["by weight", [3, 1], [Infinity, Infinity], 100, [75, 25]],
  [
    "what one lacks goes to the others by weight",
    [1, 1, 2],
    [10, Infinity, Infinity],
    100,
    [10, 30, 60],
  ],
  ["one after another runs dry", [8, 1, 1], [20, 30, Infinity], 100, [20, 30, 50]],
  ["all there are, when they are fewer", [9, 1], [10, 20], 100, [10, 20]],
  ["all there are, when that is asked for", [9, 1], [10, 20], Infinity, [10, 20]],
  [
    "whole numbers whose sum is exact",
    [1, 1, 1],
    [Infinity, Infinity, Infinity],
    100,
    [34, 33, 33],
  ],
  ["an empty source gives nothing", [5, 1], [0, Infinity], 6, [0, 6]],
];

for (const [name, weights, available, total, expected] of quotas)
  test(`quotas: ${name}`, () => assert.deepEqual(quotasOf(weights, available, total), expected));
