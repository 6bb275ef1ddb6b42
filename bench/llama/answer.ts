/**
 * llama.cpp, through node-llama-cpp, as a process that answers one JSON line per request:
 *
 *     node answer.ts MODEL.gguf THREADS CONTEXT SEQUENCES
 *     {"op":"prefill","ids":[…]}                 → {"seconds"}        a prompt, nothing generated
 *     {"op":"decode","ids":[…],"tokens":N}       → {"seconds","first"} N greedy tokens after it
 *     {"op":"streams","prompts":[[…],…],"tokens":N} → {"seconds"}     all at once
 *
 * `seconds` of decode and streams begin with the first new token, `first` is the time to it.
 */
import { createInterface } from "node:readline";
import { findLlama } from "../../src/llm/engines/load-llama.node.ts";

interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(ids: readonly number[]): Promise<void>;
  evaluate(ids: readonly number[], options: object): AsyncGenerator<number>;
}

interface Context {
  getSequence(): Sequence;
}

interface Question {
  readonly op: "prefill" | "decode" | "streams";
  readonly ids?: readonly number[];
  readonly prompts?: readonly (readonly number[])[];
  readonly tokens?: number;
}

const [path = "", threads = "2", contextSize = "1024", sequences = "1"] = process.argv.slice(2);
const { getLlama } = await import(findLlama() ?? "node-llama-cpp");

/** Greedy, without the checks for an end: a bench wants as many tokens as it asks for. */
const GREEDY = { temperature: 0, yieldEogToken: true };

async function open(): Promise<Sequence[]> {
  const llama = await getLlama({
    ...{ gpu: false, build: "never", logLevel: "error", progressLogs: false },
    maxThreads: Number(threads),
  });
  const model = await llama.loadModel({ modelPath: path, useMmap: true });
  const context: Context = await model.createContext({
    ...{ contextSize: Number(contextSize), sequences: Number(sequences), batchSize: 512 },
    ...{ threads: Number(threads), flashAttention: true },
  });
  return Array.from({ length: Number(sequences) }, () => context.getSequence());
}

const since = (start: number): number => (performance.now() - start) / 1000;

/** @returns when the first and the last of `tokens` new tokens came, in ms */
async function generate(
  sequence: Sequence,
  ids: readonly number[],
  tokens: number,
): Promise<readonly [first: number, last: number]> {
  let [first, count] = [0, 0];
  for await (const _ of sequence.evaluate(ids, GREEDY)) {
    if (count === 0) first = performance.now();
    if (++count === tokens) break;
  }
  return [first, performance.now()];
}

/** All of a prompt but its last token, which the first new one comes from. */
async function prefill(sequence: Sequence, ids: readonly number[]): Promise<void> {
  await sequence.clearHistory();
  await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
}

async function answer(sequences: readonly Sequence[], question: Question): Promise<object> {
  const { op, ids = [], prompts = [], tokens = 0 } = question;
  const [sequence] = sequences as [Sequence];
  await sequence.clearHistory();
  const start = performance.now();
  if (op === "prefill") {
    await sequence.evaluateWithoutGeneratingNewTokens(ids);
    return { seconds: since(start) };
  }
  if (op === "decode") {
    const [first, last] = await generate(sequence, ids, tokens);
    return { seconds: (last - first) / 1000, first: (first - start) / 1000 };
  }
  // As with ours: the clock runs when all have their prompts.
  const pairs = prompts.map((prompt, i) => [sequences[i] as Sequence, prompt] as const);
  await Promise.all(pairs.map(([own, prompt]) => prefill(own, prompt)));
  const times = await Promise.all(
    pairs.map(([own, prompt]) => generate(own, prompt.slice(-1), tokens)),
  );
  const begun = Math.min(...times.map(([first]) => first));
  return { seconds: (Math.max(...times.map(([, last]) => last)) - begun) / 1000 };
}

const all = await open();
console.log(JSON.stringify({ engine: "node-llama-cpp", sequences: all.length }));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(await answer(all, JSON.parse(line) as Question)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
process.exit(0);
