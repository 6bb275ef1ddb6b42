/**
 * `npm start`: the whole of stage 1 as one story, from raw text to a model that writes. It trains
 * the preset `tiny`; a second start goes on where the first stopped, or only writes when the
 * training is done.
 */
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { formatDuration } from "../src/cli/format.ts";
import type { Backend } from "../src/compute/backend.ts";
import { type BackendChoice, chooseBackend } from "../src/compute/backends/choose.node.ts";
import { completeText } from "../src/llm/inference/complete.ts";
import { createGenerator } from "../src/llm/inference/generator.ts";
import { loadCheckpoint } from "../src/llm/model/checkpoint.node.ts";
import { findCheckpoint } from "../src/llm/model/run-folder.node.ts";
import type { RunConfig } from "../src/llm/pretrain/complete-config.ts";
import { type PretrainConfig, pretrainOptions } from "../src/llm/pretrain/config.ts";
import { presets } from "../src/llm/pretrain/presets.ts";
import { pretrain } from "../src/llm/pretrain/pretrain.node.ts";
import { renderResult } from "../src/llm/pretrain/result.ts";
import { findResumePoint, removeRun } from "../src/llm/run/resume.node.ts";
import { createTalk, type Talk } from "../src/llm/run/talk.ts";
import { fromTokenizerJson } from "../src/llm/tokenizer/tokenizer-json.ts";
import { type OptionTableFor, resolveOptions } from "../src/options.ts";

interface TinyValues {
  data: string | undefined;
  out: string;
  steps: number | undefined;
  fresh: boolean;
  backend: BackendChoice;
  threads: number | undefined;
}

const options: OptionTableFor<TinyValues> = {
  data: pretrainOptions.data,
  out: { ...pretrainOptions.out, value: presets.tiny.values.out ?? "" },
  steps: { ...pretrainOptions.steps, doc: "Steps of the run; absent: as many as the preset has." },
  fresh: { type: "boolean", value: false, doc: "Remove the run in --out and start over." },
  backend: pretrainOptions.backend,
  threads: pretrainOptions.threads,
};

/** What plain JavaScript can train in the same time. */
const withoutCompiler: Partial<PretrainConfig> = {
  ...{ vocabSize: 512, maxBytes: 2_000_000, depth: 2, nEmbd: 64, nHead: 2, nFfn: 168 },
  ...{
    sequenceLen: 64,
    batchSize: 4,
    steps: 200,
    evalEvery: 100,
    sampleEvery: 100,
    saveEvery: 100,
  },
};

const prompts = ["Once upon a time", "The city of", "She said", "In the morning,", "The old man"];

const command: Command<OptionTableFor<TinyValues>> = defineCommand({
  name: "start",
  summary: "train a tiny language model on real text, then let it write",
  example: "npm start -- --data books/ --out runs/out/books",
  options,
  async run(values, io, { given }) {
    const talk = createTalk(io);
    const { fresh, ...flags } = given;
    const { out } = values;
    if (fresh) removeRun(out);
    const backend = await chooseBackend(values.backend, values, (line) => talk.say(line));
    try {
      const small = backend.name === "reference" ? withoutCompiler : {};
      const asked = resolveOptions(
        pretrainOptions,
        { from: "preset tiny", values: { ...presets.tiny.values, ...small } },
        { from: "flags", values: { ...flags, backend: backend.name } },
      );
      if (Object.keys(flags).length === 0 && (await isFinished(out, talk)))
        talk.say(`${out} is trained to the end; --fresh starts over`);
      else await train(asked, talk, io);
      if (io.signal.aborted) return;
      const texts = await writeSamples(out, backend, talk, io);
      if (io.json) io.stdout(`${JSON.stringify({ out, texts })}\n`);
    } finally {
      backend.dispose();
    }
    talk.say(whatNext(out));
  },
});

async function isFinished(out: string, talk: Talk): Promise<boolean> {
  const found = await findResumePoint<RunConfig>(out, talk);
  return found !== undefined && found.step === found.config.steps;
}

async function train(asked: PretrainConfig, talk: Talk, io: CommandIo): Promise<void> {
  talk.say(
    "Nutshell learns to write from nothing: it reads text, learns its own tokens, trains a\n" +
      `small transformer to guess the next one, and writes. All of it goes to ${asked.out}.\n` +
      "Ctrl-C stops and saves; the same command goes on.\n",
  );
  const start = performance.now();
  const result = await pretrain(asked, talk, io.signal);
  if (!io.json) io.stdout(renderResult(result));
  talk.say(`\ntook ${formatDuration((performance.now() - start) / 1000)}`);
}

/** Reads the model back from its folder, as any other program would, and lets it write. */
async function writeSamples(
  out: string,
  backend: Backend,
  talk: Talk,
  io: CommandIo,
): Promise<string[]> {
  const folder = await findCheckpoint(out);
  const checkpoint = await loadCheckpoint(folder);
  const tokenizer = fromTokenizerJson((await checkpoint.readText("tokenizer.json")) ?? "", folder);
  const precision = backend.description.includes("bf16") ? "bf16" : "f32";
  const store = backend.createStore();
  await checkpoint.loadParameters(store);
  const generator = createGenerator(backend, store, checkpoint.config, { precision });
  talk.say(`\nWhat ${folder} writes. It has learned how text looks, not what is true.\n`);
  const texts: string[] = [];
  for (const [i, prompt] of prompts.entries()) {
    if (io.signal.aborted) break;
    const sampling = { temperature: 0.7, topP: 0.9, maxTokens: 90, seed: i, signal: io.signal };
    let text = prompt;
    for await (const piece of completeText(generator, tokenizer, prompt, sampling)) text += piece;
    texts.push(text);
    if (!io.json) io.stdout(`${i + 1}. ${text.trim()}\n\n`);
  }
  await generator.dispose();
  store.dispose();
  return texts;
}

function whatNext(out: string): string {
  return [
    "What next:",
    `  npx nutshell complete --model ${out} --prompt "The king"   another text`,
    `  open ${out}/loss.svg                       how the loss fell`,
    `  open ${out}/mixture.svg                    what it read, asked and drawn`,
    `  npx nutshell data inspect --out ${out}/data  what was kept, dropped and masked`,
    `  open ${out}/card.md                        what it was made from, and how good it is`,
    "  npm start -- --data DIR --out DIR          the same from your own text",
    "  npx nutshell pretrain --preset laptop      a better model, in hours",
  ].join("\n");
}

await runProgram(command);
