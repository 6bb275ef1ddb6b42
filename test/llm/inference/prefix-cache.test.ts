/** Pages and who uses them; beginnings, and which of them are given up first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { PagePool } from "../../../src/llm/inference/pages.ts";
import { type Prefix, PrefixCache } from "../../../src/llm/inference/prefix-cache.ts";
import { follow, loudEngine, take, text } from "./loud-model.ts";

const [a, b, c] = [text(16, 1), text(16, 2), text(16, 3)];

/** A page that only the cache uses. */
function keep(pool: PagePool, cache: PrefixCache, parent: Prefix | undefined, ids: number[]) {
  const page = pool.tryTake() as number;
  const prefix = cache.add(parent, ids, page);
  pool.release(page);
  return prefix;
}

test("a page is free when its last user lets go of it", () => {
  const pool = new PagePool(2);
  const [one, two] = [pool.tryTake() as number, pool.tryTake() as number];
  assert.deepEqual([pool.tryTake(), pool.used, pool.total], [undefined, 2, 2]);
  pool.share(one);
  assert.ok(pool.isShared(one) && !pool.isShared(two));
  pool.release(one);
  assert.deepEqual([pool.used, pool.isShared(one)], [2, false]);
  pool.release(one);
  assert.deepEqual([pool.used, pool.tryTake()], [1, one]);
  pool.release(two);
  assert.throws(() => pool.release(two), /must be in use/);
});

test("a page is found by all ids before it", () => {
  const pool = new PagePool(8);
  const cache = new PrefixCache(pool);
  const first = keep(pool, cache, undefined, a);
  const second = keep(pool, cache, first, b);
  assert.equal(cache.tryFind(undefined, b), undefined);
  assert.equal(cache.tryFind(second, b), undefined);
  assert.equal(cache.tryFind(first, [...b.slice(1), 0]), undefined);
  assert.equal(cache.tryFind(first, b), second);
  assert.ok(pool.isShared(second.page) && !pool.isShared(first.page));
});

test("an equal page that is there already stays", () => {
  const pool = new PagePool(8);
  const cache = new PrefixCache(pool);
  const first = keep(pool, cache, undefined, a);
  assert.equal(keep(pool, cache, undefined, a), first);
  assert.deepEqual([cache.size, pool.used], [1, 1]);
});

test("the longest unused goes first, never one in use or built upon", () => {
  const pool = new PagePool(8);
  const cache = new PrefixCache(pool);
  const first = keep(pool, cache, undefined, a);
  const leaf = keep(pool, cache, first, b);
  const old = keep(pool, cache, undefined, b);
  const used = keep(pool, cache, undefined, c);
  pool.share(used.page);
  pool.release((cache.tryFind(first, b) as Prefix).page);
  const left = (): boolean[] =>
    [first, leaf, old, used].map(({ parent, key }) => {
      const found = cache.tryFind(
        parent,
        key
          .slice(key.indexOf(":") + 1)
          .split(",")
          .map(Number),
      );
      if (found !== undefined) pool.release(found.page);
      return found !== undefined;
    });
  assert.ok(cache.evict());
  assert.deepEqual(left(), [true, true, false, true]);
  assert.ok(cache.evict());
  assert.deepEqual(left(), [true, false, false, true]);
  assert.ok(cache.evict());
  assert.deepEqual([cache.evict(), pool.used], [false, 1]);
  cache.clear();
  pool.release(used.page);
  assert.equal(pool.used, 0);
});

test("a text that was cut offers what it holds now", async () => {
  const engine = await loudEngine(createReferenceBackend());
  await using session = engine.open();
  await session.append([...a, ...b, 1]);
  session.truncate(20);
  // Other ids in the second page, the third page of both texts is equal.
  await session.append([...c.slice(4), ...c, 1]);
  await session[Symbol.asyncDispose]();
  const prompt = [...a, ...b, ...c, 2];
  const fresh = await loudEngine(createReferenceBackend(), { prefixCache: false });
  await using other = engine.open();
  assert.equal((await other.append(prompt)).cached, 32);
  assert.deepEqual(
    await take(other, { maxTokens: 5 }),
    await follow(fresh, prompt, { maxTokens: 5 }),
  );
});
