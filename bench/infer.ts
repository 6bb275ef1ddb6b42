/**
 * bench:infer: our engine beside llama.cpp (node-llama-cpp, on the GGUF that we export): the same
 * random weights of a depth-8 shape, the same threads, in turn. Greedy, ids in and ids out, so that
 * neither side has a tokenizer or a template to run.
 *
 *     prefill   a prompt of 512 tokens, nothing generated
 *     decode    128 tokens after such a prompt, from the first new token to the last
 *     first     from the request to the first new token
 *     streams   16 texts at once, 64 tokens each after 32
 *
 * A decoded token reads every weight once (and its keys and values): bytes per token times tokens
 * per second, beside what the same cores read from memory in one stream, is the share of the
 * ceiling. llama.cpp is measured in bf16 and f16, with all threads and with one (beside the thread
 * that runs JavaScript, one decodes faster than two on two cores); for each number its best counts.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import type { Backend, Store } from "../src/compute/backend.ts";
import { createCBackend } from "../src/compute/backends/c/backend.node.ts";
import { planDepth } from "../src/llm/model/depth.ts";
import { initialise } from "../src/llm/model/parameters.ts";
import { countParameters } from "../src/llm/model/size.ts";
import type { OptionTableFor } from "../src/options.ts";
import {
  type Contestant,
  howToInstall,
  type Measured,
  ours,
  PROMPT,
  TOKENS,
  theirs,
} from "./infer-contestants.ts";
import { exportModels, type GgufType } from "./infer-model.ts";
import { createMemoryReader } from "./memory-reader.ts";
import { type RoundValues, roundOptions } from "./options.ts";
import { type Cell, median, report, significant } from "./report.ts";

const [DEPTH, VOCAB, CONTEXT] = [8, 8192, 1024] as const;
/** Which files one format of ours is measured against: those of as many bits a weight. */
const rivals = { bf16: ["bf16", "f16"], q8_0: ["q8_0"] } as const;
type Format = keyof typeof rivals;
const formats = Object.keys(rivals) as Format[];
const bitsPerWeight: Readonly<Record<Format, number>> = { bf16: 16, q8_0: 8.5 };

const config = planDepth(DEPTH, {
  ...{ vocabSize: VOCAB, sequenceLen: CONTEXT, optimizer: "muon" as const },
}).config;

interface Entry {
  readonly format: Format;
  readonly name: string;
  readonly side: "ours" | "theirs";
  readonly contestant: Contestant;
}

type Rounds = Map<Entry, Measured[]>;

async function openOurs(backend: Backend, store: Store): Promise<Entry[]> {
  const open = async (format: Format): Promise<Entry> => {
    const contestant = await ours(backend, store, config, format);
    return { format, name: `nutshell ${format}`, side: "ours", contestant };
  };
  return [await open("bf16"), await open("q8_0")];
}

async function openTheirs(
  files: Readonly<Record<GgufType, string>>,
  threads: number,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const format of formats)
    for (const type of rivals[format])
      for (const own of new Set([threads, 1])) {
        const contestant = await theirs(files[type], { threads: own, context: CONTEXT });
        if (contestant === undefined) return [];
        const name = `llama.cpp ${type}, ${own} ${own === 1 ? "thread" : "threads"}`;
        entries.push({ format, name, side: "theirs", contestant });
      }
  return entries;
}

/** One round each to warm up, then everybody in turn; and the memory between the rounds. */
async function alternate(
  entries: readonly Entry[],
  repeats: number,
  readMemory: () => Promise<number>,
  io: CommandIo,
): Promise<{ rounds: Rounds; bytesPerSecond: number }> {
  const rounds: Rounds = new Map(entries.map((entry) => [entry, []]));
  const memory: number[] = [];
  for (let n = 0; n <= repeats; n++) {
    for (const entry of entries) {
      io.signal.throwIfAborted();
      const measured = await entry.contestant.round(n);
      if (n > 0) rounds.get(entry)?.push(measured);
      const { prefill, decode, streams } = measured;
      const rates = [prefill, decode, streams].map((rate) => significant(rate, 3)).join(" ");
      io.stderr(`${n}/${repeats} ${entry.name}: ${rates} tok/s\n`);
    }
    memory.push(await readMemory());
  }
  return { rounds, bytesPerSecond: median(memory) };
}

const middle = (measured: readonly Measured[], key: keyof Measured): number =>
  significant(median(measured.map((one) => one[key] ?? Number.NaN)), 3);

/** Bytes that one decoded token reads: weights, and keys and values of what stands before it. */
function bytesPerToken(format: Format): number {
  const { matrices, head } = countParameters(config);
  const cache = 2 * config.nLayer * config.nKvHead * config.headDim * 2 * (PROMPT + TOKENS / 2);
  return ((matrices + head) * bitsPerWeight[format]) / 8 + cache;
}

/** @returns the numbers of one format, ours beside the best of theirs, round medians */
function compare(format: Format, rounds: Rounds, bytesPerSecond: number): Record<string, unknown> {
  const of = (side: Entry["side"], key: keyof Measured): number[] =>
    [...rounds]
      .filter(([entry]) => entry.format === format && entry.side === side)
      .map(([, measured]) => middle(measured, key));
  const own = (key: keyof Measured): number => of("ours", key)[0] as number;
  const ratio = (key: keyof Measured): number | null => {
    const best = Math.max(...of("theirs", key));
    return Number.isFinite(best) ? significant(own(key) / best, 3) : null;
  };
  const speedup = significant(own("streams") / own("decode"), 3);
  const ratios = { prefill: ratio("prefill"), decode: ratio("decode"), streams: ratio("streams") };
  const share = (own("decode") * bytesPerToken(format)) / bytesPerSecond;
  return {
    ...{ format, ratios, streams_over_single: speedup },
    bandwidth_share: significant(share, 3),
    holds: (ratios.prefill ?? 0) >= 1 && (ratios.decode ?? 0) >= 1 && speedup >= 4,
  };
}

function describe(rounds: Rounds): object[] {
  const keys: Readonly<Record<string, keyof Measured>> = {
    ...{ prefill_tok_per_s: "prefill", decode_tok_per_s: "decode", first_token_ms: "firstMs" },
    ...{ streams_tok_per_s: "streams", snapshot_ms: "snapshotMs", restore_ms: "restoreMs" },
    snapshot_bytes: "snapshotBytes",
  };
  return [...rounds].map(([{ name }, measured]) => {
    const numbers = Object.entries(keys).map(
      ([wire, key]) => [wire, middle(measured, key)] as const,
    );
    const known = numbers.filter(([, value]) => !Number.isNaN(value));
    return { name, ...Object.fromEntries(known) };
  });
}

async function bench(threads: number, repeats: number, io: CommandIo): Promise<void> {
  const backend = await createCBackend({ threads });
  io.stderr(`${backend.description}\n`);
  const folder = await mkdtemp(join(tmpdir(), "nutshell-infer-"));
  const store = backend.createStore();
  const reader = await createMemoryReader(backend);
  const entries: Entry[] = [];
  try {
    await initialise(store, config, 1);
    entries.push(...(await openOurs(backend, store)));
    const peers = await openTheirs(await exportModels(store, config, folder), threads);
    if (peers.length === 0) io.stderr(`no llama.cpp to compare with: ${howToInstall}\n`);
    entries.push(...peers);
    const { rounds, bytesPerSecond } = await alternate(entries, repeats, reader.read, io);
    print(rounds, bytesPerSecond, { threads, repeats }, io);
  } finally {
    for (const { contestant } of entries) await contestant.dispose();
    reader.dispose();
    store.dispose();
    backend.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

function print(rounds: Rounds, bytesPerSecond: number, setting: object, io: CommandIo): void {
  const formatsCompared = formats.map((format) => compare(format, rounds, bytesPerSecond));
  const head = ["tok/s", "prefill", "decode", "16 streams", "first token ms"];
  const columns = ["prefill", "decode", "streams", "firstMs"] as const;
  const rows = [...rounds].map(([{ name }, measured]): Cell[] => [
    name,
    ...columns.map((key) => middle(measured, key)),
  ]);
  report(io, head, rows, {
    bench: "infer",
    holds: formatsCompared.every(({ holds }) => holds),
    params: countParameters(config).total,
    memory_gb_per_s: significant(bytesPerSecond / 1e9, 3),
    formats: formatsCompared,
    engines: describe(rounds),
    ...setting,
  });
}

const command: Command<OptionTableFor<RoundValues>> = defineCommand({
  name: "bench:infer",
  start: "npm run bench:infer --",
  summary: "our engine beside llama.cpp: prefill, decode, streams, first token, snapshots",
  example: "npm run bench:infer -- --json",
  options: roundOptions(5, 3),
  run: ({ repeats, threads }, io) => bench(threads, repeats, io),
});

await runProgram(command);
