/**
 * Many sessions that come, go, fork, cut, break off and crowd each other, in random order, on little
 * memory: every text stays the one that its own ids lead to, and no page is lost.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { NutshellError } from "../../../src/error.ts";
import type { CheckpointEngine } from "../../../src/llm/inference/checkpoint-engine.ts";
import type { TokenSession } from "../../../src/llm/inference/token-engine.ts";
import { follow, loudEngine, plainGreedy, take, text } from "./loud-model.ts";

const reference = createReferenceBackend();

interface Life {
  readonly engine: CheckpointEngine;
  readonly open: TokenSession[];
  /** What the model says after some ids; asked of an engine that serves nothing else. */
  readonly foretell: (ids: readonly number[]) => Promise<number>;
}

type Act = (life: Life, pick: number, size: number) => Promise<void>;

const sessionOf = ({ open }: Life, pick: number): TokenSession | undefined =>
  open[pick % Math.max(1, open.length)];

/** Memory is short on purpose. */
async function unlessOverloaded(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof NutshellError && error.code === "OVERLOADED")) throw error;
  }
}

/** Goes on with a session and holds each token against the ids before it. */
async function goOn(life: Life, session: TokenSession, count: number): Promise<void> {
  if (session.ids.length === 0) return;
  const options = { sampler: plainGreedy, maxTokens: count };
  await unlessOverloaded(async () => {
    for await (const { id } of session.generate(options)) {
      assert.equal(session.ids.at(-1), id);
      const before = session.ids.slice(0, -1);
      assert.equal(id, await life.foretell(before), `after ${before}`);
    }
  });
}

const acts: readonly Act[] = [
  async ({ engine, open }) => void open.push(engine.open()),
  async (life, pick, size) => {
    const session = sessionOf(life, pick);
    // Few beginnings, so that they meet.
    const ids = text(size, session?.ids.length === 0 ? pick % 2 : size);
    await unlessOverloaded(async () => session?.append(ids.slice(0, 80 - session.ids.length)));
  },
  async (life, pick, size) => {
    const session = sessionOf(life, pick);
    if (session !== undefined) await goOn(life, session, 1 + (size % 4));
  },
  async (life, _pick, size) => {
    await Promise.all(life.open.map((session) => goOn(life, session, 1 + (size % 3))));
  },
  async (life, pick, size) => {
    const session = sessionOf(life, pick);
    if (session === undefined) return;
    const controller = new AbortController();
    const before = [...session.ids];
    const append = session.append(text(size, pick), controller).then(
      () => true,
      (error: NutshellError) => {
        assert.ok(["ABORTED", "OVERLOADED", "CONTEXT"].includes(error.code), error.message);
        return false;
      },
    );
    setImmediate(() => controller.abort());
    if (!(await append)) assert.deepEqual(session.ids, before);
  },
  async (life, pick) => {
    const session = sessionOf(life, pick);
    if (session !== undefined) life.open.push(session.fork());
  },
  async (life, pick, size) => {
    const session = sessionOf(life, pick);
    session?.truncate(Math.max(0, session.ids.length - (size % 20)));
  },
  async (life, pick) => {
    const session = sessionOf(life, pick);
    if (session === undefined) return;
    const bytes = await session.snapshot();
    await unlessOverloaded(async () => void life.open.push(await life.engine.restore(bytes)));
  },
  async (life, pick) => {
    const [session] = life.open.splice(pick % Math.max(1, life.open.length), 1);
    await session?.[Symbol.asyncDispose]();
  },
  async ({ engine }) => engine.dropPrefixes(),
];

test("whatever sessions do, texts are their own and pages are kept", async () => {
  const oracle = await loudEngine(reference, { maxBatch: 1, contextLen: 100 });
  const known = new Map<string, number>();
  const foretell = async (ids: readonly number[]): Promise<number> => {
    const key = ids.join();
    const [id] = known.has(key) ? [known.get(key)] : await follow(oracle, ids, { maxTokens: 1 });
    known.set(key, id as number);
    return id as number;
  };
  const step = fc.tuple(fc.nat(acts.length - 1), fc.nat(7), fc.integer({ min: 1, max: 40 }));
  const script = fc.array(step, { minLength: 20, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(script, fc.boolean(), async (steps, guessing) => {
      const draft = guessing ? { draft: { kind: "lookup", longest: 1, tokens: 3 } as const } : {};
      const sizes = { maxBatch: 3, pages: 12, contextLen: 100 };
      const engine = await loudEngine(reference, { ...sizes, ...draft });
      const life: Life = { engine, open: [], foretell };
      for (const [act, pick, size] of [[0, 0, 1], [0, 0, 1], ...steps] as const) {
        await (acts[act] as Act)(life, pick, size);
        assert.equal(engine.stats().sessions, life.open.length);
      }
      for (const session of life.open) await session[Symbol.asyncDispose]();
      engine.dropPrefixes();
      assert.equal(engine.stats().pagesUsed, 0);
    }),
    { numRuns: 24 },
  );
});

test("more texts than lanes are served in turn, and inputs beside them", async () => {
  const engine = await loudEngine(reference, { maxBatch: 2 });
  const made = new Array<number>(7).fill(0);
  const ended: number[] = [];
  const texts = made.map(async (_, i) => {
    await using session = engine.open();
    await session.append(text(5, i));
    for await (const _ of session.generate({ sampler: plainGreedy, maxTokens: 12 })) {
      made[i] = (made[i] as number) + 1;
      const present = made.filter((_, j) => !ended.includes(j));
      const spread = Math.max(...present) - Math.min(...present);
      // Some begin while the inputs of others are still computed.
      assert.ok(spread <= 4, `${made}`);
    }
    ended.push(i);
  });
  const late = (async () => {
    await using session = engine.open();
    await session.append(text(140, 9));
    // It came last and is long; those before it have not ended.
    assert.equal(ended.length, 0);
    return await take(session, { maxTokens: 3 });
  })();
  await Promise.all(texts);
  assert.equal((await late).length, 3);
  assert.equal(engine.stats().sessions, 0);
});

test("texts that wait for memory get it when others end; when nobody can end, one is refused", async () => {
  const engine = await loudEngine(reference, { maxBatch: 4, pages: 4, prefixCache: false });
  const results = await Promise.allSettled(
    [0, 1, 2].map(async (i) => {
      await using session = engine.open();
      await session.append(text(16, i));
      return await take(session, { maxTokens: i === 0 ? 10 : 15 });
    }),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled"],
  );
  const [a, b] = [engine.open(), engine.open()];
  await a.append(text(32));
  await b.append(text(32, 1));
  const both = await Promise.allSettled([a, b].map((one) => take(one, { maxTokens: 9 })));
  const refused = both.filter(({ status }) => status === "rejected");
  assert.ok(refused.length >= 1);
  for (const one of refused)
    assert.equal(((one as PromiseRejectedResult).reason as NutshellError).code, "OVERLOADED");
});
