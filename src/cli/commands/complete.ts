/** `nutshell complete`: text from a checkpoint, streamed as it is made. */
import { setImmediate as eventLoop } from "node:timers/promises";
import type { Backend, Store } from "../../compute/backend.ts";
import { type BackendChoice, chooseBackend } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import { type Completion, completeText } from "../../llm/inference/complete.ts";
import { createGenerator, type TokenGenerator } from "../../llm/inference/generator.ts";
import type { Checkpoint } from "../../llm/model/checkpoint.node.ts";
import { countParameters } from "../../llm/model/size.ts";
import type { Precision } from "../../llm/model/transformer.ts";
import { openModel } from "../../llm/run/open-model.node.ts";
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { formatCount } from "../format.ts";

const EXAMPLE = 'nutshell complete --model runs/out/tiny/1-pretrain --prompt "Once upon a time"';
/** Long-context models would otherwise get a cache of gigabytes for a short text. */
const MOST_CONTEXT = 4096;

interface CompleteValues {
  model: string | undefined;
  prompt: string | undefined;
  maxTokens: number;
  temperature: number;
  topK: number | undefined;
  topP: number | undefined;
  seed: number;
  n: number;
  context: number | undefined;
  precision: Precision;
  backend: BackendChoice;
  threads: number | undefined;
}

const PRECISIONS: readonly Precision[] = ["bf16", "f32"];
const BACKENDS: readonly BackendChoice[] = ["auto", "c", "reference"];
const aboveZeroToOne = (value: number): string | undefined =>
  value > 0 && value <= 1 ? undefined : "must be above 0, at most 1";

const options: OptionTableFor<CompleteValues> = {
  model: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "A checkpoint or model folder, or a run's folder for its newest checkpoint.",
  },
  prompt: { type: "string?", value: undefined, doc: "How the text begins; absent = anyhow." },
  maxTokens: { type: "integer", value: 200, doc: "New tokens at most.", check: positive },
  temperature: {
    type: "number",
    value: 0.8,
    doc: "0 takes the likeliest token each time.",
    check: inRange(0, 100),
  },
  topK: { type: "integer?", value: undefined, doc: "Draw among the K likeliest.", check: positive },
  topP: {
    type: "number?",
    value: 0.95,
    doc: "Draw among the likeliest that have this probability together; 1 = all.",
    check: aboveZeroToOne,
  },
  seed: {
    type: "integer",
    value: 1,
    doc: "Of the random numbers; text i of --n has this seed plus i.",
    check: inRange(0, 2 ** 32 - 1),
  },
  n: { type: "integer", value: 1, doc: "Texts, one after the other.", check: positive },
  context: {
    type: "integer?",
    value: undefined,
    doc: `Prompt and text together, in tokens; absent = the model's, at most ${MOST_CONTEXT}.`,
    check: positive,
  },
  precision: {
    type: "string",
    value: "bf16",
    doc: "Inputs of matrix products; sums are f32.",
    choices: PRECISIONS,
  },
  backend: { type: "string", value: "auto", doc: "What computes.", choices: BACKENDS },
  threads: {
    type: "integer?",
    value: undefined,
    doc: "Of the C backend; absent = one per core.",
    check: positive,
  },
};

export const command: Command<OptionTableFor<CompleteValues>> = defineCommand({
  name: "complete",
  summary: "text from a checkpoint: a prompt in, what follows out",
  example: EXAMPLE,
  options,
  async run(values, io) {
    const { model, backend: choice, threads } = values;
    if (model === undefined)
      throw new NutshellError("USAGE", `complete: needs --model, got none. Try: ${EXAMPLE}`);
    const { checkpoint, tokenizer } = await openModel(model);
    const backend = await chooseBackend(choice, { threads }, (line) => io.stderr(`${line}\n`));
    const store = backend.createStore();
    try {
      await checkpoint.loadParameters(store);
      io.stderr(`${describe(checkpoint, values.precision, backend)}\n`);
      const texts = await complete({ values, io, checkpoint, tokenizer, backend, store });
      if (io.json) io.stdout(`${JSON.stringify({ model: checkpoint.folder, ...texts })}\n`);
    } finally {
      store.dispose();
      backend.dispose();
    }
  },
});

interface Loaded {
  readonly values: CompleteValues;
  readonly io: CommandIo;
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer;
  readonly backend: Backend;
  readonly store: Store;
}

interface TimedCompletion extends Completion {
  readonly seed: number;
  /** From the start, compilation included; absent when there was no token. */
  readonly firstTokenMs: number | undefined;
  /** Of the tokens after the first. */
  readonly tokPerSec: number | undefined;
}

async function complete(loaded: Loaded): Promise<object> {
  const { values, io, checkpoint, backend, store } = loaded;
  const { config } = checkpoint;
  const { precision, prompt = "", seed, n } = values;
  const contextLen = values.context ?? Math.min(config.sequenceLen, MOST_CONTEXT);
  const generator = createGenerator(backend, store, config, { precision, contextLen });
  const completions: TimedCompletion[] = [];
  try {
    for (let i = 0; i < n && !io.signal.aborted; i++)
      completions.push(await completeOnce(loaded, generator, (seed + i) % 2 ** 32));
  } finally {
    await generator.dispose();
  }
  return { backend: backend.name, precision, prompt, completions };
}

/** One text, streamed to stdout unless the result is JSON. */
async function completeOnce(
  { values, io, tokenizer }: Loaded,
  generator: TokenGenerator,
  seed: number,
): Promise<TimedCompletion> {
  const { prompt = "", maxTokens, temperature, topK, topP } = values;
  const sampling = { maxTokens, temperature, topK, topP, seed, signal: io.signal };
  // A reader at a terminal sees the whole text; stdout carries what is new.
  if (io.isTTY && !io.json) io.stderr(prompt);
  const start = performance.now();
  let first: number | undefined;
  const pieces = completeText(generator, tokenizer, prompt, sampling);
  let next = await pieces.next();
  for (; next.done !== true; next = await pieces.next()) {
    first ??= performance.now();
    if (!io.json) io.show(next.value);
    await eventLoop(); // The reference backend never waits: Ctrl-C and the pipe need their turn.
  }
  if (!io.json) io.stdout("\n");
  const timed = { ...next.value, seed, ...rates(start, first, next.value.tokens) };
  io.stderr(`${renderTimes(timed)}\n`);
  return timed;
}

function rates(
  start: number,
  first: number | undefined,
  tokens: number,
): Pick<TimedCompletion, "firstTokenMs" | "tokPerSec"> {
  if (first === undefined) return { firstTokenMs: undefined, tokPerSec: undefined };
  const seconds = (performance.now() - first) / 1000;
  return {
    firstTokenMs: first - start,
    tokPerSec: tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : undefined,
  };
}

function renderTimes(timed: TimedCompletion): string {
  const { seed, promptTokens, tokens, finishReason, firstTokenMs, tokPerSec } = timed;
  const facts = [`seed ${seed}`, `${promptTokens} + ${tokens} tokens`, finishReason];
  if (firstTokenMs !== undefined) facts.push(`first after ${firstTokenMs.toFixed(0)} ms`);
  if (tokPerSec !== undefined) facts.push(`then ${formatCount(Math.round(tokPerSec))} tok/s`);
  return facts.join(" | ");
}

function describe({ folder, config }: Checkpoint, precision: Precision, backend: Backend): string {
  const size = `${formatCount(countParameters(config).total)} parameters`;
  const shape = `depth ${config.nLayer}, ${config.nEmbd} wide, context ${config.sequenceLen}`;
  return `${folder} | ${size}, ${shape} | ${precision} on ${backend.description}`;
}
