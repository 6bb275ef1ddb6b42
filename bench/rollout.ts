/**
 * bench:rollout: tokens that a policy samples per second, by its size and by texts at once, beside
 * the generator that serves one text at a time. Weights are random; prompts of 32 tokens, texts of
 * 32 to 96 more, so that slots empty at different times; two requests for each slot.
 *
 * A token counts when the model chose it. `decode` and `prefill` are shares of the wall time inside
 * those programs, `host` is the rest: JavaScript, and the way to the programs and back. What a whole
 * step of reinforcement learning spends on sampling, learning and waiting: `rollout-learning.ts`.
 */
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import type { Backend } from "../src/compute/backend.ts";
import { createCBackend } from "../src/compute/backends/c/backend.node.ts";
import { type Graph, graphRoots, inputOp, topologicalOrder } from "../src/compute/graph.ts";
import {
  type BatchGenerator,
  type BatchRequest,
  createBatchGenerator,
} from "../src/llm/inference/batch-generator.ts";
import { createGenerator, type TokenGenerator } from "../src/llm/inference/generator.ts";
import type { ModelConfig } from "../src/llm/model/config.ts";
import { planDepth } from "../src/llm/model/depth.ts";
import { initialise } from "../src/llm/model/parameters.ts";
import { countParameters } from "../src/llm/model/size.ts";
import type { OptionTableFor } from "../src/options.ts";
import { type Clock, createClock, timed } from "./clock.ts";
import { type RoundValues, roundOptions } from "./options.ts";
import { type Cell, median, report, significant } from "./report.ts";
import { measureLearning } from "./rollout-learning.ts";

const DEPTHS = [2, 3, 6] as const;
const SLOTS = [1, 16, 64] as const;
const [VOCAB, CONTEXT, PROMPT, FEWEST, SPREAD] = [4096, 256, 32, 32, 65];
const PRECISION = "bf16";

function requestsFor(slots: number): BatchRequest[] {
  return Array.from({ length: 2 * slots }, (_, i) => ({
    prompt: Array.from({ length: PROMPT }, (_, t) => (i * 31 + t * 7) % VOCAB),
    seed: i,
    maxTokens: FEWEST + ((i * 37) % SPREAD),
    temperature: 1,
  }));
}

interface Round {
  readonly tokPerSec: number;
  readonly decode: number;
  readonly prefill: number;
  readonly host: number;
}

interface Contestant {
  readonly name: string;
  /** Absent: one text at a time. */
  readonly slots?: number;
  readonly run: () => Promise<Round>;
  readonly dispose: () => Promise<void>;
}

/** Prefill gives nothing out, or the logits of a row that it asks for; the rest is decode. */
function kindOf(graph: Graph): string {
  const names = topologicalOrder(graphRoots(graph))
    .filter(({ op }) => op === inputOp)
    .map(({ attrs }) => attrs.name as string);
  if (names.length === 0) return "narrow";
  return names.includes("last") || Object.keys(graph.outputs).length === 0 ? "prefill" : "decode";
}

async function timeRound(clock: Clock, sample: () => Promise<number>): Promise<Round> {
  clock.start();
  const start = performance.now();
  const tokens = await sample();
  const { decode, prefill, host } = clock.shares(["decode", "prefill"], "host");
  return { tokPerSec: (1000 * tokens) / (performance.now() - start), decode, prefill, host };
}

function batchContestant(batch: BatchGenerator, slots: number, clock: Clock): Contestant {
  const requests = requestsFor(slots);
  const sample = async (): Promise<number> => {
    let tokens = 0;
    for await (const { trajectory } of batch.generate(requests))
      tokens += trajectory.sampled.reduce((sum, mark) => sum + mark, 0);
    return tokens;
  };
  const run = (): Promise<Round> => timeRound(clock, sample);
  return { name: `${slots} slots`, slots, run, dispose: () => batch.dispose() };
}

/** The same requests one after another, logits brought to the host and sampled there. */
function singleContestant(generator: TokenGenerator, clock: Clock): Contestant {
  const sample = async (): Promise<number> => {
    let tokens = 0;
    for (const { prompt, ...options } of requestsFor(1))
      for await (const _ of generator.generate(prompt, options)) tokens++;
    return tokens;
  };
  const run = (): Promise<Round> => timeRound(clock, sample);
  return { name: "one text at a time", run, dispose: () => generator.dispose() };
}

interface Measured {
  readonly depth: number;
  readonly params: number;
  readonly slots?: number;
  readonly name: string;
  readonly tok_per_s: number;
  readonly decode: number;
  readonly prefill: number;
  readonly host: number;
}

function policyOf(depth: number): ModelConfig {
  return planDepth(depth, { vocabSize: VOCAB, sequenceLen: CONTEXT, optimizer: "muon" }).config;
}

async function measureDepth(
  backend: Backend,
  depth: number,
  repeats: number,
  io: CommandIo,
): Promise<Measured[]> {
  const config = policyOf(depth);
  const clock = createClock();
  const watched = timed(backend, clock, kindOf);
  const store = backend.createStore();
  await initialise(store, config, 1);
  const options = { precision: PRECISION } as const;
  const contestants = [
    singleContestant(createGenerator(watched, store, config, options), clock),
    ...SLOTS.map((slots) => {
      const batch = createBatchGenerator(watched, store, config, { ...options, slots });
      return batchContestant(batch, slots, clock);
    }),
  ];
  const rounds = await alternate(contestants, repeats, io);
  for (const { dispose } of contestants) await dispose();
  store.dispose();
  const params = countParameters(config).total;
  return contestants.map(({ name, slots }, i) => {
    const mid = (key: keyof Round): number =>
      significant(median((rounds[i] as Round[]).map((round) => round[key])), 3);
    const shares = { decode: mid("decode"), prefill: mid("prefill"), host: mid("host") };
    const own = { depth, params, name, ...(slots === undefined ? {} : { slots }) };
    const measured = { ...own, tok_per_s: mid("tokPerSec"), ...shares };
    io.stderr(`depth ${depth}, ${name}: ${measured.tok_per_s} tok/s\n`);
    return measured;
  });
}

/** One round each to compile and warm up, then everybody in turn. */
async function alternate(
  contestants: readonly Contestant[],
  repeats: number,
  io: CommandIo,
): Promise<Round[][]> {
  const rounds: Round[][] = contestants.map(() => []);
  for (let i = 0; i <= repeats; i++)
    for (const [k, contestant] of contestants.entries()) {
      io.signal.throwIfAborted();
      const round = await contestant.run();
      if (i > 0) rounds[k]?.push(round);
    }
  return rounds;
}

async function bench(threads: number, repeats: number, io: CommandIo): Promise<void> {
  const backend = await createCBackend({ threads });
  io.stderr(`${backend.description}\n`);
  const measured: Measured[] = [];
  for (const depth of DEPTHS) measured.push(...(await measureDepth(backend, depth, repeats, io)));
  const learning: object[] = [];
  for (const depth of DEPTHS) {
    io.signal.throwIfAborted();
    const shares = await measureLearning(backend, policyOf(depth), threads, io.signal);
    learning.push({ depth, ...shares });
    io.stderr(`depth ${depth}, a step of GRPO: ${JSON.stringify(shares)}\n`);
  }
  backend.dispose();
  const head = ["policy", "sampled tok/s", "decode", "prefill", "host"];
  const rows = measured.map((m): Cell[] => [
    `depth ${m.depth}, ${significant(m.params / 1e6, 3)} M, ${m.name}`,
    ...[m.tok_per_s, m.decode, m.prefill, m.host],
  ]);
  report(io, head, rows, { bench: "rollout", policies: measured, learning, threads, repeats });
}

const command: Command<OptionTableFor<RoundValues>> = defineCommand({
  name: "bench:rollout",
  start: "npm run bench:rollout --",
  summary: "tokens that a policy samples per second, by its size and texts at once",
  example: "npm run bench:rollout -- --json",
  options: roundOptions(5, 3),
  run: ({ repeats, threads }, io) => bench(threads, repeats, io),
});

await runProgram(command);
