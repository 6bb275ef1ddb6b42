/**
 * bench:tokenizer: encoding beside gpt-tokenizer, js-tiktoken and @huggingface/tokenizers with the
 * same vocabularies on the same documents in the same thread; a batch in two threads; training;
 * and whether a million equal characters cost ten times as much as a hundred thousand.
 *
 * Each part runs in a process of its own, so that memory and compiled code of one do not weigh on
 * the other. Contenders take turns, every round beginning with another one; medians count. All ids
 * are compared before anything is timed; that is the warm-up as well. A peer that is not half as
 * fast as the fastest one is timed on every 8th document. 1 MB is 10^6 bytes of UTF-8.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { createEncodeTeam } from "../src/llm/tokenizer/encode-team.node.ts";
import { trainBpeTeam } from "../src/llm/tokenizer/train-team.node.ts";
import { type Cell, median, report, secondsOf, significant } from "./report.ts";
import { type BenchValues, compareIds, encodePart, megabytesOf } from "./tokenizer-encode.ts";
import { ourTokenizer } from "./tokenizer-peers.ts";
import { mixedText, trainingText } from "./tokenizer-text.ts";

type Part = (values: BenchValues, io: CommandIo) => Promise<object>;

const parts: Readonly<Record<string, Part>> = {
  encode: encodePart,
  batch: batchPart,
  train: trainPart,
  linear: linearPart,
};

/** The same text in this thread and by a team, in turn. */
async function batchPart(
  { rounds, megabytes, threads }: BenchValues,
  io: CommandIo,
): Promise<object> {
  const { documents } = await mixedText(megabytes * 1e6);
  const tokenizer = ourTokenizer(1);
  await using team = await createEncodeTeam(tokenizer, threads);
  const one = async (): Promise<void> => {
    for (const text of documents) tokenizer.encode(text);
  };
  const both = () => team.encodeBatch(documents);
  const batch = await both();
  let next = 0;
  const recorded = { name: "the team", encode: () => [...(batch[next++] as Uint32Array)] };
  compareIds(recorded, documents, (i) => tokenizer.encode(documents[i] as string));
  const [alone, together]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    io.signal.throwIfAborted();
    alone.push(await secondsOf(one));
    together.push(await secondsOf(both));
    io.stderr(`${round + 1}/${rounds}: 1 thread ${alone.at(-1)?.toFixed(3)} s, `);
    io.stderr(`${threads} threads ${together.at(-1)?.toFixed(3)} s\n`);
  }
  const rate = (seconds: number[]): number => significant(megabytesOf(documents) / median(seconds));
  const ratio = significant(median(alone) / median(together), 3);
  const rates = { one_mb_per_s: rate(alone), team_mb_per_s: rate(together) };
  return { batch_ratio: ratio, batch: { vocabulary: "cl100k_base", threads, ...rates } };
}

const VOCABULARIES = [8192, 32768];

async function trainPart({ trainMegabytes, threads }: BenchValues, io: CommandIo): Promise<object> {
  const { documents, bytes, origins } = await trainingText(trainMegabytes * 1e6);
  const times: Record<string, number> = {};
  for (const vocabSize of VOCABULARIES) {
    io.signal.throwIfAborted();
    const seconds = await secondsOf(() => trainBpeTeam(documents, { vocabSize }, threads));
    times[`train_${vocabSize}_s`] = significant(seconds, 3);
    io.stderr(`vocabulary ${vocabSize}: ${seconds.toFixed(1)} s\n`);
  }
  return { ...times, train: { mb: significant(bytes / 1e6), threads, origins } };
}

const RUN = 100_000;

/** Time per character of a run ten times as long, over that of the shorter one. */
async function linearPart({ rounds }: BenchValues, io: CommandIo): Promise<object> {
  const rows = [0, 1].flatMap((index) => {
    const tokenizer = ourTokenizer(index);
    return ["a", " ", "7"].map((unit) => {
      const texts = [unit.repeat(RUN), unit.repeat(10 * RUN)] as const;
      const seconds: [number[], number[]] = [[], []];
      for (let round = 0; round <= rounds; round++) {
        for (const [i, text] of texts.entries()) {
          const start = performance.now();
          tokenizer.encode(text);
          if (round > 0) seconds[i as 0 | 1].push((performance.now() - start) / 1000);
        }
      }
      const [short, long] = [median(seconds[0]), median(seconds[1])];
      const vocabulary = ["gpt2", "cl100k_base"][index] as string;
      const per_character = significant(long / (10 * short), 3);
      io.stderr(`${vocabulary} ${JSON.stringify(unit)}: ${per_character}\n`);
      return { vocabulary, unit, ms_100k: ms(short), ms_1m: ms(long), per_character };
    });
  });
  return { linear_worst: Math.max(...rows.map((row) => row.per_character)), linear: rows };
}

const ms = (seconds: number): number => significant(1000 * seconds, 3);

/** Highest resident memory of this process so far. */
const peakRssMb = (): number => Math.round(process.resourceUsage().maxRSS / 1000);

interface PartResult extends Record<string, unknown> {
  readonly peak_rss_mb: number;
}

/** All parts, each in a fresh process whose talk goes to our stderr. */
function runApart(values: BenchValues, io: CommandIo): PartResult {
  const flags = [
    ...["--rounds", `${values.rounds}`, "--megabytes", `${values.megabytes}`],
    ...["--train-megabytes", `${values.trainMegabytes}`, "--threads", `${values.threads}`],
  ];
  const results = Object.keys(parts).map((only) => {
    io.stderr(`${only}\n`);
    const args = [fileURLToPath(import.meta.url), ...flags, "--json", "--only", only];
    const output = execFileSync(process.execPath, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return JSON.parse(output) as PartResult;
  });
  const peak = Math.max(...results.map(({ peak_rss_mb }) => peak_rss_mb));
  return { ...Object.assign({}, ...results), peak_rss_mb: peak };
}

async function runPart(name: string, values: BenchValues, io: CommandIo): Promise<PartResult> {
  return { ...(await (parts[name] as Part)(values, io)), peak_rss_mb: peakRssMb() };
}

function rowsOf(result: Record<string, unknown>): Cell[][] {
  const encode = (result.encode_mb_per_s ?? {}) as Record<string, Record<string, number>>;
  const rates = Object.entries(encode).flatMap(([vocabulary, contenders]) =>
    Object.entries(contenders).map(([name, rate]): Cell[] => [
      `${vocabulary} ${name}`,
      rate,
      name === "ratio" ? "times the fastest" : "MB/s",
    ]),
  );
  const single = [
    ["batch_ratio", "times one thread"],
    ["train_8192_s", "s"],
    ["train_32768_s", "s"],
    ["linear_worst", "per character, 1,000,000 over 100,000"],
    ["peak_rss_mb", "MB"],
  ] as const;
  const known = single.filter(([key]) => result[key] !== undefined);
  return [...rates, ...known.map(([key, unit]): Cell[] => [key, result[key] as number, unit])];
}

const command: Command = defineCommand({
  name: "bench:tokenizer",
  start: "npm run bench:tokenizer --",
  summary: "encoding and training beside other tokenizers, in MB/s and seconds",
  example: "npm run bench:tokenizer -- --rounds 5 --json",
  options: {
    rounds: {
      type: "integer",
      value: 5,
      doc: "Timings of each contender; the median counts.",
      check: (n: number) => (n < 1 ? "must be at least 1" : undefined),
    },
    only: {
      type: "string?",
      value: undefined,
      doc: "One part, in this process; absent = all, each in its own.",
      choices: Object.keys(parts),
    },
    megabytes: { type: "number", value: 20, doc: "Text to encode, in MB." },
    trainMegabytes: { type: "number", value: 100, doc: "Text to train on, in MB." },
    threads: { type: "integer", value: 2, doc: "Threads of batch and training." },
  },
  async run({ only, ...values }, io) {
    const result = only === undefined ? runApart(values, io) : await runPart(only, values, io);
    const { rounds } = values;
    report(io, ["", "result", ""], rowsOf(result), { bench: "tokenizer", rounds, ...result });
  },
});

await runProgram(command);
