/**
 * soak: `nutshell serve` under clients that come, leave and come again, for minutes. It holds when
 * nothing failed but by 429, memory stayed flat and no timeline was left:
 *
 *     rss     median of the last of five windows after warm-up, against the first: at most 1.05
 *     heap    live objects with nothing running, after the collector, at the end against after
 *             warm-up: at most 1.05
 *
 * Without --model it serves a tiny model of random weights.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { createReferenceBackend } from "../src/compute/backends/reference.ts";
import { saveCheckpoint } from "../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../src/llm/model/config.ts";
import { initialise } from "../src/llm/model/parameters.ts";
import { toTokenizerJson } from "../src/llm/tokenizer/tokenizer-json.ts";
import { inRange, type OptionTableFor, positive } from "../src/options.ts";
import { chatTokenizer } from "../test/llm/chat/tokenizer.ts";
import { median, report, significant } from "./report.ts";
import { type LoadCounts, startLoad } from "./soak-load.ts";
import type { Memory } from "./soak-probe.ts";
import { type SoakServer, startSoakServer } from "./soak-server.ts";

interface SoakValues {
  minutes: number;
  streams: number;
  model: string | undefined;
  seed: number;
  threads: number | undefined;
}

const options: OptionTableFor<SoakValues> = {
  minutes: { type: "number", value: 5, doc: "How long, warm-up included.", check: positive },
  streams: { type: "integer", value: 200, doc: "Clients at once.", check: positive },
  model: { type: "string?", value: undefined, placeholder: "DIR", doc: "Whose weights." },
  seed: { type: "integer", value: 1, doc: "Of the clients.", check: inRange(0, 1e6) },
  threads: { type: "integer?", value: undefined, doc: "Of the C backend.", check: positive },
};

const WINDOWS = 5;
/**
 * Of the time, twice: buffers, caches and compiled code find their size, then the heap is measured,
 * which shrinks it, and has to find its size under load again.
 */
const WARM_UP = 0.2;
const MOST_GROWTH = 1.05;
/** Fewer places than clients, so that some are told to come back. */
const PLACES = ["--max-concurrent", "64", "--max-queue", "100", "--max-batch", "16"];

const config: ModelConfig = {
  vocabSize: chatTokenizer.vocabSize,
  sequenceLen: 512,
  nLayer: 2,
  nHead: 2,
  nKvHead: 1,
  nEmbd: 64,
  headDim: 32,
  nFfn: 128,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

async function saveRandomModel(folder: string): Promise<string> {
  const store = createReferenceBackend().createStore();
  await initialise(store, config, 1);
  const texts = { "tokenizer.json": toTokenizerJson(chatTokenizer) };
  return saveCheckpoint(folder, { step: 1, config, store, texts });
}

interface Soaked {
  readonly counts: LoadCounts;
  /** Bytes: medians of the windows. */
  readonly rss: readonly number[];
  readonly heap: readonly [before: number, after: number];
  readonly sessions: number;
}

async function soak(server: SoakServer, values: SoakValues, io: CommandIo): Promise<Soaked> {
  const { minutes, streams, seed } = values;
  const warm = startLoad(server, streams, seed);
  await sample(server, minutes * WARM_UP, io);
  await warm.stop();
  const before = await quietHeap(server);
  const load = startLoad(server, streams, seed + 1);
  await sample(server, minutes * WARM_UP, io);
  const rss: number[] = [];
  const each = (minutes * (1 - 2 * WARM_UP)) / WINDOWS;
  while (rss.length < WINDOWS && !io.signal.aborted) {
    rss.push(median(await sample(server, each, io)));
    const memory = await server.memory("now");
    io.stderr(`window ${rss.length}/${WINDOWS}: ${describe(load.counts, memory)}\n`);
  }
  await load.stop();
  const after = await quietHeap(server);
  const counts = joinCounts(warm.counts, load.counts);
  return { counts, rss, heap: [before, after], sessions: await server.sessions() };
}

/** @returns bytes, one number every half second */
async function sample(server: SoakServer, minutes: number, io: CommandIo): Promise<number[]> {
  const end = performance.now() + minutes * 60_000;
  const rss: number[] = [];
  while (performance.now() < end && !io.signal.aborted) {
    rss.push((await server.memory("now")).rss);
    await wait(500);
  }
  return rss;
}

/** Connections of clients that are gone, and what hangs on them, are closed by then. */
const QUIET_MS = 7000;

async function quietHeap(server: SoakServer): Promise<number> {
  await wait(QUIET_MS);
  await server.memory("collected");
  return (await server.memory("collected")).heapUsed;
}

function joinCounts(a: LoadCounts, b: LoadCounts): LoadCounts {
  return {
    finished: a.finished + b.finished,
    aborted: a.aborted + b.aborted,
    refused: a.refused + b.refused,
    bytes: a.bytes + b.bytes,
    errors: addUp(a.errors, b.errors),
  };
}

function addUp(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): Map<string, number> {
  const sums = new Map(a);
  for (const [error, count] of b) sums.set(error, count + (sums.get(error) ?? 0));
  return sums;
}

const mib = (bytes: number): number => significant(bytes / 2 ** 20);

function describe(counts: LoadCounts, memory: Memory): string {
  const { finished, aborted, refused, errors } = counts;
  const { rss, heapTotal, external } = memory;
  const done = `${finished} done, ${aborted} left, ${refused} refused, ${errors.size} kinds of error`;
  return `${done}; MiB: ${mib(rss)}, heap ${mib(heapTotal)}, buffers ${mib(external)}`;
}

function show(soaked: Soaked, exitCode: number | null, values: SoakValues, io: CommandIo): void {
  const { counts, rss, heap, sessions } = soaked;
  const { finished, aborted, refused, bytes } = counts;
  const rssGrowth = (rss.at(-1) as number) / (rss[0] as number);
  const heapGrowth = heap[1] / heap[0];
  const errors = Object.fromEntries(counts.errors);
  const flat = rssGrowth <= MOST_GROWTH && heapGrowth <= MOST_GROWTH;
  const clean = counts.errors.size === 0 && sessions === 0 && exitCode === 130;
  const result = {
    ...{ bench: "soak", minutes: values.minutes, streams: values.streams },
    ...{ finished, aborted, refused, mib: mib(bytes), errors, sessions, exitCode },
    rssMib: rss.map(mib),
    heapMib: heap.map(mib),
    rssGrowth: significant(rssGrowth),
    heapGrowth: significant(heapGrowth),
    holds: flat && clean && finished > 0 && aborted > 0,
  };
  const rows = Object.entries(result).map(([name, value]) => [name, JSON.stringify(value)]);
  report(io, ["measure", "value"], rows, result);
}

const command: Command<OptionTableFor<SoakValues>> = defineCommand({
  name: "soak",
  start: "npm run soak --",
  summary: "the server under clients that come and go: no error, no leak",
  example: "npm run soak -- --minutes 5",
  options,
  async run(values, io) {
    const folder = await mkdtemp(join(tmpdir(), "nutshell-soak-"));
    try {
      const model = values.model ?? (await saveRandomModel(folder));
      const threads = values.threads === undefined ? [] : ["--threads", String(values.threads)];
      const server = await startSoakServer(["--model", model, ...PLACES, ...threads]);
      const soaked = await soak(server, values, io).catch(async (error: unknown) => {
        await server.stop();
        throw error;
      });
      show(soaked, await server.stop(), values, io);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
});

await runProgram(command);
