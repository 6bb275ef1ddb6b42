/**
 * bench:memory: nested key-value retrieval with a window of a twentieth of the data, through the
 * real page table, archive and blob store on a Postgres of its own; and replacement on recorded
 * strings of references beside LRU, a sliding window with a summary, and Belady's optimum.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { Progress } from "../src/cli/progress.ts";
import { createBlobStore } from "../src/durable/blobs.ts";
import { type Database, openDatabase } from "../src/durable/database.ts";
import { startPostgres } from "../src/durable/postgres.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import { lru2, type Replacement } from "../src/os/memory/lru-k.ts";
import { type Memory, openMemory } from "../src/os/memory/memory.ts";
import { createRandom } from "../test/llm/data/cleaning/near-duplicates-edits.ts";
import { createCaller } from "../test/os/memory/caller.ts";
import {
  askAll,
  askSlidingWindow,
  HOPS,
  type KeyValueData,
  makeData,
  type NestedResult,
} from "./memory-nested.ts";
import {
  belady,
  loop,
  lruK,
  type Policy,
  type ReferenceString,
  scanPolluted,
  slidingWindow,
  zipf,
} from "./memory-paging.ts";
import { report, significant } from "./report.ts";

interface MemoryValues {
  documents: number;
  questions: number;
  seed: number;
}

const options: OptionTableFor<MemoryValues> = {
  documents: { type: "integer", value: 400, doc: "Texts of five pairs.", check: inRange(100, 1e5) },
  questions: { type: "integer", value: 60, doc: "Questions to ask.", check: inRange(1, 1e5) },
  seed: { type: "integer", value: 1, doc: "Of data and strings.", check: inRange(0, 2 ** 32 - 1) },
};

/** The window's share of the data. */
const SHARE = 1 / 20;
/** Who put the data away and shares it with those below. */
const LIBRARIAN = 1;
const lru: Replacement = { k: 1, correlated: 0 };

const policies: Readonly<Record<string, Policy>> = {
  lru2: lruK(lru2),
  lru: lruK(lru),
  slidingWindow,
  belady,
};

interface Paged {
  readonly frames: number;
  readonly length: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly hitRate: Readonly<Record<string, number>>;
}

function comparePolicies(references: ReferenceString, frames: number): Paged {
  const faults = Object.entries(policies).map(([name, policy]) => {
    return [name, policy(references, frames)] as const;
  });
  const rate = ([name, count]: readonly [string, number]): [string, number] => {
    return [name, significant(1 - count / references.length)];
  };
  return {
    ...{ frames, length: references.length },
    faults: Object.fromEntries(faults),
    hitRate: Object.fromEntries(faults.map(rate)),
  };
}

/** In a private cluster that is gone afterwards. */
async function inDatabase<T>(run: (database: Database, dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "nutshell-memory-"));
  const server = await startPostgres({ dir, durable: false });
  try {
    await using database = await openDatabase(server.url);
    return await run(database, dir);
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function runNested(
  data: KeyValueData,
  io: CommandIo,
): Promise<Record<"lru2" | "lru", NestedResult>> {
  return inDatabase(async (database, dir) => {
    const blobs = createBlobStore(join(dir, "blobs"));
    const open = (replacement: Replacement): Promise<Memory> =>
      openMemory({ database, blobs, replacement, ancestors: async () => [LIBRARIAN] });
    await putAway(await open(lru2), data, io);
    const ask = async (memory: Memory, pid: number, label: string): Promise<NestedResult> => {
      const total = data.questions.length;
      using progress = new Progress(io, { label, total, unit: "questions" });
      const onTurn = (done: number): void => progress.update(done);
      const capacity = Math.floor(data.tokens * SHARE);
      return askAll(data, { memory, pid, capacity, onTurn, signal: io.signal });
    };
    return {
      lru2: await ask(await open(lru2), 2, "LRU-2"),
      lru: await ask(await open(lru), 3, "LRU"),
    };
  });
}

async function putAway(memory: Memory, data: KeyValueData, io: CommandIo): Promise<void> {
  const { documents } = data;
  using progress = new Progress(io, { label: "data", total: documents.length, unit: "texts" });
  const librarian = createCaller(memory, LIBRARIAN);
  for (const [i, text] of documents.entries()) {
    io.signal.throwIfAborted();
    await librarian.call("memory.write", { text, title: `pairs ${i + 1}`, space: "tree" });
    progress.update(i + 1);
  }
}

function nestedRow(result: NestedResult, questions: number): Record<string, unknown> {
  const { references, right, sharedPrefix, hitRate, ...rest } = result;
  const rates = { hitRate: significant(hitRate), sharedPrefix: significant(sharedPrefix) };
  return { accuracy: right / questions, ...rest, ...rates, uses: references.length };
}

const command: Command<OptionTableFor<MemoryValues>> = defineCommand({
  name: "bench:memory",
  start: "npm run bench:memory --",
  summary: "paging of the context window: retrieval from twenty times its size, faults, hit rates",
  example: "npm run bench:memory -- --json",
  options,
  async run({ documents, questions, seed }, io) {
    const random = createRandom(seed);
    const chains = Math.ceil(questions / 2);
    const data = makeData(random, documents, chains, questions, `tree:${LIBRARIAN}`);
    const capacity = Math.floor(data.tokens * SHARE);
    const nested = await runNested(data, io);
    const strings: Record<string, [ReferenceString, number]> = {
      zipf: [zipf(random, 1000, 20_000), 100],
      loop: [loop(125, 20_000), 100],
      scanPolluted: [scanPolluted(random, 1000, 20_000), 100],
      nested: [nested.lru2.references, Math.floor(documents * SHARE)],
    };
    const paging = Object.fromEntries(
      Object.entries(strings).map(([name, [references, frames]]) => {
        return [name, comparePolicies(references, frames)];
      }),
    );
    const slidingRight = askSlidingWindow(data, capacity);
    const result = {
      ...{ bench: "memory", hops: HOPS, documents, questions, seed, tokens: data.tokens, capacity },
      nested: {
        lru2: nestedRow(nested.lru2, questions),
        lru: nestedRow(nested.lru, questions),
        slidingWindow: { accuracy: slidingRight / questions },
      },
      paging,
      holds: holds(nested, paging, questions, capacity),
    };
    show(io, result);
    if (!result.holds) process.exitCode = 1;
  },
});

function holds(
  nested: Record<"lru2" | "lru", NestedResult>,
  paging: Readonly<Record<string, Paged>>,
  questions: number,
  capacity: number,
): boolean {
  const solved = Object.values(nested).every(({ right, prefixes, mostTokens }) => {
    return right === questions && prefixes === 1 && mostTokens <= capacity;
  });
  const bounded = Object.values(paging).every(({ faults }) => {
    return Object.values(faults).every((count) => count >= (faults.belady as number));
  });
  // On a loop that is larger than memory both orders are the same, and both lose.
  const better = ["zipf", "scanPolluted", "nested"].every((name) => {
    const { lru2 = 0, lru = 0, slidingWindow = 0 } = paging[name]?.faults ?? {};
    return lru2 < lru && lru2 < slidingWindow;
  });
  const { faults: ours = 0 } = nested.lru2.counts;
  const { faults: theirs = 0 } = nested.lru.counts;
  return solved && bounded && better && ours < theirs;
}

function show(
  io: CommandIo,
  result: { paging: Readonly<Record<string, Paged>>; nested: object; holds: boolean },
): void {
  const rows = Object.entries(result.paging).map(([name, { hitRate }]) => {
    return [name, ...Object.keys(policies).map((policy) => hitRate[policy] as number)];
  });
  if (!io.json) io.stdout(`${JSON.stringify(result.nested, undefined, 2)}\n`);
  report(io, ["hit rate", ...Object.keys(policies)], rows, result);
}

await runProgram(command);
