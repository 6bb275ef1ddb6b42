/**
 * bench:data: how fast batches come out of a prepared folder, beside what a training step of
 * bench:train consumes in the same run; how long a run takes to start on one; whether memory grows.
 *
 * `open_s`: a fresh process, from its beginning to its first batch, median of five.
 * `rss_growth_mb`: memory of the process's own between 1,000 and 100,000 batches. Pages of the
 * mapped shards (`rss_file_mb`) belong to the system, which takes them back when it needs them.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { createCBackend } from "../src/compute/backends/c/backend.node.ts";
import { createBatch } from "../src/llm/data/sampling/batch.ts";
import { MANIFEST_FILE } from "../src/llm/data/shards/manifest.ts";
import { openSampler, type SampledFolder, type Shape } from "./data-sampler.ts";
import { median, report, secondsOf, significant } from "./report.ts";
import { B, prepareTrainStep, T } from "./train-step.ts";

/** That of the training step, and a long one. */
const SHAPES: readonly Shape[] = [
  { B, T },
  { B: 8, T: 2048 },
];
const STARTS = 5;
const STEPS = 7;
/** Batches. */
const [FEW, MANY] = [1000, 100_000];

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Resident memory in MB: the process's own, and pages of files; undefined outside Linux. */
function residentMb(): { own: number; files: number } | undefined {
  collectGarbage();
  if (!existsSync("/proc/self/status")) return undefined;
  const status = readFileSync("/proc/self/status", "utf8");
  const of = (row: string): number =>
    Number(new RegExp(`${row}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { own: of("RssAnon"), files: of("RssFile") };
}

/** Median tokens per second of `rounds` rounds of `batches` batches. */
function loaderRate(folder: string, shape: Shape, batches: number, rounds: number): number {
  const { prepared, sampler } = openSampler(folder, shape);
  const out = createBatch(shape.B, shape.T);
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < batches; i++) sampler.batchAt(round * batches + i, 0, out);
    rates.push((1000 * batches * shape.B * shape.T) / (performance.now() - start));
  }
  prepared[Symbol.dispose]();
  return significant(median(rates));
}

interface Growth {
  readonly rss_growth_mb: number | null;
  readonly rss_file_mb: number | null;
}

function memoryGrowth({ sampler }: SampledFolder): Growth {
  const out = createBatch(B, T);
  const start = residentMb();
  for (let step = 0; step < FEW; step++) sampler.batchAt(step, 0, out);
  const few = residentMb();
  for (let step = FEW; step < MANY; step++) sampler.batchAt(step, 0, out);
  const many = residentMb();
  if (start === undefined || few === undefined || many === undefined)
    return { rss_growth_mb: null, rss_file_mb: null };
  return {
    rss_growth_mb: significant(many.own - few.own, 3),
    rss_file_mb: significant(many.files - start.files, 3),
  };
}

/** @returns what a program beside this one prints */
function runNode(program: string, ...args: readonly string[]): string {
  const path = join(import.meta.dirname, program);
  return execFileSync(process.execPath, [path, ...args], { encoding: "utf8" });
}

function startSeconds(folder: string): number {
  const run = (): number => Number(runNode("data-sampler.ts", folder));
  const seconds = Array.from({ length: STARTS }, run);
  return significant(median(seconds), 3);
}

/** Tokens per second of the fastest of several training steps. */
async function trainRate(threads: number, io: CommandIo): Promise<number> {
  const backend = await createCBackend({ threads });
  io.stderr(`training with ${backend.description}\n`);
  const { run } = await prepareTrainStep(backend);
  await run();
  let fastest = Infinity;
  for (let i = 0; i < STEPS; i++) {
    io.signal.throwIfAborted();
    fastest = Math.min(fastest, await secondsOf(run));
  }
  backend.dispose();
  return significant((B * T) / fastest);
}

interface DataValues {
  tokens: number;
  folder: string;
  threads: number;
  skipTrain: boolean;
}

async function bench(values: DataValues, io: CommandIo): Promise<void> {
  const { folder } = values;
  if (!existsSync(join(folder, MANIFEST_FILE))) {
    io.stderr(`making ${values.tokens} random tokens in ${folder}\n`);
    runNode("data-folder.ts", folder, `${values.tokens}`);
  }
  const open_s = startSeconds(folder);
  io.stderr(`a start takes ${open_s} s\n`);
  const sampled = openSampler(folder, { B, T });
  const growth = memoryGrowth(sampled);
  const { access } = sampled.prepared;
  sampled.prepared[Symbol.dispose]();
  const rates = SHAPES.map((shape) => loaderRate(folder, shape, 4_000_000 / shape.T, 5));
  const train = values.skipTrain ? null : await trainRate(values.threads, io);
  const [rate = 0, longRate = 0] = rates;
  const rows = SHAPES.map((shape, i) => [`T ${shape.T}, B ${shape.B}`, rates[i] as number]);
  report(io, ["", "tok/s"], [...rows, ["training step", train]], {
    bench: "data",
    tok_per_s: rate,
    long_tok_per_s: longRate,
    train_tok_per_s: train,
    ratio: train === null ? null : significant(rate / train),
    ...{ open_s, ...growth, access },
    tokens: sampled.tokens,
    documents: sampled.prepared.manifest.sources.reduce((sum, row) => sum + row.documents, 0),
  });
}

const command: Command = defineCommand({
  name: "bench:data",
  start: "npm run bench:data --",
  summary: "batches from prepared shards: tokens per second, start, memory",
  example: "npm run bench:data -- --json",
  options: {
    tokens: {
      type: "integer",
      value: 60_000_000,
      doc: "Random tokens to make when the folder is not there.",
      check: (n) => (n < 1_000_000 ? "must be at least 1000000" : undefined),
    },
    folder: {
      type: "string",
      value: join(tmpdir(), "nutshell-bench-data"),
      placeholder: "DIR",
      doc: "A prepared folder of several sources.",
    },
    threads: {
      type: "integer",
      value: 2,
      doc: "Threads of the training step.",
      check: (n) => (n < 1 ? "must be at least 1" : undefined),
    },
    skipTrain: { type: "boolean", value: false, doc: "Leave the training step out." },
  },
  run: (values, io) => bench(values, io),
});

await runProgram(command);
